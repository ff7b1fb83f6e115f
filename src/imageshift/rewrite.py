"""From a site to its result: edits that move it, or the reason why it stays.

One function serves both ways: a `Mapper` says where a reference goes and how it is spelled there.
"""

from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from contextlib import suppress
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from imageshift.cache import Cached, Mapped, Rule, RuleSet, Unmapped, UnmappedReason
from imageshift.data.official_images import OFFICIAL_IMAGES
from imageshift.errors import InvalidReferenceError, SourceError, VariableReferenceError
from imageshift.lazy import lazy_re
from imageshift.mapper import Backward, Contested, Forward, Mapper
from imageshift.reference import DOCKER_HUB, ImageReference, has_host, name_length
from imageshift.sites import Confidence, ImageSite, Part, Role, SiteKind, SkipReason
from imageshift.source import Document, Edit, Mapping, Scalar, insert_key, remove_key, walk

__all__ = [
    "Backward",
    "Change",
    "Contested",
    "Forward",
    "Kept",
    "Mapper",
    "Move",
    "Status",
    "keep",
    "plan_site",
    "reconcile",
    "removal",
    "why_incomplete",
    "with_value",
]


class Status(StrEnum):
    """What happens to an image, in the words of the report."""

    REWRITE = "rewrite"
    CACHED = "cached"
    NO_RULE = "no-rule"
    DOUBTFUL = "doubtful"
    SKIPPED = "skipped"
    INVALID = "invalid"


class Move:
    """Changes that belong together: all of them are made, or none. Each instance is unique."""

    __slots__ = ()


class Change(Struct, frozen=True):
    """A site that moves. `move` is shared by all changes that must be made together with it.

    `mended` says that it already named the cache, with a wrong path.
    """

    site: ImageSite
    before: ImageReference
    after: ImageReference
    rule: Rule
    edits: tuple[Edit, ...]
    mended: bool = False
    move: Move | None = None

    @property
    def status(self) -> Status:
        """Always `rewrite`."""
        return Status.REWRITE

    @property
    def reason(self) -> SkipReason | None:
        """`wrong-cache-path`, or None if there is nothing more to say."""
        return SkipReason.WRONG_CACHE_PATH if self.mended else None

    @property
    def detail(self) -> None:
        """None: a change has nothing more to say."""


class Kept(Struct, frozen=True):
    """A site that stays, with the reason if there is one."""

    site: ImageSite
    status: Status
    reason: SkipReason | None = None
    detail: str | None = None
    before: ImageReference | None = None
    after: ImageReference | None = None
    rule: Rule | None = None


def plan_site(
    site: ImageSite, mapper: Mapper, variables: MappingType[str, str] | None = None
) -> Change | Kept:
    """What happens to one site by itself.

    `variables` are those whose values are sure, so that a name may hold them.
    """
    if site.skip is not None:
        return Kept(site, Status.SKIPPED, site.skip, site.detail)
    if site.main.role is Role.REGISTRY:
        return Kept(site, Status.DOUBTFUL, detail=site.note)
    try:
        before = _parsed(site, mapper, variables or {})
    except InvalidReferenceError as error:
        variable = isinstance(error, VariableReferenceError)
        reason = SkipReason.VARIABLE if variable else SkipReason.NOT_A_REFERENCE
        return Kept(site, Status.SKIPPED, reason, str(error))
    outcome = mapper.map(before)
    if not isinstance(outcome, Mapped):
        return keep(site, before, outcome)
    doubt = site.note if site.confidence is Confidence.DOUBTFUL else _unproven(site, outcome)
    if doubt is not None:
        return Kept(site, Status.DOUBTFUL, None, doubt, before, outcome.target, outcome.rule)
    return _change(site, before, outcome, mapper)


def with_value(kept: Kept, mapper: Mapper, variables: MappingType[str, str]) -> Kept:
    """A site that stays for its variable, with the image that it is with the variable's value."""
    try:
        before = _parsed(kept.site, mapper, variables)
    except InvalidReferenceError:
        return kept
    return replace(kept, before=before, detail=f"{kept.detail}; with its value {before}")


def removal(
    site: ImageSite, names: Iterable[str], edits: tuple[Edit, ...], rules: RuleSet
) -> Change | None:
    """The edits that take a site out, as a change to nothing: no image moves.

    It is told by the first of some names that is a reference; None where none is.
    """
    for name in names:
        with suppress(InvalidReferenceError):
            image = rules.parse(name)
            rule = rules.rule_of(image) or rules.rules[0]
            return Change(site, image, image, rule, edits, mended=True)
    return None


