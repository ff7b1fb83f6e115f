"""Kustomizations and Flux objects in chains, webs and circles far longer than Python's stack."""

from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.inventory import build_index
from imageshift.links.reach import Reach
from imageshift.repo.workspace import Workspace
from imageshift.unwound import Task, unwound

pytestmark = pytest.mark.once

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - {name: a, image: nginx:1.27}
"""
LAST = "resources: [pod.yaml]\n"
ENTRY = "images:\n- name: nginx\n  newTag: '1'\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
LENGTH = 1500
Files = dict[str, str | bytes]


def kustomizations(texts: dict[str, str]) -> Files:
    """Return the files for kustomizations by folder."""
    return {f"{folder}/kustomization.yaml": text for folder, text in texts.items()}


def chain(length: int) -> Files:
    """Return bases over bases, the first with an entry."""
    texts = {f"k{n}": f"resources: [../k{n + 1}]\n" for n in range(length)}
    texts |= {"k0": texts["k0"] + ENTRY, f"k{length}": LAST}
    return {**kustomizations(texts), f"k{length}/pod.yaml": POD}


def components(length: int) -> Files:
    """Return components that take in components, the last with an entry."""
    texts = {f"c{n}": f"{COMPONENT}components: [../c{n + 1}]\n" for n in range(length)}
    texts |= {f"c{length}": COMPONENT + ENTRY, ".": f"{LAST}components: [c0]\n"}
    return {**kustomizations(texts), "pod.yaml": POD}


def diamonds(length: int) -> Files:
    """Return bases that two bases share, again and again: two ways at each, 2^length in all."""
    texts: dict[str, str] = {}
    for n in range(length // 3):
        texts[f"a{n}"] = f"resources: [../b{n}, ../c{n}]\n{ENTRY}"
        texts |= {f"{side}{n}": f"resources: [../a{n + 1}]\n" for side in "bc"}
    last = f"a{length // 3}"
    return {**kustomizations({**texts, last: LAST}), f"{last}/pod.yaml": POD}


def circle(length: int) -> Files:
    """Return bases in a circle, of which none is the first, and components in one."""
    texts = {f"k{n}": f"resources: [../k{(n + 1) % length}]\n" for n in range(length)}
    texts["k0"] = f"resources: [../k1, pod.yaml]\ncomponents: [../c, ../d]\n{ENTRY}"
    texts["c"] = f"{COMPONENT}components: [../d]\n{ENTRY}"
    texts["d"] = f"{COMPONENT}components: [../c, ../d]\n{ENTRY}"
    return {**kustomizations(texts), "k0/pod.yaml": POD}


def web(length: int) -> Files:
    """Return bases of which each takes in all others; no way through them ends."""
    names = [f"k{n}" for n in range(length // 60)]
    texts: dict[str, str] = {}
    for own in names:
        others = ", ".join(f"../{name}" for name in names if name != own)
        texts[own] = f"resources: [{others}]\n"
    texts["k0"] = f"resources: [../k1, pod.yaml]\n{ENTRY}"
    return {**kustomizations(texts), "k0/pod.yaml": POD}


def flux(length: int) -> Files:
    """Return Flux Kustomizations that build the folder of the next one."""
    files: Files = {}
    for n in range(length):
        files[f"f{n}/flux.yaml"] = (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
            f"metadata: {{name: f{n}}}\nspec:\n  path: ./f{n + 1}\n"
            f"  sourceRef: {{name: flux-system}}\n  dependsOn: [{{name: f{n + 1}}}]\n"
            "  images:\n  - name: nginx\n    newTag: '1'\n"
        )
    return {**files, f"f{length}/pod.yaml": POD}


TREES: dict[str, Callable[[int], Files]] = {
    "chain": chain,
    "components": components,
    "diamonds": diamonds,
    "circle": circle,
    "web": web,
    "flux": flux,
}


@pytest.mark.parametrize("name", TREES)
def test_longer_than_the_stack(tmp_path: Path, name: str) -> None:
    """The image moves or stays with a reason, and can be explained; no run ends early."""
    files = TREES[name](LENGTH)
    write_tree(tmp_path, {".git/HEAD": "", **files})
    pod = next(file for file in files if file.endswith("pod.yaml"))

    explained = run(tmp_path, "explain", pod, *REGISTRY, "--charts", "off")
    moved = run(tmp_path, "migrate", *REGISTRY, "--charts", "off", ".")

    assert (explained.code, moved.code) == (0, 0), explained.stderr + moved.stderr
    assert "nginx" in explained.stdout
    assert HOST.encode() in (tmp_path / pod).read_bytes()


def test_all_that_a_long_chain_builds_is_known(tmp_path: Path) -> None:
    """The files at its end are those that its beginning builds."""
    write_tree(tmp_path, chain(LENGTH))
    workspace = Workspace(tmp_path.resolve())
    reach = Reach(build_index(workspace, workspace.walk()))

    assert f"k{LENGTH}/pod.yaml" in reach.closure("k0")
    assert len(reach.closure("k0")) == LENGTH + 2


def test_calls_unwound() -> None:
    """A function that yields its own calls goes as deep as it likes, and gets their results."""

    def depth(left: int) -> Task[int]:
        return 1 + (yield depth(left - 1)) if left else 0

    assert unwound(depth(100_000)) == 100_000
