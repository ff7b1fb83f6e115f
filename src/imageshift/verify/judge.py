"""Two objects side by side: images that have moved, and everything else that differs."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ObjectName, ValuePath
from imageshift.charts.plain import load_plain
from imageshift.errors import ImageshiftError
from imageshift.sites.sync_options import SYNC_OPTIONS, parse_options, remakes_jobs
from imageshift.verify.model import MISSING, Plain, decoded, object_name
from imageshift.verify.parameters import Known, is_prefix, names_image, set_values
from imageshift.verify.text import TextJudge

__all__ = ["Differs", "Judge", "Moved", "image_fields", "readable"]

_CONTAINERS = {"containers", "initContainers", "ephemeralContainers"}
_LISTS = _CONTAINERS | {"volumes"}
"""What kustomize makes an empty list of when it is null."""
_PARAMETERS = {"parameters", "set", "setString"}
_REPOSITORY_KEYS = ("repository", "image", "name", "repo")
_PLACEHOLDER = "auto"
"""What Istio's injector replaces (X12)."""
_TRIGGERS = "image.openshift.io/triggers"


class Moved(Struct, frozen=True):
    """A place where nothing differs but references under their mapped names."""

    path: ValuePath
    before: Any
    after: Any
    pairs: tuple[tuple[str, str], ...]


class Differs(Struct, frozen=True):
    """A place that differs otherwise; `reason` is empty where nothing more can be said."""

    path: ValuePath
    before: Any
    after: Any
    reason: str = ""


class Judge(Struct, frozen=True):
    """Compares objects by the rules of one registry.

    `jobs` says that all Jobs may change, `renewed` are those that aren't applied again under
    their names, `known` gives the parameters of pipelines that become images.
    """

    texts: TextJudge
    jobs: bool = False
    renewed: frozenset[ObjectName] = frozenset()
    known: Known = tuple

    def compare(self, before: Plain, after: Plain) -> list[Moved | Differs]:
        """What differs between two objects that are one, before and after."""
        if before is after:
            return []
        found = list(self._walk(readable(before), readable(after), (), ""))
        return [self._settled(item, before) for item in found]

    def unmapped(self, before: Any, after: Any) -> Any:
        """`after` with everything that has moved put back as it was before."""
        made = after
        for path, value in self.origins(before, after).items():
            made = _with(made, path, value)
        return made

    def origins(self, before: Any, after: Any) -> dict[ValuePath, Any]:
        """What everything that has moved was before, by its place; MISSING where nothing was.

        That is what images and registries alone were.
        """
        found = self._walk(before, after, (), "")
        return {item.path: item.before for item in found if self._has_moved(item)}

    def _has_moved(self, item: Moved | Differs) -> bool:
        texts = item.before, item.after
        if isinstance(item, Moved) or not all(isinstance(text, str) for text in texts):
            return isinstance(item, Moved)
        return self.texts.is_moved_registry(*texts)

    @staticmethod
    def put(node: Any, path: ValuePath, value: Any) -> Any:
        """A copy of `node` with another value at a path; MISSING takes it away."""
        return _with(node, path, value)

    def _settled(self, item: Moved | Differs, before: Plain) -> Moved | Differs:
        """What only the whole object can tell of a place."""
        if isinstance(item, Moved):
            return self._refused(item, before)
        old, new = item.before, item.after
        if not (isinstance(old, str) and isinstance(new, str)):
            return item
        moved = names_image(before, item.path, self.known) and self.texts.is_moved(old, new)
        moved = moved or (
            is_prefix(before, item.path) and self.texts.is_moved(f"{old}/name", f"{new}/name")
        )
        return Moved(item.path, old, new, ((old, new),)) if moved else item

    def _refused(self, item: Moved, before: Plain) -> Moved | Differs:
        reason = ""
        if before.get("kind") == "CustomResourceDefinition":
            reason = "a custom resource definition contains no images"
        elif _is_field(item.path):
            reason = _field_reason(item, before)
        if not reason and self.is_fixed(before, item.path):
            reason = "an applied Job can't change (immutable)"
        if not reason:
            return item
        return Differs(item.path, item.before, item.after, reason)

    def is_fixed(self, data: Plain, path: ValuePath) -> bool:
        """Whether a place is in the pods of a Job that is applied, which can't change (X11)."""
        is_job = data.get("kind") == "Job" and path[:2] == ("spec", "template")
        free = self.jobs or _is_renewed(data) or object_name(data) in self.renewed
        return is_job and not free

    def _walk(
        self, before: Any, after: Any, path: ValuePath, context: str
    ) -> Iterator[Moved | Differs]:
        if before is after or (not isinstance(before, Mapping | list) and _is_same(before, after)):
            return
        if not before and not after and path and path[-1] in _LISTS:
            return
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._mappings(before, after, path, context)
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            if path and path[-1] in _PARAMETERS:
                split = dict(self._split_parameters(before, after, path))
                yield from split.values()
                before = [after[n] if n in split else one for n, one in enumerate(before)]
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                # Of arguments, the one before says what the next one is.
                flag = before[index - 1] if index and isinstance(before[index - 1], str) else ""
                yield from self._walk(one, other, (*path, index), f"{context} {flag[:80]}")
        elif isinstance(before, str) and isinstance(after, str):
            yield self._strings(before, after, path, context)
        else:
            yield Differs(path, before, after)

    def _mappings(
        self, before: Plain, after: Plain, path: ValuePath, context: str
    ) -> Iterator[Moved | Differs]:
        split = self._split(before, after)
        if split is not None:
            key, pair = split
            for name in ("registry", key):
                old, new = before.get(name, MISSING), after.get(name, MISSING)
                if old != new:
                    yield Moved((*path, name), old, new, (pair,))
        done = set() if split is None else {"registry", split[0]}
        named = f"{context} {before.get('name', '')}" if "value" in before else context
        for key in {**before, **after}:
            if key not in done:
                old, new = before.get(key, MISSING), after.get(key, MISSING)
                yield from self._walk(old, new, (*path, key), f"{named[-80:]} {key}")

    def _split(self, before: Plain, after: Plain) -> tuple[str, tuple[str, str]] | None:
        """The key that with `registry` spells a name that has moved, and the names."""
        if before.get("registry") == after.get("registry"):
            return None
        for key in _REPOSITORY_KEYS:
            old, new = _joined(before, key), _joined(after, key)
            if old and new and self.texts.is_moved(old, new):
                return key, (old, new)
        return None

    def _split_parameters(
        self, before: list[Any], after: list[Any], path: ValuePath
    ) -> Iterator[tuple[int, Moved]]:
        """Values set one by one that spell a name's registry and its repository."""
        old, new = set_values(before), set_values(after)
        for block in old.keys() & new.keys():
            ones = {key: value for key, (_, value) in old[block].items()}
            others = {key: value for key, (_, value) in new[block].items()}
            split = self._split(ones, others) if ones.keys() == others.keys() else None
            for key in ("registry", split[0]) if split is not None else ():
                number, value = new[block][key]
                if split is not None and value != ones[key]:
                    yield number, Moved((*path, number, "value"), ones[key], value, (split[1],))

    def _strings(self, before: str, after: str, path: ValuePath, context: str) -> Moved | Differs:
        if _is_field(path):
            if self.texts.is_moved(before, after):
                return Moved(path, before, after, ((before, after),))
            return Differs(path, before, after, self._why(before, after))
        pairs = self.texts.pairs(before, after, context)
        if pairs is None:
            pairs = self._embedded(before, after, context)
        if pairs is None:
            return Differs(path, before, after)
        return Moved(path, before, after, tuple(pairs))

    def _why(self, before: str, after: str) -> str:
        target = self.texts.target(before)
        return f"should be {target}" if target else f"should stay, but is {after}"

    def _embedded(self, before: str, after: str, context: str) -> list[tuple[str, str]] | None:
        """The pairs of two texts that are YAML or JSON by themselves, comments left out."""
        if "\n" not in before and not before.lstrip().startswith(("{", "[")):
            return None
        try:
            old, new = load_plain(before, "before"), load_plain(after, "after")
        except ImageshiftError:
            return None
        if not isinstance(old, dict | list) or type(old) is not type(new):
            return None
        found = list(self._walk(old, new, (), context))
        if not found or any(isinstance(item, Differs) for item in found):
            return None
        return [pair for item in found if isinstance(item, Moved) for pair in item.pairs]


