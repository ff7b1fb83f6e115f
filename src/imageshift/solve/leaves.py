"""The leaves of the graph: every image text that its builds start from, and its duty."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory import FileScan, Index
from imageshift.links.builds import Graph
from imageshift.links.model import Build, Patch, Patches, RemoteBase, SiteKey
from imageshift.links.remote import is_left_out
from imageshift.links.texts import ImageText, file_texts, patch_texts
from imageshift.links.transformers import image_fields
from imageshift.rewrite import Change, Kept, Mapper, Status, plan_site, reconcile
from imageshift.sites import ImageSite, SiteKind, SkipReason
from imageshift.source import Place

__all__ = ["Duty", "Leaf", "Leaves", "Remote", "read_leaves", "site_key"]

Remote = Callable[[RemoteBase], Iterable[str]]
"""From a remote base to the image texts that it brings."""


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
    """An image text that builds start from; `file` is empty for texts outside the tree.

    `written` is the main scalar's own text, where the image is split over several. `newer` says
    that only newer versions of kustomize look where it stands.
    """

    number: int
    file: str
    offset: int
    text: str
    duty: Duty
    kind: str = ""
    name: str = ""
    place: Place | None = None
    generated: bool = False
    written: str | None = None
    newer: bool = False

    @property
    def key(self) -> SiteKey:
        """What identifies its site."""
        return self.file, self.offset, self.text if self.written is None else self.written


class Leaves:
    """The leaves of each build, by its key, and all of them by number.

    `patched` and `tests` have the number of the effect that brings them in.
    """

    def __init__(self, duties: Callable[[str], dict[SiteKey, Duty]]) -> None:
        self._duties = duties
        self.every: list[Leaf] = []
        self.own: dict[str, list[Leaf]] = {}
        self.patched: dict[str, list[tuple[int, Leaf]]] = {}
        self.tests: dict[str, list[tuple[int, Leaf]]] = {}
        self.remote: dict[str, list[tuple[RemoteBase, Leaf]]] = {}
        self.by_key: dict[SiteKey, Leaf] = {}

    def of(self, key: str) -> list[Leaf]:
        """Every leaf of a build itself."""
        behind = (leaf for found in (self.patched, self.tests) for _, leaf in found.get(key, ()))
        return [*self.own.get(key, ()), *behind]

    def duty(self, key: SiteKey) -> Duty | None:
        """The duty of any site of a file, also of one that is no leaf; None when there is none."""
        return self._duties(key[0]).get(key)

    def outside(self, text: str) -> Leaf:
        """The leaf that stands for texts of one name which the tree doesn't have."""
        key = ("", 0, text)
        if key not in self.by_key:
            self._add(Leaf(len(self.every), *key, Duty.ENTRY))
        return self.by_key[key]

    def _add(self, leaf: Leaf) -> Leaf:
        self.every.append(leaf)
        self.by_key[leaf.key] = leaf
        return leaf

    def add(self, leaf: Leaf) -> Leaf:
        """The leaf, or the one that is known for its place already."""
        return self.by_key.get(leaf.key) or self._add(leaf)


def site_key(site: ImageSite, file: str) -> SiteKey:
    """What identifies a site in every scan of its file."""
    return file, site.document.offset(site.main.scalar.start), site.main.scalar.value


def read_leaves(
    graph: Graph,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    writable: Callable[[str], bool],
    remote: Remote | None = None,
) -> Leaves:
    """The leaves of all builds; a file that can't be read makes its builds' texts unknown.

    `remote` gives the texts of a remote base; without it they are unknown too.
    """
    reader = _Reader(graph.index, mapper_of, scan, writable, remote)
    for build in graph.builds.values():
        reader.read(build)
    return reader.leaves


