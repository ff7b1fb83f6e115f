"""HTTP for chart repositories and registries, with Helm's credentials."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from imageshift.charts.model import ChartUnavailableError
from imageshift.charts.plain import load_plain

__all__ = ["HelmHome", "Login", "Response", "Transport"]

_LARGEST = 128 * 1024 * 1024
_HELPER_TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password, and the TLS files, that Helm keeps for a repository."""

    username: str = ""
    password: str = field(default="", repr=False)
    everywhere: bool = False
    insecure: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def header(self) -> dict[str, str]:
        """The Authorization header; empty without a user."""
        if not self.username and not self.password:
            return {}
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


class HelmHome(Struct, frozen=True):
    """Where Helm keeps what it knows, by Helm's own environment variables."""

    cache: Path
    repositories: Path
    registry: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> "HelmHome":
        """The places that `helm env` shows."""
        env = os.environ if environment is None else environment
        home = Path(env.get("HOME", "~")).expanduser()
        cache = Path(env.get("XDG_CACHE_HOME", home / ".cache"), "helm")
        config = Path(env.get("XDG_CONFIG_HOME", home / ".config"), "helm")
        cache = Path(env.get("HELM_CACHE_HOME", cache))
        config = Path(env.get("HELM_CONFIG_HOME", config))
        return cls(
            Path(env.get("HELM_REPOSITORY_CACHE", cache / "repository")),
            Path(env.get("HELM_REPOSITORY_CONFIG", config / "repositories.yaml")),
            Path(env.get("HELM_REGISTRY_CONFIG", config / "registry" / "config.json")),
        )

    def repository(self, url: str) -> dict[str, Any]:
        """What `helm repo add` wrote about the repository at a URL; else empty."""
        if not self.repositories.is_file():
            return {}
        known = load_plain(self.repositories.read_text(), str(self.repositories)) or {}
        wanted = url.rstrip("/")
        for item in known.get("repositories") or ():
            if str(item.get("url", "")).rstrip("/") == wanted:
                found: dict[str, Any] = item
                return found
        return {}

    def repository_login(self, url: str) -> Login:
        """The credentials of a repository."""
        known = self.repository(url)
        return Login(
            username=known.get("username") or "",
            password=str(known.get("password") or ""),
            everywhere=bool(known.get("pass_credentials_all")),
            insecure=bool(known.get("insecure_skip_tls_verify")),
            ca_file=known.get("caFile") or None,
            cert_file=known.get("certFile") or None,
            key_file=known.get("keyFile") or None,
        )

    def registry_login(self, host: str) -> Login:
        """The credentials of an OCI registry: Helm's config.json, else Docker's."""
        for path in (self.registry, Path("~/.docker/config.json").expanduser()):
            if path.is_file():
                found = _registry_login(load_plain(path.read_text(), str(path)) or {}, host)
                if found is not None:
                    return found
        return Login()


def _registry_login(config: Mapping[str, Any], host: str) -> Login | None:
    helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
    if helper:
        found = _ask_helper(str(helper), host)
        if found is not None:
            return found
    known = (config.get("auths") or {}).get(host) or {}
    if known.get("auth"):
        user, _, password = base64.b64decode(known["auth"]).decode().partition(":")
        return Login(user, password)
    if known.get("username"):
        return Login(known["username"], str(known.get("password", "")))
    return None


def _ask_helper(helper: str, host: str) -> Login | None:
    program = shutil.which(f"docker-credential-{helper}")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 the helper that the user's own config names
            [program, "get"],
            input=host,
            capture_output=True,
            text=True,
            timeout=_HELPER_TIMEOUT,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return Login(answer["Username"], answer["Secret"]) if answer.get("Username") else None


class Response(Struct, frozen=True):
    """What a server answered, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Struct):
    """GET over HTTP, with time limits and retries; `offline` refuses every request.

    A host that can't be reached isn't tried again in the same run.
    """

    timeout: float = 20.0
    largest: int = _LARGEST
    offline: bool = False
    _pools: dict[Login, Any] = {}
    _dead: dict[str, str] = {}

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The hosts that gave no answer in this run."""
        return tuple(self._dead)

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, login: Login | None = None
    ) -> Response:
        """The answer, whatever its status.

        Credentials go to the URL's own host alone: a redirect elsewhere loses them.

        Raises:
            ChartUnavailableError: no answer, or too long a one.
        """
        if self.offline:
            raise ChartUnavailableError(f"{url} isn't in the cache", hint="run without --offline")
        import urllib3  # noqa: PLC0415 only charts from the network need it

        host = urlsplit(url).netloc
        if host in self._dead:
            raise ChartUnavailableError(f"{_shown(url)}: {self._dead[host]}")
        pool = self._pool(login or Login())
        try:
            answer = pool.request("GET", url, headers=dict(headers or {}), preload_content=False)
            data = answer.read(self.largest + 1, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            self._dead[host] = _reason(error)
            raise ChartUnavailableError(f"{_shown(url)}: {_reason(error)}") from None
        if len(data) > self.largest:
            answer.close()
            raise ChartUnavailableError(f"{_shown(url)}: more than {self.largest >> 20} MiB")
        answer.release_conn()
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, found, data)

    def _pool(self, login: Login) -> Any:
        import urllib3  # noqa: PLC0415

        if login not in self._pools:
            self._pools[login] = urllib3.PoolManager(
                timeout=urllib3.Timeout(self.timeout),
                retries=urllib3.Retry(2, connect=1, backoff_factor=0.2, raise_on_status=False),
                cert_reqs="CERT_NONE" if login.insecure else "CERT_REQUIRED",
                ca_certs=login.ca_file,
                cert_file=login.cert_file,
                key_file=login.key_file,
            )
        return self._pools[login]


def _shown(url: str) -> str:
    """The URL without a user and password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).rpartition(": ")[2] or type(reason).__name__
