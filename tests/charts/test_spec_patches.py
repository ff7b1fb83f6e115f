"""A patched spec of a release is what real kustomize makes of it."""

from typing import Any

import pytest

from imageshift.charts.releases.spec_patches import operated, patched
from real_tools import dump_all, kustomize

pytestmark = pytest.mark.kustomize

SPEC: dict[str, Any] = {
    "values": {
        "image": {"repository": "a", "tag": "1"},
        "list": ["a", "b", {"c": 1}],
        "empty": None,
        "deep": {"er": {"x": 1, "y": 2}},
    },
    "postRenderers": [{"kustomize": {"images": [{"name": "a"}]}}],
}
MERGES: dict[str, Any] = {
    "a key": {"values": {"image": {"tag": "2"}}},
    "a key of its own": {"values": {"fresh": {"x": 1, "gone": None}}},
    "a list": {"values": {"list": ["d"]}, "postRenderers": [{"kustomize": {}}]},
    "null": {"values": {"image": None, "empty": {"x": 1}}, "postRenderers": None},
    "delete": {"values": {"deep": {"er": {"$patch": "delete"}}, "fresh": {"$patch": "delete"}}},
    "replace": {"values": {"deep": {"$patch": "replace", "other": 1}}},
}
OPERATIONS: dict[str, list[dict[str, Any]]] = {
    "replace": [{"op": "replace", "path": "/spec/values/image/tag", "value": "2"}],
    "add a map": [
        {"op": "add", "path": "/spec/values", "value": {}},
        {"op": "add", "path": "/spec/values/image", "value": {"tag": "3"}},
    ],
    "remove": [
        {"op": "remove", "path": "/spec/values/image"},
        {"op": "remove", "path": "/spec/values/list/1"},
        {"op": "remove", "path": "/spec/postRenderers"},
    ],
    "lists": [
        {"op": "add", "path": "/spec/values/list/0", "value": "z"},
        {"op": "add", "path": "/spec/values/list/-", "value": "y"},
        {"op": "replace", "path": "/spec/values/list/3/c", "value": 2},
        {"op": "replace", "path": "/spec/postRenderers/0", "value": {"x": 1}},
    ],
    "a key with a slash": [{"op": "add", "path": "/spec/values/a~1b~0c", "value": 1}],
    "another field": [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}],
}


def built(patch: Any, target: dict[str, str] | None = None) -> Any:
    """Return the spec that kustomize builds."""
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "app"},
    }
    one = {"path": "patch.yaml", **({"target": target} if target else {})}
    files = {
        "kustomization.yaml": dump_all([{"resources": ["release.yaml"], "patches": [one]}]),
        "release.yaml": dump_all([{**release, "spec": SPEC}]),
        "patch.yaml": dump_all([patch if target else {**release, "spec": patch}]),
    }
    return kustomize(files)[0]["spec"]


@pytest.mark.parametrize("name", MERGES)
def test_strategic_merge(name: str) -> None:
    """Maps are merged, lists replaced, and directives obeyed."""
    assert patched(SPEC, MERGES[name]) == built(MERGES[name])


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    """Those that add, replace or remove, in maps and lists."""
    found = built(OPERATIONS[name], {"kind": "HelmRelease"})
    assert operated(SPEC, OPERATIONS[name]) == found
