"""The one way that kustomize is run: on folders that were looked through, and with limits.

It can read the root alone: `fence` refuses all else beforehand, the load restriction of its own
holds wherever not all paths are known, and on Linux the kernel keeps it from other files and
from the network. Only a build that may fetch remote bases gets the network and Git's settings.
"""

import os
import re
import shutil
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from imageshift.errors import ToolError
from imageshift.git import CLOSED
from imageshift.kustomize.fence import Survey, refuse_address
from imageshift.tool import NO_NETWORK, Limits, run_tool, tame

__all__ = ["BuildError", "Program"]

_LANDLOCK = str(Path(__file__).with_name("landlock.py"))
_MIB = 1024 * 1024
_LIMITS = Limits(seconds=120, memory=2048 * _MIB, output=32 * _MIB)
_LINES, _LONGEST_LINE = 6, 400
# How a user's own machine reaches the network.
_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK"),
)
_OPEN = {
    **CLOSED,
    "GIT_ALLOW_PROTOCOL": "https:http:ssh",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "GIT_CONFIG_VALUE_0": os.devnull,
    "GIT_CONFIG_KEY_1": "core.fsmonitor",
    "GIT_CONFIG_VALUE_1": "false",
}


class BuildError(ToolError):
    """kustomize refuses to build a folder, or may not build it."""


class Program(Struct, frozen=True):
    """kustomize, and how it is started."""

    command: tuple[str, ...]
    limits: Limits = _LIMITS

    @classmethod
    def find(cls) -> "Program | None":
        """`kustomize`, else `kubectl kustomize`; None when there is neither."""
        for words in (("kustomize", "build"), ("kubectl", "kustomize")):
            path = shutil.which(words[0])
            if path is not None:
                return cls((path, *words[1:]))
        return None

    def build(self, folder: Path, root: Path, *, fetch: bool = False) -> str:
        """What a folder builds to; with `fetch`, from bases elsewhere too.

        Raises:
            BuildError: kustomize refuses, reaches a limit, or would read or fetch what it mustn't.
        """
        try:
            survey = Survey(root, folder)
            survey.make()
            _refuse_remotes(survey.remotes, fetch=fetch)
            with tempfile.TemporaryDirectory(prefix="imageshift-") as scratch:
                return self._run(survey, scratch)
        except BuildError:
            raise
        except ToolError as error:
            raise BuildError(str(error), hint=error.hint) from None

    def _run(self, survey: Survey, scratch: str) -> str:
        restriction = "LoadRestrictionsNone" if survey.is_free else "LoadRestrictionsRootOnly"
        words = ["--load-restrictor", restriction, "--", str(survey.folder)]
        fetches = bool(survey.remotes)
        fence = [] if fetches else _fence(self.command[0], survey, scratch)
        environment = _open(scratch) if fetches else _closed(scratch)
        done = run_tool(
            [*fence, *self.command, *words], environment=environment, limits=self.limits
        )
        if done.code:
            raise BuildError(_complaint(done.stderr, (survey.folder, survey.root, Path(scratch))))
        return done.stdout.decode(errors="replace")


def _refuse_remotes(addresses: list[str], *, fetch: bool) -> None:
    for address in addresses:
        if not fetch:
            raise BuildError(
                f"{address} is a remote base, which isn't fetched",
                hint="--render fetches remote bases",
            )
        try:
            refuse_address(address)
        except ToolError as error:
            raise BuildError(f"{address}: {error}", hint=error.hint) from None


def _closed(scratch: str) -> dict[str, str]:
    """Variables for a build that fetches nothing and needs nothing of the user's."""
    return CLOSED | NO_NETWORK | _own_folders(scratch) | {"HOME": scratch}


def _open(scratch: str) -> dict[str, str]:
    """Variables for a build that fetches: Git's settings are the user's, and nobody is asked."""
    kept = {name: os.environ[name] for name in _NETWORK if name in os.environ}
    return _OPEN | kept | _own_folders(scratch)


def _own_folders(scratch: str) -> dict[str, str]:
    names = ("TMPDIR", "KUSTOMIZE_PLUGIN_HOME", "XDG_CONFIG_HOME")
    return dict.fromkeys(names, scratch) | {"KUBECONFIG": os.devnull, "KUBERC": "off"}


def _fence(program: str, survey: Survey, scratch: str) -> list[str]:
    """The words that start a program which can read the root alone, where the system can."""
    if not _is_fenced(program):
        return []
    read = sorted({str(survey.root), str(survey.folder)})
    return [*_starter(), *read, "-w", scratch, "--"]


def _starter() -> list[str]:
    return [sys.executable, "-I", "-S", _LANDLOCK]


@lru_cache(maxsize=8)
def _is_fenced(program: str) -> bool:
    """Whether a program starts behind the fence: a script that starts another one may not."""
    if sys.platform != "linux" or not sys.executable:
        return False
    try:
        done = run_tool([*_starter(), "-w", "--", program, "--help"], limits=Limits(seconds=20))
    except ToolError:
        return False
    return done.code == 0


def _complaint(stderr: bytes, folders: tuple[Path, ...]) -> str:
    """What kustomize says at the end, without places that only this run has."""
    text = tame(stderr)
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), ".")
    lines = [re.sub(r"^[Ee]rror: ", "", line) for line in text.splitlines()]
    kept = [line[:_LONGEST_LINE] for line in lines if not line.startswith("#")]
    return "\n".join(kept[-_LINES:]) or "kustomize failed without a message"
