"""Overrides that no longer fit their chart: they name another image than it takes by itself.

A chart's next release moves, renames or drops images, and yesterday's override points elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct, field

from imageshift.cache import Cached, Mapped, RuleSet, Unmapped, UnmappedReason
from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import ObjectName, RenderedImage, RenderError, ValuePath, Values
from imageshift.charts.releases.flux import ReleaseText
from imageshift.charts.releases.layers import Layer, scalars
from imageshift.charts.rendering.history import History
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.rendering.render import Manifests
from imageshift.charts.stale.prune import DeadNode
from imageshift.charts.values import lookup
from imageshift.errors import InvalidReferenceError
from imageshift.reference import ImageReference, name_length
from imageshift.rot import Rot, RotCode
from imageshift.source import Place, Scalar

__all__ = [
    "Look",
    "Override",
    "Rotten",
    "find_stale",
    "without",
    "written_values",
]

_TAG_KEYS = frozenset({"tag", "digest", "version", "sha", "imageTag"})
_MOST_SINGLE = 40
_KEEP = "if it is intentional, mark it: # imageshift: keep"


class Rotten(Struct, frozen=True):
    """The findings of one release, and what mends some of them.

    `fixes` are new texts of rendered images by their old ones, `dead` what can be taken out.
    """

    findings: tuple[Rot, ...] = ()
    fixes: Mapping[str, str] = field(default_factory=dict)
    dead: tuple[DeadNode, ...] = ()


Override = tuple[Layer, Scalar]
"""A value as it is written."""


class Look(Struct, frozen=True):
    """One release as it is looked at: its text, chart, and rendered images, and the rules.

    `render` gives what the chart renders with some values, `kept` whether a comment keeps what
    stands at a place. `history` knows what earlier versions of the chart took by themselves;
    `mend_all` doesn't ask it.
    """

    text: ReleaseText
    chart: ChartFiles
    images: tuple[RenderedImage, ...]
    rules: RuleSet
    render: Callable[[Values], Manifests]
    kept: Callable[[str, Place], bool]
    history: History = History()
    mend_all: bool = False

    @property
    def title(self) -> str:
        """The chart's name and version."""
        return self.chart.title

    def is_kept(self, layer: Layer, scalar: Scalar) -> bool:
        """Whether a comment keeps a value."""
        return self.kept(layer.file, layer.document.place(scalar.start))


def written_values(text: ReleaseText) -> dict[ValuePath, Override]:
    """The values that a release's own texts set, each where the topmost one does."""
    found: dict[ValuePath, Override] = {}
    for layer in text.layers:
        for path, scalar in () if layer.in_chart else scalars(layer.values):
            found.setdefault(path, (layer, scalar))
    return found


def without(values: Values, paths: Iterable[ValuePath]) -> dict[str, Any]:
    """Values without some leaves; of a list that one is in, nothing stays, as Helm merges them."""
    made: dict[str, Any] = _copied(values)
    for path in paths:
        end = next((n for n, part in enumerate(path) if isinstance(part, int)), len(path))
        node: Any = made
        for part in path[: end - 1]:
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(path[end - 1], None)
    return made


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return node


class _Candidate(Struct, frozen=True):
    """A rendered image whose name on the target registry comes from values; the last is its place.

    The name may have another registry before it, which the chart puts there.
    """

    image: RenderedImage
    leaves: tuple[ValuePath, ...]

    @property
    def is_whole(self) -> bool:
        """Whether one value spells the name together with a tag or digest."""
        end = name_length(self.image.text)
        return any(s.start < end < s.end for s in self.image.segments)


def find_stale(look: Look) -> Rotten:
    """The images that values take from elsewhere than the chart would."""
    written = written_values(look.text)
    _note_defaults(look, written)
    wanted = [found for image in look.images if (found := _candidate(image, written, look.rules))]
    if not wanted:
        return Rotten()
    defaults = _defaults(look, wanted)
    made = _Stale(look, written)
    for candidate in wanted:
        default = defaults.get(_key(candidate.image))
        if default is not None:
            made.look_at(candidate, default)
    return Rotten(tuple(dict.fromkeys(made.findings)), made.agreed())


