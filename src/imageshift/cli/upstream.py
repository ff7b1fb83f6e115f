"""What `check --upstream` and `migrate --check-upstream` share: upstreams asked, findings told."""

from collections.abc import Iterable

from msgspec.structs import replace

from imageshift.advice import Code
from imageshift.aws.collect import collect_images
from imageshift.cli.exits import Exit
from imageshift.cli.options import Format
from imageshift.cli.output import progress, put
from imageshift.cli.session import Session
from imageshift.net import Transport
from imageshift.plan import FilePlan
from imageshift.rewrite import Change, Kept
from imageshift.sites import SiteKind
from imageshift.upstream.ask import State
from imageshift.upstream.existence import Existence, Finding, find_missing

__all__ = ["ask_upstreams"]

# Elsewhere a name without a tag gets its tag from somewhere else.
_LATEST = frozenset({SiteKind.WORKLOAD, SiteKind.CUSTOM})


def ask_upstreams(
    session: Session, plans: Iterable[FilePlan], platforms: Iterable[str], *, prints: bool
) -> Exit:
    """Asks for every image of the plans that has a rule, and says which aren't there.

    The findings become warnings of the report; with `prints`, lines of the result as well.
    """
    common, rules = session.common, session.run.rules
    whole = (
        replace(p, results=tuple(r for r in p.results if _is_whole(session, r, p))) for p in plans
    )
    used = collect_images(whole, rules, session.shown, session.run.tails)
    existence = Existence(Transport(offline=common.offline), platforms=platforms)
    with progress("images", len(used), quiet=common.quiet) as advance:
        found = find_missing(used, existence, advance)
    for finding in found:
        message = f"{finding.image.familiar}: {finding.detail}"
        for place in finding.places:
            session.summary.advice.add(Code(finding.state), place, message=message)
        if prints and common.format is Format.TEXT:
            _put(finding)
    if any(finding.state is not State.UNKNOWN for finding in found):
        return Exit.FINDINGS
    return Exit.TOOL if found else Exit.DONE


def _is_whole(session: Session, result: Change | Kept, plan: FilePlan) -> bool:
    """Whether it is known which version of an image is meant."""
    image = result.before
    if image is None or "$" in image.identifier:
        return False
    if image.identifier or result.site.kind in _LATEST:
        return True
    return bool(session.run.tails(result.site, plan.file))


def _put(finding: Finding) -> None:
    for place in dict.fromkeys(finding.places):
        put(f"{place}: {finding.state}: {finding.image.familiar}: {finding.detail}")
