"""A scalar's value, and where each of its characters stands in the text."""

import pytest
from source_shapes import only

from imageshift.errors import SourceError
from imageshift.source import Scalar, Span
from imageshift.source.scalar import (
    Decoded,
    decode,
    is_plain_part,
    is_plain_safe,
    is_printable,
    keeps_plain,
    quote,
)


def _decode(text: str) -> Decoded:
    scalar = only(text).mapping.get("a")
    assert isinstance(scalar, Scalar)
    decoded = decode(text, scalar)
    assert decoded.value == scalar.value
    return decoded


def _verbatim(text: str, decoded: Decoded) -> list[str]:
    runs = decoded.runs
    return [text[run.outer : run.outer + run.length] for run in runs]


TEXTS = [
    pytest.param("a: nginx\n", "nginx", ["nginx"], id="plain"),
    pytest.param("a: b c\n", "b c", ["b c"], id="plain with blanks"),
    pytest.param("a: b\n  c\n\n  d\n", "b c\nd", ["b", "c", "d"], id="plain on lines"),
    pytest.param("a: b \t\r\n  c\r\n", "b c", ["b", "c"], id="plain on lines, CRLF"),
    pytest.param("a: x\\n 'y'\n  \\z\n", "x\\n 'y' \\z", ["x\\n 'y'", "\\z"],
        id="a plain backslash is no escape"),
    pytest.param("a: b\n  \\n c\n", "b \\n c", ["b", "\\n c"], id="a word that begins with one"),
    pytest.param("a: 'it''s \\n'\n", "it's \\n", ["it", "s \\n"], id="likewise in single quotes"),
    pytest.param("a: it''s\n  b\n", "it''s b", ["it''s", "b"], id="plain quotes are themselves"),
    pytest.param("a:\n", "", [""], id="nothing"),
    pytest.param("a: ''\n", "", [""], id="nothing in quotes"),
    pytest.param("a: 'b c'\n", "b c", ["b c"], id="single"),
    pytest.param("a: 'it''s'\n", "it's", ["it", "s"], id="single with a quote"),
    pytest.param("a: ''''\n", "'", [], id="single that is a quote"),
    pytest.param("a: 'x\\n'''\n", "x\\n'", ["x\\n"], id="a backslash in single quotes"),
    pytest.param("a: 'b\n\n  c\n  d'\n", "b\nc d", ["b", "c", "d"], id="single on lines"),
    pytest.param("a: ' b \n  c '\n", " b c ", [" b", "c "], id="single, blanks at its ends"),
    pytest.param('a: "b"\n', "b", ["b"], id="double"),
    pytest.param('a: "b\\"c"\n', 'b"c', ["b", "c"], id="double with a quote"),
    pytest.param("a: \"it''s\\t\"\n", "it''s\t", ["it''s"], id="single quotes in double"),
    pytest.param("a: \"''\\t\"\n", "''\t", ["''"], id="two single quotes alone"),
    pytest.param('a: "\\x41b\\u0042c\\U0001F600d"\n', "AbBc😀d", ["b", "c", "d"], id="x u U"),
    pytest.param('a: "b\\/c"\n', "b/c", ["b", "c"], id="JSON's slash"),
    pytest.param('a: "\\0\\a\\b\\e\\f\\v\\r\\N\\_\\L\\P\\ \\\\"\n',
        "\0\a\b\x1b\f\v\r\x85\xa0\u2028\u2029 \\", [], id="every short escape"),
    pytest.param('a: "b\\\tc"\n', "b\tc", ["b", "c"], id="escaped tab"),
    pytest.param('a: "b\\\n  c"\n', "bc", ["b", "c"], id="escaped line end"),
    pytest.param('a: "b \\\r\n  \\ c"\n', "b  c", ["b ", "c"], id="escaped CRLF and blank"),
    pytest.param('a: "b\\\n\n  c"\n', "b\nc", ["b", "c"], id="escaped line end, blank line"),
    pytest.param('a: "b\n  c\n\n\n  d"\n', "b c\n\nd", ["b", "c", "d"], id="double on lines"),
    pytest.param('a: "\\ud83d\\ude00x"\n', "\ud83d\ude00x", ["x"], id="surrogates of JSON"),
    pytest.param("a: |\n  b\n  c\n", "b\nc\n", ["b", "c"], id="literal"),
    pytest.param("a: |-\n  b\n\n", "b", ["b"], id="literal without its end"),
    pytest.param("a: |+\n  b\n\n\n", "b\n\n\n", ["b"], id="literal with blank lines kept"),
    pytest.param("a: |\n\n\n  b\n", "\n\nb\n", ["b"], id="blank lines first"),
    pytest.param("a: |\n  b\n    c\n\n  d\n", "b\n  c\n\nd\n", ["b", "  c", "d"],
        id="a line indented further"),
    pytest.param("a: |2-\n    b\n  c\n", "  b\nc", ["  b", "c"], id="indentation indicator"),
    pytest.param("a: |-2\n    b\n", "  b", ["  b"], id="chomping before the indicator"),
    pytest.param("a: |\n  b\n    \n", "b\n  \n", ["b", "  "], id="blanks on the last line"),
    pytest.param("a: |\n  \tb\n", "\tb\n", ["\tb"], id="tab in a literal"),
    pytest.param("a: |\n  b\n  # c\n", "b\n# c\n", ["b", "# c"], id="a hash in a literal"),
    pytest.param("a: |\n  b\n# c\n", "b\n", ["b"], id="comment behind a literal"),
    pytest.param("a: |\r\n  b\r\n\r\n  c\r\n", "b\n\nc\n", ["b", "c"], id="literal, CRLF"),
    pytest.param("a: |\r  b\r  c\r", "b\nc\n", ["b", "c"], id="literal, lone CR"),
    pytest.param("a: |\n  b", "b", ["b"], id="literal at the end of the text"),
    pytest.param("a: |\n", "", [], id="empty literal"),
    pytest.param("a: |+\n\n\n", "\n\n", [], id="literal of blank lines"),
    pytest.param("a: |\n  b\\n''\n", "b\\n''\n", ["b\\n''"], id="a literal knows no escapes"),
    pytest.param("a: >\n  b\n  c\n\n  d\n", "b c\nd\n", ["b", "c", "d"], id="folded"),
    pytest.param("a: >-\n  b\n    c\n  d\n", "b\n  c\nd", ["b", "  c", "d"],
        id="folded, a line indented further"),
    pytest.param("a: >+\n\n  b\n\n", "\nb\n\n", ["b"], id="folded with blank lines kept"),
    pytest.param("a: >-\n  b b\n  b b b\n", "b b b b b", ["b b", "b b b"], id="equal words"),
    pytest.param("a: &x !!str |\n  b\n", "b\n", ["b"], id="literal with properties"),
    pytest.param("a: &x b\n", "b", ["b"], id="plain with an anchor"),
    pytest.param("a: !!str # c\n  # d\n  'b'\n", "b", ["b"], id="comment behind a tag"),
    pytest.param("a: !<x:y,z> 'b'\n", "b", ["b"], id="verbatim tag"),
    pytest.param("a: &x\n", "", [""], id="anchored nothing"),
    pytest.param("{a: 'b''c'}\n", "b'c", ["b", "c"], id="in flow style"),
    pytest.param("\ufeffa: 'b''c'\n", "b'c", ["b", "c"], id="behind a byte order mark"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "verbatim"), TEXTS)