def _note_defaults(look: Look, written: Mapping[ValuePath, Override]) -> None:
    """Remembers the images that a chart takes by itself now, and where their registries stand."""
    chart, version, found = look.text.release.source, look.chart.version, []
    for image in look.images:
        if any(segment.leaf in written for segment in image.segments):
            continue
        with suppress(InvalidReferenceError):
            found.append(look.rules.normalize(look.rules.parse(image.text)))
            for segment in image.segments:
                if image.text[segment.start : segment.end + 1] == f"{_host(image.text)}/":
                    registry = found[-1].registry
                    look.history.note_registry(chart, version, segment.leaf, registry)
    look.history.note(chart, version, found)


def _host(text: str) -> str:
    return text.partition("/")[0]


def _candidate(
    image: RenderedImage, written: Mapping[ValuePath, Override], rules: RuleSet
) -> _Candidate | None:
    try:
        now = rules.normalize(rules.parse(image.text))
    except InvalidReferenceError:
        return None
    end = name_length(image.text)
    segments = sorted(image.segments, key=lambda segment: segment.start)
    leaves = [s.leaf for s in segments if s.start < end and s.leaf in written]
    own = leaves and (now.registry == rules.registry.host or rules.inner(now) is not None)
    return _Candidate(image, tuple(dict.fromkeys(leaves))) if own else None


_Key = tuple[ObjectName, ValuePath, int]


def _key(image: RenderedImage) -> _Key:
    return image.object, image.path, image.whole[: image.offset].count(",")


def _defaults(look: Look, candidates: list[_Candidate]) -> dict[_Key, str]:
    """The images that the chart takes by itself, by their places; empty where it needs values."""
    leaves = [leaf for candidate in candidates for leaf in candidate.leaves]
    try:
        found = find_images(look.render(without(look.text.release.values, leaves)), (), {}).images
    except RenderError:
        return _one_by_one(look, candidates) if len(candidates) > 1 else {}
    if any(isinstance(part, int) for leaf in leaves for part in leaf):
        # Without a list of one's own, what stands behind it may have another place.
        then, now = (Counter(image.object for image in some) for some in (found, look.images))
        found = tuple(image for image in found if then[image.object] == now[image.object])
    return {_key(image): image.text for image in found}


def _one_by_one(look: Look, candidates: list[_Candidate]) -> dict[_Key, str]:
    found: dict[_Key, str] = {}
    for candidate in candidates[:_MOST_SINGLE]:
        made = _defaults(look, [candidate])
        key = _key(candidate.image)
        found |= {key: made[key]} if key in made else {}
    return found


