"""The documents of a file as the account sees them: what holds a text, and why it may be left."""

import re
from functools import cached_property

from imageshift.errors import SourceError
from imageshift.inventory.parsed import Parsed
from imageshift.inventory.scan import FileScan
from imageshift.inventory.spots import Holder, Scalars
from imageshift.lazy import lazy_re
from imageshift.sites import SkipReason
from imageshift.sites.model import Path
from imageshift.sites.policies import is_policy_text
from imageshift.source import Document, parse_embedded

__all__ = ["TEMPLATE", "Piece", "Reason", "is_yaml"]

Reason = tuple[SkipReason, str]
"""Why a text is left, in a word and in detail."""

TEMPLATE: Reason = (SkipReason.TEMPLATE, "a template, known only when it is rendered")
"""The reason for what a template makes."""

_KIND = lazy_re(r"""^[ ]{0,4}["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_ROOT_KIND = lazy_re(r"""^["']?kind["']?[ \t]*:""", re.MULTILINE)
_SCHEMA = lazy_re(r"""["']\$schema["']\s*:\s*["'][^"']*json-schema""")
_HEAD = 2_000
_NOT_PULLED = {
    "ImageRepository": "Flux reads its tags, but pulls nothing",
    "ImagePolicy": "Flux chooses a tag with it, but pulls nothing",
    "AppProject": "it says which sources are allowed",
}


class Piece:
    """A chunk of a scanned file, read as far as something asks for."""

    def __init__(self, parsed: Parsed, scan: FileScan) -> None:
        self.start = parsed.chunk.start
        self.text = parsed.text
        self._parsed = parsed
        self._scan = scan
        self._inner: dict[int, list[Scalars]] = {}

    @property
    def documents(self) -> list[Document]:
        """The documents; none where they can't be read."""
        return self._read[0]

    @property
    def unread(self) -> Reason | None:
        """Why nobody can tell what stands in it."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[list[Document], Reason | None]:
        try:
            found = self._parsed.documents() if is_yaml(self._scan.file) else []
        except SourceError as error:
            return [], (SkipReason(error.reason), str(error))
        is_template = any(document.has_template() for document in found)
        return found, TEMPLATE if is_template else None

    @cached_property
    def reason(self) -> Reason | None:
        """Why nothing of it is looked at."""
        if is_policy_text(self.text):
            return SkipReason.NOT_PULLED, "a policy matches names with it"
        chunk = self._parsed.chunk
        first, last = chunk.source.place(chunk.start).line, chunk.source.place(chunk.end).line
        for skip in self._scan.skips:
            if skip.line is not None and first <= skip.line <= last:
                return skip.reason, skip.detail
        detail = _NOT_PULLED.get(self._kind)
        return None if detail is None else (SkipReason.NOT_PULLED, detail)

    @cached_property
    def is_schema(self) -> bool:
        """Whether it describes what objects look like; a script that applies such does more."""
        if not is_yaml(self._scan.file):
            return False
        is_schema = _SCHEMA.search(self.text[:_HEAD]) is not None
        is_schema = is_schema or self._scan.file.endswith("values.schema.json")
        return is_schema or self._kind == "CustomResourceDefinition"

    @property
    def has_kind(self) -> bool:
        """Whether the text says at its root what it is."""
        return _ROOT_KIND.search(self.text) is not None

    @cached_property
    def _kind(self) -> str:
        found = _KIND.search(self.text)
        return "" if found is None else found[1]

    def holder(self, offset: int) -> tuple[Document | None, Holder | None]:
        """The document and the scalar in it that has a character of the file."""
        for document, scalars in self._scalars:
            found = scalars.at(offset)
            if found is not None:
                return document, found
        return None, None

    @cached_property
    def _scalars(self) -> list[tuple[Document, Scalars]]:
        return [(document, Scalars(document)) for document in self.documents]

    def path_inside(self, document: Document, holder: Holder, offset: int) -> Path:
        """The path to a character in the object that a scalar's text is; empty where it is none."""
        text = holder.scalar
        if "\n" not in text.value:
            return ()
        if text.start not in self._inner:
            try:
                inner = parse_embedded(document, text)
            except SourceError:
                inner = []
            self._inner[text.start] = [Scalars(each) for each in inner]
        found = (scalars.at(offset) for scalars in self._inner[text.start])
        return next((each.path for each in found if each is not None), ())


def is_yaml(file: str) -> bool:
    """Whether a file of this name is read as YAML."""
    return file.endswith((".yaml", ".yml", ".json", "Kustomization"))
