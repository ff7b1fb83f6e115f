"""Charts proven by real renders not to put a registry before `image.repository`."""

__all__ = ["is_prefix_free"]


def is_prefix_free(name: str, url: str | None) -> bool:
    """Whether a chart of this name, from this source if known, takes a whole name as repository."""
    known = {"nats": ("nats-io", "nats.io"), "app-template": ("bjw-s",)}.get(name)
    return known is not None and (url is None or any(hint in url for hint in known))
