"""New keys and items, spelled and placed like their neighbours."""

import pytest
from source_shapes import only, values

from imageshift.errors import SourceError
from imageshift.source import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    apply_edits,
    insert_item,
    insert_key,
    remove_item,
    remove_key,
    walk,
)


def _holder(root: Node | None) -> Mapping:
    """Return the first mapping that has the key `a` written in it."""
    found = (node for node in walk(root) if isinstance(node, Mapping) and node.key("a"))
    return next(found)


def _insert(text: str, key: str = "new", value: str = "v") -> str:
    document = only(text)
    mapping = _holder(document.root)
    result = apply_edits(text, [insert_key(document, mapping, "a", key, value)])
    changed = _holder(only(result).root)
    added = [pair for pair in changed.own if isinstance(pair[0], Scalar) and pair[0].value == key]
    assert [node.value for node in added[0] if isinstance(node, Scalar)] == [key, value]
    changed.own.remove(added[0])
    assert values(changed) == values(mapping)
    return result


BLOCK = [
    pytest.param("a: 1\nb: 2\n", "a: 1\nnew: v\nb: 2\n", id="top"),
    pytest.param("a: 1 # c\nb: 2\n", "a: 1 # c\nnew: v\nb: 2\n", id="behind a comment"),
    pytest.param("r:\n  a: 1\n  b: 2\n", "r:\n  a: 1\n  new: v\n  b: 2\n", id="nested"),
    pytest.param("a: 1", "a: 1\nnew: v", id="no newline at the end"),
    pytest.param("a: 1 # c", "a: 1 # c\nnew: v", id="comment at the end"),
    pytest.param("r:\r\n  a: 1\r\n", "r:\r\n  a: 1\r\n  new: v\r\n", id="CRLF"),
    pytest.param("a: 1\rb: 2\r", "a: 1\rnew: v\rb: 2\r", id="lone CR"),
    pytest.param("\ufeffa: 1\nb: 2\n", "\ufeffa: 1\nnew: v\nb: 2\n", id="byte order mark"),
    pytest.param("- a: 1\n  b: 2\n", "- a: 1\n  new: v\n  b: 2\n", id="in an item"),
    pytest.param("- - a: 1\n", "- - a: 1\n    new: v\n", id="in an item's item"),
    pytest.param("-   a: 1\n    b: 2\n", "-   a: 1\n    new: v\n    b: 2\n", id="wide dash"),
    pytest.param("a: 'x'\n", "a: 'x'\nnew: 'v'\n", id="single quotes"),
    pytest.param('a: "x"\n', 'a: "x"\nnew: "v"\n', id="double quotes"),
    pytest.param("'a': x\n", "'a': x\n'new': v\n", id="a quoted key"),
    pytest.param("a:\nb: 2\n", "a:\nnew: v\nb: 2\n", id="no value"),
    pytest.param("a: # c\nb: 2\n", "a: # c\nnew: v\nb: 2\n", id="no value but a comment"),
    pytest.param("a: x\n  y\nb: 2\n", "a: x\n  y\nnew: v\nb: 2\n", id="plain on two lines"),
    pytest.param("a: 'x\n  # y'\nb: 2\n", "a: 'x\n  # y'\nnew: 'v'\nb: 2\n", id="hash in quotes"),
    pytest.param("a: |\n  x\n\nb: 2\n", "a: |\n  x\nnew: v\n\nb: 2\n", id="literal"),
    pytest.param("a: |+\n  x\n\nb: 2\n", "a: |+\n  x\n\nnew: v\nb: 2\n", id="kept blank lines"),
    pytest.param("r:\n  a: |+\n    x\n\n  b: 2\n", "r:\n  a: |+\n    x\n\n  new: v\n  b: 2\n",
        id="kept blank lines, nested"),
    pytest.param("a: |+\n  x\n\n", "a: |+\n  x\n\nnew: v\n", id="kept blank lines at the end"),
    pytest.param("a: |\n  x\n    \nb: 2\n", "a: |\n  x\n    \nnew: v\nb: 2\n",
        id="blanks that belong to a literal"),
    pytest.param("a: |\n  x\n  # y\n# c\nb: 2\n", "a: |\n  x\n  # y\nnew: v\n# c\nb: 2\n",
        id="a literal that ends with a hash"),
    pytest.param("a: |-\n  x", "a: |-\n  x\nnew: v", id="literal at the end of the text"),
    pytest.param("a: |\n", "a: |\nnew: v\n", id="empty literal"),
    pytest.param("a: >\r\n  x\r\n  y\r\nb: 2\r\n", "a: >\r\n  x\r\n  y\r\nnew: v\r\nb: 2\r\n",
        id="folded, CRLF"),
    pytest.param("a:\n  x: 1\n  y: 2 # c\n\n# d\nb: 2\n",
        "a:\n  x: 1\n  y: 2 # c\nnew: v\n\n# d\nb: 2\n", id="behind a mapping, before comments"),
    pytest.param("a:\n- x\n- y\nb: 2\n", "a:\n- x\n- y\nnew: v\nb: 2\n", id="behind a list"),
    pytest.param("a:\n  - x: |\n      y\n\n  # c\nb: 2\n",
        "a:\n  - x: |\n      y\nnew: v\n\n  # c\nb: 2\n", id="behind a literal inside"),
    pytest.param("a:\n  x:\n# c\nb: 2\n", "a:\n  x:\nnew: v\n# c\nb: 2\n", id="nothing inside"),
    pytest.param("a: {x: 1,\n  y: 2}\nb: 2\n", "a: {x: 1,\n  y: 2}\nnew: v\nb: 2\n",
        id="behind a flow mapping"),
    pytest.param("a: [\n  x, # c\n]\nb: 2\n", "a: [\n  x, # c\n]\nnew: v\nb: 2\n",
        id="behind a flow list"),
    pytest.param("z: &z 1\na: *z # c\nb: 2\n", "z: &z 1\na: *z # c\nnew: v\nb: 2\n",
        id="behind an alias"),
    pytest.param("z: &z\n  y: 1\na: *z\nb: 2\n", "z: &z\n  y: 1\na: *z\nnew: v\nb: 2\n",
        id="behind an alias of a mapping"),
    pytest.param("z: &z 1\na:\n  x: *z # c\n  # d\n\nb: 2\n",
        "z: &z 1\na:\n  x: *z # c\nnew: v\n  # d\n\nb: 2\n", id="behind an alias inside"),
    pytest.param("z: &z |\n  x\na:\n- *z\nb: 2\n", "z: &z |\n  x\na:\n- *z\nnew: v\nb: 2\n",
        id="behind an alias of a literal"),
    pytest.param("a:\n  y: &z |\n    x\n  w: *z\nb: 2\n",
        "a:\n  y: &z |\n    x\n  w: *z\nnew: v\nb: 2\n", id="behind an alias of what is inside"),
    pytest.param("a: &z 1\nb: *z\n", "a: &z 1\nnew: v\nb: *z\n", id="behind an anchored value"),
    pytest.param("r: &r\n  a: 1\nb: 2\n", "r: &r\n  a: 1\n  new: v\nb: 2\n", id="anchored mapping"),
    pytest.param("--- # c\na: 1\n...\n", "--- # c\na: 1\nnew: v\n...\n", id="markers"),
    pytest.param("r:\n  <<: {x: 1}\n  a: 1\n", "r:\n  <<: {x: 1}\n  a: 1\n  new: v\n", id="merge"),
    pytest.param("a: 1\na: 2\nb: 3\n", "a: 1\na: 2\nnew: v\nb: 3\n", id="of equal keys"),
    pytest.param("😀: 1\na: 😀 # 😀\nb: 2\n", "😀: 1\na: 😀 # 😀\nnew: v\nb: 2\n", id="emoji"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BLOCK)
def test_insert_key_in_block_style(text: str, expected: str) -> None:
    """The new line has the neighbour's column, quotes and line end, and nothing else moves."""
    assert _insert(text) == expected


FLOW = [
    pytest.param("{a: 1}", "{a: 1, new: v}", id="one pair"),
    pytest.param("{a: 1, b: 2}", "{a: 1, new: v, b: 2}", id="two pairs"),
    pytest.param("{ a: 1 }\n", "{ a: 1, new: v }\n", id="blanks"),
    pytest.param("{b: 2,a: 1}", "{b: 2,a: 1,new: v}", id="no blanks behind commas"),
    pytest.param("r: {a: 'x'} # c\n", "r: {a: 'x', new: 'v'} # c\n", id="quotes"),
    pytest.param("{a: }", "{a: , new: v}", id="no value"),
    pytest.param("{a, b: 1}", "{a, new: v, b: 1}", id="no colon"),
    pytest.param("{a: 1,}", "{a: 1, new: v,}", id="a comma at the end"),
    pytest.param("{a: {x: 1}, b: 2}", "{a: {x: 1}, new: v, b: 2}", id="a mapping as value"),
    pytest.param("{z: &z 1, a: *z, b: 2}", "{z: &z 1, a: *z, new: v, b: 2}", id="an alias"),
    pytest.param("[{a: 1}, {b: 2}]", "[{a: 1, new: v}, {b: 2}]", id="in a list"),
    pytest.param("r: &r {a: 1}\n", "r: &r {a: 1, new: v}\n", id="anchored"),
    pytest.param('{"a":"b"}', '{"a":"b","new":"v"}', id="compact JSON"),
    pytest.param('{"a":1,"c":2}', '{"a":1,"new":"v","c":2}', id="JSON number"),
    pytest.param('{"a":null}', '{"a":null,"new":"v"}', id="JSON null"),
    pytest.param('{"a": {"x": []}, "c": 1}', '{"a": {"x": []}, "new": "v", "c": 1}',
        id="JSON with blanks"),
    pytest.param('{\n  "a": "b",\n  "c": 1\n}\n', '{\n  "a": "b",\n  "new": "v",\n  "c": 1\n}\n',
        id="pretty JSON"),
    pytest.param('{\n\t"c": 1,\n\t"a": "b"\n}\n', '{\n\t"c": 1,\n\t"a": "b",\n\t"new": "v"\n}\n',
        id="pretty JSON with tabs, at the end"),
    pytest.param('{\r\n  "a": [\r\n    1\r\n  ]\r\n}',
        '{\r\n  "a": [\r\n    1\r\n  ],\r\n  "new": "v"\r\n}',
        id="pretty JSON, CRLF"),
    pytest.param('{"a" : 1}', '{"a" : 1, "new" : "v"}', id="a blank before the colon"),
    pytest.param("{'a':1}", "{'a':1, 'new': v}", id="single quotes, compact"),
    pytest.param('{"a":\n "b"}', '{"a":\n "b","new":"v"}', id="value on the next line"),
    pytest.param("{\n  a: 1, # c\n  b: 2\n}", "{\n  a: 1,\n  new: v, # c\n  b: 2\n}",
        id="a comment"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FLOW)
def test_insert_key_in_flow_style(text: str, expected: str) -> None:
    """The new pair has its neighbours' separators; in JSON it is JSON."""
    assert _insert(text) == expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("new", "a: b", 'a: x\nnew: "a: b"\n', id="a colon"),
        pytest.param("new", "1.25", 'a: x\nnew: "1.25"\n', id="a number"),
        pytest.param("y", "v", 'a: x\n"y": v\n', id="a key that Helm reads as true"),
        pytest.param("new", "", 'a: x\nnew: ""\n', id="nothing"),
        pytest.param("new", "${H}/docker-hub", 'a: x\nnew: "${H}/docker-hub"\n', id="a variable"),
    ],
)
def test_values_that_need_quotes(key: str, value: str, expected: str) -> None:
    """A text that plain style can't hold is quoted."""
    assert _insert("a: x\n", key, value) == expected


