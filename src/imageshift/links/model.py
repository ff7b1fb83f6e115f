"""The graph of builds: what each includes, and what it does to it, in the tool's own order.

`docs/facts.md` has the order for each tool (E1 to E5).
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct, field

from imageshift.entry import Entry
from imageshift.sites import ImageSite
from imageshift.source import Document, Mapping, Node, Place, Scalar, Sequence

__all__ = [
    "Build",
    "Components",
    "Effect",
    "Entries",
    "EntrySource",
    "FileBuild",
    "Merge",
    "Patch",
    "Patches",
    "RemoteBase",
    "Replacement",
    "SiteKey",
    "new_name_key",
    "place_text",
    "reached",
]

SiteKey = tuple[str, int, str]
"""File, offset and text of a site's main scalar: the same in every scan of one file."""


class EntrySource(Struct, frozen=True, kw_only=True):
    """An entry of an `images:` list as it is written.

    `scalar` is set for Argo CD's short form (`old=new:tag`), `mapping` for all others. `holder` is
    the mapping with the key that would be empty without the list, where that is known.
    """

    number: int
    file: str
    document: Document
    items: Sequence
    index: int
    entry: Entry
    mapping: Mapping | None = None
    scalar: Scalar | None = None
    holder: tuple[Mapping, str] | None = None

    @property
    def node(self) -> Node:
        """The item itself."""
        return self.items.items[self.index]

    @property
    def place(self) -> Place:
        """Where the item stands."""
        return self.document.place(self.node.start)


class Patch(Struct, frozen=True):
    """A patch as it is written: a file, or a text, object or list of operations in a document.

    `target` is what stands beside it about the objects that it is for.
    """

    file: str
    document: Document | None = None
    node: Node | None = None
    target: Mapping | None = None

    @property
    def is_inline(self) -> bool:
        """Whether it stands in the document that names it."""
        return self.node is not None

    @property
    def targeted(self) -> bool:
        """Whether it says beside the patch itself what it is for."""
        return self.target is not None


class FileBuild(Struct, frozen=True):
    """What one build does to a file that it takes in: its patches, and the files built with it.

    `key` is the file of the kustomization or object, with the object's name. The patches come in
    the order in which they are applied: those of bases, of components, its own (E1, E2.3, E4).
    """

    key: str
    files: frozenset[str]
    patches: tuple[Patch, ...]


class RemoteBase(Struct, frozen=True):
    """A resource or component that kustomize fetches: the scalar that is its address, at `path`."""

    file: str
    document: Document
    scalar: Scalar
    path: tuple[str | int, ...]

    @property
    def address(self) -> str:
        """What kustomize is given."""
        return self.scalar.value

    @property
    def place(self) -> Place:
        """Where the address stands."""
        return self.document.place(self.document.value_start(self.scalar))

    @property
    def is_component(self) -> bool:
        """Whether it works on what its user has gathered, so that it can't be built alone."""
        return self.path[0] == "components"


class Components(Struct, frozen=True):
    """Components, by the keys of their builds: each works on all that is there (E1, step 3b)."""

    keys: tuple[str, ...] = ()


class Patches(Struct, frozen=True):
    """Patches, in kustomize's order (E1, steps 4a to 4d)."""

    patches: tuple[Patch, ...] = ()


class Merge(StrEnum):
    """How the entries of an object are merged into the list of the kustomization it builds."""

    FLUX_FIELDS = "flux-fields"
    """By name, field by field: Flux since 1.9.4 (E2.4)."""
    FLUX_WHOLE = "flux-whole"
    """By name, entry for entry: Flux before 1.9.4 (E2.4)."""
    ARGO = "argo"
    """By name, entry for entry, then sorted by name: `kustomize edit set image` (E4)."""


class Entries(Struct, frozen=True):
    """An `images:` list, by the numbers of its entries; `added` are those of the object above."""

    own: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    merge: Merge = Merge.ARGO

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every entry that has a part in it."""
        return (*self.own, *self.added)


class Replacement(Struct, frozen=True):
    """A `replacements` item that touches images (fact K9), or what works like one.

    `cuts` says that what it meets must not change, for the reason `detail`; `foreign` that its
    value comes from something that is no image text of the build.
    """

    file: str
    place: Place
    cuts: bool
    foreign: bool
    selects: tuple[tuple[str, str], ...]
    detail: str = "a replacement splits it into parts"


Effect = Components | Patches | Entries | Replacement
"""One step of a build; the steps stand in the order in which the tool takes them."""


_E = TypeVar("_E", Components, Patches, Entries, Replacement)


class Build(Struct, kw_only=True):
    """A folder that kustomize builds, or a Flux or Argo CD object that builds one its own way.

    `unknown` says that texts come in which the tree doesn't have (remote bases, charts);
    `passive` that it only passes on what others make, as far as images go. `title` names the
    object in reports, where it isn't a kustomization's own folder. `release` is the release behind
    whose chart it comes, `inherited` is what else in its file holds values of that, `by_helmfile`
    says that helmfile installs it, `late_files` are values files of its chart whose edits arrive
    later than the release's own. `inflated` are files with values of charts that it renders itself.
    `patched` are the values that patches and valuesFrom give the release, by file and offset.
    """

    key: str
    file: str
    folder: str
    title: str = ""
    document: Document | None = None
    bases: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    remote: list[RemoteBase] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    unknown: bool = False
    is_component: bool = False
    passive: bool = False
    release: Mapping | None = None
    inherited: tuple[Node, ...] = ()
    by_helmfile: bool = False
    late_files: tuple[str, ...] = ()
    inflated: tuple[str, ...] = ()
    patched: set[tuple[str, int]] = field(default_factory=set)

    @property
    def components(self) -> tuple[str, ...]:
        """The builds of its components."""
        return tuple(key for each in self.of(Components) for key in each.keys)

    @property
    def children(self) -> list[str]:
        """Every build that this one includes."""
        return [*self.bases, *self.components]

    @property
    def patches(self) -> tuple[Patch, ...]:
        """All its patches."""
        return tuple(patch for each in self.of(Patches) for patch in each.patches)

    @property
    def entries(self) -> tuple[int, ...]:
        """The numbers of all its entries."""
        return tuple(number for each in self.of(Entries) for number in each.numbers)

    @property
    def is_release(self) -> bool:
        """Whether it is what comes behind the chart of a release."""
        return self.release is not None

    def holds(self, site: ImageSite) -> bool:
        """Whether a site stands in the release, or in what it inherits."""
        if self.release is None or self.document is None:
            return False
        start = site.document.offset(site.main.scalar.start)
        same = site.document.file.index == self.document.file.index
        holders = (self.release, *self.inherited)
        return same and any(each.start <= start < each.end for each in holders)

    def of(self, sort: type[_E]) -> list[_E]:
        """Its effects of one sort."""
        return [effect for effect in self.effects if isinstance(effect, sort)]


def reached(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    """Some names and all that they lead to, step by step."""
    found = set(start)
    waiting = [*found]
    while waiting:
        new = set(step(waiting.pop())) - found
        found |= new
        waiting += new
    return found


def place_text(file: str, place: Place | None) -> str:
    """`file:line` for messages."""
    return file if place is None else f"{file}:{place.line}"


def new_name_key(source: EntrySource) -> SiteKey | None:
    """The key of the site that an entry's newName is, or None when it has none."""
    if source.scalar is not None:
        scalar: Scalar | None = source.scalar if source.entry.new_name else None
    else:
        scalar = None if source.mapping is None else source.mapping.scalar("newName")
    if scalar is None or scalar.is_empty:
        return None
    return source.file, source.document.offset(scalar.start), scalar.value
