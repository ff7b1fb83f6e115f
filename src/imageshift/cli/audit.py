"""imageshift audit: what a cluster runs, and where it comes from."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from imageshift.audit.causes import Causes, Workloads
from imageshift.audit.cluster import Item, read_items
from imageshift.audit.collect import Audit
from imageshift.audit.collect import audit as audit_items
from imageshift.audit.git import GitImages
from imageshift.audit.report import (
    Change,
    as_data,
    as_markdown,
    as_text,
    changes,
    read_report,
    summary_line,
)
from imageshift.cli.declare import argument, option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Common, Format, with_options
from imageshift.cli.output import emit, emit_data, put_text, say, say_doubtful_accounts
from imageshift.cli.progress import settle
from imageshift.errors import ConfigError, SourceError
from imageshift.repo.read import read_file
from imageshift.reports.summary import SCHEMA, namer, registry_row
from imageshift.run import Run

__all__ = ["audit"]

_LARGEST = 1 << 30
_STDIN = "-"


class AuditOptions(Common, frozen=True, kw_only=True):
    """The options of `audit`; `strict` and `verbose` are about what the cluster runs."""

    since: Annotated[
        Path | None,
        option("--since", help="An older report (--format json) to compare with."),
    ] = None
    strict: Annotated[
        bool,
        option("--strict", help="Exit 1 if an image with a rule comes from its upstream."),
    ] = False
    verbose: Annotated[bool, option("--verbose", "-v", help="List every image.")] = False


@with_options(
    AuditOptions,
    formats=(Format.TEXT, Format.JSON, Format.MARKDOWN),
    without=("charts_through_cache", "templates", "render", "follow", "jobs"),
)
def audit(
    *,
    common: AuditOptions,
    lists: Annotated[
        list[str],
        argument(
            metavar="PODS.JSON… [PATH…]",
            help="Files from `kubectl get … -o json` (- is stdin), then paths in the repository.",
            show_default=False,
        ),
    ],
) -> None:
    """Say where every image that a cluster runs comes from."""
    files, paths = _sorted(lists)
    old = None if common.since is None else read_report(_content(common.since), str(common.since))
    items, problems = _items(files)
    run = Run.open(paths, common.run_options())
    say_doubtful_accounts([run.rules.registry])
    settle(run, quiet=common.quiet)
    git = GitImages(run.rules)
    git.add(run.plans(), namer(run.workspace.root))
    found = audit_items(items, Causes(run.rules, git, Workloads(items)), run.rules)
    _print(found, None if old is None else changes(old, found), run, common)
    for problem in problems:
        say(problem)
    if not common.quiet:
        say(summary_line(found))
    wrong = common.strict and any(r.comes_from_upstream and r.containers for r in found.rows)
    raise SystemExit(Exit.FINDINGS if wrong else Exit.UNSAFE if problems else Exit.DONE)


def _sorted(given: Iterable[str]) -> tuple[list[str], list[Path]]:
    """Lists of objects first, then paths of the repository."""
    files = [name for name in given if name == _STDIN or _is_list(Path(name))]
    paths = [Path(name) for name in given if name not in files]
    if not files:
        raise ConfigError(
            "no list of a cluster's objects is given",
            hint="kubectl get pods -A -o json > pods.json; imageshift audit pods.json",
        )
    return files, paths or [Path()]


def _is_list(path: Path) -> bool:
    return path.suffix.lower() == ".json" and not path.is_dir()


def _items(files: Iterable[str]) -> tuple[list[Item], list[str]]:
    items: list[Item] = []
    problems: list[str] = []
    for name in dict.fromkeys(files):
        content = _stdin() if name == _STDIN else _content(Path(name))
        found, wrong = read_items(content, "stdin" if name == _STDIN else name)
        items += found
        problems += wrong
    return items, problems


def _content(path: Path) -> bytes:
    try:
        return read_file(path, largest=_LARGEST)
    except SourceError as error:
        raise ConfigError(f"{path}: {error}") from None


def _stdin() -> bytes:
    content = b"" if sys.stdin is None else sys.stdin.buffer.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ConfigError(f"stdin: it is larger than {_LARGEST >> 20} MiB")
    return content


def _print(found: Audit, since: list[Change] | None, run: Run, common: AuditOptions) -> None:
    if common.format is Format.JSON:
        head = {
            "schema": SCHEMA,
            "command": "audit",
            "registries": [registry_row(target.rules, target.paths) for target in run.targets],
        }
        emit_data(head | as_data(found, since))
    elif common.format is Format.MARKDOWN:
        emit(as_markdown(found, since))
    else:
        host = "" if common.quiet else run.rules.registry.host
        put_text(as_text(found, since, verbose=common.verbose), host)
