"""Libraries of the extra `imageshift[aws]`, imported only where they are used."""

import importlib
from typing import Any

from imageshift.errors import ConfigError

__all__ = ["require"]


def require(module: str, purpose: str) -> Any:
    """The module of that name.

    Raises:
        ConfigError: it isn't installed; the hint says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = (error.name or module).partition(".")[0]
        raise ConfigError(
            f"{purpose} needs the Python package {name}, which isn't installed",
            hint="pip install '.[aws]' in a clone of imageshift",
        ) from None
