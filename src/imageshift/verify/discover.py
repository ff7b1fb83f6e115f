"""What is deployed from a tree: every build, followed through the Flux objects that it makes."""

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.model import ObjectName
from imageshift.charts.plain import to_plain
from imageshift.charts.rendering.manifests import split_manifest
from imageshift.errors import ToolError
from imageshift.inventory import FluxKustomization
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.lazy import lazy_re
from imageshift.links.sources import flux_folders
from imageshift.repo.workspace import CONFIG_NAME
from imageshift.sites import resource_of
from imageshift.source import SourceText, split_documents
from imageshift.steps import expect, step
from imageshift.verify.argocd import Owner, application_builds
from imageshift.verify.catalog import Catalog, Spot, data_of
from imageshift.verify.hashes import name_hash
from imageshift.verify.kustomize import Kustomize
from imageshift.verify.model import Plain, UnitKey, VerdictKind, as_tool_error, object_name
from imageshift.verify.objects import read_part
from imageshift.verify.substitute import substitute, takes_variables
from imageshift.verify.tree import Tree

__all__ = ["Unit", "discover", "is_flux"]

_KUSTOMIZATION = lazy_re(r"(?:^|/)(?:kustomization\.ya?ml|Kustomization)\Z")


class Unit(Struct, frozen=True, kw_only=True):
    """Something that is deployed together: a build, or a file that no build includes.

    `files` are all that it is made of; `problem` says why it couldn't be built, `hint` what to
    do about it. `spot` is where its objects look for others, `owner` the Argo CD source that it is.
    `hashes` are those that kustomize has put behind the names of objects before Flux replaced
    variables in them.
    """

    key: UnitKey
    file: str
    spot: Spot
    files: frozenset[str]
    objects: tuple[Plain, ...] = ()
    hashes: dict[ObjectName, str] = field(default_factory=dict)
    problem: str | None = None
    hint: str | None = None
    is_forced: bool = False
    owner: Owner | None = None


class _Order(Struct, frozen=True):
    """A build to make: a folder, with the spec of the Flux Kustomization that deploys it.

    `top` is the first of the builds that led to it, where it isn't the first itself.
    """

    folder: str
    file: str
    data: Plain | None = None
    owner: Owner | None = None
    top: str = ""

    @property
    def spec(self) -> Plain:
        spec = None if self.data is None else self.data.get("spec")
        return spec if isinstance(spec, Mapping) else {}

    @property
    def identity(self) -> str:
        name = None if self.data is None else object_name(self.data)
        return json.dumps([self.folder, str(name), self.spec], sort_keys=True, default=str)

    @property
    def spot(self) -> Spot:
        return Spot(self.file, self.identity, self.top or self.identity)


def discover(
    tree: Tree, kustomize: Callable[[], Kustomize], jobs: int = 1
) -> tuple[list[Unit], Catalog]:
    """The units of a tree, in a steady order, and the objects that they know."""
    return _Discovery(tree, kustomize, jobs).run()


def is_flux(data: Plain) -> bool:
    """Whether an object is a Flux Kustomization."""
    group = str(data.get("apiVersion") or "").partition("/")[0]
    return data.get("kind") == "Kustomization" and group.endswith("fluxcd.io")


