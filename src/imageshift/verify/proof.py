"""The whole proof: both trees discovered, their units paired, compared, and releases rendered."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.cache import RuleSet
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.plain import load_plain
from imageshift.charts.rendering.render import Renderer, find_renderer
from imageshift.inventory.readers import read_documents
from imageshift.sites import FileRole
from imageshift.steps import expect, step
from imageshift.verify.argo_charts import ChartBuild, chart_builds
from imageshift.verify.argocd import Owner, sources, without_judged
from imageshift.verify.catalog import Catalog
from imageshift.verify.discover import Unit, discover
from imageshift.verify.kustomize import Kustomize
from imageshift.verify.model import (
    Plain,
    Problem,
    Proof,
    UnitKey,
    Verdict,
    VerdictKind,
    as_tool_error,
    object_name,
)
from imageshift.verify.parameters import image_parameters
from imageshift.verify.prove_release import ReleaseProver, ReleaseSide
from imageshift.verify.prove_unit import MapKey, defer, prove_file, prove_unit, rendered_maps
from imageshift.verify.releases import is_release
from imageshift.verify.render import ReleaseRenderer
from imageshift.verify.secrets import Veil
from imageshift.verify.text import TextJudge
from imageshift.verify.tree import Tree
from imageshift.words import has_any

__all__ = ["VerifyOptions", "verify_trees", "with_unread"]


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """What a proof needs to know in addition to the two trees.

    `rules_of` gives the rules for a file; `is_asked` says whether a file is in the paths;
    `charts` are folders or archives by `namespace/name` of a release, by a chart's URL, or by its
    name. `clusters` are those that Argo CD is said to know. With `fetch`, remote bases are fetched;
    `offline` contacts nothing. `advance` is called after each verdict.
    """

    rules_of: Callable[[str], RuleSet]
    is_asked: Callable[[str], bool] = lambda _file: True
    charts: Mapping[str, Path] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    rewrite_jobs: bool = False
    fetch: bool = False
    jobs: int = 1
    locator: Locator | None = None
    offline: bool = False
    renderer: Renderer | None = None
    advance: Callable[[], None] = lambda: None


def verify_trees(before: Path, after: Path, options: VerifyOptions) -> Proof:
    """Proves, or fails to prove, that `after` is `before` with its images under mapped names.

    Both folders must be copies: builds leave traces in them for a moment.

    Raises:
        ToolError: kustomize or Helm is needed and isn't here.
    """
    return _Run(_Side.open(before, options), _Side.open(after, options), options).prove()


def with_unread(proof: Proof, unread: Mapping[str, str]) -> Proof:
    """A proof that says as well what of a tree couldn't be read: it isn't proven."""
    more = [
        Verdict(
            key=UnitKey(VerdictKind.FILE, "", name, name), file=name, problem=Problem(name, reason)
        )
        for name, reason in unread.items()
    ]
    return replace(proof, verdicts=tuple(sorted((*proof.verdicts, *more), key=_order)))


class _Side(Struct, dict=True):
    """One tree with all that is deployed from it."""

    tree: Tree
    units: dict[UnitKey, Unit]
    catalog: Catalog
    charts: dict[UnitKey, ChartBuild]

    @classmethod
    def open(cls, root: Path, options: VerifyOptions) -> "_Side":
        tree = Tree.open(root, options.exclude, options.clusters)
        find = _once(lambda: Kustomize.find(tree.root, fetch=options.fetch))
        units, catalog = discover(tree, find, options.jobs)
        found = {unit.key: unit for unit in units}
        return cls(tree, found, catalog, chart_builds(tree, options.charts))

    def objects(self) -> Iterator[Plain]:
        """All objects, as they are built and as they are written."""
        for unit in self.units.values():
            yield from unit.objects
        for file in self.tree.index.files:
            if b"Secret" in (self.tree.read(file) or b""):
                yield from self.tree.objects(file)

    def releases(self, key: UnitKey) -> dict[UnitKey, Plain]:
        """The HelmReleases of a unit; one of each name, as a cluster has it."""
        unit = self.units.get(key)
        found: dict[UnitKey, Plain] = {}
        for data in () if unit is None else unit.objects:
            if is_release(data):
                name = object_name(data)
                made = UnitKey(
                    VerdictKind.RELEASE, name.namespace, name.name, key.place, key.number
                )
                found[made] = data
        return found

    @cached_property
    def values_files(self) -> frozenset[str]:
        """The files whose values charts take."""
        index = self.tree.index
        return frozenset(f for f in index.files if index.context(f).role is FileRole.VALUES)

    @cached_property
    def places(self) -> dict[tuple[str, str], str]:
        """`file:line` of the HelmReleases, by the folder-independent name and the file."""
        found: dict[tuple[str, str], str] = {}
        for release in self.tree.index.all_releases:
            for document in read_documents(self.tree.index.workspace, release.file):
                if document.index == release.index:
                    line = document.place(document.mapping.start).line
                    found[release.resource.name, release.file] = f"{release.file}:{line}"
        return found

    def place(self, name: str, unit: Unit) -> str:
        """Where a release of a unit is written, as far as its name tells."""
        fitting = [
            place
            for (known, file), place in self.places.items()
            if known == name and (file in unit.files or file == unit.file)
        ]
        return min(fitting, default=unit.file)


def _once(make: Callable[[], Kustomize]) -> Callable[[], Kustomize]:
    made: list[Kustomize] = []

    def get() -> Kustomize:
        if not made:
            made.append(make())
        return made[0]

    return get


def _as_step(prove: Callable[["_Run", Any], Any]) -> Callable[["_Run", Any], Any]:
    """A way to a verdict, which whoever watches the run sees."""

    @wraps(prove)
    def watched(run: "_Run", asked: Any) -> Any:
        with step(str(asked[-1] if isinstance(asked, tuple) else asked)):
            made = prove(run, asked)
        run.options.advance()
        return made

    return watched


class _Run(Struct, dict=True):
    """One proof, and its verdicts so far.

    `releases` are those on releases, by unit and release; `charts` those on the chart sources
    that could be rendered.
    """

    before: _Side
    after: _Side
    options: VerifyOptions
    releases: dict[tuple[UnitKey, UnitKey], Verdict] = field(default_factory=dict)
    charts: dict[UnitKey, Verdict] = field(default_factory=dict)

    def prove(self) -> Proof:
        keys = [key for key in {**self.before.units, **self.after.units} if self._is_asked(key)]
        with ThreadPoolExecutor(self.options.jobs) as pool:
            tasks = [(key, release) for key in keys for release in self._releases(key)]
            expect(len(tasks) + len(keys))
            self.releases.update(zip(tasks, pool.map(self._prove_release, tasks), strict=True))
            asked = self._chart_sources()
            expect(len(asked))
            found = zip(asked, pool.map(self._prove_chart, asked), strict=True)
            self.charts.update((key, each) for key, each in found if each.problem is None)
        made = [*self.releases.values()]
        made += [defer(each, (), (), self._built, self._owners) for each in self.charts.values()]
        for key in keys:
            verdict = self._prove_unit(key)
            if verdict is not None:
                made.append(verdict)
        return Proof(tuple(sorted(map(self._veil.over, made), key=_order)))

    @cached_property
    def _veil(self) -> Veil:
        """Hides the values of the Secrets that both trees have."""
        sides = (self.before, self.after)
        objects = tuple(data for side in sides for data in side.objects())
        return Veil(objects, lambda: (text for side in sides for text in side.tree.clear_texts()))

    def _is_asked(self, key: UnitKey) -> bool:
        units = [side.units[key] for side in (self.before, self.after) if key in side.units]
        return any(
            self.options.is_asked(file) for unit in units for file in (unit.file, *unit.files)
        )

    def _releases(self, key: UnitKey) -> list[UnitKey]:
        """The releases that both sides have; one that is missing is a missing object."""
        after = self.after.releases(key)
        return [release for release in self.before.releases(key) if release in after]

    @cached_property
    def _prover(self) -> ReleaseProver:
        options = self.options
        locator = options.locator or Locator(known=options.charts)
        locator.transport.offline = locator.transport.offline or options.offline
        renderer = options.renderer or find_renderer()
        return ReleaseProver(ReleaseRenderer(locator, renderer, _once(Kustomize.find)))

    def _chart_sources(self) -> list[UnitKey]:
        """The chart sources of Applications that both sides have, and somebody asks for."""
        asked = self.options.is_asked
        return [
            key
            for key in self.before.charts
            if key in self.after.charts
            and any(asked(file) for file in self.after.charts[key].files)
        ]

    @_as_step
    def _prove_chart(self, key: UnitKey) -> Verdict:
        """The verdict on one chart source; where it can't be rendered, texts are judged."""
        old, new = self.before.charts[key], self.after.charts[key]
        rules = self.options.rules_of(new.file)
        try:
            made = self._prover.prove(key, old, new, rules, jobs=self.options.rewrite_jobs)
        except Exception as error:  # noqa: BLE001 one bad source is no matter for the others
            said = as_tool_error(error)
            made = Verdict(key=key, file=new.file, problem=Problem(old.place, old.said(said)))
        return replace(made, files=frozenset(new.files))

    @_as_step
    def _prove_release(self, task: tuple[UnitKey, UnitKey]) -> Verdict:
        old, new = (self._release_side(side, *task) for side in (self.before, self.after))
        rules = self.options.rules_of(new.file)
        try:
            made = self._prover.prove(task[1], old, new, rules, jobs=self.options.rewrite_jobs)
        except Exception as error:  # noqa: BLE001 one bad release is no matter for the others
            said = as_tool_error(error)
            problem = Problem(old.place, old.said(said), said.hint)
            made = Verdict(key=task[1], file=new.file, problem=problem)
        # Which of the values files it takes, nobody knows of a release that can't be read.
        return replace(made, files=self.after.values_files | {new.file})

    def _release_side(self, side: _Side, key: UnitKey, release: UnitKey) -> ReleaseSide:
        unit = side.units[key]
        return ReleaseSide(
            side.releases(key)[release],
            side.catalog.near(unit.spot),
            self.options.charts,
            side.place(release.name, unit),
        )

    @_as_step
    def _prove_unit(self, key: UnitKey) -> Verdict | None:
        old, new = self.before.units.get(key), self.after.units.get(key)
        unit = new or old
        assert unit is not None  # noqa: S101 the key is one of theirs
        try:
            verdict = self._compared(key, old, new, unit.file)
            if verdict is not None:
                is_file = key.kind is VerdictKind.FILE
                maps = self._maps_of_files if is_file else frozenset[MapKey]()
                releases = self._by_unit.get(key, ())
                known = self._built, self._owners, maps
                verdict = defer(verdict, unit.objects, releases, *known)
        except Exception as error:  # noqa: BLE001 one bad unit is no matter for the others
            said = as_tool_error(error)
            verdict = Verdict(key=key, file=unit.file, problem=Problem(unit.file, str(said)))
        return None if verdict is None else replace(verdict, files=unit.files | {unit.file})

    def _compared(
        self, key: UnitKey, old: Unit | None, new: Unit | None, file: str
    ) -> Verdict | None:
        rules = self.options.rules_of(file)
        if key.kind is VerdictKind.FILE and self._is_built_override(key.place):
            return None
        jobs = self.options.rewrite_jobs
        if key.kind is VerdictKind.FILE:
            texts = self.before.tree.read(key.place), self.after.tree.read(key.place)
            judge = TextJudge(rules, registries=key.place in self._rendered_files)
            return prove_file(key, (old, new), texts, judge, self._parameters, jobs=jobs)
        return prove_unit(key, (old, new), rules, self._parameters, jobs=jobs)

    def _parameters(self) -> frozenset[str]:
        return self._image_parameters

    @cached_property
    def _image_parameters(self) -> frozenset[str]:
        """The parameters that pipelines and workflows of the tree put into images."""
        tree = self.before.tree
        files = [
            file
            for file in tree.index.files
            if has_any(tree.read(file) or b"", (b"tekton.dev", b"argoproj.io"))
        ]
        return image_parameters(data for file in files for data in tree.objects(file))

    @cached_property
    def _by_unit(self) -> dict[UnitKey, list[Verdict]]:
        """The verdicts on releases, by the unit that has them."""
        found: dict[UnitKey, list[Verdict]] = {}
        for (unit, _), verdict in self.releases.items():
            found.setdefault(unit, []).append(verdict)
        return found

    @cached_property
    def _rendered_files(self) -> frozenset[str]:
        """The files of values of charts that were rendered on both sides.

        A registry may move alone in them: what it makes is judged in the rendering.
        """
        found = {file for key in self.charts for file in self.after.charts[key].files}
        root = self.after.tree.root
        for task in (task for task, verdict in self.releases.items() if verdict.problem is None):
            release = self._release_side(self.after, *task).read().release
            path = release.source.path
            if path is not None and path.is_relative_to(root):
                found |= release.values_texts.keys()
                found.add(str((path / "values.yaml").relative_to(root)))
        return frozenset(found)

    def _is_built_override(self, file: str) -> bool:
        """Whether a file of overrides differs only in what every source that takes it builds."""
        owners = self._overrides.get(file, set())
        if not owners or not all(any(o in self._owners for o in both) for both in owners):
            return False
        texts = [side.tree.read(file) or b"" for side in (self.before, self.after)]
        old, new = (without_judged(load_plain(text, file)) for text in texts)
        return bool(old == new)

    @cached_property
    def _overrides(self) -> dict[str, set[tuple[Owner, Owner]]]:
        """By file of overrides, the sources that take it, each as a kustomization and a chart."""
        found: dict[str, set[tuple[Owner, Owner]]] = {}
        for source in sources(self.after.tree):
            for file in source.files:
                owners = source.owner("kustomize"), source.owner("helm")
                found.setdefault(file, set()).add(owners)
        return found

    @cached_property
    def _pairs(self) -> list[tuple[UnitKey, Unit, bool]]:
        """The units of after, each with whether both sides build it."""
        before = self.before.units
        return [
            (key, unit, unit.problem is None and key in before and before[key].problem is None)
            for key, unit in self.after.units.items()
        ]

    @cached_property
    def _maps_of_files(self) -> frozenset[MapKey]:
        """What the rendered releases of files take values from in another file.

        Files that no build includes are applied together; of a name that several have, nobody
        knows which is taken.
        """
        units = {k: u for k, u in self.after.units.items() if k.kind is VerdictKind.FILE}
        holders = Counter(
            (name.kind, name.namespace, name.name)
            for unit in units.values()
            for name in map(object_name, unit.objects)
        )
        found = (
            key
            for place, unit in units.items()
            for key in rendered_maps(unit.objects, self._by_unit.get(place, ()))
        )
        return frozenset(key for key in found if holders[key[:3]] == 1)

    @cached_property
    def _built(self) -> frozenset[tuple[str, str]]:
        """Namespaces and names of the Flux Kustomizations that both sides build."""
        return frozenset((key.namespace, key.name) for key, _, both in self._pairs if both)

    @cached_property
    def _owners(self) -> frozenset[Owner]:
        """The Argo CD sources of which both sides build all that they make."""
        charts = self.after.charts.items()
        found = {unit.owner for _, unit, both in self._pairs if both}
        found |= {chart.owner for key, chart in charts if key in self.charts}
        failed = {unit.owner for _, unit, both in self._pairs if not both}
        failed |= {chart.owner for key, chart in charts if key not in self.charts}
        return frozenset(owner for owner in found - failed if owner is not None)


def _order(verdict: Verdict) -> tuple[str, str, str, str, int]:
    key = verdict.key
    return key.place, key.kind.value, key.namespace, key.name, key.number
