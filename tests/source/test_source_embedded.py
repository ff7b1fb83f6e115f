"""YAML inside scalars: edits and places come out as those of the file."""

import pytest
from source_shapes import only

from imageshift.errors import SourceError
from imageshift.source import (
    Document,
    Edit,
    Mapping,
    Scalar,
    Sequence,
    Span,
    apply_edits,
    insert_item,
    insert_key,
    parse_embedded,
)


def _inner(document: Document, *keys: str) -> Document:
    """Return the first document inside the scalar that a key holds, and so on inwards."""
    for key in keys:
        scalar = document.mapping.scalar(key)
        assert scalar is not None
        document = parse_embedded(document, scalar)[0]
    return document


def _replace(text: str, *keys: str) -> str:
    inner = _inner(only(text), *keys)
    scalar = inner.mapping.scalar("i")
    assert scalar is not None
    result = apply_edits(text, [inner.replace(scalar, "n", "ecr/n")])
    changed = _inner(only(result), *keys).mapping
    assert changed.text("i") == "ecr/" + scalar.value
    others = [key.value for key, _ in inner.mapping.pairs() if key.value != "i"]
    assert [changed.text(key) for key in others] == [inner.mapping.text(key) for key in others]
    return result


EDITS = [
    pytest.param("d: |\n  i: n # c\n  j: 2\n", "d: |\n  i: ecr/n # c\n  j: 2\n", id="literal"),
    pytest.param("d: |-\r\n    i: n\r\n    j: 2\r\n", "d: |-\r\n    i: ecr/n\r\n    j: 2\r\n",
        id="literal, CRLF"),
    pytest.param("d: |2\n  i: n\n", "d: |2\n  i: ecr/n\n", id="literal with an indicator"),
    pytest.param("d: |\n\n  # c\n  i: n\n", "d: |\n\n  # c\n  i: ecr/n\n", id="comments first"),
    pytest.param("d: |\n  i: 'n'\n  j: 1", "d: |\n  i: 'ecr/n'\n  j: 1", id="quotes inside"),
    pytest.param("d: >\n  i: n\n\n  j: 2\n", "d: >\n  i: ecr/n\n\n  j: 2\n", id="folded"),
    pytest.param("d: >-\n  {i: n,\n  j: 2}\n", "d: >-\n  {i: ecr/n,\n  j: 2}\n",
        id="folded flow style"),
    pytest.param("d: 'i: n'\n", "d: 'i: ecr/n'\n", id="single"),
    pytest.param("d: 'i: ''n'''\n", "d: 'i: ''ecr/n'''\n", id="single in single"),
    pytest.param("d: 'i: n\n\n  j: 2'\n", "d: 'i: ecr/n\n\n  j: 2'\n", id="single on lines"),
    pytest.param('d: "i: n\\nj: 2\\n"\n', 'd: "i: ecr/n\\nj: 2\\n"\n', id="double"),
    pytest.param('d: "i: n\\r\\nj: 2"\n', 'd: "i: ecr/n\\r\\nj: 2"\n', id="double with CRLF"),
    pytest.param('{"d":"{\\"i\\":\\"n\\",\\"j\\":2}"}', '{"d":"{\\"i\\":\\"ecr/n\\",\\"j\\":2}"}',
        id="JSON in JSON"),
    pytest.param('d: |\n  {"i": "n", "j": 2}\n', 'd: |\n  {"i": "ecr/n", "j": 2}\n',
        id="JSON in a literal"),
    pytest.param("d: &x |\n  i: n\ne: *x\n", "d: &x |\n  i: ecr/n\ne: *x\n", id="anchored"),
    pytest.param("\ufeffd: |\n  i: n\n", "\ufeffd: |\n  i: ecr/n\n", id="behind a mark"),
    pytest.param('d: "\\ufeffi: n"\n', 'd: "\\ufeffi: ecr/n"\n', id="a mark inside"),
    pytest.param("😀: 1\nd: |\n  e: 😀\n  i: n\n", "😀: 1\nd: |\n  e: 😀\n  i: ecr/n\n", id="wide"),
    pytest.param("d: |\n  i: |\n    n\n    x\n", "d: |\n  i: |\n    ecr/n\n    x\n",
        id="a literal in a literal"),
    pytest.param("d: |\n  i:\n    n # c\n", "d: |\n  i:\n    ecr/n # c\n", id="on the next line"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EDITS)
def test_replace_inside(text: str, expected: str) -> None:
    """The edit lands inside the outer scalar, spelled as that needs it."""
    assert _replace(text, "d") == expected


DEEP = [
    pytest.param("d: |\n  e: |\n    i: n\n    j: 2\n", "d: |\n  e: |\n    i: ecr/n\n    j: 2\n",
        id="literals"),
    pytest.param('d: |\r\n  e: "i: n\\nj: 2"\r\n', 'd: |\r\n  e: "i: ecr/n\\nj: 2"\r\n',
        id="double in a literal"),
    pytest.param("d: \"e: 'i: n'\\nf: 2\"\n", "d: \"e: 'i: ecr/n'\\nf: 2\"\n",
        id="single in double"),
    pytest.param('d: "e: |\\n  i: n\\n  j: 2\\n"\n', 'd: "e: |\\n  i: ecr/n\\n  j: 2\\n"\n',
        id="a literal written with escapes"),
    pytest.param("d: 'e: ''i: n'''\n", "d: 'e: ''i: ecr/n'''\n", id="single in single"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DEEP)
def test_replace_two_levels_in(text: str, expected: str) -> None:
    """YAML within YAML within YAML is edited in the file."""
    assert _replace(text, "d", "e") == expected


RESPELLED = [
    pytest.param("d: |\n  i: n\n", 'd: |\n  i: "${H}/n"\n', id="in a literal"),
    pytest.param('d: "i: n"\n', 'd: "i: \\"${H}/n\\""\n', id="in double quotes"),
    pytest.param("d: 'i: n'\n", "d: 'i: \"${H}/n\"'\n", id="in single quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RESPELLED)
def test_new_quotes_inside(text: str, expected: str) -> None:
    """Quotes that the inner scalar gains are escaped as the outer one needs."""
    inner = _inner(only(text), "d")
    scalar = inner.mapping.scalar("i")
    assert scalar is not None
    result = apply_edits(text, [inner.replace(scalar, "n", "${H}/n")])
    assert result == expected
    assert _inner(only(result), "d").mapping.text("i") == "${H}/n"


PLACES = [
    pytest.param("d: |\n  j: 2\n  i: n\n", (3, 6), id="literal"),
    pytest.param("x: 1\r\nd: |\r\n    j: 2\r\n    i: n\r\n", (4, 8), id="literal, CRLF"),
    pytest.param("d: >\n  j: 2\n\n  i: n\n", (4, 6), id="folded"),
    pytest.param('d: "j: 2\\ni: n"\n', (1, 14), id="double"),
    pytest.param("d: 'j: 2\n\n  i: n'\n", (3, 6), id="single"),
    pytest.param("\ufeff{d: 'i: n'}\n", (1, 9), id="behind a mark"),
    pytest.param('d: "i: \\x6e"\n', (1, 8), id="an escaped letter, at the end of what is before"),
    pytest.param('d: "\\x69: n"\n', (1, 11), id="an escape before it"),
]


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_places_inside(text: str, expected: tuple[int, int]) -> None:
    """An inner scalar's place is the file's line and column."""
    inner = _inner(only(text), "d")
    scalar = inner.mapping.scalar("i")
    assert scalar is not None
    place = inner.place(scalar.start)
    assert (place.line, place.column) == expected


def test_place_of_what_isnt_there() -> None:
    """A character without a place of its own stands where its holder begins."""
    text = 'a: 1\nd: "\\x69: n"\n'
    inner = _inner(only(text), "d")
    place = inner.place(0)
    assert (place.line, place.column) == (2, 4)
    assert inner.file is not inner
    assert inner.file.file is inner.file


def test_places_two_levels_in() -> None:
    """Places are followed through two holders."""
    inner = _inner(only("d: |\n  e: |\n    j: 2\n    i: n\n"), "d", "e")
    scalar = inner.mapping.scalar("i")
    assert scalar is not None
    place = inner.place(scalar.start)
    assert (place.line, place.column) == (4, 8)


def test_several_documents_inside() -> None:
    """Every document inside a scalar is found, with its number."""
    document = only("d: |\n  i: a\n  ---\n  i: b\n")
    holder = document.mapping.scalar("d")
    assert holder is not None
    found = parse_embedded(document, holder)
    assert [(inner.index, inner.mapping.text("i")) for inner in found] == [(0, "a"), (1, "b")]


def test_an_escaped_value_inside() -> None:
    """What isn't written verbatim in the file is refused."""
    inner = _inner(only('d: "i: \\x6e"\n'), "d")
    scalar = inner.mapping.scalar("i")
    assert scalar is not None
    with pytest.raises(SourceError, match="escaped") as caught:
        inner.replace(scalar, "n", "ecr/n")
    assert caught.value.reason == "style"


BROKEN = [
    pytest.param("d: |\n  a: 1\n  b: [\n", "unparsable", 3, id="literal"),
    pytest.param("x: 1\nd: |\n  a: 1\n  b: {{ c }}: d\n", "template", 4, id="template"),
    pytest.param('x: 1\nd: "a: 1\\nb: ]"\n', "unparsable", 2, id="double"),
    pytest.param("x: 1\nd: 'a: \"\\x'\n", "unparsable", 2, id="escape inside"),
    pytest.param('d: "\\0"\n', "unparsable", 1, id="a character that YAML doesn't allow"),
    pytest.param('d: "a: \\Lb: [\\L"\n', "unparsable", 1, id="line ends that only YAML 1.1 knows"),
    pytest.param("d: 'a: *x'\n", "unparsable", 1, id="an alias of the outer file"),
]


@pytest.mark.parametrize(("text", "reason", "line"), BROKEN)
def test_broken_inside(text: str, reason: str, line: int) -> None:
    """A scalar that is no YAML is refused with the file's line."""
    document = only(text)
    holder = document.mapping.scalar("d")
    assert holder is not None
    with pytest.raises(SourceError, match="inside this text") as caught:
        parse_embedded(document, holder)
    assert (caught.value.reason, caught.value.line) == (reason, line)


KEYS = [
    pytest.param("d: |\n  i: n # c\n  j: 2\n", "d: |\n  i: n # c\n  k: v\n  j: 2\n", id="literal"),
    pytest.param("d: |\r\n  i: n\r\n  j: 2\r\n", "d: |\r\n  i: n\r\n  k: v\r\n  j: 2\r\n",
        id="literal, CRLF"),
    pytest.param("d: |-\n  i: n", "d: |-\n  i: n\n  k: v", id="at the end of the text"),
    pytest.param("d: |\n  j: 2\n  i: n\n\ne: 1\n", "d: |\n  j: 2\n  i: n\n  k: v\n\ne: 1\n",
        id="at the end of the literal"),
    pytest.param('d: "i: n\\nj: 2"\n', 'd: "i: n\\nk: v\\nj: 2"\n', id="double"),
    pytest.param('d: "i: n\\r\\nj: 2"\n', 'd: "i: n\\r\\nk: v\\r\\nj: 2"\n', id="CRLF in double"),
    pytest.param('{"d":"{\\"i\\":\\"n\\"}"}', '{"d":"{\\"i\\":\\"n\\",\\"k\\":\\"v\\"}"}',
        id="JSON in JSON"),
    pytest.param("d: '{i: n}'\n", "d: '{i: n, k: v}'\n", id="flow style in single"),
    pytest.param("d: >-\n  {i: n,\n  j: 2}\n", "d: >-\n  {i: n, k: v,\n  j: 2}\n",
        id="flow style in folded"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), KEYS)
def test_insert_key_inside(text: str, expected: str) -> None:
    """A new key inside a scalar is a new line of the file where that needs one."""
    inner = _inner(only(text), "d")
    result = apply_edits(text, [insert_key(inner, inner.mapping, "i", "k", "v")])
    assert result == expected
    changed = _inner(only(result), "d").mapping
    assert {key.value for key, _ in changed.pairs()} == {
        key.value for key, _ in inner.mapping.pairs()
    } | {"k"}


def test_insert_key_two_levels_in() -> None:
    """A new line two levels in gets both indents and the file's line end."""
    text = "d: |\r\n  e: |\r\n    i: n\r\n    j: 2\r\n"
    inner = _inner(only(text), "d", "e")
    result = apply_edits(text, [insert_key(inner, inner.mapping, "i", "k", "v")])
    assert result == "d: |\r\n  e: |\r\n    i: n\r\n    k: v\r\n    j: 2\r\n"


def test_insert_item_inside() -> None:
    """A new item of several lines inside a literal is indented as that is."""
    text = "d: |\r\n  l:\r\n  - n: a\r\n    m: b\r\n"
    inner = _inner(only(text), "d")
    sequence = inner.mapping.get("l")
    assert isinstance(sequence, Sequence)
    result = apply_edits(text, [insert_item(inner, sequence, ["n: c", "m: d"])])
    assert result == "d: |\r\n  l:\r\n  - n: a\r\n    m: b\r\n  - n: c\r\n    m: d\r\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("d: 'i: n\n\n  j: 2'\n", id="single"),
        pytest.param("d: >\n  i: n\n\n  j: 2\n", id="folded"),
    ],
)
def test_no_new_line_where_lines_are_folded(text: str) -> None:
    """A line end in single quotes or a folded block would be read as a blank."""
    inner = _inner(only(text), "d")
    with pytest.raises(SourceError) as caught:
        insert_key(inner, inner.mapping, "i", "k", "v")
    assert caught.value.reason == "style"


def test_a_plain_text_takes_only_plain_text() -> None:
    """An edit inside a plain scalar can't bring in what would end it."""
    document = only("d: n\n")
    holder = document.mapping.scalar("d")
    assert holder is not None
    (inner,) = parse_embedded(document, holder)
    assert isinstance(inner.root, Scalar)
    assert inner.replace(inner.root, "n", "ecr/n") == Edit(Span(3, 4), "ecr/n")
    with pytest.raises(SourceError) as caught:
        inner.replace(inner.root, "n", "${H}/n")
    assert caught.value.reason == "style"


def test_an_odd_spelling_holds_nothing() -> None:
    """A scalar whose spelling can't be followed is not looked into."""
    document = only("d: 'x\x85 y'\n")
    holder = document.mapping.scalar("d")
    assert holder is not None
    with pytest.raises(SourceError) as caught:
        parse_embedded(document, holder)
    assert caught.value.reason == "style"


def test_mapping_of_a_list() -> None:
    """A document that is no mapping answers with an empty one."""
    document = only("- a\n")
    assert isinstance(document.mapping, Mapping)
    assert list(document.mapping.pairs()) == []
