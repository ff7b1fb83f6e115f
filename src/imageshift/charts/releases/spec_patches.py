"""What kustomize's patches make of a release's spec, which is a custom resource to it.

Maps are merged, lists replaced; null and `$patch: delete` remove a key, `$patch: replace` the keys
that a patch doesn't have (E1.4b, run in tests/charts/test_spec_patches.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imageshift.sites.patches import pointer_steps

__all__ = ["operated", "patched"]

_DIRECTIVE = "$patch"


def patched(spec: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A spec after a strategic merge patch."""
    made = {} if patch.get(_DIRECTIVE) == "replace" else dict(spec)
    for key, value in patch.items():
        if key == _DIRECTIVE:
            continue
        if value is None or (isinstance(value, Mapping) and value.get(_DIRECTIVE) == "delete"):
            made.pop(key, None)
        elif isinstance(value, Mapping):
            below = made.get(key)
            made[key] = patched(below if isinstance(below, Mapping) else {}, value)
        else:
            made[key] = value
    return made


def operated(spec: Mapping[str, Any], operations: Iterable[Any]) -> Mapping[str, Any]:
    """A spec after the operations of a JSON 6902 patch that add, replace or remove.

    One that finds no place changes nothing: kustomize refuses such a build.
    """
    for operation in operations:
        if not isinstance(operation, Mapping):
            continue
        steps = pointer_steps(str(operation.get("path") or ""))
        if steps[:1] == ["spec"] and operation.get("op") in {"add", "replace", "remove"}:
            spec = _put(spec, steps[1:], operation)
    return spec


def _put(node: Any, steps: Sequence[str], operation: Mapping[str, Any]) -> Any:
    if not steps:
        return node if operation["op"] == "remove" else operation.get("value")
    step, *rest = steps
    if isinstance(node, Mapping):
        return _put_in_map(node, step, rest, operation)
    return _put_in_list(node, step, rest, operation) if isinstance(node, list) else node


def _put_in_map(
    node: Mapping[str, Any], step: str, rest: Sequence[str], operation: Mapping[str, Any]
) -> Mapping[str, Any]:
    if rest:
        return {**node, step: _put(node[step], rest, operation)} if step in node else node
    if operation["op"] == "remove":
        return {key: value for key, value in node.items() if key != step}
    return {**node, step: operation.get("value")}


def _put_in_list(
    node: list[Any], step: str, rest: Sequence[str], operation: Mapping[str, Any]
) -> list[Any]:
    if step == "-" and operation["op"] == "add" and not rest:
        return [*node, operation.get("value")]
    if not step.isdecimal() or int(step) > len(node):
        return node
    index = int(step)
    before, here, after = node[:index], node[index : index + 1], node[index + 1 :]
    if rest:
        return [*before, *(_put(one, rest, operation) for one in here), *after]
    if operation["op"] == "add":
        return [*before, operation.get("value"), *here, *after]
    new = [] if operation["op"] == "remove" else [operation.get("value")]
    return [*before, *(new if here else ()), *after]
