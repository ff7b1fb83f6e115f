"""The values of Terraform expressions, as far as the source alone tells them.

Literals, variables with a default, locals, `for` expressions, indexes, conditions and a number
of pure functions have a value; everything else is `Unknown`, with the words that are to blame.
Source: the Terraform language's documentation, "Expressions" and "Functions".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.aws.hcl_functions import FUNCTIONS
from imageshift.aws.hcl_values import LARGEST, TOO_LARGE, TOO_MUCH, Budget, Unknown, weigh
from imageshift.lazy import lazy_re

__all__ = ["Locals", "Scope", "evaluate"]

_NOISE = "new_line_or_comment"
_NONE = "which has no value"
_ESCAPES = lazy_re(r'\\(["\\nrt]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')


class Scope(Struct, frozen=True):
    """The names that an expression can see: `var`, `local`, `each`, `count`, `for` variables.

    The budget is that of the whole import.
    """

    names: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def with_names(self, names: Mapping[str, Any]) -> "Scope":
        """The scope with further names in front."""
        return replace(self, names={**self.names, **names})


class Locals(Mapping[str, Any]):
    """The `local` object, whose values are worked out when they are asked for first.

    `scope` is that of the module, which every expression of it sees.
    """

    def __init__(
        self, trees: Mapping[str, Any], variables: Mapping[str, Any], budget: Budget
    ) -> None:
        """The locals of one module, whose expressions see its variables and each other."""
        self._trees = trees
        names = {"var": variables, "local": self, "path": {"module": "."}}
        self.scope = Scope(names, budget)
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            tree = self._trees[name]
            self._known[name] = Unknown(f"local.{name}, which refers to itself")
            self._known[name] = evaluate(tree, self.scope)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._trees

    def __iter__(self) -> Iterator[str]:
        return iter(self._trees)

    def __len__(self) -> int:
        return len(self._trees)


def evaluate(node: Any, scope: Scope) -> Any:
    """The value of an expression of python-hcl2's parse tree: plain Python data, or `Unknown`."""
    handler = _HANDLERS.get(str(node.data))
    if handler is None:
        return Unknown(f"a {node.data}")
    if not scope.budget.enter():
        return TOO_MUCH
    try:
        return handler(node, scope)
    finally:
        scope.budget.leave()


def _built(handler: "_Handler") -> "_Handler":
    """The handler, whose value is refused when it is too large; weighing costs steps too."""

    def build(node: Any, scope: Scope) -> Any:
        value = handler(node, scope)
        weight = weigh(value)
        if not scope.budget.spend(weight):
            return TOO_MUCH
        return TOO_LARGE if weight > LARGEST else value

    return build


def _trees(node: Any) -> list[Any]:
    return [child for child in node.children if hasattr(child, "data") and child.data != _NOISE]


def _first(node: Any, scope: Scope) -> Any:
    return evaluate(_trees(node)[0], scope)


def _string(node: Any, scope: Scope) -> Any:
    parts = [_string_part(part.children[0], scope) for part in _trees(node)]
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    if unknown is None and not all(isinstance(part, (str, int, float)) for part in parts):
        return Unknown("a string with a value that isn't text")
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
    return _number(str(node.children[0]))


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # Python takes no more than 4,300 digits
        return Unknown("a number that is too long")


def _identifier(node: Any, scope: Scope) -> Any:
    name = str(node.children[0])
    return scope.names.get(name, Unknown(name))


def _unary(node: Any, scope: Scope) -> Any:
    value = _first(node, scope)
    if isinstance(value, Unknown):
        return value
    if str(node.children[0]) == "!":
        return not value
    return -value if isinstance(value, (int, float)) else Unknown("- before a non-number")


def _tuple(node: Any, scope: Scope) -> Any:
    return [evaluate(child, scope) for child in _trees(node)]


def _object(node: Any, scope: Scope) -> Any:
    pairs = []
    for element in _trees(node):
        key, value = _trees(element)
        pairs.append((_object_key(_trees(key)[0], scope), evaluate(value, scope)))
    return _as_object(pairs)