REFUSED = [
    pytest.param("b: &b {a: 1}\nr: {<<: *b, c: 1}\n", "r", id="a merged key"),
    pytest.param("r: {c: 1}\n", "r", id="no such key"),
    pytest.param("z: &z a\nr:\n  *z : 1\n", "r", id="an alias as key"),
    pytest.param("r:\n  ? a\n  : 1\n", "r", id="an explicit key"),
    pytest.param("r:\n  a: |\n    x", "r", id="a literal that would gain a line end"),
    pytest.param("r:\n  a: |+\n    x", "r", id="a kept one likewise"),
]


@pytest.mark.parametrize(("text", "key"), REFUSED)
def test_refused_keys(text: str, key: str) -> None:
    """Where a new key would change something else, it is refused."""
    document = only(text)
    mapping = document.mapping.mapping(key)
    assert mapping is not None
    with pytest.raises(SourceError) as caught:
        insert_key(document, mapping, "a", "new", "v")
    assert caught.value.reason == "style"


def test_a_single_pair_in_a_list() -> None:
    """`[a: b]` has no braces to put a second pair in."""
    document = only("[a: b, c]")
    with pytest.raises(SourceError, match="single pair") as caught:
        insert_key(document, _holder(document.root), "a", "new", "v")
    assert caught.value.reason == "style"


