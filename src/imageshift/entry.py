r"""A kustomize `images:` entry: what it matches and what it makes, as kustomize itself does it.

Follows kustomize's `api/internal/image/image.go` and `api/filters/imagetag/updater.go` (facts K1
to K4). The name is a regular expression of Go's `regexp`; names that Python might read otherwise
than Go match nothing here and say so in `problem`.

>>> Entry("nginx", new_tag="1.27").apply("nginx:1.25@sha256:0f")
'nginx:1.27'
>>> Entry("nginx", new_tag="1.27").apply("docker.io/nginx:1.25")
'docker.io/nginx:1.25'
"""

import re
from functools import lru_cache

from msgspec import Struct

__all__ = ["Entry", "literal_name", "parse_overwrite", "spell_name", "split_image"]

# What Go and Python read alike. Outside it lie look-arounds, classes by name, inline flags,
# possessive and atomic forms, and braces that are repeat counts in one and text in the other.
_ATOM = (
    r"(?:[A-Za-z0-9_/:@%~=,<>&!'\"#;` -]|\.|\\[^A-Za-z0-9\s]|\\[dDwW]"
    r"|\[\^?\]?(?:[^\[\]\\&|~$-]|\\[^A-Za-z0-9\s]|\\[dDwW]|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9])|-(?=\]))+\])"
)
_REPEAT = r"(?:(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??)?"
_COMMON = re.compile(
    rf"(?:{_ATOM}{_REPEAT}|\((?!\?)|\(\?:|\)(?:[*+?]\??)?|\||\^|\$(?!\{{)"
    r"|\$\{[A-Za-z_][A-Za-z0-9_]*\})*"
)
_TAIL = r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?\Z"
_ESCAPED = re.compile(r"\\([^A-Za-z0-9\s])")
_SPECIAL = re.compile(r"[\\+*?()|\[\]{}^$]")


class Entry(Struct, frozen=True):
    """An entry's fields; empty texts stand for absent ones."""

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""
    tag_suffix: str = ""

    @property
    def problem(self) -> str | None:
        """Why what the name matches can't be told, or None when it can."""
        if _compiled(self.name) is None:
            return f"the name {self.name!r} is a pattern that only kustomize can read"
        return None

    @property
    def literal(self) -> str | None:
        """The one name that the pattern means, or None for a real pattern."""
        return literal_name(self.name)

    def matches(self, text: str) -> bool:
        """Whether kustomize applies the entry to an image's text."""
        pattern = _compiled(self.name)
        return pattern is not None and pattern.search(text) is not None

    def apply(self, text: str) -> str:
        """The text after the entry; the same where it doesn't match."""
        if not self.matches(text):
            return text
        name, tag, digest = split_image(text)
        if self.new_tag or self.digest:
            tag, digest = self.new_tag, self.digest
        elif self.tag_suffix:
            tag, digest = tag + self.tag_suffix, ""
        name = self.new_name or name
        return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def split_image(text: str) -> tuple[str, str, str]:
    """Name, tag and digest as kustomize cuts them; empty where absent.

    >>> split_image("localhost:5000/app:1@sha256:0f")
    ('localhost:5000/app', '1', 'sha256:0f')
    """
    start = max(text.find("/"), 0)
    at, colon = text.find("@", start), text.find(":", start)
    if at >= 0 and (at < colon or colon < 0):
        return text[:at], "", text[at + 1 :]
    if colon < 0:
        return text, "", ""
    end = at if at >= 0 else len(text)
    return text[:colon], text[colon + 1 : end], text[end + 1 :]


def parse_overwrite(text: str) -> Entry:
    """The entry that `kustomize edit set image` makes of `old=new:tag` or of `name:tag`.

    >>> parse_overwrite("nginx=quay.io/org/nginx:1.27")
    Entry(name='nginx', new_name='quay.io/org/nginx', new_tag='1.27', digest='', tag_suffix='')
    """
    old, equals, new = text.partition("=")
    name, tag, digest = _split_overwrite(new if equals else old)
    return Entry(old, name, tag, digest) if equals else Entry(name, "", tag, digest)


def _split_overwrite(text: str) -> tuple[str, str, str]:
    head, _, digest = text.partition("@")
    colon = head.find(":", head.rfind("/") + 1)
    return (head, "", digest) if colon < 0 else (head[:colon], head[colon + 1 :], digest)


def literal_name(pattern: str) -> str | None:
    r"""The name that a pattern spells when only dots and escapes make it one, else None.

    >>> literal_name("ghcr.io/org/app"), literal_name(r"quay\.io/a"), literal_name("nginx.*")
    ('ghcr.io/org/app', 'quay.io/a', None)
    """
    plain = _ESCAPED.sub("", pattern)
    if not pattern or _SPECIAL.search(plain):
        return None
    return _ESCAPED.sub(r"\1", pattern)


def spell_name(name: str, like: str = "") -> str:
    r"""The pattern that matches a name, its dots escaped only where the pattern `like` does so.

    >>> spell_name("${ECR_HOST}/k8s/pause")
    '\\$\\{ECR_HOST\\}/k8s/pause'
    """
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", name)
    return escaped.replace(".", r"\.") if r"\." in like else escaped


@lru_cache(maxsize=4096)
def _compiled(name: str) -> re.Pattern[str] | None:
    if _COMMON.fullmatch(name) is None:
        return None
    # Go's $ is the end of the text, Python's also stands before a last line break.
    ends = re.sub(r"(\\.)|\$", lambda found: found[1] or r"\Z", name)
    try:
        return re.compile(f"^{ends}{_TAIL}", re.ASCII)
    except re.error:
        return None
