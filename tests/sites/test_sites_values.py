"""Values: which shapes are images, which parts they have, and how sure each is."""

import pytest

from imageshift.sites import Confidence, FileRole, FinderContext, ImageSite, find_images
from imageshift.source import SourceText, split_documents

DIGEST = "sha256:" + "0f" * 32


def found(text: str, *, prefix_free: bool = False) -> list[ImageSite]:
    """Return the sites of a values file."""
    context = FinderContext(role=FileRole.VALUES, prefix_free=prefix_free)
    chunks = split_documents(SourceText(text))
    return [
        site for chunk in chunks for doc in chunk.documents() for site in find_images(doc, context)
    ]


def told(text: str, *, prefix_free: bool = False) -> list[tuple[str, str, bool]]:
    """Return each site's parts, its text, and whether it is sure."""
    return [
        (
            " ".join(part.role for part in site.parts),
            site.text,
            site.confidence is not Confidence.DOUBTFUL,
        )
        for site in found(text, prefix_free=prefix_free)
    ]


SHAPES = {
    "image: ref": ("image: ghcr.io/a/b:1", "reference", "ghcr.io/a/b:1"),
    "repository, tag": ("image: {repository: ghcr.io/a, tag: 1}", "repository tag", "ghcr.io/a:1"),
    "repository alone": ("image: {repository: ghcr.io/a}", "repository", "ghcr.io/a"),
    "registry too": (
        "image: {tag: 1, repository: a/b, registry: quay.io}",
        "registry repository tag",
        "quay.io/a/b:1",
    ),
    "registry with a slash": (
        "image: {registry: quay.io/, repository: a, tag: 1}",
        "registry repository tag",
        "quay.io/a:1",
    ),
    "digest": (
        f"image: {{registry: quay.io, repository: a, digest: '{DIGEST}'}}",
        "registry repository digest",
        f"quay.io/a@{DIGEST}",
    ),
    "sha": (
        f"image: {{repository: quay.io/a, tag: 1, sha: '{'0f' * 32}'}}",
        "repository tag digest",
        f"quay.io/a:1@{DIGEST}",
    ),
    "digest in the tag": (
        f"image: {{repository: quay.io/a, tag: '1@{DIGEST}'}}",
        "repository tag",
        f"quay.io/a:1@{DIGEST}",
    ),
    "digest in the tag, and again": (
        f"image: {{repository: quay.io/a, tag: '1@{DIGEST}', digest: '{DIGEST}'}}",
        "repository tag digest",
        f"quay.io/a:1@{DIGEST}",
    ),
    "digest in the tag, and again as sha": (
        f"image: {{repository: quay.io/a, tag: '1@{DIGEST}', sha: '{'0f' * 32}'}}",
        "repository tag digest",
        f"quay.io/a:1@{DIGEST}",
    ),
    "image.image": (
        "image: {registry: registry.k8s.io, image: a/b, tag: 1}",
        "registry repository tag",
        "registry.k8s.io/a/b:1",
    ),
    "repo": ("image: {repo: ghcr.io/a/b, tag: 1}", "repository tag", "ghcr.io/a/b:1"),
    "name": ("image: {name: ghcr.io/a/b, tag: 1}", "repository tag", "ghcr.io/a/b:1"),
    "flat": ("imageRepository: ghcr.io/a\nimageTag: 1", "repository tag", "ghcr.io/a:1"),
    "flat with a stem": (
        "webImageRegistry: quay.io\nwebImageRepository: a/b\nwebImageTag: 1",
        "registry repository tag",
        "quay.io/a/b:1",
    ),
    "stem": ("proxyImage: {repository: quay.io/a, tag: 1}", "repository tag", "quay.io/a:1"),
    "images": ("images: {web: {repository: quay.io/a, tag: 1}}", "repository tag", "quay.io/a:1"),
    "list": ("images: [{repository: quay.io/a, tag: 1}]", "repository tag", "quay.io/a:1"),
    "block of another name": (
        "web: {repository: quay.io/a, tag: 1}",
        "repository tag",
        "quay.io/a:1",
    ),
    "bare with a stem": ("proxyImage: quay.io/a:1", "reference", "quay.io/a:1"),
    "snake case": ("proxy_image: quay.io/a:1", "reference", "quay.io/a:1"),
    "variable tag": ("image: 'quay.io/a:${TAG}'", "reference", "quay.io/a:${TAG}"),
}


@pytest.mark.parametrize(("text", "roles", "reference"), SHAPES.values(), ids=SHAPES)
def test_shapes(text: str, roles: str, reference: str) -> None:
    """Every way of splitting gives the whole reference, and is sure with a registry in it."""
    assert told(text) == [(roles, reference, True)]


