"""What the finders leave: every other text of a file that names an image, with the reason.

It comes last, so it may not guess: such a text is listed, and never rewritten.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from fnmatch import fnmatchcase
from functools import cached_property

from msgspec import Struct

from imageshift.config import NotOurs
from imageshift.data.other_formats import VARIABLES, format_of_file, format_of_object
from imageshift.errors import SourceError
from imageshift.inventory.scan import FileScan, FileSkip, is_ignored_line, is_policy
from imageshift.repo.workspace import CONFIG_NAME, matching
from imageshift.sites import (
    Confidence,
    ImageSite,
    Part,
    Resource,
    Role,
    SiteKind,
    SkipReason,
    resource_of,
)
from imageshift.sites.generic import LABEL_KEYS
from imageshift.sites.model import Path
from imageshift.sites.texts import find_reference_texts, may_name_images
from imageshift.sites.values import GLOBAL_REGISTRIES, ValuesContext, find_values_images
from imageshift.source import (
    Chunk,
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    SourceText,
    Span,
    split_documents,
)

__all__ = ["Leftovers"]

_KIND = re.compile(r"""^[ ]{0,4}["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_SCHEMA = re.compile(r"""^\s*\{?\s*["']?\$schema["']?\s*:\s*["'][^"']*json-schema""")
_NOT_PULLED = {
    "ImageRepository": "Flux watches its tags, and pulls nothing",
    "ImagePolicy": "Flux chooses a tag by it, and pulls nothing",
    "AppProject": "it says which sources are allowed",
}
_DESCRIBES = re.compile(
    r"(?:^|/)(?:Chart\.ya?ml|Chart\.lock|helmfile\.lock|\.?renovate(?:rc)?(?:\.json5?)?)$"
)


class Leftovers(Struct, frozen=True):
    """Lists what the finders leave.

    `not_ours` is what the configuration says of it, `generated` which generators take a file.
    """

    not_ours: tuple[NotOurs, ...] = ()
    generated: MappingType[str, str] = {}

    def find(
        self, source: SourceText, scan: FileScan, sites: Iterable[ImageSite]
    ) -> tuple[list[ImageSite], FileSkip | None]:
        """The texts of a file that name an image and belong to none of its sites.

        Those of a file in a format that isn't read are counted, and one skip stands for them.
        """
        if scan.file.rpartition("/")[2] == CONFIG_NAME:
            return [], None
        claimed = _Claimed(sites)
        left = _Left(source, scan, self.generated.get(scan.file))
        found = [self._judged(scan.file, s) for s in (*left.values(claimed), *left.texts(claimed))]
        other = left.other_format if found else None
        if other is None:
            return found, None
        ours = [site for site in found if site.skip is not SkipReason.NOT_OURS]
        return [], other_format(scan.file, other, len(ours)) if ours else None

    def find_other(self, file: str, content: bytes) -> tuple[list[ImageSite], FileSkip | None]:
        """The same for a file that no finder reads; nothing in what is no text."""
        if not may_name_images(content):
            return [], None
        try:
            source = SourceText.decode(content)
        except SourceError:
            return [], None
        return self.find(source, FileScan(file, source), ())

    def _judged(self, file: str, site: ImageSite) -> ImageSite:
        if site.skip is not SkipReason.UNCLAIMED:
            return site
        for entry in self.not_ours:
            if _covers(entry, file, site.text):
                return site.skipped(SkipReason.NOT_OURS, entry.reason)
        return site


class _Claimed:
    """Which stretches of a file belong to sites."""

    def __init__(self, sites: Iterable[ImageSite]) -> None:
        self._spans: list[Span] = []
        self._loose: set[str] = set()
        for site in sites:
            self.add(site)

    def add(self, site: ImageSite) -> None:
        """Takes a site's texts; one that can't be followed into the file counts by its text."""
        for part in site.parts:
            start = site.document.offset(part.scalar.start)
            end = site.document.offset(part.scalar.end)
            if start < end:
                self._spans.append(Span(start, end))
            elif part.scalar.start < part.scalar.end:
                self._loose |= {site.text, site.name_text}

    def has(self, span: Span, text: str) -> bool:
        """Whether a stretch belongs to one of them."""
        return text in self._loose or any(
            own.start < span.end and span.start < own.end for own in self._spans
        )


class _Left:
    """The texts of one file that no site claims, each with the reason why."""

    def __init__(self, source: SourceText, scan: FileScan, generator: str | None) -> None:
        self._file = scan.file
        self._generator = generator
        self._source = source
        self._scan = scan
        self._parsed: dict[int, list[Document]] = {}
        self._unread: dict[int, tuple[SkipReason, str]] = {}

    @cached_property
    def _chunks(self) -> list[Chunk]:
        return list(split_documents(self._source))

    @cached_property
    def _starts(self) -> list[int]:
        return [chunk.start for chunk in self._chunks]

    @cached_property
    def other_format(self) -> str | None:
        """The format of a file that isn't read; None for one that is, and for variables."""
        found = format_of_file(self._file)
        if self._scan.skips:
            return None
        if not _is_yaml(self._file):
            return None if self._generator or found == VARIABLES else found
        if found in {"CI", "Compose", "script"}:
            return found
        roots = [document.mapping for chunk in self._chunks for document in self._documents(chunk)]
        return next(filter(None, map(format_of_object, roots)), None)

    def values(self, claimed: _Claimed) -> Iterator[ImageSite]:
        """What looks like an image in documents without a kind, read as Helm values are."""
        if self._whole_skip is not None or not _is_yaml(self._file):
            return
        for chunk in self._chunks if "mage" in self._source.text else ():
            if _KIND.search(chunk.text) is None and self._reason(chunk) is None:
                yield from self._values_of(chunk, claimed)

    def _values_of(self, chunk: Chunk, claimed: _Claimed) -> Iterator[ImageSite]:
        for document in self._documents(chunk):
            values = ValuesContext(document, Resource())
            for site in find_values_images(values, document.mapping, ()):
                main = site.main.scalar
                span = Span(document.offset(main.start), document.offset(main.end))
                if _is_told(site) and not claimed.has(span, site.text):
                    claimed.add(site)
                    yield self._obeying(site.skipped(SkipReason.UNCLAIMED, self._values_claim))

    def texts(self, claimed: _Claimed) -> Iterator[ImageSite]:
        """Every other text, found by what it looks like."""
        for span in self._reference_texts():
            text = self._source.text[span.start : span.end]
            found = None if claimed.has(span, text) else self._text_site(span, text)
            if found is not None:
                template = "{{" in text and found.skip is SkipReason.UNCLAIMED
                yield self._obeying(found.skipped(*_TEMPLATE) if template else found)

    def _reference_texts(self) -> Iterator[Span]:
        """What looks like an image, but for documents that describe what objects look like."""
        if "CustomResourceDefinition" not in self._source.text:
            yield from find_reference_texts(self._source.text)
            return
        for chunk in (chunk for chunk in self._chunks if not _is_schema(chunk)):
            for span in find_reference_texts(chunk.text):
                yield Span(chunk.start + span.start, chunk.start + span.end)

    def _text_site(self, span: Span, text: str) -> ImageSite | None:
        if self._whole_skip is not None:
            return _named(self._whole, span, text).skipped(*self._whole_skip)
        chunk = self._chunk(span.start)
        if chunk is None or _is_schema(chunk):
            return None
        document, holder = self._holder(chunk, span.start)
        reason = self._reason(chunk) or self._unread.get(chunk.start)
        if document is None or holder is None:
            made = _named(self._whole, span, text)
            return made.skipped(*(reason or (SkipReason.UNCLAIMED, self._no_claim)))
        resource, start = _object_at(document.mapping, holder.path)
        made = _named(document, span, text, holder.path, resource)
        claim = self._claim(resource, holder.path[start:], whole=holder.scalar.value == text)
        if holder.path[:1] in _GENERATORS:
            generator = document.mapping.items(str(holder.path[0]))[int(holder.path[1])]
            name = generator.text("name") if isinstance(generator, Mapping) else None
            claim = SkipReason.UNCLAIMED, f"the generator {name} takes it; {self._look}"
        return made.skipped(*(reason or holder.reason or claim))

    def _obeying(self, site: ImageSite) -> ImageSite:
        if any(is_ignored_line(self._source, line) for line in site.lines()):
            return site.skipped(SkipReason.IGNORED, "imageshift: ignore")
        return site

    @cached_property
    def _whole(self) -> Document:
        return Document(self._source, None, 0, 0, len(self._source))

    @cached_property
    def _whole_skip(self) -> tuple[SkipReason, str] | None:
        """Why nothing of the file is looked at."""
        if _DESCRIBES.search(self._file):
            return SkipReason.NOT_PULLED, "a file about images, from which nothing is pulled"
        whole = (skip for skip in self._scan.skips if skip.line is None)
        return next(((skip.reason, skip.detail) for skip in whole), None)

    def _reason(self, chunk: Chunk) -> tuple[SkipReason, str] | None:
        """Why nothing of a document is looked at."""
        if is_policy(chunk):
            return SkipReason.NOT_PULLED, "a policy matches names by it"
        first, last = self._source.place(chunk.start).line, self._source.place(chunk.end).line
        for skip in self._scan.skips:
            if skip.line is not None and first <= skip.line <= last:
                return skip.reason, skip.detail
        kind = _KIND.search(chunk.text)
        detail = None if kind is None else _NOT_PULLED.get(kind[1])
        return None if detail is None else (SkipReason.NOT_PULLED, detail)

    def _chunk(self, offset: int) -> Chunk | None:
        at = bisect_right(self._starts, offset) - 1
        return self._chunks[at] if at >= 0 else None

    def _documents(self, chunk: Chunk) -> list[Document]:
        """The documents of a chunk that can be read; why it can't be is kept."""
        if chunk.start not in self._parsed:
            self._parsed[chunk.start] = []
            try:
                found = chunk.documents() if _is_yaml(self._file) else []
            except SourceError as error:
                self._unread[chunk.start] = SkipReason(error.reason), str(error)
            else:
                self._parsed[chunk.start] = found
                if any(document.has_template() for document in found):
                    self._unread[chunk.start] = _TEMPLATE
        return self._parsed[chunk.start]

    def _holder(self, chunk: Chunk, offset: int) -> tuple[Document | None, "_Holder | None"]:
        """The document and the scalar in it that has a character."""
        for document in self._documents(chunk):
            holder = _scalar_at(document.root, offset)
            if holder is not None:
                return document, holder
        return None, None

    def _claim(self, resource: Resource, path: Path, *, whole: bool) -> tuple[SkipReason, str]:
        """That nothing claims a text, with the line of the configuration that does."""
        if not (whole and resource.kind and _is_telling(path)):
            return SkipReason.UNCLAIMED, self._no_claim
        steps = "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
        row = f"images: [{{kind: {resource.kind}, path: '{steps[1:]}'}}]"
        return SkipReason.UNCLAIMED, f"no finder knows this place; `{row}` claims it"

    @property
    def _values_claim(self) -> str:
        why = self._generator or "no object names this file as values"
        return f"{why}; `values: ['{self._file}']` claims it"

    @property
    def _no_claim(self) -> str:
        return f"{self._generator or 'no finder reads this text'}; {self._look}"

    @property
    def _look(self) -> str:
        entry = f"not_ours: [{{paths: ['{self._file}'], reason: …}}]"
        return f"look whether it is pulled, `{entry}` if it isn't"


_STEP = re.compile(r"[\w-]+")
_GENERATORS = (("configMapGenerator",), ("secretGenerator",))
_TEMPLATE = (SkipReason.TEMPLATE, "a template, known only when it is rendered")


def other_format(file: str, kind: str, images: int) -> FileSkip:
    """The skip that stands for a file in a format that isn't read."""
    detail = f"{kind}: not read, and names {images} image{'s' if images > 1 else ''}"
    return FileSkip(file, None, None, SkipReason.OTHER_FORMAT, detail, kind, images)


class _Holder(Struct, frozen=True):
    """A scalar with its path."""

    scalar: Scalar
    path: Path

    @property
    def reason(self) -> tuple[SkipReason, str] | None:
        """Why its place is none that is pulled from."""
        named = self.path[-1:] == ("name",) and self.path[-3:-2] == ("images",)
        if named or self.path[-3:-1] == ("kustomize", "images"):
            return SkipReason.NOT_PULLED, "an `images:` entry matches names by it"
        if not LABEL_KEYS.isdisjoint(self.path):
            return SkipReason.NOT_PULLED, "a label"
        if self.path[-3:-1] == ("postBuild", "substitute"):
            return SkipReason.VARIABLE, "the value of a variable, which is never edited"
        if any(self.path[-len(names) :] == names for names in GLOBAL_REGISTRIES):
            return SkipReason.NOT_PULLED, "the chart puts it before the names of its images"
        return None


def _is_telling(path: Path) -> bool:
    """Whether a row of the configuration with a path would name images and nothing else.

    One for the values of all variables of a list would not.
    """
    names = [step for step in path if isinstance(step, str)]
    plain = all(_STEP.fullmatch(name) for name in names)
    return plain and (len(names) == len(path) or "mage" in names[-1])


def _object_at(root: Mapping, path: Path) -> tuple[Resource, int]:
    """The object that holds a path, an item of a List too, and where the path in it begins."""
    resource = resource_of(root)
    if resource.kind.endswith("List") and path[:1] == ("items",) and isinstance(path[1], int):
        item = root.items("items")[path[1]]
        return resource_of(item) if isinstance(item, Mapping) else resource, 2
    return resource, 0


def _scalar_at(node: Node | None, offset: int, path: Path = ()) -> _Holder | None:
    """The scalar that holds a character."""
    while isinstance(node, Mapping | Sequence):
        found = _child_at(node, offset)
        if found is None:
            return None
        node, path = found[0], (*path, found[1])
    if isinstance(node, Scalar) and node.start <= offset < max(node.end, node.start + 1):
        return _Holder(node, path)
    return None


def _child_at(node: Mapping | Sequence, offset: int) -> tuple[Node, str | int] | None:
    """The last of the children that begin at or before a character, with its step."""
    if isinstance(node, Sequence):
        items: Iterable[tuple[int, Node, str | int]] = (
            (item.start, item, number) for number, item in enumerate(node.items)
        )
    else:
        items = (
            (key.start, value, key.value) for key, value in node.own if isinstance(key, Scalar)
        )
    before = [(start, child, step) for start, child, step in items if start <= offset]
    if not before:
        return None
    _, child, step = max(before, key=lambda item: item[0])
    return child, step


def _named(
    document: Document, span: Span, text: str, path: Path = (), resource: Resource | None = None
) -> ImageSite:
    """A text as a site."""
    scalar = Scalar(span.start, span.end, None, text, "", None)
    return ImageSite(
        kind=SiteKind.TEXT,
        document=document,
        path=path,
        parts=(Part(Role.REFERENCE, scalar, path),),
        resource=resource or Resource(),
        confidence=Confidence.DOUBTFUL,
    )


def _is_told(site: ImageSite) -> bool:
    """Whether a site in a file that says nothing of itself is an image to all appearance."""
    named = site.part(Role.REPOSITORY) is not None and bool(site.identifier_text)
    if site.main.role is Role.REFERENCE:
        named = ":" in site.text.rpartition("/")[2] or "@" in site.text
    return (site.has_host or named) and site.main.role is not Role.REGISTRY


def _is_schema(chunk: Chunk) -> bool:
    """Whether a document describes what objects look like."""
    kind = _KIND.search(chunk.text)
    return (kind is not None and kind[1] == "CustomResourceDefinition") or (
        _SCHEMA.search(chunk.text) is not None
    )


def _is_yaml(file: str) -> bool:
    return file.endswith((".yaml", ".yml", ".json", "Kustomization"))


def _covers(entry: NotOurs, file: str, text: str) -> bool:
    """Whether the configuration says of a text that it isn't ours."""
    named = bool(entry.paths or entry.images)
    fits = not entry.images or any(fnmatchcase(text, pattern) for pattern in entry.images)
    return named and fits and (not entry.paths or bool(matching(entry.paths, [file])))
