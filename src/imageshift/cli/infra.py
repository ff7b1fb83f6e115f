"""imageshift infra: Terraform or CloudFormation for the rules in use."""

from pathlib import Path
from typing import Annotated

from imageshift.aws import import_rules
from imageshift.aws.compare import pinned_prefixes, rules_in_use
from imageshift.aws.notices import find_notices
from imageshift.cache import Rule
from imageshift.cli.aws import AwsCommon, Usage, UsedPaths, end, read_usage, say_notices
from imageshift.cli.declare import option
from imageshift.cli.options import Common, with_options
from imageshift.cli.output import emit, put, say
from imageshift.cli.session import turn_in
from imageshift.errors import ConfigError
from imageshift.infra import (
    InfraOptions,
    SecretMode,
    plan_infra,
    render_cloudformation,
    render_example,
    render_terraform,
    write_files,
)
from imageshift.reports.words import counted


class InfraCommon(AwsCommon, frozen=True, kw_only=True):
    """The options of both commands."""

    every: Annotated[bool, option("--all", help="All rules in force, not only those in use.")] = (
        False
    )
    name: Annotated[str, option("--name", help="Prefix for the names of policies and roles.")] = (
        "imageshift"
    )
    secret: Annotated[
        list[str] | None,
        option("--secret", help="PREFIX=NAME names a rule's secret, ecr-pullthroughcache/…"),
    ] = None
    import_: Annotated[
        str | None,
        option("--import", help="aws or a file: import the rules that already exist there."),
    ] = None
    force: Annotated[
        bool, option("--force", help="Replace files that imageshift didn't write.")
    ] = False


@with_options(InfraCommon, without=("format", "strict"))
def terraform(
    *,
    common: InfraCommon,
    paths: UsedPaths = None,
    out: Annotated[Path, option("--out", help="Folder for the module.")],
    secrets: Annotated[
        SecretMode,
        option("--secrets", help="Write-only arguments, or variables that the state keeps."),
    ] = SecretMode.WRITE_ONLY,
) -> None:
    """Write a Terraform module for the rules in use.

    It includes rules, secrets, permissions and repository creation templates.
    """
    targets = _targets(paths, common, out)
    for usage, folder in targets:
        options = _options(usage, paths, common, secrets)
        rules = _rules(usage, paths, every=common.every)
        planned = plan_infra(rules, usage.rules.registry, options)
        _write(render_terraform(planned, options), folder, force=common.force)
        example = folder / "examples" / "complete"
        _write(render_example(planned, options), example, force=common.force)
        _say_rest(usage, common)
    end(usage for usage, _ in targets)


@with_options(InfraCommon, without=("format", "strict"))
def cloudformation(
    *,
    common: InfraCommon,
    paths: UsedPaths = None,
    out: Annotated[
        Path | None, option("--out", help="Folder for the template (default: print it).")
    ] = None,
) -> None:
    """Write a CloudFormation template for the rules in use.

    It includes rules, secrets, permissions and repository creation templates.
    """
    targets = _targets(paths, common, out or Path())
    for usage, folder in targets:
        options = _options(usage, paths, common, SecretMode.SENSITIVE)
        rules = _rules(usage, paths, every=common.every)
        planned = plan_infra(rules, usage.rules.registry, options)
        files = render_cloudformation(planned, options)
        if out is None:
            emit("".join(files.values()))
        else:
            _write(files, folder, force=common.force)
        _say_rest(usage, common)
    end(usage for usage, _ in targets)


def _options(
    usage: Usage, paths: list[Path] | None, common: "InfraCommon", secrets: SecretMode
) -> InfraOptions:
    registry = usage.rules.registry
    account = None if registry.has_doubtful_account else registry.account
    existing: dict[Rule, str | None] = {}
    if common.import_ is not None:
        found = import_rules(common.import_, common.aws_options(usage.rules))
        for problem in found.problems:
            say(str(problem))
        mine = [one for one in found.rules if account is None or one.account in {None, account}]
        existing = {one.rule: one.credential_arn for one in mine}
    return InfraOptions(
        name=common.name,
        secrets=secrets,
        secret_names=_secret_names(common.secret),
        account=account,
        region=registry.region,
        pinned=pinned_prefixes(usage.rules, usage.images) if paths else None,
        existing=existing,
    )


def _targets(paths: list[Path] | None, common: Common, out: Path) -> list[tuple[Usage, Path]]:
    usages = read_usage(paths or [], common)
    if len(usages) == 1:
        return [(usages[0], out)]
    return [(usage, out / usage.rules.registry.host) for usage in usages]


def _rules(usage: Usage, paths: list[Path] | None, *, every: bool) -> tuple[Rule, ...]:
    if every or not paths:
        return usage.rules.rules
    return tuple(rules_in_use(usage.rules, usage.images))


def _secret_names(options: list[str] | None) -> dict[str, str]:
    names = {}
    for text in options or ():
        prefix, equals, name = text.partition("=")
        if not equals:
            raise ConfigError(f"--secret {text!r} names no secret", hint="--secret PREFIX=NAME")
        names[prefix] = name
    return names


def _write(files: dict[str, str], folder: Path, *, force: bool) -> None:
    with turn_in(folder) as writer:
        changed = write_files(files, folder, force=force, writer=writer)
    for path in changed:
        put(str(path))
    say(f"{folder}: {counted(len(changed), 'file')} written, {len(files)} in all")


def _say_rest(usage: Usage, common: Common) -> None:
    if not common.quiet:
        say_notices(find_notices(usage.images, usage.rules), verbose=common.verbose)
