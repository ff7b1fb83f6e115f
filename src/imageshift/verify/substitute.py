"""Flux's `postBuild`: variables in built texts, as kustomize-controller replaces them (X6)."""

import re
from collections.abc import Mapping

from imageshift.lazy import lazy_re
from imageshift.verify.model import Plain

__all__ = ["substitute", "takes_variables"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_EXPRESSION = lazy_re(rf"\$\$(?=\{{)|\$\{{({_NAME})(?:(:?[=-])((?:[^{{}}]|\$\{{[^{{}}]*\}})*))?\}}")
_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"


def substitute(text: str, variables: Mapping[str, str], *, complete: bool) -> str:
    """The text with its variables replaced; defaults hold for those that have no value.

    Without `complete` some values aren't known: what has neither value nor default stays.
    String functions other than defaults stay as well.

    >>> substitute("${A}-${B:=2}-$${C}", {"A": "1"}, complete=True)
    '1-2-${C}'
    """

    def value(found: re.Match[str]) -> str:
        name, sign, default = found.groups()
        if name is None:
            return "$"
        known = variables.get(name)
        if known is not None and (known or not (sign or "").startswith(":")):
            return known
        if sign is not None:
            return substitute(default, variables, complete=complete)
        return "" if complete else found[0]

    return _EXPRESSION.sub(value, text)


def takes_variables(data: Plain) -> bool:
    """Whether an object leaves itself open to variables."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    for key in ("labels", "annotations"):
        found = metadata.get(key)
        if isinstance(found, Mapping) and str(found.get(_DISABLED, "")).lower() == "disabled":
            return False
    return True
