"""Why a container runs its image: one cause from a closed list for each."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from imageshift.audit.cluster import Item, Owner
from imageshift.audit.git import GitImages, Mention
from imageshift.cache import Cached, Mapped, RuleSet
from imageshift.data.custom_resources import CUSTOM_RESOURCES
from imageshift.data.eks_images import EKS_ACCOUNTS
from imageshift.data.injectors import INJECTORS, Injector
from imageshift.ecr import parse_ecr_host
from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import ImageReference
from imageshift.sites import Origin

__all__ = ["Cause", "Causes", "Told", "Workloads", "each_node_image"]

# Clusters before 1.16 name owners in the group extensions.
_BUILT_IN = frozenset({"", "apps", "batch", "extensions"})
_CRON = lazy_re(r"(.+)-\d{8,11}")
# Labels by which operators name the object that a pod is made for, where the list has no owner.
_LABELS = (
    ("cnpg.io/cluster", "Cluster", "postgresql.cnpg.io"),
    ("prometheus", "Prometheus", "monitoring.coreos.com"),
    ("alertmanager", "Alertmanager", "monitoring.coreos.com"),
    ("thanos-ruler", "ThanosRuler", "monitoring.coreos.com"),
    ("strimzi.io/cluster", "Kafka", "kafka.strimzi.io"),
)
_MANAGED = "app.kubernetes.io/managed-by"


class Cause(StrEnum):
    """Where a running image comes from."""

    CACHE = "cache"
    WRONG_PATH = "wrong-cache-path"
    OWN = "own-repository"
    NOT_ROLLED_OUT = "not-rolled-out"
    LINE = "line"
    CHART = "chart-default"
    CONTROLLER = "controller"
    INJECTED = "injected"
    ADDON = "eks-addon"
    OTHER_ECR = "other-ecr"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """What it is called in reports."""
        return _WORDS[self]


_WORDS = {
    Cause.CACHE: "from the cache",
    Cause.WRONG_PATH: "a wrong path in the cache",
    Cause.OWN: "your own repository in the target registry",
    Cause.NOT_ROLLED_OUT: "moved in Git, not rolled out yet",
    Cause.LINE: "named in a file of the repository",
    Cause.CHART: "a chart's default",
    Cause.CONTROLLER: "made by a controller",
    Cause.INJECTED: "injected sidecar",
    Cause.ADDON: "EKS add-on, can't be redirected",
    Cause.OTHER_ECR: "another ECR registry",
    Cause.UNKNOWN: "not found in Git",
}


class Told(Struct, frozen=True):
    """The cause of one image; `place` is its location in the repository, if there is one."""

    image: str
    cause: Cause
    upstream: str = ""
    target: str | None = None
    rule: str | None = None
    place: str | None = None
    detail: str = ""
    workload: str = ""


class Workloads:
    """What creates pods: the chain of owners, as far as the lists or the names show it."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = {
            (item.kind, item.metadata.namespace, item.metadata.name): item for item in items
        }

    def top(self, item: Item) -> Owner:
        """The topmost owner of a pod; the object itself if it has no owner."""
        found = Owner(item.kind, item.metadata.name, item.api_version)
        seen: set[Owner] = set()
        owner = item.owner
        while owner is not None and owner not in seen:
            seen.add(owner)
            found = owner
            above = self._items.get((owner.kind, item.metadata.namespace, owner.name))
            owner = above.owner if above is not None else _guessed(owner, item)
        labelled = _labelled(item) if _group(found) in _BUILT_IN else None
        return labelled or found


def _guessed(owner: Owner, pod: Item) -> Owner | None:
    """The owner's own one, by the names that Deployments and CronJobs give."""
    # The label isn't always the end of the name: before 1.12 it was spelled otherwise.
    hashed = (pod.metadata.labels or {}).get("pod-template-hash")
    if owner.kind == "ReplicaSet" and hashed and "-" in owner.name:
        return Owner("Deployment", owner.name.rpartition("-")[0], "apps/v1")
    found = _CRON.fullmatch(owner.name) if owner.kind == "Job" else None
    return None if found is None else Owner("CronJob", found[1], "batch/v1")


def _labelled(item: Item) -> Owner | None:
    labels = item.metadata.labels or {}
    for label, kind, group in _LABELS:
        name = labels.get(label)
        sure = "/" in label or labels.get(_MANAGED) == "prometheus-operator"
        if name and sure:
            return Owner(kind, name, f"{group}/v1")
    return None


def _group(owner: Owner) -> str:
    return owner.api_version.rpartition("/")[0]


