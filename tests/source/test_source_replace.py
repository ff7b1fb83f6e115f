"""Edits of whole values and of leading parts, in every style."""

import pytest
from source_shapes import only, values

from imageshift.errors import SourceError
from imageshift.source import Edit, Scalar, SourceText, Span, apply_edits, spell_scalar


def _replace(text: str, old: str, new: str, key: str = "a") -> str:
    document = only(text)
    scalar = document.mapping.get(key)
    assert isinstance(scalar, Scalar)
    result = apply_edits(text, [document.replace(scalar, old, new)])
    changed = only(result).mapping.get(key)
    assert isinstance(changed, Scalar)
    assert changed.value == new + scalar.value[len(old) :]
    assert changed.is_string
    return result


HEADS = [
    pytest.param("a: b:1 # c\n", "a: ecr/b:1 # c\n", id="plain"),
    pytest.param("a: b\n", "a: ecr/b\n", id="the whole value"),
    pytest.param("a:   b   \nc: d", "a:   ecr/b   \nc: d", id="blanks around"),
    pytest.param("a:\tb\t# c\r\n", "a:\tecr/b\t# c\r\n", id="tabs and CRLF"),
    pytest.param("\ufeffa: b", "\ufeffa: ecr/b", id="mark, no newline at the end"),
    pytest.param("a: 'b:1'\n", "a: 'ecr/b:1'\n", id="single"),
    pytest.param('a: "b:1"\n', 'a: "ecr/b:1"\n', id="double"),
    pytest.param('a: "b:1\\t"\n', 'a: "ecr/b:1\\t"\n', id="an escape behind the head stays"),
    pytest.param("a: 'b:1''x'\n", "a: 'ecr/b:1''x'\n", id="a quote behind the head stays"),
    pytest.param("a: |\n  b:1\n  c\n", "a: |\n  ecr/b:1\n  c\n", id="literal"),
    pytest.param("a: |2-\n  b\n", "a: |2-\n  ecr/b\n", id="indicator"),
    pytest.param("a: >-\n    b:1\n    c\n", "a: >-\n    ecr/b:1\n    c\n", id="folded"),
    pytest.param("a: &x b\nc: *x\n", "a: &x ecr/b\nc: *x\n", id="the anchor stays"),
    pytest.param("a: !!str 'b'\n", "a: !!str 'ecr/b'\n", id="the tag stays"),
    pytest.param("{a: b, c: d}", "{a: ecr/b, c: d}", id="flow"),
    pytest.param('{"a":"b"}', '{"a":"ecr/b"}', id="compact JSON"),
    pytest.param("a: b:${TAG}\n", "a: ecr/b:${TAG}\n", id="a variable behind the head stays plain"),
    pytest.param("a: b --x=1\n", "a: ecr/b --x=1\n", id="words behind the head stay plain"),
    pytest.param("a: b\n  c\n", "a: ecr/b\n  c\n", id="plain on two lines"),
    pytest.param('a: "b\n  c"\n', 'a: "ecr/b\n  c"\n', id="double on two lines"),
    pytest.param("😀: 😀\na: b\n", "😀: 😀\na: ecr/b\n", id="emoji before"),
    pytest.param("a: b\r", "a: ecr/b\r", id="lone CR"),
]


@pytest.mark.parametrize(("text", "expected"), HEADS)
def test_replace_a_head(text: str, expected: str) -> None:
    """Only the head changes; quotes, blanks, comments and line ends stay."""
    assert _replace(text, "b", "ecr/b") == expected


