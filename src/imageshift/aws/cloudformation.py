"""Rules in CloudFormation templates: `AWS::ECR::PullThroughCacheRule`.

Source: the CloudFormation User Guide's page of that type (all its properties are optional) and
of the intrinsic functions Ref, Fn::Sub, Fn::Join and Fn::FindInMap.
"""

from collections.abc import Mapping
from typing import Any

from imageshift.aws.documents import PlacedDict
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.shapes import mapping_of
from imageshift.data.upstreams import UPSTREAMS
from imageshift.lazy import lazy_re

__all__ = ["is_cloudformation", "read_cloudformation"]

TYPE = "AWS::ECR::PullThroughCacheRule"
_VARIABLE = lazy_re(r"\$\{([^!{}][^{}]{0,200})\}")
_STEPS = 10_000
_DEEPEST = 50
_LONGEST = 4096
_SHOWN = 200


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
    values = _Values(template)
    try:
        prefix, url, upstream_prefix = (
            values.resolve(properties.get(key))
            for key in ("EcrRepositoryPrefix", "UpstreamRegistryUrl", "UpstreamRepositoryPrefix")
        )
    except _UnresolvedError as unresolved:
        message = (
            f"the rule {name[:_SHOWN]} can't be read from the template: it depends on {unresolved}"
        )
        return RuleImport(
            (), (Problem(place, message, "read the account's own rules instead: aws"),)
        )
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


class _Values:
    """Works out the values of one template, in a limited number of steps and characters."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template
        self._steps = _STEPS

    def resolve(self, value: Any, depth: int = _DEEPEST) -> str | None:
        """The text that a value comes to, with parameters at their defaults."""
        self._steps -= 1
        if depth == 0 or self._steps < 0:
            raise _UnresolvedError("a calculation that is too long or too deep for rules")
        found = self._resolve(value, depth - 1)
        if found is not None and len(found) > _LONGEST:
            raise _UnresolvedError("a value that is too long for rules")
        return found

    def _resolve(self, value: Any, depth: int) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if not isinstance(value, Mapping) or len(value) != 1:
            raise _UnresolvedError("a value that isn't text")
        [(function, argument)] = value.items()
        match function:
            case "Ref":
                return self._ref(argument)
            case "Fn::Sub":
                return self._sub(argument, depth)
            case "Fn::Join":
                return self._join(argument, depth)
            case "Fn::FindInMap":
                return self._find_in_map(argument, depth)
        raise _UnresolvedError(str(function)[:_SHOWN])

    def _ref(self, name: Any) -> str:
        parameters = mapping_of(self._template.get("Parameters"))
        default = mapping_of(parameters.get(str(name))).get("Default")
        if isinstance(default, (str, int)):
            return str(default)
        raise _UnresolvedError(str(name)[:_SHOWN])

    def _sub(self, argument: Any, depth: int) -> str:
        match argument:
            case str(text):
                variables: Mapping[str, Any] = {}
            case [str(text), Mapping() as variables]:
                pass
            case _:
                raise _UnresolvedError("Fn::Sub")
        made, done = "", 0
        for found in _VARIABLE.finditer(text):
            given = found[1] in variables
            value = self.resolve(variables[found[1]], depth) if given else self._ref(found[1])
            made += text[done : found.start()] + (value or "")
            done = found.end()
            if len(made) > _LONGEST:
                break
        return made + text[done:]

    def _join(self, argument: Any, depth: int) -> str:
        match argument:
            case [str(between), [*parts]] if len(between) <= _LONGEST:
                made = ""
                for number, part in enumerate(parts):
                    made += (between if number else "") + (self.resolve(part, depth) or "")
                    if len(made) > _LONGEST:
                        break
                return made
            case _:
                raise _UnresolvedError("Fn::Join")

    def _find_in_map(self, argument: Any, depth: int) -> str:
        parts = argument if isinstance(argument, list) else []
        value: Any = self._template.get("Mappings")
        for part in parts:
            value = mapping_of(value).get(str(self.resolve(part, depth)))
        if not isinstance(value, str):
            raise _UnresolvedError("Fn::FindInMap")
        return value