def _object_key(node: Any, scope: Scope) -> Any:
    inner = _trees(node)[0] if node.data == "expr_term" else node
    if inner.data in {"identifier", "keyword"} and node.children[0] is inner:
        return str(inner.children[0])
    return evaluate(inner, scope)


def _as_object(pairs: list[tuple[Any, Any]]) -> Any:
    """An object of keys and values; unknown where a key is, since any of them could be it."""
    made = {}
    for key, value in pairs:
        if isinstance(key, Unknown):
            return key
        if not isinstance(key, (str, int, float)):
            return Unknown("a key that isn't text")
        made[_as_text(key)] = value
    return made


def _attribute(node: Any, scope: Scope) -> Any:
    subject, access = _trees(node)
    return _member(evaluate(subject, scope), str(_trees(access)[0].children[0]))


def _index(node: Any, scope: Scope) -> Any:
    subject, access = _trees(node)
    if access.data == "short_index":
        return _member(evaluate(subject, scope), _number(str(access.children[1])))
    return _member(evaluate(subject, scope), _first(access, scope), shown="a key")


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


def _member(value: Any, key: Any, shown: str | None = None) -> Any:
    """The part of a value under a key; `shown` stands for a key that may be anybody's secret."""
    name = _as_text(key) if shown is None or isinstance(key, int) else shown
    if isinstance(key, Unknown):
        return key
    if isinstance(value, Unknown):
        return Unknown(f"{value.what}.{name}")
    if isinstance(value, Mapping) and isinstance(key, (str, int)):
        return value[found] if (found := _as_text(key)) in value else Unknown(f"{name}, {_NONE}")
    if isinstance(value, list) and isinstance(key, int) and -1 < key < len(value):
        return value[key]
    return Unknown(f"{name}, {_NONE}")


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
    except (TypeError, ArithmeticError, RecursionError):
        return Unknown(f"{operator.children[0]} between values that don't fit")


# What a function raises on arguments of another kind; json.loads also on text that is too deep.
_MISFITS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)


def _call(node: Any, scope: Scope) -> Any:
    name, *rest = _trees(node)
    word = str(name.children[0])
    arguments = [evaluate(child, scope) for child in _trees(rest[0])] if rest else []
    function = FUNCTIONS.get(word)
    if function is None:
        return Unknown(f"{word}()")
    if sum(map(weigh, arguments)) > LARGEST:
        return TOO_LARGE
    try:
        return function(*arguments)
    except _MISFITS:
        return Unknown(f"{word}() of these values")


def _for_tuple(node: Any, scope: Scope) -> Any:
    intro, value, *condition = _trees(node)
    return _collect(intro, condition, scope, lambda inner: evaluate(value, inner), list)


def _for_object(node: Any, scope: Scope) -> Any:
    intro, key, value, *condition = _trees(node)

    def pair(inner: Scope) -> tuple[Any, Any]:
        return evaluate(key, inner), evaluate(value, inner)

    return _collect(intro, condition, scope, pair, _as_object)


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
        return Unknown("a for expression over a value that isn't a collection")
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


_Handler = Callable[[Any, Scope], Any]

_HANDLERS: dict[str, _Handler] = {
    "expr_term": _first,
    "string": _built(_string),
    "heredoc_template": _built(_heredoc),
    "heredoc_template_trim": _built(_heredoc),
    "literal_value": _literal,
    "int_lit": _literal,
    "float_lit": _literal,
    "identifier": _identifier,
    "unary_op": _unary,
    "tuple": _built(_tuple),
    "object": _built(_object),
    "get_attr_expr_term": _attribute,
    "index_expr_term": _index,
    "full_splat_expr_term": _built(_splat),
    "conditional": _conditional,
    "binary_op": _binary,
    "function_call": _built(_call),
    "for_tuple_expr": _built(_for_tuple),
    "for_object_expr": _built(_for_object),
}
