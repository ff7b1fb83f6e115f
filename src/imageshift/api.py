"""The API for other programs: plans over folders and over single texts."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from imageshift.cache import RuleSet
from imageshift.plan import ChartProblem, FilePlan, plan_text
from imageshift.rewrite import Backward, Forward, Status
from imageshift.run import Run, RunOptions, Target

if TYPE_CHECKING:
    from imageshift.advice import Notice
    from imageshift.explain import Explanation
    from imageshift.verify import Proof

__all__ = ["Plan", "migrate_text", "plan_migration", "plan_revert", "revert_text"]

Rules = RuleSet | Sequence[Target] | None
"""The rules of a plan, the rules for each path, or None to use the options and configuration."""


class Plan:
    """What a run would do, file by file; iterate over it as often as you like.

    Nothing is kept between two iterations, so memory doesn't grow with the repository.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def __iter__(self) -> Iterator[FilePlan]:
        return self.run.plans()

    def diff(self) -> str:
        """All changes as one unified diff."""
        return "".join(plan.diff() for plan in self)

    def apply(self) -> list[FilePlan]:
        """Writes the files; returns the final plans of those that changed.

        This includes files that couldn't be written, with their changes as skips with the reason,
        and the files that must change together with them. A file that has changed since it was
        read isn't written. Afterwards, the plan describes the files as they are now.

        Raises:
            BusyError, SourceError: as `Run.apply`.
        """
        made = [p for p in self.run.apply() if p.changes or p.skips or p.refused]
        self.run.refresh()
        return made

    def prove(self, advance: Callable[[], None] = lambda: None) -> "Proof":
        """The proof, with real Helm and kustomize, of what `apply` would write.

        Files that aren't proven equal are dropped from the plan, with the reason `unproven`.
        `advance` is called after each build and release.

        Raises:
            ToolError: kustomize or Helm is needed and can't be run, or the disk is full.
        """
        from imageshift.prove import prove_run  # noqa: PLC0415 heavy, and asked for only

        return prove_run(self.run, advance)

    def explain(self, image: str) -> "list[tuple[str, Explanation]]":
        """Why an image is or isn't rewritten, for each of its places, with the file.

        The image may be given by its text, its full or its familiar name, upstream or in the
        cache, with or without its tag.
        """
        from imageshift.explain import Explainer, matches  # noqa: PLC0415 asked for only

        explainer = Explainer(self.run)
        return [
            (plan.file, explainer.explain(plan, result))
            for plan in self
            for result in plan.results
            if matches(result, image, self.run.rules_of(plan.file))
        ]

    @property
    def summary(self) -> dict[Status, int]:
        """How many images have each status, each text counted once."""
        from imageshift.reports.account import rows_of  # noqa: PLC0415 asked for only

        rows = (row for plan in self for row, _ in rows_of(plan.results))
        return dict(Counter(row.status for row in rows))

    @property
    def warnings(self) -> "list[Notice]":
        """What to know before rolling out the plan, each warning with its places."""
        from imageshift.advice import Advice  # noqa: PLC0415 asked for only

        advice = Advice(target.rules for target in self.run.targets)
        for plan in self:
            advice.look_at(plan, plan.file)
        return advice.warnings()

    @property
    def chart_problems(self) -> list[ChartProblem]:
        """The releases whose charts couldn't be rendered, so their values were read as text."""
        self.run.settle()
        return [] if self.run.charts is None else list(self.run.charts.problems)


def plan_migration(
    paths: Sequence[Path | str], options: RunOptions | None = None, *, rules: Rules = None
) -> Plan:
    """The plan that moves every image in the paths onto the cache.

    Raises:
        ConfigError: options or configuration can't be used.
        NoFilesError: a path doesn't exist.
    """
    return Plan(Run.open(paths, options or RunOptions(), _targets(rules)))


def plan_revert(
    paths: Sequence[Path | str], options: RunOptions | None = None, *, rules: Rules = None
) -> Plan:
    """The plan that reverts every cache reference in the paths to its upstream.

    Raises:
        ConfigError: options or configuration can't be used.
        NoFilesError: a path doesn't exist.
    """
    options = replace(options or RunOptions(), backward=True)
    return Plan(Run.open(paths, options, _targets(rules)))


def migrate_text(content: str | bytes, rules: RuleSet, *, path: str = "manifest.yaml") -> FilePlan:
    """The result for one text by itself, without any file that builds it.

    The name in `path` says what the text is: Kubernetes objects, a `kustomization.yaml`, or a
    chart's `values.yaml`.
    """
    return plan_text(path, _encoded(content), Forward(rules))


def revert_text(content: str | bytes, rules: RuleSet, *, path: str = "manifest.yaml") -> FilePlan:
    """The inverse of `migrate_text`."""
    return plan_text(path, _encoded(content), Backward(rules))


def _encoded(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _targets(rules: Rules) -> Sequence[Target] | None:
    return (Target(rules),) if isinstance(rules, RuleSet) else rules
