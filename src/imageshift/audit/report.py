"""An audit as text, Markdown and data, and what has changed since an older one."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from imageshift.audit.causes import Cause
from imageshift.audit.collect import Audit, Row
from imageshift.errors import SourceError
from imageshift.reports.words import counted, visible

__all__ = ["Change", "as_data", "as_markdown", "as_text", "changes", "read_report", "summary_line"]

_SHOWN = 20
_WORKLOADS = 3


class _Image(Struct, frozen=True):
    image: str
    cause: str
    containers: int = 0
    workload: str | None = None


class OldReport(Struct, frozen=True):
    """The parts of an older audit's JSON that are compared."""

    command: str = ""
    images: list[_Image] = []


class Change(Struct, frozen=True):
    """How the cause of a workload's image has changed since an older audit; "" means absent."""

    image: str
    workload: str
    before: str
    after: str


def read_report(content: bytes, name: str) -> OldReport:
    """An older audit's JSON report.

    Raises:
        SourceError: it is none.
    """
    try:
        found = msgspec.json.decode(content, type=OldReport)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(f"{name}: not an audit report: {error}", reason="unparsable") from None
    if found.command != "audit":
        raise SourceError(
            f"{name}: not a report that `imageshift audit` wrote", reason="unparsable"
        )
    return found


