"""The graph of kustomizations: who builds what, through which entries, from which texts."""

from enum import StrEnum

from msgspec import Struct, field

from imageshift.entry import Entry, selects
from imageshift.source import Document, Mapping, Node, Place, Scalar, Sequence

__all__ = [
    "Build",
    "Duty",
    "EntrySource",
    "EntryStep",
    "Leaf",
    "PatchSource",
    "RemoteBase",
    "Replacement",
    "SiteKey",
    "new_name_key",
    "place_text",
]

SiteKey = tuple[str, int, str]
"""File, offset and text of a site's main scalar: the same in every scan of one file."""


class Duty(StrEnum):
    """What may happen to an image text, and to what a build makes of it."""

    MOVE = "move"
    """The text itself may be rewritten."""
    ENTRY = "entry"
    """The text must stay, an entry may rewrite it."""
    LEAVE = "leave"
    """Nobody may rewrite it but an entry that had a newName before."""
    FIXED = "fixed"
    """What the builds make of it must not change (a Job that is applied)."""


class Leaf(Struct, frozen=True):
    """An image text that builds start from; `file` is empty for texts outside the tree."""

    number: int
    file: str
    offset: int
    text: str
    duty: Duty
    kind: str = ""
    name: str = ""
    place: Place | None = None
    generated: bool = False

    @property
    def key(self) -> SiteKey:
        """What identifies its site."""
        return self.file, self.offset, self.text


class EntrySource(Struct, frozen=True, kw_only=True):
    """An entry as it is written: an item of `images:` in some file.

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


class EntryStep(Struct, frozen=True):
    """An entry as a build applies it; merged from several sources by Flux (fact K6)."""

    entry: Entry
    sources: tuple[int, ...]


class PatchSource(Struct, frozen=True):
    """A patch: a file, or a string in a document; `target` is what it says that it is for."""

    file: str
    document: Document | None = None
    scalar: Scalar | None = None
    target: Mapping | None = None

    @property
    def targeted(self) -> bool:
        """Whether it says so beside the patch itself."""
        return self.target is not None

    def targets(self, kind: str, name: str) -> bool:
        """Whether its target, if it has one, takes an object; kustomize matches whole names."""
        wanted = (("kind", kind), ("name", name))
        found = ((self.target.text(key), text) for key, text in wanted) if self.target else ()
        return all(not pattern or selects(pattern, text) for pattern, text in found)


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
    detail: str = "a replacement cuts it into pieces"


class Build(Struct, kw_only=True):
    """A folder that kustomize builds, or a Flux or Argo CD object that builds one its own way.

    `unknown` says that texts come in which the tree doesn't have (remote bases, charts);
    `passive` that it only passes on what others make, as far as images go.
    """

    key: str
    file: str
    folder: str
    document: Document | None = None
    bases: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    patches: list[PatchSource] = field(default_factory=list)
    steps: list[EntryStep] = field(default_factory=list)
    replacements: list[Replacement] = field(default_factory=list)
    remote: list[RemoteBase] = field(default_factory=list)
    unknown: bool = False
    is_component: bool = False
    passive: bool = False

    @property
    def children(self) -> list[str]:
        """Every build that this one takes in."""
        return [*self.bases, *self.components]


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
