"""Pull through cache rules in Terraform source, read with python-hcl2.

Resources `aws_ecr_pull_through_cache_rule` with count and for_each, in a module and in the local
modules it calls; and the arguments of other modules that hold rules in the provider's words, as
`registry_pull_through_cache_rules` of terraform-aws-modules/ecr does.
"""

from collections.abc import Iterator, Mapping
from os.path import normpath
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.aws.extra import require
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.hcl import Locals, Scope, evaluate
from imageshift.aws.hcl_values import Unknown

__all__ = ["read_terraform"]

RESOURCE = "aws_ecr_pull_through_cache_rule"
_PREFIX, _URL = "ecr_repository_prefix", "upstream_registry_url"
_DEEPEST = 8


class _Block(Struct, frozen=True):
    """A block of a file: its type and labels, its attributes, its blocks, its place."""

    words: tuple[str, ...]
    attributes: Mapping[str, Any]
    blocks: tuple["_Block", ...]
    place: str


def read_terraform(path: Path) -> RuleImport:
    """The rules of a Terraform module (a folder), or of one `.tf` file of it.

    Locals and variables are looked up in the whole folder. What can't be told from the source
    is a problem of the result.

    Raises:
        ConfigError: python-hcl2 isn't installed.
    """
    if path.is_dir():
        return _read_module(path, {}, None, _DEEPEST)
    return _read_module(path.parent, {}, path, _DEEPEST)


def _read_module(
    folder: Path, inputs: Mapping[str, Any], only: Path | None, depth: int
) -> RuleImport:
    problems: list[RuleImport] = []
    blocks: list[tuple[Path, _Block]] = []
    for file in sorted(folder.glob("*.tf")):
        parsed = _parse(file)
        if isinstance(parsed, Problem):
            problems.append(RuleImport((), (parsed,)))
        else:
            blocks += [(file, block) for block in parsed]
    scope = _module_scope([block for _, block in blocks], inputs)
    wanted = [block for file, block in blocks if only is None or file == only]
    found = [_read_block(block, scope, folder, depth) for block in wanted]
    return merge_imports([*problems, *found])


def _parse(file: Path) -> list[_Block] | Problem:
    hcl2 = require("hcl2", "Terraform source")
    errors = require("lark.exceptions", "Terraform source")
    try:
        tree = hcl2.parses_to_tree(file.read_text(encoding="utf-8-sig"))
    except errors.LarkError as error:
        line, column = getattr(error, "line", 1), getattr(error, "column", 1)
        return Problem(f"{file}:{line}:{column}", "this is no Terraform that can be read")
    except (OSError, UnicodeDecodeError) as error:
        return Problem(f"{file}:1:1", f"the file can't be read: {_reason(error)}")
    return list(_blocks(tree.children[0], file))


def _reason(error: Exception) -> str:
    return error.strerror or "" if isinstance(error, OSError) else "it isn't UTF-8"


def _blocks(body: Any, file: Path) -> Iterator[_Block]:
    for node in body.children:
        if getattr(node, "data", None) != "block":
            continue
        inner = node.children[-2]
        words = tuple(_label(child) for child in node.children[:-3] if hasattr(child, "data"))
        yield _Block(
            words=tuple(word for word in words if word),
            attributes=dict(_attributes(inner)),
            blocks=tuple(_blocks(inner, file)),
            place=f"{file}:{node.meta.line}:{node.meta.column}",
        )


def _attributes(body: Any) -> Iterator[tuple[str, Any]]:
    for node in body.children:
        if getattr(node, "data", None) == "attribute":
            yield str(node.children[0].children[0]), node.children[-1]


def _label(node: Any) -> str:
    if node.data == "string":
        return "".join(str(part.children[0]) for part in node.children if hasattr(part, "data"))
    return str(node.children[0]) if node.data in {"identifier", "keyword"} else ""


