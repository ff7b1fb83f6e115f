"""Hypothesis strategies: YAML texts that mix styles, comments, anchors, line ends and emoji."""

from hypothesis import strategies as st

__all__ = ["NAMES", "documents", "files", "line_ends", "words"]

NAMES = ("image", "a", "b", "c-d", "x.y", "😀")
"""The keys that a generated mapping may have."""

_WORDS = [
    *("nginx", "nginx:1.25", "ghcr.io/a/b:v1@sha256:0", "x:${TAG}", "--flag=x:1", "${A}", "x"),
    *("it's", 'say "x"', "''", "a b", "a  b", "a ", "a#b", "a # b", "a: b", "-", "*a", "{{ .x }}"),
    *("1.25", "true", "", "~", "😀", "é", "\\n", "\x07", "\ta"),
    *("a\nb", "a\n\nb\n", "  a\nb", "a\n  b\n"),
]
words = st.sampled_from(_WORDS)
"""Values of scalars."""

line_ends = st.sampled_from(["\n", "\n", "\r\n", "\r"])
"""Line ends, one for a whole file."""

_comments = st.sampled_from(["", "", "", " # c", '\t# it\'s "x"', "  # 😀 a: b"])
_blank_lines = st.sampled_from(["", "", "", "\n", "# c: d\n", "\n  # - c\n\n"])
_plain = st.sampled_from(
    ["nginx", "nginx:1.25", "a/b@sha256:0", "x#y", "1.25", "true", "~", "", "😀", "it's", "a\\nb"]
)
_words_behind = st.sampled_from(["", " b", "  b:c", " --x=${A}"])


def _double(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("\x07", "\\a").replace("\t", "\\t").replace("é", "\\u00e9") + '"'


def _single(word: str) -> str:
    return "'" + word.replace("'", "''").replace("\n", " ").replace("\x07", "") + "'"


@st.composite
def _lines(draw: st.DrawFn, indent: int) -> str:
    """Return a block scalar's lines, the first of them with text."""
    texts = ["nginx:1", "a b", "# no comment", "it's \\n", "😀", "k: v", "- x"]
    first = draw(st.sampled_from(texts))
    more = draw(st.lists(st.sampled_from([*texts, "", "  deeper", "\tx"]), max_size=3))
    return "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in [first, *more])


@st.composite
def _block(draw: st.DrawFn, indent: int) -> str:
    """Return a literal or folded scalar, deeper than `indent`."""
    width = draw(st.integers(1, 4))
    head = draw(st.sampled_from(["|", ">"])) + draw(st.sampled_from(["", "-", "+"]))
    comment = draw(st.sampled_from(["", " # c"]))
    return head + comment + draw(_lines(indent + width)) + draw(st.sampled_from(["", "\n"]))


@st.composite
def _line_scalar(draw: st.DrawFn, indent: int) -> str:
    """Return a plain or quoted scalar, over two lines at times."""
    style = draw(st.sampled_from(["plain", "single", "double", "fold"]))
    if style == "plain":
        plain = draw(_plain)
        return plain + draw(_words_behind) if plain else ""
    if style == "single":
        return _single(draw(words))
    if style == "double":
        return _double(draw(words))
    quotes = draw(st.sampled_from(["", "'", '"']))
    gap = draw(st.sampled_from(["\n", "\n\n", " \n"]))
    return f"{quotes}nginx{gap}{' ' * (indent + 2)}b:1{quotes}"


@st.composite
def _flow(draw: st.DrawFn, depth: int = 0) -> str:
    """Return a flow collection on one line."""
    quoted = st.builds(_double, words) | st.builds(_single, words)
    inner = quoted | st.sampled_from(["nginx:1", "x", "1.25", "😀"])
    if depth < 2:
        inner |= _flow(depth + 1)
    if draw(st.booleans()):
        return "[" + ", ".join(draw(st.lists(inner, max_size=3))) + "]"
    keys = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    return "{" + ", ".join(f"{key}: {draw(inner)}" for key in keys) + "}"


@st.composite
def _value(draw: st.DrawFn, indent: int, depth: int) -> str:
    """Return what stands behind a colon or dash, with the blank before it."""
    kinds = ["scalar", "scalar", "block", "flow", "alias", "anchored"]
    kind = draw(st.sampled_from(kinds if depth > 2 else [*kinds, "mapping", "sequence"]))
    if kind == "mapping":
        return draw(_comments) + "\n" + draw(_mapping(indent + 2, depth + 1))
    if kind == "sequence":
        return draw(_comments) + "\n" + draw(_sequence(indent + 2, depth + 1))
    if kind == "block":
        return " " + draw(_block(indent)) + "\n"
    if kind == "alias":
        return " *first" + draw(_comments) + "\n"
    anchor = draw(st.sampled_from(["&first ", "&other ", "!!str "])) if kind == "anchored" else ""
    text = draw(_flow()) if kind == "flow" else draw(_line_scalar(indent))
    return " " + anchor + text + draw(_comments) + "\n"


@st.composite
def _mapping(draw: st.DrawFn, indent: int, depth: int) -> str:
    """Return a block mapping's lines."""
    keys = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    lines = [
        f"{draw(_blank_lines)}{' ' * indent}{key}:{draw(_value(indent, depth))}" for key in keys
    ]
    return "".join(lines)


@st.composite
def _sequence(draw: st.DrawFn, indent: int, depth: int) -> str:
    """Return a block sequence's lines."""
    values = draw(st.lists(_value(indent, depth), min_size=1, max_size=3))
    return "".join(f"{draw(_blank_lines)}{' ' * indent}-{value}" for value in values)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a document: a mapping whose first key holds the anchor that aliases mean."""
    head = "first: &first nginx" + draw(_comments) + "\n"
    return head + draw(_mapping(0, 0)).replace("\nfirst:", "\nsecond:")


@st.composite
def files(draw: st.DrawFn) -> str:
    """Return a file of one or more documents, with its own line ends, mark and ending."""
    separator = draw(st.sampled_from(["---\n", "--- # c\n", "...\n---\n"]))
    parts = draw(st.lists(documents(), min_size=1, max_size=3))
    head = draw(st.sampled_from(["", "", "---\n", "# head\n", "# head\n---\n"]))
    text = head + separator.join(parts)
    text = text if draw(st.booleans()) else text.rstrip("\n")
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + text.replace("\n", draw(line_ends))