def _insert_item(text: str, lines: list[str]) -> str:
    document = only(text)
    sequence = document.mapping.get("l")
    assert isinstance(sequence, Sequence)
    result = apply_edits(text, [insert_item(document, sequence, lines)])
    changed = only(result).mapping.get("l")
    assert isinstance(changed, Sequence)
    assert values(changed.items[-1]) == values(only("\n".join(lines)).root)
    del changed.items[-1]
    assert values(changed) == values(sequence)
    return result


ITEMS = [
    pytest.param("l:\n  - x: 1\nb: 2\n", "l:\n  - x: 1\n  - n: c\n    m: d\nb: 2\n", id="indented"),
    pytest.param("l:\n- x\nb: 2\n", "l:\n- x\n- n: c\n  m: d\nb: 2\n", id="not indented"),
    pytest.param("l:\n-   x: 1\n    y: 2\n", "l:\n-   x: 1\n    y: 2\n-   n: c\n    m: d\n",
        id="wide dash"),
    pytest.param("l:\n- x # c\n# d\n\nb: 2\n", "l:\n- x # c\n- n: c\n  m: d\n# d\n\nb: 2\n",
        id="before comments"),
    pytest.param("l:\r\n- x\r\n", "l:\r\n- x\r\n- n: c\r\n  m: d\r\n", id="CRLF"),
    pytest.param("l:\n- x", "l:\n- x\n- n: c\n  m: d", id="no newline at the end"),
    pytest.param("l:\n-\n  x: 1\n", "l:\n-\n  x: 1\n- n: c\n  m: d\n", id="item on the next line"),
    pytest.param("l:\n- # a-b\n  x: 1\n", "l:\n- # a-b\n  x: 1\n- n: c\n  m: d\n",
        id="a dash in a comment"),
    pytest.param("l:\n- x\n# - y\n- z\n", "l:\n- x\n# - y\n- z\n- n: c\n  m: d\n",
        id="an item in a comment"),
    pytest.param("l:\n- x-y\n- &i z\nb: *i\n", "l:\n- x-y\n- &i z\n- n: c\n  m: d\nb: *i\n",
        id="an anchored item"),
    pytest.param("l: &l\n  - x\nb: 2\n", "l: &l\n  - x\n  - n: c\n    m: d\nb: 2\n",
        id="an anchored list"),
    pytest.param("z: &z 1\nl:\n  - *z\n  - x\n", "z: &z 1\nl:\n  - *z\n  - x\n  - n: c\n    m: d\n",
        id="behind an alias and a text"),
    pytest.param("l:\n- |\n  x\n\nb: 2\n", "l:\n- |\n  x\n- n: c\n  m: d\n\nb: 2\n", id="literal"),
    pytest.param("l:\n- |+\n  x\n\nb: 2\n", "l:\n- |+\n  x\n\n- n: c\n  m: d\nb: 2\n",
        id="kept blank lines"),
    pytest.param("l:\n-\nb: 2\n", "l:\n-\n- n: c\n  m: d\nb: 2\n", id="an empty item"),
    pytest.param("l:\n- {x: 1}\n- [y,\n  z]\n", "l:\n- {x: 1}\n- [y,\n  z]\n- n: c\n  m: d\n",
        id="flow items"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ITEMS)
def test_insert_item(text: str, expected: str) -> None:
    """The new item stands at the list's end, with its column and dash."""
    assert _insert_item(text, ["n: c", "m: d"]) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("l: [x]\n", id="flow style"),
        pytest.param("l: []\n", id="empty"),
        pytest.param("z: &z 1\nl:\n- x\n- *z\n", id="an alias at the end"),
        pytest.param("l:\n- &z x\n- *z\n", id="an alias of an item"),
        pytest.param("l:\n- {y: &z x}\n- *z\n", id="an alias of what is in an item"),
        pytest.param("l:\n- |\n  x", id="a literal that would gain a line end"),
    ],
)
def test_refused_items(text: str) -> None:
    """Where an item can't be added safely, it is refused."""
    document = only(text)
    sequence = document.mapping.get("l")
    assert isinstance(sequence, Sequence)
    with pytest.raises(SourceError) as caught:
        insert_item(document, sequence, ["n: c"])
    assert caught.value.reason == "style"


