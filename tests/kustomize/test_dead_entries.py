"""Entries of `images:` for the cache that match nothing: named, and taken out when asked."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
    'spec:\n  containers:\n    - {name: web, image: "nginx:1.27"}\n'
)
GONE = f"  - name: quay.io/org/gone\n    newName: {HOST}/quay/org/gone\n"
LIVE = f"  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n"
MAPPED = f"{HOST}/docker-hub/library/nginx"
BASE = "resources: [pod.yaml]\nimages:\n"
FLUX = (
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
    "metadata: {name: apps, namespace: flux-system}\nspec:\n  path: ./base\n"
    "  sourceRef: {kind: GitRepository, name: flux-system}\n  images:\n"
)


def indented(entries: str) -> str:
    """Return entries two columns further in."""
    return "".join(f"  {line}\n" for line in entries.splitlines())


DEAD: dict[str, tuple[dict[str, str | bytes], dict[str, str]]] = {
    "beside one that is used": (
        {"base/kustomization.yaml": BASE + GONE + LIVE},
        {"base/kustomization.yaml": BASE + LIVE},
    ),
    "behind one that is used": (
        {"base/kustomization.yaml": BASE + LIVE + GONE},
        {"base/kustomization.yaml": BASE + LIVE},
    ),
    "a new name that isn't one": (
        {"base/kustomization.yaml": BASE + LIVE + GONE.replace("quay/org/gone", "Quay//gone")},
        {"base/kustomization.yaml": BASE + LIVE},
    ),
    "a variable in its new name": (
        {"base/kustomization.yaml": BASE + LIVE + GONE.replace("quay/org", "quay/${org}")},
        {"base/kustomization.yaml": BASE + LIVE},
    ),
    "the whole list": (
        {"base/kustomization.yaml": BASE + GONE + GONE.replace("gone", "lost")},
        {"base/kustomization.yaml": "resources: [pod.yaml]\n"},
    ),
    "in an overlay": (
        {
            "base/kustomization.yaml": BASE + LIVE,
            "over/kustomization.yaml": "resources: [../base]\nimages:\n"
            + GONE
            + LIVE.replace("name: nginx", f"name: {HOST}/docker-hub/library/nginx"),
        },
        {
            "over/kustomization.yaml": "resources: [../base]\nimages:\n"
            + LIVE.replace("name: nginx", f"name: {HOST}/docker-hub/library/nginx")
        },
    ),
    "a tag for a name on the cache": (
        {
            "base/kustomization.yaml": (
                f'{BASE}{LIVE}  - name: {HOST}/quay/org/old\n    newTag: "2"\n'
            )
        },
        {"base/kustomization.yaml": BASE + LIVE},
    ),
    "of a Flux Kustomization": (
        {
            "base/kustomization.yaml": "resources: [pod.yaml]\n",
            "base/pod.yaml": POD.replace("nginx", MAPPED),
            "flux.yaml": FLUX + indented(LIVE.replace("nginx", MAPPED, 1)) + indented(GONE),
        },
        {"flux.yaml": FLUX + indented(LIVE.replace("nginx", MAPPED, 1))},
    ),
}


@pytest.mark.parametrize("name", DEAD)
def test_dead_entries(tmp_path: Path, name: str) -> None:
    """They are findings; --prune takes them out and nothing else, and then nothing is found."""
    files, pruned = DEAD[name]
    write_tree(tmp_path, {"base/pod.yaml": POD, **files})

    found = run(tmp_path, "check", ".", *REGISTRY)
    plain = run(tmp_path, "migrate", ".", *REGISTRY)
    kept = {file: (tmp_path / file).read_text() for file in files}
    run(tmp_path, "migrate", ".", "--prune", *REGISTRY)
    left = run(tmp_path, "check", ".", *REGISTRY)

    assert "override-dead: no image of what is built here is named " in found.stdout
    assert (found.code, plain.code) == (1, 0)
    assert kept == files
    assert {file: (tmp_path / file).read_text() for file in pruned} == pruned
    assert (left.code, left.stdout) == (0, "")


ALIVE: dict[str, dict[str, str | bytes]] = {
    "it matches": {"base/kustomization.yaml": BASE + LIVE},
    "it matches a name on the cache": {
        "base/kustomization.yaml": BASE
        + LIVE
        + (f"  - name: {HOST}/docker-hub/library/nginx\n    newTag: '2'\n")
    },
    "a pattern": {"base/kustomization.yaml": BASE + GONE.replace("gone\n", "g.*\n", 1)},
    "not for the cache": {
        "base/kustomization.yaml": BASE + "  - name: quay.io/org/gone\n    newTag: '1'\n"
    },
    "kept": {
        "base/kustomization.yaml": BASE + GONE.replace("gone\n", "gone # imageshift: keep\n", 1)
    },
    "a remote base": {
        "base/kustomization.yaml": (
            "resources: [pod.yaml, 'https://example.com/o/r//b?ref=v1']\nimages:\n" + GONE
        )
    },
    "a transformer": {
        "base/kustomization.yaml": "resources: [pod.yaml]\ntransformers: [x.yaml]\nimages:\n"
        + GONE,
        "base/x.yaml": "apiVersion: example.com/v1\nkind: Any\nmetadata: {name: x}\n",
    },
    "fields of its own": {
        "base/kustomization.yaml": "resources: [pod.yaml]\nconfigurations: [x.yaml]\nimages:\n"
        + GONE,
        "base/x.yaml": "images:\n  - path: spec/picture\n",
    },
    "a file that can't be read": {
        "base/kustomization.yaml": "resources: [pod.yaml, bad.yaml]\nimages:\n" + GONE,
        "base/bad.yaml": "kind: Pod\nspec: {containers: [{image: quay.io/org/gone:1}\n",
    },
    "a component": {
        "base/kustomization.yaml": (
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n" + GONE
        )
    },
}


@pytest.mark.parametrize("name", ALIVE)
def test_entries_that_may_match(tmp_path: Path, name: str) -> None:
    """Where not all of a build is known, or an entry isn't the cache's, it isn't called dead."""
    write_tree(tmp_path, {"base/pod.yaml": POD, **ALIVE[name]})

    assert "override-dead" not in run(tmp_path, "check", ".", *REGISTRY).stdout
    run(tmp_path, "migrate", ".", "--prune", *REGISTRY)
    after = (tmp_path / "base" / "kustomization.yaml").read_text()

    assert after == ALIVE[name]["base/kustomization.yaml"]
