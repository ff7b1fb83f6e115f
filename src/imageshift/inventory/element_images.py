"""Which texts of ApplicationSets' elements are images, because of where a template puts them.

The filled template is searched as any Application is. Then it is filled again with a mark in the
place of each text that an image has in it: where a mark comes out, that text is the image's.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.inventory.application_sets import ApplicationSet, Made
from imageshift.inventory.filling import Leaf, whole_documents
from imageshift.inventory.generators import Element
from imageshift.inventory.objects import Application
from imageshift.lazy import lazy_re
from imageshift.sites import FinderContext, ImageSite, find_images
from imageshift.sites.elements import ElementImage
from imageshift.sites.model import Part, Path, Role, resource_of
from imageshift.source import Mapping, to_plain

__all__ = ["element_images"]

_MARK = "imageshift{}mark"
_MARKED = lazy_re(r"imageshift(\d+)mark")
_IDENTIFIERS = frozenset({Role.TAG, Role.DIGEST})
_IN_PARTS = "an ApplicationSet's template builds an image from it and other text"


def element_images(
    found: Iterable[tuple[ApplicationSet, list[Made]]],
) -> dict[str, tuple[ElementImage, ...]]:
    """The images that texts of elements are, by the files of the texts."""
    images: dict[str, dict[tuple[Any, ...], ElementImage]] = {}
    for each, made in found:
        for file, image in _of_set(each, made):
            images.setdefault(file, {}).setdefault((image.document, image.parts), image)
    return {file: tuple(_agreeing(found.values())) for file, found in images.items()}


def _agreeing(found: Iterable[ElementImage]) -> Iterator[ElementImage]:
    """The images, less those whose text another, doubtful one includes another way."""
    images = list(found)
    torn = {_name(image): image for image in images if image.site.note == _IN_PARTS}
    yield from (image for image in images if _name(image) not in torn)
    yield from torn.values()


def _name(image: ElementImage) -> tuple[int, Path]:
    """The place of the text that is an image's name, or the last part of it."""
    names = [path for role, path in image.parts if role not in _IDENTIFIERS]
    return image.document, names[-1]


def _of_set(each: ApplicationSet, made: list[Made]) -> Iterator[tuple[str, ElementImage]]:
    found = [(one, sites, taken) for one in made for sites, taken in [_candidates(one)] if taken]
    marked = [_with_marks(one.element, taken) for one, _, taken in found]
    again = each.refilled([one for one, _, _ in found], marked) if found else []
    resource = resource_of(each.root)
    for (_, sites, taken), application in zip(found, again, strict=True):
        leaves, data = list(taken.values()), _data(application)
        images = [image for site in sites if (image := _image(site, data, leaves)) is not None]
        known = {(file, path) for file, image in images for _, path in image.parts}
        images += _untraced([one for one in leaves if (one.file, one.path) not in known], sites)
        for file, one in images:
            yield file, replace(one, site=replace(one.site, resource=resource))


def _untraced(leaves: Iterable[Leaf], sites: list[ImageSite]) -> Iterator[tuple[str, ElementImage]]:
    """The parameters that are an image's whole text, though their way into it isn't known."""
    for leaf in leaves:
        same = (site for site in sites if site.text == leaf.scalar.value and site.has_host)
        site = next(same, None)
        if site is not None:
            part = (Role.REFERENCE, leaf.path)
            yield leaf.file, ElementImage(leaf.document, (part,), site.doubtful(_IN_PARTS))


def _candidates(one: Made) -> tuple[list[ImageSite], dict[Path, Leaf]]:
    """The images of a filled template, and the parameters whose texts are in one of them."""
    if not one.element.leaves:
        return [], {}
    text = json.dumps(_data(one.whole), default=str)
    sites: list[ImageSite] = []
    # What comes behind a text that can't be read is left out.
    with suppress(SourceError):
        for document in whole_documents(text):
            sites.extend(find_images(document, FinderContext()))
    texts = {part.text for site in sites for part in site.parts}
    leaves = one.element.leaves.items()
    return sites, {
        path: leaf for path, leaf in leaves if any(leaf.scalar.value in text for text in texts)
    }


def _data(application: Application) -> Any:
    """An ApplicationSet with its filled template, without what that was made of."""
    data = to_plain(application.merged)
    return {**data, "spec": {"template": data["spec"]["template"]}}


def _with_marks(element: Element, taken: dict[Path, Leaf]) -> Element:
    data = json.loads(json.dumps(dict(element.data), default=str))
    for number, path in enumerate(taken):
        node = data
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = _MARK.format(number)
    return replace(element, data=data)


def _image(site: ImageSite, data: Any, leaves: list[Leaf]) -> tuple[str, ElementImage] | None:
    """The image that a site is in the file of its name, where parameters make its name."""
    found = [_traced(part, _looked_up(data, part.path), leaves) for part in site.parts]
    parts = [each for each in found if each is not None]
    names = [leaf for role, leaf, _ in parts if role not in _IDENTIFIERS]
    if not names:
        return None
    home = names[0].file, names[0].document
    here = [(role, leaf.path) for role, leaf, _ in parts if (leaf.file, leaf.document) == home]
    whole = all(is_whole for _, _, is_whole in parts)
    of_names = sum(1 for part in site.parts if part.role not in _IDENTIFIERS)
    if not whole or sum(1 for role, _ in here if role not in _IDENTIFIERS) < of_names:
        site = site.doubtful(_IN_PARTS)
    return home[0], ElementImage(home[1], tuple(here), site)


def _traced(part: Part, text: str, leaves: list[Leaf]) -> tuple[Role, Leaf, bool] | None:
    """The parameter that makes a part, and whether it is the part's whole name."""
    text = text.partition("=")[2] if part.lead else text
    found = _MARKED.search(text)
    if found is None:
        return None
    behind = text[found.end() :]
    whole = found.start() == 0 and (
        not behind or (part.role is Role.REFERENCE and behind[0] in ":@")
    )
    return part.role, leaves[int(found[1])], whole or part.role in _IDENTIFIERS


def _looked_up(data: Any, path: Path) -> str:
    """The text at a path that may lead into texts; empty where there is none."""
    for number, key in enumerate(path):
        if isinstance(data, str):
            return _inside(data, path[number:])
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return ""
    return data if isinstance(data, str) else ""


def _inside(text: str, path: Path) -> str:
    try:
        documents = list(whole_documents(text))
    except SourceError:
        return ""
    roots = [to_plain(found.root) for found in documents if isinstance(found.root, Mapping)]
    return _looked_up(roots[0], path) if roots else ""
