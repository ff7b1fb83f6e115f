"""What a Terraform expression yields when its source doesn't tell."""

from dataclasses import dataclass

__all__ = ["Unknown"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only after an apply; `what` are the words to blame."""

    what: str