class Causes:
    """Finds causes, and remembers them."""

    def __init__(self, rules: RuleSet, git: GitImages, workloads: Workloads) -> None:
        self._rules = rules
        self._git = git
        self._workloads = workloads
        self._known: dict[tuple[str, ...], Told] = {}
        self._fields = _fields()

    def of(self, item: Item, container: str, image: str) -> Told:
        """The cause of one container's image."""
        top = self._workloads.top(item)
        injector = _injector(item.metadata.annotations or {}, container)
        release = _release(item)
        space = item.metadata.namespace
        key = (image, top.kind, top.name, space, injector.name if injector else "", *release)
        if key not in self._known:
            self._known[key] = self._told(image, space, top, injector, release)
        return self._known[key]

    def of_name(self, image: str) -> Told:
        """The cause of an image that no listed pod runs."""
        return self._told(image, "", Owner(), None, ("", ""))

    def _told(
        self,
        image: str,
        space: str,
        top: Owner,
        injector: Injector | None,
        release: tuple[str, str],
    ) -> Told:
        workload = "/".join(filter(None, (top.kind, space, top.name)))
        try:
            reference = self._rules.normalize(self._rules.parse(image))
        except InvalidReferenceError as error:
            return Told(image, Cause.UNKNOWN, detail=str(error), workload=workload)
        settled = self._on_ecr(image, reference, workload)
        if settled is not None:
            return settled
        outcome = self._rules.map(reference)
        mapped = outcome if isinstance(outcome, Mapped) else None
        cause, place, detail = self._cause(reference, space, top, injector, release)
        return Told(
            image,
            cause,
            reference.registry,
            None if mapped is None else mapped.target.normalized,
            None if mapped is None else mapped.rule.prefix,
            place,
            detail,
            workload,
        )

    def _on_ecr(self, image: str, reference: ImageReference, workload: str) -> Told | None:
        """What is said about an image that is on ECR."""
        if reference.registry == self._rules.registry.host:
            return self._on_own(image, reference, workload)
        host = parse_ecr_host(reference.registry)
        if host is None:
            return None
        cause = Cause.ADDON if host.account in EKS_ACCOUNTS else Cause.OTHER_ECR
        return Told(image, cause, reference.registry, workload=workload)

    def _on_own(self, image: str, reference: ImageReference, workload: str) -> Told:
        """What is said about an image on the target registry."""
        outcome, upstream = self._rules.map(reference), self._rules.unmap(reference)
        registry = upstream.registry if upstream else ""
        if isinstance(outcome, Cached):
            return Told(image, Cause.CACHE, registry, rule=outcome.rule.prefix, workload=workload)
        if isinstance(outcome, Mapped):
            target, rule = outcome.target.normalized, outcome.rule.prefix
            return Told(image, Cause.WRONG_PATH, registry, target, rule, workload=workload)
        return Told(image, Cause.OWN, detail=outcome.detail, workload=workload)

    def _cause(
        self,
        image: ImageReference,
        space: str,
        top: Owner,
        injector: Injector | None,
        release: tuple[str, str],
    ) -> tuple[Cause, str | None, str]:
        mentions = sorted(self._git.of(image), key=lambda m: _rank(m, image, space, top, release))
        best = mentions[0] if mentions else None
        place = None if best is None else best.place
        if injector is not None:
            return Cause.INJECTED, place, f"{injector.name} injects it: {injector.setting}"
        if _group(top) not in _BUILT_IN:
            return Cause.CONTROLLER, place, self._field(top, space, best)
        if best is None or top.kind == "Node":
            static = f"a static pod of the node {top.name}" if top.kind == "Node" else ""
            return Cause.UNKNOWN, place, static
        return _named_by(best, image)

    def _field(self, top: Owner, space: str, best: Mention | None) -> str:
        """Which field of which object a controller takes an image from."""
        paths = self._fields.get((_group(top), top.kind), ())
        named = f"{top.kind} {space}/{top.name}"
        fits = best is not None and best.resource.kind == top.kind
        if fits and best is not None and best.moved:
            return f"{named}: moved in Git, not rolled out yet"
        if paths:
            return f"{named}: {', '.join(paths[:3])}"
        return f"{named}: its controller's own settings"


def _named_by(best: Mention, image: ImageReference) -> tuple[Cause, str, str]:
    """The cause of an image that the repository names."""
    if best.moved:
        return Cause.NOT_ROLLED_OUT, best.place, _tag_note(best, image)
    if best.origin in (Origin.CHART, Origin.POST_RENDERER):
        return Cause.CHART, best.place, f"{best.resource.kind} {_named(best)}"
    return Cause.LINE, best.place, best.why or _tag_note(best, image)


def _fields() -> Mapping[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in CUSTOM_RESOURCES:
        key = (row.group, row.kind)
        found[key] = (*found.get(key, ()), row.path)
    return found


def _injector(annotations: Mapping[str, str], container: str) -> Injector | None:
    for injector in INJECTORS:
        if injector.containers.fullmatch(container) is not None and any(
            name.startswith(injector.annotation) for name in annotations
        ):
            return injector
    return None


def _release(item: Item) -> tuple[str, str]:
    """Names by which a pod's labels tell the release that it belongs to."""
    labels = item.metadata.labels or {}
    flux = labels.get("helm.toolkit.fluxcd.io/name", "")
    return flux, labels.get("app.kubernetes.io/instance", "")


def _rank(
    mention: Mention, image: ImageReference, space: str, top: Owner, release: tuple[str, str]
) -> tuple[bool, ...]:
    """How well a mention fits, the best first: the workload, its release, the version."""
    resource = mention.resource
    same_space = resource.namespace in ("", space)
    is_it = (resource.kind, resource.name) == (top.kind, top.name) and same_space
    is_release = mention.origin is not Origin.WRITTEN or resource.kind in _RELEASES
    of_release = is_release and resource.name in filter(None, release)
    same = image.identifier == mention.image.identifier
    # Without a sign of where it belongs, what still says the old name is the nearer cause.
    return not is_it, not of_release, not same, mention.moved


_RELEASES = frozenset({"HelmRelease", "Application"})


def _named(mention: Mention) -> str:
    return "/".join(filter(None, (mention.resource.namespace, mention.resource.name)))


def _tag_note(mention: Mention, image: ImageReference) -> str:
    wanted = mention.image.identifier
    return f"Git says {wanted}" if wanted and wanted != image.identifier else ""


def each_node_image(item: Item) -> Iterator[str]:
    """The images stored on a node, by their tags, or else by digest."""
    for image in (item.status.images if item.status else None) or ():
        names = [name for name in image.names or () if not name.startswith("<none>")]
        yield from [name for name in names if "@" not in name] or names[:1]
