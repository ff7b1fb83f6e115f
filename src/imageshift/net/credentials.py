"""The logins that Docker's and Helm's configuration keeps for registries.

A file that can't be used, or a helper that fails, counts as none; the login's `note` says what was
wrong, and is shown when the server refuses.
"""

import base64
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from imageshift.errors import SourceError, ToolError
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_file
from imageshift.tool import Limits, run_tool

__all__ = ["DOCKER_HUB_HOSTS", "Login", "registry_login"]

DOCKER_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
"""The hosts that are one registry."""

_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_LARGEST = 16 * 1024 * 1024
_LIMITS = Limits(seconds=20, memory=1024 * 1024 * 1024, output=1024 * 1024)
_HELPER = lazy_re(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password, and the TLS files, for one server; its repr hides the password.

    `everywhere` is Helm's `--pass-credentials`; `note` says what was wrong where it was looked up.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    everywhere: bool = False
    insecure: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    note: str = ""

    @property
    def header(self) -> dict[str, str]:
        """The Authorization header; empty without a user."""
        if not self.username and not self.password:
            return {}
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


def registry_login(files: Iterable[Path], host: str) -> Login:
    """The login for a registry in the first of some `config.json` that has one."""
    notes = []
    for path in files:
        if not os.path.lexists(path):
            continue
        try:
            return _login_in(path, host)
        except (SourceError, ToolError, _AbsentError) as error:
            notes += [f"{path}: {error}"] * bool(str(error))
    return Login(note="; ".join(notes))


class _AbsentError(Exception):
    """There is no login; the message says what is wrong, if anything is."""


def _login_in(path: Path, host: str) -> Login:
    config = _mapping(_decoded(read_file(path, largest=_LARGEST)), "it isn't a mapping")
    names = {*DOCKER_HUB_HOSTS, _DOCKER_HUB_KEY} if host in DOCKER_HUB_HOSTS else {host}
    helpers = _mapping(config.get("credHelpers") or {}, "credHelpers isn't a mapping")
    named = [helper for name, helper in helpers.items() if name in names]
    helper = named[0] if named else config.get("credsStore")
    if helper:
        found = _ask_helper(helper, _DOCKER_HUB_KEY if host in DOCKER_HUB_HOSTS else host)
        if found is not None:
            return found
    auths = _mapping(config.get("auths") or {}, "auths isn't a mapping")
    # The exact spelling counts first.
    for name in sorted(auths, key=lambda name: name not in names):
        if name in names or _host_of(name) in names:
            return _login_of(_mapping(auths[name], f"the login for {host} isn't a mapping"), host)
    raise _AbsentError


def _login_of(row: Mapping[str, Any], host: str) -> Login:
    kept = row.get("auth")
    if isinstance(kept, str) and kept:
        try:
            user, _, password = base64.b64decode(kept, validate=True).decode().partition(":")
        except ValueError:
            raise _AbsentError(f"the login for {host} can't be decoded") from None
        return Login(user, password)
    name, secret = row.get("username"), row.get("password", "")
    if isinstance(name, str) and isinstance(secret, str) and name:
        return Login(name, secret)
    raise _AbsentError


def _host_of(key: str) -> str:
    """The host that a key means: Docker writes URLs as well."""
    return key.partition("://")[2].partition("/")[0] or key.partition("/")[0]


def _ask_helper(helper: Any, host: str) -> Login | None:
    if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
        raise _AbsentError("it names no credential helper that can be run")
    program = shutil.which(f"docker-credential-{helper}")
    # A relative PATH entry would find a program in the repository.
    if program is None or not Path(program).is_absolute():
        return None
    found = _helper_answer(program, host)
    if found.note:
        raise _AbsentError(found.note)
    return found if found.username else None


@lru_cache(maxsize=256)
def _helper_answer(program: str, host: str) -> Login:
    """What a helper says, asked once in a run: it may take its whole time to fail.

    It gets our whole environment, which the user's own configuration trusts it with: helpers
    need AWS_PROFILE and its like.
    """
    name = Path(program).name
    try:
        done = run_tool(
            [program, "get"],
            stdin=host.encode(),
            cwd=Path("/"),
            environment=dict(os.environ),
            limits=_LIMITS,
        )
        if done.code != 0:
            return Login()
        answer = _mapping(_decoded(done.stdout), "its answer isn't a mapping")
    except (ToolError, _AbsentError) as error:
        return Login(note=f"{name}: {error}")
    user, secret = answer.get("Username"), answer.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str):
        return Login(note=f"{name}: it returned no login")
    return Login(user, secret)


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _AbsentError("it isn't JSON") from None


def _mapping(value: Any, otherwise: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _AbsentError(otherwise)
    return value