RESPELLED = [
    pytest.param("a: 'x''y'\n", "x'y", "z'", "a: 'z'''\n", id="a quote in the head"),
    pytest.param('a: "x\\ty:1"\n', "x\ty", "z", 'a: "z:1"\n', id="an escape in the head"),
    pytest.param('a: "x\\/y:1\\u00e9"\n', "x/y", "z", 'a: "z:1é"\n', id="JSON's slash"),
    pytest.param('a: "x\\/y\\u0007"\n', "x/y", "z", 'a: "z\\u0007"\n', id="an escaped control"),
    pytest.param("a: 'x\n  y:1'\n", "x y", "z", "a: 'z:1'\n", id="a fold in the head"),
    pytest.param("a: 'x\n  y\n\n  w'\n", "x y", "z", 'a: "z\\nw"\n',
        id="single quotes that would need a line end"),
    pytest.param("a: x\n  y:1\n", "x y", "z", "a: z:1\n", id="a plain fold in the head"),
    pytest.param("a: x\n  y w\n", "x y", "z", 'a: "z w"\n', id="plain, not safe on one line"),
    pytest.param("a: x\n", "x", "${H}/x", 'a: "${H}/x"\n', id="braces need quotes"),
    pytest.param("a: x\n", "x", "1.25", 'a: "1.25"\n', id="a number needs quotes"),
    pytest.param("a: x\n", "x", "y", 'a: "y"\n', id="Helm's y needs quotes"),
    pytest.param("a: x\n", "x", "y: z", 'a: "y: z"\n', id="a colon needs quotes"),
    pytest.param("{a: x}", "x", "y,z", '{a: "y,z"}', id="a comma needs quotes"),
    pytest.param("a: --i=x:1\n", "--i=x", "--i=ecr/x", "a: --i=ecr/x:1\n", id="a flag"),
    pytest.param("a: 1.25\n", "1.25", "1.26", 'a: "1.26"\n', id="a number becomes a text"),
    pytest.param("a: x\n", "", "ecr/", "a: ecr/x\n", id="something in front"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "expected"), RESPELLED)
def test_replace_where_the_spelling_must_change(
    text: str, old: str, new: str, expected: str
) -> None:
    """Where a head can't be put in as it is, the scalar is spelled anew."""
    assert _replace(text, old, new) == expected


EMPTY = [
    pytest.param("a:\n", "a: x\n", id="nothing"),
    pytest.param("a: # c\nb: 1\n", "a: x # c\nb: 1\n", id="nothing before a comment"),
    pytest.param("a:", "a: x", id="nothing at the end of the text"),
    pytest.param("a: ''\n", "a: 'x'\n", id="empty single"),
    pytest.param('a: ""\n', 'a: "x"\n', id="empty double"),
    pytest.param("a: &n\nb: *n\n", "a: &n x\nb: *n\n", id="anchored nothing"),
    pytest.param("a: !!str # c\n", "a: !!str x # c\n", id="tagged nothing"),
    pytest.param("{a: , b: 1}", "{a: x, b: 1}", id="nothing in flow style"),
    pytest.param("{a: }", "{a: x}", id="nothing before a brace"),
    pytest.param('{"a":}', '{"a": x}', id="nothing, compact"),
]


@pytest.mark.parametrize(("text", "expected"), EMPTY)
def test_replace_nothing(text: str, expected: str) -> None:
    """An empty value takes a text, with the blank that it needs."""
    assert _replace(text, "", "x") == expected


def test_replace_a_null() -> None:
    """A spelled null is replaced whole."""
    assert _replace("a: ~ # c\n", "~", "x") == "a: x # c\n"


def test_replace_an_empty_item() -> None:
    """An empty item takes a text behind its dash."""
    document = only("a:\n- # c\n")
    (item,) = document.mapping.items("a")
    assert isinstance(item, Scalar)
    assert apply_edits("a:\n- # c\n", [document.replace(item, "", "x")]) == "a:\n- x # c\n"


REFUSED = [
    pytest.param("a: x\n", "y", "changed", id="another value"),
    pytest.param("a: |\n  x\n  y\n", "x\ny", "style", id="a literal's two lines"),
    pytest.param("a: >\n  x\n  y\n", "x y", "style", id="a fold"),
    pytest.param("{a, b: 1}", "", "style", id="a key without a colon"),
    pytest.param("? a\n? b\n", "", "style", id="an explicit key without a value"),
]


@pytest.mark.parametrize(("text", "old", "reason"), REFUSED)
def test_refused(text: str, old: str, reason: str) -> None:
    """What can't be edited safely is refused with its reason."""
    document = only(text)
    scalar = document.mapping.get("a")
    assert isinstance(scalar, Scalar)
    with pytest.raises(SourceError) as caught:
        document.replace(scalar, old, "z")
    assert caught.value.reason == reason


