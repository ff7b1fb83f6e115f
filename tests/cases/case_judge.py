"""The judge: what two deliveries of a cluster differ in, and whether each difference is a move."""

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from case_cluster import Cluster, Delivered, group_of, kind_of

from imageshift.cache import ARTICLE_RULES, Mapped, Registry, RuleSet
from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from real_tools import HOOK, Object

__all__ = ["Text", "compare", "is_mapped", "is_same", "moved_jobs", "target"]

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
DEFINING = ("toolkit.fluxcd.io", "argoproj.io")
_TOKEN = re.compile(r"""[^\s"',;=|&(){}\[\]]+""")
_HASH = re.compile(r"-(?:[bcdfghkmt24-9]{10}|[0-9a-f]{8})\Z")
_DERIVED = re.compile(r"[0-9a-f]{16,}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a build delivers that could be an image: where, before, and after."""

    where: str
    old: str
    new: str
    is_image: bool = False

    @property
    def moved(self) -> bool:
        """Whether it is now the mapped one."""
        return is_mapped(self.old, self.new)


def target(text: str) -> str | None:
    """Return where a reference goes, normalized; None for what is no reference, or has no rule."""
    try:
        outcome = RULES.map(parse_reference(text))
    except InvalidReferenceError:
        return None
    return outcome.target.normalized if isinstance(outcome, Mapped) else None


def normal(text: str) -> str:
    """Return a reference normalized; what is none as it is."""
    try:
        return RULES.normalize(parse_reference(text)).normalized
    except InvalidReferenceError:
        return text


def is_mapped(old: str, new: str) -> bool:
    """Whether a text is the mapped form of another, tag and digest the same."""
    return old != new and target(old) == normal(new)


def is_same(old: str, new: str) -> bool:
    """Whether two texts name the same image without the cache."""
    return old == new or normal(old) == normal(new)


def compare(
    before: Cluster, after: Cluster, ignore: Collection[str] = ()
) -> tuple[list[Text], list[str]]:
    """Return the texts delivered by two states, paired, and what can't be paired.

    `ignore` are objects, as Kind/name, that carry values in a form of their own.
    """
    pairs: list[Text] = []
    problems: list[str] = []
    for key, old in before.builds.items():
        new = after.builds.get(key, Delivered(error="is no longer built"))
        if old.error is not None:
            continue
        if new.error is not None:
            problems.append(f"{key}: {new.error}")
            continue
        found = list(_paired(key, old.objects, new.objects, before))
        found = [one for one in found if not any(name in str(one) for name in ignore)]
        pairs += [one for one in found if isinstance(one, Text)]
        problems += [one for one in found if isinstance(one, str)]
    if all(old.error is None for old in before.builds.values()):
        # What a refused build would have made isn't known.
        problems += [f"{key}: is new" for key in after.builds.keys() - before.builds.keys()]
    return pairs, problems


def _paired(
    key: str, old: tuple[Object, ...], new: tuple[Object, ...], cluster: Cluster
) -> Iterator[Text | str]:
    ones, others = _by_id(old), _by_id(new)
    for name in ones.keys() ^ others.keys():
        yield f"{key}: {name} is on one side only"
    for name, one in ones.items():
        if name in others and not _is_input(one, cluster):
            yield from _texts(f"{key}: {name}", one, others[name])


def _by_id(objects: tuple[Object, ...]) -> dict[str, Object]:
    made: dict[str, Object] = {}
    for one in objects:
        metadata = one.get("metadata") or {}
        name = f"{kind_of(one)}/{_HASH.sub('', str(metadata.get('name')))}"
        while name in made:
            name += "'"
        made[name] = one
    return made


def _is_input(one: Object, cluster: Cluster) -> bool:
    """Whether an object only says what is built: the builds themselves are compared."""
    if any(group_of(one).endswith(group) for group in DEFINING):
        return kind_of(one) in {
            "HelmRelease",
            "HelmChart",
            "Kustomization",
            "Application",
            "ApplicationSet",
        }
    name = one.get("metadata", {}).get("name")
    return (kind_of(one), name) in cluster.consumed


def _texts(where: str, old: Any, new: Any, key: str = "") -> Iterator[Text | str]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for name, value in old.items():
            yield from _texts(where, value, new[name], name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _texts(where, one, other)
    elif isinstance(old, str) and isinstance(new, str):
        yield from _tokens(where, old, new, is_image=key in {"image", "reference"})
    elif old != new:
        yield f"{where}: {str(old)[:80]} became {str(new)[:80]}"


def _tokens(where: str, old: str, new: str, *, is_image: bool) -> Iterator[Text | str]:
    if old != new:
        decoded = _decoded(old), _decoded(new)
        if None not in decoded:
            yield from _tokens(where, *map(str, decoded), is_image=False)
            return
    ones, others = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(ones) != len(others):
        yield f"{where}: {old[:80]} became {new[:80]}"
        return
    for one, other in zip(ones, others, strict=True):
        if one == other or not _is_derived(one, other):
            yield Text(where, one, other, is_image)


def _is_derived(one: str, other: str) -> bool:
    """Whether two texts are hashes, or names that end in kustomize's hash."""
    if _DERIVED.fullmatch(one) and _DERIVED.fullmatch(other):
        return True
    return bool(_HASH.search(one)) and _HASH.sub("", one) == _HASH.sub("", other)


def _decoded(text: str) -> str | None:
    try:
        made = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return made if "\n" in made else None


def moved_jobs(before: Cluster, after: Cluster) -> list[str]:
    """Return the Jobs in a cluster that would be applied again with another image (X11)."""
    found = []
    for key, old in before.builds.items():
        new = after.builds.get(key, Delivered())
        ones, others = _jobs(old.objects), _jobs(new.objects)
        for name in ones.keys() & others.keys() if not old.free_jobs else ():
            bound = not _is_free(others[name], key)
            if bound and _images(ones[name]) != _images(others[name]):
                found.append(f"{key}: Job/{name} is a Job and changes: it can't be applied again")
    return found


def _jobs(objects: tuple[Object, ...]) -> dict[str, Object]:
    """Return the Jobs by their whole names: one under another name is another one."""
    return {str(one["metadata"].get("name")): one for one in objects if kind_of(one) == "Job"}


def _is_free(job: Object, key: str) -> bool:
    metadata: Mapping[str, Any] = job["metadata"]
    marks = metadata.get("annotations") or {}
    if HOOK in marks or "generateName" in metadata:
        return True
    if key.startswith("Application"):
        options = marks.get("argocd.argoproj.io/sync-options", "")
        return "argocd.argoproj.io/hook" in marks or "Replace=true" in options
    return marks.get("kustomize.toolkit.fluxcd.io/force") == "enabled"


def _images(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["image"]] if isinstance(node.get("image"), str) else []
        return own + [text for value in node.values() for text in _images(value)]
    return [text for value in node for text in _images(value)] if isinstance(node, list) else []
