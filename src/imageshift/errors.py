"""The error tree: what a caller of the library may have to catch.

No message and no hint shows the user, password or query of a URL, wherever its text comes from.
"""

import re
from pathlib import Path

from imageshift.lazy import lazy_re

__all__ = [
    "AnswerError",
    "BusyError",
    "ChangedError",
    "ConfigError",
    "ImageshiftError",
    "InvalidReferenceError",
    "NetworkError",
    "NoFilesError",
    "RuleError",
    "SourceError",
    "ToolError",
    "VariableReferenceError",
    "unexpected",
    "without_secrets",
    "without_users",
]

_URL = lazy_re(r"(?<=://)[^\s'\"<>`\\]+")
_PORT = lazy_re(r"[^:]*(?::\d{0,5})?|\[.*")


def without_users(text: str) -> str:
    """The text without the users and passwords in its URLs.

    >>> without_users("https://me:secret@example.com/x?ref=v1")
    'https://example.com/x?ref=v1'
    """
    return _URL.sub(_without_user, text) if "://" in text else text


def without_secrets(text: str) -> str:
    """The text without the users, passwords and queries in its URLs: queries contain signatures.

    >>> without_secrets("https://me:secret@example.com/x?sig=1: it answers 404")
    'https://example.com/x?…: it answers 404'
    """
    return _URL.sub(_without_query, without_users(text)) if "://" in text else text


def _without_user(found: re.Match[str]) -> str:
    rest = found[0]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    # What follows a colon and is no port is a password, which may hold a slash.
    return rest if _PORT.fullmatch(authority) else rest[rest.rfind("@") + 1 :]


def _without_query(found: re.Match[str]) -> str:
    path, mark, query = found[0].partition("?")
    end = len(query.rstrip(",.;:)]"))
    return f"{path}?…{query[end:]}" if mark else path


class ImageshiftError(Exception):
    """Base of every error that imageshift raises deliberately.

    `hint` is a sentence about what to do, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(without_secrets(message))
        self.hint = None if hint is None else without_secrets(hint)


class InvalidReferenceError(ImageshiftError, ValueError):
    """The text isn't an image reference in distribution's grammar."""


class VariableReferenceError(InvalidReferenceError):
    """The registry or repository contains a variable, so it is unknown which image is meant."""


class ConfigError(ImageshiftError):
    """Options or configuration that can't be used (exit code 2)."""


class RuleError(ConfigError):
    """Rules that ECR would reject, or that contradict each other."""


class NoFilesError(ConfigError):
    """A given path doesn't exist or is outside the root."""


class ToolError(ImageshiftError):
    """helm, kustomize, git or AWS failed (exit code 4)."""


class NetworkError(ToolError):
    """A server can't be reached, or may not be contacted."""


class AnswerError(NetworkError):
    """A server's response can't be used: it is too large, damaged, or malformed."""


class SourceError(ImageshiftError):
    """A text that can't be handled; `line` and `column` are 1-based or None.

    `reason` is the skip reason of the published list (design: unparsable, not-utf8, style ...);
    `path` is set where the error is that of one of several files.
    """

    path: Path | None = None

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


class BusyError(ImageshiftError):
    """Another run is writing to the tree (exit code 3)."""


class ChangedError(ImageshiftError):
    """A file changed between two reads, so decisions based on it are no longer valid (code 3).

    It isn't a SourceError, so that code which skips unreadable files doesn't skip this one.
    `file` is its name.
    """

    def __init__(self, file: str) -> None:
        super().__init__(f"{file}: changed while it was read", hint="run it again")
        self.file = file


def unexpected(error: Exception) -> ToolError:
    """An unexpected error, reported as an error of the thing that was being read.

    Its message is left out, because it may quote a value.
    """
    from traceback import walk_tb  # noqa: PLC0415 for bugs only

    *_, (frame, line) = walk_tb(error.__traceback__)
    where = f"{Path(frame.f_code.co_filename).name}:{line}"
    return ToolError(
        f"imageshift failed on it: {type(error).__name__} at {where}",
        hint="this is a bug in imageshift, please report it",
    )
