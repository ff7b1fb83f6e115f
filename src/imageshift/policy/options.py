"""What the user chooses of a policy, and the part of it that all kinds share."""

from msgspec import Struct

from imageshift.errors import ConfigError
from imageshift.lazy import lazy_re

__all__ = ["PolicyOptions", "yaml_list"]

_NAME = lazy_re(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class PolicyOptions(Struct, frozen=True, kw_only=True):
    """The policy's name, and the namespaces that it leaves alone.

    Raises:
        ConfigError: a name isn't a DNS label.
    """

    name: str = "imageshift"
    excluded: tuple[str, ...] = ("kube-system",)

    def __post_init__(self) -> None:
        for text in (self.name, *self.excluded):
            if _NAME.fullmatch(text) is None:
                raise ConfigError(
                    f"{text!r} isn't a valid Kubernetes name",
                    hint="lower-case letters, digits and hyphens, at most 63",
                )


def yaml_list(values: tuple[str, ...]) -> str:
    """A list of plain names in YAML's flow style."""
    return f"[{', '.join(values)}]"
