"""What the charts decide about the images of a tree: each release rendered, traced, overridden.

Sites whose texts reach a rendered image are decided here alone; for all others the rules for
texts hold.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from msgspec.structs import replace

from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.semver import is_other_version
from imageshift.charts.releases.flux import ReleaseText, Tool, read_releases
from imageshift.charts.releases.others import read_other_releases
from imageshift.charts.releases.sources import ChartSources
from imageshift.charts.rendering.render import Renderer, find_renderer
from imageshift.charts.solving.decisions import ChartDecisions
from imageshift.charts.solving.options import ChartOptions
from imageshift.charts.solving.override import Overrider
from imageshift.charts.solving.release_solver import ReleaseSolver
from imageshift.charts.solving.run_files import RunFiles
from imageshift.charts.solving.solved import Solved
from imageshift.charts.solving.variants import Variants
from imageshift.charts.solving.verdicts import ChartProblem, Verdicts
from imageshift.charts.stale.prune import pruned, removals
from imageshift.errors import ImageshiftError, ToolError, unexpected
from imageshift.inventory import FileScan, Index
from imageshift.links.builds import Builds
from imageshift.rewrite import Forward, Mapper
from imageshift.sites import SkipReason
from imageshift.solve.leaves import site_key
from imageshift.steps import expect, step

__all__ = ["ChartDecisions", "ChartOptions", "decide"]

_LONGEST = 300
_MOST_ROUNDS = 3
_REFUSED_BY_FLUX = "Flux can't install {}: kustomize rejects {} (Argo CD accepts it)"
_FROZEN = "{} now pins what used to come from {}: update it together with the chart"
_SUBSTITUTED = "`charts.sources` provides {} {} instead of version {}"


def decide(  # noqa: PLR0913 as solve.decisions, and what charts need besides
    index: Index,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    *,
    builds: Builds | None = None,
    writable: Callable[[str], bool] = lambda _: True,
    options: ChartOptions | None = None,
    renderer: Renderer | None = None,
) -> ChartDecisions:
    """The decisions for a workspace.

    `mapper_of` gives the mapper for what a file says, `scan` its sites, and `writable` whether
    this run may change it.
    """
    files = RunFiles(index, mapper_of, scan, writable)
    return _Run(files, builds or Builds(index), options or ChartOptions()).decide(renderer)


class _Run:
    def __init__(self, files: RunFiles, builds: Builds, options: ChartOptions) -> None:
        self._files = files
        self._builds = builds
        self._options = options
        self._variants = Variants(builds.index, builds.reach)
        self._found = ChartDecisions()

    def decide(self, renderer: Renderer | None) -> ChartDecisions:
        texts = self._texts()
        if not texts:
            return self._found
        paths = (text.release.source.path for text in texts)
        self._found.used.update(path for path in paths if path is not None)
        try:
            renderer = renderer or find_renderer()
        except ToolError as error:
            for text in texts:
                self._problem(text, error)
            return self._found
        solver = ReleaseSolver(self._files, self._variants, texts, self._options)
        self._solve(solver, texts, renderer)
        self._gather(solver, renderer)
        return self._found

    def _texts(self) -> list[ReleaseText]:
        index, reach = self._files.index, self._builds.reach
        found = read_releases(index, reach, ChartSources(index, reach, self._options.sources))
        found += read_other_releases(index, self._builds)
        return [text for text in found if self._may_change(text)]

    def _solve(self, solver: ReleaseSolver, texts: list[ReleaseText], renderer: Renderer) -> None:
        """Solves all releases, again where edits for one are wrong for another."""
        waiting = texts
        for _ in range(_MOST_ROUNDS):
            for some in ([t for t in waiting if t.base is None], [t for t in waiting if t.base]):
                for group in _by_chart(some):
                    self._solve_group(solver, group, renderer)
            broken = solver.broken_files()
            if not broken:
                break
            solver.frozen |= broken
            waiting = [text for text in texts if broken & {layer.file for layer in text.layers}]

    def _may_change(self, text: ReleaseText) -> bool:
        if not self._files.writable(text.file):
            return False
        scan = self._files.scan(text.file)
        if any(skip.line is None for skip in scan.skips):
            return False
        return not any(site.skip is SkipReason.GENERATED for site in scan.sites)

    def _solve_group(
        self, solver: ReleaseSolver, group: list[ReleaseText], renderer: Renderer
    ) -> None:
        """The releases of one chart: what is learnt of it for one helps with the next."""
        options = self._options
        locator = Locator(transport=options.transport, known=options.sources)
        overrider = Overrider(renderer, options.traces, options.allow_insecure_images)

        def work(text: ReleaseText) -> Solved | ImageshiftError:
            if text.error is not None:
                return text.error
            try:
                with step(f"{text.release.namespace}/{text.release.name}"):
                    return solver.solve(text, locator.find(text.release.source), overrider)
            except ImageshiftError as error:
                return error
            except Exception as error:  # noqa: BLE001 no other release is lost by this one
                return unexpected(error)

        expect(sum(text.error is None for text in group))
        first, rest = group[:1], group[1:]
        self._take(solver, first, map(work, first))
        if options.jobs > 1 and len(rest) > 1:
            with ThreadPoolExecutor(options.jobs) as pool:
                self._take(solver, rest, pool.map(work, rest))
        else:
            self._take(solver, rest, map(work, rest))

    def _take(
        self,
        solver: ReleaseSolver,
        texts: list[ReleaseText],
        found: Iterable[Solved | ImageshiftError],
    ) -> None:
        for text, result in zip(texts, found, strict=True):
            if isinstance(result, ImageshiftError):
                self._problem(text, result)
            else:
                solver.solved[id(text)] = result

    def _problem(self, text: ReleaseText, error: ImageshiftError) -> None:
        release = f"{text.release.namespace}/{text.release.name}"
        said = " ".join(str(error).replace(f"{self._files.index.workspace.root}/", "").split())
        message = f"{release}: {said[:_LONGEST]}"
        problem = ChartProblem(text.file, text.place, message, error.hint)
        self._found.problems.append(problem)

    def _prune(self, solved: Solved, verdicts: Verdicts) -> None:
        """Take out what nothing reads of a release's texts."""
        mapper, dead = self._files.mapper_of(solved.text.file), solved.rotten.dead
        if not isinstance(mapper, Forward):
            return
        for file, edits in removals(dead, solved.moves.edits).items():
            here = [item for item in dead if item.file == file and self._files.writable(file)]
            known = {site_key(site, file) for site in self._files.scan(file).sites}
            for change in pruned(edits, self._files.scan(file), here, mapper.rules) if here else ():
                key = site_key(change.site, file)
                if key in known:
                    verdicts.results[key] = change
                else:
                    verdicts.extras.setdefault(file, []).append(change)

    def _gather(self, solver: ReleaseSolver, renderer: Renderer) -> None:
        verdicts = Verdicts(self._files, solver.uses)
        every = [*{**solver.unrendered, **solver.solved}.values()]
        given = {"solved": every, "renderer": renderer, "builds": self._variants}
        self._found = replace(self._found, **given, verdicts=verdicts)
        for solved in solver.solved.values():
            verdicts.add(solved)
            if solved.result.clash is not None and solved.text.tool is Tool.FLUX:
                note = _REFUSED_BY_FLUX.format(solved.chart.title, solved.result.clash)
                self._found.notes.append(ChartProblem(solved.text.file, solved.text.place, note))
            self._note_other_version(solved)
            if solved.moves.frozen:
                at, named = solved.text, ", ".join(dict.fromkeys(solved.moves.frozen))
                note = _FROZEN.format(named, solved.chart.title)
                problem = ChartProblem(at.file, at.place, note, code="tag-frozen")
                self._found.notes.append(problem)
            self._found.rot.extend(solved.rotten.findings)
            start = solved.text.document.offset(solved.text.root.start)
            self._found.owned.add((solved.text.file, start))
        for solved in solver.solved.values() if self._options.prune else ():
            self._prune(solved, verdicts)
        verdicts.finish()
        self._found.results.update(verdicts.results)
        self._found.moves.update(verdicts.moves)
        self._found.extras.update(verdicts.extras)
        self._found.stories.update(verdicts.stories)
        self._found.notes.extend(verdicts.notes)
        self._found.known_tails.update({**solver.others.tails, **verdicts.tails})

    def _note_other_version(self, solved: Solved) -> None:
        """Notes a chart that stands in for another version than the release asks for."""
        source, chart, at = solved.text.release.source, solved.chart, solved.text
        if not is_other_version(chart.version, source.version):
            return
        if Locator(known=self._options.sources).known_path(source) is not None:
            note = _SUBSTITUTED.format(chart.name, chart.version, source.version)
            self._found.notes.append(ChartProblem(at.file, at.place, note))


def _by_chart(texts: list[ReleaseText]) -> Iterator[list[ReleaseText]]:
    ordered = sorted(texts, key=lambda text: (str(text.release.source), text.file))
    for _, group in groupby(ordered, key=lambda text: str(text.release.source)):
        yield list(group)
