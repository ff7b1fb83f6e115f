"""What the finders leave: every other text of a file that names an image, with the reason.

It comes last, so it may not guess: such a text is listed, and never rewritten.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice

from msgspec import Struct

from imageshift.config import NotOurs
from imageshift.errors import SourceError
from imageshift.inventory.callers import Callers
from imageshift.inventory.parsed import ParsedFile
from imageshift.inventory.pieces import TEMPLATE, Piece, Reason, is_yaml
from imageshift.inventory.scan import FileScan, FileSkip, is_ignored_line
from imageshift.inventory.spots import Taken
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import CONFIG_NAME, matching
from imageshift.sites import (
    Confidence,
    ImageSite,
    Part,
    Resource,
    Role,
    SiteKind,
    SkipReason,
    is_kustomization,
    resource_of,
)
from imageshift.sites.argocd import is_override_file
from imageshift.sites.copied import Copied
from imageshift.sites.flags import is_image_env
from imageshift.sites.generic import LABEL_KEYS
from imageshift.sites.helmfile import is_helmfile
from imageshift.sites.model import Path
from imageshift.sites.other_formats import VARIABLES, format_of_file, format_of_object
from imageshift.sites.texts import find_image_lines, find_reference_texts, may_name_images
from imageshift.sites.values import GLOBAL_REGISTRIES, ValuesContext, find_values_images
from imageshift.source import (
    Document,
    Mapping,
    Scalar,
    Span,
)

__all__ = ["Leftovers"]

_DESCRIBES = lazy_re(
    r"(?:^|/)(?:Chart\.ya?ml|Chart\.lock|helmfile\.lock|\.?renovate(?:rc)?(?:\.json5?)?)$"
)


class Leftovers(Struct, frozen=True):
    """Lists what the finders leave.

    `not_ours` is what the configuration says about it, `generated` which generators read a file,
    `copied` which of the variables in a file go into something else, and how, and `callers` which
    other tools name a file.
    """

    not_ours: tuple[NotOurs, ...] = ()
    generated: MappingType[str, str] = {}
    copied: MappingType[str, MappingType[str, Copied]] = {}
    callers: Callers | None = None

    def find(
        self, parsed: ParsedFile, scan: FileScan, sites: Iterable[ImageSite]
    ) -> tuple[list[ImageSite], FileSkip | None]:
        """The texts of a file that name an image and belong to none of its sites.

        Those of a file in a format that isn't read are counted, and one skip stands for them.
        """
        if scan.file.rpartition("/")[2] == CONFIG_NAME:
            return [], None
        left = _Left(parsed, scan, self.generated.get(scan.file), self.callers)
        found = left.values(Taken(sites)) + left.variables(self.copied.get(scan.file, {}))
        found += islice(left.texts(Taken([*sites, *found])), _MOST + 1)
        if len(found) > _MOST:
            return found[:_MOST], _too_many(scan.file)
        entries = self._not_ours(scan.file) if found and self.not_ours else ()
        found = [_judged(site, entries) for site in found]
        other = left.other_format if found else None
        if other is None:
            return found, None
        ours = [site for site in found if site.skip is not SkipReason.NOT_OURS]
        return [], other_format(scan.file, other, len(ours)) if ours else None

    def find_other(self, file: str, content: bytes) -> tuple[list[ImageSite], FileSkip | None]:
        """The same for a file that no finder reads; nothing in what is no text."""
        if not (file in self.copied or may_name_images(content)):
            return [], None
        try:
            parsed = ParsedFile.of(content)
        except SourceError:
            return [], None
        return self.find(parsed, FileScan(file, parsed.source), ())

    def _not_ours(self, file: str) -> list[NotOurs]:
        """What the configuration says about a file's texts."""
        named = (entry for entry in self.not_ours if entry.paths or entry.images)
        return [entry for entry in named if not entry.paths or matching(entry.paths, [file])]


def _judged(site: ImageSite, entries: Iterable[NotOurs]) -> ImageSite:
    if site.skip is SkipReason.UNCLAIMED:
        for entry in entries:
            if not entry.images or any(fnmatchcase(site.text, name) for name in entry.images):
                return site.skipped(SkipReason.NOT_OURS, entry.reason)
    return site


