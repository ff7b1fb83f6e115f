"""The values that a helmfile gives its own templates: those of its environments, and its own.

They become texts of releases where `{{ .Values.… }}` stands, which only helmfile works out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from imageshift.lazy import lazy_re
from imageshift.reference import has_host
from imageshift.sites.model import Confidence, ImageSite, Part, Path, Resource, Role, SiteKind
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Node, Scalar
from imageshift.source import Mapping as MapNode

__all__ = [
    "HelmfileFacts",
    "environment_facts",
    "environment_values",
    "find_environment_images",
    "find_template_values",
    "holds_environments",
]

_DEFAULT = "default"
_NAMING = lazy_re(r"^repo(?:sitory)?$|image(?:Repository|Repo|Name)?$", re.IGNORECASE)
_PART = "only helmfile's templates show what it becomes part of"


class HelmfileFacts(Struct, frozen=True):
    """What can stand for a template in a helmfile, by its name; `doubt` is why values may not move.

    The names are those of helmfile without their first dot, as `Environment.Name`.
    """

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doubt: str | None = None


def holds_environments(root: MapNode) -> bool:
    """Whether a document without a kind declares the environments of a helmfile."""
    declared = root.mapping("environments")
    return declared is not None and all(
        isinstance(value, MapNode) or (isinstance(value, Scalar) and value.is_empty)
        for _, value in declared.pairs()
    )


def environment_values(root: MapNode) -> Iterator[tuple[Node, Path]]:
    """The values of a document's environments and of itself: maps, and paths of files."""
    declared = root.mapping("environments") or MapNode(0, None, flow=False)
    for name, each in declared.pairs():
        if isinstance(each, MapNode):
            for number, item in enumerate(each.items("values")):
                yield item, ("environments", name.value, "values", number)
    for number, item in enumerate(root.items("values")):
        yield item, ("values", number)


def find_environment_images(
    document: Document, root: MapNode, doubt: str | None
) -> Iterator[ImageSite]:
    """The images that stand in a document's declared values themselves."""
    for item, path in environment_values(root):
        if isinstance(item, MapNode):
            yield from find_template_values(document, item, path, doubt)


def find_template_values(
    document: Document, values: MapNode, path: Path, doubt: str | None
) -> Iterator[ImageSite]:
    """The images in values for templates; a name without a tag beside it may be part of one."""
    known: set[int] = set()
    for site in find_values_images(ValuesContext(document, Resource()), values, path):
        known |= {id(part.scalar) for part in site.parts}
        yield site if doubt is None else site.doubtful(doubt)
    for at, scalar in _scalars(values, path):
        if id(scalar) not in known and _NAMING.search(str(at[-1])) and has_host(scalar.value):
            site = ImageSite(
                kind=SiteKind.VALUES,
                document=document,
                path=at,
                parts=(Part(Role.REPOSITORY, scalar, at),),
                resource=Resource(),
                confidence=Confidence.LIKELY,
            )
            yield site.doubtful(_PART)


def _scalars(values: MapNode, path: Path) -> Iterator[tuple[Path, Scalar]]:
    for key, value in values.pairs():
        if isinstance(value, MapNode):
            yield from _scalars(value, (*path, key.value))
        elif isinstance(value, Scalar) and not value.is_empty:
            yield (*path, key.value), value


def environment_facts(
    roots: Iterable[MapNode], values: Iterable[MapNode]
) -> dict[str, tuple[str, ...]]:
    """What a helmfile's environments and values can put in the place of templates."""
    found: dict[str, set[str]] = {"Environment.Name": {_DEFAULT}}
    for root in roots:
        declared = root.mapping("environments")
        if declared is not None:
            found["Environment.Name"] |= {key.value for key, _ in declared.pairs()}
    for path, scalar in (pair for each in values for pair in _scalars(each, ("Values",))):
        found.setdefault(".".join(map(str, path)), set()).add(scalar.value)
    return {name: tuple(sorted(texts)) for name, texts in found.items()}
