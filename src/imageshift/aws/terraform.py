"""Pull through cache rules in Terraform source, read with python-hcl2.

Resources `aws_ecr_pull_through_cache_rule` with count and for_each, in a module and in the local
modules it calls; and the arguments of other modules that hold rules in the provider's words, as
`registry_pull_through_cache_rules` of terraform-aws-modules/ecr does.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from os.path import normpath
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.aws.extra import require
from imageshift.aws.folders import RESOURCE
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.hcl import Locals, Scope, evaluate
from imageshift.aws.hcl_values import LARGEST, Budget, Supply, Unknown
from imageshift.aws.sources import SourceFiles
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re

__all__ = ["TerraformReader"]

_PREFIX, _URL = "ecr_repository_prefix", "upstream_registry_url"
_DEEPEST = 8
_SHOWN = 200
_WORD = lazy_re(r"\w+|[^\w\s]")
# python-hcl2 looks for a heredoc's end anew at each of them.
_BLANKS = lazy_re(r"\s{200}")
_SAVE = "save `terraform show -json` (of the state or a plan) and give that file instead"


class _Block(Struct, frozen=True):
    """A block of a file: its type and labels, its attributes, its blocks, its place."""

    words: tuple[str, ...]
    attributes: Mapping[str, Any]
    blocks: tuple["_Block", ...]
    place: str


class _Module(Struct, frozen=True):
    """A folder with a scope for its expressions."""

    folder: Path
    scope: Scope
    depth: int


class TerraformReader:
    """Reads the Terraform modules of one source: each file once, with limits on the work."""

    def __init__(self, files: SourceFiles) -> None:
        """A reader of modules inside the source's repository."""
        self._files = files
        self._parsed: dict[Path, list[_Block] | Problem] = {}
        self._words = Supply(240_000, 1_000)
        self._steps = Supply(400_000, 2_000)
        self._budget = Budget()

    def read(self, path: Path) -> RuleImport:
        """The rules of a Terraform module (a folder), or of one `.tf` file of it.

        Locals and variables are looked up in the whole folder. What can't be told from the
        source is a problem of the result.

        Raises:
            ConfigError: python-hcl2 isn't installed.
        """
        share = self._steps.share
        self._budget = Budget(share)
        folder, only = (path, None) if path.is_dir() else (path.parent, path)
        found = self._read_module(folder, {}, only, _DEEPEST)
        self._steps.take(share - self._budget.left)
        return found

    def _read_module(
        self, folder: Path, inputs: Mapping[str, Any], only: Path | None, depth: int
    ) -> RuleImport:
        problems: list[RuleImport] = []
        blocks: list[tuple[Path, _Block]] = []
        for file in sorted(folder.glob("*.tf")):
            parsed = self._parse(file)
            if isinstance(parsed, Problem):
                problems.append(RuleImport((), (parsed,)))
            else:
                blocks += [(file, block) for block in parsed]
        scope = _module_scope([block for _, block in blocks], inputs, self._budget)
        module = _Module(folder, scope, depth)
        wanted = [block for file, block in blocks if only is None or file == only]
        return merge_imports([*problems, *(self._read_block(block, module) for block in wanted)])

    def _parse(self, file: Path) -> list[_Block] | Problem:
        if file not in self._parsed:
            try:
                self._parsed[file] = list(_blocks(self._tree(file), file))
            except SourceError as error:
                place = f"{file}:{error.line or 1}:{error.column or 1}"
                self._parsed[file] = Problem(place, str(error), error.hint)
            except RecursionError:
                self._parsed[file] = Problem(f"{file}:1:1", "blocks are nested too deeply in it")
        return self._parsed[file]

    def _tree(self, file: Path) -> Any:
        hcl2 = require("hcl2", "Terraform source")
        errors = require("lark.exceptions", "Terraform source")
        text = self._files.text(file)
        self._refuse_long(text)
        try:
            return hcl2.parses_to_tree(text).children[0]
        except errors.LarkError as error:
            line, column = getattr(error, "line", 1), getattr(error, "column", 1)
            message = "this can't be read as Terraform"
            raise SourceError(message, line=line, column=column) from None

    def _refuse_long(self, text: str) -> None:
        most = self._words.share
        words = sum(1 for _ in islice(_WORD.finditer(text), most + 1))
        if words > most:
            raise SourceError("this is more Terraform than imageshift reads for rules", hint=_SAVE)
        self._words.take(words)
        if "<<" in text and (blanks := _BLANKS.search(text)):
            line = text.count("\n", 0, blanks.start()) + 1
            raise SourceError("too many blanks in a row for a file with heredocs", line=line)

    def _read_block(self, block: _Block, module: _Module) -> RuleImport:
        if block.words[:2] == ("resource", RESOURCE):
            return _read_resource(block, module.scope)
        if block.words[:1] == ("module",):
            return self._read_call(block, module)
        return RuleImport()

    def _read_call(self, block: _Block, module: _Module) -> RuleImport:
        scopes = _instances(block, module.scope)
        if isinstance(scopes, Unknown):
            scopes = []
        found = []
        for one in scopes:
            inputs = {name: evaluate(tree, one) for name, tree in block.attributes.items()}
            source = inputs.get("source")
            if isinstance(source, str) and source.startswith((".", "/")):
                found.append(self._read_local(block, source, inputs, module))
            else:
                found += [_build(rule, block.place) for rule in _rules_within(inputs)]
        return merge_imports(found)

    def _read_local(
        self, block: _Block, source: str, inputs: Mapping[str, Any], module: _Module
    ) -> RuleImport:
        folder = Path(normpath(module.folder / source))
        if "\0" in source or not self._files.is_inside(folder):
            message = "the module isn't read: it lies outside the repository"
            return RuleImport((), (Problem(block.place, message, _SAVE),))
        if module.depth == 0 or not self._budget.spend(LARGEST // 10):
            message = "the module isn't read: modules call one another too often"
            return RuleImport((), (Problem(block.place, message, _SAVE),))
        return self._read_module(folder, inputs, None, module.depth - 1)


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
        parts = [part.children[0] for part in node.children if hasattr(part, "data")]
        return "".join(str(part) for part in parts if not hasattr(part, "data"))
    return str(node.children[0]) if node.data in {"identifier", "keyword"} else ""


def _module_scope(blocks: list[_Block], inputs: Mapping[str, Any], budget: Budget) -> Scope:
    variables: dict[str, Any] = {}
    for block in blocks:
        if block.words[:1] == ("variable",) and len(block.words) > 1:
            name = block.words[1]
            default = block.attributes.get("default")
            unknown = Unknown(f"var.{name}")
            known = Scope(budget=budget)
            variables[name] = unknown if default is None else evaluate(default, known)
    variables |= {name: value for name, value in inputs.items() if name in variables}
    trees = {
        name: tree
        for block in blocks
        if block.words[:1] == ("locals",)
        for name, tree in block.attributes.items()
    }
    return Locals(trees, variables, budget).scope


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
        if not isinstance(values, (Mapping, list)):
            return Unknown("a value that is neither a map nor a set")
        pairs = values.items() if isinstance(values, Mapping) else [(one, one) for one in values]
        return [scope.with_names({"each": {"key": key, "value": value}}) for key, value in pairs]
    if "count" in block.attributes:
        count = _count(evaluate(block.attributes["count"], scope))
        if isinstance(count, Unknown):
            return count
        return [scope.with_names({"count": {"index": index}}) for index in range(count)]
    return [scope]


def _count(value: Any) -> int | Unknown:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, int) or value > LARGEST:
        return Unknown(f"a count that isn't a number up to {LARGEST}")
    return value


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
    blamed = unknown.what[:_SHOWN]
    message = f"the rule can't be read from the source: {what} depends on {blamed}"
    return Problem(place, message, _SAVE)


def _rules_within(inputs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in inputs.values():
        inner = value.values() if isinstance(value, Mapping) else value
        if isinstance(inner, (Unknown, str)) or not hasattr(inner, "__iter__"):
            continue
        for one in inner:
            if isinstance(one, Mapping) and _PREFIX in one and _URL in one:
                yield one
