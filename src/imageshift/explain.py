"""Why an image is or isn't rewritten, in sentences."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.cache import Mapped, RuleSet
from imageshift.errors import ImageshiftError
from imageshift.links.trace import Tracer
from imageshift.plan import FilePlan
from imageshift.reference import ImageReference, parse_reference
from imageshift.rewrite import Change, Kept, Status
from imageshift.run import Run
from imageshift.sites import Origin

__all__ = ["Explainer", "Explanation", "matches"]


class Explanation(Struct, frozen=True):
    """The sentences about one site."""

    line: int
    column: int
    lines: tuple[str, ...]


class Explainer:
    """Explains the results of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tracer = Tracer(run.builds)

    def explain(self, plan: FilePlan, result: Change | Kept) -> Explanation:
        """Why a site has its result, and what builds it."""
        place = result.site.place
        lines = (
            *_about_site(result),
            *_about_outcome(result),
            *_about_charts(self._run, plan, result),
            *self._about_builds(plan, result),
        )
        return Explanation(place.line, place.column, lines)

    def _about_builds(self, plan: FilePlan, result: Change | Kept) -> Iterator[str]:
        for build in self._tracer.trace(result.site, plan.file):
            yield f"built by   {build.root}"
            for step in build.steps:
                yield f"  {step}"


def matches(result: Change | Kept, image: str, rules: RuleSet) -> bool:
    """Whether an image is the one asked for, by any of its names.

    Those are its text, the familiar and the full name, the upstream's name of one in the cache,
    and where it goes; the tag and the digest may be left out of each.
    """
    if image in {result.site.text, result.site.name_text}:
        return True
    try:
        asked = rules.normalize(parse_reference(image))
    except ImageshiftError:
        return False
    return any(_is_same(rules.normalize(found), asked) for found in _references(result, rules))


def _is_same(found: ImageReference, asked: ImageReference) -> bool:
    same_name = found.full_name == asked.full_name
    return same_name and asked.tag in {None, found.tag} and asked.digest in {None, found.digest}


def _references(result: Change | Kept, rules: RuleSet) -> Iterator[ImageReference]:
    """Everything that a result's image is called."""
    before = result.before
    if before is None:
        try:
            before = parse_reference(result.site.text)
        except ImageshiftError:
            return
    yield before
    upstream, outcome = rules.unmap(before), rules.map(before)
    target = outcome.target if isinstance(outcome, Mapped) else None
    yield from (found for found in (upstream, target) if found is not None)


def _about_site(result: Change | Kept) -> Iterator[str]:
    site = result.site
    path = ".".join(str(step) for step in site.path)
    resource = site.resource
    name = "/".join(part for part in (resource.namespace, resource.name) if part)
    yield f"image      {site.text}"
    found = "found at  " if site.origin is Origin.WRITTEN else f"{site.origin} at"
    yield f"{found} {path}" + (f" of {resource.kind} {name}".rstrip() if resource.kind else "")
    yield f"confidence {site.confidence}" + (f": {site.note}" if site.note else "")


def _about_outcome(result: Change | Kept) -> Iterator[str]:
    if isinstance(result, Change):
        yield f"rule       {result.rule}"
        yield f"becomes    {result.after.normalized}"
        if result.mended:
            yield "because    it is a wrong path in the cache (wrong-cache-path)"
        return
    is_said = result.reason is None or str(result.reason) == str(result.status)
    reason = "" if is_said else f" ({result.reason})"
    yield f"stays      {result.status}{reason}"
    if result.detail:
        yield f"because    {result.detail}"
    if result.status is Status.DOUBTFUL and result.after is not None:
        yield f"would be   {result.after.normalized}"


def _about_charts(run: Run, plan: FilePlan, result: Change | Kept) -> Iterator[str]:
    if run.charts is not None:
        yield from run.charts.story(result.site, plan.file)
