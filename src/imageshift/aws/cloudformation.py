"""Rules in CloudFormation templates: `AWS::ECR::PullThroughCacheRule`.

Source: the CloudFormation User Guide's page of that type (all its properties are optional) and
of the intrinsic functions Ref, Fn::Sub, Fn::Join, Fn::FindInMap and Fn::If.
"""

import re
from collections.abc import Mapping
from typing import Any

from imageshift.aws.documents import PlacedDict
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.shapes import mapping_of
from imageshift.data.upstreams import UPSTREAMS

__all__ = ["is_cloudformation", "read_cloudformation"]

TYPE = "AWS::ECR::PullThroughCacheRule"
_VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")


class _UnresolvedError(Exception):
    """A value that only a deployment tells; the message is what it depends on."""


def is_cloudformation(data: Mapping[str, Any]) -> bool:
    """Whether it looks like a CloudFormation template."""
    resources = data.get("Resources")
    return isinstance(resources, Mapping) and any(
        isinstance(resource, Mapping) and str(resource.get("Type", "")).count("::")
        for resource in resources.values()
    )


def read_cloudformation(template: Mapping[str, Any], path: str) -> RuleImport:
    """The rules of a template, with parameters at their defaults."""
    return merge_imports(
        _read_resource(template, name, resource, path)
        for name, resource in template["Resources"].items()
        if isinstance(resource, Mapping) and resource.get("Type") == TYPE
    )


def _read_resource(
    template: Mapping[str, Any], name: str, resource: Mapping[str, Any], path: str
) -> RuleImport:
    at = resource if isinstance(resource, PlacedDict) else PlacedDict()
    place = f"{path}:{at.line}:{at.column}"
    properties = mapping_of(resource.get("Properties"))
    try:
        prefix, url, upstream_prefix = (
            _resolve(properties.get(key), template)
            for key in ("EcrRepositoryPrefix", "UpstreamRegistryUrl", "UpstreamRepositoryPrefix")
        )
    except _UnresolvedError as unresolved:
        message = f"the rule {name} can't be read from the template: it depends on {unresolved}"
        return RuleImport((), (Problem(place, message, "import the rules of the account: aws"),))
    return build_found(
        prefix,
        url or _default_url(properties.get("UpstreamRegistry")),
        place=place,
        upstream_prefix=upstream_prefix,
        kind=properties.get("UpstreamRegistry"),
        credential=properties.get("CredentialArn"),
        role=properties.get("CustomRoleArn"),
    )


def _default_url(kind: object) -> str | None:
    return next((one.url for one in UPSTREAMS if one.kind == kind), None)


def _resolve(value: Any, template: Mapping[str, Any]) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        function, argument = next(iter(value.items()))
        resolver = {
            "Ref": _ref,
            "Fn::Sub": _sub,
            "Fn::Join": _join,
            "Fn::FindInMap": _find_in_map,
        }.get(function)
        if resolver is not None:
            return resolver(argument, template)
        raise _UnresolvedError(function)
    raise _UnresolvedError("a value that isn't text")


def _ref(name: Any, template: Mapping[str, Any]) -> str:
    parameter = mapping_of(mapping_of(template.get("Parameters")).get(str(name)))
    if parameter.get("Default") is not None:
        return str(parameter["Default"])
    raise _UnresolvedError(str(name))


def _sub(argument: Any, template: Mapping[str, Any]) -> str:
    match argument:
        case str(text):
            variables: Mapping[str, Any] = {}
        case [str(text), Mapping() as variables]:
            pass
        case _:
            raise _UnresolvedError("Fn::Sub")

    def one(found: re.Match[str]) -> str:
        if found[1] in variables:
            return _resolve(variables[found[1]], template) or ""
        return _ref(found[1], template)

    return _VARIABLE.sub(one, text)


def _join(argument: Any, template: Mapping[str, Any]) -> str:
    match argument:
        case [str(between), [*parts]]:
            return between.join(_resolve(part, template) or "" for part in parts)
        case _:
            raise _UnresolvedError("Fn::Join")


def _find_in_map(argument: Any, template: Mapping[str, Any]) -> str:
    keys = [_resolve(part, template) for part in argument] if isinstance(argument, list) else []
    value: Any = template.get("Mappings")
    for key in keys:
        value = mapping_of(value).get(str(key))
    if not isinstance(value, str):
        raise _UnresolvedError("Fn::FindInMap")
    return value