class _Left:
    """The texts of one file that no site claims, each with the reason why."""

    def __init__(
        self,
        parsed: ParsedFile,
        scan: FileScan,
        generator: str | None,
        callers: Callers | None,
    ) -> None:
        self._file = scan.file
        self._generator = generator
        self._callers = callers
        self._source = parsed.source
        self._chunks = parsed.chunks
        self._scan = scan
        self._ignored: dict[int, bool] = {}

    @cached_property
    def _pieces(self) -> list[Piece]:
        return [Piece(chunk, self._scan) for chunk in self._chunks]

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.start for piece in self._pieces]

    @cached_property
    def other_format(self) -> str | None:
        """The format of a file that isn't read; None for one that is, and for variables."""
        found = format_of_file(self._file)
        if self._scan.skips:
            return None
        if not is_yaml(self._file):
            return None if self._generator or found == VARIABLES else found
        if found in {"CI", "Compose", "dev container", "script"}:
            return found
        roots = (document.mapping for piece in self._pieces for document in piece.documents)
        return next(filter(None, map(format_of_object, roots)), None)

    def values(self, taken: Taken) -> list[ImageSite]:
        """What looks like an image in documents without a kind, read as Helm values are."""
        return [
            self._obeying(site.skipped(SkipReason.UNCLAIMED, self._values_claim))
            for document in self._kindless()
            for site in find_values_images(
                ValuesContext(document, Resource()), document.mapping, ()
            )
            if _is_told(site) and not taken.has(_span(site), site.text)
        ]

    def _kindless(self) -> Iterator[Document]:
        """The documents that say nothing of themselves, in a file that wasn't read as values."""
        known = is_kustomization(self._file) or is_override_file(self._file)
        known = known or any(site.kind is SiteKind.VALUES for site in self._scan.sites)
        if known or self._whole_skip is not None or not is_yaml(self._file):
            return
        for piece in self._pieces if "mage" in self._source.text else ():
            if not (piece.has_kind or piece.is_schema) and piece.reason is None:
                for document in piece.documents:
                    root = document.mapping
                    if root.get("kind") is None and not is_helmfile(root):
                        yield document

    def variables(self, copied: MappingType[str, Copied]) -> list[ImageSite]:
        """The lines `NAME=image` of a generator's file that are known to be images.

        Something puts their texts elsewhere, or a program has a variable of that name.
        """
        found = []
        is_read = copied or (self._generator and format_of_file(self._file) == VARIABLES)
        for line in _VARIABLE_LINE.finditer(self._source.text) if is_read else ():
            name = line["name"]
            known = copied.get(name, _KNOWN_VARIABLE if is_image_env(name) else None)
            if known is not None and known.is_image(name, line["text"]):
                site = _named(self._whole, Span(*line.span("text")), line["text"])
                found.append(self._obeying(site.doubtful(known.why)))
        return found

    def texts(self, taken: Taken) -> Iterator[ImageSite]:
        """Every other text, found by what it looks like."""
        for span in sorted({*self._reference_texts(), *self._template_lines()}):
            text = self._source.text[span.start : span.end]
            found = None if taken.has(span, text) else self._text_site(span, text)
            if found is not None:
                template = found.skip is SkipReason.UNCLAIMED and self._is_filled(span)
                yield self._obeying(found.skipped(*TEMPLATE) if template else found)

    def _is_filled(self, span: Span) -> bool:
        """Whether a template makes what stands around a text in its line."""
        text = self._source.text
        before = text[max(0, span.start - _NEAR) : span.start].rpartition("\n")[2]
        return "{{" in before or "{{" in text[span.start : span.end + _NEAR].partition("\n")[0]

    def _reference_texts(self) -> Iterator[Span]:
        """What looks like an image, but for documents that describe what objects look like."""
        if "CustomResourceDefinition" not in self._source.text:
            yield from find_reference_texts(self._source.text)
            return
        for piece in (piece for piece in self._pieces if not piece.is_schema):
            for span in find_reference_texts(piece.text):
                yield Span(piece.start + span.start, piece.start + span.end)

    def _template_lines(self) -> Iterator[Span]:
        """The names on lines `image: name` in what is a template, or holds one as a text."""
        if "{{" in self._source.text:
            spans = find_image_lines(self._source.text)
            yield from (span for span in spans if self._is_in_template(span.start))

    def _is_in_template(self, offset: int) -> bool:
        if self._whole_skip is not None:
            return self._whole_skip[0] is SkipReason.TEMPLATE
        piece = self._piece(offset)
        if piece is None:
            return False
        _, holder = piece.holder(offset)
        if holder is not None and "\n" in holder.scalar.value:
            return "{{" in holder.scalar.value
        reason = piece.reason or piece.unread
        return reason is not None and reason[0] is SkipReason.TEMPLATE

    def _text_site(self, span: Span, text: str) -> ImageSite | None:
        if self._whole_skip is not None:
            return _named(self._whole, span, text).skipped(*self._whole_skip)
        piece = self._piece(span.start)
        if piece is None or piece.is_schema:
            return None
        document, holder = piece.holder(span.start)
        reason = piece.reason or piece.unread
        if document is None or holder is None:
            made = _named(self._whole, span, text)
            return made.skipped(*(reason or (SkipReason.UNCLAIMED, self._no_claim)))
        resource, start = _object_at(document.mapping, holder.path)
        made = _named(document, span, text, holder.path, resource)
        claim = self._claim(resource, holder.path[start:], whole=holder.scalar.value == text)
        if holder.path[:1] in _GENERATORS:
            generator = _listed(document.mapping, holder.path)
            if generator is not None:
                said = f"the generator {generator.text('name')} reads it; {self._look}"
                claim = SkipReason.UNCLAIMED, said
        reason = (
            reason
            or _reason_at(holder.path)
            or _reason_at(piece.path_inside(document, holder, span.start))
        )
        whole = holder.scalar.value == text
        if reason is None and whole and resource.kind and _is_prefix(holder.path, text):
            return made.doubtful(_PREFIX)
        return made.skipped(*(reason or claim))

    def _obeying(self, site: ImageSite) -> ImageSite:
        if self._says_ignore and any(map(self._is_ignored, site.lines())):
            return site.skipped(SkipReason.IGNORED, "imageshift: ignore")
        return site

    @cached_property
    def _says_ignore(self) -> bool:
        return "imageshift:" in self._source.text

    def _is_ignored(self, line: int) -> bool:
        if line not in self._ignored:
            self._ignored[line] = is_ignored_line(self._source, line)
        return self._ignored[line]

    @cached_property
    def _whole(self) -> Document:
        return Document(self._source, None, 0, 0, len(self._source))

    @cached_property
    def _whole_skip(self) -> Reason | None:
        """Why nothing of the file is looked at."""
        if _DESCRIBES.search(self._file):
            return SkipReason.NOT_PULLED, "a file about images, from which nothing is pulled"
        whole = (skip for skip in self._scan.skips if skip.line is None)
        return next(((skip.reason, skip.detail) for skip in whole), None)

    def _piece(self, offset: int) -> Piece | None:
        at = bisect_right(self._starts, offset) - 1
        return self._pieces[at] if at >= 0 else None

    def _claim(self, resource: Resource, path: Path, *, whole: bool) -> Reason:
        """That nothing claims a text, with the line of the configuration that does."""
        if not (whole and resource.kind and _is_telling(path)):
            return SkipReason.UNCLAIMED, self._no_claim
        steps = "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
        row = f"images: [{{kind: {resource.kind}, path: '{steps[1:]}'}}]"
        return SkipReason.UNCLAIMED, f"no finder knows this field; `{row}` would claim it"

    @property
    def _values_claim(self) -> str:
        caller = None if self._callers is None else self._callers.of(self._file)
        why = self._generator or "no object names this file as values"
        if caller is not None and not self._generator:
            why = f"{caller} names this file, and no object does"
        return f"{why}; `values: ['{self._file}']` would claim it"

    @property
    def _no_claim(self) -> str:
        return f"{self._generator or 'no finder reads this text'}; {self._look}"

    @property
    def _look(self) -> str:
        entry = f"not_ours: [{{paths: ['{self._file}'], reason: …}}]"
        return f"check whether it is pulled; if it isn't, add `{entry}`"


