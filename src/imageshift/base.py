"""What a tree was before: a Git revision or a folder, and how to revert to it."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.git import Revision
from imageshift.inventory import scan_file
from imageshift.lazy import lazy_re
from imageshift.plan import FilePlan
from imageshift.repo.read import is_folder, read_below
from imageshift.repo.workspace import Workspace
from imageshift.restore import Versions, restore
from imageshift.rewrite import Change, Forward, plan_site, reconcile
from imageshift.run import Run
from imageshift.source import apply_edits

__all__ = ["Base", "base_plans"]


class Base(Struct, frozen=True):
    """Where the earlier files come from: a folder, or a revision of the workspace's repository."""

    source: Path | Revision

    @classmethod
    def find(cls, text: str, workspace: Workspace) -> "Base":
        """The base that a folder or a revision names.

        Raises:
            ConfigError: it is neither.
            ToolError: Git can't be run.
        """
        if is_folder(text):
            return cls(Path(text).resolve())
        return cls(Revision.find(workspace.root, text))

    @contextmanager
    def tree(self) -> Iterator[Path]:
        """A folder with all its files; of a revision, without links that lead out of it.

        Raises:
            ConfigError: the revision doesn't have the folder.
            ToolError: Git can't give the files.
        """
        if isinstance(self.source, Path):
            yield self.source
            return
        with tempfile.TemporaryDirectory(prefix="imageshift-") as name:
            folder = Path(name).resolve()
            self.source.extract(folder)
            yield folder


def base_plans(run: Run, plans: Iterable[FilePlan], base: Base) -> Iterator[FilePlan]:
    """The plans that revert what differs from the base, line by line.

    A line is restored if it differs only by references that the rules map to each other.
    Lines that changed in another way keep their change, and only their references are reverted.
    """
    with base.tree() as folder:
        forward = _Forward(run, folder)
        for plan in plans:
            before = _read(folder, plan.file)
            if before is None or before == plan.before or not plan.scan.source.text:
                continue
            try:
                after = _restored(forward, plan, before).encode()
            except UnicodeDecodeError:
                continue
            if after != plan.before:
                changes = [r for r in plan.results if isinstance(r, Change)]
                yield replace(plan, results=tuple(changes), after=after)


def _read(folder: Path, file: str) -> bytes | None:
    """The bytes that a file had, None when it wasn't there or can't be read."""
    try:
        return read_below(folder, file)
    except SourceError:
        return None


def _restored(forward: "_Forward", plan: FilePlan, before: bytes) -> str:
    now = plan.before.decode()
    return restore(
        Versions(
            was=before.decode(),
            moved=forward.moved(plan.file, before, now),
            now=now,
            reverted=_line_by_line(plan),
            host=forward.host(plan.file),
            complete=forward.knows_all(plan.file),
        )
    )


def _line_by_line(plan: FilePlan) -> str:
    """What the rules make of a file's lines, none of them added or taken out."""
    text = plan.scan.source.text
    edits = [edit for change in plan.changes for edit in change.edits]
    inside = [e for e in edits if not _BREAK.search(text[e.span.start : e.span.end] + e.text)]
    return apply_edits(text, inside)


_BREAK = lazy_re(r"[\r\n]")


class _Forward:
    """The migration of the base, by which what it did is told from what others did since."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder
        modes, names = dict.fromkeys(("off", run.charts_mode)), dict.fromkeys((("",), run.names))
        self._wholes = [self._whole(mode, paths) for mode in modes for paths in names]

    def _whole(self, charts: str, names: tuple[str, ...]) -> Run:
        run = self._run
        exclude = (*run.config.exclude, *run.options.exclude)
        options = replace(run.options, backward=False, charts=charts, root=self._folder)
        workspace = Workspace(self._folder, exclude)
        return Run(workspace, run.config, run.targets, names, options, folder=run.folder)

    def host(self, file: str) -> str:
        """The registry that a file's references move to."""
        return self._run.rules_of(file).registry.host

    def knows_all(self, file: str) -> bool:
        """Whether no chart that can't be had may have added lines to a file."""
        whole = self._wholes[-1]
        if all(release.file != file for release in self._run.index.all_releases):
            return True
        charts = whole.charts
        return charts is not None and all(problem.file != file for problem in charts.problems)

    def moved(self, file: str, before: bytes, now: str) -> str:
        """What the migration makes of a file: of several ways, the one nearest to how it is now.

        It moves alone, or with all others, without charts or with them.
        """
        made: list[str] = []
        for way in (self._alone, *map(_together, self._wholes)):
            made.append(way(file, before))
            if made[-1] == now:
                return now
        lines = now.splitlines()
        return max(made, key=lambda text: SequenceMatcher(None, text.splitlines(), lines).ratio())

    def _alone(self, file: str, before: bytes) -> str:
        context = self._run.index.context(file)
        scan, mapper = scan_file(file, before, context), Forward(self._run.rules_of(file))
        results = reconcile(plan_site(site, mapper) for site in scan.sites)
        edits = [edit for result in results if isinstance(result, Change) for edit in result.edits]
        return apply_edits(scan.source.text, edits) if edits else before.decode()


def _together(whole: Run) -> Callable[[str, bytes], str]:
    def moved(file: str, before: bytes) -> str:
        plan = whole.planner.plan(file)
        return (before if plan is None else plan.after).decode()

    return moved
