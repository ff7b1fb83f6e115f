"""Kustomizations and Flux objects in chains, webs and circles far longer than Python's stack."""

from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.inventory import build_index
from imageshift.kustomize.chains import Task, unwound
from imageshift.kustomize.reach import Reach
from imageshift.repo.workspace import Workspace

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: nginx:1.27}\n"
ENTRY = "images:\n- name: nginx\n  newTag: '1'\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
LENGTH = 1500
Files = dict[str, str | bytes]


def chain(length: int) -> Files:
    """Return bases over bases, the first with an entry."""
    files: Files = {
        f"k{n}/kustomization.yaml": f"resources: [../k{n + 1}]\n" for n in range(length)
    }
    files["k0/kustomization.yaml"] = f"resources: [../k1]\n{ENTRY}"
    return files | {
        f"k{length}/kustomization.yaml": "resources: [pod.yaml]\n",
        f"k{length}/pod.yaml": POD,
    }


def components(length: int) -> Files:
    """Return components that take in components, the last with an entry."""
    files: Files = {
        f"c{n}/kustomization.yaml": f"{COMPONENT}components: [../c{n + 1}]\n" for n in range(length)
    }
    files[f"c{length}/kustomization.yaml"] = COMPONENT + ENTRY
    files["kustomization.yaml"] = "resources: [pod.yaml]\ncomponents: [c0]\n"
    return files | {"pod.yaml": POD}


def diamonds(length: int) -> Files:
    """Return bases that two bases share, again and again: two ways at each, 2^length in all."""
    files: Files = {}
    for n in range(length // 3):
        files[f"a{n}/kustomization.yaml"] = f"resources: [../b{n}, ../c{n}]\n{ENTRY}"
        for side in "bc":
            files[f"{side}{n}/kustomization.yaml"] = f"resources: [../a{n + 1}]\n"
    last = f"a{length // 3}"
    return files | {
        f"{last}/kustomization.yaml": "resources: [pod.yaml]\n",
        f"{last}/pod.yaml": POD,
    }


def circle(length: int) -> Files:
    """Return bases in a circle, of which none is the first, and components in one."""
    files: Files = {
        f"k{n}/kustomization.yaml": f"resources: [../k{(n + 1) % length}]\n" for n in range(length)
    }
    files["k0/kustomization.yaml"] = (
        f"resources: [../k1, pod.yaml]\ncomponents: [../c, ../d]\n{ENTRY}"
    )
    files["c/kustomization.yaml"] = f"{COMPONENT}components: [../d]\n{ENTRY}"
    files["d/kustomization.yaml"] = f"{COMPONENT}components: [../c, ../d]\n{ENTRY}"
    return files | {"k0/pod.yaml": POD}


def web(length: int) -> Files:
    """Return bases of which each takes in all others; no way through them ends."""
    names = [f"k{n}" for n in range(length // 60)]
    files: Files = {
        f"{own}/kustomization.yaml": f"resources: [{', '.join(f'../{n}' for n in names if n != own)}]\n"
        for own in names
    }
    files["k0/kustomization.yaml"] = f"resources: [../k1, pod.yaml]\n{ENTRY}"
    return files | {"k0/pod.yaml": POD}


def flux(length: int) -> Files:
    """Return Flux Kustomizations that build the folder of the next one."""
    files: Files = {
        f"f{n}/flux.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: f{n}}}\nspec:\n  path: ./f{n + 1}\n  sourceRef: {{name: flux-system}}\n"
        f"  dependsOn: [{{name: f{n + 1}}}]\n  {ENTRY.replace(chr(10), chr(10) + '  ').rstrip(' ')}"
        for n in range(length)
    }
    return files | {f"f{length}/pod.yaml": POD}


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
