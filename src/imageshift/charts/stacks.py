"""Values of one chart in several texts that lie over one another, where one sets a part only.

A release's own values lie over those that `valuesFrom` brings, Argo CD's parameters over its
values, `values-prod.yaml` over `values.yaml`. An image is what they make together: a registry that
fits one repository must not change under another one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

from msgspec import Struct, field

from imageshift.cache import Mapped
from imageshift.charts.layers import scalars
from imageshift.charts.model import ChartError, ValuePath
from imageshift.charts.values import parse_target
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import Index, is_definition
from imageshift.inventory.index import join
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import (
    generated_files,
    inflated_charts,
    inflation_files,
    read_documents,
)
from imageshift.inventory.value_files import source_value_files
from imageshift.links.model import SiteKey, place_text
from imageshift.rewrite import Change, Kept, Mapper, Move, Status, plan_site
from imageshift.sites import ImageSite, Role, SkipReason, resource_of
from imageshift.sites.argocd import application_sources
from imageshift.sites.helmfile import release_values
from imageshift.sites.parameters import parameter_tree
from imageshift.sites.values import global_registry
from imageshift.solve.leaves import site_key
from imageshift.solve.releases import split_after
from imageshift.source import Document, Mapping, Node, Scalar, parse_embedded

__all__ = ["Stacks", "read_stacks"]

_PARTS = (Role.REGISTRY, Role.REPOSITORY)
_REPOSITORY_KEYS = ("repository", "repo", "image", "name")
_IMAGE_KEYS = frozenset({"registry", "tag", "digest", *_REPOSITORY_KEYS})
_OWN_VALUES = ("values.yaml", "values.yml")
_EITHER = "a targetPath of valuesFrom sets it, or a part of it, as well, and either may win"
_VALUES_FILE = re.compile(r"values.*\.ya?ml")

_Path = tuple[str, ...]
_Block = tuple[Scalar | None, Scalar | None]


class _Layer(Struct, frozen=True):
    """A map of values as it is written, or as parameters make it."""

    file: str
    document: Document
    values: Mapping

    def key(self, scalar: Scalar) -> SiteKey:
        return self.file, self.document.offset(scalar.start), scalar.value

    def place(self, scalar: Scalar) -> str:
        return place_text(self.file, self.document.place(scalar.start))


class _Part(Struct, frozen=True):
    """A registry or a repository alone, and where it is written."""

    role: Role
    text: str
    place: str


class Stacks(Struct, frozen=True):
    """Sites of values that stay because of other values.

    `parts` are those that lie over a part of a site, `below` says which key may override it.
    """

    mapper_of: Callable[[str], Mapper]
    parts: dict[SiteKey, list[_Part]] = field(default_factory=dict)
    below: dict[SiteKey, str] = field(default_factory=dict)
    moves: dict[str, frozenset[Move]] = field(default_factory=dict)

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """Why a site stays; None where its own text says all."""
        if not (self.parts or self.below):
            return None
        key, mapper = site_key(site, file), self.mapper_of(file)
        note, parts = self.below.get(key), self.parts.get(key, ())
        result = plan_site(site, mapper) if note is not None or parts else None
        if not isinstance(result, Change):
            return None
        torn = next((part for part in parts if _is_torn(result, part, mapper)), None)
        if torn is not None:
            detail = f"the values at {torn.place} set only a part of it"
            made = (result.before, result.after, result.rule)
            return Kept(site, Status.SKIPPED, SkipReason.CONFLICT, detail, *made)
        return None if note is None else plan_site(site.doubtful(note), mapper)

    def extra(self, _file: str) -> list[Change | Kept]:
        """Nothing."""
        return []

    def tails(self, _site: ImageSite, _file: str) -> tuple[str, ...]:
        """Nothing."""
        return ()


def _is_torn(change: Change, part: _Part, mapper: Mapper) -> bool:
    """Whether a part that stands in place of a site's own wouldn't fit its new text."""
    old = [found.text for role in _PARTS if (found := change.site.part(role)) is not None]
    if len(old) != len(_PARTS):
        return False
    registry, repository = split_after(change.site, change.after, mapper)
    if part.role is Role.REGISTRY:
        return repository != old[1]
    try:
        outcome = mapper.map(mapper.parse(f"{old[0].rstrip('/')}/{part.text}"))
    except InvalidReferenceError:
        return True
    wanted = mapper.split_names(outcome.target) if isinstance(outcome, Mapped) else ()
    return f"{registry.rstrip('/')}/{part.text}" not in wanted


def read_stacks(index: Index, mapper_of: Callable[[str], Mapper]) -> Stacks:
    """What the layers of values of every release, Application, helmfile and chart decide."""
    found = Stacks(mapper_of)
    for read in (_releases, _applications, _helmfiles, _inflations, _charts):
        for layers in read(index):
            if len(layers) > 1:
                for key, part in _partly(layers):
                    found.parts.setdefault(key, []).append(part)
                found.below.update(_below(layers))
    found.below.update(_contested(index))
    return found


def _contested(index: Index) -> Iterator[tuple[SiteKey, str]]:
    """Values that a release sets and that a `targetPath` sets, too: either may win (E3.3)."""
    for file, document, spec in _specs(index):
        paths = set(_target_paths(spec))
        blocks = {path[:-1] for path in paths if path[-1] in _IMAGE_KEYS}
        for path, scalar in scalars(spec.mapping("values")) if paths else ():
            if path in paths or path[:-1] in blocks:
                yield (file, document.offset(scalar.start), scalar.value), _EITHER


def _target_paths(spec: Mapping) -> Iterator[ValuePath]:
    """The values that `targetPath`s set; one that can't be read sets none."""
    for item in spec.items("valuesFrom"):
        target = item.text("targetPath") if isinstance(item, Mapping) else None
        with suppress(ChartError):
            if target is not None:
                yield parse_target(target)


