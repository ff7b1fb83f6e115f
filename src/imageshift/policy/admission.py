"""ValidatingAdmissionPolicy and MutatingAdmissionPolicy, which the API server runs by itself.

Both look at pods when they are created: a pod whose image changes later restarts its container.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from textwrap import indent

from imageshift.policy.cel import moves, quoted, target
from imageshift.policy.options import PolicyOptions, yaml_list
from imageshift.policy.steps import Step

__all__ = ["Action", "ApiVersion", "mutating_policy", "validating_policy"]

_HEAD = """\
# Written by `imageshift policy {command}` from the rules in force: change those, and run it again.
"""
_MATCH = """\
  matchConstraints:
    namespaceSelector:
      matchExpressions:
        - {{key: kubernetes.io/metadata.name, operator: NotIn, values: {excluded}}}
    resourceRules:
      - {{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}}
"""
_BINDING = """\
---
apiVersion: admissionregistration.k8s.io/{version}
kind: {kind}Binding
metadata:
  name: {name}
spec:
  policyName: {name}
"""
_LISTS = ("containers", "initContainers")


class ApiVersion(StrEnum):
    """The version of MutatingAdmissionPolicy."""

    V1 = "v1"
    V1BETA1 = "v1beta1"


class Action(StrEnum):
    """What the API server does about a pod that a validating policy finds wrong."""

    DENY = "Deny"
    WARN = "Warn"
    AUDIT = "Audit"


def mutating_policy(
    steps: Sequence[Step], options: PolicyOptions, version: ApiVersion = ApiVersion.V1
) -> str:
    """A MutatingAdmissionPolicy with its binding, which moves the images of new pods."""
    parts = [
        _HEAD.format(command="mutating"),
        f"apiVersion: admissionregistration.k8s.io/{version}\n",
        "kind: MutatingAdmissionPolicy\n",
        f"metadata:\n  name: {options.name}\nspec:\n",
        "  failurePolicy: Ignore\n  reinvocationPolicy: IfNeeded\n",
        _match(options),
        f"  matchConditions:\n    - name: some-image-moves\n{_expression(_some_moves(steps), 6)}",
        "  mutations:\n",
        *(_mutation(steps, name) for name in _LISTS),
        _BINDING.format(version=version, kind="MutatingAdmissionPolicy", name=options.name),
    ]
    return "".join(parts)


def validating_policy(
    steps: Sequence[Step],
    options: PolicyOptions,
    action: Action = Action.DENY,
    only: str | None = None,
    exceptions: Collection[str] = (),
) -> str:
    """A ValidatingAdmissionPolicy with its binding, which finds images that should move.

    With `only`, a registry's host, it also finds images of other registries but for those whose
    names are `exceptions`.
    """
    variables = [_variable("moves", _images(moves(steps, "c.image")))]
    checks = [_check("moves", "not from the cache: ")]
    if only is not None:
        variables.append(_variable("others", _images(f"!({_allowed(only, exceptions)})")))
        checks.append(_check("others", "not from the cache, and no exception: "))
    parts = [
        _HEAD.format(command="validating"),
        "apiVersion: admissionregistration.k8s.io/v1\n",
        "kind: ValidatingAdmissionPolicy\n",
        f"metadata:\n  name: {options.name}\nspec:\n  failurePolicy: Fail\n",
        _match(options),
        "  variables:\n",
        *variables,
        "  validations:\n",
        *checks,
        _BINDING.format(version="v1", kind="ValidatingAdmissionPolicy", name=options.name),
        f"  validationActions: [{action}]\n",
    ]
    return "".join(parts)


def _match(options: PolicyOptions) -> str:
    # NotIn takes no empty list.
    excluded = options.excluded or ("kube-system-is-included",)
    return _MATCH.format(excluded=yaml_list(excluded))


def _list(name: str) -> str:
    """An expression for a pod's containers of one sort, those without an image left out."""
    own = f"object.spec.{name}"
    return f"(has({own}) ? {own} : []).filter(c, has(c.image))"


def _some_moves(steps: Sequence[Step]) -> str:
    return " ||\n".join(
        f"{_list(name)}.exists(c,\n{indent(moves(steps, 'c.image'), '  ')})" for name in _LISTS
    )


def _mutation(steps: Sequence[Step], name: str) -> str:
    containers = (
        f"Object{{spec: Object.spec{{{name}: {_list(name)}.map(c, Object.spec.{name}{{\n"
        f"  name: c.name,\n  image:\n{indent(target(steps, 'c.image'), '    ')}\n}})}}}}"
    )
    head = "    - patchType: ApplyConfiguration\n      applyConfiguration:\n"
    return head + _expression(containers, 8)


def _images(wrong: str) -> str:
    """An expression for a pod's images that a condition over `c.image` holds for."""
    lists = " + ".join(_list(name) for name in _LISTS)
    return f"({lists})\n.filter(c,\n{indent(wrong, '  ')})\n.map(c, c.image)"


def _allowed(host: str, exceptions: Collection[str]) -> str:
    conditions = [f"c.image.startsWith({quoted(f'{host}/')})"]
    for known in sorted(exceptions):
        conditions.append(f"c.image == {quoted(known)}")
        conditions += [f"c.image.startsWith({quoted(known + mark)})" for mark in ":@"]
    return " ||\n".join(conditions)


def _variable(name: str, text: str) -> str:
    return f"    - name: {name}\n{_expression(text, 6)}"


def _check(variable: str, message: str) -> str:
    return (
        f"    - expression: size(variables.{variable}) == 0\n"
        f"      messageExpression: \"{quoted(message)} + variables.{variable}.join(', ')\"\n"
    )


def _expression(text: str, spaces: int) -> str:
    """An expression under its key, as a literal block."""
    return f"{' ' * spaces}expression: |-\n{indent(text, ' ' * (spaces + 2))}\n"
