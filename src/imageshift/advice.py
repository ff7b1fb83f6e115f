"""Warnings: what a plan can't solve, but whoever rolls it out should know.

The codes are a closed and published list (docs, "Exit codes and warnings").
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

from imageshift.cache import RuleSet
from imageshift.data.official_images import OFFICIAL_IMAGES
from imageshift.data.upstreams import find_upstream, remedy
from imageshift.plan import FilePlan
from imageshift.reference import ImageReference
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import ImageSite, SiteKind, SkipReason
from imageshift.sites.other_formats import DOCUMENTATION
from imageshift.sites.policies import adds_images
from imageshift.source import Chunk, Place

__all__ = ["Advice", "Code", "Notice"]

_CONTROLLERS = frozenset({"serving.knative.dev", "tekton.dev"})
_LAMBDA = "lambda.services.k8s.aws"
_WORKFLOWS = frozenset({"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"})


_OPEN = frozenset({Status.REWRITE, Status.DOUBTFUL})
_TAGGED_ELSEWHERE = frozenset({SiteKind.CHART, SiteKind.VALUES, SiteKind.KUSTOMIZE})


class Code(StrEnum):
    """Every warning."""

    ACCOUNT_ID = "account-id"
    CHARTS_UNREAD = "charts-unread"
    CHART_UNAVAILABLE = "chart-unavailable"
    RULE_MISSING = "rule-missing"
    DIGEST_NOT_CACHED = "digest-not-cached"
    LAMBDA = "lambda"
    DIGEST_FIRST_PULL = "digest-first-pull"
    MUTABLE_TAG = "mutable-tag"
    FIRST_PULL_ROUTE = "first-pull-route"
    UNSUPPORTED_UPSTREAM = "unsupported-upstream"
    UNKNOWN_OFFICIAL = "unknown-official"
    POLICY_MATCHES_UPSTREAM = "policy-matches-upstream"
    POLICY_ADDS_IMAGES = "policy-adds-images"
    AUTOMATION_REVERTS = "automation-reverts"
    RENOVATE_ALIASES = "renovate-aliases"
    UPDATER_REVERTS = "updater-reverts"
    CONTROLLER_PULL = "controller-pull"
    PRIVATE_UPSTREAM = "private-upstream"
    GENERATOR_UNKNOWN = "generator-unknown"
    UNCLAIMED = "unclaimed"
    OTHER_FORMAT = "other-format"
    CHART_VERSION = "chart-version"
    TAG_FROZEN = "tag-frozen"
    OVERRIDE_STALE = "override-stale"
    OVERRIDE_DEAD = "override-dead"
    PATH_PHANTOM = "path-phantom"
    UPSTREAM_GONE = "upstream-gone"
    UPSTREAM_RENAMED = "upstream-renamed"
    UPSTREAM_DENIED = "upstream-denied"
    PLATFORM_MISSING = "platform-missing"
    TAG_MOVED = "tag-moved"
    UPSTREAM_UNKNOWN = "upstream-unknown"


_MESSAGES = {
    Code.ACCOUNT_ID: "the account id {} doesn't have twelve digits, so no such registry can exist",
    Code.DIGEST_FIRST_PULL: (
        "pinned by digest: a pull by digest of an image that isn't cached yet reportedly fails "
        "(untested); pull each image by its tag first: imageshift warm"
    ),
    Code.MUTABLE_TAG: "a moving tag: the cache checks upstream for it only once every 24 hours",
    Code.FIRST_PULL_ROUTE: (
        "the first pull of an image may need a route to the internet, even with PrivateLink"
    ),
    Code.RULE_MISSING: (
        "ECR can cache {}, but no rule covers it: add one with --rule UPSTREAM=PREFIX"
    ),
    Code.CHARTS_UNREAD: (
        "the charts of {} weren't read, so images that come only from their defaults aren't in "
        "this report: {}"
    ),
    Code.LAMBDA: "a Lambda function can't pull through the cache: copy its image by hand",
    Code.UNSUPPORTED_UPSTREAM: "ECR can't cache {}: {}",
    Code.UNKNOWN_OFFICIAL: "{} isn't a Docker Official Image: is it an image of your own?",
    Code.POLICY_MATCHES_UPSTREAM: (
        "an admission policy matches images from {}: add a pattern for {} too"
    ),
    Code.POLICY_ADDS_IMAGES: (
        "an admission policy adds images from {}: existing pods keep the old name until they are "
        "recreated"
    ),
    Code.AUTOMATION_REVERTS: (
        "Flux image automation will write the old registry back here: point its ImageRepository at "
        "the cache, or mark only the tag and digest (:tag, :digest); imageshift bots flux shows how"
    ),
    Code.RENOVATE_ALIASES: (
        "Renovate doesn't know which upstreams {} of the cache stand for, so it finds no updates "
        "there: run imageshift bots renovate --write"
    ),
    Code.UPDATER_REVERTS: "{}: imageshift bots argocd-image-updater shows how to prevent it",
    Code.CONTROLLER_PULL: (
        "the controller of {} reads the registry itself and needs its own ECR permissions"
    ),
    Code.PRIVATE_UPSTREAM: (
        "imagePullSecrets are set here: the cache rule's credential must be able to read the image"
    ),
    Code.GENERATOR_UNKNOWN: "can't tell which files an ApplicationSet means by {}: {}",
    Code.CHART_VERSION: (
        "only files of its chart ({}) change: Flux keeps using the chart it has until the version "
        "in Chart.yaml changes"
    ),
    Code.UNCLAIMED: (
        "nothing shows whether this image is pulled: add a line under `values:`, `images:` or "
        "`not_ours:` in .imageshift.yaml to say so"
    ),
    Code.OTHER_FORMAT: "images in files that imageshift doesn't read: {}",
}


class Notice(Struct):
    """One warning with all its places (`path:line:col`)."""

    code: Code
    message: str
    places: list[str] = field(default_factory=list)
    count: int = 0


class Advice:
    """Collects the warnings of a run, plan by plan."""

    def __init__(self, targets: Iterable[RuleSet]) -> None:
        self._found: dict[tuple[Code, str], Notice] = {}
        self._targets = tuple(targets)
        for rules in self._targets:
            if rules.registry.has_doubtful_account:
                self.add(Code.ACCOUNT_ID, None, rules.registry.account or "")

    def warnings(self) -> list[Notice]:
        """The warnings, in the order of the published list."""
        order = list(Code)
        return sorted(self._found.values(), key=lambda w: (order.index(w.code), w.message))

    def add(self, code: Code, place: str | None, *values: str, message: str | None = None) -> None:
        """Notes a warning, with the place where there is one."""
        text = message or _MESSAGES[code].format(*values)
        found = self._found.setdefault((code, text), Notice(code, text))
        found.count += 1
        if place is not None:
            found.places.append(place)

    def look_at(self, plan: FilePlan, shown: str) -> None:
        """Adds the warnings for the plan of one file; `shown` is the file's name."""
        reverting = _reverting(plan)
        for result in sorted(plan.results, key=lambda result: result.site.place):
            self._look_at_result(result, shown)
            if isinstance(result, Change) and reverting.intersection(result.site.lines()):
                at = result.site.place
                self.add(Code.AUTOMATION_REVERTS, f"{shown}:{at.line}:{at.column}")
        pulled = (r for r in plan.results if r.reason is not SkipReason.NOT_PULLED)
        added = {line for result in pulled for line in result.site.lines()}
        for chunk in plan.scan.policies:
            self._look_at_policy(chunk, shown, added)
        for skip in plan.skips:
            if skip.format and skip.format != DOCUMENTATION:
                self.add(Code.OTHER_FORMAT, f"{shown}:1:1", skip.format)

    def _look_at_result(self, result: Change | Kept, shown: str) -> None:
        site = result.site
        at = site.place
        place = f"{shown}:{at.line}:{at.column}"
        if adds_images(site.resource) and result.before is not None and result.status in _OPEN:
            self.add(Code.POLICY_ADDS_IMAGES, place, result.before.registry)
        if isinstance(result, Kept):
            if result.reason is SkipReason.UNCLAIMED:
                self.add(Code.UNCLAIMED, place)
            elif result.status is Status.NO_RULE and result.before is not None:
                self._look_at_upstream(result.before, place)
            elif site.resource.group == _LAMBDA and result.after is not None:
                self.add(Code.LAMBDA, place)
            return
        self._look_at_change(result, site, place)

    def _look_at_upstream(self, image: ImageReference, place: str) -> None:
        host = image.registry
        if find_upstream(host) is None:
            self.add(Code.UNSUPPORTED_UPSTREAM, place, host, remedy(host))
        elif not any(rules.covers(image) for rules in self._targets):
            self.add(Code.RULE_MISSING, place, host)

    def _look_at_change(self, change: Change, site: ImageSite, place: str) -> None:
        before = change.before
        if before.digest is not None:
            self.add(Code.DIGEST_FIRST_PULL, place)
        elif before.tag == "latest" or (before.tag is None and not _is_tagged_elsewhere(site)):
            self.add(Code.MUTABLE_TAG, place)
        if _is_unknown_official(before):
            self.add(Code.UNKNOWN_OFFICIAL, place, before.familiar_name)
        if site.resource.group in _CONTROLLERS or site.resource.kind in _WORKFLOWS:
            self.add(Code.CONTROLLER_PULL, place, site.resource.kind)
        if site.pull_secrets:
            self.add(Code.PRIVATE_UPSTREAM, place)
        if not any(code is Code.FIRST_PULL_ROUTE for code, _ in self._found):
            self.add(Code.FIRST_PULL_ROUTE, None)

    def _look_at_policy(self, policy: Chunk, shown: str, added: set[int]) -> None:
        """Notes each upstream that a policy names elsewhere than in what it adds to pods."""
        for rules in self._targets:
            for rule in rules.rules:
                at = _first_place(policy, rule.upstream, added)
                if at is not None:
                    place = f"{shown}:{at.line}:{at.column}"
                    pattern = f"{rules.registry.host}/{rule.prefix}/*"
                    self.add(Code.POLICY_MATCHES_UPSTREAM, place, rule.upstream, pattern)