def _partly(layers: list[_Layer]) -> Iterator[tuple[SiteKey, _Part]]:
    """The images that a layer spells whole, each with what a later one puts over one part."""
    blocks = [dict(_blocks(layer.values, ())) for layer in layers]
    for number, (layer, own) in enumerate(zip(layers, blocks, strict=True)):
        above = list(zip(layers, blocks, strict=True))[number + 1 :]
        for path, whole in own.items():
            if whole[0] is None or whole[1] is None:
                continue
            for other, theirs in above:
                parts = zip(_PARTS, whole, _alone(theirs.get(path)), strict=True)
                for role, ours, part in parts:
                    if ours is not None and part is not None and ours.value != part.value:
                        yield layer.key(whole[1]), _Part(role, part.value, other.place(part))


def _alone(block: _Block | None) -> _Block:
    """The parts of a block that has one of them only."""
    return (None, None) if block is None or all(block) else block


def _below(layers: list[_Layer]) -> Iterator[tuple[SiteKey, str]]:
    """The values in layers beside one that sets one registry for all images."""
    for other in layers:
        key = global_registry(other.values)
        for layer in layers if key is not None else ():
            note = f"{key} may override it ({other.file}); only the chart can tell"
            if layer is not other:
                yield from ((layer.key(scalar), note) for _, scalar in scalars(layer.values))


def _blocks(node: Node, path: _Path) -> Iterator[tuple[_Path, _Block]]:
    if not isinstance(node, Mapping):
        return
    repositories = (_filled(node, key) for key in _REPOSITORY_KEYS)
    block = (_filled(node, "registry"), next(filter(None, repositories), None))
    if any(block):
        yield path, block
    for key, value in node.pairs():
        yield from _blocks(value, (*path, key.value))


def _filled(node: Mapping, key: str) -> Scalar | None:
    found = node.scalar(key)
    return None if found is None or found.is_empty else found


def _releases(index: Index) -> Iterator[list[_Layer]]:
    maps = _config_maps(index) if index.releases else {}
    for file, document, spec in _specs(index):
        yield [*_brought(file, spec, maps), *_own(file, document, spec)]


def _specs(index: Index) -> Iterator[tuple[str, Document, Mapping]]:
    """The specs of the releases that take values from elsewhere."""
    for file in sorted({release.file for release in index.releases}):
        for document in read_documents(index.workspace, file, _takes_values):
            for root in objects(document.root):
                spec = root.mapping("spec")
                if root.text("kind") == "HelmRelease" and spec is not None:
                    yield file, document, spec


def _takes_values(text: str) -> bool:
    return "valuesFrom" in text and not is_definition(text)


def _own(file: str, document: Document, spec: Mapping) -> Iterator[_Layer]:
    values = spec.mapping("values")
    if values is not None:
        yield _Layer(file, document, values)


_Maps = dict[tuple[str, str], list[_Layer]]
"""By name and key of ConfigMaps, the values that they hold, written or generated."""


