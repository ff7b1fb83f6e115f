"""The options that commands share, declared once."""

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import StrEnum
from functools import update_wrapper
from pathlib import Path
from typing import Annotated, Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.cli.declare import argument, option
from imageshift.cli.output import results_in
from imageshift.errors import ConfigError
from imageshift.run import RunOptions

__all__ = [
    "FINDINGS",
    "PAGES",
    "ChartsMode",
    "Command",
    "Common",
    "Format",
    "MapOptions",
    "Offline",
    "Output",
    "Paths",
    "Preset",
    "Quiet",
    "RegistryOptions",
    "Root",
    "command_line",
    "with_options",
]

_REGISTRY = "The target registry and its rules"
_FILES = "Files and output"

Paths = Annotated[
    list[Path],
    argument(
        default_factory=lambda: [Path()],
        help="Files and folders; `.` if left out.",
        show_default=False,
    ),
]
"""What a command works on."""


class Format(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    HTML = "html"


REPORTS = (Format.TEXT, Format.JSON)
"""The formats of every command that has a report."""

PAGES = (*REPORTS, Format.HTML)
"""The formats of commands whose report can be a page."""

FINDINGS = tuple(Format)
"""The formats of commands that have findings."""


class Preset(StrEnum):
    """Rule sets that have a name."""

    ARTICLE = "article"
    CONSOLE = "console"


class ChartsMode(StrEnum):
    """How much a run asks of charts."""

    AUTO = "auto"
    OFF = "off"
    REQUIRE = "require"


def _option(panel: str, *names: str, text: str, **more: Any) -> Any:
    return option(*names, help=text, rich_help_panel=panel, **more)


_FORMAT = _option(_FILES, "--format", text="Output format.")
Output = Annotated[
    Path | None, _option(_FILES, "--output", text="Write the result to this file, not to stdout.")
]
Quiet = Annotated[bool, _option(_FILES, "--quiet", "-q", text="Print only the result.")]
Root = Annotated[
    Path | None,
    _option(_FILES, "--root", text="Root of the repository: nothing outside it is read."),
]
Offline = Annotated[
    bool,
    _option(
        _FILES, "--offline", text="Contact no host; use only charts that are already downloaded."
    ),
]


class RegistryOptions(Struct, frozen=True, kw_only=True):
    """What says where images go."""

    account: Annotated[
        str | None, _option(_REGISTRY, "--account", text="AWS account id of the cache.")
    ] = None
    region: Annotated[
        str | None, _option(_REGISTRY, "--region", text="AWS Region of the cache.")
    ] = None
    registry_host: Annotated[
        str | None,
        _option(
            _REGISTRY,
            "--registry-host",
            text="Registry host to use instead of the account's ECR host.",
        ),
    ] = None
    rule: Annotated[
        list[str] | None,
        _option(
            _REGISTRY,
            "--rule",
            text=(
                "UPSTREAM[/UPSTREAM_PREFIX]=PREFIX adds or changes a rule; an empty PREFIX "
                "removes it."
            ),
        ),
    ] = None
    rules: Annotated[
        Preset | None, _option(_REGISTRY, "--rules", text="Built-in rules for the usual upstreams.")
    ] = None
    rules_from: Annotated[
        str | None,
        _option(_REGISTRY, "--rules-from", text="Read the rules from an account (aws) or a file."),
    ] = None
    alias: Annotated[
        list[str] | None,
        _option(
            _REGISTRY,
            "--alias",
            text="HOST=UPSTREAM treats HOST as that upstream; known uses the built-in table.",
        ),
    ] = None
    config: Annotated[
        Path | None,
        _option(_FILES, "--config", text="Configuration file to use instead of .imageshift.yaml."),
    ] = None

    def registry_options(self) -> RunOptions:
        """The options as the library takes them."""
        return RunOptions(
            account=self.account,
            region=self.region,
            registry_host=self.registry_host,
            rules=None if self.rules is None else self.rules.value,
            rules_from=self.rules_from,
            rule=tuple(self.rule or ()),
            alias=tuple(self.alias or ()),
            config=self.config,
        )


class MapOptions(RegistryOptions, frozen=True, kw_only=True):
    """The options of a command that reads references only."""

    format: Annotated[Format, _FORMAT] = Format.TEXT
    output: Output = None
    quiet: Quiet = False


class Common(RegistryOptions, frozen=True, kw_only=True):
    """The options of every command that reads files."""

    root: Root = None
    charts: Annotated[
        ChartsMode | None,
        _option(
            _FILES,
            "--charts",
            text="Whether to render charts (default: auto, or as configured).",
            envvar="IMAGESHIFT_CHARTS",
        ),
    ] = None
    charts_through_cache: Annotated[
        bool,
        _option(_FILES, "--charts-through-cache", text="Also move oci:// chart sources."),
    ] = False
    templates: Annotated[
        bool,
        _option(_FILES, "--templates", text="Also rewrite literal images in Helm templates."),
    ] = False
    render: Annotated[
        bool,
        _option(
            _FILES, "--render", text="Fetch remote bases and build them with kustomize or kubectl."
        ),
    ] = False
    offline: Offline = False
    follow: Annotated[
        bool,
        _option(
            _FILES,
            "--follow",
            text="Also include the folders that Flux objects in the paths build.",
        ),
    ] = False
    format: Annotated[Format, _FORMAT] = Format.TEXT
    output: Output = None
    jobs: Annotated[
        int, _option(_FILES, "--jobs", min=1, text="How many renders to run at once.")
    ] = 1
    strict: Annotated[
        bool,
        _option(
            _FILES, "--strict", text="Also exit 1 for doubtful images and those without a rule."
        ),
    ] = False
    quiet: Quiet = False
    verbose: Annotated[
        bool, _option(_FILES, "--verbose", "-v", text="List every image and file.")
    ] = False

    def run_options(self, *, named_only: bool = False, backward: bool = False) -> RunOptions:
        """The options as the library takes them.

        Raises:
            ConfigError: `--offline` with what can't be done so.
        """
        if self.offline and self.render:
            raise ConfigError(
                "--offline and --render can't be used together", hint="remote bases are fetched"
            )
        return replace(
            self.registry_options(),
            root=self.root,
            charts_through_cache=self.charts_through_cache,
            templates=self.templates,
            render=self.render,
            offline=self.offline,
            follow=self.follow,
            named_only=named_only,
            backward=backward,
            charts=None if self.charts is None else self.charts.value,
            jobs=self.jobs,
        )


_OF_THE_OUTPUT = frozenset({"format", "output", "quiet", "verbose", "strict", "jobs"})


def command_line(
    command: str, paths: Iterable[Path], common: Common, *, without: Iterable[str] = ()
) -> str:
    """A command of imageshift with the paths and options of this run."""
    left_out = {*_OF_THE_OUTPUT, *without}
    options = [
        word
        for name, default in _defaults(Common).items()
        if name not in left_out
        for word in _words(name, getattr(common, name), default)
    ]
    named = [str(path) for path in paths]
    given = [] if named == ["."] else named
    return shlex.join(["imageshift", *command.split(), *given, *options])


def _words(name: str, value: Any, default: Any) -> Iterator[str]:
    """An option with its value as words, none where it has its default."""
    if value in (default, None, [], False):
        return
    option = f"--{name.replace('_', '-')}"
    for one in value if isinstance(value, list) else [value]:
        yield option
        if one is not True:
            yield str(one.value if isinstance(one, StrEnum) else one)


def _defaults(options: type[RegistryOptions]) -> dict[str, Any]:
    return dict(zip(options.__struct_fields__, options.__struct_defaults__, strict=True))


class Command:
    """A command with the options that it shares with others, which it takes as one value."""

    def __init__(
        self,
        function: Callable[..., Any],
        shared: type[RegistryOptions],
        formats: Collection[Format],
        without: Collection[str],
    ) -> None:
        update_wrapper(self, function)
        self.function, self.shared = function, shared
        self.formats, self.without = formats, without

    def defaults(self) -> dict[str, Any]:
        """The shared options that the command has, with their defaults."""
        known = _defaults(self.shared)
        return {name: default for name, default in known.items() if name not in self.without}

    @property
    def has_report_format(self) -> bool:
        """Whether its format is that of a report, and no format of the command's own."""
        return _defaults(self.shared).get("format") is Format.TEXT

    def call(self, values: dict[str, Any]) -> Any:
        """What the command does with the values of its options, shared and own, by name."""
        own = dict(values)
        chosen = {name: own.pop(name) for name in self.defaults()}
        if "format" in chosen and self.has_report_format:
            chosen["format"] = Format(chosen["format"].value)
        return self(common=self.shared(**chosen), **own)

    def __call__(self, *, common: RegistryOptions, **own: Any) -> Any:
        """Runs the command; what it prints as its result goes where `--output` says."""
        with results_in(getattr(common, "output", None)):
            return self.function(common=common, **own)


def with_options(
    shared: type[RegistryOptions],
    *,
    formats: Collection[Format] = REPORTS,
    without: Collection[str] = (),
) -> Callable[[Callable[..., Any]], Command]:
    """Gives a command the options of `shared`, handed to it as one value, `common`.

    `formats` are those that mean something to it, and `without` are options that it doesn't have.
    """
    return lambda function: Command(function, shared, formats, without)