def test_an_aliased_scalar_is_edited_where_it_stands() -> None:
    """Two keys with one anchored scalar give one edit."""
    text = "a: &x b\nc: *x\n"
    document = only(text)
    edits = [document.replace(scalar, "b", "z") for key in "ac"
             if (scalar := document.mapping.scalar(key))]  # fmt: skip
    result = apply_edits(text, edits)
    assert result == "a: &x z\nc: *x\n"
    assert values(only(result).root) == [
        (("a", False, None), ("z", False, None)),
        (("c", False, None), ("z", False, None)),
    ]


def test_value_start() -> None:
    """A value begins behind its anchor, quote or block header."""
    text = "a: &x 'b'\nc: |\n  d\ne: ''''\n"
    document = only(text)
    starts = [document.value_start(scalar) for key in "ace"
              if (scalar := document.mapping.scalar(key))]  # fmt: skip
    assert starts == [text.index("b"), text.index("d"), text.index("''''")]


def test_value_start_of_an_odd_spelling() -> None:
    """Where the value can't be followed, the scalar's own start stands for it."""
    document = only("a: 'x\x85 y'\n")
    scalar = document.mapping.scalar("a")
    assert scalar is not None
    assert document.value_start(scalar) == 3


def test_apply_edits() -> None:
    """Edits come in any order, equal ones count once, and touching ones don't overlap."""
    edits = [Edit(Span(4, 5), "X"), Edit(Span(0, 2), ""), Edit(Span(2, 2), "+")]
    assert apply_edits("abcdef", [*edits, edits[0]]) == "+cdXf"
    assert apply_edits("abc", []) == "abc"


@pytest.mark.parametrize("second", [Span(1, 3), Span(1, 1), Span(0, 1)])
def test_overlapping_edits_are_a_bug(second: Span) -> None:
    """Two edits of the same characters are refused."""
    with pytest.raises(ValueError, match="overlaps"):
        apply_edits("abcdef", [Edit(Span(0, 2), "x"), Edit(second, "y")])


@pytest.mark.parametrize(
    ("value", "style", "expected"),
    [
        pytest.param("nginx", "", "nginx", id="plain"),
        pytest.param("1.25", "", '"1.25"', id="number"),
        pytest.param("a: b", "", '"a: b"', id="colon"),
        pytest.param("it's", "'", "'it''s'", id="single"),
        pytest.param("a\nb", "'", '"a\\nb"', id="single can't hold a line end"),
        pytest.param("x", '"', '"x"', id="double"),
        pytest.param("", "", '""', id="nothing"),
    ],
)
def test_spell_scalar(value: str, style: str, expected: str) -> None:
    """A new scalar takes the style asked for, where that can hold it."""
    assert spell_scalar(value, style) == expected


@pytest.mark.parametrize(
    ("text", "plain", "expected"),
    [
        pytest.param("a: {{ .b }}\n", True, True, id="a value"),
        pytest.param("a: {{ .b }}\n", False, True, id="a value counts always"),
        pytest.param("a: x{{ .b }}\n", True, True, id="inside a plain text"),
        pytest.param("a: x{{ .b }}\n", False, False, id="which may not count"),
        pytest.param("a: '{{ .b }}'\n", True, False, id="in quotes"),
        pytest.param("a: |\n  {{ .b }}\n", True, False, id="in a literal"),
        pytest.param("a: 1 # {{ .b }}\n", True, False, id="in a comment"),
        pytest.param("a: {b: {c: d}}\n", True, False, id="maps in maps"),
        pytest.param("a: [{{b: c}: d}]\n", True, True, id="a map as a map's key"),
        pytest.param("a: { {b: c}: d}\n# {{\n", True, False, id="the same with a blank"),
    ],
)
def test_has_template(text: str, *, plain: bool, expected: bool) -> None:
    """Only braces that the YAML itself would trip over make a template."""
    assert only(text).has_template(plain=plain) is expected


def test_source_length() -> None:
    """A source is as long as its text."""
    assert len(SourceText("a😀")) == 2