class _Discovery(Struct, dict=True):
    tree: Tree
    kustomize: Callable[[], Kustomize]
    jobs: int
    units: list[Unit] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _named: set[tuple[str, str]] = field(default_factory=set)
    _numbers: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def run(self) -> tuple[list[Unit], Catalog]:
        self._catalog = Catalog(self.tree)
        raw = [order for flux in self.tree.index.flux for order in self._orders(flux)]
        tops = [order for order in raw if self._is_top(order)]
        self._follow([*tops, *self._applications, *self._roots()])
        self._follow(order for order in raw if self._name(order) not in self._named)
        self.units += self._loose_files()
        return self.units, self._catalog

    def _follow(self, orders: Iterable[_Order]) -> None:
        """Builds, then what the builds deploy, level by level."""
        waiting = self._new(orders)
        with ThreadPoolExecutor(self.jobs) as pool:
            while waiting:
                expect(len(waiting))
                made = list(pool.map(self._build, waiting))
                self.units += made
                found = [order for unit in made for order in self._deployed(unit)]
                waiting = self._new(found)

    def _deployed(self, unit: Unit) -> list[_Order]:
        """The builds that the Flux Kustomizations among a unit's objects ask for."""
        self._catalog.add(unit.objects, unit.spot)
        try:
            fluxes = [_flux(data, unit.file) for data in unit.objects if is_flux(data)]
            orders = [order for flux in fluxes for order in self._orders(flux)]
        except Exception as error:  # noqa: BLE001 one bad object is no matter for other builds
            self.units.append(replace(unit, objects=(), problem=str(as_tool_error(error))))
            return []
        return [replace(order, top=unit.spot.top) for order in orders]

    def _new(self, orders: Iterable[_Order]) -> list[tuple[_Order, UnitKey]]:
        fresh = []
        for order in orders:
            self._named.add(self._name(order))
            if order.identity not in self._seen:
                self._seen.add(order.identity)
                fresh.append((order, self._key(order)))
        return fresh

    def _orders(self, flux: FluxKustomization) -> Iterator[_Order]:
        for folder, _ in flux_folders(self.tree.index, flux):
            yield _Order(folder, self._file_of(flux, folder), to_plain(flux.root))

    def _file_of(self, flux: FluxKustomization, folder: str) -> str:
        files = self._flux_files.get((flux.resource.name, folder), [flux.file])
        return flux.file if flux.file in files else files[0]

    @cached_property
    def _flux_files(self) -> dict[tuple[str, str], list[str]]:
        """Where the Flux Kustomizations of a name and a folder are written."""
        found: dict[tuple[str, str], list[str]] = {}
        for flux in self.tree.index.flux:
            for folder, _ in flux_folders(self.tree.index, flux):
                found.setdefault((flux.resource.name, folder), []).append(flux.file)
        return found

    def _name(self, order: _Order) -> tuple[str, str]:
        return "" if order.data is None else object_name(order.data).name, order.folder

    def _is_top(self, order: _Order) -> bool:
        """Whether no other build makes this Flux Kustomization."""
        name = self._name(order)[0]
        builders = self.tree.reach.builders(order.file)
        return not any(flux.resource.name != name for flux in builders) and not any(
            order.file in self.tree.closure(folder) for folder in self._plain_roots
        )

    @cached_property
    def _applications(self) -> list[_Order]:
        return [_Order(*build) for build in application_builds(self.tree)]

    def _roots(self) -> list[_Order]:
        known = self.tree.index.kustomizations
        return [_Order(folder, known[folder].file) for folder in self._plain_roots]

    @cached_property
    def _plain_roots(self) -> list[str]:
        """The kustomizations that neither another one nor Flux includes."""
        index = self.tree.index
        known = index.kustomizations
        taken = {
            join(folder, name)
            for folder, found in known.items()
            for key in ("resources", "bases", "components")
            for name in texts(found.root, key)
        }
        flux = {folder for flux in index.flux for folder, _ in flux_folders(index, flux)}
        built = frozenset().union(*(self.tree.closure(folder) for folder in flux))
        taken |= flux | {order.folder for order in self._applications}
        return [
            folder
            for folder, found in sorted(known.items())
            if folder not in taken
            and found.root.text("kind") != "Component"
            and found.file not in built
        ]

    def _build(self, ordered: tuple[_Order, UnitKey]) -> Unit:
        order, key = ordered
        with step(str(key)):
            return self._built(order, key)

    def _built(self, order: _Order, key: UnitKey) -> Unit:
        unit = Unit(
            key=key,
            file=order.file,
            spot=order.spot,
            files=self._files(order),
            is_forced=order.spec.get("force") is True,
            owner=order.owner,
        )
        try:
            return self._with_objects(unit, order)
        except Exception as error:  # noqa: BLE001 one bad build is no matter for the others
            said = as_tool_error(error)
            return replace(unit, problem=str(said), hint=said.hint)

    def _files(self, order: _Order) -> frozenset[str]:
        names = order.spec.get("components")
        inner = [join(order.folder, str(n)) or "" for n in names] if isinstance(names, list) else []
        return frozenset().union(*map(self.tree.closure, (order.folder, *inner)))

    def _key(self, order: _Order) -> UnitKey:
        name = None if order.data is None else object_name(order.data)
        parts = (
            "" if name is None else name.namespace,
            order.folder or "." if name is None else name.name,
            order.folder,
        )
        number = self._numbers[parts]
        self._numbers[parts] += 1
        return UnitKey(VerdictKind.KUSTOMIZATION, *parts, number)

    def _with_objects(self, unit: Unit, order: _Order) -> Unit:
        folder = self.tree.root / order.folder
        if not folder.is_dir():
            raise ToolError(f"there is no folder {order.folder}")
        files, argo = self._gathered(order.folder), order.owner is not None
        text = self.kustomize().build_with(folder, order.spec, files, argo=argo)
        build = order.spec.get("postBuild")
        variables, complete = self._variables(order, build) if build else ({}, False)
        made: list[Plain] = []
        hashes: dict[ObjectName, str] = {}
        for part in split_manifest(text):
            found = raw = read_part(part)
            if build and "${" in part and all(map(takes_variables, raw)):
                found = read_part(substitute(part, variables, complete=complete))
                hashes |= _hashes(raw, found)
            made += found
        return replace(unit, objects=tuple(made), hashes=hashes)

    def _gathered(self, folder: str) -> list[str]:
        """What Flux takes of a folder without a kustomization, relative to the folder."""
        if folder in self.tree.index.kustomizations:
            return []
        return [posixpath.relpath(name, folder or ".") for name in self.tree.gathered(folder)]

    def _variables(self, order: _Order, build: Plain) -> tuple[dict[str, str], bool]:
        variables: dict[str, str] = {}
        complete = True
        namespace = "" if order.data is None else object_name(order.data).namespace
        for source in build.get("substituteFrom") or ():
            kind, name = str(source.get("kind")), str(source.get("name"))
            found = self._catalog.near(order.spot).find(kind, namespace, name)
            data = None if found is None else data_of(found)
            complete = complete and data is not None
            variables |= data or {}
        inline = build.get("substitute")
        if isinstance(inline, Mapping):
            variables |= {str(key): _text(value) for key, value in inline.items()}
        return variables, complete

    def _loose_files(self) -> list[Unit]:
        """The files that no build has taken in, those of failed builds among them."""
        taken = {file for u in self.units if u.problem is None for file in u.files}
        failed = {file for u in self.units if u.problem is not None for file in u.files}
        made = []
        for file in self.tree.index.files:
            is_failed = file in failed and _KUSTOMIZATION.search(file) is not None
            if file in taken or is_failed or file.rpartition("/")[2] == CONFIG_NAME:
                continue
            key = UnitKey(VerdictKind.FILE, "", file, file)
            objects = tuple(data for data in self.tree.objects(file) if data.get("kind"))
            spot = Spot(file)
            self._catalog.add(objects, spot)
            files = frozenset({file})
            made.append(Unit(key=key, file=file, spot=spot, files=files, objects=objects))
        return made


def _flux(data: Plain, file: str) -> FluxKustomization:
    """A built Flux Kustomization as the inventory reads written ones."""
    source = SourceText.decode(json.dumps(data, default=str).encode())
    document = next(doc for chunk in split_documents(source) for doc in chunk.documents())
    root = document.mapping
    return FluxKustomization(file=file, document=document, root=root, resource=resource_of(root))


def _hashes(raw: Iterable[Plain], replaced: Iterable[Plain]) -> dict[ObjectName, str]:
    """What kustomize has put behind the names of objects, whose variables were then replaced."""
    pairs = ((new, name_hash(old)) for old, new in zip(raw, replaced, strict=False))
    return {object_name(new): suffix for new, suffix in pairs if suffix is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
