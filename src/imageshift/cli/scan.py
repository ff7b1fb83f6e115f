"""imageshift scan: the inventory of images."""

from typing import Annotated

from imageshift.cli.declare import option
from imageshift.cli.next_steps import after_scan
from imageshift.cli.options import FINDINGS, Common, Format, Paths, command_line, with_options
from imageshift.cli.output import new_page, put, put_page
from imageshift.cli.session import Session
from imageshift.plan import FilePlan
from imageshift.reports.account import rows_of
from imageshift.reports.text import LISTED, Row, print_rows
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import Origin, SkipReason


@with_options(Common, formats=FINDINGS)
def scan(
    *,
    common: Common,
    paths: Paths,
    accounting: Annotated[
        bool,
        option(
            "--accounting",
            help="Account for every image name in the tree; list the unclaimed ones.",
        ),
    ] = False,
) -> None:
    """List every image, where it is, and what would happen to it."""
    session = Session("scan", paths, common)
    rows = list[Row]()
    listed = common.format is Format.TEXT
    whole = common.quiet or common.verbose or accounting
    plans = list[FilePlan]()
    for plan in session.follow(session.run.plans()):
        plans += [plan] if listed and accounting else []
        for result, uses in _rows(plan, accounting=accounting) if listed else ():
            row = _row(result, session.shown(plan.file), uses)
            if whole:
                _put(row, session)
            elif len(rows) <= LISTED:
                rows.append(row)
    page = new_page(session.host)
    if whole and session.summary.counts:
        page.line()  # below the rows that are printed already
    print_rows(page, rows, session.summary.folders)
    if listed and accounting:
        _put_account(session, plans)
    steps = after_scan(paths, common) if session.summary.upstreams else []
    is_listed = not accounting and (whole or len(rows) <= LISTED)
    session.report(done="to rewrite", next_steps=steps, page=page, is_listed=is_listed)
    raise SystemExit(session.exit_code())


def _put_account(session: Session, plans: list[FilePlan]) -> None:
    """Prints the whole account, and what a roll-out of these images pulls."""
    from imageshift.aws.collect import collect_images  # noqa: PLC0415 asked for only
    from imageshift.warm.forecast import NODES, forecast, forecast_sentence  # noqa: PLC0415

    for line in session.summary.account.lines():
        put(line)
    run = session.run
    used = [
        image
        for target in run.targets
        for image in collect_images(
            (plan for plan in plans if run.rules_of(plan.file) is target.rules),
            target.rules,
            session.shown,
            run.tails,
        )
    ]
    sentence = forecast_sentence(forecast(used, NODES))
    if sentence:
        put(sentence)
        put(f"  hint: {command_line('warm --forecast', session.paths, session.common)}")


def _put(row: Row, session: Session) -> None:
    page = new_page(session.host, bare=session.common.quiet)
    place, text, style = row
    page.row(place, page.short(text), style=style)
    put_page(page)


def _rows(plan: FilePlan, *, accounting: bool) -> list[tuple[Change | Kept, int]]:
    """The rows of a file in its order; for the account only what wasn't understood."""
    found = sorted(rows_of(plan.results), key=lambda row: row[0].site.place)
    if not accounting:
        return found
    return [row for row in found if row[0].reason is SkipReason.UNCLAIMED]


def _row(result: Change | Kept, shown: str, uses: int) -> Row:
    place = result.site.place
    times = f" ({uses} uses)" if uses > 1 else ""
    style = "" if isinstance(result, Change) else "dim" if _is_cached(result) else "cyan"
    return f"{shown}:{place.line}:{place.column}", f"{_text(result)}{times}", style


def _is_cached(kept: Kept) -> bool:
    return kept.status is Status.CACHED


def _text(result: Change | Kept) -> str:
    text = f"{result.status}: {result.site.text}"
    if result.site.origin is not Origin.WRITTEN:
        text += f" [{result.site.origin}]"
    if isinstance(result, Change):
        return f"{text} → {result.after.normalized}"
    reason = "" if result.reason is None else result.reason.value
    why = "" if reason == result.status.value else reason
    rest = ": ".join(part for part in (why, result.detail) if part)
    return f"{text} ({rest})" if rest else text
