"""A text cut at its markers has the documents that a parser of the whole finds."""

import pytest
from source_shapes import shape

from imageshift.source import SourceText, split_documents
from imageshift.source.tree import parse_events

TEXTS = [
    pytest.param("a: 1\n---\nb: 2\n---\n- c\n", 3, id="three documents"),
    pytest.param("---\na: 1\n---\n", 2, id="an empty one at the end"),
    pytest.param("# head\n\n---\na: 1\n--- # c\nb: 2\n", 2, id="a comment head"),
    pytest.param("\ufeff---\na: 1\n---\nb: 2\n", 2, id="behind a mark"),
    pytest.param("\ufeffa: 1\n---\nb: 2\n", 2, id="mark and content"),
    pytest.param("\ufeff# head\n---\nb: 2\n", 1, id="mark and comment"),
    pytest.param("a: 1\r\n---\r\nb: 2\r\n", 2, id="CRLF"),
    pytest.param("a: 1\r---\rb: 2", 2, id="lone CR"),
    pytest.param("a: 1\n---", 2, id="a marker ends the text"),
    pytest.param("--- a\n--- |\n b\n---\t'c'\n", 3, id="content behind markers"),
    pytest.param("a: '--- '\nb: |\n  ---\n  c\n# ---\nd: x ---\n", 1, id="no marker among many"),
    pytest.param("----: 1\n---x: 2\n", 1, id="longer words"),
    pytest.param("-----\n---\nx\n", 2, id="a line of dashes"),
    pytest.param("# -----\n# ---\na: 1\n", 1, id="lines of dashes in comments"),
    pytest.param("%YAML 1.1\n---\na: 1\n---\nb: 2\n", 1, id="directives are left to the parser"),
    pytest.param("a: 1\n...\n---\nb: 2\n", 1, id="end markers are left to the parser"),
    pytest.param("a: 1\n...\n# c\n", 1, id="an end marker alone"),
    pytest.param("a: x\n  %y\n---\nb: 1\n", 2, id="a percent sign in a text"),
    pytest.param("# c\u2028---\na: 1\n---\nb: 2\n", 1, id="YAML 1.1's line ends, likewise"),
    pytest.param("a: 1\n\ufeff# c\n---\nb: 2\n", 1, id="a mark further in, likewise"),
    pytest.param("", 0, id="nothing"),
    pytest.param("\n# a\n  \n # b", 0, id="comments alone"),
    pytest.param("---\n# c\n---\n", 2, id="comments behind markers"),
]


@pytest.mark.parametrize(("text", "count"), TEXTS)
def test_split(text: str, count: int) -> None:
    """The chunks' documents are the whole text's, with its offsets and numbers."""
    chunks = list(split_documents(SourceText(text)))
    assert len(chunks) == count
    found = [document for chunk in chunks for document in chunk.documents()]
    whole = parse_events(text)
    assert [shape(document.root) for document in found] == [shape(root) for root, _, _ in whole]
    assert [document.start for document in found] == [start for _, start, _ in whole]
    assert [document.index for document in found] == list(range(len(whole)))


def test_chunks_cover_the_text() -> None:
    """From the first chunk on every character belongs to one."""
    text = "# head\n---\na: 1\n---\nb: 2\n"
    chunks = list(split_documents(SourceText(text)))
    assert "".join(chunk.text for chunk in chunks) == text.removeprefix("# head\n")
    assert [(chunk.start, chunk.index) for chunk in chunks] == [(7, 0), (16, 1)]


def test_a_marker_ends_a_root_literal() -> None:
    """A `---` at a line's start is a marker even in a text without indent, as in kubectl."""
    first, second = split_documents(SourceText("|\nx\n---\na: 1\n"))
    assert [chunk.documents()[0].index for chunk in (first, second)] == [0, 1]