class _Stale:
    def __init__(self, look: Look, written: Mapping[ValuePath, Override]) -> None:
        self._look = look
        self._rules = look.rules
        self._written = written
        self.findings: list[Rot] = []
        self._fixes: dict[str, set[str]] = {}

    def agreed(self) -> dict[str, str]:
        """The new texts, where all places of an image want the same."""
        return {old: next(iter(new)) for old, new in self._fixes.items() if len(new) == 1}

    def look_at(self, candidate: _Candidate, default: str) -> None:
        """Compares one image with the chart's own."""
        try:
            now = self._rules.parse(candidate.image.text)
            then = self._rules.parse(default)
        except InvalidReferenceError:
            return
        code = self._code(candidate, now, then)
        places = [self._written[leaf] for leaf in candidate.leaves]
        if code is None or any(self._look.is_kept(*place) for place in places):
            return
        target = self._rules.map(then)
        wanted = self._wanted(candidate, target, now) if isinstance(target, Mapped) else None
        if wanted is not None:
            self._fixes.setdefault(candidate.image.text, set()).add(wanted)
        elif candidate.image.text in self._fixes:
            self._fixes[candidate.image.text].add("")
        layer, scalar = places[-1]
        place = layer.document.place(scalar.start)
        tagged = not candidate.is_whole and self._is_tagged(candidate)
        hint = self._hint(target, candidate, mends=wanted is not None, tagged=tagged)
        message = self._message(code, now, default)
        self.findings.append(
            Rot(code, layer.file, place, message, hint, candidate.image.text, wanted is not None)
        )

    def _code(
        self, candidate: _Candidate, now: ImageReference, then: ImageReference
    ) -> RotCode | None:
        """What is wrong with an image where the chart would have another one."""
        outcome, target = self._rules.map(now), self._rules.map(then)
        if isinstance(target, Cached) or then.full_name == now.full_name:
            return None
        if isinstance(outcome, Unmapped) and outcome.reason is UnmappedReason.NO_RULE:
            return RotCode.STALE
        wanted = target.target.full_name if isinstance(target, Mapped) else ""
        if isinstance(outcome, Unmapped):
            alike = isinstance(target, Mapped) and _last(now) == _last(then)
            own = outcome.reason is UnmappedReason.OWN_REPOSITORY
            return RotCode.PHANTOM if own and alike else None
        current = outcome.target if isinstance(outcome, Mapped) else now
        same = wanted == self._rules.normalize(current).full_name
        return None if same and not self._is_old(candidate, now, then) else RotCode.STALE

    def _is_old(self, candidate: _Candidate, now: ImageReference, then: ImageReference) -> bool:
        """Whether a value pins a version that the chart took by itself, and no longer takes."""
        if not candidate.is_whole or now.identifier == then.identifier:
            return False
        upstream = self._rules.unmap(self._rules.normalize(now))
        chart, known = self._look.text.release.source, self._look.history
        version = self._look.chart.version
        return upstream is not None and known.has_left(chart, version, upstream, tagged=True)

    def _message(self, code: RotCode, now: ImageReference, default: str) -> str:
        upstream = self._rules.unmap(self._rules.normalize(now))
        if upstream is None and code is RotCode.STALE:
            made = f"{self._look.title} turns it into {now.full_name}"
            return f"{made}, and uses {default} by default"
        if code is RotCode.PHANTOM or upstream is None:
            return f"no rule covers {now.full_name}: {self._look.title} uses {default} by default"
        alike = upstream.full_name == self._rules.normalize(self._rules.parse(default)).full_name
        name = upstream.familiar if alike else upstream.familiar_name
        return f"this is {name}: {self._look.title} uses {default} by default"

    @staticmethod
    def _hint(target: Any, candidate: _Candidate, *, mends: bool, tagged: bool) -> str:
        if not isinstance(target, Mapped):
            return f"remove it: {target.detail}; {_KEEP}"
        name = target.target.normalized if candidate.is_whole else target.target.full_name
        if tagged:
            return f"change it to {name} with its tag, or remove both; {_KEEP}"
        option = "" if mends else " --mend-stale"
        return f"imageshift migrate{option} changes it to {name}; {_KEEP}"

    def _wanted(self, candidate: _Candidate, target: Mapped, now: ImageReference) -> str | None:
        """The text that mends an image which an earlier version of the chart took by itself.

        Any other may be there on purpose; and a tag of its own fits its own image alone.
        """
        normal = self._rules.normalize(now)
        upstream = self._rules.unmap(self._rules.inner(normal) or normal) or now
        chart, known = self._look.text.release.source, self._look.history
        whole = candidate.is_whole
        version = self._look.chart.version
        made = known.has_left(chart, version, upstream, tagged=whole)
        made = made or self._had_registry(candidate)
        if not (self._look.mend_all or made):
            return None
        if whole:
            return target.target.normalized
        if self._is_tagged(candidate):
            return None
        text = candidate.image.text
        return target.target.full_name + text[name_length(text) :]

    def _had_registry(self, candidate: _Candidate) -> bool:
        """Whether all that is written is the cache of a registry that another version took."""
        chart, host = self._look.text.release.source, self._rules.registry.host
        values = {leaf: self._written[leaf][1].value for leaf in candidate.leaves}
        leaf, value = next(iter(values.items()))
        value = value.removesuffix("/library")
        upstreams = [r.upstream for r in self._rules.rules if value == f"{host}/{r.prefix}"]
        known, version = self._look.history.has_left_registry, self._look.chart.version
        return len(values) == 1 and any(known(chart, version, leaf, name) for name in upstreams)

    def _is_tagged(self, candidate: _Candidate) -> bool:
        """Whether what is written sets a tag or digest too."""
        end = name_length(candidate.image.text)
        if any(s.end > end and s.leaf in self._written for s in candidate.image.segments):
            return True
        values = self._look.text.release.values
        holders = {leaf[:-1] for leaf in candidate.leaves}
        return any(lookup(values, (*holder, key)) for holder in holders for key in _TAG_KEYS)


def _last(reference: ImageReference) -> str:
    return reference.repository.rpartition("/")[2]