def _unproven(site: ImageSite, outcome: Mapped) -> str | None:
    if site.kind is not SiteKind.VALUES or site.confidence is not Confidence.LIKELY:
        return None
    return why_incomplete(site.name_text, outcome, apart=site.apart, complete=not site.needs_host)


def why_incomplete(
    name: str, outcome: Mapped, *, apart: str | None = None, complete: bool = False
) -> str | None:
    """Why values may say only a part of a name, where the mapping puts something into it.

    What an official image gets, `library/`, would stand before an organisation. `apart` is a key
    that may stand inside the name; `complete` that the chart is known to add nothing.
    """
    target, rule = outcome.target, outcome.rule
    written = name.partition("/")[2] if has_host(name) else name
    if target.registry == rule.upstream or target.repository in {written, rule.to_cache(written)}:
        return None
    if apart is not None:
        return f"`{apart}` may be a part of the image's name; only the chart can tell"
    head, _, last = target.repository.rpartition("/")
    if not complete and f"/{head}".endswith("/library") and last not in OFFICIAL_IMAGES:
        return f"`{last}` isn't a Docker Official Image, so the chart may add to its name"
    return None


_Text = tuple[int, int, int]
"""What a part stands for: where its scalar begins and ends in the file, and the part in it."""


def reconcile(results: Iterable[Change | Kept]) -> list[Change | Kept]:
    """The results of one file, without the changes that would touch another site's text wrongly.

    One scalar may be a part of several sites, by its anchor. It is edited only when all of them
    want the same, and when no other use of the anchor is in sight.
    """
    found = list(results)
    wanted: dict[_Text, set[tuple[Edit, ...] | None]] = {}
    uses: dict[_Text, int] = {}
    for result in found:
        edits = _edits_by_text(result)
        if isinstance(result, Change) and not edits:
            continue  # it adds a text beside those of its site
        for text in (_text(result.site.document, part) for part in result.site.parts):
            wanted.setdefault(text, set()).add(edits.get(text))
            uses[text] = uses.get(text, 0) + 1
    return [
        _conflict(result)
        if isinstance(result, Change) and _is_torn(result, wanted, uses)
        else result
        for result in found
    ]


def _text(document: Document, part: Part) -> _Text:
    # Not by the node: who reads the file again gets others.
    return document.offset(part.scalar.start), document.offset(part.scalar.end), part.lead


def _edits_by_text(result: Change | Kept) -> dict[_Text, tuple[Edit, ...]]:
    if isinstance(result, Kept):
        return {}
    document = result.site.document
    found: dict[_Text, tuple[Edit, ...]] = {}
    for part in result.site.parts:
        text = start, end, _ = _text(document, part)
        inside = tuple(e for e in result.edits if _is_inside(e, start, end))
        if inside:
            found[text] = inside
    return found


def _is_inside(edit: Edit, start: int, end: int) -> bool:
    """Whether an edit changes a text; what is put in beside the text doesn't."""
    span = edit.span
    return start <= span.start and span.end <= end and (span.start < span.end or start == end)


def _is_torn(
    change: Change, wanted: dict[_Text, set[tuple[Edit, ...] | None]], uses: dict[_Text, int]
) -> bool:
    if change.site.confidence is Confidence.RENDERED:
        # Every use of its texts is known, and has been rendered.
        return False
    edited = _edits_by_text(change)
    return any(
        len(wanted[text]) > 1 or uses[text] <= part.scalar.shared
        for part, text in ((part, _text(change.site.document, part)) for part in change.site.parts)
        if part.scalar.shared and text in edited
    ) or any(len(wanted[text]) > 1 for text in edited)


def _conflict(change: Change) -> Kept:
    return Kept(
        change.site,
        Status.SKIPPED,
        SkipReason.CONFLICT,
        "its text is shared through an anchor with something that must not change in this way",
        change.before,
        change.after,
        change.rule,
    )


def keep(site: ImageSite, before: ImageReference, outcome: Cached | Unmapped) -> Kept:
    """A site whose image has no other place to go to."""
    if isinstance(outcome, Cached):
        return Kept(site, Status.CACHED, None, None, before, before, outcome.rule)
    reason = SkipReason(outcome.reason.value)
    no_rule = outcome.reason is UnmappedReason.NO_RULE
    status = Status.NO_RULE if no_rule else Status.SKIPPED
    return Kept(site, status, reason, outcome.detail, before)


