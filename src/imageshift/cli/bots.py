"""imageshift bots: what Renovate, Flux and Argo CD Image Updater need to know about the cache."""

import json
from collections.abc import Callable
from typing import Annotated

from imageshift.bots.argocd import find_updater, registries_conf
from imageshift.bots.flux import find_flux
from imageshift.bots.found import BotFinding, edited
from imageshift.bots.renovate import IGNORING, RenovateConfig, aliases_of
from imageshift.bots.renovate import find_config as find_renovate
from imageshift.cli.declare import option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Common, Paths, with_options
from imageshift.cli.output import emit, put, say, say_doubtful_accounts
from imageshift.cli.session import turn_to_write
from imageshift.errors import ConfigError, SourceError
from imageshift.repo.write import Write
from imageshift.repo.writer import Writer
from imageshift.reports.summary import namer
from imageshift.reports.words import counted
from imageshift.run import Run

Writes = Annotated[bool, option("--write", help="Make the changes.")]

_WITHOUT = ("format", "strict", "verbose", "jobs", "charts", "render", "charts_through_cache")


@with_options(Common, without=(*_WITHOUT, "follow"))
def renovate(*, common: Common, paths: Paths, write: Writes = False) -> None:
    """Print the registryAliases that Renovate needs.

    With them, Renovate finds updates under the new names; `--write` adds them.
    """
    with turn_to_write(paths, common, writes=write) as writer:
        run = Run.open(paths, common.run_options())
        rules = [target.rules for target in run.targets]
        say_doubtful_accounts(one.registry for one in rules)
        wanted = aliases_of((one.registry, one.rules) for one in rules)
        config = _renovate_config(run)
        if writer is None:
            emit(json.dumps({"registryAliases": wanted}, indent=2) + "\n")
        else:
            _write_aliases(config, wanted, run, writer)
    _say_of_renovate(config, wanted, namer(run.workspace.root), written=write)


def _renovate_config(run: Run) -> RenovateConfig | None:
    try:
        return find_renovate(run.workspace.root)
    except SourceError as error:
        raise ConfigError(f"Renovate's configuration can't be read: {error}") from None


def _write_aliases(
    config: RenovateConfig | None, wanted: dict[str, str], run: Run, writer: Writer
) -> None:
    if config is None:
        raise ConfigError(
            "there is no Renovate configuration to write to",
            hint="without --write the aliases are printed",
        )
    path = run.workspace.root / config.name
    try:
        after = config.with_aliases(wanted).encode()
        if after != config.content:
            writer.write([Write(path, config.content, after)])
            put(namer(run.workspace.root)(config.name))
    except SourceError as error:
        raise ConfigError(f"{path}: {error}") from None


def _say_of_renovate(
    config: RenovateConfig | None,
    wanted: dict[str, str],
    shown: Callable[[str], str],
    *,
    written: bool,
) -> None:
    if config is None:
        say("no Renovate configuration was found")
        return
    name = shown(config.name)
    missing = config.missing(wanted)
    if missing and not written:
        say(f"{name}: {counted(len(missing), 'alias', 'aliases')} missing: --write adds them")
    elif not missing:
        say(f"{name}: it has every alias")
    for alias, upstream in config.differing(wanted).items():
        say(f"{name}: {alias} stands for {upstream} there, not for {wanted[alias]}")
    for manager in config.ignoring():
        reads = IGNORING.get(manager, "what its patterns match")
        say(f"{name}: the manager {manager} ({reads}) ignores aliases, and finds no updates there")


@with_options(Common, without=_WITHOUT)
def flux(*, common: Common, paths: Paths, write: Writes = False) -> None:
    """List what Flux's image automation would undo.

    Exits with 1 if something is left.
    """
    with turn_to_write(paths, common, writes=write) as writer:
        run = Run.open(paths, common.run_options())
        found = find_flux(run.workspace, run.index.files, run.rules_of, run.is_written)
        left = _mend(found, run, writer)
    raise SystemExit(Exit.FINDINGS if left else Exit.DONE)


@with_options(Common, without=_WITHOUT)
def argocd_image_updater(*, common: Common, paths: Paths, write: Writes = False) -> None:
    """List what Argo CD Image Updater would undo.

    Also prints the registries.conf that it needs.
    """
    with turn_to_write(paths, common, writes=write) as writer:
        run = Run.open(paths, common.run_options())
        found = find_updater(run.workspace, run.files(), run.rules_of)
        left = _mend(found, run, writer)
    for registry in {run.rules_of(one.file).registry for one in found}:
        emit(registries_conf(registry))
    raise SystemExit(Exit.FINDINGS if left else Exit.DONE)


def _mend(found: list[BotFinding], run: Run, writer: Writer | None) -> list[BotFinding]:
    """Prints findings or makes their changes; returns those that are left."""
    shown = namer(run.workspace.root)
    say_doubtful_accounts(target.rules.registry for target in run.targets)
    mended = [] if writer is None else [one for one in found if one.edits]
    left = [one for one in found if one not in mended]
    for one in left:
        put(f"{shown(one.file)}:{one.place.line}:{one.place.column}: {one.message}")
        put(f"  hint: {one.hint}")
    if writer is not None:
        _write(mended, run, writer, shown)
    elif any(one.edits for one in left):
        say("--write makes the changes")
    return left


def _write(mended: list[BotFinding], run: Run, writer: Writer, shown: Callable[[str], str]) -> None:
    made = edited(run.workspace, mended)
    root = run.workspace.root
    if made:
        writer.write([Write(root / file, before, after) for file, (before, after) in made.items()])
    for file in made:
        put(shown(file))
    say(f"{counted(len(made), 'file')} changed")
