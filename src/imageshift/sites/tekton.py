"""Tekton's tasks and pipelines: they nest, and their parameters may say what the images are."""

from collections.abc import Iterator

from msgspec import Struct, field

from imageshift.lazy import lazy_re
from imageshift.sites.arguments import MIXED, is_reference, value_site
from imageshift.sites.model import ImageSite, Path, Resource, SiteKind
from imageshift.sites.workloads import find_custom_container, whole_site
from imageshift.source import Document, Mapping, Scalar, Sequence, walk

__all__ = ["find_tekton_images", "parameter_of", "parameters_in"]

_CONTAINER_LISTS = ("steps", "sidecars")
_CONTAINERS = ("stepTemplate", "check")
_PODS = ("podTemplate", "taskRunTemplate")
_SPECS = ("taskSpec", "pipelineSpec")
_TASK_LISTS = ("tasks", "finally")
_PARAMETER = lazy_re(r"""\$\((?:inputs\.)?params(?:\.([\w.-]+)|\[["']([^"']+)["']\])\)""")


def find_tekton_images(
    document: Document, resource: Resource, spec: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The images of a task's, pipeline's, run's or step action's spec, at any depth.

    A parameter that is all of an image's text (`$(params.NAME)`) makes its default, and the
    values given for it around an embedded spec, images too (Tekton's docs, "Propagated
    Parameters").
    """
    yield from _Search(document, resource, _used_otherwise(spec)).below(spec, path, ())


def parameter_of(image: str) -> str | None:
    """The name of the parameter that is all of an image's text; else None."""
    found = _PARAMETER.fullmatch(image)
    return None if found is None else found[1] or found[2]


def parameters_in(text: str) -> list[str]:
    """The names of the parameters in a text."""
    return [plain or quoted for plain, quoted in _PARAMETER.findall(text)]


class _Parameter(Struct, frozen=True):
    """A value of a parameter: the default that a spec declares, or what is given to it."""

    name: str
    value: Scalar
    path: Path


class _Search(Struct, frozen=True):
    """One walk; `taken` are the values that were found before, for another image.

    Parameters of the names in `mixed` become more than images.
    """

    document: Document
    resource: Resource
    mixed: frozenset[str] = frozenset()
    taken: set[int] = field(default_factory=set)

    def below(
        self, spec: Mapping, path: Path, around: tuple[_Parameter, ...]
    ) -> Iterator[ImageSite]:
        known = (*around, *_parameters(spec, path))
        for container, at in _containers(spec, path):
            yield from find_custom_container(self.document, self.resource, container, at)
            yield from self._named(container, known)
        yield from self._volumes(spec, path)
        for inner, at in _embedded(spec, path):
            yield from self.below(inner, at, known)

    def _named(self, container: Mapping, known: tuple[_Parameter, ...]) -> Iterator[ImageSite]:
        name = parameter_of(container.text("image") or "")
        for parameter in known:
            if parameter.name == name and id(parameter.value) not in self.taken:
                self.taken.add(id(parameter.value))
                yield from self._parameter(parameter)

    def _parameter(self, parameter: _Parameter) -> Iterator[ImageSite]:
        if is_reference(parameter.value):
            note = MIXED if parameter.name in self.mixed else ""
            at = (self.document, self.resource, parameter.value, parameter.path)
            yield from value_site(*at, note)

    def _volumes(self, spec: Mapping, path: Path) -> Iterator[ImageSite]:
        for key in _PODS:
            inner = spec.mapping(key)
            if inner is not None:
                yield from self._volumes(inner, (*path, key))
        for index, volume in enumerate(spec.items("volumes")):
            image = volume.mapping("image") if isinstance(volume, Mapping) else None
            if image is not None:
                at = (*path, "volumes", index, "image", "reference")
                found = image.get("reference")
                yield from whole_site(self.document, self.resource, found, at, SiteKind.CUSTOM)


def _used_otherwise(spec: Mapping) -> frozenset[str]:
    """The parameters that stand in texts which are neither images nor parameters' values."""
    found: set[str] = set()
    for node in walk(spec):
        pairs = node.pairs() if isinstance(node, Mapping) else ()
        texts = [each for key, each in pairs if key.value not in {"image", "value"}]
        texts += node.items if isinstance(node, Sequence) else []
        for text in texts:
            if isinstance(text, Scalar):
                found.update(parameters_in(text.value))
    return frozenset(found)


def _containers(spec: Mapping, path: Path) -> Iterator[tuple[Mapping, Path]]:
    if spec.get("image") is not None:
        yield spec, path
    for key in _CONTAINERS:
        container = spec.mapping(key)
        if container is not None:
            yield container, (*path, key)
    yield from _items(spec, path, _CONTAINER_LISTS)


def _embedded(spec: Mapping, path: Path) -> Iterator[tuple[Mapping, Path]]:
    for key in _SPECS:
        inner = spec.mapping(key)
        if inner is not None:
            yield inner, (*path, key)
    yield from _items(spec, path, _TASK_LISTS)


def _items(spec: Mapping, path: Path, keys: tuple[str, ...]) -> Iterator[tuple[Mapping, Path]]:
    for key in keys:
        for index, item in enumerate(spec.items(key)):
            if isinstance(item, Mapping):
                yield item, (*path, key, index)


def _parameters(spec: Mapping, path: Path) -> Iterator[_Parameter]:
    for item, at in _items(spec, path, ("params",)):
        for key in ("default", "value"):
            value = item.get(key)
            if isinstance(value, Scalar) and value.is_string:
                yield _Parameter(item.text("name") or "", value, (*at, key))
