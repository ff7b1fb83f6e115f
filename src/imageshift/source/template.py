"""Texts that are templates: what stands in them as YAML once their actions are set aside.

No action is evaluated. Each keeps its characters, so that every other one stays where it is: a
line of control actions becomes blank, any other action a piece of text. All branches are read.
"""

import re

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.document import Document, embedded_text, parse_embedded
from imageshift.source.text import SourceText
from imageshift.source.tree import Root, Scalar, parse_events, walk

__all__ = ["parse_template", "template_documents"]

# Characters that stand in no text of ours, and that YAML reads like letters.
_CONTROL, _OTHER = "\ue000", "\ue001"
_ACTION = lazy_re(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}|<<[^<>\r\n]*+>>")
# What writes nothing, or whole lines; any other action may go on with the value before it.
_CONTROLS = lazy_re(
    r"..-?\s*+(?:/\*|\$\w*+\s*+:?=|(?:if|else|end|range|with|define|block|template"
    r"|include|toYaml|tpl|break|continue)\b)"
)
_CONTROL_LINE = lazy_re(rf"^[ \t]*+{_CONTROL}[{_CONTROL} \t]*+$", re.MULTILINE)
_RUN = lazy_re(f"[{_CONTROL}{_OTHER}]+")
_LETTER = lazy_re(r"[^\r\n]")


def parse_template(document: Document, scalar: Scalar) -> list[Document]:
    """The documents inside a scalar, also where it is a template and no YAML until it is filled.

    Those of such a template are `masked`: literal texts in them have their places.

    Raises:
        SourceError: the text can't be read, even without its actions.
    """
    refused: SourceError | None = None
    try:
        found = parse_embedded(document, scalar)
    except SourceError as error:
        found, refused = [], error
    if refused is None and not any(inner.has_template(plain=False) for inner in found):
        return found
    if refused is not None and _ACTION.search(scalar.value) is None:
        raise refused
    inner = embedded_text(document, scalar)
    try:
        trees = _trees(inner.source.text)
    except SourceError:
        if refused is None:
            return found
        raise refused from None
    return [_masked(inner, number, tree) for number, tree in enumerate(trees)]


def template_documents(source: SourceText) -> list[Document]:
    """The documents of a text that is a template, all `masked`; none where it can't be read."""
    whole = Document(source, None, 0, 0, len(source))
    try:
        trees = _trees(source.text)
    except SourceError:
        return []
    return [_masked(whole, number, tree) for number, tree in enumerate(trees)]


def _masked(whole: Document, number: int, tree: tuple[Root, int, int]) -> Document:
    root, start, end = tree
    made = Document(whole.source, root, number, start, end, whole.outer)
    made.masked = True
    return made


def _trees(text: str) -> list[tuple[Root, int, int]]:
    """The trees of a template, with the actions in their scalars as they are written.

    Raises:
        SourceError: it is no YAML without its actions either.
    """
    masked = _CONTROL_LINE.sub(lambda line: " " * len(line[0]), _ACTION.sub(_mask, text))
    found = parse_events(masked)
    for node in (node for root, _, _ in found for node in walk(root)):
        if isinstance(node, Scalar) and _RUN.search(node.value) is not None:
            runs = _RUN.finditer(masked, node.start, node.end)
            node.value = _filled(node.value, [text[run.start() : run.end()] for run in runs])
    return found


def _filled(value: str, written: list[str]) -> str:
    """A value with what is written in the place of each masked run."""
    left = iter(written)
    return _RUN.sub(lambda run: next(left, run[0]), value)


def _mask(action: re.Match[str]) -> str:
    return _LETTER.sub(_CONTROL if _CONTROLS.match(action[0]) else _OTHER, action[0])