def _config_maps(index: Index) -> _Maps:
    found: _Maps = {
        (source.name, source.key): []
        for release in index.releases
        for source in release.values_from
        if source.target_path is None
    }
    names = {name for name, _ in found}

    def is_wanted(text: str) -> bool:
        return "ConfigMap" in text and any(n in text for n in names) and not is_definition(text)

    for file in index.config_map_files:
        for document in read_documents(index.workspace, file, is_wanted):
            for root in objects(document.root):
                _add_config_map(found, file, document, root)
    for kustomization in index.kustomizations.values():
        for name, key, file in generated_files(kustomization):
            if (name, key) in found:
                found[name, key] += _file(index, file)
    return found


def _add_config_map(found: _Maps, file: str, document: Document, root: Mapping) -> None:
    name, data = resource_of(root).name, root.mapping("data")
    for key, value in data.pairs() if data is not None and root.text("kind") == "ConfigMap" else ():
        if isinstance(value, Scalar) and (name, key.value) in found:
            found[name, key.value] += _embedded(file, document, value)


def _brought(file: str, spec: Mapping, maps: _Maps) -> Iterator[_Layer]:
    """What `valuesFrom` brings; of several ConfigMaps of one name those below the release."""
    folder = file.rpartition("/")[0]
    for item in spec.items("valuesFrom"):
        if isinstance(item, Mapping) and item.text("targetPath") is None:
            wanted = (item.text("name") or "", item.text("valuesKey") or "values.yaml")
            fitting = maps.get(wanted, [])
            near = [layer for layer in fitting if layer.file.startswith(f"{folder}/")]
            yield from near or fitting


def _embedded(file: str, document: Document, text: Scalar) -> Iterator[_Layer]:
    try:
        found = parse_embedded(document, text)
    except SourceError:
        return
    for inner in found:
        yield _Layer(file, inner, inner.mapping)


def _file(index: Index, file: str) -> Iterator[_Layer]:
    for document in read_documents(index.workspace, file):
        yield _Layer(file, document, document.mapping)


def _applications(index: Index) -> Iterator[list[_Layer]]:
    for file, document, root in index.applications if index.has_applications else ():
        for source, _ in application_sources(root):
            helm = source.mapping("helm") or Mapping(0, None, flow=False)
            files = source_value_files(source, index.files)
            layers = [layer for name in files for layer in _file(index, name)]
            values, nested = helm.scalar("values"), helm.mapping("valuesObject")
            if values is not None and not values.is_empty:
                layers += _embedded(file, document, values)
            layers += [_Layer(file, document, nested)] if nested is not None else []
            parameters = parameter_tree(helm.items("parameters"))
            yield [*layers, _Layer(file, document, parameters)]


def _helmfiles(index: Index) -> Iterator[list[_Layer]]:
    for file, facts in index.helmfiles.items():
        folder = file.rpartition("/")[0]
        for document in read_documents(index.workspace, file):
            for found in release_values(document.mapping, facts.texts):
                layers: list[_Layer] = []
                for item in found.values:
                    if isinstance(item, Mapping):
                        layers.append(_Layer(file, document, item))
                        continue
                    for name in (join(folder, path) for path in item):
                        layers += _file(index, name) if name is not None else ()
                yield [*layers, _Layer(file, document, found.parameters)]


def _inflations(index: Index) -> Iterator[list[_Layer]]:
    """What kustomize inflates: inline values lie over files, or under them by `valuesMerge`."""
    for found in index.kustomizations.values() if index.has_inflations else ():
        for _, chart, _ in inflated_charts(found):
            names = inflation_files(found.folder, chart)
            layers = [layer for name in names for layer in _file(index, name)]
            inline = chart.mapping("valuesInline")
            at = 0 if chart.text("valuesMerge") == "merge" else len(layers)
            if inline is not None:
                layers.insert(at, _Layer(found.file, found.document, inline))
            yield layers


def _charts(index: Index) -> Iterator[list[_Layer]]:
    """A chart's own values with each further file beside them."""
    files: dict[str, list[str]] = {}
    for file in index.files:
        folder, _, name = file.rpartition("/")
        if folder in index.charts and _VALUES_FILE.fullmatch(name):
            files.setdefault(folder, []).append(file)
    for folder, found in sorted(files.items()):
        base = [file for file in found if file[len(folder) :].lstrip("/") in _OWN_VALUES]
        for other in sorted(set(found) - set(base)):
            yield [layer for file in (*base, other) for layer in _file(index, file)]
