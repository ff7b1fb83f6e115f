"""A Flux Kustomization as kustomize-controller builds it (docs/facts.md, E2)."""

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from case_cluster import Cluster, Profile, kustomization_of

from real_tools import Object, Tree, dump_all, kustomize, load_all

__all__ = ["build_flux", "generated", "patched"]

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::?[=-](?P<default>[^}]*))?\}")
_HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"


def build_flux(cluster: Cluster, one: Object) -> Iterator[Object]:
    """Yield the objects of a Flux Kustomization, after substitution."""
    spec = one["spec"]
    folder = posixpath.normpath(spec.get("path") or ".").lstrip("/") or "."
    files = dict(generated(cluster.tree, folder))
    name = kustomization_of(files, folder)
    assert name is not None
    body = load_all(files[name])[0]
    version = one["apiVersion"].rpartition("/")[2]
    files[name] = json.dumps(patched(body, spec, cluster.profile, version)).encode()
    objects = kustomize(files, folder)
    variables = _variables(cluster, one)
    for each in objects:
        yield each if variables is None else _substituted(each, variables)


def generated(tree: Tree, folder: str) -> Tree:
    """Return a tree in which a folder has a kustomization, made as Flux makes it."""
    if kustomization_of(tree, folder) is not None:
        return tree
    top = "" if folder == "." else f"{folder}/"
    resources: list[str] = []
    for name in sorted(tree):
        if not name.startswith(top) or not name.endswith((".yaml", ".yml")):
            continue
        inner = name[len(top) :]
        built = next((up for up in _parents(inner) if kustomization_of(tree, top + up)), inner)
        if built not in resources:
            resources.append(built)
    body = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return {
        **tree,
        f"{top}kustomization.yaml": json.dumps(body | {"resources": resources}).encode(),
    }


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def patched(body: Object, spec: Object, profile: Profile, version: str) -> Object:
    """Return a kustomization with what a Flux object or a post-renderer puts over it."""
    body = {**_HEAD, **body}
    body["patches"] = body.get("patches", []) + spec.get("patches", [])
    body["components"] = body.get("components", []) + spec.get("components", [])
    if "beta" in version and not profile.current:
        merges = [dump_all([patch]).decode() for patch in spec.get("patchesStrategicMerge", [])]
        body["patchesStrategicMerge"] = body.get("patchesStrategicMerge", []) + merges
        body["patchesJson6902"] = body.get("patchesJson6902", []) + [
            {"target": one["target"], "patch": json.dumps(one["patch"])}
            for one in spec.get("patchesJson6902", [])
        ]
    images = [dict(one) for one in body.get("images", [])]
    for image in spec.get("images", []):
        _merge_image(images, image, by_field=profile.current)
    return {key: value for key, value in (body | {"images": images}).items() if value}


def _merge_image(images: list[Object], image: Object, *, by_field: bool) -> None:
    found = next((one for one in images if one["name"] == image["name"]), None)
    if found is None:
        images.append(image)
        return
    if not by_field:
        found.clear()
    elif image.get("newTag") or image.get("digest"):
        found.pop("newTag", None)
        found.pop("digest", None)
    found.update(image)


def _variables(cluster: Cluster, one: Object) -> dict[str, str] | None:
    build = one["spec"].get("postBuild")
    if build is None:
        return None
    found: dict[str, str] = {}
    for reference in build.get("substituteFrom", []):
        found |= cluster.data(reference, one["metadata"].get("namespace"))
    return {**found, **build.get("substitute", {})}


def _substituted(one: Object, variables: dict[str, str]) -> Object:
    metadata = one["metadata"]
    marks = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    if marks.get(_DISABLED) == "disabled":
        return one
    made: Any = _replace(one, variables)
    return dict(made)


def _replace(node: Any, variables: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {_replace(key, variables): _replace(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_replace(value, variables) for value in node]
    if not isinstance(node, str):
        return node
    return _VARIABLE.sub(lambda m: variables.get(m["name"], m["default"] or ""), node)
