r"""A kustomize `images:` entry: what it matches and what it makes, as kustomize itself does it.

Follows kustomize's `api/internal/image/image.go` and `api/filters/imagetag/updater.go` (facts K1
to K4). The name is a regular expression of Go's `regexp`, whose syntax is RE2's, and like Go's it
is matched in a time that grows only with the text; names that are no pattern match nothing here
and say so in `problem`.

>>> Entry("nginx", new_tag="1.27").apply("nginx:1.25@sha256:0f")
'nginx:1.27'
>>> Entry("nginx", new_tag="1.27").apply("docker.io/nginx:1.25")
'docker.io/nginx:1.25'
"""

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from imageshift.lazy import lazy_re

__all__ = [
    "Entry",
    "is_newly_matched",
    "literal_name",
    "parse_overwrite",
    "selects",
    "spell_name",
    "split_image",
]

_TAIL = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"  # K1
_ESCAPED = lazy_re(r"\\([^A-Za-z0-9\s])")
_SPECIAL = lazy_re(r"[\\+*?()|\[\]{}^$]")
# No image has a name nearly as long. RE2 needs time for a pattern's length times a text's, and
# refuses patterns that need more memory than this.
_LONGEST = 4096
_MEMORY = 1 << 20
_SHOWN = 200


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
            return f"the name {_shortened(self.name)!r} isn't a pattern that can be read"
        return None

    @property
    def literal(self) -> str | None:
        """The one name that the pattern means, or None for a real pattern."""
        return literal_name(self.name)

    def matches(self, text: str) -> bool:
        """Whether kustomize applies the entry to an image's text."""
        matches = _compiled(self.name)
        return matches is not None and len(text) <= _LONGEST and matches(text)

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


def is_newly_matched(text: str) -> bool:
    """Whether only newer versions of kustomize match an image: its digest isn't sha256 (K1).

    >>> is_newly_matched("nginx:1@sha512:0f"), is_newly_matched("nginx:1@sha256:0f")
    (True, False)
    """
    digest = split_image(text)[2] if "@" in text else ""
    return bool(digest) and not digest.startswith("sha256:")


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


def _shortened(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def selects(pattern: str, text: str) -> bool:
    """Whether a selector of kustomize's (a patch's target) takes a text, all of it.

    >>> selects("web-.*", "web-1"), selects("web", "web-1"), selects("(", "(")
    (True, False, False)
    """
    matches = _compiled(f"(?:{pattern})" if _is_pattern(pattern) else pattern, "")
    return matches is not None and len(text) <= _LONGEST and matches(text)


def _is_pattern(name: str) -> bool:
    return _SPECIAL.search(_ESCAPED.sub("", name)) is not None


@lru_cache(maxsize=4096)
def _compiled(name: str, tail: str = _TAIL) -> Callable[[str], bool] | None:
    if len(name) > _LONGEST:
        return None
    if _is_pattern(name):
        return _compiled_by_re2(f"^{name}{tail}$")
    # Dots alone can't make Python's matcher go back, and it is there already.
    plain = re.compile(rf"^{name}{tail}\Z", re.ASCII)
    return lambda text: plain.search(text) is not None


def _compiled_by_re2(expression: str) -> Callable[[str], bool] | None:
    import re2  # noqa: PLC0415 few names are patterns

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        pattern = re2.compile(expression, options)
    except (re2.error, UnicodeEncodeError):
        return None

    def matches(text: str) -> bool:
        try:
            return pattern.search(text) is not None
        except UnicodeEncodeError:  # half a surrogate pair, which Go's strings can't hold
            return False

    # RE2 takes \C, Go doesn't.
    return None if r"\C" in expression else matches
