"""Every case, judged by what each build delivers before and after, by real kustomize and Helm.

Delivered is the image that it delivered before, under its mapped name, or the old one with a
reason in the report; never a third. `known_failures.toml` lists what fails today.
"""

import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from case_cluster import Cluster, Profile
from case_files import NAMES, Case, load_case, runs_of, verified
from case_judge import Text, compare, is_same, moved_jobs, normal, target
from case_reasons import is_written, reasons

from real_tools import Tree

KNOWN = tomllib.loads((Path(__file__).parent / "known_failures.toml").read_text("utf-8"))
ASPECTS = ("delivers", "says", "twice", "reverts")
INSTALL = Profile("install")
UPGRADE = Profile("upgrade", revision=2)
NEXT = Profile("next upgrade", revision=3)
OLD = Profile(
    "old controllers", current=False, revision=2, target_path_wins=True, older_kustomize=True
)
PROFILES = (INSTALL, UPGRADE, OLD)
RENDERED_REASONS = frozenset({"template", "conflict", "unproven"})
"""Those that speak of an image as a build has it, not of a text."""

pytestmark = [pytest.mark.kustomize, pytest.mark.helm, pytest.mark.helm3]


def deliver(case: Case, tree: Tree, places: list[str], profile: Profile, **more: Any) -> Cluster:
    """Return a cluster to which parts of a tree were applied."""
    cluster = Cluster(tree, case.remote, profile, **more)
    cluster.apply(places)
    return cluster


def deliveries(
    case: Case, tree: Tree, *, late: bool = True
) -> Iterator[tuple[str, Cluster, Cluster]]:
    """Yield each cluster before and after, under every profile, the chart as new and as held."""
    for places in case.clusters():
        for profile in PROFILES:
            before = deliver(case, case.tree, places, profile)
            yield profile.name, before, deliver(case, tree, places, profile)
            if late and before.charts:
                held = deliver(case, tree, places, profile, held=before.charts)
                if held.charts != {}:
                    yield f"{profile.name}, chart as before", before, held


def delivered_wrong(case: Case, mode: str) -> Iterator[str]:
    """What the builds deliver that is neither old nor mapped, and what should be mapped."""
    after = runs_of(case.name, mode).after
    wanted = dict.fromkeys(case.all_of("mapped", mode), 0)
    for label, old, new in deliveries(case, after):
        pairs, problems = compare(old, new, case.facts.get("ignore", ()))
        problems += unexpected_refusals(case, old)
        problems += [f"{p.where}: {p.old} became {p.new}" for p in pairs if not is_right(case, p)]
        yield from (f"{label}: {problem}" for problem in problems)
        if "as before" not in label or case.facts.get("late"):
            for text in wanted:
                found = [pair for pair in pairs if is_meant(pair, text)]
                wanted[text] += len(found)
                stayed = [pair for pair in found if is_same(pair.old, pair.new)]
                yield from (f"{label}: {pair.where}: {pair.old} stays" for pair in stayed)
    yield from (f"nothing delivers {text}" for text, count in wanted.items() if not count)
    yield from unfit_files(case, mode)
    for places in case.clusters():
        new = deliver(case, after, places, NEXT)
        for profile in (INSTALL, UPGRADE):
            yield from moved_jobs(deliver(case, case.tree, places, profile), new)


def is_right(case: Case, pair: Text) -> bool:
    """Whether what is delivered is the mapped image, the old one, or what the case says."""
    become = dict(case.facts.get("become", []))
    if pair.old in become:
        return bool(become[pair.old] == pair.new)
    return pair.moved or is_same(pair.old, pair.new)


def is_meant(pair: Text, text: str) -> bool:
    """Whether a text that is delivered is the one that an expectation names."""
    scope, _, image = text.rpartition(" ")
    return pair.old == image and scope in pair.where


def unfit_files(case: Case, mode: str) -> Iterator[str]:
    """The files that had to stay and didn't, and what `check FILE` still finds in those named."""
    runs = runs_of(case.name, mode)
    for name in case.facts.get("no_change", []):
        if runs.after[name] != case.tree[name]:
            yield f"{name} is changed"
    for name, outcome in runs.checks.items():
        if outcome.code:
            yield f"check {name} exits {outcome.code}: {outcome.stdout.strip()[-200:]}"


def unexpected_refusals(case: Case, cluster: Cluster) -> Iterator[str]:
    """The builds that a tool refuses though the case doesn't say so."""
    for key, build in cluster.builds.items():
        if build.error is not None and key not in case.facts.get("refused", []):
            yield f"{key}: refused before: {build.error}"