DOUBTFUL = {
    "hostless": "image: {repository: a/b, tag: 1}",
    "hostless official": "image: {repository: nginx, tag: 1}",
    "hostless bare": "image: nginx:1",
    "empty registry": "image: {registry: '', repository: a/b, tag: 1}",
    "null registry": "image: {registry: ~, repository: a/b, tag: 1}",
    "lone registry": "image: {registry: quay.io}",
    "a registry that is no host": "image: {registry: lumen, repository: app, tag: 1}",
    "flat, no host": "webImageRegistry: lumen\nwebImageRepository: app\nwebImageTag: 1",
    "organization": "image: {registry: docker.io, organization: a, repository: b, tag: 1}",
    "prefix": "image: {registry: docker.io, prefix: a/, repository: b, tag: 1}",
    "repository_prefix": "image: {registry: x.io, repository_prefix: a, repository: b, tag: 1}",
    "namespace": "web: {registry: docker.io, namespace: a, repository: b, tag: 1}",
    "name beside": "image: {registry: docker.io, repository: a, name: b, tag: 1}",
    "image beside": "images: {repository: docker.io/a, image: {x: y}, name: b, tag: 1}",
    "flat organization": (
        "webImageRegistry: docker.io\nwebImageOrg: a\nwebImageRepository: b\nwebImageTag: 1"
    ),
    "neither tag nor digest": "image: quay.io/a/b",
    "picture": "image: quay.io/logo.png",
    "global.imageRegistry": "global: {imageRegistry: x.io}\nimage: quay.io/a:1",
    "global.image.registry": "global: {image: {registry: x.io}}",
    "global.registry": "global: {registry: x.io}\nimage: quay.io/a:1",
    "global.repository": "global: {repository: x.io/y}\nimage: quay.io/a:1",
}


@pytest.mark.parametrize("text", DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful(text: str) -> None:
    """What the text alone can't tell is said so, with a reason."""
    (site,) = found(text)

    assert site.confidence is Confidence.DOUBTFUL
    assert site.note


APART = {
    "imageOrg": "imageOrg: a\nweb: {image: {registry: docker.io, repository: b, tag: 1}}",
    "global.image.namespace": (
        "global: {image: {namespace: a}}\nimage: {registry: docker.io, repository: b, tag: 1}"
    ),
    "image.organization": (
        "image: {organization: a}\nweb: {image: {registry: docker.io, repository: b, tag: 1}}"
    ),
    "registryNamespace": (
        "web: {registryNamespace: a, image: {registry: docker.io, repository: b, tag: 1}}"
    ),
    "organization": "organization: a\nweb: {image: {registry: docker.io, repository: b, tag: 1}}",
}


@pytest.mark.parametrize("key", APART)
def test_parts_of_a_name_around_it(key: str) -> None:
    """A key around an image that may stand inside its name is noted, with its path."""
    (site,) = found(APART[key])

    assert site.apart == key


@pytest.mark.parametrize("key", ["namespace", "podSecurityPath", "serviceAccount", "hostUsers"])
def test_keys_around_an_image_that_are_no_parts(key: str) -> None:
    """Keys that are about something else say nothing of an image's name."""
    (site,) = found(f"{key}: a\nimage: {{registry: docker.io, repository: b, tag: 1}}")

    assert site.apart is None


@pytest.mark.parametrize(
    "name", ["hostless", "hostless official", "hostless bare", "null registry"]
)
def test_charts_that_add_no_registry(name: str) -> None:
    """Names without a registry are sure there."""
    assert [sure for _, _, sure in told(DOUBTFUL[name], prefix_free=True)] == [True]


NO_IMAGES = [
    "repository: restic-secret",
    "restic: {repository: app-restic}",
    "git: {repository: 'https://github.com/a/b.git', tag: v1}",
    "git: {repository: 'git@github.com:a/b', tag: v1}",
    "chart: {repository: 'oci://ghcr.io/a/b', tag: v1}",
    "backup: {repository: '/backups', tag: x}",
    "image: true",
    "image: 1.25",
    "image: ~",
    "image: ''",
    "image: /logo.png",
    "image: https://example.com/logo.png",
    "image: some words",
    "imagePullPolicy: Always",
    "imagePullSecrets: [{name: ghcr.io/a/b:1}]",
    "image: {pullPolicy: Always}",
    "image: {tag: v1}",
    "registry: quay.io",
    "ingress: {host: registry.example.com, tag: v1}",
    "text: |\n  image: quay.io/a/b:1\n",
]


@pytest.mark.parametrize("text", NO_IMAGES)
def test_no_images(text: str) -> None:
    """Words that images share with other things (fact X10)."""
    assert found(text) == []


def test_place_is_that_of_the_repository() -> None:
    """Behind the quote, and each part has its own."""
    (site,) = found('# 😀\nimage:\n  registry: "quay.io"\n  repository: "a/b" # 😀\n  tag: 1\n')

    assert (site.place.line, site.place.column) == (4, 16)
    assert [site.part_place(part).line for part in site.parts] == [3, 4, 5]
    assert sorted(site.lines()) == [3, 4, 5]
