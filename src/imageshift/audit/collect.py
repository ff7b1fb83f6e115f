"""An audit: every running image with its cause and count, and every failed pull."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from imageshift.audit.causes import Cause, Causes, Told, each_node_image
from imageshift.audit.cluster import Item
from imageshift.audit.failures import PULL_REASONS, explain_pull
from imageshift.cache import RuleSet

__all__ = ["Audit", "Failure", "Row", "audit"]

_MOST_PODS = 5
_MADE = frozenset({"Succeeded", "Failed"})


class Row(Struct):
    """One image with one cause: how many containers run it, where, and what else uses it.

    `templates` are objects that would run it without a listed pod, `nodes` those that keep it.
    """

    told: Told
    containers: int = 0
    namespaces: Counter[str] = field(default_factory=Counter)
    pods: list[str] = field(default_factory=list)
    templates: int = 0
    nodes: int = 0

    @property
    def comes_from_upstream(self) -> bool:
        """Whether it has a rule, but isn't pulled from the cache."""
        return self.told.target is not None and self.told.cause is not Cause.WRONG_PATH


class Failure(Struct, frozen=True, order=True):
    """A container whose image can't be pulled."""

    pod: str
    container: str
    image: str
    reason: str
    meaning: str


class Audit(Struct):
    """The rows, most containers first, and the failures."""

    rows: list[Row]
    failures: list[Failure]
    pods: int

    @property
    def containers(self) -> int:
        """How many containers run in all."""
        return sum(row.containers for row in self.rows)

    def shares(self) -> dict[str, list[tuple[str, int, int]]]:
        """By cause, namespace and upstream: a name, its containers, those from the cache."""
        cause, space, upstream = Counter[str](), Counter[str](), Counter[str]()
        cached = Counter[tuple[str, str]]()
        for row in self.rows:
            told = row.told
            source = told.upstream or told.cause.words
            is_cached = told.cause is Cause.CACHE
            cause[told.cause.words] += row.containers
            upstream[source] += row.containers
            space.update(row.namespaces)
            if is_cached:
                cached["cause", told.cause.words] += row.containers
                cached["upstream", source] += row.containers
                for name, count in row.namespaces.items():
                    cached["namespace", name] += count
        parts = {"cause": cause, "namespace": space, "upstream": upstream}
        return {
            part: [(name, n, cached[part, name]) for name, n in _ordered(counts)]
            for part, counts in parts.items()
        }


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(((k, n) for k, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))


def audit(items: Iterable[Item], causes: Causes, rules: RuleSet) -> Audit:
    """The audit of a cluster's objects."""
    rows: dict[Told, Row] = {}
    failures: list[Failure] = []
    listed = list(items)
    pods = [item for item in listed if _is_pod(item)]
    for pod in pods:
        if pod.status is None or pod.status.phase not in _MADE:
            _add_pod(pod, rows, causes)
            failures += _failures(pod, rules)
    _add_rest(listed, rows, causes)
    found = sorted(rows.values(), key=lambda r: (-r.containers, r.told.image, r.told.workload))
    return Audit(found, sorted(set(failures)), len(pods))


def _is_pod(item: Item) -> bool:
    return item.kind == "Pod"


def _add_pod(pod: Item, rows: dict[Told, Row], causes: Causes) -> None:
    space = pod.metadata.namespace
    for container in pod.containers:
        row = _row(rows, causes.of(pod, container.name, container.image))
        row.containers += 1
        row.namespaces[space] += 1
        if len(row.pods) < _MOST_PODS:
            row.pods.append(f"{space}/{pod.metadata.name}")


def _add_rest(items: Iterable[Item], rows: dict[Told, Row], causes: Causes) -> None:
    running = {row.told.image for row in rows.values() if row.containers}
    for item in items:
        if item.kind == "Node":
            for image in each_node_image(item):
                if image not in running:
                    _row(rows, causes.of_name(image)).nodes += 1
        elif not _is_pod(item) and _is_live(item):
            for container in item.containers:
                if container.image not in running:
                    _row(rows, causes.of(item, container.name, container.image)).templates += 1


def _is_live(item: Item) -> bool:
    """Whether an object may make pods: old ReplicaSets and Jobs that are done make none."""
    done = item.status is not None and item.status.completion_time is not None
    return not done and not (item.spec is not None and item.spec.replicas == 0)


def _row(rows: dict[Told, Row], told: Told) -> Row:
    found = rows.get(told)
    if found is None:
        found = rows[told] = Row(told)
    return found


def _failures(pod: Item, rules: RuleSet) -> Iterator[Failure]:
    asked = {container.name: container.image for container in pod.containers}
    for status, waiting in pod.waiting:
        if waiting.reason in PULL_REASONS:
            image = asked.get(status.name) or status.image
            yield Failure(
                f"{pod.metadata.namespace}/{pod.metadata.name}",
                status.name,
                image,
                waiting.reason,
                explain_pull(image, waiting.reason, waiting.message, rules),
            )
