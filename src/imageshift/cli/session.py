"""What the commands over files share: open a run, follow its plans, report, exit."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from imageshift.advice import Advice, Code, is_unsafe
from imageshift.cli.exits import Exit
from imageshift.cli.findings import put_finding
from imageshift.cli.options import Common, Format
from imageshift.cli.output import (
    emit,
    emit_report,
    new_page,
    put_legend,
    put_page,
    say,
    say_doubtful_accounts,
)
from imageshift.cli.progress import progress, settle
from imageshift.cli.run_warnings import warn_of_charts, warn_of_generators, warn_of_late_charts
from imageshift.errors import ConfigError
from imageshift.plan import FilePlan
from imageshift.repo.workspace import find_root, is_ours
from imageshift.repo.writer import Writer, is_left_half_done, writing
from imageshift.reports.account import rows_of
from imageshift.reports.findings import (
    Finding,
    Level,
    findings_of,
    notice_findings,
    rot_findings,
)
from imageshift.reports.lines import Page
from imageshift.reports.render import finding_lines, render
from imageshift.reports.summary import Summary, namer
from imageshift.reports.words import counted
from imageshift.rewrite import Change, Kept, Status
from imageshift.rot import Rot
from imageshift.run import Run
from imageshift.sites.other_formats import format_of_file

if TYPE_CHECKING:
    from imageshift.reports.text import Step

__all__ = ["Session", "refuse_format_of_diff", "say_half_done", "turn_in", "turn_to_write"]


class Session:
    """One command over files, from its options to its exit code."""

    def __init__(
        self,
        command: str,
        paths: list[Path],
        common: Common,
        *,
        writer: Writer | None = None,
        named_only: bool = False,
        backward: bool = False,
        **more: bool,
    ) -> None:
        self.command, self.paths = command, paths
        self.moves = _MOVES.get(command)
        self.findings: list[Finding] = []
        self.is_sifted = False
        self._updater_files: list[str] = []
        self._changed: list[str] = []
        self.common = common
        options = common.run_options(named_only=named_only, backward=backward)
        options = replace(options, **more)
        self.writer = writer
        self.run = Run.open(paths, options)
        self.run.names_clusters = common.format in _WHOLE
        if writer is None:
            say_half_done(self.run)
        advice = Advice(target.rules for target in self.run.targets)
        self.shown = namer(self.run.workspace.root)
        hosts = tuple(target.rules.registry.host for target in self.run.targets)
        self.summary = Summary(
            self.shown,
            advice,
            self.run.clusters if self.run.names_clusters else None,
            back_from=hosts if backward else None,
        )

    def follow(self, plans: Iterable[FilePlan]) -> Iterator[FilePlan]:
        """The plans, counted; a progress bar runs beside them on a terminal."""
        settle(self.run, quiet=self.common.quiet)
        total = len(self.run.index.files)
        with progress("files", total, quiet=self.common.quiet) as advance:
            for plan in plans:
                self.summary.add(plan)
                self._changed += [plan.file] * (plan.before != plan.after)
                self.findings += self._findings(plan)
                if _UPDATER in plan.scan.source.text:
                    self._updater_files.append(plan.file)
                advance()
                yield plan
        warn_of_charts(self.run, self.summary, self.rot)
        if self.summary.back_from is None:
            warn_of_generators(self.run, self.summary)
            warn_of_late_charts(self.run, self.summary, self._changed)
        if self.command in _WARNING_OF_BOTS:
            from imageshift.cli.bot_warnings import warn_of_bots  # noqa: PLC0415 not for hooks

            warn_of_bots(self.run, self.summary, self._updater_files)
        if self.command == "check":
            self.findings += rot_findings(self.rot, self.shown)
        self.summary.files = sum(1 for _ in self.run.files())

    def applied(self, plans: Iterable[FilePlan]) -> Iterable[FilePlan]:
        """The plans, written where the command writes."""
        return plans if self.writer is None else self.run.apply(self.writer, plans)

    def _findings(self, plan: FilePlan) -> list[Finding]:
        """What is kept of a file: all findings where the command lists them, else its errors."""
        failing = {Status.DOUBTFUL, Status.NO_RULE} if self.common.strict else set()
        if self.summary.back_from is not None:
            failing.discard(Status.NO_RULE)
            told = [
                one for one in plan.results if isinstance(one, Kept) and self.summary.is_told(one)
            ]
            plan = replace(plan, results=tuple(told))
        if self.command == "check":
            other = (one for one in plan.results if not self._is_rotten(one, plan.file))
            plan = replace(plan, results=tuple(other))
        moves = self.moves or Level.NOTE
        found = findings_of(plan, self.shown(plan.file), moves=moves, failing=failing)
        if self.moves is None or self.common.format in {Format.TEXT, *_WHOLE}:
            return [finding for finding in found if finding.level is Level.ERROR]
        return found

    def all_findings(self) -> list[Finding]:
        """The findings of the files, then the warnings, as far as none were left out."""
        if self.is_sifted:
            return self.findings
        known = {finding.code for finding in self.findings}
        warnings = [one for one in self.summary.advice.warnings() if one.code not in known]
        return [*self.findings, *notice_findings(warnings, self.run.workspace.root)]

    def sift(self, findings: list[Finding]) -> None:
        """Leaves only some of all findings."""
        self.findings, self.is_sifted = findings, True

    def put_errors(self) -> None:
        """Prints every finding that makes the run fail."""
        for finding in self.findings:
            if finding.level is Level.ERROR:
                put_finding(finding, self.host, bare=self.common.quiet)
        put_legend()

    def report(
        self,
        *,
        done: str,
        next_steps: Sequence["Step"] = (),
        page: Page | None = None,
        is_listed: bool = False,
        **more: Any,
    ) -> None:
        """Prints the result in the asked format, and the summary's last line.

        `page` is what the text report begins with; `is_listed` says that every image has had a
        line of its own.
        """
        if self.common.format in _WHOLE:
            targets = [(target.rules, target.paths) for target in self.run.targets]
            report = self.summary.data(self.command, targets) | more
            emit_report(report, self.common.format, done)
        elif self.common.format is not Format.TEXT:
            emit(render(self.common.format, self.command, self.all_findings()))
        elif self.common.quiet:
            self._say_errors()
        else:
            self._print_text(page or new_page(self.host), done, next_steps, is_listed=is_listed)
        if self.common.format is Format.TEXT:
            self._say_last_line(done)

    def exit_code(self, *, findings: bool = False) -> Exit:
        """What the run comes to."""
        counts = self.summary.counts
        if self.common.strict:
            unruled = counts[Status.NO_RULE] if self.summary.back_from is None else 0
            unclaimed = len(self.summary.account.unclaimed)
            findings = findings or bool(unruled or counts[Status.DOUBTFUL] or unclaimed)
        if findings:
            return Exit.FINDINGS
        if self.summary.unsafe:
            return Exit.UNSAFE
        return self.exit_code_of_charts()

    def exit_code_of_charts(self) -> Exit:
        """What charts that couldn't be rendered come to, where they are required."""
        charts = self.run.charts
        lacking = self.run.charts_mode == "require" and charts is not None and charts.problems
        return Exit.TOOL if lacking else Exit.DONE

    def _say_errors(self) -> None:
        """Says what makes a quiet run fail, but for images that are listed anyway."""
        for finding in self.findings:
            if finding.level is Level.ERROR and not (self.moves and finding.subject):
                for line in finding_lines(finding):
                    say(line)
        self.say_lacking_charts()

    def say_lacking_charts(self) -> None:
        """Says which charts a run lacks that requires all of them."""
        if self.exit_code_of_charts() is not Exit.DONE:
            self.say_charts()

    @property
    def rot(self) -> list[Rot]:
        """The overrides in the paths that no longer fit their charts, in their order."""
        written = {rot for rot in self.run.rot if self.run.is_written(rot.file)}
        return sorted(written, key=lambda rot: (rot.file, rot.place, rot.code))

    @property
    def host(self) -> str:
        """The registry that reports shorten: the target, where there is only one."""
        hosts = {target.rules.registry.host for target in self.run.targets}
        return hosts.pop() if len(hosts) == 1 and not self.common.quiet else ""

    def _print_text(
        self, page: Page, done: str, next_steps: Sequence["Step"], *, is_listed: bool
    ) -> None:
        from imageshift.reports.text import print_next, print_report  # noqa: PLC0415 not hooks

        print_report(
            page,
            self.summary,
            done=done,
            verbose=self.common.verbose,
            strict=self.common.strict,
            is_listed=is_listed,
        )
        put_page(page)
        put_legend()
        if not self.common.verbose:  # which has listed them all
            self.say_lacking_charts()
        page = new_page()
        print_next(page, next_steps)
        put_page(page)

    def _say_last_line(self, done: str) -> None:
        numbers = self.summary.numbers()
        parts = [f"{numbers['rewrite']} {done}"]
        parts += [f"{number} {word}" for word, number in self._others(numbers) if number]
        files, images = counted(numbers["files"], "file"), counted(numbers["images"], "image")
        say(f"{files}, {images}: {', '.join(parts)}")
        self.say_account()
        if self.summary.files == 0:
            say("no file was read: ignore rules, `exclude:` or the paths leave none")
        elif self.summary.counts.total() == 0:
            say("no image was found in them")
        self.say_emptied()
        self._say_outside()
        for note in () if self.run.charts is None else self.run.charts.notes:
            if not note.code:
                say(f"{self.summary.where(note.file, note.place)}: {note.message}")
        say_doubtful_accounts(target.rules.registry for target in self.run.targets)

    def _others(self, numbers: dict[str, int]) -> Iterator[tuple[str, int]]:
        """What the last line says about the images that don't change."""
        if self.summary.back_from is None:
            yield from ((key, numbers[key]) for key in _UNCHANGED)
            return
        left = len(self.summary.stays)
        yield "left alone", left
        yield "not in the cache", numbers["images"] - numbers["rewrite"] - left

    def say_account(self) -> None:
        """Says how many texts name an image, and how many of them weren't understood."""
        if self.summary.back_from is None:
            say(self.summary.account.sentence())

    def say_skips(self) -> None:
        """Says which files are skipped, if that is no reason to fail.

        Those in formats that aren't read are counted by the account, unless they are given.
        """
        named = set(self.run.names)
        for skip in self.summary.skips:
            told = not skip.format or skip.file in named
            if told and not is_unsafe(skip.reason):
                place = f":{skip.line}:{skip.column or 1}" if skip.line else ""
                say(f"{self.shown(skip.file)}{place}: {skip.reason}: {skip.detail}")

    def _is_rotten(self, result: Change | Kept, file: str) -> bool:
        """Whether a change mends an override that is a finding by itself."""
        if not isinstance(result, Change) or not result.mended:
            return False
        before = result.before.normalized
        return any(rot.mends and rot.file == file and rot.image == before for rot in self.rot)

    def say_charts(self) -> None:
        """Says which releases' charts couldn't be found or rendered, and why.

        Where the run doesn't need them, some are named, and the rest are counted.
        """
        problems = [] if self.run.charts is None else list(dict.fromkeys(self.run.charts.problems))
        whole = self.common.verbose or self.exit_code_of_charts() is not Exit.DONE
        named = problems if whole else problems[:_NAMED]
        for number, problem in enumerate(named, 1):
            where = self.summary.where(problem.file, problem.place)
            say(f"{where}: {Code.CHART_UNAVAILABLE}: {problem.message}")
            same = number < len(named) and named[number].hint == problem.hint
            if problem.hint and not same:
                say(f"  hint: {problem.hint}")
        if len(problems) > len(named):
            more = len(problems) - len(named)
            verb = "wasn't" if more == 1 else "weren't"
            say(f"{counted(more, 'further chart')} {verb} rendered: --verbose names them")

    def say_emptied(self) -> None:
        """Says of which given paths nothing is read, and why."""
        files = list(self.run.files())
        known = {*files, *(skip.file for skip in self.summary.skips if skip.format)}
        for name in filter(None, self.run.names):
            if name in known or any(file.startswith(f"{name}/") for file in files):
                continue
            path = self.run.workspace.absolute(name)
            if path.is_file() and not is_ours(path.name):
                found = format_of_file(name) or "binary"
                say(f"{self.shown(name)}: other-format: {found} files are never read")
            elif files or len(self.run.names) > 1 or self.command == "check":
                say(f"{self.shown(name)}: {_EMPTIED}")

    def say_hidden(self) -> None:
        """Says how many images `exclude:` hides, because its author may hide anything."""
        hidden = [plan for plan in self.run.hidden() if plan.results]
        images = sum(len(rows_of(plan.results)) for plan in hidden)
        if images:
            found = f"{counted(images, 'image')} in {counted(len(hidden), 'file')}"
            say(f"`exclude:` hides {found}: {', '.join(_some(hidden, self.shown))}")

    def _say_outside(self) -> None:
        outside = [self.shown(folder) for folder in self.run.outside()]
        if outside:
            shown = outside if self.common.verbose else outside[:_SHOWN]
            more = len(outside) - len(shown)
            named = ", ".join(shown) + (f" and {more} more" if more else "")
            say(f"built from here, but outside the paths: {named}")
            given = " ".join(shlex.quote(argument) for argument in sys.argv[1:])
            say(f"  hint: imageshift {given} --follow")


