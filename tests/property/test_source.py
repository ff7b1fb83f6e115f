"""What must hold for every YAML text: places, values, cuts and edits (design §8)."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from imageshift.errors import SourceError
from imageshift.source import (
    Document,
    Edit,
    Mapping,
    Node,
    Root,
    Scalar,
    Sequence,
    SourceText,
    Span,
    apply_edits,
    insert_item,
    insert_key,
    parse_embedded,
    split_documents,
    walk,
)
from imageshift.source.scalar import decode, quote
from imageshift.source.tree import _parse_pure, parse_events

from .yaml_strategies import files, words

pytestmark = pytest.mark.property

patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def outline(root: Root) -> object:
    """Return a tree with its offsets."""
    if isinstance(root, Scalar):
        return (root.start, root.end, root.anchor, root.value, root.style, root.tag)
    if isinstance(root, Mapping):
        pairs = [(outline(key), outline(value)) for key, value in root.own]
        return (root.start, root.end, root.anchor, root.flow, pairs)
    if isinstance(root, Sequence):
        return (root.start, root.end, root.anchor, root.flow, [*map(outline, root.items)])
    return None


def values(root: Root, changed: dict[int, str]) -> object:
    """Return a tree's values; those of changed scalars as they shall become."""
    if isinstance(root, Scalar):
        value = changed.get(id(root), root.value)
        return (value, id(root) in changed or root.is_string or root.value, root.anchor)
    if isinstance(root, Mapping):
        return [(values(key, changed), values(value, changed)) for key, value in root.own]
    assert isinstance(root, Sequence)
    return [values(item, changed) for item in root.items]


def read(text: str) -> list[Document]:
    """Return a text's documents; a text that is no YAML is no example."""
    try:
        chunks = list(split_documents(SourceText(text)))
        return [document for chunk in chunks for document in chunk.documents()]
    except SourceError:
        assume(condition=False)
        raise


def scalars(documents: list[Document]) -> Iterator[tuple[Document, Scalar]]:
    """Return every scalar with its document."""
    for document in documents:
        for node in walk(document.root):
            if isinstance(node, Scalar):
                yield document, node


def attempt(make: Callable[[], Edit]) -> Edit | None:
    """Return an edit, or None where the spelling can't be edited."""
    try:
        edit = make()
    except SourceError as error:
        if error.reason != "style":
            raise
        event("refused")
        return None
    event("edited")
    return edit


def holders(documents: list[Document], kind: type[Node]) -> list[tuple[Document, Node]]:
    """Return the nodes of a kind that aren't shared, with their documents."""
    return [(document, node) for document in documents for node in walk(document.root)
            if isinstance(node, kind)]  # fmt: skip


@patient
@given(text=files())
def test_no_edits_no_change(text: str) -> None:
    """Bytes read and not edited are the same bytes."""
    source = SourceText.decode(text.encode())
    assert apply_edits(source.text, []).encode() == text.encode()


@patient
@given(text=files())
def test_cut_documents_are_the_whole_texts(text: str) -> None:
    """Documents found in chunks are those of the text, with places and numbers."""
    found = read(text)
    whole = parse_events(text)
    assert [outline(document.root) for document in found] == [outline(root) for root, _, _ in whole]
    assert [document.index for document in found] == list(range(len(whole)))


@patient
@given(text=files())
def test_both_parsers_agree(text: str) -> None:
    """Libyaml and the pure parser give one tree."""
    read(text)
    try:
        pure = _parse_pure(text, 0)
    except Exception:
        assume(condition=False)
        raise
    assert [outline(root) for root, _, _ in pure] == [
        outline(root) for root, _, _ in parse_events(text)
    ]


@patient
@given(text=files())
def test_every_value_is_followed(text: str) -> None:
    """Each scalar's value is decoded, and each run of it stands in the text verbatim."""
    for _, scalar in scalars(read(text)):
        decoded = decode(text, scalar)
        assert decoded.value == scalar.value
        for run in decoded.runs:
            inner = scalar.value[run.inner : run.inner + run.length]
            assert text[run.outer : run.outer + run.length] == inner


@patient
@given(text=files())
def test_places_lead_back(text: str) -> None:
    """Line and column of a scalar are those of its first character."""
    documents = read(text)
    mark = text.startswith("\ufeff")
    for document, scalar in scalars(documents):
        place = document.place(scalar.start)
        before = text[mark : scalar.start].replace("\r\n", "\n").replace("\r", "\n")
        assert place.line == before.count("\n") + 1
        assert place.column == len(before) - (before.rfind("\n") + 1) + 1


