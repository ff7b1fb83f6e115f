"""Every scalar's characters and value, whatever its spelling; anchors, aliases and merges."""

import pytest
from source_shapes import documents, only, scalars

from imageshift.errors import SourceError
from imageshift.source import Mapping, Scalar, Sequence, SourceText, split_documents, walk
from imageshift.source.tree import MOST_LEVELS, resolves_to_string

SPANS = [
    pytest.param("a: nginx\n", [("a", "a"), ("nginx", "nginx")], id="plain"),
    pytest.param("a: b c  # d\n", [("a", "a"), ("b c", "b c")], id="plain before a comment"),
    pytest.param("a: b#c\n", [("a", "a"), ("b#c", "b#c")], id="a hash inside a word is text"),
    pytest.param("a: b\n  c\n", [("a", "a"), ("b\n  c", "b c")], id="plain on two lines"),
    pytest.param("a: 'it''s'\n", [("a", "a"), ("'it''s'", "it's")], id="single quotes"),
    pytest.param('a: "x\\ty"\n', [("a", "a"), ('"x\\ty"', "x\ty")], id="double quotes"),
    pytest.param('a: ""\n', [("a", "a"), ('""', "")], id="empty in quotes"),
    pytest.param("a: |\n  x\n  y\nb: 1\n", [("a", "a"), ("|\n  x\n  y\n", "x\ny\n"), ("b", "b"),
        ("1", "1")], id="literal"),
    pytest.param("a: >-\n  x\n  y\n", [("a", "a"), (">-\n  x\n  y\n", "x y")], id="folded"),
    pytest.param("a: |+\n  x\n\nb: 1\n", [("a", "a"), ("|+\n  x\n\n", "x\n\n"), ("b", "b"),
        ("1", "1")], id="literal that keeps blank lines"),
    pytest.param("a: | # why\n  x\n", [("a", "a"), ("| # why\n  x\n", "x\n")],
        id="comment behind a block header"),
    pytest.param("a: &x y\n", [("a", "a"), ("&x y", "y")], id="anchor"),
    pytest.param("a: !!str 1\n", [("a", "a"), ("!!str 1", "1")], id="tag"),
    pytest.param("a: !t &x 'y'\n", [("a", "a"), ("!t &x 'y'", "y")], id="tag and anchor"),
    pytest.param("a: !<x:y,z> 'y'\n", [("a", "a"), ("!<x:y,z> 'y'", "y")], id="verbatim tag"),
    pytest.param("a: &x |\n  y\n", [("a", "a"), ("&x |\n  y\n", "y\n")], id="anchored literal"),
    pytest.param("&k a: b\n", [("&k a", "a"), ("b", "b")], id="anchored key"),
    pytest.param("a: b\r\nc: 'd'\r\n", [("a", "a"), ("b", "b"), ("c", "c"), ("'d'", "d")],
        id="CRLF"),
    pytest.param("a: |\r\n  x\r\n  y\r\n", [("a", "a"), ("|\r\n  x\r\n  y\r\n", "x\ny\n")],
        id="literal with CRLF"),
    pytest.param("\ufeffa: b\n", [("a", "a"), ("b", "b")], id="byte order mark"),
    pytest.param("\ufeff---\na: b\n", [("a", "a"), ("b", "b")], id="mark before a marker"),
    pytest.param("\ufeff# c\na: b\n", [("a", "a"), ("b", "b")], id="mark before a comment"),
    pytest.param("# c\ra: b\rc: d\r", [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")],
        id="lone CR behind a comment"),
    pytest.param("a: b", [("a", "a"), ("b", "b")], id="no newline at the end"),
    pytest.param("a: '😀'\nb: c😀\n", [("a", "a"), ("'😀'", "😀"), ("b", "b"), ("c😀", "c😀")],
        id="emoji counts as one character"),
    pytest.param("a:\tb\n", [("a", "a"), ("b", "b")], id="tab after the colon"),
    pytest.param("a: \t b\t# c\n", [("a", "a"), ("b", "b")], id="tabs around a value"),
    pytest.param("{a: b, 'c': [d, \"e\"]}", [("a", "a"), ("b", "b"), ("'c'", "c"), ("d", "d"),
        ('"e"', "e")], id="flow style"),
    pytest.param('{"a":"b","c":1}', [('"a"', "a"), ('"b"', "b"), ('"c"', "c"), ("1", "1")],
        id="compact JSON"),
    pytest.param("a: # c\nb:\n", [("a", "a"), ("", ""), ("b", "b"), ("", "")], id="no values"),
    pytest.param("- # c\n- a\n-\n", [("", ""), ("a", "a"), ("", "")], id="empty items"),
    pytest.param("? a\n: b\n", [("a", "a"), ("b", "b")], id="explicit key"),
    pytest.param("? [a, b]\n: c\n", [("a", "a"), ("b", "b"), ("c", "c")], id="list as a key"),
    pytest.param("%YAML 1.1\n---\na: b\n", [("a", "a"), ("b", "b")], id="directive"),
    pytest.param("%TAG ! tag:x,1:\n---\na: !y b\n", [("a", "a"), ("!y b", "b")],
        id="tag directive"),
    pytest.param("a: b\n...\n", [("a", "a"), ("b", "b")], id="document end marker"),
    pytest.param("--- # c\na: b\n", [("a", "a"), ("b", "b")], id="comment behind a marker"),
    pytest.param("--- a\n", [("a", "a")], id="a text behind a marker"),
    pytest.param("a: &x b\nc: *x\n", [("a", "a"), ("&x b", "b"), ("c", "c"), ("&x b", "b")],
        id="an alias is the anchored scalar again"),
    pytest.param("a: \ufeffb\n", [("a", "a"), ("\ufeffb", "\ufeffb")], id="mark inside a text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SPANS)
def test_spans_and_values(text: str, expected: list[tuple[str, str]]) -> None:
    """A scalar's span is its own characters, properties and quotes included."""
    assert scalars(text, only(text).root) == expected


def test_block_scalar_ends_before_the_next_key() -> None:
    """A nested block scalar's span stops where the next line's content begins."""
    text = "r:\n  a: |\n    x\n  b: 1\n"
    assert scalars(text, only(text).root)[2] == ("|\n    x\n", "x\n")


PLACES = [
    pytest.param("a: b\n", (1, 4), id="first line"),
    pytest.param("\ufeffa: b\n", (1, 4), id="the byte order mark is no column"),
    pytest.param("\ufeff\nx: 1\na: b\n", (3, 4), id="mark and lines"),
    pytest.param("x: 1\r\na: b\r\n", (2, 4), id="CRLF is one line end"),
    pytest.param("x: 1\ra: b\r", (2, 4), id="lone CR is a line end"),
    pytest.param("{x: '😀', a: b}\n", (1, 13), id="columns are code points"),
    pytest.param("x: 1\n---\na: b\n", (3, 4), id="second document"),
    pytest.param("a: b", (1, 4), id="no newline at the end"),
]


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_places(text: str, expected: tuple[int, int]) -> None:
    """Lines and columns count from one, as an editor shows them."""
    document = documents(text)[-1]
    scalar = document.mapping.scalar("a")
    assert scalar is not None
    place = document.place(scalar.start)
    assert (place.line, place.column) == expected


def test_line_texts() -> None:
    """Lines come without their ends, whatever these are."""
    source = SourceText("a\r\nb\rc\n")
    assert [source.line(number) for number in range(1, 5)] == ["a", "b", "c", ""]
    assert [source.line_start(number) for number in range(1, 5)] == [0, 3, 5, 7]
    assert source.newline == "\r\n"


EMPTY = [
    pytest.param("", 0, id="nothing"),
    pytest.param("\ufeff", 0, id="only a byte order mark"),
    pytest.param("# a\n# b\n", 0, id="comments"),
    pytest.param("\r# a\r\n\t\r", 0, id="comments with other line ends"),
    pytest.param("# a --- b\n", 0, id="a marker inside a comment is none"),
    pytest.param("---\n", 1, id="a marker alone opens one"),
    pytest.param("---\n---\n", 2, id="two markers open two"),
    pytest.param("# head\n---\na: 1\n", 1, id="comments before a marker are no document"),
    pytest.param("a: 1\n---\n# c\n", 2, id="a marker before comments"),
    pytest.param("a: 1\n...\n# c\n", 1, id="comments behind an end"),
    pytest.param("a: 1\n...\n---\nb: 1\n", 2, id="end, then marker"),
    pytest.param("%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n", 2, id="two directives"),
    pytest.param("a: |\n  ---\n  x\n", 1, id="an indented marker is text"),
    pytest.param("a: '---'\nb: x--- \n", 1, id="a marker inside a line is text"),
    pytest.param("a: 1\r---\rb: 1", 2, id="lone CR before a marker"),
]


@pytest.mark.parametrize(("text", "expected"), EMPTY)
def test_document_counts(text: str, expected: int) -> None:
    """Documents are what a parser of the whole text counts."""
    assert len(documents(text)) == expected


def _mapping(text: str, key: str) -> Mapping:
    found = only(text).mapping.mapping(key)
    assert found is not None
    return found


MERGES = [
    pytest.param("b: &b {x: 1}\na: {<<: *b}\n", {"x": "1"}, id="merged"),
    pytest.param("b: &b {x: 1}\na: {<<: *b, x: 2}\n", {"x": "2"}, id="the own key wins"),
    pytest.param("b: &b {x: 1}\na: {x: 2, <<: *b}\n", {"x": "2"}, id="also when it comes first"),
    pytest.param("b: &b {x: 1}\nc: &c {x: 2, y: 3}\na: {<<: [*b, *c]}\n", {"x": "1", "y": "3"},
        id="of a list the first wins"),
    pytest.param("b: &b {x: 1}\nc: &c {x: 2, y: 3}\na: {<<: *b, <<: *c}\n", {"x": "2", "y": "3"},
        id="of two merge keys the last wins, as with all equal keys"),
    pytest.param("b: &b {x: 1}\nc: &c {<<: *b, y: 2}\na: {<<: *c, z: 3}\n",
        {"z": "3", "y": "2", "x": "1"}, id="through two levels"),
    pytest.param("d: &d {x: 1, y: 1}\nc: &c {<<: *d}\nb: &b {x: 2, y: 2}\na: {<<: [*c, *b]}\n",
        {"x": "1", "y": "1"}, id="what the first of a list merges beats the second"),
    pytest.param("a: {<<: {x: 1}, y: 2}\n", {"y": "2", "x": "1"}, id="a mapping written in place"),
    pytest.param("a: {<<: 1, y: 2}\n", {"y": "2"}, id="a text can't be merged"),
    pytest.param("b: &b {x: 1}\na: {'<<': *b, y: 2}\n", {"<<": None, "y": "2"},
        id="a quoted merge key is ordinary"),
    pytest.param("a: {x: 1, y: 2, x: 3}\n", {"x": "3", "y": "2"}, id="of equal keys the last"),
    pytest.param("a:\n  ? [x]\n  : 1\n  y: 2\n", {"y": "2"}, id="a list as key is passed over"),
    pytest.param("b: &b {x: 1, x: 2}\na: {<<: *b}\n", {"x": "2"}, id="equal keys, merged"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MERGES)
def test_merge_keys(text: str, expected: dict[str, str | None]) -> None:
    """`pairs` and `get` see own and merged keys alike."""
    mapping = _mapping(text, "a")
    pairs = {key.value: value for key, value in mapping.pairs()}
    assert {key: mapping.text(key) for key in pairs} == expected
    assert all(mapping.get(key) is value for key, value in pairs.items())


def test_duplicate_anchor() -> None:
    """An alias means the last definition before it (facts Y3)."""
    mapping = only("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").mapping
    assert [mapping.text(key) for key in "abcd"] == ["1", "1", "2", "2"]


def test_anchors_end_with_their_document() -> None:
    """An alias doesn't reach into the document before."""
    chunks = list(split_documents(SourceText("a: &x 1\n---\nb: *x\n")))
    with pytest.raises(SourceError, match="no anchor") as caught:
        chunks[1].documents()
    assert (caught.value.line, caught.value.column) == (3, 4)


def test_getters() -> None:
    """The typed getters answer only for what the value is."""
    mapping = only("a: x\nb: ~\nc: [1, 2]\nd: {e: f}\ng: ''\n").mapping
    assert [mapping.text(key) for key in "abcdgz"] == ["x", None, None, None, None, None]
    assert [len(mapping.items(key)) for key in "acdz"] == [0, 2, 0, 0]
    assert mapping.mapping("d") is mapping.get("d")
    assert mapping.mapping("a") is None
    assert mapping.scalar("d") is None


def test_own_key() -> None:
    """`key` finds the last of equal keys, and none that is merged."""
    document = only("b: &b {x: 1}\na:\n  <<: *b\n  y: 1\n  y: 2\n")
    mapping = document.mapping.mapping("a")
    assert mapping is not None
    key = mapping.key("y")
    assert key is not None
    assert document.place(key.start).line == 5
    assert mapping.key("x") is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &x [*x]\n", id="in a list"),
        pytest.param("a: &x\n  b: *x\n", id="in a mapping"),
        pytest.param("&x a: {b: &y {<<: *y}}\n", id="by a merge"),
        pytest.param("a: *x\n", id="no anchor at all"),
    ],
)
def test_alias_without_an_anchor(text: str) -> None:
    """A node that holds itself is refused, as an alias of nothing is."""
    with pytest.raises(SourceError, match="no anchor") as caught:
        documents(text)
    assert caught.value.reason == "unparsable"


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
def test_deep_nesting(opened: str, closed: str) -> None:
    """150 levels are read, which is four times what real files have; one more is refused."""
    text = opened * MOST_LEVELS + "a" + closed * MOST_LEVELS

    assert sum(isinstance(node, Sequence | Mapping) for node in walk(only(text).root)) == 150
    for too_deep in (MOST_LEVELS + 1, 100_000):
        with pytest.raises(SourceError, match="nested deeper than 150 levels") as error:
            only(opened * too_deep + "a" + closed * too_deep)
        assert error.value.reason == "unparsable"


STRINGS = [
    *("nginx", "1.25.3", "v1", "1.25-alpine", "a b", "-", "0x", "0xg", "_1", "1:30", "y1", "null1"),
    *(".", "..", "+", "e3", "1e", "sha256:0", "2024-01-01", "2024-01-01T00:00:00Z", "NaN", "inf"),
]
OTHERS = [
    *("", "~", "null", "Null", "NULL", "true", "True", "FALSE", "yes", "No", "ON", "off", "y", "N"),
    *("1", "-1", "+1", "1_000", "017", "0o17", "0b11", "-0b11", "0x1F", "-0x1F", "+_1", "08"),
    *("1.25", "1.", ".5", "1e3", "1.5e-3", "-.5", ".inf", "-.INF", "+.Inf", ".nan", ".NaN", "6_0."),
]


@pytest.mark.parametrize("plain", STRINGS)
def test_plain_strings(plain: str) -> None:
    """Helm 4.1.4 reads these as strings."""
    assert resolves_to_string(plain)


@pytest.mark.parametrize("plain", OTHERS)
def test_plain_others(plain: str) -> None:
    """Helm 4.1.4 reads these as nulls, booleans and numbers."""
    assert not resolves_to_string(plain)


@pytest.mark.parametrize(
    ("text", "string", "empty"),
    [
        pytest.param("1", False, False, id="number"),
        pytest.param("'1'", True, False, id="quoted number"),
        pytest.param("!!str 1", True, False, id="tagged number"),
        pytest.param("~", False, True, id="null"),
        pytest.param("'~'", True, False, id="quoted null"),
        pytest.param("''", True, True, id="empty text"),
        pytest.param("|\n  1", True, False, id="block"),
    ],
)
def test_scalar_kinds(text: str, *, string: bool, empty: bool) -> None:
    """Quotes, tags and blocks make a string of anything."""
    scalar = only(f"a: {text}\n").mapping.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.is_string, scalar.is_empty) == (string, empty)


def test_pairs_are_in_order() -> None:
    """Own pairs come in the order of the text, merged ones last."""
    mapping = _mapping("b: &b {x: 1}\na:\n  z: 1\n  <<: *b\n  c: 2\n", "a")
    assert [key.value for key, _ in mapping.pairs()] == ["z", "c", "x"]


def test_not_utf8() -> None:
    """Bytes that are no UTF-8 are refused with the line."""
    with pytest.raises(SourceError, match="isn't UTF-8") as caught:
        SourceText.decode(b"a: 1\nb: \xff\n")
    assert (caught.value.reason, caught.value.line) == ("not-utf8", 2)


BROKEN = [
    pytest.param("a: {b: 1\n", "unparsable", 2, id="open bracket"),
    pytest.param("a: 1\n---\nb: 'x\n", "unparsable", 4, id="open quote in the second document"),
    pytest.param("\ufeffa: [\n", "unparsable", 2, id="behind a byte order mark"),
    pytest.param("a: 1\n b: 2\n", "unparsable", 2, id="indent"),
    pytest.param("a: \x00\n", "unparsable", 1, id="a character that YAML doesn't allow"),
    pytest.param("{{ if }}\na: 1\n", "template", 2, id="a template's line"),
    pytest.param("a: {{ .b }}: 1\n", "template", 1, id="a template's value"),
    pytest.param("a:\n\tb: 1\n", "unparsable", 2, id="tab as indent"),
    pytest.param("%YAML 3.0\n---\na: 1\n", "unparsable", 1, id="unknown version"),
]


@pytest.mark.parametrize(("text", "reason", "line"), BROKEN)
def test_broken_texts(text: str, reason: str, line: int) -> None:
    """What no parser reads is refused with a reason and a line."""
    with pytest.raises(SourceError) as caught:
        documents(text)
    assert (caught.value.reason, caught.value.line or 1) == (reason, line)


def test_a_broken_document_leaves_the_others() -> None:
    """The documents beside a broken one can be read."""
    first, broken, last = split_documents(SourceText("a: 1\n---\nb: [\n---\nc: 1\n"))
    assert [len(first.documents()), len(last.documents())] == [1, 1]
    assert last.documents()[0].index == 2
    with pytest.raises(SourceError):
        broken.documents()
