"""One run over a repository: from paths and options to plans. The CLI and the library share it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from imageshift.cache import Rule, RuleSet
from imageshift.config import Config, RegistryEntry, RuleOptions, build_rules
from imageshift.config_file import Foreign, load_config
from imageshift.data.image_field import FieldShape, ImageField
from imageshift.errors import ChangedError, ConfigError, SourceError
from imageshift.inventory import Index, build_index
from imageshift.inventory.callers import Callers
from imageshift.inventory.definitions import read_definitions
from imageshift.inventory.leftovers import Leftovers
from imageshift.plan import (
    WHOLE_FILE,
    ChartAnswers,
    Decisions,
    FilePlan,
    Missing,
    Planner,
    Unproven,
    apply_plans,
    refused,
    unread_plan,
)
from imageshift.repo.workspace import CONFIG_NAME, Workspace, find_root, has_config, matching
from imageshift.repo.writer import Writer, writing
from imageshift.rewrite import Backward, Contested, Forward, Mapper
from imageshift.rot import Rot
from imageshift.sites import ImageSite
from imageshift.sites.keeps import Keep, path_steps
from imageshift.sites.other_formats import format_of_file
from imageshift.sites.rows import Rows

__all__ = [
    "Run",
    "RunOptions",
    "Target",
    "find_config",
    "load_targets",
]


# How often files are read again that change while they are read.
_TRIES = 3
# How often all is decided again without what turned out to be wrong.
_MOST_LOOKS = 5


class RunOptions(Struct, frozen=True, kw_only=True):
    """The options of a run; None and empty values leave the choice to .imageshift.yaml.

    `named_only` reads only the named files, so it misses whatever only other files say.
    `charts` is auto, off or require; `render` builds remote bases with kustomize; `jobs` is how
    many renders run at once. `offline` contacts nothing: charts come only from the cache.
    `prune` removes overrides that do nothing, `mend_stale` fixes all stale ones. With `fresh`,
    a configuration in the tree isn't read. `imported` are rules as if read from `rules_from`.

    A `config` named here is trusted. One that is found in the tree can't name a registry outside
    ECR or a path outside the tree, and can't cause network access.
    """

    account: str | None = None
    region: str | None = None
    registry_host: str | None = None
    rules: str | None = None
    rules_from: str | None = None
    imported: tuple[Rule, ...] | None = None
    rule: tuple[str, ...] = ()
    alias: tuple[str, ...] = ()
    config: Path | None = None
    root: Path | None = None
    exclude: tuple[str, ...] = ()
    charts_through_cache: bool = False
    templates: bool = False
    follow: bool = False
    named_only: bool = False
    backward: bool = False
    charts: str | None = None
    render: bool = False
    jobs: int = 1
    offline: bool = False
    prune: bool = False
    mend_stale: bool = False
    fresh: bool = False

    def foreign(self, root: Path) -> Foreign | None:
        """What a configuration found in a tree may not say; None for one that is named here."""
        if self.config is not None:
            return None
        rules = self.rules_from is not None or self.rules is not None
        return Foreign(root, host=self.registry_host is not None, rules=rules)


class Target(Struct, frozen=True):
    """A registry with its rules, and the patterns of the files it applies to (`.` is all)."""

    rules: RuleSet
    paths: tuple[str, ...] = (".",)


class Run(Struct):
    """Everything that a command needs to know before it looks at files."""

    workspace: Workspace
    config: Config
    targets: tuple[Target, ...]
    names: tuple[str, ...]
    options: RunOptions
    _index: Index | None = None
    _planner: Planner | None = None
    folder: Path | None = None
    config_file: Path | None = None
    charts: ChartAnswers | None = None
    _templates: Any = None
    _reach: Any = None
    _graph: Any = None
    _builds: Any = None
    names_clusters: bool = False
    _clusters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _reached: list[frozenset[str]] | None = None
    held: dict[str, SourceError] = field(default_factory=dict)
    _unproven: Unproven = field(default_factory=dict)
    _missing: Missing = field(default_factory=dict)
    _mappers: dict[tuple[int, ...], Mapper] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        paths: Sequence[Path | str],
        options: RunOptions,
        targets: Sequence[Target] | None = None,
    ) -> "Run":
        """A run over the paths; `targets` replace the rules from options and configuration.

        Raises:
            ConfigError: options or configuration can't be used.
            NoFilesError: a path doesn't exist.
        """
        given = [Path(path) for path in paths]
        root = find_root(given, options.root)
        file = options.config or (None if options.fresh else find_config(given, root))
        config = load_config(file, options.foreign(root))
        workspace = Workspace(root, (*config.exclude, *options.exclude))
        names = tuple(workspace.relative(path) for path in given) or ("",)
        folder = root if file is None else file.parent
        targets = targets or load_targets(config, options, folder)
        made = cls(workspace, config, tuple(targets), names, options, folder=folder)
        made.config_file = file
        while options.follow and (outside := made.outside()):
            made.names = (*made.names, *outside)
        return made

    @property
    def rules(self) -> RuleSet:
        """The rules of the first target."""
        return self.targets[0].rules

    @property
    def index(self) -> Index:
        """What the files of the workspace say about each other, read on first use."""
        if self._index is None:
            names = self.names if self.options.named_only else ("",)
            moved = self.options.charts_through_cache or self.config.charts_through_cache
            index = Index(
                self.workspace,
                rows=self._rows(),
                move_unknown=self.config.unknown_kinds == "move",
                # Addresses in the cache go back without being asked for: without ECR's log-in
                # and the rule they would lead nowhere.
                chart_sources=moved or self.options.backward,
                templates=self.options.templates or self.config.templates,
                rewrite_jobs=self.config.jobs == "rewrite",
                values_patterns=tuple(self.config.values),
                keep=_keeps(self.config),
                named_only=self.options.named_only,
                fill=self._fill,
                clusters=tuple(self.config.clusters),
                unproven=self._unproven,
                missing=self._missing,
            )
            self._index = build_index(self.workspace, self.workspace.walk(names), index)
        return self._index

    def _fill(
        self, texts: Sequence[str], elements: Sequence[Mapping[str, Any]]
    ) -> list[list[str | None]]:
        """Fills Go templates with Helm, which is loaded when there is the first one."""
        if self._templates is None:
            from imageshift.charts.rendering.go_templates import GoTemplates  # noqa: PLC0415 heavy

            self._templates = GoTemplates()
        found: list[list[str | None]] = self._templates.fill(texts, elements)
        return found

    def _rows(self) -> Rows:
        """The user's own rows: those of the configuration, and those of the CRDs that it names."""
        rows = [*_rows(self.config)]
        root = None if self.options.config is not None else self.workspace.root
        for path in self.config.crds:
            try:
                rows += read_definitions((self.folder or self.workspace.root) / path, root)
            except SourceError as error:
                raise ConfigError(f"crds: {path}: {error}") from None
        return Rows.made(rows)

    def settle(self) -> None:
        """Makes the decisions that span files, on files that don't change meanwhile.

        Raises:
            ChangedError: they change each time.
        """
        for left in reversed(range(_TRIES)):
            try:
                self._settle_once()
                self._name_clusters()
                self.workspace.read_failures_again()
            except ChangedError:
                self.refresh()
                if not left:
                    raise
            else:
                return

    def _settle_once(self) -> None:
        """Decides, and decides again what turns out to be wrong or missing where builds add to it.

        What isn't right after some rounds holds its whole file back.
        """
        for left in reversed(range(_MOST_LOOKS)):
            _ = self.planner.decisions
            if self.charts is None or self.options.backward:
                return
            found, missing = self.charts.look_back(self.index, self.planner.plan)
            if not found and not missing:
                return
            self._missing |= missing
            for file, why in found.items():
                if left == 0 or WHOLE_FILE in why:
                    reason = next(iter(why.values()))
                    self.held[file] = SourceError(reason, reason="unproven")
                self._unproven[file] = self._unproven.get(file, {}) | why
            self._planner = self._builds = self.charts = self._graph = None
        _ = self.planner.decisions

    @property
    def planner(self) -> Planner:
        """The planner over the index."""
        if self._planner is None:
            self._planner = Planner(
                self.index, self.mapper, self._decide, self.reach, self._leftovers()
            )
        return self._planner

    def _leftovers(self) -> Leftovers | None:
        """What lists the texts that no finder claims; revert has no use for them."""
        if self.options.backward:
            return None
        index = self.index
        not_ours = tuple(self.config.not_ours)
        return Leftovers(not_ours, index.generated, index.copied_lines, Callers(index))

    @property
    def builds(self) -> Any:
        """Who builds what."""
        if self._builds is None:
            from imageshift.links.builds import Builds  # noqa: PLC0415 not for every run

            self._builds = Builds(self.index, self.reach())
        return self._builds

    def reach(self) -> Any:
        """What builds which file."""
        if self._reach is None:
            from imageshift.links.reach import Reach  # noqa: PLC0415 not for every run

            self._reach = Reach(self.index)
        return self._reach

    def clusters(self, file: str) -> tuple[str, ...]:
        """The names of the clusters that take a file in, as far as the tree says so.

        They are known once a run that `names_clusters` has settled.
        """
        return self._clusters.get(file, ())

    def _name_clusters(self) -> None:
        """Finds all of them before anything is written, since that reads files again."""
        if self.names_clusters and not self._clusters:
            from imageshift.links.clusters import Clusters  # noqa: PLC0415 not for every run

            found = Clusters(self.index, self.reach())
            self._clusters = {file: found.of(file) for file in self.index.files}

    def _decide(self, planner: Planner) -> list[Decisions]:
        """What more than a file's own text decides; nothing of it is loaded without need."""
        found: list[Decisions] = []
        if self.options.backward and (self.index.all_releases or self.index.helmfiles):
            from imageshift.solve.renderers import renderers_back  # noqa: PLC0415 as below

            found.append(renderers_back(self.builds, self.mapper, planner.scan, self.is_written))
        charts = None if self.charts_mode == "off" else self._decide_charts(planner)
        if charts is not None:
            found.append(charts)
        if not self.options.named_only:
            graph = list(self._decide_graph(planner, charts))
            found += [*self._decide_stacks(planner, [*found, *graph], charts), *graph]
        self.charts = charts
        return found

    @property
    def rot(self) -> list[Rot]:
        """The overrides that no longer fit what they override."""
        found = [] if self.charts is None else list(self.charts.rot)
        return found + ([] if self._graph is None else self._graph.rot)

    def _decide_stacks(
        self, planner: Planner, others: list[Decisions], charts: ChartAnswers | None
    ) -> Iterator[Decisions]:
        """What values in several texts say together."""
        if self.index.has_stacks:
            from imageshift.charts.unrendered.stacks import read_stacks  # noqa: PLC0415 as above

            unread = charts is None or bool(charts.problems)
            yield read_stacks(
                self.index,
                self.reach(),
                self.mapper,
                planner.scan,
                self.is_written,
                others,
                guarded=unread and not self.options.backward,
            )

    def _decide_graph(self, planner: Planner, charts: ChartAnswers | None) -> Iterator[Decisions]:
        """What the graph of kustomizations decides, and what is known of remote bases."""
        remote = self.index.has_remote and not self.options.backward
        rendered = remote and self.renders
        if self.index.has_entries or rendered:
            from imageshift.links.render import remote_images  # noqa: PLC0415 as above
            from imageshift.solve.decisions import solve  # noqa: PLC0415 as above

            self._graph = solve(
                self.index,
                self.mapper,
                planner.scan,
                writable=self.is_written,
                remote=remote_images if rendered else None,
                backward=self.options.backward,
                builds=self.builds,
                rendered=charts.renders if charts is not None else lambda *_: False,
                prune=self.options.prune,
            )
            yield self._graph
        if remote:
            from imageshift.links.render import remote_sites  # noqa: PLC0415 as above
            from imageshift.solve.remote_rows import remote_rows  # noqa: PLC0415 as above

            yield remote_rows(self.index, self.mapper, remote_sites if rendered else None)

    @property
    def renders(self) -> bool:
        """Whether remote bases are built, which fetches them: only if the user says so."""
        return self.options.render or (self.config.render and self.options.config is not None)

    @property
    def charts_mode(self) -> str:
        """How much is asked of charts: auto, off or require; named files are read without.

        A configuration of the tree's can't have charts fetched for named files.
        """
        mode = self.options.charts or self.config.charts.mode
        asked = self.options.charts or (self.options.config and mode != "auto")
        return "off" if self.options.named_only and not asked else mode

    def unread_charts(self) -> int:
        """How many releases have charts that nobody read, charts with dependencies among them."""
        if self.options.named_only or self.options.backward:
            return 0
        from imageshift.charts.releases.unread import (  # noqa: PLC0415 not for hooks
            unread_anyway,
            unread_releases,
        )

        used = self.charts.used if self.charts is not None else ()
        found = unread_anyway(self.index, used, self.is_written)
        if self.charts is not None:
            return found + len(set(self.charts.problems))
        if not self.index.has_charts:
            return found
        return found + unread_releases(self.builds, self._chart_sources(), self.is_written)

    def _chart_sources(self) -> dict[str, Path]:
        """The folders and archives that the configuration names for charts."""
        folder = self.folder or self.workspace.root
        return {name: folder / path for name, path in self.config.charts.sources.items()}

    def _decide_charts(self, planner: Planner) -> ChartAnswers | None:
        if not self.index.has_charts:
            return None
        from imageshift.charts.fetch.store import Store  # noqa: PLC0415 as above
        from imageshift.charts.rendering.history import History  # noqa: PLC0415 as above
        from imageshift.charts.rendering.tracestore import TraceStore  # noqa: PLC0415 as above
        from imageshift.charts.solving.decide import ChartOptions, decide  # noqa: PLC0415 heavy

        chosen = ChartOptions(
            sources=self._chart_sources(),
            jobs=self.options.jobs,
            traces=TraceStore.default(),
            allow_insecure_images=self.config.charts.allow_insecure_images,
            prune=self.options.prune,
            history=History(Store.default()),
            mend_stale=self.options.mend_stale,
        )
        chosen.transport.offline = self.options.offline
        return decide(
            self.index,
            self.mapper,
            planner.scan,
            builds=self.builds,
            writable=self.is_written,
            options=chosen,
        )

    def files(self) -> Iterator[str]:
        """The files that may be written, in path order."""
        return (file for file in self.index.files if self.is_written(file))

    def hold(self, files: Mapping[str, SourceError]) -> None:
        """Leaves files as they are, each for its reason; what depends on them is decided again."""
        self.held |= files
        self.refresh()

    def is_written(self, file: str) -> bool:
        """Whether a file may be written: it is in the given paths, and isn't held back."""
        return self.is_named(file) and file not in self.held

    def is_named(self, file: str) -> bool:
        """Whether a file is in the given paths."""
        return any(not name or file == name or file.startswith(f"{name}/") for name in self.names)

    def hidden(self) -> Iterator[FilePlan]:
        """The plans of the files in the paths that only `exclude:` leaves out."""
        if self.workspace.exclude:
            known = set(self.index.files)
            bare = Workspace(self.workspace.root)
            yield from self.planner.plans(n for n in bare.walk(self.names) if n not in known)

    def outside(self) -> list[str]:
        """The folders that Flux objects in the paths build, and that lie outside them.

        A folder inside another one of them isn't named by itself, nor the root because some other
        source has one too.
        """
        from imageshift.links.sources import flux_folders  # noqa: PLC0415 not for every run

        if "" in self.names or self.options.named_only:
            return []
        folders = {
            folder
            for flux in self.index.flux
            if self.is_written(flux.file)
            for folder, sure in flux_folders(self.index, flux)
            if folder or sure
        }
        found: list[str] = []
        for folder in sorted(folders, key=lambda name: name.split("/")):
            inside = any(not top or folder.startswith(f"{top}/") for top in found)
            if not (inside or self.is_written(folder or ".")):
                found.append(folder)
        return found

    def plans(self) -> Iterator[FilePlan]:
        """The plans of the files, one by one, and of what couldn't be read.

        Raises:
            ChangedError: as `settle`.
        """
        self.settle()
        yield from self.planner.plans(self.files())
        yield from self.other_plans()
        held = ((self.planner.plan(file), error) for file, error in sorted(self.held.items()))
        yield from (refused(plan, error) for plan, error in held if plan is not None)
        for passed in self.workspace.passed:
            if self.is_written(passed.name):
                yield unread_plan(passed)

    def other_plans(self) -> Iterator[FilePlan]:
        """The plans of the files in the paths that no finder reads, and that name images."""
        if self.options.backward:
            return
        for file in filter(self.is_written, self.workspace.others()):
            if format_of_file(file) is not None and (plan := self.planner.other(file)) is not None:
                yield plan

    def tails(self, site: ImageSite, file: str) -> set[str]:
        """The tags and digests that builds put behind a name which a site gives alone."""
        return {tail for found in self.planner.decisions for tail in found.tails(site, file)}

    def apply(
        self, writer: Writer | None = None, plans: Iterable[FilePlan] | None = None
    ) -> Iterator[FilePlan]:
        """Writes the files; yields the final plan of each.

        `plans` are the run's own, or what is left of them. Without a `writer`, the run waits for
        its turn, and reads the files again if an interrupted run had left some half done.

        Raises:
            BusyError: another run writes to the tree.
            SourceError: nothing can be written at all, or what a stopped run left half done
                can't be rolled back.
        """
        if writer is None:
            with writing(self.workspace.root) as own:
                if own.rolled_back:
                    self.refresh()
                yield from self.apply(own, plans)
            return
        planned = self.plans() if plans is None else plans
        yield from apply_plans(self.workspace, planned, writer, self.planner.broken)

    def refresh(self) -> None:
        """Forgets what was read and decided, since the files have changed."""
        self._index = self._planner = self._builds = None
        self._reach = self._reached = self.charts = self._graph = None
        self._mappers.clear()
        self._clusters.clear()
        self._unproven.clear()
        self._missing.clear()
        self.workspace.forget()

    def mapper(self, file: str) -> Mapper:
        """Where the references of a file go."""
        numbers = self._target_numbers(file)
        if numbers not in self._mappers:
            made = [self._single_mapper(number) for number in numbers]
            back = self.options.backward
            self._mappers[numbers] = made[0] if len(made) == 1 else Contested(made, back=back)
        return self._mappers[numbers]

    def rules_of(self, file: str) -> RuleSet:
        """The rules that hold for a file, those of its first registry."""
        return self.targets[self._target_numbers(file)[0]].rules

    def _single_mapper(self, number: int) -> Mapper:
        rules = self.targets[number].rules
        return Backward(rules) if self.options.backward else Forward(rules)

    def _target_numbers(self, file: str) -> tuple[int, ...]:
        """The targets whose paths hold a file, or whose kustomizations build it; else the first."""
        if len(self.targets) == 1:
            return (0,)
        if self._reached is None:
            self._reached = [self._files_of(target) for target in self.targets]
        numbers = tuple(n for n, files in enumerate(self._reached) if file in files)
        return numbers or (0,)

    def _files_of(self, target: Target) -> frozenset[str]:
        own = frozenset(matching(target.paths, self.index.files))
        folders = [k.folder for k in self.index.kustomizations.values() if k.file in own]
        built = [self.reach().built_by(flux) for flux in self.index.flux if flux.file in own]
        return own.union(*(self.reach().closure(folder) for folder in folders), *built)


