"""The options that commands share, declared once."""

import inspect
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from msgspec.structs import replace

from imageshift.cli.declare import argument, option
from imageshift.cli.output import results_in
from imageshift.errors import ConfigError
from imageshift.run import RunOptions

__all__ = [
    "FINDINGS",
    "PAGES",
    "ChartsMode",
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
        for field in fields(Common)
        if field.name not in left_out
        for word in _words(field.name, getattr(common, field.name), field.default)
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


def with_options(
    shared: type[RegistryOptions],
    *,
    formats: Collection[Format] = REPORTS,
    without: Collection[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command the options of `shared`, handed to it as one value, `common`.

    `formats` are those that mean something to it, and `without` are options that it doesn't have.
    What the command prints as its result goes where `--output` says.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(command).parameters
        hints = get_type_hints(command, include_extras=True)
        names = [field.name for field in fields(shared) if field.name not in without]

        @wraps(command)
        def run(**values: Any) -> Any:
            chosen = {name: values.pop(name) for name in names}
            if "format" in chosen and _has_report_format(shared):
                chosen["format"] = Format(chosen["format"].value)
            common = shared(**chosen)
            with results_in(getattr(common, "output", None)):
                return command(common=common, **values)

        parameters = [
            parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in own.items()
            if name != "common"
        ]
        parameters += _shared_parameters(shared, names, formats)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def _has_report_format(shared: type[RegistryOptions]) -> bool:
    """Whether the format is that of a report, and no format of the command's own."""
    return any(field.name == "format" and field.default is Format.TEXT for field in fields(shared))


def _shared_parameters(
    shared: type[RegistryOptions], names: Iterable[str], formats: Collection[Format]
) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(shared, include_extras=True)
    defaults = {field.name: field.default for field in fields(shared)}
    for name in names:
        annotation, default = hints[name], defaults[name]
        if name == "format" and _has_report_format(shared):
            # Typer takes the choices from an enumeration, so each command has its own.
            own = StrEnum("Format", {one.name: one.value for one in formats})  # type: ignore[misc]
            annotation, default = Annotated[own, _FORMAT], own("text")
        yield inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