def image_fields(node: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, str]]:
    """The places that Kubernetes' schema says are images, with their texts."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            below = (*path, key)
            if isinstance(value, str) and value and _is_field(below):
                yield below, value
            else:
                yield from image_fields(value, below)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from image_fields(item, (*path, index))


def _is_same(before: Any, after: Any) -> bool:
    """Whether two scalars are one; Python takes true for 1."""
    return bool(before == after) and isinstance(before, bool) is isinstance(after, bool)


def readable(data: Plain) -> Plain:
    """A Secret with its data decoded, as far as it is text; any other object as it is."""
    values = data.get("data")
    if data.get("kind") != "Secret" or not isinstance(values, Mapping):
        return data
    return {**data, "data": {key: decoded(value) for key, value in values.items()}}


def _field_reason(item: Moved, before: Plain) -> str:
    if item.before == _PLACEHOLDER:
        return "a placeholder that the cluster replaces (placeholder)"
    if _TRIGGERS in _annotations(before):
        return "an image trigger replaces it (placeholder)"
    return ""


def _is_field(path: ValuePath) -> bool:
    match path:
        case (*_, str(holder), int(), "image"):
            return holder in _CONTAINERS
        case (*_, "volumes", int(), "image", "reference"):
            return True
    return False


def _is_renewed(data: Plain) -> bool:
    """Whether a changed Job is made anew instead of changed: hooks, generateName, force."""
    annotations = _annotations(data)
    forced = str(annotations.get("kustomize.toolkit.fluxcd.io/force", "")).lower()
    generated = "generateName" in (data.get("metadata") or {})
    hooks = {"helm.sh/hook", "argocd.argoproj.io/hook"} & annotations.keys()
    replaced = remakes_jobs(parse_options(str(annotations.get(SYNC_OPTIONS, ""))))
    return bool(generated or hooks or replaced or forced in {"enabled", "true"})


def _annotations(data: Plain) -> Plain:
    metadata = data.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _joined(data: Plain, key: str) -> str | None:
    registry, name = data.get("registry"), data.get(key)
    if not isinstance(name, str) or not name or not isinstance(registry, str | None):
        return None
    return f"{registry.rstrip('/')}/{name}" if registry else name


def _with(node: Any, path: ValuePath, value: Any) -> Any:
    """A copy of `node` with another value at a path; MISSING takes it away."""
    part, rest = path[0], path[1:]
    if isinstance(node, list) and isinstance(part, int):
        inner = _with(node[part], rest, value) if rest else value
        return [*node[:part], inner, *node[part + 1 :]]
    made = dict(node)
    if rest:
        made[part] = _with(made[part], rest, value)
    elif value is MISSING:
        made.pop(part, None)
    else:
        made[part] = value
    return made