def changes(old: OldReport, new: Audit) -> list[Change]:
    """Images that appeared, disappeared, or have another cause now."""
    before = {(row.image, row.workload or ""): row.cause for row in old.images}
    after = {(row.told.image, row.told.workload): str(row.told.cause) for row in new.rows}
    return [
        Change(*key, before.get(key, ""), after.get(key, ""))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def as_data(found: Audit, since: list[Change] | None) -> dict[str, Any]:
    """The report's own keys of the JSON form."""
    data: dict[str, Any] = {
        "images": [_row_data(row) for row in found.rows],
        "failures": [msgspec.to_builtins(failure) for failure in found.failures],
        "shares": {
            part: [{"name": name, "containers": n, "cached": cached} for name, n, cached in rows]
            for part, rows in found.shares().items()
        },
        "summary": {
            "pods": found.pods,
            "containers": found.containers,
            "images": len({row.told.image for row in found.rows}),
            "cached": sum(r.containers for r in found.rows if r.told.cause is Cause.CACHE),
            "upstream": sum(r.containers for r in found.rows if r.comes_from_upstream),
            "failures": len(found.failures),
        },
    }
    return data if since is None else data | {"changes": msgspec.to_builtins(since)}


def _row_data(row: Row) -> dict[str, Any]:
    told = row.told
    return {
        "image": told.image,
        "cause": told.cause,
        "upstream": told.upstream or None,
        "target": told.target,
        "rule": told.rule,
        "place": told.place,
        "detail": told.detail or None,
        "workload": told.workload or None,
        "containers": row.containers,
        "namespaces": dict(sorted(row.namespaces.items())),
        "pods": row.pods,
        "templates": row.templates,
        "nodes": row.nodes,
    }


def as_text(found: Audit, since: list[Change] | None, *, verbose: bool) -> str:
    """The report for people."""
    lines = [*_tables(found), *_groups(found, verbose=verbose), *_failure_lines(found)]
    lines += [] if since is None else _change_lines(since)
    return "".join(f"{visible(line)}\n" for line in lines)


def _percent(part: int, whole: int) -> str:
    """A share, rounded down, so that 100 % is all."""
    return f"{100 * part // whole} %" if whole else "-"


def _tables(found: Audit) -> Iterator[str]:
    total = found.containers
    for part, rows in found.shares().items():
        heads = (part, "containers", "share" if part == "cause" else "from the cache")
        cells = [
            (name, str(n), _percent(n, total) if part == "cause" else _percent(cached, n))
            for name, n, cached in rows
        ]
        wide = [max(len(row[column]) for row in (heads, *cells)) for column in range(3)]
        for name, count, share in (heads, *cells) if cells else ():
            yield f"{name:<{wide[0]}}  {count:>{wide[1]}}  {share:>{wide[2]}}".rstrip()
        yield from [""] if cells else []


def _groups(found: Audit, *, verbose: bool) -> Iterator[str]:
    for cause in Cause:
        rows = [row for row in found.rows if row.told.cause is cause]
        if not rows or (cause is Cause.CACHE and not verbose):
            continue
        images = counted(len({row.told.image for row in rows}), "image")
        containers = counted(sum(row.containers for row in rows), "container")
        yield f"{cause.words}: {images} in {containers}"
        alike = _alike(rows)
        for some in alike[: None if verbose else _SHOWN]:
            yield from _row_lines(some, verbose=verbose)
        if not verbose and len(alike) > _SHOWN:
            yield f"  … and {len(alike) - _SHOWN} more (--verbose lists all)"
        yield ""


def _alike(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows that differ by their workload alone, together."""
    found: dict[tuple[str, str | None, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.told.image, row.told.place, row.told.detail), []).append(row)
    return sorted(found.values(), key=lambda some: -sum(row.containers for row in some))


def _row_lines(rows: list[Row], *, verbose: bool) -> Iterator[str]:
    told = rows[0].told
    arrow = f" → {told.target}" if told.target else ""
    yield f"  {told.image}{arrow}"
    for part in (told.place, told.detail):
        if part:
            yield f"    {part}"
    shown = rows[: None if verbose else _WORKLOADS]
    yield from (f"    {_runs(row)}" for row in shown)
    if len(rows) > len(shown):
        rest = sum(row.containers for row in rows[len(shown) :])
        yield f"    and {counted(rest, 'container')} of {len(rows) - len(shown)} more"


def _runs(row: Row) -> str:
    workload, parts = row.told.workload, []
    if row.containers:
        parts.append(f"{counted(row.containers, 'container')} of {workload}")
    if row.templates:
        parts.append(f"{workload} uses it, but no pod runs it now")
    if row.nodes:
        parts.append(f"kept by {counted(row.nodes, 'node')}")
    return ", ".join(parts)


def _failure_lines(found: Audit) -> Iterator[str]:
    if found.failures:
        yield "pulls that fail:"
    for failure in found.failures:
        yield f"  {failure.pod} ({failure.container}): {failure.reason}: {failure.image}"
        yield f"    {failure.meaning}"
    if found.failures:
        yield ""


def _change_lines(since: Iterable[Change]) -> Iterator[str]:
    listed = list(since)
    yield f"since then: {counted(len(listed), 'change')}"
    for change in listed:
        before, after = (each or "not there" for each in (change.before, change.after))
        where = f" ({change.workload})" if change.workload else ""
        yield f"  {change.image}{where}: {before} → {after}"
    yield ""


def as_markdown(found: Audit, since: list[Change] | None) -> str:
    """The report for a pull request or a ticket."""
    lines = ["# Images of the cluster", "", f"{_summary(found)}.", ""]
    for part, rows in found.shares().items():
        lines += [f"| {part} | containers | from the cache |", "|---|--:|--:|"]
        lines += [f"| {_cell(name)} | {n} | {_percent(cached, n)} |" for name, n, cached in rows]
        lines.append("")
    left = [row for row in found.rows if row.told.cause is not Cause.CACHE]
    if left:
        lines += ["| image | cause | where | containers |", "|---|---|---|--:|"]
        lines += [_markdown_row(row) for row in left]
        lines.append("")
    if found.failures:
        lines += ["| pod | image | why it can't be pulled |", "|---|---|---|"]
        for one in found.failures:
            cells = (f"{one.pod} ({one.container})", f"`{one.image}`", one.meaning)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    for change in since or ():
        before, after = (each or "not there" for each in (change.before, change.after))
        lines.append(f"- {_cell(change.image)} {_cell(change.workload)}: {before} → {after}")
    return "".join(f"{line}\n" for line in lines)


def _markdown_row(row: Row) -> str:
    told = row.told
    where = "; ".join(filter(None, (told.place, told.detail, told.workload)))
    return f"| `{_cell(told.image)}` | {told.cause} | {_cell(where)} | {row.containers} |"


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|")


def _summary(found: Audit) -> str:
    cached = sum(row.containers for row in found.rows if row.told.cause is Cause.CACHE)
    share = _percent(cached, found.containers)
    where = f"{counted(found.containers, 'container')} in {counted(found.pods, 'pod')}"
    return f"{where}: {share} from the cache"


def summary_line(found: Audit) -> str:
    """The report's last line."""
    upstream = sum(row.containers for row in found.rows if row.comes_from_upstream)
    more = f", {len(found.failures)} can't be pulled" if found.failures else ""
    return f"{_summary(found)}, {upstream} from an upstream that has a rule{more}"
