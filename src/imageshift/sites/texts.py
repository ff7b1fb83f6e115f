"""Texts that name an image, found in any text without knowing what it is.

The finders know where images stand. This one knows only what they look like, so that whatever
the finders leave can be listed. All its patterns begin with plain letters: such a search takes 2 ms
for a megabyte, one for the hosts themselves 150.
"""

import re
from collections.abc import Iterator

from imageshift.data.registries import REGISTRY_HOSTS, is_registry_host
from imageshift.errors import InvalidReferenceError
from imageshift.reference import has_host, parse_reference
from imageshift.source import Span

__all__ = ["find_reference_texts", "may_name_images", "may_name_registry"]

_VARIABLE = r"\$\{[^{}\s]*\}|\$\([^()\s]*\)|\$\w+|\{\{[^{}\r\n]*\}\}"
_TOKEN = re.compile(rf"(?:[\w.:/@+-]|{_VARIABLE})+")
_BEFORE = re.compile(r"[\w.:/@+-]*\Z")
_FARTHEST = 300
_DIGEST = re.compile("@sha256:")
# What no key of an image says, though its value looks like one.
_ADDRESS = re.compile(r"(?:[uU][rR][lL]s?|sourceRepos|home|sources)[\"']?[ \t]*[:=][ \t]*[\"']?\Z")
_VALUE = r"""[\w.-]*["']?[ \t]*[:=][ \t]*["']?(?P<text>[a-zA-Z0-9][\w./:@-]*[\w])"""
# Each pattern begins with plain letters, which makes searching for it ten times as fast.
_KEYED = re.compile(f"mage{_VALUE}")
_KEYED_UPPER = re.compile(f"MAGE{_VALUE}")
_FROM = re.compile(r"^FROM +(?:--\S+ +)*(?P<text>[a-z0-9][\w./:@-]*[\w])", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)#")
_DOMAINS = "|".join(sorted({host.rpartition(".")[2] for host in REGISTRY_HOSTS}))
_HOST_END = re.compile(rf"\.(?:{_DOMAINS})(?=[/:])")
_HOST_END_BYTES = re.compile(_HOST_END.pattern.encode())
_HOST_BYTES = tuple(host.encode() for host in REGISTRY_HOSTS)


def may_name_registry(content: bytes) -> bool:
    """Whether a file's bytes hold the host of a registry or a digest."""
    ends = (found.end() for found in _HOST_END_BYTES.finditer(content))
    return b"@sha256:" in content or any(content.endswith(_HOST_BYTES, 0, end) for end in ends)


def may_name_images(content: bytes) -> bool:
    """Whether a file that no finder reads is text, and can name an image anywhere."""
    found = any(word in content for word in (b"mage", b"MAGE", b"FROM "))
    return (found or may_name_registry(content)) and b"\0" not in content


def find_reference_texts(text: str) -> Iterator[Span]:
    """The stretches of a text that look like images, in order; comments and addresses are none."""
    found = {span for span in _all_texts(text) if not _is_other(text, span)}
    end = 0
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if span.start >= end:
            end = span.end
            yield span


def _all_texts(text: str) -> Iterator[Span]:
    for found in (*_HOST_END.finditer(text), *_DIGEST.finditer(text)):
        at = found.end() - 1
        if found.re is _DIGEST or text.endswith(REGISTRY_HOSTS, 0, found.end()):
            span = _around(text, at)
            if span is not None:
                yield span
    for pattern in (_KEYED, _KEYED_UPPER, _FROM) if "FROM " in text else (_KEYED, _KEYED_UPPER):
        for found in pattern.finditer(text):
            if _is_identified(found["text"]):
                yield Span(*found.span("text"))


def _around(text: str, at: int) -> Span | None:
    """The whole word around a host or digest, where that can be a reference."""
    before = _BEFORE.search(text, max(0, at - _FARTHEST), at)
    start = at if before is None else before.start()
    token = _TOKEN.match(text, start, start + 2 * _FARTHEST)
    if token is None:
        return None
    name = token[0].rstrip(".:/@-+")
    scheme, slashes, rest = name.rpartition("//")
    if slashes:
        if scheme not in {"docker:", "docker-pullable:"}:
            return None
        start, name = start + len(name) - len(rest), rest
    end = start + len(name)
    if end <= at or not _is_name(name):
        return None
    return Span(start, end)


def _is_name(name: str) -> bool:
    """Whether a word with a host or digest in it can be more than the host's own name."""
    host, slash, rest = name.partition("/")
    named = bool(slash and rest) and "@" not in host and is_registry_host(host)
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
    """Whether a stretch stands in a comment, or is the address of a chart or a repository."""
    line = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    before = text[max(line, span.start - 2 * _FARTHEST) : span.start]
    return _COMMENT.search(before) is not None or _ADDRESS.search(before) is not None