@pytest.mark.parametrize(("text", "longer"), [*BLOCK, *FLOW])
def test_a_key_that_was_added_can_be_taken_out(text: str, longer: str) -> None:
    """Every byte of before comes back."""
    document = only(longer)

    assert apply_edits(longer, [remove_key(document, _holder(document.root), "new")]) == text


FLOW_ITEMS = [
    pytest.param("l: [x]\n", "l: [x, y]\n", id="flow style"),
    pytest.param("l: [{a: b}]\n", "l: [{a: b},\n  {c: d}]\n", id="flow style on two lines"),
]


@pytest.mark.parametrize(("text", "longer"), [*ITEMS, *FLOW_ITEMS])
def test_an_item_that_was_added_can_be_taken_out(text: str, longer: str) -> None:
    """Every byte of before comes back."""
    document = only(longer)
    sequence = document.mapping.get("l")
    assert isinstance(sequence, Sequence)

    taken = remove_item(document, sequence, len(sequence.items) - 1)

    assert apply_edits(longer, [taken]) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("r:\n  a: 1\n  new: v # c\n", id="a comment"),
        pytest.param("r:\n  a: 1\n  new:\n    # c\n    x: 1\n", id="a comment inside"),
        pytest.param("r:\n  a: 1\n  new: &n v\n", id="an anchor"),
        pytest.param("z: &z 1\nr:\n  a: 1\n  new: [*z]\n", id="an alias inside"),
        pytest.param("l:\n- new: v\n  a: 1\n", id="the first key of an item"),
        pytest.param("{new: v, a: 1}\n", id="the first key in flow style"),
        pytest.param("r:\n  new: v\na: 1\n", id="the only key"),
        pytest.param("new: v\na: 1\n", id="the first line"),
        pytest.param("r: &r {new: v}\nb:\n  <<: *r\n  a: 1\n", id="a merged key"),
    ],
)
def test_keys_that_stay(text: str) -> None:
    """A key that more hangs on than its own lines isn't taken out."""
    root = only(text).root
    found = [n for n in walk(root) if isinstance(n, Mapping) and (n.get("new") or n.key("a"))]

    for mapping in found:
        with pytest.raises(SourceError) as caught:
            remove_key(only(text), mapping, "new")
        assert caught.value.reason == "style"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("l: [x, # c\n y]\n", id="a comment in flow style"),
        pytest.param("l:\n- x\n", id="the only item"),
        pytest.param("l:\n- x\n- y # c\n", id="a comment"),
        pytest.param("l:\n- x\n- &y y\n", id="an anchor"),
        pytest.param("l:\n- &x x\n- *x\n", id="an alias"),
        pytest.param("l:\n- x\n- # c\n  y: 1\n", id="a comment behind the dash"),
    ],
)
def test_items_that_stay(text: str) -> None:
    """An item that more hangs on than its own lines isn't taken out."""
    document = only(text)
    sequence = document.mapping.get("l")
    assert isinstance(sequence, Sequence)

    with pytest.raises(SourceError) as caught:
        remove_item(document, sequence, len(sequence.items) - 1)
    assert caught.value.reason == "style"
