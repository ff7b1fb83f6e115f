"""What works on a chart's rendering behind it, as builds: Flux' post-renderers, helmfile's own.

helmfile makes one kustomization of a release's patches and transformers (E5), in its order (E1).
"""

from collections.abc import Iterator, Sequence

from imageshift.entry import Entry, spell_name, split_image
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.links.chart_files import chart_files
from imageshift.links.disk import is_file
from imageshift.links.entries import read_entries
from imageshift.links.model import (
    Build,
    Effect,
    Entries,
    EntrySource,
    Patch,
    Patches,
    Replacement,
)
from imageshift.links.patches import alone
from imageshift.links.post_renderers import read_post_renderers, releases_with_renderers
from imageshift.links.reach import Reach
from imageshift.links.release_patches import release_patches
from imageshift.links.renderer_patches import renderer_patches
from imageshift.links.texts import patch_texts
from imageshift.links.transformers import Held, image_tag, read_transformer
from imageshift.links.value_holders import ValueHolders
from imageshift.sites import resource_of
from imageshift.sites.helmfile import BehindChart, ReleaseValues, is_plain, release_values
from imageshift.sites.model import below
from imageshift.source import Document, Mapping, Scalar, walk

__all__ = ["builds_behind_charts", "held_images", "helmfile_build"]

_ANY = ".*"
_UNREAD = "the {} in {} can't be read, and may change it"


def builds_behind_charts(index: Index, reach: Reach, entries: list[EntrySource]) -> list[Build]:
    """The builds of all releases that do something to images; their entries go to `entries`."""
    holders = ValueHolders(index)
    own = list(_post_renderers(index, entries, holders))
    over = list(_patched_renderers(index, reach, entries, holders))
    for patch, files in release_patches(index, reach) if own or over else ():
        for build in (each for each in own if each.file in files):
            name = None if build.release is None else resource_of(build.release).name
            build.patched |= patch.offsets if patch.release in {None, name} else set()
        for build, names in over:
            build.patched |= patch.offsets if patch.release in {None, *names} else set()
    return [*own, *(build for build, _ in over), *_of_helmfiles(index, entries)]


def _patched_renderers(
    index: Index, reach: Reach, entries: list[EntrySource], holders: ValueHolders
) -> Iterator[tuple[Build, set[str]]]:
    """The post-renderers that patches give releases, over these releases' values; whose they are.

    Other patches may give the same releases values.
    """
    for found in renderer_patches(index, reach):
        build = read_post_renderers(found.patch.file, found.document, found.root, entries)
        reached = [r for r in index.all_releases if found.reaches(r.file, r.resource.name)]
        if build is None:
            continue
        build.unknown = True
        for file in dict.fromkeys(release.file for release in reached):
            for document in read_documents(index.workspace, file):
                for root in objects(document.root):
                    if found.reaches(file, resource_of(root).name):
                        build.patched |= _own_values(file, document, root)
                        _add_values(build, index, root, holders)
        yield build, {release.resource.name for release in reached}


def _own_values(file: str, document: Document, release: Mapping) -> set[tuple[str, int]]:
    """The scalars in a release's own values, by file and offset."""
    values = below(release, "spec", "values")
    scalars = (node for node in walk(values) if isinstance(node, Scalar))
    return {(file, document.offset(scalar.start)) for scalar in scalars}


def _add_values(build: Build, index: Index, release: Mapping, holders: ValueHolders) -> None:
    """Adds the texts that a release's values come from, beside its own: its chart's, valuesFrom."""
    chart, taken = chart_files(index, release), holders.texts(release)
    build.files += (*chart.files, *taken.files)
    build.late_files += chart.files if chart.late else ()
    build.patched |= taken.places


def _post_renderers(
    index: Index, entries: list[EntrySource], holders: ValueHolders
) -> Iterator[Build]:
    for file, document, root in releases_with_renderers(index):
        if file in index.patch_files:
            continue
        build = read_post_renderers(file, document, root, entries)
        if build is not None:
            build.unknown = True
            _add_values(build, index, root, holders)
            yield build


def _of_helmfiles(index: Index, entries: list[EntrySource]) -> Iterator[Build]:
    for file, facts in index.helmfiles.items():
        for document in read_documents(index.workspace, file):
            for found in release_values(document.mapping, facts.texts):
                if document.has_template() and not is_plain(document, found.release):
                    continue
                build = helmfile_build(index, file, document, found, entries)
                if build is not None:
                    yield build


