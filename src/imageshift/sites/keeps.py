"""Images that the configuration says to leave as they are (`keep:`), by place, by name, or both."""

from collections.abc import Iterable

from msgspec import Struct

from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from imageshift.sites.model import ImageSite, Path, SkipReason

__all__ = ["Keep", "kept_by_config", "kept_site", "path_steps", "path_text"]


_KEPT = "keep: "


class Keep(Struct, frozen=True):
    """What stays in a file: everything at or below a path, of one image, or both.

    An empty path is the whole file; without an `image` it may be any.
    """

    path: tuple[str, ...]
    image: str | None
    reason: str

    def holds(self, site: ImageSite) -> bool:
        """Whether a site stays."""
        steps = tuple(map(str, site.path))
        if steps[: len(self.path)] != self.path:
            return False
        return self.image is None or self.names(site.text)

    def names(self, text: str) -> bool:
        """Whether a text is the image, wherever it comes from."""
        return self.image is not None and _name(self.image) == _name(text)

    @property
    def said(self) -> str:
        """Why something stays, as reports say it."""
        return f"{_KEPT}{self.reason}"


def kept_site(site: ImageSite, keeps: Iterable[Keep]) -> ImageSite:
    """The site, to be left alone where one of the entries holds it."""
    found = next((keep for keep in keeps if keep.holds(site)), None)
    if found is None or site.skip is not None:
        return site
    return site.skipped(SkipReason.IGNORED, found.said)


def kept_by_config(site: ImageSite) -> bool:
    """Whether a site stays because the configuration says so."""
    return site.skip is SkipReason.IGNORED and (site.detail or "").startswith(_KEPT)


def path_text(path: Path) -> str:
    """A path as the configuration writes it: dotted, with a backslash before dots in keys."""
    return ".".join(str(step).replace("\\", "\\\\").replace(".", "\\.") for step in path)


def path_steps(text: str) -> tuple[str, ...]:
    """The steps of such a path."""
    steps, escaped = [""], False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        if character == "." and not escaped:
            steps.append("")
        else:
            steps[-1] += character
        escaped = False
    return tuple(steps) if text else ()


def _name(text: str) -> str:
    """A reference's name in full, without tag and digest; what is none as it is."""
    try:
        return parse_reference(text).full_name
    except InvalidReferenceError:
        return text
