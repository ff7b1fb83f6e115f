"""Values set one by one, as `helm --set` does: Argo CD's `parameters`, helmfile's `set`."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from imageshift.lazy import lazy_re
from imageshift.sites.model import ImageSite, Part, Path
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Mapping, Node, Scalar

__all__ = ["find_parameter_images", "parameter_tree", "values_tree"]

_DOT = lazy_re(r"(?<!\\)\.")


def find_parameter_images(
    context: ValuesContext, lists: Iterable[tuple[Path, Iterable[Node]]]
) -> Iterator[ImageSite]:
    """The images that lists of parameters name, found as in the values that they make.

    Later lists win, and the images of what they beat are found in their own lists.
    """
    paired = [(path, list(_pairs(items))) for path, items in lists]
    places = {
        id(value): (*path, index, "value") for path, pairs in paired for index, _, value in pairs
    }

    def placed(part: Part) -> Part:
        return replace(part, path=places[id(part.scalar)])

    together = [pair for _, pairs in paired for pair in pairs]
    known: set[int] = set()
    for pairs in (together, *(pairs for _, pairs in paired)):
        for site in find_values_images(context, _tree(pairs), ()):
            scalars = {id(part.scalar) for part in site.parts}
            if scalars <= places.keys() and not scalars & known:
                known |= scalars
                parts = tuple(map(placed, site.parts))
                yield replace(site, path=placed(site.main).path, parts=parts)


def parameter_tree(items: Iterable[Node]) -> Mapping:
    """The values that parameters make, their scalars those of the file."""
    return _tree(list(_pairs(items)))


def _pairs(items: Iterable[Node]) -> Iterator[tuple[int, str, Scalar]]:
    for index, item in enumerate(items):
        name = item.text("name") if isinstance(item, Mapping) else None
        value = item.get("value") if isinstance(item, Mapping) else None
        if name is not None and isinstance(value, Scalar) and not value.is_empty:
            yield index, name, value


def _tree(pairs: list[tuple[int, str, Scalar]]) -> Mapping:
    named = ((_DOT.split(name), value) for _, name, value in pairs)
    return values_tree(
        (tuple(step.replace("\\.", ".") for step in steps), value) for steps, value in named
    )


def values_tree(pairs: Iterable[tuple[tuple[str, ...], Scalar]]) -> Mapping:
    """The values that single ones at their paths make."""
    root = Mapping(0, None, flow=False)
    nodes: dict[tuple[str, ...], Node] = {(): root}
    for steps, value in pairs:
        for depth in range(1, len(steps) + 1):
            at, above = steps[:depth], nodes[steps[: depth - 1]]
            if not isinstance(above, Mapping):
                break
            if at not in nodes or at == steps:
                # Of equal names the last holds, as of equal keys.
                made = value if at == steps else Mapping(0, None, flow=False)
                nodes[at] = made
                above.own.append((Scalar(0, 0, None, at[-1], "", None), made))
    return root
