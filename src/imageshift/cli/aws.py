"""What the commands of the ECR side share: options, the images in use, and their output."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

from msgspec import Struct

from imageshift.advice import is_unsafe
from imageshift.aws import AwsOptions, UsedImage
from imageshift.aws.collect import collect_images
from imageshift.aws.notices import Notice
from imageshift.cache import RuleSet
from imageshift.cli.declare import argument, option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Common
from imageshift.cli.output import emit_data, say, say_doubtful_accounts
from imageshift.cli.progress import settle
from imageshift.cli.session import say_half_done
from imageshift.ecr import EcrHost, parse_ecr_host
from imageshift.plan import FilePlan
from imageshift.reports.summary import SCHEMA, namer, registry_row
from imageshift.rewrite import Kept
from imageshift.run import Run

__all__ = [
    "AwsCommon",
    "Usage",
    "UsedPaths",
    "emit_json",
    "end",
    "notice_rows",
    "read_usage",
    "say_notices",
]

_PANEL = "AWS"
_LISTED = 3


UsedPaths = Annotated[
    list[Path] | None,
    argument(
        help="Files and folders whose images count; if left out, all rules count.",
        show_default=False,
    ),
]
"""Whose images a command about rules counts."""


class AwsCommon(Common, frozen=True, kw_only=True):
    """The options of commands that may ask AWS."""

    profile: Annotated[
        str | None,
        option("--profile", help="AWS profile instead of the default.", rich_help_panel=_PANEL),
    ] = None
    endpoint_url: Annotated[
        str | None,
        option("--endpoint-url", help="ECR endpoint instead of AWS's own.", rich_help_panel=_PANEL),
    ] = None

    def aws_options(self, rules: RuleSet) -> AwsOptions:
        """How the account of a registry is asked."""
        registry = rules.registry
        host = parse_ecr_host(registry.host) or EcrHost("", "")
        account = registry.account or host.account or None
        region = registry.region or host.region or None
        return AwsOptions(account, region, self.profile, self.endpoint_url, self.offline)


class Usage(Struct, frozen=True):
    """A target registry with its rules, and the images that the paths use of it.

    `is_unsafe` says that some input couldn't be handled safely, so that images may be missing.
    """

    rules: RuleSet
    paths: tuple[str, ...]
    images: tuple[UsedImage, ...]
    is_unsafe: bool = False


def read_usage(paths: list[Path], common: Common) -> list[Usage]:
    """The images in use, by target registry; without paths there are only the registries."""
    run = Run.open(paths or [Path()], common.run_options())
    say_half_done(run)
    if paths:
        settle(run, quiet=common.quiet)
    shown = namer(run.workspace.root)
    say_doubtful_accounts(target.rules.registry for target in run.targets)
    found = []
    for target in run.targets:
        plans = (plan for plan in run.plans() if run.rules_of(plan.file) is target.rules)
        unsafe: list[FilePlan] = []
        noted = _noting(plans, unsafe, shown)
        images = collect_images(noted, target.rules, shown, run.tails) if paths else ()
        found.append(Usage(target.rules, target.paths, images, bool(unsafe)))
    return found


def _noting(
    plans: Iterable[FilePlan], unsafe: list[FilePlan], shown: Callable[[str], str]
) -> Iterator[FilePlan]:
    """The plans; those that couldn't be made safely are said, and added to `unsafe`."""
    for plan in plans:
        skips = [skip for skip in plan.skips if is_unsafe(skip.reason)]
        for skip in skips:
            say(f"{shown(skip.file)}:{skip.line or 1}:{skip.column or 1}: {skip.detail}")
        if skips or any(is_unsafe(kept.reason) for kept in plan.results if isinstance(kept, Kept)):
            unsafe.append(plan)
        yield plan


def end(usages: Iterable[Usage], code: Exit = Exit.DONE) -> NoReturn:
    """Ends a command that came to a code, which is 3 where an input couldn't be handled safely.

    Raises:
        SystemExit: always.
    """
    is_partial = any(usage.is_unsafe for usage in usages)
    raise SystemExit(Exit.UNSAFE if is_partial and code is not Exit.FINDINGS else code)


def emit_json(command: str, usages: Iterable[Usage], **more: Any) -> None:
    """Writes a result as JSON, with the head that every report has."""
    data = {
        "schema": SCHEMA,
        "command": command,
        "registries": [registry_row(usage.rules, usage.paths) for usage in usages],
        **more,
    }
    emit_data(data)


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