def refuse_format_of_diff(common: Common, *, diff: bool) -> None:
    """Refuses a report's format together with a diff, which is the whole result.

    Raises:
        ConfigError: both are asked for.
    """
    if diff and common.format is not Format.TEXT:
        raise ConfigError(
            f"--diff and --format {common.format} can't be used together",
            hint="--dry-run prints the report without a diff",
        )


def say_half_done(run: Run) -> None:
    """Says that files are half moved, and that the next run that writes restores them."""
    if is_left_half_done(run.workspace.root):
        say("a run is writing related files here, or was interrupted while doing so")
        say("  hint: if none is running, the next migrate or revert restores them first")


@contextmanager
def turn_to_write(paths: list[Path], common: Common, *, writes: bool) -> Iterator[Writer | None]:
    """The turn of a command over the paths; None where it writes nothing and needs none.

    Raises:
        ImageshiftError: as `imageshift.repo.writer.writing`, and `find_root`.
    """
    if not writes:
        yield None
        return
    with turn_in(find_root(paths, common.root)) as writer:
        yield writer


@contextmanager
def turn_in(folder: Path) -> Iterator[Writer]:
    """The turn to write in a folder, which says what it brought back."""
    with writing(folder) as writer:
        for path in writer.rolled_back:
            say(f"{os.path.relpath(path)}: restored: {_STOPPED}")
        yield writer


_STOPPED = "a run was interrupted before it had written this file and others that belong together"
_SHOWN = 8
_NAMED = 3


def _some(plans: list[FilePlan], shown: Callable[[str], str]) -> list[str]:
    names = [shown(plan.file) for plan in plans[:_SHOWN]]
    more = len(plans) - len(names)
    return [*names, *([f"{more} more"] if more else [])]


# How images that should move count for the commands that list them as findings.
_MOVES = {"check": Level.ERROR, "scan": Level.WARNING}
_WARNING_OF_BOTS = frozenset({"scan", "migrate"})
_UPDATER = "argocd-image-updater.argoproj.io"
# The formats that have the whole report, not its findings.
_WHOLE = frozenset({Format.JSON, Format.HTML})
_UNCHANGED = ("cached", "no-rule", "doubtful", "skipped")
_EMPTIED = "nothing in it was read: ignore rules, `exclude:` or its name exclude it"