def _first_place(policy: Chunk, text: str, without: set[int]) -> Place | None:
    """The first place of a text in a policy on a line that isn't one of those `without`."""
    found = policy.text.find(text)
    while found >= 0:
        at = policy.source.place(policy.start + found)
        if at.line not in without:
            return at
        found = policy.text.find(text, found + 1)
    return None


def _is_tagged_elsewhere(site: ImageSite) -> bool:
    """Whether something else gives the tag: a chart, or what adds the name to a prefix."""
    return site.kind in _TAGGED_ELSEWHERE or site.main.scalar.start == site.main.scalar.end


def _is_unknown_official(reference: ImageReference) -> bool:
    return reference.is_official and reference.name not in OFFICIAL_IMAGES


def _reverting(plan: FilePlan) -> set[int]:
    """The lines whose names Flux's image automation writes."""
    source = plan.scan.source
    if "$imagepolicy" not in source.text:
        return set()
    from imageshift.bots.flux import markers  # noqa: PLC0415 few files have any

    return {marker.place.line for marker in markers(plan.file, source) if marker.sets_name}


def is_unsafe(reason: SkipReason | None) -> bool:
    """Whether a skip means that some input couldn't be handled safely (exit code 3)."""
    return reason in _UNSAFE


_UNSAFE = frozenset(
    {
        SkipReason.UNPARSABLE,
        SkipReason.NOT_UTF8,
        SkipReason.STYLE,
        SkipReason.CONFLICT,
        SkipReason.CHANGED,
        SkipReason.UNWRITABLE,
    }
)
