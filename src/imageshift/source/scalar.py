"""From a scalar's value to its characters, and back to text in the scalar's own style."""

from bisect import bisect_right

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.text import Span
from imageshift.source.tree import Scalar, resolves_to_string

__all__ = [
    "Decoded",
    "Run",
    "content_start",
    "decode",
    "is_plain_part",
    "is_plain_safe",
    "is_printable",
    "keeps_plain",
    "quote",
    "spell_scalar",
]

_PROPERTIES = lazy_re(r"(?:(?:!<[^>\s]*>|[&!][^\s,\[\]{}]*)(?:\s+(?:#[^\r\n]*[\r\n]\s*)*|(?=$)))*")
_BREAK = lazy_re(r"\r\n|\r|\n")
_ESCAPES = dict(
    zip('0abt\tnvfre "/\\N_LP', '\0\a\b\t\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True)
)
_PLAIN = lazy_re(r"[A-Za-z0-9_./$(][A-Za-z0-9_./@+:()$-]*(?<!:)")
_PLAIN_PART = lazy_re(r"[A-Za-z0-9_./@+:()$=~%-]*")
_PLAIN_HEAD = lazy_re(r"(?:[A-Za-z0-9_./$(]|-(?=[A-Za-z0-9_-]))" + _PLAIN_PART.pattern)
_DATE = lazy_re(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?")
_UNPRINTABLE = lazy_re("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_HEX = {"x": 2, "u": 4, "U": 8}
_FOLD = r"[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*"
_TOKENS = {
    "": lazy_re(_FOLD + r"|[^\r\n \t]+|[ \t]+"),
    "'": lazy_re(r"''|" + _FOLD + r"|[^'\r\n \t]+|[ \t]+"),
    '"': lazy_re(
        r"\\(?:\r\n|\r|\n)[ \t\r\n]*|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\."
        r"|" + _FOLD + r"|[^\\\r\n \t]+|[ \t]+"
    ),
}


class Run(Struct, frozen=True):
    """A stretch of a value that stands in the file character for character."""

    inner: int
    outer: int
    length: int


class Decoded(Struct, frozen=True):
    """A scalar's value and where each part of it stands.

    `content` is everything between the quotes; None for a block scalar, whose lines share the
    indentation `indent`.
    """

    value: str
    runs: tuple[Run, ...]
    content: Span | None
    indent: int = 0

    def outer(self, offset: int) -> int | None:
        """Where a character of the value stands in the text, or None when it is not verbatim."""
        index = bisect_right(self.runs, offset, key=lambda run: run.inner) - 1
        if index < 0:
            return None
        run = self.runs[index]
        return None if offset > run.inner + run.length else run.outer + offset - run.inner

    def span(self, inner: Span) -> Span | None:
        """The characters of a stretch of the value, or None when they aren't all verbatim."""
        if inner.start == inner.end:
            start = self.outer(inner.start)
            return None if start is None else Span(start, start)
        index = bisect_right(self.runs, inner.start, key=lambda run: run.inner) - 1
        if index < 0:
            return None
        run = self.runs[index]
        if inner.end > run.inner + run.length:
            return None
        shift = run.outer - run.inner
        return Span(inner.start + shift, inner.end + shift)


def decode(text: str, scalar: Scalar) -> Decoded:
    """The value of a scalar with the place of each of its characters in `text`.

    Raises:
        SourceError: the spelling is one that can't be followed (reason `style`).
    """
    plain = scalar.anchor is None and scalar.tag is None
    start = scalar.start if plain else content_start(text, scalar.start, scalar.end)
    if scalar.style in {"|", ">"}:
        decoded = _decode_block(text, start, scalar)
    else:
        decoded = _decode_flow(text, start, scalar)
    if decoded.value != scalar.value:
        raise SourceError("this spelling of a scalar can't be edited", reason="style")
    return decoded


def is_plain_safe(text: str) -> bool:
    """Whether a text may stand without quotes anywhere, flow collections included."""
    return _PLAIN.fullmatch(text) is not None and not _is_other_type(text)


def keeps_plain(new: str, rest: str) -> bool:
    """Whether a plain scalar stays one with the same kind when its head becomes `new`.

    `rest` is what follows in the scalar; it stands there already, so it may hold more than
    `is_plain_safe` allows.
    """
    return (
        _PLAIN_HEAD.fullmatch(new) is not None
        and (not new.endswith(":") or rest[:1].strip() != "")
        and not _is_other_type(new + rest)
    )


def is_plain_part(text: str) -> bool:
    """Whether a text may stand inside a plain scalar."""
    return _PLAIN_PART.fullmatch(text) is not None


def is_printable(text: str) -> bool:
    """Whether a text can be written on one line without escapes."""
    return _UNPRINTABLE.search(text) is None


def quote(text: str, style: str) -> str:
    """The inner text of a scalar of a style (without its quotes) that has the value `text`.

    >>> quote("it's", "'")
    "it''s"
    """
    if style == "'":
        return text.replace("'", "''")
    if style == '"':
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        escaped = escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        # Four digits are what JSON reads too.
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
    return text


def spell_scalar(value: str, style: str) -> str:
    """A scalar's text in a style; double-quoted where plain or single quotes aren't safe.

    >>> spell_scalar("a: b", "")
    '"a: b"'
    """
    if style == "'" and is_printable(value):
        return f"'{quote(value, style)}'"
    if style not in {"'", '"'} and is_plain_safe(value):
        return value
    return f'"{quote(value, chr(34))}"'


def content_start(text: str, start: int, end: int) -> int:
    """The offset behind the anchor and tag that a node's characters may begin with."""
    found = _PROPERTIES.match(text, start, end)
    return start if found is None else found.end()


def _is_other_type(text: str) -> bool:
    return not resolves_to_string(text) or _DATE.fullmatch(text) is not None


def _decode_flow(text: str, start: int, scalar: Scalar) -> Decoded:
    quotes = len(scalar.style)
    content = Span(start + quotes, scalar.end - quotes)
    inner = text[content.start : content.end]
    if inner == scalar.value:
        return Decoded(inner, (Run(0, content.start, len(inner)),), content)
    value, runs = _decode_tokens(scalar.style, text, content)
    return Decoded(value, tuple(runs), content)


def _decode_tokens(style: str, text: str, content: Span) -> tuple[str, list[Run]]:
    value = ""
    runs: list[Run] = []
    for found in _TOKENS[style].finditer(text, content.start, content.end):
        token = found[0]
        said = _value_of(token, style)
        if said == token:
            runs.append(Run(len(value), found.start(), len(token)))
        value += said
    return value, _joined(runs)


def _value_of(piece: str, style: str) -> str:
    if style == "'" and piece == "''":
        return "'"
    if style == '"' and piece[0] == "\\":
        return _escape_value(piece)
    breaks = len(_BREAK.findall(piece))
    if breaks:
        return " " if breaks == 1 else "\n" * (breaks - 1)
    return piece


def _escape_value(piece: str) -> str:
    kind = piece[1]
    if kind in "\r\n":
        # An escaped line break joins; blank lines behind it stay.
        return "\n" * (len(_BREAK.findall(piece)) - 1)
    digits = piece[2:]
    if kind in _HEX and len(digits) == _HEX[kind]:
        return chr(int(digits, base=16))
    return _ESCAPES.get(kind, piece)


def _joined(runs: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for run in runs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.inner + last.length == run.inner
            and last.outer + last.length == run.outer
        ):
            joined[-1] = Run(last.inner, last.outer, last.length + run.length)
        else:
            joined.append(run)
    return joined


def _decode_block(text: str, start: int, scalar: Scalar) -> Decoded:
    header = _BREAK.search(text, start, scalar.end)
    lines = [] if header is None else _lines(text, header.end(), scalar.end)
    indent = _indent(lines, scalar.value)
    value = scalar.value
    runs: list[Run] = []
    position = 0
    for line_start, line in lines:
        content = line[indent:]
        if not content:
            continue
        at = _next_line(value, content, position)
        if at is None:
            # Only blank lines may be left over: their own blanks are chomped.
            if content.strip():
                break
            continue
        runs.append(Run(at, line_start + indent, len(content)))
        position = at + len(content)
    followed = not value[position:].strip("\n")
    return Decoded(value if followed else "", tuple(runs), None, indent)


def _next_line(value: str, content: str, position: int) -> int | None:
    while not value.startswith(content, position):
        if position >= len(value) or value[position] not in " \n":
            return None
        position += 1
    return position


def _lines(text: str, start: int, end: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for line_break in _BREAK.finditer(text, start, end):
        found.append((start, text[start : line_break.start()]))
        start = line_break.end()
    if start < end:
        found.append((start, text[start:end]))
    return found


def _indent(lines: list[tuple[int, str]], value: str) -> int:
    # The value's own first line may be indented further, so compare the two.
    first = next((line for _, line in lines if line.strip(" ")), "")
    inner = next((line for line in value.split("\n") if line.strip(" ")), "")
    return (len(first) - len(first.lstrip(" "))) - (len(inner) - len(inner.lstrip(" ")))