def test_decode(text: str, value: str, verbatim: list[str]) -> None:
    """The value is the parser's, and each run stands in the text as it is."""
    decoded = _decode(text)
    assert decoded.value == value
    assert _verbatim(text, decoded) == verbatim
    assert [value[run.inner : run.inner + run.length] for run in decoded.runs] == verbatim


def test_blocks_inside_a_sequence() -> None:
    """A block scalar's indentation is counted from its own lines."""
    text = "a:\n- |\n x\n- b: >-\n    y\n    z\n"
    first, second = only(text).mapping.items("a")
    assert isinstance(first, Scalar)
    decoded = decode(text, first)
    assert (_verbatim(text, decoded), decoded.indent) == (["x"], 1)
    folded = second.own[0][1]  # type: ignore[attr-defined]
    decoded = decode(text, folded)
    assert (_verbatim(text, decoded), decoded.indent) == (["y", "z"], 4)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 'x\x85  y'\n", id="a next-line character"),
        pytest.param("a: |\n  x\x85  y\n", id="the same in a literal"),
        pytest.param("a: |2\n    \n", id="a block of blanks"),
    ],
)
def test_odd_spellings_are_refused(text: str) -> None:
    """A spelling that can't be followed is refused, never guessed."""
    with pytest.raises(SourceError) as caught:
        _decode(text)
    assert caught.value.reason == "style"


