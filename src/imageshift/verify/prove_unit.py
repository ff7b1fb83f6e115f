"""The verdict on a build, or on a file that no build includes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from imageshift.cache import RuleSet
from imageshift.charts.model import ObjectName
from imageshift.verify.argocd import Owner, owned
from imageshift.verify.compare import compare_objects
from imageshift.verify.discover import Unit, is_flux
from imageshift.verify.judge import Judge
from imageshift.verify.model import (
    MISSING,
    DifferenceClass,
    ObjectDifference,
    Plain,
    Problem,
    UnitKey,
    Verdict,
    object_name,
)
from imageshift.verify.parameters import Known
from imageshift.verify.releases import is_release, values_maps
from imageshift.verify.text import TextJudge

__all__ = ["MapKey", "defer", "prove_file", "prove_unit", "rendered_maps"]

MapKey = tuple[str, str, str, str]
"""Kind, namespace, name and key of what a release takes values from."""

Sides = tuple[Unit | None, Unit | None]

_RENDERED = {"values", "valuesFrom", "postRenderers"}
_BUILT = {"images", "patches", "components", "patchesStrategicMerge", "patchesJson6902"}


def prove_unit(
    key: UnitKey, sides: Sides, rules: RuleSet, known: Known = tuple, *, jobs: bool
) -> Verdict:
    """Compares what a folder builds to; `known` gives the parameters that become images."""
    old, new = sides
    file = (new or old).file if new or old else ""  # type: ignore[union-attr]
    verdict = Verdict(key=key, file=file)
    if old is None or new is None:
        return _lone(verdict, ("built", MISSING) if new is None else (MISSING, "built"), "")
    if old.problem is not None:
        return replace(verdict, problem=Problem(file, f"can't be built: {old.problem}", old.hint))
    if new.problem is not None:
        return _lone(verdict, ("built", "can't be built"), f"no longer builds: {new.problem}")
    jobs = jobs or (old.is_forced and new.is_forced)
    judge = Judge(TextJudge(rules), jobs=jobs, known=known)
    return _compared(verdict, old.objects, new.objects, judge, new.hashes)


def prove_file(
    key: UnitKey,
    sides: Sides,
    contents: tuple[bytes | None, bytes | None],
    texts: TextJudge,
    known: Known = tuple,
    *,
    jobs: bool,
) -> Verdict | None:
    """Compares a file as it is; None when nothing in it differs."""
    old, new = sides
    before, after = contents
    if before == after:
        return None
    verdict = Verdict(key=key, file=key.place)
    if before is None or after is None:
        return _lone(verdict, (_shown(before), _shown(after)), "")
    judge = Judge(texts, jobs=jobs, known=known)
    if old is not None and new is not None and old.objects and new.objects:
        return _compared(verdict, old.objects, new.objects, judge)
    return _compared(verdict, [_as_object(key, before)], [_as_object(key, after)], judge)


def _as_object(key: UnitKey, content: bytes) -> Plain:
    text = content.decode(errors="replace")
    return {"kind": key.kind.value, "metadata": {"name": key.name}, "text": text}


def _shown(content: bytes | None) -> Any:
    return MISSING if content is None else "a file"


def _compared(
    verdict: Verdict,
    before: Iterable[Plain],
    after: Iterable[Plain],
    judge: Judge,
    hashes: Mapping[ObjectName, str] = MappingProxyType({}),
) -> Verdict:
    found = compare_objects(before, after, judge)
    found.explain_names(hashes)
    return replace(
        verdict,
        images=tuple(found.images),
        differences=tuple(found.differences),
        diffs=found.diffs(),
        objects=len(found.pairing.pairs) + len(found.pairing.renamed),
    )


def _lone(verdict: Verdict, values: tuple[Any, Any], reason: str) -> Verdict:
    key = verdict.key
    name = ObjectName("", key.kind.value, key.namespace, key.name)
    item = ObjectDifference(name, (), *values, DifferenceClass.UNEXPLAINED, reason)
    return replace(verdict, differences=(item,))


def rendered_maps(objects: Iterable[Plain], releases: Iterable[Verdict]) -> frozenset[MapKey]:
    """What those of some objects that are rendered releases take values from."""
    rendered, found = _rendered(releases), set[MapKey]()
    for data in objects:
        name = object_name(data)
        if is_release(data) and (name.namespace, name.name) in rendered:
            named = values_maps(data)
            found |= {(kind, name.namespace, source, key) for kind, source, key in named}
    return frozenset(found)


def _rendered(releases: Iterable[Verdict]) -> set[tuple[str, str]]:
    done = (found.key for found in releases if found.problem is None)
    return {(key.namespace, key.name) for key in done}


def defer(
    verdict: Verdict,
    objects: Iterable[Plain],
    releases: Iterable[Verdict],
    built: frozenset[tuple[str, str]],
    owners: frozenset[Owner] = frozenset(),
    maps: frozenset[MapKey] = frozenset(),
) -> Verdict:
    """The verdict without what a rendering or another build proves better.

    Values and post-renderers of a release that was rendered on both sides are judged by what
    they make; so are ConfigMaps that it takes values from, `maps` among them, and the images and
    patches of a Flux Kustomization or an Argo CD source (`owners`) that was built on both sides.
    """
    rendered = _rendered(releases)
    maps = maps | rendered_maps(objects, releases)
    names = map(object_name, filter(is_flux, objects))
    fluxes = {(name.namespace, name.name) for name in names} & built

    def is_elsewhere(item: ObjectDifference) -> bool:
        name, path = item.object, item.path
        below = path[1] if len(path) > 1 and path[0] == "spec" else ""
        if name.kind == "HelmRelease":
            return (name.namespace, name.name) in rendered and below in _RENDERED
        if owned(name, path) in owners:
            return True
        if name.kind == "Kustomization":
            return (name.namespace, name.name) in fluxes and below in _BUILT
        is_data = len(path) > 1 and path[0] in {"data", "stringData"}
        return is_data and (name.kind, name.namespace, name.name, str(path[1])) in maps

    left = tuple(item for item in verdict.differences if not is_elsewhere(item))
    if left == verdict.differences:
        return verdict
    proven = {(str(d.before), str(d.after)) for d in verdict.differences if d not in left}
    images = tuple(p for p in verdict.images if p.ok or (p.before, p.after) not in proven)
    failing = {item.object for item in left if item.kind is DifferenceClass.UNEXPLAINED}
    diffs = {name: text for name, text in verdict.diffs.items() if name in failing}
    return replace(verdict, differences=left, images=images, diffs=diffs)
