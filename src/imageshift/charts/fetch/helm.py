"""What Helm keeps on this machine: its repositories with their logins, and its caches."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.plain import load_plain
from imageshift.errors import ImageshiftError, SourceError, without_users
from imageshift.net import Login, registry_login
from imageshift.repo.read import read_file

__all__ = ["HelmHome"]

_LARGEST = 128 * 1024 * 1024


class HelmHome(Struct, frozen=True):
    """Where Helm keeps what it knows, by Helm's own environment variables, and Docker's logins."""

    cache: Path
    repositories: Path
    registry: Path
    docker: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> "HelmHome":
        """The places that `helm env` shows."""
        env = os.environ if environment is None else environment
        home = Path(env.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 it never raises
        cache = Path(env.get("XDG_CACHE_HOME", home / ".cache"), "helm")
        config = Path(env.get("XDG_CONFIG_HOME", home / ".config"), "helm")
        cache = Path(env.get("HELM_CACHE_HOME", cache))
        config = Path(env.get("HELM_CONFIG_HOME", config))
        return cls(
            Path(env.get("HELM_REPOSITORY_CACHE", cache / "repository")),
            Path(env.get("HELM_REPOSITORY_CONFIG", config / "repositories.yaml")),
            Path(env.get("HELM_REGISTRY_CONFIG", config / "registry" / "config.json")),
            Path(env.get("DOCKER_CONFIG", home / ".docker"), "config.json"),
        )

    def repository(self, url: str) -> Mapping[str, Any]:
        """What `helm repo add` wrote about the repository at a URL; else empty."""
        return self._repository(url)[0]

    def _repository(self, url: str) -> tuple[Mapping[str, Any], str]:
        """The same, and what is wrong with Helm's list."""
        if not os.path.lexists(self.repositories):
            return {}, ""
        try:
            known = load_plain(read_file(self.repositories), str(self.repositories))
        except (ImageshiftError, RecursionError) as error:
            return {}, f"{self.repositories} can't be read: {error}"
        listed = known.get("repositories") if isinstance(known, Mapping) else None
        if known is not None and not isinstance(listed, list | None):
            return {}, f"{self.repositories} contains no list of repositories"
        wanted = without_users(url).rstrip("/")
        for row in listed or ():
            if isinstance(row, Mapping) and _text(row, "url").rstrip("/") in {wanted, url}:
                return row, ""
        return {}, ""

    def repository_login(self, url: str) -> Login:
        """The credentials of a repository; what is wrong with Helm's list is its note."""
        known, note = self._repository(url)
        return Login(
            username=_text(known, "username"),
            password=_text(known, "password"),
            everywhere=known.get("pass_credentials_all") is True,
            insecure=known.get("insecure_skip_tls_verify") is True,
            ca_file=_text(known, "caFile") or None,
            cert_file=_text(known, "certFile") or None,
            key_file=_text(known, "keyFile") or None,
            note=note,
        )

    def registry_login(self, host: str) -> Login:
        """The credentials of an OCI registry: Helm's config.json, else Docker's."""
        return registry_login((self.registry, self.docker), host)

    def kept(self, name: str) -> bytes | None:
        """A file in Helm's cache of repositories; None where there is none that can be read."""
        if "/" in name or not os.path.lexists(self.cache / name):
            return None
        try:
            return read_file(self.cache / name, largest=_LARGEST)
        except SourceError:
            return None


def _text(row: Mapping[str, Any], key: str) -> str:
    """A scalar as text: Helm's reader makes text of a password that looks like a number."""
    value = row.get(key)
    return str(value) if isinstance(value, str | int | float) and value is not True else ""