def test_outer_and_span() -> None:
    """Offsets and stretches of the value lead to the text, or to None."""
    decoded = _decode('a: "ab\\tcd"\n')
    assert [decoded.outer(offset) for offset in range(6)] == [4, 5, 6, 8, 9, 10]
    assert decoded.outer(7) is None
    assert decoded.span(Span(0, 2)) == Span(4, 6)
    assert decoded.span(Span(3, 5)) == Span(8, 10)
    assert decoded.span(Span(1, 4)) is None
    assert decoded.span(Span(2, 3)) is None
    assert decoded.span(Span(5, 5)) == Span(10, 10)
    assert decoded.span(Span(7, 7)) is None
    assert decoded.content == Span(4, 10)


def test_nothing_stands_before_an_escape() -> None:
    """A value that begins with an escape has no place for its first character."""
    decoded = _decode('a: "\\tb"\n')
    assert decoded.outer(0) is None
    assert decoded.span(Span(0, 1)) is None


@pytest.mark.parametrize("style", ["'", '"'])
@pytest.mark.parametrize(
    "value", ["nginx", "it's", 'say "x"', "a\\b", "''", "\\", " a ", "", "ü😀", "a: b # c"]
)
def test_quote_round_trip(value: str, style: str) -> None:
    """What is quoted reads as it was."""
    assert _decode(f"a: {style}{quote(value, style)}{style}\n").value == value


@pytest.mark.parametrize("value", ["a\nb", "\t", "\r\n", "\0\x07\x1b", "\x7f\x85\u2028", "\ufeff"])
def test_unprintable_characters_are_escaped(value: str) -> None:
    """In double quotes every character can be written."""
    assert not is_printable(value)
    assert is_printable(quoted := quote(value, '"'))
    assert _decode(f'a: "{quoted}"\n').value == value


def test_quote_leaves_other_styles() -> None:
    """Plain and block texts are written as they are."""
    assert quote('it\'s \\ "x"', "|") == 'it\'s \\ "x"'


SAFE = ["nginx", "a/b:1.2@sha256:0", "1.25.3", "/x", ".x", "$(A)", "host:5000/a", "v1+x"]
UNSAFE = [
    *("", "1.25", "true", "y", "~", "2024-01-01", "2024-01-01T00:00:00Z", "a b", "a: b", "a:"),
    *("*a", "&a", "!a", "- a", "-", "-a", "{a", "a,b", "a]", "#a", "a #b", "@a", "%a", "'a'"),
    *("a\nb", "nginx\n", "<<", "=", "${A}", "?", "ü"),
]


@pytest.mark.parametrize("text", SAFE)
def test_plain_safe(text: str) -> None:
    """These stand without quotes anywhere, and are strings."""
    assert is_plain_safe(text)
    assert only(f"[{text}, {text}]").root.items[1].value == text  # type: ignore[union-attr]


@pytest.mark.parametrize("text", UNSAFE)
def test_plain_unsafe(text: str) -> None:
    """These need quotes somewhere, or aren't strings without them."""
    assert not is_plain_safe(text)


@pytest.mark.parametrize(
    ("new", "rest", "kept"),
    [
        pytest.param("ecr/nginx", ":1", True, id="ordinary"),
        pytest.param("--image=ecr/nginx", ":1", True, id="a flag"),
        pytest.param("ecr/nginx:", "${TAG}", True, id="a variable stays behind"),
        pytest.param("ecr/nginx", " --x # y", True, id="what stood there stays"),
        pytest.param("ecr:", "", False, id="a colon at the end"),
        pytest.param("ecr:", " x", False, id="a colon before a blank"),
        pytest.param("1", ".25", False, id="becomes a number"),
        pytest.param("2024", "-01-01", False, id="becomes a date"),
        pytest.param("- a", "", False, id="an item"),
        pytest.param("${HOST}/a", "", False, id="braces end a flow collection"),
        pytest.param("", "x", False, id="nothing"),
    ],
)
def test_keeps_plain(new: str, rest: str, *, kept: bool) -> None:
    """A plain scalar stays plain when its new head can't change how it is read."""
    assert keeps_plain(new, rest) is kept


def test_plain_part() -> None:
    """Inside a plain scalar only characters that never end it may be put."""
    assert is_plain_part("a/b:1@x=~%")
    assert not any(map(is_plain_part, ["a b", "a,", "a\n", "#", "'", "{"]))
