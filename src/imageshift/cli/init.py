"""imageshift init: writes .imageshift.yaml from a scan."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from imageshift.aws import import_rules
from imageshift.cli.declare import option
from imageshift.cli.options import Common, Paths, with_options
from imageshift.cli.output import say
from imageshift.cli.session import Session, turn_to_write
from imageshift.config import SCHEMA_ID
from imageshift.config_file import load_config
from imageshift.errors import ConfigError, SourceError
from imageshift.repo.read import read_file
from imageshift.repo.workspace import CONFIG_NAME, find_root
from imageshift.repo.write import Write
from imageshift.run import find_config


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
    """The options, with the rules that Terraform and others in the tree make, if none is given."""
    if common.rules_from or common.rules or common.rule:
        return common
    root = find_root(paths, common.root)
    try:
        found = import_rules(root)
    except ConfigError as error:
        say(f"rules in the tree weren't read: {error}")
        return common
    for problem in found.problems:
        say(str(problem).removeprefix(f"{root}/"))
    if not found.rules or found.problems:
        return common
    for one in found.rules:
        say(f"{one.place.removeprefix(f'{root}/')}: {one.rule}")
    return replace(common, rules_from=str(root))


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
