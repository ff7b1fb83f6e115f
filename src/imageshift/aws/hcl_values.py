"""What a Terraform expression yields when its source doesn't tell."""

from msgspec import Struct

__all__ = ["Unknown"]


class Unknown(Struct, frozen=True):
    """A value that is known only after an apply; `what` are the words to blame."""

    what: str