_MOST = 10_000
"""As many texts are listed of one file."""

_NEAR = 200
_STEP = lazy_re(r"[\w-]+")
_KNOWN_VARIABLE = Copied(Role.REFERENCE, "a variable that holds an image", into_image=False)
_VARIABLE_LINE = lazy_re(r"^(?P<name>[\w.-]+)=(?P<text>[^\s#]\S*)", re.MULTILINE)
_GENERATORS = (("configMapGenerator",), ("secretGenerator",))


def _too_many(file: str) -> FileSkip:
    detail = f"more than {_MOST:,} texts that no finder knows; the rest aren't listed"
    return FileSkip(file, None, None, SkipReason.UNCLAIMED, detail)


def other_format(file: str, kind: str, images: int) -> FileSkip:
    """The skip that stands for a file in a format that isn't read."""
    detail = f"{kind}: not read, and names {images} image{'s' if images > 1 else ''}"
    return FileSkip(file, None, None, SkipReason.OTHER_FORMAT, detail, kind, images)


_TOLD: MappingType[str | int, str] = {
    "_example": "an example, which its program doesn't read",
    "description": "a description",
    "kubectl.kubernetes.io/last-applied-configuration": "a copy that kubectl keeps",
    "lastTriggeredImage": "the cluster writes it",
    "openshift.io/imported-from": "it says where an image came from",
}
"""Keys whose texts refer to images, and why nothing is pulled by them."""