def said_wrong(case: Case, mode: str) -> Iterator[str]:
    """What the report leaves out: reasons for what stays, listed images, warnings, exit code."""
    runs = runs_of(case.name, mode)
    codes = case.facts.get("exit", [0])
    if runs.first.code not in codes:
        yield f"exit {runs.first.code}, not {codes}: {runs.first.stderr.strip()[-200:]}"
    report = runs.report
    said = {row["code"] for row in report["warnings"]}
    yield from (f"no warning {one}" for one in case.all_of("warnings", mode) if one not in said)
    names = {row[key] for row in report["images"] for key in ("original", "normalized")}
    yield from (f"{one} is not listed" for one in case.all_of("listed", mode) if one not in names)
    never = set(case.facts.get("no_warnings", [])) & said
    yield from (f"warning {one} doesn't fit" for one in sorted(never))
    for image, reason in map(tuple, case.all_of("stays", mode)):
        if reason not in reasons(report, image.rpartition(" ")[2]):
            yield f"{image} has no reason {reason}"
    pairs = list(delivered(case, runs.after))
    for image in sorted({pair.old for pair in pairs if pair.is_image and not pair.moved}):
        if not reasons(report, image) and is_written(case.tree, image):
            yield f"{image} stays without a reason"
    gone = {normal(pair.old) for pair in pairs if pair.moved}
    gone -= {normal(pair.old) for pair in pairs if not pair.moved}
    for row in report["images"]:
        if row["reason"] in RENDERED_REASONS and row["normalized"] in gone:
            yield f"{row['normalized']} moves in every build, but is said to stay: {row['reason']}"


def delivered(case: Case, after: Tree) -> Iterator[Text]:
    """The texts with a target that were delivered, and what they are now, build by build."""
    for _, old, new in deliveries(case, after, late=False):
        pairs, _ = compare(old, new, case.facts.get("ignore", ()))
        yield from (pair for pair in pairs if target(pair.old))


def changed_again(case: Case, mode: str) -> Iterator[str]:
    """The files that a second run changes."""
    runs = runs_of(case.name, mode)
    names = runs.after.keys() | runs.again.keys()
    yield from sorted(name for name in names if runs.after.get(name) != runs.again.get(name))


def not_reverted(case: Case, mode: str) -> Iterator[str]:
    """What `revert --all` doesn't bring back."""
    back = runs_of(case.name, mode).back
    if case.facts.get("no_revert"):
        return
    for label, old, new in deliveries(case, back, late=False):
        pairs, problems = compare(old, new, case.facts.get("ignore", ()))
        yield from (f"{label}: {problem}" for problem in problems)
        wrong = [pair for pair in pairs if not is_same(pair.old, pair.new)]
        yield from (f"{label}: {pair.where}: {pair.old} is now {pair.new}" for pair in wrong)
    if case.facts.get("bytes"):
        other = [name for name, content in case.tree.items() if back.get(name) != content]
        yield from (f"{name}: other bytes" for name in other)


def not_verified(case: Case, mode: str) -> Iterator[str]:
    """What `imageshift verify` says against a migration."""
    outcome = verified(case.name, mode)
    if outcome.code:
        yield f"verify exits {outcome.code}: {outcome.stdout.strip()[-300:]}"


CHECKS = {
    "delivers": delivered_wrong,
    "says": said_wrong,
    "twice": changed_again,
    "reverts": not_reverted,
    "verifies": not_verified,
}


@functools.cache
def problems_of(name: str, mode: str, aspect: str) -> tuple[str, ...]:
    """What is wrong with one aspect of a case."""
    return tuple(dict.fromkeys(CHECKS[aspect](load_case(name), mode)))


def aspects(name: str) -> tuple[str, ...]:
    """The aspects that a case has."""
    return (*ASPECTS, "verifies") if load_case(name).facts.get("verifies") else ASPECTS


def parameters() -> Iterator[Any]:
    """Every aspect of every case in each mode; known failures are marked, strictly."""
    for name in NAMES:
        for mode in load_case(name).modes:
            for aspect in aspects(name):
                known = KNOWN.get(name, {})
                fails = aspect in known.get(mode, [])
                mark = [pytest.mark.xfail(strict=True, reason=known["why"])] if fails else []
                yield pytest.param(name, mode, aspect, id=f"{name}-{mode}-{aspect}", marks=mark)


@pytest.mark.parametrize(("name", "mode", "aspect"), list(parameters()))
def test_case(name: str, mode: str, aspect: str) -> None:
    """Only mapped and old images are delivered, all of it is said, and the way back holds."""
    assert problems_of(name, mode, aspect) == ()


def test_known_failures_exist() -> None:
    """Every mark of known_failures.toml belongs to a case, a mode and an aspect that exist."""
    for name, known in KNOWN.items():
        assert name in NAMES
        modes = known.keys() - {"why"}
        assert modes <= set(load_case(name).modes)
        assert all(set(known[mode]) <= set(aspects(name)) for mode in modes)