class _Reader:
    """Reads each file once, however many builds take it in."""

    def __init__(
        self,
        index: Index,
        mapper_of: Callable[[str], Mapper],
        scan: Callable[[str], FileScan],
        writable: Callable[[str], bool],
        remote: Remote | None,
    ) -> None:
        self._remote = remote
        self._fields = image_fields(index)
        self.leaves = Leaves(self._file_duties)
        self._index = index
        self._mapper_of = mapper_of
        self._scan = scan
        self._writable = writable
        self._files: dict[str, list[tuple[Leaf, bool]] | None] = {}
        self._duties: dict[str, dict[SiteKey, Duty]] = {}

    def read(self, build: Build) -> None:
        own = self.leaves.own.setdefault(build.key, [])
        patched = self.leaves.patched.setdefault(build.key, [])
        tests = self.leaves.tests.setdefault(build.key, [])
        for file in () if build.is_release else build.files:
            found = self._file(file)
            build.unknown = build.unknown or found is None
            own += [leaf for leaf, _ in found or ()]
        for base in build.remote:
            self._read_remote(build, base)
        own += self._values(build)
        for number, effect in enumerate(build.effects):
            for patch in effect.patches if isinstance(effect, Patches) else ():
                found = self._patch(patch)
                build.unknown = build.unknown or found is None
                for leaf, tested in found or ():
                    (tests if tested else patched).append((number, leaf))

    def _read_remote(self, build: Build, base: RemoteBase) -> None:
        if self._remote is None or is_left_out(base):
            build.unknown = True
            return
        for text in self._remote(base):
            number = len(self.leaves.every)
            leaf = Leaf(number, base.address, 0, text, Duty.ENTRY, generated=True)
            leaf = self.leaves.add(leaf)
            self.leaves.own[build.key].append(leaf)
            self.leaves.remote.setdefault(build.key, []).append((base, leaf))

    def _values(self, build: Build) -> Iterator[Leaf]:
        """The images that a release's values name, and those of its chart in the tree (X3).

        So do the values of charts that kustomize renders, before the build's entries (E1).
        """
        files = build.files if build.is_release else build.inflated
        own = self._scan(build.file).sites if build.is_release else ()
        sites = [(site, build.file) for site in own if build.holds(site)]
        sites += [(site, file) for file in files for site in self._scan(file).sites]
        sites = [(site, file) for site, file in sites if site.kind is SiteKind.VALUES]
        # Sites in JSON patches have another kind: only their path makes them values.
        sites += [
            (site, file)
            for file in sorted({file for file, _ in build.patched})
            for site in self._scan(file).sites
            if (file, site.document.offset(site.main.scalar.start)) in build.patched
        ]
        for site, file in sites:
            key = site_key(site, file)
            duty = self._file_duties(file).get(key, Duty.ENTRY)
            number, (_, offset, written) = len(self.leaves.every), key
            yield self.leaves.add(
                Leaf(number, file, offset, site.text, duty, place=site.place, written=written)
            )

    def _patch(self, patch: Patch) -> list[tuple[Leaf, bool]] | None:
        if not patch.is_inline:
            return self._file(patch.file)
        try:
            texts = patch_texts(self._index, patch, self._fields)
            return list(self._leaves(patch.file, texts))
        except SourceError:
            return None

    def _file(self, file: str) -> list[tuple[Leaf, bool]] | None:
        if file not in self._files:
            try:
                content = self._index.workspace.read(file)
                texts = file_texts(file, content, self._fields)
                self._files[file] = list(self._leaves(file, texts))
            except SourceError:
                self._files[file] = None
        return self._files[file]

    def _leaves(self, file: str, texts: Iterator[ImageText]) -> Iterator[tuple[Leaf, bool]]:
        for text in texts:
            offset = text.document.offset(text.scalar.start)
            key = (file, offset, text.scalar.value)
            duties = self._file_duties(file)
            leaf = Leaf(
                len(self.leaves.every),
                *key,
                duties.get(key, duties.get(("", 0, ""), Duty.ENTRY)),
                text.kind,
                text.name,
                text.document.place(text.document.value_start(text.scalar)),
                generated=duties.get((file, -1, "")) is not None,
                newer=text.newer,
            )
            yield self.leaves.add(leaf), text.tested

    def _file_duties(self, file: str) -> dict[SiteKey, Duty]:
        if file not in self._duties:
            self._duties[file] = self._read_duties(file)
        return self._duties[file]

    def _read_duties(self, file: str) -> dict[SiteKey, Duty]:
        try:
            found = self._scan(file)
        except SourceError:
            return {}
        writable, mapper = self._writable(file), self._mapper_of(file)
        duties: dict[SiteKey, Duty] = {}
        for skip in found.skips:
            if skip.reason is SkipReason.IGNORED and skip.line is None:
                duties["", 0, ""] = Duty.LEAVE
        for result in reconcile(plan_site(site, mapper) for site in found.sites):
            duties[site_key(result.site, file)] = _duty(result, writable=writable)
            if result.site.skip is SkipReason.GENERATED:
                duties[file, -1, ""] = Duty.ENTRY
        return duties


def _duty(result: Change | Kept, *, writable: bool) -> Duty:
    if isinstance(result, Change):
        return Duty.MOVE if writable else Duty.ENTRY
    if result.status is Status.DOUBTFUL or result.reason in {
        SkipReason.IGNORED,
        SkipReason.UNPROVEN,
        SkipReason.PLACEHOLDER,
    }:
        return Duty.LEAVE
    return Duty.FIXED if result.reason is SkipReason.IMMUTABLE else Duty.ENTRY
