"""libyaml and the pure parser give one tree: same offsets, whoever reads a text."""

import pytest
from _ruamel_yaml import CParser
from source_shapes import shape

from imageshift.source import Root, SourceText
from imageshift.source.tree import (
    _Builder,
    _parse_pure,
    parse_events,
)

TEXTS = [
    pytest.param("a: nginx\nb: [c, 'd', \"e\"]\n", id="styles"),
    pytest.param("a: b\r\nc:\r\n  - d\r\n", id="CRLF"),
    pytest.param("# c\ra: b\r", id="lone CR"),
    pytest.param("a: b", id="no newline at the end"),
    pytest.param("a: '😀'\nb: 😀😀 # 😀\nc: d\n", id="emoji"),
    pytest.param("a: |\n  x\n\n  y\n\nb: >-\n  x\n  y\n# c\nd: 1\n", id="blocks"),
    pytest.param("r:\n  a: |+\n    x\n\n  # c\n  b: 1\n", id="comment behind a kept blank line"),
    pytest.param("a: |2-\n    x\n", id="indentation indicator"),
    pytest.param("a: |\n  x", id="block without a newline"),
    pytest.param("a: &x !!str b\nc: *x\n<<: {d: e}\n", id="anchor, tag, alias, merge"),
    pytest.param("a: !t &x b\nc: &y !t d\n", id="tag before and behind an anchor"),
    pytest.param("a: !<x:y,z> b\nc: ! d\n", id="verbatim and bare tags"),
    pytest.param("&m\na: &s\n- b\n", id="anchored collections"),
    pytest.param("a: # c\n  # d\nb:\nc: # e\n", id="empty values before comments"),
    pytest.param("a: &x # c\nb: !t\nc:\n", id="empty values with anchor and tag"),
    pytest.param("- # c\n- a\n-\n- - # d\n  - e\n", id="empty items"),
    pytest.param("{a: , b: c, d}", id="empty flow values"),
    pytest.param("{a:\n  # c\n}", id="empty flow value before a comment"),
    pytest.param("[a: b, {c}]", id="single pairs"),
    pytest.param("? a\n: b\n? c\n? [d]\n: e\n", id="explicit keys"),
    pytest.param('{"a":"b","c":[1,null]}', id="compact JSON"),
    pytest.param('{\n  "a": "b",\n  "c": {}\n}\n', id="pretty JSON"),
    pytest.param("a: x\n  y\n\n  z\nb: 'x\n\n  y'\nc: \"x\\\n  y\"\n", id="folded lines"),
    pytest.param("a:\n  b: 1\n  # c\n# d\ne: 1\n", id="comments at two indents"),
    pytest.param("---\n---\na\n...\n# c\n---\n- b\n", id="documents"),
    pytest.param("%YAML 1.1\n%TAG !e! tag:e,1:\n--- !e!x\na: 1\n", id="directives"),
    pytest.param("# only\n", id="comments alone"),
    pytest.param("", id="nothing"),
]


def _shapes(documents: list[tuple[Root, int, int]]) -> list[object]:
    return [(shape(root), start, end) for root, start, end in documents]


@pytest.mark.parametrize("text", TEXTS)
def test_both_parsers_agree(text: str) -> None:
    """Both give the same nodes, offsets, styles, anchors and tags."""
    libyaml = _Builder(CParser(text).get_event, 7).documents()
    assert _shapes(libyaml) == _shapes(_parse_pure(text, 7))


@pytest.mark.parametrize("text", TEXTS)
def test_both_parsers_agree_behind_a_mark(text: str) -> None:
    """A byte order mark counts as one character, whoever reads the text."""
    text = "\ufeff" + text
    assert _shapes(parse_events(text)) == _shapes(_parse_pure(text, 0))


ONE_ONLY = [
    pytest.param("a:\tb\n", ["a", "b"], id="libyaml alone takes a tab behind a colon"),
    pytest.param("{a:, b: c}", ["a:", "", "b", "c"], id="the pure parser alone ends a key so"),
    pytest.param("{a: b:1}", ["a", "b:1"], id="the pure parser alone reads a colon in flow style"),
    pytest.param("{a: b:1,\tc: 'd\te'}\t# f\n", ["a", "b:1", "c", "d\te"],
        id="neither reads this, with tabs, as it stands"),
    pytest.param('a: "\\ud83d\\ude00"', ["a", "\ud83d\ude00"],
        id="the pure parser alone reads JSON's surrogates"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ONE_ONLY)
def test_one_parser_is_enough(text: str, expected: list[str]) -> None:
    """What only one of the two reads is read."""
    ((root, _, _),) = parse_events(text)
    pairs = root.own  # type: ignore[union-attr]
    assert [part.value for pair in pairs for part in pair] == expected


@pytest.mark.parametrize("mark", [pytest.param("", id="plain"), pytest.param("\ufeff", id="mark")])
def test_places_in_both(mark: str) -> None:
    """Line and column of a node are the same from both parsers."""
    text = f"{mark}a: 1\r\nb:\r\n  - 😀: x\r\n"
    places = []
    for documents in (parse_events(text), _parse_pure(text, 0)):
        item = documents[0][0].own[1][1].items[0]  # type: ignore[union-attr]
        places.append(SourceText(text).place(item.own[0][1].start))
    assert [(place.line, place.column) for place in places] == [(3, 8), (3, 8)]
