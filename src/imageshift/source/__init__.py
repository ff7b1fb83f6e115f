"""Text, spans, edits, and YAML documents with the place of every scalar."""

from imageshift.source.document import (
    Chunk,
    Document,
    embedded_text,
    parse_embedded,
    split_documents,
)
from imageshift.source.insert import insert_item, insert_key
from imageshift.source.nested import insert_items, insert_pairs
from imageshift.source.plain import to_plain
from imageshift.source.remove import remove_item, remove_key
from imageshift.source.sameness import same_but_for
from imageshift.source.scalar import spell_scalar
from imageshift.source.secrets import hide_secrets
from imageshift.source.template import parse_template, template_documents
from imageshift.source.text import Edit, Place, SourceText, Span, apply_edits
from imageshift.source.tree import Mapping, Node, Root, Scalar, Sequence, walk

__all__ = [
    "Chunk",
    "Document",
    "Edit",
    "Mapping",
    "Node",
    "Place",
    "Root",
    "Scalar",
    "Sequence",
    "SourceText",
    "Span",
    "apply_edits",
    "embedded_text",
    "hide_secrets",
    "insert_item",
    "insert_items",
    "insert_key",
    "insert_pairs",
    "parse_embedded",
    "parse_template",
    "remove_item",
    "remove_key",
    "same_but_for",
    "spell_scalar",
    "split_documents",
    "template_documents",
    "to_plain",
    "walk",
]
