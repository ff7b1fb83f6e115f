"""Flux image automation: markers that write an upstream's name back, and what they read.

A marker `{"$imagepolicy": "ns:policy"}` writes `name:tag` and one that ends in `:name` the name
alone, both taken from the ImageRepository of the policy (fact X4).
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from imageshift.bots.found import BotFinding, Object, moved, objects_of
from imageshift.cache import RuleSet
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import Workspace
from imageshift.source import Edit, Mapping, Place, Scalar, SourceText, Span, insert_key

__all__ = ["Marker", "find_flux", "markers"]

_GROUP = "image.toolkit.fluxcd.io"
_MARKER = lazy_re(
    r'\{"\$imagepolicy":\s*"(?P<namespace>[^":]+):(?P<name>[^":]+)(?::(?P<setter>[^"]+))?"\}'
)
_ONLY = lazy_re(r"(?<![ \t])[ \t]*+#[ \t]*$")
_LISTS = (
    "ECR lists only tags that have been pulled, so the policy sees a new tag only after somebody "
    "pulls it"
)
_Key = tuple[str, str]


class Marker(Struct, frozen=True):
    """A marker of Flux's on a line; `setter` is what it sets, None for the whole image."""

    file: str
    place: Place
    policy: _Key
    setter: str | None
    span: Span

    @property
    def sets_name(self) -> bool:
        """Whether it writes the image's name."""
        return self.setter in {None, "name"}


def markers(file: str, source: SourceText) -> Iterator[Marker]:
    """The markers of a file."""
    for found in _MARKER.finditer(source.text):
        key = (found["namespace"], found["name"])
        span = Span(found.start(), found.end())
        yield Marker(file, source.place(found.start()), key, found["setter"], span)


class _Repository(Struct, frozen=True):
    """An ImageRepository whose image should come from the cache."""

    object: Object
    image: Scalar
    target: str


def find_flux(
    workspace: Workspace,
    files: Iterable[str],
    rules_of: Callable[[str], RuleSet],
    is_written: Callable[[str], bool],
) -> list[BotFinding]:
    """What Flux's automation would undo in the files that may be written.

    Where a marker sets a whole image, its ImageRepository has to read the cache. Where markers set
    only names, they are removed, and Flux keeps asking the upstream for tags.
    """
    known = list(files)
    found = list(objects_of(workspace, known, _GROUP))
    repositories = {key: made for one in found for key, made in _repositories(one, rules_of)}
    policies = dict(_policies(found))
    reverting: dict[_Key, list[tuple[Marker, SourceText]]] = {}
    for file in known:
        for marker, source in _read_markers(workspace, file):
            repository = policies.get(marker.policy)
            if marker.sets_name and repository in repositories and is_written(file):
                reverting.setdefault(repository, []).append((marker, source))
    made = [
        finding
        for key, group in sorted(reverting.items())
        for finding in _mended(repositories[key], group, is_written)
    ]
    return sorted(made, key=lambda one: (one.file, one.place))


def _repositories(
    one: Object, rules_of: Callable[[str], RuleSet]
) -> Iterator[tuple[_Key, _Repository]]:
    spec = one.root.mapping("spec")
    image = None if spec is None else spec.scalar("image")
    if one.resource.kind != "ImageRepository" or image is None:
        return
    target = moved(rules_of(one.file), image.value)
    if target is not None:
        yield (one.resource.namespace, one.resource.name), _Repository(one, image, str(target))


def _policies(found: Iterable[Object]) -> Iterator[tuple[_Key, _Key]]:
    """The ImageRepository that each ImagePolicy reads."""
    for one in found:
        spec = one.root.mapping("spec") or Mapping(0, None, flow=False)
        reference = spec.mapping("imageRepositoryRef")
        if one.resource.kind == "ImagePolicy" and reference is not None:
            namespace = reference.text("namespace") or one.resource.namespace
            key = (one.resource.namespace, one.resource.name)
            yield key, (namespace, reference.text("name") or "")


def _read_markers(workspace: Workspace, file: str) -> Iterator[tuple[Marker, SourceText]]:
    try:
        content = workspace.read(file)
        if b"$imagepolicy" not in content:
            return
        source = SourceText.decode(content)
    except SourceError:
        return
    for marker in markers(file, source):
        yield marker, source


def _mended(
    repository: _Repository,
    group: list[tuple[Marker, SourceText]],
    is_written: Callable[[str], bool],
) -> Iterator[BotFinding]:
    here, image = repository.object, repository.image
    if any(marker.setter is None for marker, _ in group):
        name = "/".join(filter(None, (here.resource.namespace, here.resource.name)))
        places = ", ".join(f"{one.file}:{one.place.line}" for one, _ in group)
        edits = _to_cache(repository) if is_written(here.file) else ()
        yield BotFinding(
            here.file,
            here.place(image),
            f"ImageRepository {name} reads {image.value}, which markers write back: {places}",
            f"read {repository.target} with provider: aws; {_LISTS}",
            tuple((here.file, edit) for edit in edits),
        )
        return
    for marker, source in group:
        yield BotFinding(
            marker.file,
            marker.place,
            f"the marker writes the name {repository.image.value} back",
            "remove it: the tag's marker stays",
            ((marker.file, _without(marker, source)),),
        )


def _to_cache(repository: _Repository) -> Iterator[Edit]:
    document, image = repository.object.document, repository.image
    spec = repository.object.root.mapping("spec")
    assert spec is not None  # noqa: S101 it has the image
    yield document.replace(image, image.value, repository.target)
    provider = spec.scalar("provider")
    if provider is None:
        yield insert_key(document, spec, "image", "provider", "aws")
    elif provider.value != "aws":
        yield document.replace(provider, provider.value, "aws")


def _without(marker: Marker, source: SourceText) -> Edit:
    """The edit that takes a marker off, and its comment where it holds nothing else."""
    start, end = marker.span.start, marker.span.end
    line = source.text[source.line_start(marker.place.line) : start]
    alone = _ONLY.search(line)
    if alone is not None and not source.text[end : source.line_end(end)].strip():
        start -= len(alone[0])
    return Edit(Span(start, end), "")
