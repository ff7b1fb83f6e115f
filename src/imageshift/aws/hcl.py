"""The values of Terraform expressions, as far as the source alone tells them.

Literals, variables with a default, locals, `for` expressions, indexes, conditions and a number
of pure functions have a value; everything else is `Unknown`, with the words that are to blame.
Source: the Terraform language's documentation, "Expressions" and "Functions".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.aws.hcl_functions import FUNCTIONS
from imageshift.aws.hcl_values import Unknown

__all__ = ["Locals", "Scope", "evaluate"]

_NOISE = "new_line_or_comment"
_ESCAPES = re.compile(r'\\(["\\nrt]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')


class Scope(Struct, frozen=True):
    """The names that an expression can see: `var`, `local`, `each`, `count`, `for` variables."""

    names: Mapping[str, Any] = field(default_factory=dict)

    def with_names(self, names: Mapping[str, Any]) -> "Scope":
        """The scope with further names in front."""
        return replace(self, names={**self.names, **names})


class Locals(Mapping[str, Any]):
    """The `local` object: every value is worked out when it is asked for."""

    def __init__(self, trees: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        """The locals of one module, whose expressions see its variables and each other."""
        self._trees = trees
        self._scope = Scope({"var": variables, "local": self, "path": {"module": "."}})
        self._open: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        if name in self._open:
            return Unknown(f"local.{name} refers to itself")
        self._open.add(name)
        try:
            return evaluate(self._trees[name], self._scope)
        finally:
            self._open.discard(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._trees)

    def __len__(self) -> int:
        return len(self._trees)


def evaluate(node: Any, scope: Scope) -> Any:
    """The value of an expression of python-hcl2's parse tree: plain Python data, or `Unknown`."""
    handler = _HANDLERS.get(str(node.data))
    return Unknown(f"a {node.data}") if handler is None else handler(node, scope)


def _trees(node: Any) -> list[Any]:
    return [child for child in node.children if hasattr(child, "data") and child.data != _NOISE]


def _first(node: Any, scope: Scope) -> Any:
    return evaluate(_trees(node)[0], scope)


def _string(node: Any, scope: Scope) -> Any:
    parts = [_string_part(part.children[0], scope) for part in _trees(node)]
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    return unknown or "".join(map(_as_text, parts))


def _string_part(part: Any, scope: Scope) -> Any:
    if hasattr(part, "data"):
        known = part.data == "interpolation"
        return _first(part, scope) if known else Unknown("a template directive")
    if part.type == "STRING_CHARS":
        return _ESCAPES.sub(lambda found: str(json.loads(f'"{found[0]}"')), str(part))
    return str(part)[1:]


def _as_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _heredoc(node: Any, _scope: Scope) -> Any:
    text = str(node.children[0])
    return (
        Unknown("a heredoc with variables") if "${" in text else "\n".join(text.split("\n")[1:-2])
    )


def _literal(node: Any, _scope: Scope) -> Any:
    return json.loads(str(node.children[0]))


def _identifier(node: Any, scope: Scope) -> Any:
    name = str(node.children[0])
    return scope.names.get(name, Unknown(name))


def _unary(node: Any, scope: Scope) -> Any:
    value = _first(node, scope)
    if isinstance(value, Unknown):
        return value
    return not value if str(node.children[0]) == "!" else -value


def _tuple(node: Any, scope: Scope) -> Any:
    return [evaluate(child, scope) for child in _trees(node)]


def _object(node: Any, scope: Scope) -> Any:
    made = {}
    for element in _trees(node):
        key, value = _trees(element)
        made[_object_key(_trees(key)[0], scope)] = evaluate(value, scope)
    return made


def _object_key(node: Any, scope: Scope) -> str:
    inner = _trees(node)[0] if node.data == "expr_term" else node
    if inner.data in {"identifier", "keyword"} and node.children[0] is inner:
        return str(inner.children[0])
    return _as_text(evaluate(inner, scope))


def _attribute(node: Any, scope: Scope) -> Any:
    subject, access = _trees(node)
    return _member(evaluate(subject, scope), str(_trees(access)[0].children[0]))


def _index(node: Any, scope: Scope) -> Any:
    subject, access = _trees(node)
    if access.data == "short_index":
        return _member(evaluate(subject, scope), int(access.children[1]))
    return _member(evaluate(subject, scope), _first(access, scope))


