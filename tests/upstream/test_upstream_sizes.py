"""How large images are, as their upstreams tell, over real HTTP and a real registry."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import REGISTRY, run, write_tree
from imageshift.charts.fetch.store import Store
from imageshift.net import Transport
from imageshift.reference import parse_reference
from imageshift.upstream.sizes import Size, Sizes
from oci_registry import serve_registry
from web_server import Page, Web, closed_port, page, serve

AMD, ARM = "linux/amd64", "linux/arm64/v8"


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Images:
    """Manifests of images, as pages of a server."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    def single(self, name: str, **layers: int) -> dict[str, Any]:
        """Add an image with layers of these sizes, and return its row in an index."""
        parts = [{"digest": digest_of(one.encode()), "size": n} for one, n in layers.items()]
        return self._add(name, {"config": parts[0], "layers": parts[1:]})

    def index(self, name: str, platforms: Mapping[str, Mapping[str, int]]) -> str:
        """Add an image for several platforms and return its digest."""
        rows = []
        for platform, layers in platforms.items():
            parts = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
            rows.append(self.single(name.partition(":")[0], **layers) | {"platform": parts})
        digest: str = self._add(name, {"manifests": rows})["digest"]
        return digest

    def _add(self, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps(manifest).encode()
        digest = digest_of(content)
        repository, _, tag = name.partition(":")
        for reference in filter(None, (digest, tag)):
            shown = page(content, headers={"Docker-Content-Digest": digest})
            self.pages[f"/v2/{repository}/manifests/{reference}"] = shown
        return {"digest": digest, "size": len(content)}


def ask(web: Web, *names: str, store: Store | None = None) -> dict[str, Size]:
    """Return the sizes of images of a server, by their names there."""
    transport = Transport(backoff=0.01, tries=2, timeout=2.0)
    images = {name: parse_reference(f"{web.host}/{name}") for name in names}
    found = Sizes(transport, AMD, store or Store(None), {}).ask(images.values())
    return {name: found[image] for name, image in images.items()}


def totals(size: Size) -> tuple[int | None, int | None]:
    """Return the bytes that nodes pull, and those that ECR keeps."""
    pulled, kept = (None if one is None else sum(one.values()) for one in (size.pulled, size.kept))
    return pulled, kept


def test_sizes() -> None:
    """A single image is what it is; of an index nodes pull one platform, ECR keeps all."""
    images = Images()
    images.single("org/one:1", config=10, base=1000)
    platforms = {AMD: {"c1": 1, "base": 1000, "a": 5}, ARM: {"c2": 2, "b": 70}, "/": {"sbom": 3}}
    pin = images.index("org/many:1", platforms)
    images.index("org/arm:1", {ARM: {"c2": 2, "b": 70}})

    with serve(images.pages) as web:
        names = ("org/one:1", "org/many:1", f"org/many@{pin}", "org/arm:1")
        found = ask(web, *names)

    assert [totals(found[name]) for name in names] == [
        (1010, 1010), (1006, 1081), (1006, 1081), (None, 72),
    ]  # fmt: skip
    assert found["org/arm:1"].detail == "they aren't made for linux/amd64"


def test_each_manifest_is_fetched_once(tmp_path: Path) -> None:
    """A tag costs a HEAD, and a manifest that is known from before costs nothing."""
    images = Images()
    images.index("org/many:1", {AMD: {"c1": 1}, ARM: {"c2": 2}})
    store = Store(tmp_path / "store")

    with serve(images.pages) as web:
        ask(web, "org/many:1", "org/many:1", store=store)
        first = [one.method for one in web.asked]
        again = ask(web, "org/many:1", store=store)

    assert first == ["HEAD", "GET", "GET", "GET"]
    assert [one.method for one in web.asked[4:]] == ["HEAD"]
    assert totals(again["org/many:1"]) == (1, 3)


def test_a_limit_leaves_what_is_known() -> None:
    """What nodes pull is asked for first; a limit ends the questions, and is the reason."""
    images = Images()
    images.index("org/many:1", {AMD: {"c1": 1}, ARM: {"c2": 2}})
    arm = list(images.pages)[1]
    images.pages[arm] = page(status=429)
    images.single("org/one:1", config=10)

    with serve(images.pages) as web:
        found = ask(web, "org/many:1", "org/one:1")

    assert totals(found["org/many:1"]) == (1, None)
    assert found["org/many:1"].detail == f"{web.host}: its rate limit is reached"
    assert web.paths.count(arm) == 2


REFUSALS: dict[str, tuple[Page, str]] = {
    "rate limit": (page(status=429), "its rate limit is reached"),
    "private": (page(status=401), "without a login it can't be read"),
    "broken": (page(status=500), "it answers 500"),
    "no JSON": (page("<html>"), "isn't JSON"),
    "a list": (page("[]"), "names no layers"),
    "schema 1": (page('{"fsLayers": []}'), "names no layers"),
    "odd layers": (page('{"layers": [1, {"digest": "a", "size": "b"}]}'), "names no layers"),
    "odd rows": (page('{"manifests": [1, {"digest": 2}]}'), "aren't made for"),
    "many rows": (page(json.dumps({"manifests": [{}] * 101})), "aren't made for"),
    "an odd digest": (
        page(json.dumps({"manifests": [{"platform": {"os": "linux", "architecture": "amd64"}}]})),
        "an image without a digest",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    """Whatever a registry answers, the size is known or there is a word why it isn't."""
    answer_with, said = REFUSALS[name]
    with serve({"*": answer_with}) as web:
        found = ask(web, "org/app:1")["org/app:1"]

    assert found.pulled is None
    assert said in found.detail


def test_a_registry_that_is_down() -> None:
    """Where there is no answer, the reason is the same for every image of the registry."""
    host = f"127.0.0.1:{closed_port()}"
    images = [parse_reference(f"{host}/org/app:{n}") for n in range(3)]

    found = Sizes(Transport(tries=1), AMD, Store(None), {}).ask(images)

    assert {one.detail for one in found.values()} == {f"{host} gives no answer: Connection refused"}


@pytest.mark.registry
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`warm --forecast --sizes upstream` counts each layer once, and says what isn't known."""
    for name in ("HOME", "XDG_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    with serve_registry(tmp_path / "registry") as registry:
        for tag in ("1", "2"):
            registry.push("org/app", tag, "same")
        registry.push("org/other", "1", "same")
        names = ("org/app:1", "org/app:2", "org/other:1", "org/none:1")
        lines = "".join(f"  - image: {registry.host}/{name}\n" for name in names)
        write_tree(tmp_path, {"pod.yaml": f"kind: Pod\nspec:\n  containers:\n{lines}"})
        given = ("--forecast", "--sizes", "upstream", "--rule", f"{registry.host}=local")

        done = run(tmp_path, "warm", "pod.yaml", *given, "--format", "json", *REGISTRY)
        text = run(tmp_path, "warm", "pod.yaml", *given, *REGISTRY)

    (row,) = done.report["forecasts"]
    sizes = row["sizes"]
    (one,) = sizes["registries"]
    layer = one["size"]
    assert (one["images"], one["known"]) == (4, 3)
    assert (sizes["kept"], sizes["kept_images"]) == (2 * layer, 3)
    assert list(one["unknown"].values()) == [[f"{registry.host}/org/none:1"]]
    why = f"{registry.host} has no repository org/none: {registry.host}/org/none:1"
    assert f"    1 image not known: {why}\n" in text.stdout


def test_nothing_is_asked_offline(tmp_path: Path) -> None:
    """Sizes are asked for over the network, so `--offline` refuses the option."""
    write_tree(tmp_path, {"pod.yaml": "kind: Pod\n"})

    done = run(tmp_path, "warm", ".", "--forecast", "--sizes", "upstream", "--offline", *REGISTRY)

    assert done.code == 2
    assert "--sizes contacts registries" in done.stderr
