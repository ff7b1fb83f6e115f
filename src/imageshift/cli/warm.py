"""imageshift warm: pulls each image once by its tag, before the roll-out."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from msgspec import to_builtins
from msgspec.structs import replace

from imageshift.advice import Code
from imageshift.aws.client import open_client
from imageshift.aws.failures import explain_failure
from imageshift.aws.notices import Notice
from imageshift.cli.aws import (
    AwsCommon,
    Usage,
    emit_json,
    end,
    notice_rows,
    read_usage,
    say_notices,
)
from imageshift.cli.declare import option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Format, Paths, with_options
from imageshift.cli.output import emit, put_text, say
from imageshift.cli.progress import progress
from imageshift.data.prices import PRICES_OF
from imageshift.ecr import parse_ecr_host
from imageshift.errors import ConfigError
from imageshift.net import Transport
from imageshift.reference import ImageReference
from imageshift.reports.words import counted
from imageshift.upstream.sizes import Sizes
from imageshift.warm import (
    PinResult,
    Pull,
    PullResult,
    RegistryClient,
    SyncTool,
    WarmFormat,
    WarmPlan,
    WarmReport,
    check_pins,
    plan_warm,
    pull_all,
    render_sync,
    render_warm,
)
from imageshift.warm.forecast import (
    NODES,
    SizeReport,
    SizeSource,
    forecast_lines,
    size_report,
)
from imageshift.warm.forecast import forecast as make_forecast
from imageshift.warm.login import EcrImages, ecr_login, ecr_sizes
from imageshift.warm.registry import Manifest
from imageshift.warm.render import WarmOptions, helper_image
from imageshift.warm.sync import unsupported_images

_COLD = "pulling a digest that isn't cached yet reportedly fails (untested): pull the tags first"
_PLATFORM = "linux/amd64"
"""The nodes' platform where none is named."""


class WarmCommon(AwsCommon, frozen=True, kw_only=True):
    """What is printed, and for which platform."""

    as_: Annotated[WarmFormat, option("--as", help="What to print.")] = WarmFormat.LIST
    platform: Annotated[
        str | None, option("--platform", help="Platform to pull, such as linux/amd64.")
    ] = None
    namespace: Annotated[str, option("--namespace", help="Namespace of the Jobs.")] = "default"
    nodes: Annotated[
        int,
        option("--nodes", min=1, help="Number of nodes in the forecast rollout."),
    ] = NODES
    sizes: Annotated[
        SizeSource | None,
        option(
            "--sizes",
            help="Ask for the sizes of images: their upstreams, or ECR for those that it has.",
        ),
    ] = None
    missing: Annotated[
        bool,
        option(
            "--missing",
            help="Pull only what ECR doesn't have yet, for example after a run that ended early.",
        ),
    ] = False
    sync_file: Annotated[
        Path | None,
        option("--sync-file", help="Write a file that copies the images ECR can't cache."),
    ] = None
    sync_tool: Annotated[
        SyncTool, option("--sync-tool", help="Tool that the sync file is for.")
    ] = SyncTool.REGSYNC


@with_options(WarmCommon, without=("strict",))
def warm(
    *,
    common: WarmCommon,
    paths: Paths,
    pull: Annotated[
        bool, option("--pull", help="Make the pulls: request each image from the registry.")
    ] = False,
    check: Annotated[
        bool, option("--check", help="Pull nothing; exit 1 if a pinned digest is missing.")
    ] = False,
    forecast: Annotated[
        bool, option("--forecast", help="Forecast pulls, rate limits and costs instead.")
    ] = False,
) -> None:
    """List or make the pulls that fill the cache.

    Each image is pulled once by its tag; pinned digests are checked afterwards.
    """
    if forecast and (pull or check):
        raise ConfigError(
            "--forecast can't be used with --pull or --check", hint="it pulls nothing"
        )
    if pull and check:
        raise ConfigError("--pull and --check can't be used together", hint="--check pulls nothing")
    if common.offline and (pull or check):
        raise ConfigError("--pull and --check contact the registry, which --offline forbids")
    if common.offline and forecast and common.sizes is not None:
        raise ConfigError("--sizes contacts registries, which --offline forbids")
    usages = read_usage(paths, common)
    if common.sync_file is not None:
        _write_sync(usages, common.sync_file, common.sync_tool)
    if pull:
        end(usages, _pull(usages, common))
    if check:
        end(usages, _check(usages, common))
    if forecast:
        _forecast(usages, common)
    else:
        _print(usages, common)
    end(usages)


