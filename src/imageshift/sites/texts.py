"""Texts that name an image, found in any text without knowing what it is.

The finders know where images stand. This one knows only what they look like, so that whatever
the finders leave can be listed. All its patterns begin with plain letters: such a search takes 2 ms
for a megabyte, one for the hosts themselves 150.
"""

import re
from collections.abc import Iterator

from imageshift.data.registries import REGISTRY_HOSTS, is_registry_host
from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.source import Span
from imageshift.words import has_any

__all__ = ["find_image_lines", "find_reference_texts", "may_name_images", "may_name_registry"]

_VARIABLE = r"\$\{[^{}\s]*\}|\$\([^()\s]*\)|\$\w+|\{\{[^{}\r\n]*\}\}"
_TOKEN = lazy_re(rf"(?:[\w.:/@+-]|{_VARIABLE})+")
_BACKWARD = lazy_re(r"[\w.:/@+-]*+")
# No reference is longer; whatever is looked at around one has a limit, so that time has one.
_FARTHEST = 300
_DIGEST = lazy_re("@sha256:")
# What no key of an image says, though its value looks like one.
_ADDRESS = lazy_re(r"(?:[uU][rR][lL]s?|sourceRepos|home|sources)[\"']?[ \t]*[:=][ \t]*[\"']?\Z")
# A tag with its digest, as in Helm values whose chart has the repository.
_TAG = lazy_re(r"(?:[tT]ag|[vV]ersion)[\"']?[ \t]*[:=][ \t]*[\"']?\Z")
_NAME = rf"[\w./:@-]{{0,{_FARTHEST}}}\w"
_VALUE = rf"""[\w.-]{{0,80}}["']?[ \t]{{0,80}}[:=][ \t]{{0,80}}["']?(?P<text>[a-zA-Z0-9]{_NAME})"""
# Each pattern begins with plain letters, which makes searching for it ten times as fast.
_KEYED = lazy_re(f"mage{_VALUE}")
_KEYED_UPPER = lazy_re(f"MAGE{_VALUE}")
_FROM = lazy_re(rf"^FROM +(?:--\S{{1,80}} +)?(?P<text>[a-z0-9]{_NAME})", re.MULTILINE)
_LINE = lazy_re(
    rf"""^[ \t]*+(?:-[ \t]++)?image:[ \t]++["']?(?P<text>[a-z0-9]{_NAME})["']?[ \t]*+\r?$""",
    re.MULTILINE,
)
_PICTURE = lazy_re(r"\.(?:png|jpe?g|gif|svg|webp|ico|bmp|iso|qcow2|img|raw|vmdk)$")
_COMMENT = lazy_re(r"(?:^|\s)#")
_DOMAINS = "|".join(sorted({host.rpartition(".")[2] for host in REGISTRY_HOSTS}))
_HOST_END = lazy_re(rf"\.(?:{_DOMAINS})(?=[/:])")
_HOST_END_BYTES = lazy_re(_HOST_END.pattern.encode())
_HOST_BYTES = tuple(host.encode() for host in REGISTRY_HOSTS)


def may_name_registry(content: bytes) -> bool:
    """Whether a file's bytes hold the host of a registry or a digest."""
    ends = (found.end() for found in _HOST_END_BYTES.finditer(content))
    return b"@sha256:" in content or any(content.endswith(_HOST_BYTES, 0, end) for end in ends)


def may_name_images(content: bytes) -> bool:
    """Whether a file that no finder reads is text, and can name an image anywhere."""
    found = has_any(content, (b"mage", b"MAGE", b"FROM "))
    return (found or may_name_registry(content)) and b"\0" not in content


def find_reference_texts(text: str) -> Iterator[Span]:
    """The stretches of a text that look like images, in order; comments and addresses are none."""
    found = {span for span in _all_texts(text) if not _is_other(text, span)}
    end = 0
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if span.start >= end:
            end = span.end
            yield span


def find_image_lines(text: str) -> Iterator[Span]:
    """The names on lines `image: name` of a template, which need no tag, digest or host."""
    for found in _LINE.finditer(text):
        if _PICTURE.search(found["text"]) is None and _is_reference(found["text"]):
            yield Span(*found.span("text"))


def _is_reference(text: str) -> bool:
    try:
        parse_reference(text)
    except InvalidReferenceError:
        return False
    return not text.isdigit()


def _all_texts(text: str) -> Iterator[Span]:
    for pattern in (_HOST_END, _DIGEST):
        done = 0
        for found in pattern.finditer(text):
            known = pattern is _DIGEST or text.endswith(REGISTRY_HOSTS, 0, found.end())
            if known and found.start() >= done:
                word = _word(text, found.start())
                done = word.end
                yield from _reference_in(text, word, found.end())
    for pattern in (_KEYED, _KEYED_UPPER, _FROM) if "FROM " in text else (_KEYED, _KEYED_UPPER):
        for found in pattern.finditer(text):
            if _is_identified(found["text"]):
                yield Span(*found.span("text"))


def _word(text: str, at: int) -> Span:
    """The whole word around a character, with the variables in it."""
    before = _BACKWARD.match(text[max(0, at - _FARTHEST) : at][::-1])
    start = at if before is None else at - before.end()
    token = _TOKEN.match(text, start, start + 2 * _FARTHEST)
    return Span(start, at if token is None else token.end())


def _reference_in(text: str, word: Span, end: int) -> Iterator[Span]:
    """The reference that a word is, if it holds one; a host or digest of it ends at `end`."""
    name = text[word.start : word.end].rstrip(".:/@-+")
    scheme, slashes, rest = name.rpartition("//")
    if slashes and scheme not in {"docker:", "docker-pullable:"}:
        return
    start = word.start + len(name) - len(rest)
    if start + len(rest) > end and _is_name(rest):
        yield Span(start, start + len(rest))


def _is_name(name: str) -> bool:
    """Whether a word with a host or digest in it can be more than the host's own name."""
    host, slash, rest = name.partition("/")
    named = bool(host and slash and rest) and "@" not in host and is_registry_host(host)
    return named or _DIGEST.search(name) is not None


def _is_identified(text: str) -> bool:
    """Whether a text behind a key for images is a reference with a tag or digest."""
    try:
        reference = parse_reference(text)
    except InvalidReferenceError:
        return False
    named = reference.tag is not None or reference.digest is not None
    return named and (has_host(text) or not text.partition(":")[0].isdigit())


def _is_other(text: str, span: Span) -> bool:
    """Whether a stretch is a comment, the address of a chart or a repository, or a tag alone."""
    before = text[max(0, span.start - 2 * _FARTHEST) : span.start]
    before = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
    if _COMMENT.search(before) is not None or _ADDRESS.search(before) is not None:
        return True
    return "/" not in text[span.start : span.end] and _TAG.search(before) is not None