def _reason_at(path: Path) -> Reason | None:
    """Why a place is none that is pulled from."""
    if path[-3:-1] == ("postBuild", "substitute"):
        return SkipReason.VARIABLE, "the value of a variable, which is never edited"
    why = _why_not_pulled(path)
    return None if why is None else (SkipReason.NOT_PULLED, why)


def _why_not_pulled(path: Path) -> str | None:
    named = path[-1:] == ("name",) and path[-3:-2] == ("images",)
    if named or path[-3:-1] == ("kustomize", "images"):
        return "an `images:` entry matches names with it"
    if path[:1] == ("status",):
        return "a status, which only the cluster writes"
    if not LABEL_KEYS.isdisjoint(path):
        return "a label"
    if any(path[-len(names) :] == names for names in GLOBAL_REGISTRIES):
        return "the chart prepends it to the names of its images"
    return _TOLD.get(path[-1]) if path else None


_PREFIX_KEY = lazy_re(r"(?:registry|hub|prefix|imageRepository)$", re.IGNORECASE)
_PREFIX = (
    "it looks like a prefix to which the names of images are added, and only the program that "
    "reads it can tell which: change it by hand if a rule covers them all"
)


def _is_prefix(path: Path, text: str) -> bool:
    """Whether a text seems to be a registry with a namespace, and no whole image."""
    named = ":" in text.rpartition("/")[2] or "@" in text
    return not named and bool(path) and _PREFIX_KEY.search(str(path[-1])) is not None


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
    is_list = resource.kind.endswith("List") and path[:1] == ("items",)
    item = _listed(root, path) if is_list else None
    return (resource, 0) if item is None else (resource_of(item), 2)


def _listed(root: Mapping, path: Path) -> Mapping | None:
    """The mapping that a path leads through, if that is an item of a list of the root's."""
    match path:
        case (str(key), int(number), *_):
            item = next(iter(root.items(key)[number:]), None)
            return item if isinstance(item, Mapping) else None
    return None


def _span(site: ImageSite) -> Span:
    """Where a site's main scalar stands in the file."""
    main = site.main.scalar
    return Span(site.document.offset(main.start), site.document.offset(main.end))


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
    if site.main.role is Role.REGISTRY:
        return False
    if site.main.role is Role.REFERENCE:
        return site.has_host or ":" in site.text.rpartition("/")[2] or "@" in site.text
    return site.has_host or bool(site.identifier_text) or "/" in site.name_text