@patient
@given(text=files(), data=st.data())
def test_replacements_change_nothing_else(text: str, data: st.DataObject) -> None:
    """A result is the same tree but for the changed scalars, and the same text but in the spans."""
    documents = read(text)
    keys = {id(key) for document in documents for node in walk(document.root)
            if isinstance(node, Mapping) for key, _ in node.own}  # fmt: skip
    found = [pair for pair in scalars(documents) if id(pair[1]) not in keys]
    assume(found)
    chosen = data.draw(st.lists(st.sampled_from(found), unique_by=lambda pair: id(pair[1])))
    edits: list[Edit] = []
    changed: dict[int, str] = {}
    for document, scalar in chosen:
        old = scalar.value[: data.draw(st.integers(0, len(scalar.value)))]
        new = data.draw(st.sampled_from(["ecr.aws/hub/nginx", "${H}/x", "1.5", "it's", "a: b"]))
        edit = attempt(partial(document.replace, scalar, old, new))
        if edit is not None:
            edits.append(edit)
            changed[id(scalar)] = new + scalar.value[len(old) :]
    result = apply_edits(text, edits)
    again = [d for c in split_documents(SourceText(result)) for d in c.documents()]
    assert [values(document.root, {}) for document in again] == [
        values(document.root, changed) for document in documents
    ]
    assert outside(text, edits) == outside_of_result(text, result, edits)


def outside(text: str, edits: list[Edit]) -> list[str]:
    """Return the stretches of a text between the edits' spans."""
    ends = [0, *(edit.span.end for edit in sorted(edits))]
    starts = [*(edit.span.start for edit in sorted(edits)), len(text)]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]


def outside_of_result(text: str, result: str, edits: list[Edit]) -> list[str]:
    """Return the same stretches, cut from the result by the lengths of what was put in."""
    moved: list[Edit] = []
    shift = 0
    for edit in sorted(edits):
        start = edit.span.start + shift
        moved.append(Edit(Span(start, start + len(edit.text)), ""))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    assert len(result) == len(text) + shift
    return outside(result, moved)


def _added(root: Root, key: str) -> Root:
    """Return a tree without the one pair that has a key."""
    pairs = [(node, pair) for node in walk(root) if isinstance(node, Mapping) for pair in node.own
             if isinstance(pair[0], Scalar) and pair[0].value == key]  # fmt: skip
    ((mapping, pair),) = pairs
    mapping.own.remove(pair)
    return root


@patient
@given(text=files(), value=words, data=st.data())
def test_a_new_key_changes_nothing_else(text: str, value: str, data: st.DataObject) -> None:
    """Beside any key a new one can be put, and the tree gains just that."""
    documents = read(text)
    mappings = [(d, m) for d, m in holders(documents, Mapping) if isinstance(m, Mapping) and m.own]
    document, mapping = data.draw(st.sampled_from(mappings))
    key = data.draw(st.sampled_from([key for key, _ in mapping.own]))
    assert isinstance(key, Scalar)
    edit = attempt(partial(insert_key, document, mapping, key.value, "new key", value))
    if edit is None:
        return
    result = apply_edits(text, [edit])
    again = [d for c in split_documents(SourceText(result)) for d in c.documents()]
    assert len(again) == len(documents)
    _added(again[document.index].root, "new key")
    assert [values(d.root, {}) for d in again] == [values(d.root, {}) for d in documents]


@patient
@given(text=files(), data=st.data())
def test_a_new_item_changes_nothing_else(text: str, data: st.DataObject) -> None:
    """At the end of any block sequence an item can be put, and the tree gains just that."""
    documents = read(text)
    found = holders(documents, Sequence)
    assume(found)
    document, sequence = data.draw(st.sampled_from(found))
    assert isinstance(sequence, Sequence)
    edit = attempt(partial(insert_item, document, sequence, ["new: 1", "b: 2"]))
    if edit is None:
        return
    result = apply_edits(text, [edit])
    again = [d for c in split_documents(SourceText(result)) for d in c.documents()]
    for node in list(walk(again[document.index].root)):
        if isinstance(node, Sequence):
            node.items[:] = [item for item in node.items
                             if not (isinstance(item, Mapping) and item.key("new"))]  # fmt: skip
    assert [values(d.root, {}) for d in again] == [values(d.root, {}) for d in documents]


def _holding(text: str, style: str) -> str:
    """Return a file whose key `data` holds a text in a style."""
    if style == "|":
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "data: |2\n" + "\n".join(f"  {line}" if line else "" for line in lines)
    return f"data: {style}{quote(text, style)}{style}\n"


@patient
@given(text=files(), style=st.sampled_from(["|", '"']), crlf=st.booleans(), data=st.data())
def test_edits_inside_a_scalar(text: str, style: str, *, crlf: bool, data: st.DataObject) -> None:
    """An edit of YAML inside a scalar changes that scalar's inside alone."""
    read(text)
    outer = _holding(text, style)
    outer = outer.replace("\n", "\r\n") if crlf else outer
    (document,) = read(outer)
    holder = document.mapping.scalar("data")
    assert holder is not None
    try:
        inner = parse_embedded(document, holder)
    except SourceError:
        assume(condition=False)
        raise
    chosen, scalar = data.draw(st.sampled_from(list(scalars(inner))))
    edit = attempt(partial(chosen.replace, scalar, scalar.value, "ecr.aws/hub/nginx"))
    if edit is None:
        return
    (again,) = read(apply_edits(outer, [edit]))
    changed = again.mapping.scalar("data")
    assert changed is not None
    assert [values(d.root, {}) for d in parse_embedded(again, changed)] == [
        values(d.root, {id(scalar): "ecr.aws/hub/nginx"}) for d in inner
    ]
