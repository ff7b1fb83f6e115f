"""Documents: the trees of a file's text, and of texts inside its scalars.

A file is cut at its `---` lines first, so that only the documents that matter are parsed.
"""

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.scalar import (
    Decoded,
    decode,
    is_plain_part,
    is_printable,
    keeps_plain,
    quote,
    spell_scalar,
)
from imageshift.source.text import BOM, Edit, Place, SourceText, Span
from imageshift.source.tree import Mapping, Node, Root, Scalar, parse_events, walk
from imageshift.words import has_any

__all__ = ["Chunk", "Document", "embedded_text", "parse_embedded", "split_documents"]

_MARKER = lazy_re(r"---(?=\s|\Z)")
_NOTHING = lazy_re(r"(?:[ \t\r\n]++|#[^\r\n\x85\u2028\u2029]*+)*+")
_NEAR = 200
_DIRECTIVES = ("%", "...")
_UNTOLD = ("\n%", "\n...")
_RARE_UNTOLD = ("\r%", "\r...", "\x85", "\u2028", "\u2029", BOM)


class Chunk(Struct, frozen=True):
    """A stretch of a text that holds one document, or several that can't be told apart by `---`.

    `index` is the number of the first document in it.
    """

    source: SourceText
    start: int
    end: int
    index: int

    @property
    def text(self) -> str:
        """The characters of the chunk, without a byte order mark."""
        return self.source.text[self.start : self.end]

    def documents(self) -> "list[Document]":
        """The documents, parsed.

        Raises:
            SourceError: the text is no YAML (`unparsable`), or a template (`template`).
        """
        try:
            found = parse_events(self.text, self.start)
        except SourceError as error:
            raise self._located(error) from None
        return [
            Document(self.source, root, self.index + number, start, end)
            for number, (root, start, end) in enumerate(found)
        ]

    def _located(self, error: SourceError) -> SourceError:
        first = self.source.place(self.start)
        line = first.line + (error.line or 1) - 1
        if "{{" in self.text:
            return SourceError(
                "a template, which isn't YAML until it is rendered",
                reason="template",
                line=line,
                column=error.column,
            )
        return SourceError(str(error), line=line, column=error.column, hint=error.hint)


def split_documents(source: SourceText) -> Iterator[Chunk]:
    """The chunks of a text, in order; comments alone make no document."""
    text = source.text
    start = 1 if text.startswith(BOM) else 0
    bounds = _markers(text, start)
    first = bounds[0] if bounds else len(text)
    index = 0
    if _NOTHING.fullmatch(text, start, first) is None:
        yield Chunk(source, start, first, 0)
        index = 1
    for bound, end in pairwise((*bounds, len(text))):
        yield Chunk(source, bound, end, index)
        index += 1


def _markers(text: str, start: int) -> list[int]:
    """The `---` at which a text can be cut; none where that takes a parser to tell."""
    found = [
        marker.start()
        for marker in _MARKER.finditer(text, start)
        if marker.start() == start or text[marker.start() - 1] in "\r\n"
    ]
    # Most files have one at their very start, if any, and nothing to cut.
    if found in ([], [start]) or not _is_untold(text, start):
        return found
    return []


def _is_untold(text: str, start: int) -> bool:
    if text.startswith(_DIRECTIVES, start) or has_any(text, _UNTOLD):
        return True
    # The rest is looked for only where it can be at all.
    return not (text.isascii() and "\r" not in text) and has_any(text[start:], _RARE_UNTOLD)