def _splat(node: Any, scope: Scope) -> Any:
    subject, access = _trees(node)
    values = evaluate(subject, scope)
    if isinstance(values, Unknown) or not isinstance(values, list):
        return Unknown("a splat") if not isinstance(values, Unknown) else values
    for step in _trees(access):
        if step.data != "get_attr":
            return Unknown("a splat")
        values = [_member(value, str(_trees(step)[0].children[0])) for value in values]
    return values


def _member(value: Any, key: Any) -> Any:
    if isinstance(key, Unknown):
        return key
    if isinstance(value, Unknown):
        return Unknown(f"{value.what}.{key}")
    if isinstance(value, Mapping):
        return value[key] if key in value else Unknown(f"{key}, which has no value")
    if isinstance(value, list) and isinstance(key, int) and -1 < key < len(value):
        return value[key]
    return Unknown(f"{key}, which has no value")


def _conditional(node: Any, scope: Scope) -> Any:
    condition, yes, no = _trees(node)
    value = evaluate(condition, scope)
    return value if isinstance(value, Unknown) else evaluate(yes if value else no, scope)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&&": lambda a, b: bool(a and b),
    "||": lambda a, b: bool(a or b),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _binary(node: Any, scope: Scope) -> Any:
    left, term = _trees(node)
    operator, right = _trees(term)
    values = evaluate(left, scope), evaluate(right, scope)
    unknown = next((value for value in values if isinstance(value, Unknown)), None)
    if unknown is not None:
        return unknown
    operation = _OPERATORS.get(str(operator.children[0]))
    try:
        return Unknown("arithmetic") if operation is None else operation(*values)
    except TypeError:
        return Unknown(f"{operator.children[0]} between values that don't fit")


def _call(node: Any, scope: Scope) -> Any:
    name, *rest = _trees(node)
    word = str(name.children[0])
    arguments = [evaluate(child, scope) for child in _trees(rest[0])] if rest else []
    function = FUNCTIONS.get(word)
    if function is None:
        return Unknown(f"{word}()")
    try:
        return function(*arguments)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return Unknown(f"{word}() of these values")


def _for_tuple(node: Any, scope: Scope) -> Any:
    intro, value, *condition = _trees(node)
    return _collect(intro, condition, scope, lambda inner: evaluate(value, inner), list)


def _for_object(node: Any, scope: Scope) -> Any:
    intro, key, value, *condition = _trees(node)

    def pair(inner: Scope) -> tuple[Any, Any]:
        return evaluate(key, inner), evaluate(value, inner)

    return _collect(intro, condition, scope, pair, dict)


def _collect(
    intro: Any,
    condition: list[Any],
    scope: Scope,
    make: Callable[[Scope], Any],
    gather: Callable[[list[Any]], Any],
) -> Any:
    *names, collection = _trees(intro)
    values = evaluate(collection, scope)
    if isinstance(values, Unknown):
        return values
    if not isinstance(values, (Mapping, list)):
        return Unknown("a for expression over no collection")
    made = []
    for key, value in _pairs(values):
        bound = (key, value) if len(names) > 1 else (value,)
        words = [str(name.children[0]) for name in names]
        inner = scope.with_names(dict(zip(words, bound, strict=True)))
        if all(_first(part, inner) is True for part in condition):
            made.append(make(inner))
    return gather(made)


def _pairs(values: Mapping[str, Any] | list[Any]) -> list[tuple[Any, Any]]:
    return sorted(values.items()) if isinstance(values, Mapping) else list(enumerate(values))


def _number(node: Any, _scope: Scope) -> Any:
    return json.loads(str(node.children[0]))


_HANDLERS: dict[str, Callable[[Any, Scope], Any]] = {
    "expr_term": _first,
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "literal_value": _literal,
    "int_lit": _number,
    "float_lit": _number,
    "identifier": _identifier,
    "unary_op": _unary,
    "tuple": _tuple,
    "object": _object,
    "get_attr_expr_term": _attribute,
    "index_expr_term": _index,
    "full_splat_expr_term": _splat,
    "conditional": _conditional,
    "binary_op": _binary,
    "function_call": _call,
    "for_tuple_expr": _for_tuple,
    "for_object_expr": _for_object,
}
