"""What a run needs of this machine, of the network and of AWS, and whether it is there."""

import platform
import re
import shutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from imageshift.aws import AwsOptions
from imageshift.aws.client import ask, open_client
from imageshift.charts.rendering.render import find_renderer
from imageshift.data.upstreams import find_upstream
from imageshift.ecr import Registry, parse_ecr_host
from imageshift.errors import ImageshiftError
from imageshift.kustomize.program import Program
from imageshift.net.registry import registry_url
from imageshift.net.transport import Transport
from imageshift.repo.writer import is_left_half_done
from imageshift.run import Run, find_config
from imageshift.tool import Limits, run_tool

__all__ = ["Check", "State", "examine"]

_QUICK = Limits(seconds=20, memory=1024 * 1024 * 1024, output=1024 * 1024)
# A registry answers 401 to who isn't logged in, which shows that it is there.
_THERE = range(200, 500)


class State(StrEnum):
    """What came of a check; only `problem` fails."""

    OK = "ok"
    MISSING = "missing"
    """It isn't here, or doesn't answer, and what the paths hold moves without it."""
    PROBLEM = "problem"
    SKIPPED = "skipped"


class Check(Struct, frozen=True):
    """One line of the screen."""

    name: str
    state: State
    detail: str
    hint: str | None = None


def examine(run: Run) -> Iterator[Check]:
    """All checks in turn: programs, configuration, rules, then what takes the network.

    With the run's option `offline` nothing is contacted.
    """
    yield Check(
        "imageshift", State.OK, f"{version('imageshift')}, Python {platform.python_version()}"
    )
    yield from (_git(), _helm(run), _kustomize(run))
    yield from (_configuration(run), _writers(run))
    for target in run.targets:
        registry = target.rules.registry
        upstreams = ", ".join(f"{rule.upstream} → {rule.prefix}" for rule in target.rules.rules)
        yield _account(registry)
        yield Check(
            "rules", State.OK if upstreams else State.PROBLEM, upstreams or "there are none"
        )
        yield from _network(run, [registry.host, *(r.upstream for r in target.rules.rules)])
        yield _credentials(run, registry)


def _git() -> Check:
    found = shutil.which("git")
    if found is None:
        hint = "install Git: `verify` and `revert --base` read revisions with it"
        return Check("git", State.MISSING, "isn't on PATH", hint)
    return _answering("git", lambda: f"{_first_line([found, '--version'])} ({found})")


def _helm(run: Run) -> Check:
    state = State.PROBLEM if run.index.has_charts else State.MISSING
    return _answering("helm", lambda: find_renderer().version, state)


def _kustomize(run: Run) -> Check:
    found = Program.find()
    if found is None:
        state = State.PROBLEM if run.index.kustomizations else State.MISSING
        hint = "install kustomize or kubectl: `verify` and `--render` build with it"
        return Check("kustomize", state, "neither kustomize nor kubectl is on PATH", hint)
    path, *words = found.command
    asked = [path, "version"] if words == ["build"] else [path, "version", "--client"]
    return _answering("kustomize", lambda: f"{_first_line(asked)} ({path})")


def _configuration(run: Run) -> Check:
    root = run.workspace.root
    file = run.options.config or find_config([root / name for name in run.names], root)
    if file is None:
        hint = "imageshift init writes one"
        return Check("configuration", State.MISSING, "no .imageshift.yaml up to the root", hint)
    return Check("configuration", State.OK, str(file))


def _writers(run: Run) -> Check:
    root = str(run.workspace.root)
    if is_left_half_done(run.workspace.root):
        hint = "wait for it, or run `imageshift migrate` or `revert`, which roll back first"
        return Check(
            "tree", State.PROBLEM, f"{root}: a run is writing here, or was interrupted", hint
        )
    return Check("tree", State.OK, root)


def _account(registry: Registry) -> Check:
    if registry.has_doubtful_account:
        hint = "give --account with the twelve digits of the account that owns the cache"
        return Check("registry", State.PROBLEM, f"{registry.host} can't exist", hint)
    return Check("registry", State.OK, registry.host)


def _network(run: Run, hosts: list[str]) -> Iterator[Check]:
    transport = Transport(timeout=5.0, deadline=10.0, tries=1, offline=run.options.offline)
    for host in dict.fromkeys(host.partition("/")[0] for host in hosts):
        name = f"network {host}"
        if run.options.offline:
            yield Check(name, State.SKIPPED, "not contacted with --offline")
            continue
        if not _is_trusted(run, host):
            hint = "--config FILE says that you trust the configuration"
            yield Check(name, State.SKIPPED, "only the tree's configuration names it", hint)
            continue

        def reached(host: str = host) -> str:
            status = transport.get(f"{registry_url(host)}/").status
            if status not in _THERE:
                raise ImageshiftError(f"answers {status}")
            return f"answers {status}"

        yield _answering(name, reached, State.MISSING)


def _is_trusted(run: Run, host: str) -> bool:
    """Whether somebody else than the tree's author names a host."""
    named = [run.options.registry_host or "", *run.options.rule]
    known = parse_ecr_host(host) is not None or find_upstream(host) is not None
    given = {re.split("[/=]", text, maxsplit=1)[0] for text in named}
    return known or run.options.config is not None or host in given


def _credentials(run: Run, registry: Registry) -> Check:
    if run.options.offline:
        return Check("AWS", State.SKIPPED, "not contacted with --offline")
    options = AwsOptions(account=registry.account, region=registry.region)

    def identity() -> str:
        found = ask(open_client("sts", options), "get_caller_identity", options)
        account, arn = str(found.get("Account")), str(found.get("Arn"))
        if registry.account and account != registry.account:
            raise ImageshiftError(
                f"{arn} is in account {account}, the registry in {registry.account}",
                hint="choose the profile of the registry's account, or ignore this where "
                "a registry policy lets you in",
            )
        return arn

    return _answering("AWS", identity, State.MISSING)


def _answering(name: str, ask_it: Callable[[], str], state: State = State.PROBLEM) -> Check:
    try:
        return Check(name, State.OK, ask_it())
    except ImageshiftError as error:
        return Check(name, state, str(error), error.hint)


def _first_line(command: list[str]) -> str:
    done = run_tool(command, cwd=Path.home(), limits=_QUICK)
    return (done.stdout or done.stderr).decode(errors="replace").partition("\n")[0].strip()
