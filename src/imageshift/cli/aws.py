"""What the commands of the ECR side share: options, the images in use, and their output."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from imageshift.aws import AwsOptions, UsedImage
from imageshift.aws.collect import collect_images
from imageshift.aws.notices import Notice
from imageshift.cache import RuleSet
from imageshift.cli.options import Common
from imageshift.cli.output import emit_data, say, say_doubtful_accounts
from imageshift.cli.session import say_half_done
from imageshift.ecr import EcrHost, parse_ecr_host
from imageshift.reports.summary import SCHEMA, namer, registry_row
from imageshift.run import Run

__all__ = [
    "AwsCommon",
    "Usage",
    "emit_json",
    "notice_rows",
    "read_usage",
    "say_notices",
]

_PANEL = "AWS"
_LISTED = 3


@dataclass(frozen=True, kw_only=True)
class AwsCommon(Common):
    """The options of commands that may ask AWS."""

    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", help="AWS profile instead of the default.", rich_help_panel=_PANEL
        ),
    ] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            "--endpoint-url", help="ECR endpoint instead of AWS's own.", rich_help_panel=_PANEL
        ),
    ] = None

    def aws_options(self, rules: RuleSet) -> AwsOptions:
        """How the account of a registry is asked."""
        registry = rules.registry
        host = parse_ecr_host(registry.host) or EcrHost("", "")
        account = registry.account or host.account or None
        region = registry.region or host.region or None
        return AwsOptions(account, region, self.profile, self.endpoint_url, self.offline)


@dataclass(frozen=True, slots=True)
class Usage:
    """A target registry with its rules, and the images that the paths use of it."""

    rules: RuleSet
    paths: tuple[str, ...]
    images: tuple[UsedImage, ...]


def read_usage(paths: list[Path], common: Common) -> list[Usage]:
    """The images in use, by target registry; without paths there are only the registries."""
    run = Run.open(paths or [Path()], common.run_options())
    say_half_done(run)
    shown = namer(run.workspace.root)
    say_doubtful_accounts(target.rules.registry for target in run.targets)
    found = []
    for target in run.targets:
        plans = (plan for plan in run.plans() if run.rules_of(plan.file) is target.rules)
        images = collect_images(plans, target.rules, shown, run.tails) if paths else ()
        found.append(Usage(target.rules, target.paths, images))
    return found


def emit_json(command: str, usages: Iterable[Usage], common: Common, **more: Any) -> None:
    """Writes a result as JSON, with the head that every report has."""
    data = {
        "schema": SCHEMA,
        "command": command,
        "registries": [registry_row(usage.rules, usage.paths) for usage in usages],
        **more,
    }
    emit_data(data, common.output)


def say_notices(notices: Iterable[Notice], *, verbose: bool) -> None:
    """Narrates warnings with their first places (all with `verbose`)."""
    for notice in notices:
        times = f" ({notice.count} images)" if notice.count > 1 else ""
        say(f"warning {notice.code}: {notice.message}{times}")
        for place in notice.places[: None if verbose else _LISTED]:
            say(f"  {place}")
        say(f"  hint: {notice.hint}")


def notice_rows(notices: Iterable[Notice]) -> list[dict[str, Any]]:
    """Warnings as the JSON report has them."""
    return [
        {"code": one.code, "message": one.message, "count": one.count, "places": list(one.places)}
        for one in notices
    ]


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Any]:
    """A function to call after each of `total` steps; it draws on a terminal only."""
    import sys  # noqa: PLC0415 with rich, which is heavy

    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 only on a terminal
    from rich.progress import Progress  # noqa: PLC0415 as above

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("pulls", total=total)
        yield lambda: bar.advance(task)