class Document:
    """One YAML document with the text that it stands in.

    A document inside a scalar (`holder`) has a text of its own; its edits and places come out
    as those of the file. One that is `masked` is a template that was read without its actions.
    """

    __slots__ = ("end", "index", "masked", "outer", "root", "source", "start")

    def __init__(
        self,
        source: SourceText,
        root: Root,
        index: int,
        start: int,
        end: int,
        outer: "tuple[Document, Scalar, Decoded] | None" = None,
    ) -> None:
        self.source = source
        self.root = root
        self.index = index
        self.start = start
        self.end = end
        self.outer = outer
        self.masked = False

    @property
    def mapping(self) -> Mapping:
        """The root when it is a mapping, else an empty one."""
        return self.root if isinstance(self.root, Mapping) else Mapping(0, None, flow=False)

    def below(self, node: Node) -> "Document":
        """A node of this document as a document of its own; its places and edits are the same."""
        return Document(self.source, node, self.index, node.start, node.end, self.outer)

    @property
    def file(self) -> "Document":
        """The outermost document, the one that stands in the file itself."""
        return self if self.outer is None else self.outer[0].file

    def offset(self, offset: int) -> int:
        """The file's offset of one in this document's text; the holder's where there is none."""
        if self.outer is None:
            return offset
        document, holder, decoded = self.outer
        inner = decoded.outer(offset)
        return document.offset(holder.start if inner is None else inner)

    def place(self, offset: int) -> Place:
        """Where a character of this document's text stands in the file."""
        return self.file.source.place(self.offset(offset))

    def value_start(self, scalar: Scalar) -> int:
        """The offset in this document's text at which a scalar's value begins."""
        try:
            runs = decode(self.source.text, scalar).runs
        except SourceError:
            return scalar.start
        return runs[0].outer if runs else scalar.start

    def replace(self, scalar: Scalar, old: str, new: str) -> Edit:
        """The edit that makes `old`, a leading stretch of a scalar's value, into `new`.

        Raises:
            SourceError: the scalar's spelling can't be edited in place (reason `style`).
        """
        decoded = decode(self.source.text, scalar)
        if not decoded.value.startswith(old):
            raise SourceError("the value has changed", reason="changed")
        rest = decoded.value[len(old) :]
        span = decoded.span(Span(0, len(old)))
        if scalar.style == "":
            edit = self._plain_edit(scalar, decoded, span, (new, rest))
        elif span is not None:
            edit = Edit(span, quote(new, scalar.style))
        else:
            # Escapes or folds stand in the way: take everything between the quotes.
            edit = _quoted_edit(decoded.content, new + rest, scalar.style)
        return self.to_file(edit)

    def _plain_edit(
        self, scalar: Scalar, decoded: Decoded, span: Span | None, value: tuple[str, str]
    ) -> Edit:
        content = _editable(decoded.content)
        new, rest = value
        if content.start == content.end:
            return Edit(content, self._gap(scalar, content.start) + spell_scalar(new, ""))
        if span is not None and keeps_plain(new, rest):
            return Edit(span, new)
        return Edit(content, spell_scalar(new + rest, ""))

    def _gap(self, scalar: Scalar, offset: int) -> str:
        """The blank between an empty value's colon, dash, anchor or tag and its new text."""
        before = self.source.text[max(0, offset - _NEAR) : offset]
        if scalar.anchor is None and scalar.tag is None and before.rstrip()[-1:] not in {":", "-"}:
            raise SourceError("nowhere to put a value", reason="style")
        return "" if before[-1:].isspace() else " "

    def to_file(self, edit: Edit) -> Edit:
        """The edit of the file that makes this edit of the document's text.

        Raises:
            SourceError: the characters aren't verbatim in the file (reason `style`).
        """
        if self.outer is None:
            return edit
        document, holder, decoded = self.outer
        span = decoded.span(edit.span)
        if span is None:
            raise SourceError("an escaped text can't be edited in place", reason="style")
        if holder.style == "|":
            text = edit.text.replace("\n", document.source.newline + " " * decoded.indent)
        elif holder.style == "" and not is_plain_part(edit.text):
            raise SourceError("a plain scalar can't hold this text", reason="style")
        elif holder.style != '"' and not is_printable(edit.text):
            raise SourceError("a folded text can't hold a second line", reason="style")
        else:
            text = quote(edit.text, holder.style)
        return document.to_file(Edit(span, text))

    def has_template(self, *, plain: bool = True) -> bool:
        """Whether `{{` stands in it outside quotes, block scalars and comments.

        With `plain` false, one inside a plain scalar (`url: https://{{ .Release.Name }}.org`)
        doesn't count: there it is ordinary text for whoever reads the document.
        """
        if "{{" not in self.source.text[self.start : self.end]:
            return False
        return any(_is_template(node, plain=plain) for node in walk(self.root))


def embedded_text(document: Document, scalar: Scalar) -> Document:
    """The text inside a scalar as a document without a tree, for what is no YAML.

    Raises:
        SourceError: the scalar's spelling can't be followed (reason `style`), or its text isn't
            the document's.
    """
    _refuse_made(scalar)
    decoded = decode(document.source.text, scalar)
    inner = SourceText(decoded.value)
    return Document(inner, None, 0, 0, len(inner), (document, scalar, decoded))


def parse_embedded(document: Document, scalar: Scalar) -> list[Document]:
    """The documents inside a scalar: a ConfigMap's data, an inline patch, Argo CD's values.

    Raises:
        SourceError: the scalar's spelling can't be followed (`style`), its value is no YAML, or
            its text isn't the document's.
    """
    _refuse_made(scalar)
    decoded = decode(document.source.text, scalar)
    outer = (document, scalar, decoded)
    inner = SourceText(decoded.value)
    try:
        found = parse_events(decoded.value)
    except SourceError as error:
        place = _inner_place(Document(inner, None, 0, 0, 0, outer), decoded, error)
        reason = "template" if "{{" in decoded.value else error.reason
        raise SourceError(
            f"inside this text: {error}", reason=reason, line=place.line, column=place.column
        ) from None
    return [
        Document(inner, root, index, start, end, outer)
        for index, (root, start, end) in enumerate(found)
    ]


def _refuse_made(scalar: Scalar) -> None:
    """Refuses a scalar whose value was made: its characters are those of something else."""
    if type(scalar) is not Scalar:
        raise SourceError("text that a template produces has no location", reason="template")


def _inner_place(document: Document, decoded: Decoded, error: SourceError) -> Place:
    """The file's place of an error inside a scalar, or the nearest one before it."""
    source = document.source
    start = source.line_start(error.line or 1)
    offset = min(start + (error.column or 1) - 1, len(source))
    while offset > 0 and decoded.outer(offset) is None:
        offset -= 1
    return document.place(offset)


def _editable(span: Span | None) -> Span:
    if span is None:
        raise SourceError("this spelling of a scalar can't be edited", reason="style")
    return span


def _quoted_edit(content: Span | None, value: str, style: str) -> Edit:
    span = _editable(content)
    return Edit(Span(span.start - 1, span.end + 1), spell_scalar(value, style))


def _is_template(node: Node, *, plain: bool) -> bool:
    if isinstance(node, Scalar):
        return plain and not node.style and "{{" in node.value
    first = node.own[0][0] if isinstance(node, Mapping) and node.flow and node.own else None
    return isinstance(first, Mapping) and first.flow and first.start == node.start + 1
