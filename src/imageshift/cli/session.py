"""What the commands over files share: open a run, follow its plans, report, exit."""

import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from imageshift.advice import Advice, Code
from imageshift.cli.exits import Exit
from imageshift.cli.options import Common, Format
from imageshift.cli.output import (
    emit,
    emit_data,
    progress,
    put,
    put_styled,
    say,
    say_doubtful_accounts,
)
from imageshift.data.other_formats import format_of_file
from imageshift.plan import ChartProblem, ChartRot, FilePlan
from imageshift.repo.workspace import find_root, is_ours
from imageshift.repo.writer import Writer, is_left_half_done, writing
from imageshift.reports.account import rows_of
from imageshift.reports.summary import Summary, namer
from imageshift.reports.words import counted
from imageshift.rewrite import Change, Status
from imageshift.run import Run

__all__ = ["Session", "say_half_done", "turn_in", "turn_to_write"]


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
        # Trees are freed by counting references; the collector would only walk them again.
        gc.disable()
        self.command = command
        self.common = common
        options = common.run_options(named_only=named_only, backward=backward)
        options = replace(options, **more)
        self.writer = writer
        self.run = Run.open(paths, options)
        if writer is None:
            say_half_done(self.run)
        advice = Advice(target.rules for target in self.run.targets)
        self.shown = namer(self.run.workspace.root)
        hosts = tuple(target.rules.registry.host for target in self.run.targets)
        self.summary = Summary(
            self.shown,
            advice,
            keep_rows=common.format is Format.JSON,
            back_from=hosts if backward else None,
        )

    def follow(self, plans: Iterable[FilePlan]) -> Iterator[FilePlan]:
        """The plans, counted; a progress bar runs beside them on a terminal."""
        self.run.settle()
        total = len(self.run.index.files)
        quiet = self.common.quiet or total < 2000  # noqa: PLR2004 a blink
        with progress("files", total, quiet=quiet) as advance:
            for plan in plans:
                self.summary.add(plan)
                advance()
                yield plan
        self._warn_of_charts()
        self.summary.files = sum(1 for _ in self.run.files())

    def applied(self, plans: Iterable[FilePlan]) -> Iterable[FilePlan]:
        """The plans, written where the command writes."""
        return plans if self.writer is None else self.run.apply(self.writer, plans)

    def report(self, *, done: str, next_steps: Iterable[str] = (), **more: Any) -> None:
        """Prints the result in the asked format, and the summary's last line."""
        if self.common.format is Format.JSON:
            targets = [(target.rules, target.paths) for target in self.run.targets]
            emit_data(self.summary.data(self.command, targets) | more, self.common.output)
        elif not self.common.quiet:
            self._print_text(done, next_steps)
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
        charts = self.run.charts
        lacking = self.run.charts_mode == "require" and charts is not None and charts.problems
        return Exit.TOOL if lacking else Exit.DONE

    def _warn_of_charts(self) -> None:
        charts = self.run.charts
        for problem in () if charts is None else charts.problems:
            hint = f" ({problem.hint})" if problem.hint else ""
            self.summary.advice.add(
                Code.CHART_UNAVAILABLE,
                self._place(problem),
                message=f"{problem.message}{hint}; its values are read as text",
            )
        for rot in self.rot:
            message = f"{rot.message}; {rot.hint}"
            self.summary.advice.add(Code(rot.code), self._place(rot), message=message)

    @property
    def rot(self) -> list[ChartRot]:
        """The overrides in the paths that no longer fit their charts, in their order."""
        found = () if self.run.charts is None else self.run.charts.rot
        written = {rot for rot in found if self.run.is_written(rot.file)}
        return sorted(written, key=lambda rot: (rot.file, rot.place, rot.code))

    def _place(self, problem: ChartProblem | ChartRot) -> str:
        place = problem.place
        return f"{self.shown(problem.file)}:{place.line}:{place.column}"

    def _print_text(self, done: str, next_steps: Iterable[str]) -> None:
        from rich.console import Console  # noqa: PLC0415 heavy, and not for quiet runs

        from imageshift.reports.text import print_report  # noqa: PLC0415 as above

        output = self.common.output
        styled = output is None and sys.stdout is not None and sys.stdout.isatty()
        text = StringIO()
        console = Console(file=text, force_terminal=styled, highlight=False, emoji=False)
        print_report(
            console,
            self.summary,
            done=done,
            next_steps=next_steps,
            verbose=self.common.verbose,
        )
        if output is None:
            put_styled(text.getvalue())
        else:
            emit(text.getvalue(), output)

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
            say(f"{self._place(note)}: {note.message}")
        say_doubtful_accounts(target.rules.registry for target in self.run.targets)

    def _others(self, numbers: dict[str, int]) -> Iterator[tuple[str, int]]:
        """What the last line says of the images that don't change."""
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

    def is_rotten(self, change: Change, file: str) -> bool:
        """Whether a change mends an override that is a finding by itself."""
        before = change.before.normalized
        return change.mended and any(
            rot.mends and rot.file == file and rot.image == before for rot in self.rot
        )

    def put_rot(self) -> None:
        """Prints the overrides that no longer fit their charts, as findings."""
        for rot in self.rot:
            put(f"{self._place(rot)}: {rot.code}: {rot.message}")
            put(f"  hint: {rot.hint}")

    def say_charts(self) -> None:
        """Says which releases' charts couldn't be found or rendered, and why."""
        for problem in () if self.run.charts is None else self.run.charts.problems:
            say(f"{self._place(problem)}: {Code.CHART_UNAVAILABLE}: {problem.message}")
            if problem.hint:
                say(f"  hint: {problem.hint}")

    def say_emptied(self) -> None:
        """Says which of the given paths nothing is read of, and why."""
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
        """Says how many images `exclude:` hides, since whoever writes it may hide anything."""
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


def say_half_done(run: Run) -> None:
    """Says that files are half moved which the next run that writes brings back."""
    if is_left_half_done(run.workspace.root):
        say("a run is writing files here that belong together, or was stopped while it did")
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


_STOPPED = "a run was stopped before it had written this file and others that belong together"
_SHOWN = 8


def _some(plans: list[FilePlan], shown: Callable[[str], str]) -> list[str]:
    names = [shown(plan.file) for plan in plans[:_SHOWN]]
    more = len(plans) - len(names)
    return [*names, *([f"{more} more"] if more else [])]


_UNCHANGED = ("cached", "no-rule", "doubtful", "skipped")
_EMPTIED = "nothing in it was read: ignore rules, `exclude:` or its name leave it out"