def helmfile_build(
    index: Index, file: str, document: Document, found: ReleaseValues, entries: list[EntrySource]
) -> Build | None:
    """What helmfile builds over the chart of a release; None where it builds nothing.

    Its entries are added to `entries`.
    """
    if not found.behind:
        return None
    folder, name = file.rpartition("/")[0], found.release.text("name") or ""
    chart = join(folder, found.release.text("chart") or "")
    paths = (path for item in found.values if isinstance(item, tuple) for path in item)
    files = [join(folder, path) for path in paths]
    files += [] if chart is None else [f"{chart}/values.yaml".lstrip("/")]
    return Build(
        key=f"helmfile:{file}:{document.offset(found.release.start)}",
        title=f"{file} (what helmfile does to {name})",
        file=file,
        folder="",
        document=document,
        files=[file for file in dict.fromkeys(files) if file is not None and is_file(index, file)],
        effects=list(_effects(index, file, document, found, entries)),
        unknown=True,
        release=found.release,
        inherited=found.nodes,
        by_helmfile=True,
    )


def held_images(index: Index, effect: Effect, entries: Sequence[EntrySource]) -> Iterator[Entry]:
    """An effect as entries: its own, or one that changes nothing for what has to stay for it."""
    if isinstance(effect, Entries):
        yield from (entries[number].entry for number in effect.numbers)
    elif isinstance(effect, Replacement):
        yield from (Entry(_ANY),) if effect.cuts else ()
    elif isinstance(effect, Patches):
        for patch in effect.patches:
            yield from (Entry(spell_name(name)) for name in _tested(index, patch))


def _tested(index: Index, patch: Patch) -> Iterator[str]:
    """The names of the images that a patch compares with."""
    try:
        texts = list(patch_texts(index, patch))
    except SourceError:
        return
    yield from (split_image(text.scalar.value)[0] for text in texts if text.tested)


def _effects(
    index: Index, file: str, document: Document, found: ReleaseValues, entries: list[EntrySource]
) -> Iterator[Effect]:
    behind = [item for item in found.behind if item.key != "transformers"]
    parts = [part for item in behind for part in _patches(index, file, document, item)]
    patches = tuple(part for part in parts if isinstance(part, Patch))
    yield from (Patches(patches),) if patches else ()
    yield from (part for part in parts if isinstance(part, Replacement))
    for item in found.behind:
        if item.key == "transformers":
            for held in _objects(index, file, document, item):
                yield from _transformer(held, item, entries)


def _patches(
    index: Index, file: str, document: Document, item: BehindChart
) -> Iterator[Patch | Replacement]:
    """The patches that one item is: a merge, or operations with their target."""
    held = list(_objects(index, file, document, item))
    if not held:
        yield _unread(file, document, item)
    for name, inner, root in held:
        if item.key == "strategicMergePatches":
            yield Patch(name, inner, root)
        elif root.get("patch") is not None:
            yield Patch(name, inner, root.get("patch"), root.mapping("target"))
        else:
            local = join(file.rpartition("/")[0], root.text("path") or "")
            known = local is not None and is_file(index, local)
            yield (
                Patch(local or "", target=root.mapping("target"))
                if known
                else _unread(file, document, item)
            )


def _objects(index: Index, file: str, document: Document, item: BehindChart) -> Iterator[Held]:
    """An item's objects with their files; those of the file where it is a path."""
    if isinstance(item.node, Mapping):
        yield file, document, item.node
    elif isinstance(item.node, Scalar):
        name = join(file.rpartition("/")[0], item.node.value)
        documents = [] if name is None else read_documents(index.workspace, name)
        yield from ((name or "", inner, inner.mapping) for inner in documents)


def _transformer(held: Held, item: BehindChart, entries: list[EntrySource]) -> Iterator[Effect]:
    file, document, _ = held
    entry = image_tag(held)
    if entry is None:
        for effect in read_transformer(held, item.node):
            yield Patches((effect,)) if isinstance(effect, Patch) else effect
        return
    found = list(read_entries(file, document, entry, len(entries), alone(entry)))
    entries += found
    yield Entries(tuple(each.number for each in found))


def _unread(file: str, document: Document, item: BehindChart) -> Replacement:
    place = document.place(item.node.start)
    detail = _UNREAD.format(item.key, file)
    return Replacement(file, place, cuts=True, foreign=False, selects=(), detail=detail)
