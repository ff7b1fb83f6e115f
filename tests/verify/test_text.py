"""Which texts are others with their images under mapped names, and which aren't."""

import pytest

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.verify.judge import Differs, Judge, Moved
from imageshift.verify.text import TextJudge

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
HOST = RULES.registry.host
TEXTS = TextJudge(RULES)
DIGEST = "sha256:" + "ab" * 32
REGULAR = f"{HOST}/docker-hub/library/nginx"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nginx", REGULAR),
        ("nginx:1.27", f"{REGULAR}:1.27"),
        ("docker.io/nginx:1", f"{REGULAR}:1"),
        (f"nginx:1@{DIGEST}", f"{REGULAR}:1@{DIGEST}"),
        ("index.docker.io/library/nginx", REGULAR),
        ("ghcr.io/org/app:${TAG:=v1}", f"{HOST}/github/org/app:${{TAG:=v1}}"),
        ("quay.io/a/b:1-${SUFFIX}", f"{HOST}/quay/a/b:1-${{SUFFIX}}"),
        (f"{HOST}/docker-hub/nginx:1", f"{REGULAR}:1"),
    ],
)
def test_moved(before: str, after: str) -> None:
    """A reference has moved when the rules take it exactly there."""
    assert TEXTS.is_moved(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("nginx:1.27", f"{REGULAR}:1.28", id="another tag"),
        pytest.param("nginx:1.27", REGULAR, id="no tag any more"),
        pytest.param("nginx", f"{REGULAR}:latest", id="a tag that wasn't there"),
        pytest.param(f"nginx@{DIGEST}", f"{REGULAR}@sha256:{'cd' * 32}", id="another digest"),
        pytest.param("nginx:1", f"{HOST}/docker-hub/nginx:1", id="library/ is missing"),
        pytest.param("bitnami/redis", f"{HOST}/docker-hub/library/bitnami/redis", id="library/"),
        pytest.param("ghcr.io/org/app", f"{HOST}/quay/org/app", id="another rule's prefix"),
        pytest.param("ghcr.io/org/app", f"docker.io/{HOST}/github/org/app", id="prepended"),
        pytest.param("gcr.io/org/app", f"{HOST}/gcr/org/app", id="no rule"),
        pytest.param("nginx:1", "nginx:1", id="nothing has moved"),
        pytest.param("nginx:1", "docker.io/library/nginx:1", id="only normalised"),
        pytest.param(f"{REGULAR}:1", "nginx:1", id="the way back"),
        pytest.param("nginx:1", f"{REGULAR.replace('123456789012', '210987654321')}:1", id="host"),
    ],
)
def test_not_moved(before: str, after: str) -> None:
    """Anything but the exact target isn't the image under its mapped name."""
    assert not TEXTS.is_moved(before, after)


def _compare(before: object, after: object) -> list[Moved | Differs]:
    return Judge(TEXTS).compare({"kind": "Thing", "x": before}, {"kind": "Thing", "x": after})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            ["--image=ghcr.io/a/b:1", "-v"], [f"--image={HOST}/github/a/b:1", "-v"], id="flag"
        ),
        pytest.param(
            ["--engine-image", "org/engine:1"],
            ["--engine-image", f"{HOST}/docker-hub/org/engine:1"],
            id="flag and value apart",
        ),
        pytest.param(
            "a ghcr.io/a/b:1, quay.io/c/d:2.",
            f"a {HOST}/github/a/b:1, {HOST}/quay/c/d:2.",
            id="two in a sentence, dots at the end",
        ),
        pytest.param(
            {"registry": "docker.io", "repository": "bitnami/redis", "tag": "7"},
            {"registry": f"{HOST}/docker-hub", "repository": "bitnami/redis", "tag": "7"},
            id="split",
        ),
        pytest.param(
            {"repository": "nginx"},
            {"registry": f"{HOST}/docker-hub/library", "repository": "nginx"},
            id="split with a registry that wasn't there",
        ),
        pytest.param(
            "image:\n  registry: quay.io\n  repository: a/b # old\n",
            f"image:\n  registry: {HOST}/quay\n  repository: a/b # old\n",
            id="split in YAML in a string",
        ),
        pytest.param(
            '{"image": {"registry": "quay.io", "repository": "a/b"}}',
            f'{{"image": {{"registry": "{HOST}/quay", "repository": "a/b"}}}}',
            id="split in JSON in a string",
        ),
        pytest.param(
            [{"name": "RELATED_IMAGE_PROXY", "value": "nginx"}],
            [{"name": "RELATED_IMAGE_PROXY", "value": REGULAR}],
            id="a variable that is named an image",
        ),
        pytest.param(
            {"reference": "org/plugin:1"},
            {"reference": f"{HOST}/docker-hub/org/plugin:1"},
            id="a reference",
        ),
        pytest.param(
            {"url": "oci://ghcr.io/org/charts/app"},
            {"url": f"oci://{HOST}/github/org/charts/app"},
            id="a chart's address",
        ),
        pytest.param("app=ghcr.io/a/b:1", f"app={HOST}/github/a/b:1", id="Argo CD's short form"),
    ],
)
def test_places_that_have_moved(before: object, after: object) -> None:
    """Images are found inside texts and in parts, and nothing else differs there."""
    found = _compare(before, after)

    assert found
    assert [item for item in found if isinstance(item, Differs)] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(["--image=ghcr.io/a/b:1"], [f"--picture={HOST}/github/a/b:1"], id="flag"),
        pytest.param(
            ["--role", "org/engine:1"],
            ["--role", f"{HOST}/docker-hub/org/engine:1"],
            id="a flag that speaks of something else",
        ),
        pytest.param({"kind": 1}, {"kind": True}, id="true is not 1"),
        pytest.param({"name": "nginx"}, {"name": REGULAR}, id="a name that is a word"),
        pytest.param({"url": "ghcr.io/a/b"}, {"url": f"{HOST}/github/a/b"}, id="no tag, no image"),
        pytest.param(
            {"registry": "docker.io", "repository": "bitnami/redis", "tag": "7"},
            {"registry": f"{HOST}/docker-hub", "repository": "bitnami/redis", "tag": "8"},
            id="split with another tag",
        ),
        pytest.param(
            {"registry": "docker.io", "repository": "nginx"},
            {"registry": f"{HOST}/docker-hub", "repository": "nginx"},
            id="split without library/",
        ),
        pytest.param(
            "image:\n  registry: quay.io\n  repository: a/b\n",
            f"image:\n  registry: {HOST}/quay\n  repository: a/c\n",
            id="another repository in YAML in a string",
        ),
        pytest.param("a\nb\n", "a\n", id="fewer lines"),
        pytest.param([1, 2], [1], id="fewer items"),
        pytest.param({"a": None}, {}, id="null is a value"),
        pytest.param("1", 1, id="a number is no string"),
    ],
)
def test_places_that_differ(before: object, after: object) -> None:
    """What isn't exactly a moved image differs."""
    assert any(isinstance(item, Differs) for item in _compare(before, after))


def test_unmapped_puts_back_only_what_has_moved() -> None:
    """Images go back as they were, keys that came with them go, other changes stay."""
    before = {"image": {"repository": "nginx"}, "sidecar": {"image": "ghcr.io/a/b:1"}, "level": 1}
    after = {
        "image": {"registry": f"{HOST}/docker-hub/library", "repository": "nginx"},
        "sidecar": {"image": f"{HOST}/github/a/b:1"},
        "level": 2,
        "new": True,
    }

    assert Judge(TEXTS).unmapped(before, after) == {**before, "level": 2, "new": True}