def _change(
    site: ImageSite, before: ImageReference, outcome: Mapped, mapper: Mapper
) -> Change | Kept:
    target = _unmarked(site, outcome.target)
    try:
        edits = tuple(_edits(site, target, mapper))
    except SourceError as error:
        reason = SkipReason(error.reason)
        return Kept(site, Status.SKIPPED, reason, str(error), before, target, outcome.rule)
    return Change(site, _unmarked(site, before), target, outcome.rule, edits, outcome.mended)


def _edits(site: ImageSite, target: ImageReference, mapper: Mapper) -> Iterable[Edit]:
    registry = site.part(Role.REGISTRY)
    main = site.main
    if registry is None:
        yield _edit(site, main, _whole_name(site, target, mapper))
    else:
        yield from _split_edits(site, registry, target, mapper)
    if site.kind is SiteKind.CHART:
        yield from _provider_edit(site, mapper)


def _split_edits(
    site: ImageSite, registry: Part, target: ImageReference, mapper: Mapper
) -> Iterable[Edit]:
    repository = site.main
    name = repository.text[: name_length(repository.text)]
    slash = "/" if registry.text.endswith("/") else ""
    for spelling in mapper.split_names(target):
        if spelling.endswith(f"/{name}"):
            yield _edit(site, registry, spelling[: -len(name) - 1] + slash)
            return
    # The upstream prefix is gone from the repository, so both parts change.
    head, _, tail = mapper.split_names(target)[0].rpartition("/")
    yield _edit(site, registry, head + slash)
    yield _edit(site, repository, tail)


def _edit(site: ImageSite, part: Part, name: str) -> Edit:
    length = len(part.text) if part.role is Role.REGISTRY else name_length(part.text)
    old = part.scalar.value[: part.lead + length]
    return site.document.replace(part.scalar, old, old[: part.lead] + name)


def _whole_name(site: ImageSite, target: ImageReference, mapper: Mapper) -> str:
    if site.kind is SiteKind.CHART:
        return _chart_name(target)
    return target.full_name if site.needs_host else mapper.whole_name(target)


def _chart_name(target: ImageReference) -> str:
    """The name in an `oci://` address, which Docker Hub's own host must begin."""
    if target.registry == DOCKER_HUB:
        return f"registry-1.docker.io/{target.repository}"
    return target.full_name


def _provider_edit(site: ImageSite, mapper: Mapper) -> Iterable[Edit]:
    """Flux logs in to ECR only with `provider: aws`, and with it to nothing else (fact X9).

    On revert the key goes: without it Flux takes the address as `generic`.
    """
    spec = _chart_spec(site)
    provider = spec.scalar("provider")
    if isinstance(mapper, Backward):
        yield from [] if provider is None else [_without_provider(site.document, spec, provider)]
    elif provider is None:
        yield insert_key(site.document, spec, "url", "provider", "aws")
    elif provider.value != "aws":
        yield site.document.replace(provider, provider.value, "aws")


def _chart_spec(site: ImageSite) -> Mapping:
    """The mapping with a chart's address, which may stand in an object inside another one.

    Raises:
        SourceError: a template takes the address from elsewhere.
    """
    for node in walk(site.document.root):
        if isinstance(node, Mapping) and node.get("url") is site.main.scalar:
            return node
    raise SourceError(
        "its address is set elsewhere, so there is nowhere to put `provider`", reason="style"
    )


def _without_provider(document: Document, spec: Mapping, provider: Scalar) -> Edit:
    try:
        return remove_key(document, spec, "provider")
    except SourceError:
        return document.replace(provider, provider.value, "generic")


_MARK = "/imageshift-chart"


def _parsed(site: ImageSite, mapper: Mapper, variables: MappingType[str, str]) -> ImageReference:
    try:
        return mapper.parse(_mapped_text(site, {}))
    except VariableReferenceError:
        # The own host may be a variable too, so the text as it is comes first.
        if not variables:
            raise
        return mapper.parse(_mapped_text(site, variables))


_VARIABLE = lazy_re(r"\$\{(\w+)(?::?[=-][^{}]*)?\}")


def _mapped_text(site: ImageSite, variables: MappingType[str, str]) -> str:
    text, name = site.text, site.name_text
    if "${" in name and variables:
        known = _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), name)
        # A value that brings a tag or digest along is no name, so the variable stays.
        if name_length(known) == len(known):
            text = known + text.removeprefix(name)
    # A HelmRepository's address lacks the chart's name, so what looks like one part isn't
    # an official image.
    return text + _MARK if site.kind is SiteKind.CHART else text


def _unmarked(site: ImageSite, reference: ImageReference) -> ImageReference:
    if site.kind is not SiteKind.CHART:
        return reference
    return replace(reference, repository=reference.repository.removesuffix(_MARK))
