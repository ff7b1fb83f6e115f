"""imageshift init: writes .imageshift.yaml from a scan."""

from pathlib import Path
from typing import Annotated

from msgspec.structs import asdict, replace

from imageshift.aws import import_rules
from imageshift.cache import Rule
from imageshift.cli.declare import option
from imageshift.cli.options import Common, Paths, with_options
from imageshift.cli.output import say
from imageshift.cli.session import Session, turn_to_write
from imageshift.config import SCHEMA_ID
from imageshift.config_file import load_config
from imageshift.data.upstreams import find_upstream
from imageshift.errors import ConfigError, SourceError
from imageshift.repo.read import read_file
from imageshift.repo.workspace import CONFIG_NAME, find_root
from imageshift.repo.write import Write
from imageshift.rewrite import Status
from imageshift.run import RunOptions, find_config


class _WithRules(Common, frozen=True, kw_only=True):
    """Options with rules that were read from the tree already."""

    imported: tuple[Rule, ...] = ()

    def run_options(self, *, named_only: bool = False, backward: bool = False) -> RunOptions:
        given = super().run_options(named_only=named_only, backward=backward)
        return replace(given, imported=self.imported)


@with_options(Common, without=("format", "output", "strict"))
def init(
    *,
    common: Common,
    paths: Paths,
    force: Annotated[bool, option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write .imageshift.yaml for this repository.

    It contains the registry, and the rules that the images need. --force replaces an existing file
    and keeps only its registry.
    """
    if force:
        common = _with_old_registry(paths, common)
    with turn_to_write(paths, common, writes=True) as writer:
        chosen = _with_rules_of_the_tree(paths, common)
        session = Session("init", paths, chosen, writer=writer, fresh=force)
        target = session.run.workspace.root / CONFIG_NAME
        if target.exists() and not force:
            raise ConfigError(f"{target} already exists", hint="--force replaces it")
        for _ in session.follow(session.run.plans()):
            pass
        _write(session, target)
    say(f"wrote {session.shown(CONFIG_NAME)}")
    _say_uncovered(session)


def _with_old_registry(paths: list[Path], common: Common) -> Common:
    """The options, with the registry of the file that is replaced where they name none."""
    try:
        old = load_config(find_config(paths, find_root(paths, common.root)))
    except ConfigError as error:
        say(f"nothing from the old file is kept: {error}")
        return common
    return replace(
        common,
        account=common.account or old.account,
        region=common.region or old.region,
        registry_host=common.registry_host or old.registry_host,
    )


def _write(session: Session, target: Path) -> None:
    before = read_file(target) if target.exists() else None
    assert session.writer is not None  # noqa: S101 it has its turn
    try:
        session.writer.write([Write(target, before, _config_text(session).encode())])
    except SourceError as error:
        raise ConfigError(f"{target}: {error}") from None


def _with_rules_of_the_tree(paths: list[Path], common: Common) -> Common:
    """The options, with the rules that Terraform and others in the tree make.

    Those of another account don't count. What can't be read is said, and leaves the rest.
    """
    if common.rules_from or common.rules:
        return common
    root = find_root(paths, common.root)
    try:
        found = import_rules(root)
    except ConfigError as error:
        say(f"rules in the tree weren't read: {error}")
        return common
    for problem in found.problems:
        say(str(problem).removeprefix(f"{root}/"))
    mine = [one for one in found.rules if one.account in {None, common.account}]
    for one in mine:
        say(f"{one.place.removeprefix(f'{root}/')}: {one.rule}")
    if not mine:
        return common
    given = asdict(common)
    return _WithRules(**given, imported=tuple(dict.fromkeys(one.rule for one in mine)))


def _say_uncovered(session: Session) -> None:
    """Says which upstreams are in use that ECR can cache, but that the rules leave out."""
    stays = (kept for _, kept in session.summary.stays if kept.status is Status.NO_RULE)
    hosts = {kept.before.registry for kept in stays if kept.before is not None}
    for host in sorted(host for host in hosts if find_upstream(host) is not None):
        say(f"images of {host} are used, and no rule covers them")
        say(f"  hint: add one to {CONFIG_NAME}; imageshift infra writes it for the account")


def _config_text(session: Session) -> str:
    registry = session.run.rules.registry
    used = {upstream for upstream, _ in session.summary.upstreams}
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_ID}",
        "# imageshift's settings for this repository; see its configuration reference.",
    ]
    if registry.account is not None and registry.region is not None:
        lines += [f'account: "{registry.account}"', f"region: {registry.region}"]
    if session.common.registry_host is not None:
        lines.append(f'registry_host: "{registry.host}"')
    lines.append("rules:")
    for rule in session.run.rules.rules:
        unused = "" if rule.upstream in used else "  # no image comes from here today"
        lines.append(f"  - upstream: {rule.upstream}{unused}")
        if rule.upstream_prefix is not None:
            lines.append(f"    upstream_prefix: {rule.upstream_prefix}")
        lines.append(f"    prefix: {rule.prefix}")
    return "\n".join(lines) + "\n"
