"""imageshift values: the smallest values that move a chart's images."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from imageshift.charts.fetch.locate import Locator
from imageshift.charts.model import ChartError, ChartSource, Release, Values
from imageshift.charts.plain import load_plain
from imageshift.charts.rendering.render import find_renderer
from imageshift.charts.solving.override import Overrider
from imageshift.charts.values import merge
from imageshift.cli.declare import argument, option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Offline, Output, Quiet, RegistryOptions, with_options
from imageshift.cli.output import emit, say, say_doubtful_accounts
from imageshift.cli.registry import open_rules
from imageshift.errors import ConfigError, SourceError
from imageshift.net import Transport
from imageshift.repo.read import read_file
from imageshift.reports.words import counted
from imageshift.rewrite import Forward
from imageshift.values.find import ChartValues, find_values
from imageshift.values.source import named_chart
from imageshift.values.spell import ValuesFormat, remarks, spell

__all__ = ["values"]

Chart = Annotated[
    str,
    argument(
        metavar="CHART",
        help="A folder, a .tgz, an oci:// address, or a name in the repository of --repo.",
        show_default=False,
    ),
]


class ValuesOptions(RegistryOptions, frozen=True, kw_only=True):
    """The options of `values`."""

    repo: Annotated[
        str | None, option("--repo", help="URL of the repository that has the chart.")
    ] = None
    version: Annotated[
        str | None, option("--version", help="Version or range (default: the newest).")
    ] = None
    given: Annotated[
        list[Path] | None,
        option("--values", "-f", help="A file of further values for the chart."),
    ] = None
    name: Annotated[
        str | None, option("--name", help="Name of the release (default: the chart's name).")
    ] = None
    namespace: Annotated[str, option("--namespace", "-n", help="Namespace of the release.")] = (
        "default"
    )
    format: Annotated[ValuesFormat, option("--format", help="Output format.")] = ValuesFormat.YAML
    post_renderer: Annotated[
        bool,
        option("--post-renderer", help="Also print Flux post-renderers for the rest."),
    ] = False
    allow_insecure_images: Annotated[
        bool,
        option(
            "--allow-insecure-images",
            help="Allow other registries in charts that reject them (Bitnami's).",
        ),
    ] = False
    verify: Annotated[
        bool, option("--verify", help="Prove by rendering that only images differ.")
    ] = False
    offline: Offline = False
    output: Output = None
    strict: Annotated[
        bool, option("--strict", help="Exit 1 if an image with a rule isn't moved.")
    ] = False
    quiet: Quiet = False


@with_options(ValuesOptions)
def values(*, common: ValuesOptions, chart: Chart) -> None:
    """Print the smallest values that move a chart's images.

    Comments above each value name the images that it moves.
    """
    if common.post_renderer and not common.format.has_renderers:
        raise ConfigError(
            "only Flux has post-renderers", hint="--post-renderer goes with --format yaml or json"
        )
    job = _Job(common, named_chart(chart, repository=common.repo, version=common.version))
    found = job.find()
    emit(spell(found, common.format, renderers=common.post_renderer))
    if not common.quiet:
        _say_rest(found, common)
    proven = not common.verify or job.prove(found)
    lacking = common.strict and found.left and not (common.post_renderer and found.renderers)
    raise SystemExit(Exit.FINDINGS if lacking or not proven else Exit.DONE)


class _Job:
    """One chart with all that it takes to render it."""

    def __init__(self, common: ValuesOptions, source: ChartSource) -> None:
        self._common = common
        self._source = source
        self.rules, config, folder = open_rules(common)
        say_doubtful_accounts([self.rules.registry])
        known = {key: folder / path for key, path in config.charts.sources.items()}
        self._locator = Locator(transport=Transport(offline=common.offline), known=known)
        self._renderer = find_renderer()
        opened = common.allow_insecure_images or config.charts.allow_insecure_images
        self._overrider = Overrider(self._renderer, allow_insecure_images=opened)

    def find(self) -> ChartValues:
        """The chart's values."""
        chart, common = self._locator.find(self._source), self._common
        release = Release(
            name=common.name or chart.name,
            namespace=common.namespace,
            source=self._source,
            values=_merged(common.given or ()),
        )
        return find_values(chart, release, Forward(self.rules), self._overrider)

    def prove(self, found: ChartValues) -> bool:
        """Whether nothing but images differs; what does is said."""
        from imageshift.values.prove import prove_values  # noqa: PLC0415 asked for only

        proof = prove_values(
            found,
            self.rules,
            renderer=self._renderer,
            locator=self._locator,
            post_rendered=self._common.post_renderer,
        )
        _say_proof(proof)
        return proof.is_explained


def _merged(files: Iterable[Path]) -> Values:
    made: Values = {}
    for file in files:
        try:
            found = load_plain(read_file(file), str(file))
        except (SourceError, ChartError) as error:
            text = str(error)
            raise ConfigError(text if text.startswith(str(file)) else f"{file}: {text}") from None
        if not isinstance(found, dict | None):
            raise ConfigError(f"{file}: it contains no map of values")
        made = merge(made, found or {})
    return made


def _say_rest(found: ChartValues, common: ValuesOptions) -> None:
    if not common.format.has_comments:
        for line in remarks(found, renderers=common.post_renderer):
            say(line)
    left = f", {len(found.left)} not moved by values" if found.left else ""
    say(f"{found.title}: {counted(found.moved, 'image')} moved by values{left}")


def _say_proof(proof: Any) -> None:
    from imageshift.verify.model import (  # noqa: PLC0415 asked for only
        DifferenceClass,
        spell_object,
        spell_path,
    )
    from imageshift.verify.show import spell_value  # noqa: PLC0415 as above

    for item in proof.differences:
        if item.kind is DifferenceClass.UNEXPLAINED:
            place = f"{spell_object(item.object)} {spell_path(item.path)}".strip()
            before, after = spell_value(item.before), spell_value(item.after)
            say(f"{place}: {item.reason or 'differs'}: {before} → {after}")
    if proof.is_explained:
        moved = sum(1 for pair in proof.images if pair.before != pair.after)
        say(f"proven by rendering: {counted(moved, 'image')} moved, nothing else differs")
