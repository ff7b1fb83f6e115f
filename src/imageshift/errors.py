"""The error tree: what a caller of the library may have to catch."""

from pathlib import Path
from traceback import walk_tb

__all__ = [
    "ConfigError",
    "ImageshiftError",
    "InvalidReferenceError",
    "NoFilesError",
    "RuleError",
    "SourceError",
    "ToolError",
    "VariableReferenceError",
    "unexpected",
]


class ImageshiftError(Exception):
    """Base of everything that imageshift raises on purpose.

    `hint` is a sentence about what to do, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class InvalidReferenceError(ImageshiftError, ValueError):
    """The text is no image reference by distribution's grammar."""


class VariableReferenceError(InvalidReferenceError):
    """A variable stands in the registry or repository, so what it names is unknown."""


class ConfigError(ImageshiftError):
    """Options or configuration that can't be used (exit code 2)."""


class RuleError(ConfigError):
    """Rules that ECR would refuse, or that contradict each other."""


class NoFilesError(ConfigError):
    """A path that was named doesn't exist or lies outside the root."""


class ToolError(ImageshiftError):
    """helm, kustomize, git or AWS failed (exit code 4)."""


class SourceError(ImageshiftError):
    """A text that can't be handled; `line` and `column` are 1-based or None.

    `reason` is the skip reason of the published list (design: unparsable, not-utf8, style ...).
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "unparsable",
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.line = line
        self.column = column


def unexpected(error: Exception) -> ToolError:
    """An error that nobody foresaw, as that of the one thing that was being read.

    What it says is left out, since it may quote a value.
    """
    *_, (frame, line) = walk_tb(error.__traceback__)
    where = f"{Path(frame.f_code.co_filename).name}:{line}"
    return ToolError(
        f"imageshift fails on it: {type(error).__name__} at {where}",
        hint="this is a bug in imageshift, please report it",
    )
