"""What `check --upstream` and `migrate --check-upstream` share: upstreams asked, findings told."""

import os
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from imageshift.advice import Code
from imageshift.aws import UsedImage
from imageshift.aws.collect import collect_images
from imageshift.cli.exits import Exit
from imageshift.cli.output import say
from imageshift.cli.progress import progress
from imageshift.cli.session import Session
from imageshift.net import Transport
from imageshift.plan import FilePlan
from imageshift.reports.findings import Finding, Level, place_of
from imageshift.rewrite import Change, Kept
from imageshift.sites import SiteKind
from imageshift.upstream.ask import State
from imageshift.upstream.existence import Existence, Missing, find_missing

__all__ = ["ask_upstreams"]

# Elsewhere a name without a tag gets its tag from somewhere else.
_LATEST = frozenset({SiteKind.WORKLOAD, SiteKind.CUSTOM})


def ask_upstreams(
    session: Session, plans: Iterable[FilePlan], platforms: Iterable[str]
) -> set[Exit]:
    """Asks for every image of the plans that has a rule, and says which aren't there.

    They become warnings of the report, and findings of the run. Returns FINDINGS where some
    aren't there, and TOOL where some couldn't be asked for.
    """
    common = session.common
    used = list(_used(session, list(plans)))
    existence = Existence(Transport(offline=common.offline), platforms=platforms)
    with progress("images", len(used), quiet=common.quiet) as advance:
        found = find_missing(used, existence, advance)
    for missing in found:
        message = f"{missing.image.familiar}: {missing.detail}"
        for place in dict.fromkeys(missing.places):
            session.summary.advice.add(Code(missing.state), place, message=message)
            session.findings.append(_finding(session, missing, place))
            if missing.state is State.UNKNOWN:
                say(f"{place}: {missing.state}: {message}")
    return {Exit.TOOL if one.state is State.UNKNOWN else Exit.FINDINGS for one in found}


def _used(session: Session, plans: list[FilePlan]) -> Iterator[UsedImage]:
    """The images of the plans whose version is known, registry by registry."""
    run = session.run
    for target in run.targets:
        whole = (
            replace(plan, results=tuple(r for r in plan.results if _is_whole(session, r, plan)))
            for plan in plans
            if run.rules_of(plan.file) is target.rules
        )
        yield from collect_images(whole, target.rules, session.shown, run.tails)


def _finding(session: Session, missing: Missing, text: str) -> Finding:
    """One image that isn't there, at one of its places."""
    file, place = place_of(text)
    return Finding(
        code=missing.state,
        level=Level.WARNING if missing.state is State.UNKNOWN else Level.ERROR,
        message=f"{missing.state}: {missing.image.familiar}: {missing.detail}",
        file=file,
        name=None if file is None else os.path.relpath(file, session.run.workspace.root),
        start=place,
        end=place,
        lines=() if place is None else (place.line,),
        subject=missing.image.familiar,
    )


def _is_whole(session: Session, result: Change | Kept, plan: FilePlan) -> bool:
    """Whether it is known which version of an image is meant."""
    image = result.before
    if image is None or "$" in image.identifier:
        return False
    if image.identifier or result.site.kind in _LATEST:
        return True
    return bool(session.run.tails(result.site, plan.file))
