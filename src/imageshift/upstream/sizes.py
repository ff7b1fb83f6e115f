"""How large images are, by the manifests of their upstreams.

Sources: OCI Image Specification 1.1, "Image Manifest" and "Image Index"; Docker Hub's "Usage and
limits": each manifest that is fetched counts as a pull, a HEAD doesn't. So a tag's digest is asked
for by HEAD, a manifest is fetched once and kept under its digest, and what nodes pull is asked for
before what only a registry keeps.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from imageshift.charts.fetch.store import Store
from imageshift.errors import AnswerError, NetworkError
from imageshift.net import Registry, Response, Transport
from imageshift.net.registry import decode_json, digest_of
from imageshift.reference import ImageReference
from imageshift.upstream.ask import ACCEPT, fits, platform_of, refusal
from imageshift.upstream.sites import Sites, ask_each

__all__ = ["Blobs", "Size", "Sizes"]

_OK = 200
_KEPT = "a manifest"
_MOST = 100
"""How many images an index may list; Docker's official ones list some twenty."""

Blobs = Mapping[str, int]
"""Bytes by digest."""


class Size(Struct):
    """The bytes of an image's parts by their digests, None where nobody told; `detail` says why.

    `pulled` are those for the nodes' platform, `kept` those for all its platforms.
    """

    pulled: Blobs | None = None
    kept: Blobs | None = None
    detail: str = ""


class _Asked(Struct):
    """An image on its way to a size; `first` is what its name leads to."""

    image: ImageReference
    size: Size = field(default_factory=Size)
    first: Mapping[str, Any] | None = None

    @property
    def rows(self) -> list[Mapping[str, Any]] | None:
        """What its index lists; None for a single image."""
        rows = (self.first or {}).get("manifests")
        if not isinstance(rows, list):
            return None
        return [row for row in rows if isinstance(row, Mapping)]


class Sizes:
    """Asks upstreams for manifests, which are then in the user's cache."""

    def __init__(
        self,
        transport: Transport,
        platform: str,
        store: Store | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._platform = platform
        self._store = Store.default() if store is None else store
        self._sites = Sites(transport, environment)

    def ask(
        self, images: Iterable[ImageReference], advance: Callable[[], None] = lambda: None
    ) -> dict[ImageReference, Size]:
        """The sizes of images, each asked for once."""
        asked = {image: _Asked(image) for image in images}
        self._sites.add(image.registry for image in asked)
        self._step(self._find_first, asked, advance)
        found = {image: one for image, one in asked.items() if one.first is not None}
        self._step(self._find_pulled, found)
        self._step(self._find_kept, found)
        return {image: one.size for image, one in asked.items()}

    def _step(
        self,
        step: Callable[[_Asked], None],
        asked: Mapping[ImageReference, _Asked],
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        """One step for all images; what a registry refuses becomes the detail."""

        def tried(image: ImageReference) -> None:
            one = asked[image]
            try:
                step(one)
            except NetworkError as error:
                one.size.detail = one.size.detail or str(error)

        ask_each(asked, tried, advance)

    def _find_first(self, asked: _Asked) -> None:
        image = asked.image
        reference = image.digest or image.tag or "latest"
        if image.digest is None:
            found = self._answer(
                image, lambda registry: registry.has_manifest(image.repository, reference, ACCEPT)
            )
            reference = found.headers.get("docker-content-digest") or reference
        asked.first = self._manifest(image, reference)

    def _find_pulled(self, asked: _Asked) -> None:
        if asked.rows is None:
            asked.size.pulled = _blobs(asked.first or {}, asked.image)
            return
        for row in asked.rows:
            platform = row.get("platform")
            if isinstance(platform, Mapping) and fits(self._platform, [platform_of(platform)]):
                found = self._manifest(asked.image, _digest(row))
                asked.size.pulled = _blobs(found, asked.image)
                return
        raise AnswerError(f"they aren't made for {self._platform}")

    def _find_kept(self, asked: _Asked) -> None:
        rows = asked.rows
        if rows is not None and len(rows) > _MOST:
            raise AnswerError(f"their index lists more than {_MOST} images")
        manifests = (
            [asked.first or {}]
            if rows is None
            else [self._manifest(asked.image, _digest(row)) for row in rows]
        )
        asked.size.kept = {
            digest: size
            for manifest in manifests
            for digest, size in _blobs(manifest, asked.image).items()
        }

    def _manifest(self, image: ImageReference, reference: str) -> Mapping[str, Any]:
        """The manifest of a tag or digest, from the cache where it is known."""
        content = self._store.get(_KEPT, reference)
        if content is None:
            content = self._answer(
                image, lambda registry: registry.manifest(image.repository, reference, ACCEPT)
            ).body
            digest = reference if ":" in reference else digest_of(content, "sha256:")
            self._store.keep(content, _KEPT, digest)
        found = decode_json(content, f"{image.familiar_name}: its manifest")
        return found if isinstance(found, Mapping) else {}

    def _answer(self, image: ImageReference, ask: Callable[[Registry], Response]) -> Response:
        """The answer to one request that was granted.

        Raises:
            NetworkError: it was refused, or there is none.
        """
        site = self._sites[image.registry]
        with site.turn() as registry:
            found = _asked(ask, registry)
            if found.status == _OK:
                return found
            refused = refusal(registry, image, found)
        if refused.busy:
            site.busy = refused.detail
        raise AnswerError(refused.detail)


def _asked(ask: Callable[[Registry], Response], registry: Registry) -> Response:
    """A registry's answer; where there is none, the reason without the URL, which each image has.

    Raises:
        NetworkError: there is no answer, or it can't be used.
    """
    try:
        return ask(registry)
    except AnswerError:
        raise
    except NetworkError as error:
        why = str(error).rpartition(": ")[2]
        raise NetworkError(f"{registry.host} gives no answer: {why}") from None


def _digest(row: Mapping[str, Any]) -> str:
    digest = row.get("digest")
    if not isinstance(digest, str) or ":" not in digest:
        raise AnswerError("their index lists an image without a digest")
    return digest


def _blobs(manifest: Mapping[str, Any], image: ImageReference) -> Blobs:
    """The configuration and layers of one image.

    Raises:
        AnswerError: its manifest names none.
    """
    layers = manifest.get("layers")
    parts = [manifest.get("config"), *(layers if isinstance(layers, list) else [])]
    found = {
        str(part["digest"]): part["size"]
        for part in parts
        if isinstance(part, Mapping) and "digest" in part and _is_size(part.get("size"))
    }
    if not found:
        raise AnswerError(f"{image.registry}: its manifest names no layers")
    return found


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