def _forecast(usages: list[Usage], common: WarmCommon) -> None:
    found = [
        make_forecast(usage.images, common.nodes, _size_report(usage, common)) for usage in usages
    ]
    if common.format is Format.JSON:
        rows = [to_builtins(one) | {"prices_of": PRICES_OF} for one in found]
        emit_json("warm", usages, forecasts=rows)
        return
    put_text("\n".join(line for one in found for line in forecast_lines(one)))


def _size_report(usage: Usage, common: WarmCommon) -> SizeReport | None:
    """What the one that --sizes names says of the images that come through the cache."""
    if common.sizes is None:
        return None
    platform = common.platform or _PLATFORM
    wanted = [image for image in usage.images if image.target is not None]
    with progress("images", len(wanted), quiet=common.quiet) as advance:
        if common.sizes is SizeSource.ECR:
            sizes = ecr_sizes(wanted, EcrImages(common.aws_options(usage.rules)), advance)
        else:
            sizes = Sizes(Transport(), platform).ask([one.upstream for one in wanted], advance)
    return size_report(wanted, sizes, common.sizes, platform)


def _print(usages: list[Usage], common: WarmCommon) -> None:
    plans = [plan_warm(usage.images) for usage in usages]
    if common.format is Format.JSON:
        rows = [_plan_row(plan) for plan in plans]
        emit_json("warm", usages, plans=rows)
        return
    texts = []
    for usage, plan in zip(usages, plans, strict=True):
        helper = helper_image(usage.rules)
        chosen = WarmOptions(common.platform, common.namespace, helper)
        texts.append(render_warm(plan, common.as_, chosen))
    between = "---\n" if common.as_ is WarmFormat.JOB else ""
    emit(between.join(filter(None, texts)))
    if not common.quiet:
        for plan in plans:
            _say_plan(plan)


def _say_plan(plan: WarmPlan) -> None:
    for pin in plan.untagged:
        say(f"{pin.places[0]}: pinned without a tag, so no tag can warm it: {pin.target}")
    for image in plan.variable:
        say(f"{image.first_place}: its tag is a variable: {image.target}")
    pins = counted(len(plan.pins), "pinned digest")
    say(f"{counted(len(plan.pulls), 'pull')} for {pins}; {_COLD}")
    say("nothing was pulled: --pull makes these pulls")


def _left(plan: WarmPlan, usage: Usage, common: WarmCommon) -> WarmPlan:
    """The plan without the pulls whose tag and pinned digests ECR has already."""
    if not common.missing:
        return plan
    if parse_ecr_host(usage.rules.registry.host) is None:
        raise ConfigError("--missing asks ECR, but the registry's host isn't ECR's")
    images = EcrImages(common.aws_options(usage.rules))

    def is_there(pull: Pull) -> bool:
        pinned = all(images.has(pin.target) for pin in pull.pins)
        return pinned and images.size(pull.target) is not None

    left = tuple(pull for pull in plan.pulls if not is_there(pull))
    say(f"{counted(len(plan.pulls) - len(left), 'pull')} left out: ECR already has their images")
    return replace(plan, pulls=left)


def _pull(usages: list[Usage], common: WarmCommon) -> Exit:
    reports = []
    for usage in usages:
        plan = _left(plan_warm(usage.images), usage, common)
        client = _client(usage, common)
        with progress("pulls", len(plan.pulls), quiet=common.quiet) as advance:
            report = pull_all(
                plan,
                client,
                platform=common.platform,
                jobs=max(common.jobs, 4),
                on_progress=lambda _result, advance=advance: advance(),  # type: ignore[misc]
            )
        reports.append(_explained(report, usage, common))
    _report_pulls(usages, reports, common)
    if any(report.not_cached for report in reports):
        return Exit.FINDINGS
    return Exit.TOOL if any(report.failed for report in reports) else Exit.DONE


def _explained(report: WarmReport, usage: Usage, common: AwsCommon) -> WarmReport:
    """The report, with ECR's own reasons for the pulls that failed."""
    if not report.failed or parse_ecr_host(usage.rules.registry.host) is None:
        return report
    options = common.aws_options(usage.rules)
    client = open_client("ecr", options)
    pulls = [
        replace(one, error=explain_failure(client, one.pull.target, options) or one.error)
        if one.error is not None and one.is_tried
        else one
        for one in report.pulls
    ]
    return replace(report, pulls=tuple(pulls))


