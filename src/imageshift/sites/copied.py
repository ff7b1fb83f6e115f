"""Texts of ConfigMaps and Secrets that something puts elsewhere, perhaps into an image."""

from msgspec import Struct

from imageshift.errors import InvalidReferenceError
from imageshift.reference import has_host, parse_reference
from imageshift.sites.model import Role

__all__ = ["Copied"]


class Copied(Struct, frozen=True):
    """Where a text goes: which part of an image it becomes, and what says so.

    Without `into_image` nobody knows whether it becomes one, as with kustomize's variables.
    """

    role: Role
    why: str
    into_image: bool = True

    def is_image(self, key: str, text: str) -> bool:
        """Whether a text, which stands at a key, is an image to all appearance."""
        if self.into_image:
            return True
        try:
            reference = parse_reference(text)
        except InvalidReferenceError:
            return False
        spelled_out = reference.tag is not None or reference.digest is not None
        return has_host(text) or ("image" in key.lower() and spelled_out)