def _module_scope(blocks: list[_Block], inputs: Mapping[str, Any]) -> Scope:
    variables: dict[str, Any] = {}
    for block in blocks:
        if block.words[0] == "variable" and len(block.words) > 1:
            name = block.words[1]
            default = block.attributes.get("default")
            unknown = Unknown(f"var.{name}")
            variables[name] = unknown if default is None else evaluate(default, Scope())
    variables |= {name: value for name, value in inputs.items() if name in variables}
    trees = {
        name: tree
        for block in blocks
        if block.words[0] == "locals"
        for name, tree in block.attributes.items()
    }
    return Scope({"var": variables, "local": Locals(trees, variables), "path": {"module": "."}})


def _read_block(block: _Block, scope: Scope, folder: Path, depth: int) -> RuleImport:
    if block.words[:2] == ("resource", RESOURCE):
        return _read_resource(block, scope)
    if block.words[0] == "module":
        return _read_call(block, scope, folder, depth)
    return RuleImport()


def _read_resource(block: _Block, scope: Scope) -> RuleImport:
    scopes = _instances(block, scope)
    if isinstance(scopes, Unknown):
        return RuleImport((), (_unknown_problem(block.place, "its for_each or count", scopes),))
    return merge_imports(
        _build({name: evaluate(tree, one) for name, tree in block.attributes.items()}, block.place)
        for one in scopes
    )


def _instances(block: _Block, scope: Scope) -> list[Scope] | Unknown:
    if "for_each" in block.attributes:
        values = evaluate(block.attributes["for_each"], scope)
        if isinstance(values, Unknown):
            return values
        pairs = values.items() if isinstance(values, Mapping) else [(one, one) for one in values]
        return [scope.with_names({"each": {"key": key, "value": value}}) for key, value in pairs]
    if "count" in block.attributes:
        count = evaluate(block.attributes["count"], scope)
        if isinstance(count, Unknown):
            return count
        return [scope.with_names({"count": {"index": index}}) for index in range(int(count))]
    return [scope]


def _build(fields: Mapping[str, Any], place: str) -> RuleImport:
    for name, what in ((_PREFIX, "its prefix"), (_URL, "its upstream")):
        if isinstance(fields.get(name), Unknown):
            return RuleImport((), (_unknown_problem(place, what, fields[name]),))
    upstream_prefix = fields.get("upstream_repository_prefix")
    if isinstance(upstream_prefix, Unknown):
        return RuleImport((), (_unknown_problem(place, "its upstream prefix", upstream_prefix),))
    return build_found(
        fields.get(_PREFIX),
        fields.get(_URL),
        place=place,
        upstream_prefix=upstream_prefix,
        credential=fields.get("credential_arn"),
        role=fields.get("custom_role_arn"),
    )


def _unknown_problem(place: str, what: str, unknown: Unknown) -> Problem:
    return Problem(
        place,
        f"the rule can't be read from the source: {what} depends on {unknown.what}",
        "save `terraform show -json` (of the state or a plan) and give that file instead",
    )


def _read_call(block: _Block, scope: Scope, folder: Path, depth: int) -> RuleImport:
    scopes = _instances(block, scope)
    if isinstance(scopes, Unknown):
        scopes = []
    found = []
    for one in scopes:
        inputs = {name: evaluate(tree, one) for name, tree in block.attributes.items()}
        source = inputs.get("source")
        if isinstance(source, str) and source.startswith((".", "/")) and depth > 0:
            found.append(_read_module(Path(normpath(folder / source)), inputs, None, depth - 1))
        else:
            found += [_build(rule, block.place) for rule in _rules_within(inputs)]
    return merge_imports(found)


def _rules_within(inputs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in inputs.values():
        inner = value.values() if isinstance(value, Mapping) else value
        if isinstance(inner, (Unknown, str)) or not hasattr(inner, "__iter__"):
            continue
        for one in inner:
            if isinstance(one, Mapping) and _PREFIX in one and _URL in one:
                yield one