def _client(usage: Usage, common: AwsCommon) -> RegistryClient:
    host = usage.rules.registry.host
    if "$" in host:
        raise ConfigError(f"{host} is a variable, so it can't be contacted")
    login = None if parse_ecr_host(host) is None else ecr_login(common.aws_options(usage.rules))
    return RegistryClient(host, login)


def _check(usages: list[Usage], common: AwsCommon) -> Exit:
    results = [
        result
        for usage in usages
        for result in check_pins(plan_warm(usage.images), _asker(usage, common))
    ]
    absent = [one for one in results if not one.is_cached]
    notices = _not_cached(absent)
    if common.format is Format.JSON:
        pins = [_pin_row(one) for one in results]
        emit_json("warm", usages, pins=pins, warnings=notice_rows(notices))
    else:
        say_notices(notices, verbose=common.verbose)
        total = counted(len(results), "pinned digest")
        say(f"{len(results) - len(absent)} of {total} cached; {_COLD}")
    return Exit.FINDINGS if absent else Exit.DONE


def _asker(usage: Usage, common: AwsCommon) -> Callable[[ImageReference], bool]:
    if parse_ecr_host(usage.rules.registry.host) is not None:
        return EcrImages(common.aws_options(usage.rules)).has
    client = _client(usage, common)

    def has(target: ImageReference) -> bool:
        return isinstance(client.manifest(target.repository, target.digest or ""), Manifest)

    return has


def _report_pulls(usages: list[Usage], reports: list[WarmReport], common: AwsCommon) -> None:
    notices = _not_cached([one for report in reports for one in report.not_cached])
    if common.format is Format.JSON:
        emit_json(
            "warm",
            usages,
            pulls=[_pull_row(one) for report in reports for one in report.pulls],
            untagged=[_pin_row(one) for report in reports for one in report.untagged],
            warnings=notice_rows(notices),
        )
        return
    lines = [_pull_line(one) for report in reports for one in report.pulls]
    emit("".join(lines))
    say_notices(notices, verbose=common.verbose)
    failed = sum(len(report.failed) for report in reports)
    missing = counted(len(notices), "digest")
    say(f"{len(lines) - failed} of {counted(len(lines), 'image')} pulled, {missing} not cached")
    if not all(one.is_tried for report in reports for one in report.pulls):
        say("  hint: --pull --missing goes on from here when the limit is over")


def _not_cached(absent: list[PinResult]) -> list[Notice]:
    return [
        Notice(
            Code.DIGEST_NOT_CACHED,
            f"{one.pin.target} isn't in the cache",
            len(one.pin.places),
            one.pin.places,
            one.remedy or "",
        )
        for one in absent
    ]


def _pull_line(result: PullResult) -> str:
    return f"{result.pull.target}: {result.error or result.digest}\n"


def _plan_row(plan: WarmPlan) -> dict[str, Any]:
    return {
        "pulls": [
            {
                "target": str(pull.target),
                "upstream": str(pull.upstream),
                "places": list(pull.places),
                "digests": [pin.target.digest for pin in pull.pins],
            }
            for pull in plan.pulls
        ],
        "untagged": [
            {"target": str(pin.target), "upstream": str(pin.upstream), "places": list(pin.places)}
            for pin in plan.untagged
        ],
        "variable": [
            {"target": str(image.target), "places": list(image.places)} for image in plan.variable
        ],
    }


def _pull_row(result: PullResult) -> dict[str, Any]:
    return {
        "target": str(result.pull.target),
        "upstream": str(result.pull.upstream),
        "places": list(result.pull.places),
        "digest": result.digest,
        "error": result.error,
        "pins": [_pin_row(pin) for pin in result.pins],
    }


def _pin_row(result: PinResult) -> dict[str, Any]:
    return {
        "target": str(result.pin.target),
        "upstream": str(result.pin.upstream),
        "places": list(result.pin.places),
        "is_cached": result.is_cached,
        "remedy": result.remedy,
    }


def _write_sync(usages: list[Usage], path: Path, tool: SyncTool) -> None:
    images = {one for usage in usages for one in unsupported_images(usage.images)}
    text = render_sync(sorted(images, key=str), usages[0].rules.registry, tool)
    emit(text, path)
    say(f"{path}: {counted(len(images), 'image')} that ECR can't cache")
