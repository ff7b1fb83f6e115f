"""Registries, asked by the OCI distribution API, for charts and for images alike.

Source: OCI Distribution Specification 1.1; distribution's "Token Authentication Specification".
A login is sent only to the registry's own host and to the token server that is known to be its own.
Any other token server that a registry names is asked without it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct, field

from imageshift.errors import AnswerError, NetworkError
from imageshift.lazy import lazy_re
from imageshift.net.credentials import DOCKER_HUB_HOSTS, Login
from imageshift.net.transport import Response, Transport
from imageshift.net.url import Url, parse_url

__all__ = ["Registry", "decode_json", "digest_of", "is_token_server", "registry_url"]

_OK, _UNAUTHORIZED, _NOT_FOUND = 200, 401, 404
_LARGEST_ANSWER = 8 * 1024 * 1024
_MOST_PAGES = 200
# The servers that give tokens for registries under another name, each by its own challenge.
_TOKEN_SERVERS = {
    **dict.fromkeys(DOCKER_HUB_HOSTS, "auth.docker.io"),
    "registry.gitlab.com": "gitlab.com",
    "registry.digitalocean.com": "api.digitalocean.com",
}
_LOOPBACK = lazy_re(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?")
_HOST = lazy_re(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")
_REPOSITORY = lazy_re(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_TAG = lazy_re(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = lazy_re(r"(sha256|sha384|sha512):[0-9a-f]+")
_PARAMETER = lazy_re(r'(?<![a-z])([a-z]++)="([^"]*)"')
_NEXT = lazy_re(r'<([^<>]+)>;\s*rel="?next"?')
_LONGEST_HEADER = 4096
_TOKEN = lazy_re(r"[\x21-\x7e]+")


def registry_url(host: str) -> str:
    """Where a registry's API is: https, but plain http on this machine.

    Raises:
        NetworkError: it is no registry's host.
    """
    if not _HOST.fullmatch(host):
        raise NetworkError("a registry's host is missing or misspelled")
    scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
    return f"{scheme}://{'registry-1.docker.io' if host in DOCKER_HUB_HOSTS else host}/v2"


class Registry(Struct):
    """One registry, logged in when it asks for it; `note` says which server got no login."""

    host: str
    login: Login
    transport: Transport
    note: str = ""
    _authorization: dict[str, dict[str, str]] = field(default_factory=dict)

    def manifest(self, repository: str, reference: str, accept: str) -> Response:
        """The answer for a tag or digest, whatever its status; a manifest's digest is checked.

        Raises:
            AnswerError: it isn't what its digest says.
            NetworkError: no answer.
        """
        self._check_reference(repository, reference)
        answer = self._get(repository, f"manifests/{reference}", accept)
        told = reference if ":" in reference else answer.headers.get("docker-content-digest", "")
        told = told if answer.status == _OK and _DIGEST.fullmatch(told) else ""
        if told and digest_of(answer.body, told) != told:
            raise AnswerError(f"{self.host}/{repository}: the manifest doesn't match its digest")
        return answer

    def has_manifest(self, repository: str, reference: str, accept: str) -> Response:
        """The answer for a tag or digest without the manifest, which counts as no pull.

        Raises:
            AnswerError: it is neither a tag nor a digest.
            NetworkError: no answer.
        """
        self._check_reference(repository, reference)
        return self._get(repository, f"manifests/{reference}", accept, head=True)

    def has_repository(self, repository: str) -> bool:
        """Whether the registry knows a repository, as far as its list of tags says.

        Raises:
            NetworkError: no answer.
        """
        return self._get(repository, "tags/list?n=1").status != _NOT_FOUND

    def _check_reference(self, repository: str, reference: str) -> None:
        if not _TAG.fullmatch(reference) and not _DIGEST.fullmatch(reference):
            raise AnswerError(
                f"{self.host}/{repository}: {reference!r} is neither a tag nor a digest"
            )

    def tags(self, repository: str) -> "list[str] | Response":
        """All tags of a repository, page by page; the answer where the registry refuses.

        Raises:
            AnswerError: a page isn't a list of tags, or leads elsewhere.
            NetworkError: no answer.
        """
        found: list[str] = []
        path: str | None = "tags/list"
        for _ in range(_MOST_PAGES):
            if path is None:
                return found
            answer = self._get(repository, path)
            if answer.status != _OK:
                return answer
            found += _tags(decode_json(answer.body, f"{self.host}/{repository}: its list of tags"))
            path = self._next_page(repository, path, answer)
        raise AnswerError(f"{self.host}/{repository}: more than {_MOST_PAGES} pages of tags")

    def blob(self, repository: str, digest: str) -> Response:
        """The answer for a blob, whatever its status; its digest is checked.

        Raises:
            AnswerError: it isn't what its digest says.
            NetworkError: no answer.
        """
        if not _DIGEST.fullmatch(digest):
            raise AnswerError(f"{self.host}/{repository}: it returns no digest")
        largest = self.transport.largest
        answer = self._get(repository, f"blobs/{digest}", largest=largest)
        if answer.status == _OK and digest_of(answer.body, digest) != digest:
            raise AnswerError(f"{self.host}/{repository}: the layer is damaged")
        return answer

    def _get(
        self,
        repository: str,
        path: str,
        accept: str = "*/*",
        largest: int = _LARGEST_ANSWER,
        *,
        head: bool = False,
    ) -> Response:
        if not _REPOSITORY.fullmatch(repository):
            raise NetworkError(f"{self.host}: {repository!r} isn't a repository")
        url = f"{registry_url(self.host)}/{repository}/{path}"

        def ask() -> Response:
            known = self._authorization.get(repository) or self._authorization.get("", {})
            headers = {"Accept": accept, **known}
            return self.transport.get(
                url, headers=headers, login=_ANONYMOUS, largest=largest, head=head
            )

        answer = ask()
        if answer.status != _UNAUTHORIZED:
            return answer
        # A token that was good before may be too old by now.
        challenge = answer.headers.get("www-authenticate", "")[:_LONGEST_HEADER]
        return ask() if self._authorize(repository, challenge) else answer

    def _next_page(self, repository: str, path: str, answer: Response) -> str | None:
        found = _NEXT.search(answer.headers.get("link", "")[:_LONGEST_HEADER])
        if found is None:
            return None
        base = f"{registry_url(self.host)}/{repository}/"
        here = parse_url(base + path)
        there = here.join(found[1])
        begin = parse_url(base).target
        if there.origin != here.origin or not there.target.startswith(begin):
            raise AnswerError(f"{here}: its next page leads to {there}, which isn't followed")
        return there.target.removeprefix(begin)

    def _authorize(self, repository: str, challenge: str) -> bool:
        """Get what a challenge asks for: the login itself, or a token; whether there is any."""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() != "bearer":
            self._authorization[""] = self.login.header
            return bool(self.login.header)
        asked = dict(_PARAMETER.findall(rest))
        realm = asked.pop("realm", "")
        wanted = {name: asked[name] for name in ("service", "scope") if name in asked}
        wanted.setdefault("scope", f"repository:{repository}:pull")
        token = self._token(realm, wanted)
        self._authorization[repository] = {"Authorization": f"Bearer {token}"} if token else {}
        return token is not None

    def _token(self, realm: str, wanted: Mapping[str, str]) -> str | None:
        there = parse_url(realm)
        login = self.login if is_token_server(self.host, there) else _ANONYMOUS
        if self.login.header and not login.header:
            self.note = (
                f"{self.host} asks for a token from {there.site}, which doesn't get its login"
            )
        mark = "&" if urlsplit(realm).query else "?"
        answer = self.transport.get(
            f"{realm}{mark}{urlencode(wanted)}",
            login=login,
            led_by=registry_url(self.host),
            largest=_LARGEST_ANSWER,
        )
        if answer.status != _OK:
            return None
        given = decode_json(answer.body, f"{there}: its token")
        found = [given.get(key) for key in ("token", "access_token")] if _is_map(given) else []
        token = next((text for text in found if isinstance(text, str) and text), "")
        if not _TOKEN.fullmatch(token):
            raise AnswerError(f"{there}: its response contains no token")
        return token


def is_token_server(host: str, server: Url) -> bool:
    """Whether a token server is the registry's own, so that its login may go there.

    Raises:
        NetworkError: it is no registry's host.
    """
    here = parse_url(registry_url(host))
    own = {here.host, _TOKEN_SERVERS.get(here.host)}
    return server.origin == here.origin or (server.scheme == "https" and server.host in own)


# Unlike None, it keeps the transport from taking a login out of the URL.
_ANONYMOUS = Login()


def digest_of(data: bytes, like: str) -> str:
    """The digest of some bytes by the algorithm of another one."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def decode_json(data: bytes, what: str) -> Any:
    """The data of a JSON text; `what` names it.

    Raises:
        AnswerError: it isn't JSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AnswerError(f"{what} isn't JSON") from None


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _tags(given: Any) -> list[str]:
    tags = given.get("tags") if _is_map(given) else None
    if tags is None and _is_map(given):
        return []
    if not isinstance(tags, list):
        raise AnswerError("the list of tags has an unexpected shape")
    return [tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag)]
