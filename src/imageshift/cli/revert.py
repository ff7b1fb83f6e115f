"""imageshift revert: from the cache back to the upstreams."""

from typing import Annotated

from imageshift.base import Base, base_plans
from imageshift.cli.declare import option
from imageshift.cli.options import PAGES, Common, Paths, with_options
from imageshift.cli.output import put_diff
from imageshift.cli.session import Session, refuse_format_of_diff, turn_to_write
from imageshift.errors import ConfigError


@with_options(Common, formats=PAGES)
def revert(
    *,
    common: Common,
    paths: Paths,
    base: Annotated[
        str | None, option("--base", help="Git revision or folder to go back to.")
    ] = None,
    all_: Annotated[bool, option("--all", help="Revert every cache reference.")] = False,
    dry_run: Annotated[bool, option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, option("--diff", help="Print the diff, write nothing.")] = False,
) -> None:
    """Change references from the cache back to the upstream.

    Reverts what differs from a base, or everything.
    """
    if (base is None) != all_:
        raise ConfigError("revert needs either --base REV|DIR or --all")
    refuse_format_of_diff(common, diff=diff)
    writes = not (dry_run or diff)
    with turn_to_write(paths, common, writes=writes) as writer:
        session = Session("revert", paths, common, writer=writer, backward=True)
        plans = session.run.plans()
        if base is not None:
            plans = base_plans(session.run, plans, Base.find(base, session.run.workspace))
        for plan in session.follow(session.applied(plans)):
            if diff:
                put_diff(plan.diff(session.shown(plan.file)), session.host)
    session.report(
        done="reverted" if writes else "to revert",
        changed_files=sorted(session.summary.changed),
    )
    raise SystemExit(session.exit_code())