def find_config(paths: Sequence[Path] = (), root: Path | None = None) -> Path | None:
    """The nearest .imageshift.yaml at or above the first path (or the working directory)."""
    start = (paths[0] if paths else Path.cwd()).resolve()
    root = root or find_root(paths)
    for folder in (start, *start.parents):
        if not folder.is_relative_to(root):
            return None
        if has_config(folder):
            return folder / CONFIG_NAME
    return None


def load_targets(config: Config, options: RunOptions, folder: Path) -> tuple[Target, ...]:
    """The registries of a run with their rules; `folder` is where the configuration is.

    Raises:
        ConfigError: options or configuration can't be used.
    """
    entries = list(config.registries)
    if not entries:
        return (Target(build_rules(config, _rule_options(config, options, folder))),)
    if options.account or options.region or options.registry_host:
        raise ConfigError(
            "the configuration sets registries by path, so none can be given here",
            hint="leave out --account, --region and --registry-host",
        )
    return tuple(
        Target(
            build_rules(config, _rule_options(config, options, folder, entry), entry),
            tuple(entry.paths),
        )
        for entry in entries
    )


def _rule_options(
    config: Config, options: RunOptions, folder: Path, entry: RegistryEntry | None = None
) -> RuleOptions:
    own = entry or RegistryEntry(paths=[])
    account = options.account or own.account or config.account
    region = options.region or own.region or config.region
    return RuleOptions(
        account=options.account,
        region=options.region,
        registry_host=options.registry_host,
        preset=options.rules,
        imported=_imported(config, options, folder, (account, region)),
        rules=options.rule,
        aliases=options.alias,
    )


def _imported(
    config: Config, options: RunOptions, folder: Path, where: tuple[str | None, str | None]
) -> tuple[Rule, ...] | None:
    if options.imported is not None:
        return options.imported
    source = options.rules_from
    if source is None and config.rules_from is not None and not options.rules:
        is_aws = config.rules_from == "aws"
        source = config.rules_from if is_aws else str(folder / config.rules_from)
    if source is None:
        return None
    from imageshift.aws import AwsOptions, load_rules  # noqa: PLC0415 heavy, and asked for only

    return load_rules(source, AwsOptions(*where, offline=options.offline))


def _keeps(config: Config) -> tuple[tuple[str | None, Keep], ...]:
    return tuple(
        (entry.file, Keep(path_steps(entry.path), entry.image, entry.reason))
        for entry in config.keep
    )


def _rows(config: Config) -> tuple[ImageField, ...]:
    return tuple(
        ImageField(
            kind=entry.kind,
            group=entry.api_version if entry.api_version == "*" else _group(entry.api_version),
            path=entry.path,
            shape=FieldShape.REFERENCE,
            source=CONFIG_NAME,
        )
        for entry in config.images
    )


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
