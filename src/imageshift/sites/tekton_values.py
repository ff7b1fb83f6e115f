"""Tekton: values of parameters that a task or pipeline in another document puts into an image."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType

from imageshift.sites.arguments import MIXED, is_reference, named_texts, value_sites
from imageshift.sites.model import ImageSite, Path, Resource, below
from imageshift.sites.tekton import parameter_of, parameters_in
from imageshift.source import Document, Mapping, Scalar, walk

__all__ = ["TektonImages", "find_tekton_values", "tekton_images"]

TektonImages = MappingType[tuple[str, str], MappingType[str, bool]]
"""By kind and name of a task or pipeline, its parameters that are all of an image's text.

True stands for those that are used for nothing else: others might say where an image is pushed.
"""

_REFERENCES = {"taskRef": "Task", "pipelineRef": "Pipeline"}
_CALLABLE = frozenset({"Task", "ClusterTask", "Pipeline"})
_MOST_ROUNDS = 4
_BUNDLE = "Tekton's resolver fetches it, not a node"


def find_tekton_values(
    document: Document, root: Mapping, resource: Resource, path: Path, known: TektonImages
) -> Iterator[ImageSite]:
    """The values that an object gives to parameters of tasks and pipelines that are images.

    Bundles, in which tasks and pipelines come, are only listed.
    """
    own = _own_images(root, known)
    defaults = named_texts(below(root, "spec"), "params", "default") if own else ()
    values = [(value, own[name]) for name, value in defaults if name in own]
    notes = [(value, "" if sure else MIXED) for value, sure in (*values, *_given(root, known))]
    notes = [(value, note) for value, note in notes if is_reference(value)]
    notes += [(value, _BUNDLE) for value in _bundles(root)]
    yield from value_sites(document, resource, root, path, notes)


def tekton_images(roots: Iterable[Mapping]) -> TektonImages:
    """What the tasks and pipelines of a tree do with their parameters.

    Of several with one name, all that declare a parameter have to put it into an image.
    """
    found: dict[tuple[str, str], list[Mapping]] = {}
    for root in roots:
        kind = root.text("kind") or ""
        if kind in _CALLABLE:
            found.setdefault((kind, below(root, "metadata").text("name") or ""), []).append(root)
    known: dict[tuple[str, str], dict[str, bool]] = {}
    for _ in range(_MOST_ROUNDS):
        made = {key: _agreed(some, known) for key, some in found.items()}
        if made == known:
            break
        known = made
    return {key: names for key, names in known.items() if names}


def _agreed(roots: list[Mapping], known: TektonImages) -> dict[str, bool]:
    """The parameters that every one of some objects which declares them puts into an image."""
    images = [_own_images(root, known) for root in roots]
    other = [_names(root) - own.keys() for root, own in zip(roots, images, strict=True)]
    names = {name for own in images for name in own}.difference(*other)
    return {name: all(own.get(name, True) for own in images) for name in sorted(names)}


def _own_images(root: Mapping, known: TektonImages) -> dict[str, bool]:
    """An object's own parameters that become images of its steps, or of what it calls."""
    nodes = [node for node in walk(root) if isinstance(node, Mapping)]
    texts = [(node.text("image") or "", True) for node in nodes]
    texts += [(value.value, sure) for value, sure in _given(root, known)]
    used = [(name, sure) for text, sure in texts if (name := parameter_of(text)) is not None]
    counts = Counter(name for name, _ in used)
    scalars = (node.value for node in walk(root) if isinstance(node, Scalar))
    everywhere = Counter(name for text in scalars for name in parameters_in(text))
    doubtful = {name for name, sure in used if not sure}
    return {
        name: counts[name] == everywhere[name] and name not in doubtful
        for name in sorted(counts.keys() & _names(root))
    }


def _names(root: Mapping) -> frozenset[str]:
    items = below(root, "spec").items("params")
    return frozenset(item.text("name") or "" for item in items if isinstance(item, Mapping))


def _given(root: Mapping, known: TektonImages) -> Iterator[tuple[Scalar, bool]]:
    """What is given to the parameters, of tasks and pipelines called by name, that are images."""
    for caller, called, kind in _calls(root):
        wanted = known.get((called.text("kind") or kind, called.text("name") or ""), {})
        pairs = named_texts(caller, "params", "value")
        yield from ((value, wanted[name]) for name, value in pairs if name in wanted)


def _bundles(root: Mapping) -> Iterator[Scalar]:
    for _, called, _ in _calls(root):
        if called.text("resolver") == "bundles":
            values = named_texts(called, "params", "value")
            yield from (value for name, value in values if name == "bundle")
        old = called.scalar("bundle")
        if old is not None and not old.is_empty:
            yield old


def _calls(root: Mapping) -> Iterator[tuple[Mapping, Mapping, str]]:
    """What calls a task or pipeline, how it names that, and the kind without another."""
    for node in walk(root):
        for key, kind in _REFERENCES.items():
            called = node.mapping(key) if isinstance(node, Mapping) else None
            if called is not None and isinstance(node, Mapping):
                yield node, called, kind
