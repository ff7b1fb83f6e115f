"""What a cluster gets from a tree: the objects that Flux, Argo CD, helmfile and kustomize make.

The readers here are the tests' own, written from docs/facts.md; rendering is left to real
kustomize and real Helm.
"""

import base64
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from real_tools import BuildError, Object, Tree, kustomize, load_all, older_kustomize

__all__ = ["Chart", "Cluster", "Delivered", "Profile", "group_of", "kustomization_of", "merged"]

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True, slots=True)
class Profile:
    """The versions of the controllers, as far as they decide what is delivered.

    `current`: Flux merges `images` field by field and knows no legacy fields; else it replaces
    whole entries and obeys those of beta versions. `revision`: of its releases; from 2 on they are
    upgrades. `target_path_wins`: over `spec.values`, which differs from run to run of a release.
    `older_kustomize`: than most, which takes longer.
    """

    name: str
    current: bool = True
    revision: int = 1
    target_path_wins: bool = False
    older_kustomize: bool = False

    @property
    def upgrade(self) -> bool:
        """Whether releases already exist."""
        return self.revision > 1


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with the texts that replace its values.yaml, and what asked for it."""

    files: Tree
    values: tuple[Any, ...]
    spec: str

    @property
    def version(self) -> str:
        """Return Chart.yaml's version, which tells a controller to build the chart again."""
        return str(load_all(self.files["Chart.yaml"])[0].get("version"))


@dataclass(frozen=True, slots=True)
class Delivered:
    """The objects of one build, or why it has none; `free_jobs` where Jobs may be replaced."""

    objects: tuple[Object, ...] = ()
    error: str | None = None
    free_jobs: bool = False


@dataclass
class Cluster:
    """One cluster: a tree, the charts that come from elsewhere, and what is applied to it.

    `held` are the charts that source-controller built before, by release.
    """

    tree: Tree
    remote: Tree
    profile: Profile
    held: Mapping[str, Chart] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    builds: dict[str, Delivered] = field(default_factory=dict)
    applied: list[Object] = field(default_factory=list)
    consumed: set[tuple[str, str]] = field(default_factory=set)

    def apply(self, places: Sequence[str]) -> None:
        """Apply files and folders, and everything that their objects make in turn."""
        with older_kustomize() if self.profile.older_kustomize else nullcontext():
            self._apply(places)

    def _apply(self, places: Sequence[str]) -> None:
        for place in places:
            self._add(place, self._objects_of, place)
        from case_releases import render_release  # noqa: PLC0415 it reads this cluster

        for release in [one for one in self.applied if kind_of(one) == "HelmRelease"]:
            self._add(name_of(release), render_release, self, release)

    def find(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """Return an applied object, whatever hash its name carries; None where there is none."""
        for one in self.applied:
            own_name = one.get("metadata", {}).get("name", "")
            if kind_of(one) == kind and re.fullmatch(
                re.escape(name) + "(-[a-z0-9]{10})?", own_name
            ):
                own = one["metadata"].get("namespace")
                if own is None or namespace is None or own == namespace:
                    return one
        return None

    def data(self, reference: Object, namespace: str | None) -> dict[str, str]:
        """Return the data of a ConfigMap or Secret that something reads."""
        self.consumed.add((reference["kind"], reference["name"]))
        found = self.find(reference["kind"], namespace, reference["name"])
        if found is None:
            if reference.get("optional"):
                return {}
            raise BuildError(f"no {reference['kind']} {reference['name']}")
        data = found.get("data", {})
        if kind_of(found) == "Secret":
            data = {key: base64.b64decode(value).decode() for key, value in data.items()}
        return {**data, **found.get("stringData", {})}

    def _add(self, key: str, make: Any, *arguments: Any, free_jobs: bool = False) -> None:
        while key in self.builds:
            key += "'"
        try:
            objects = [one for one in make(*arguments) if isinstance(one, dict) and "kind" in one]
        except BuildError as error:
            self.builds[key] = Delivered(error=str(error))
            return
        self.builds[key] = Delivered(tuple(objects), free_jobs=free_jobs)
        if kind_of_build(key) != "HelmRelease":
            self.applied += objects
            self._follow(objects)

    def _follow(self, objects: list[Object]) -> None:
        from case_flux import build_flux  # noqa: PLC0415 as above

        for one in objects:
            if kind_of(one) == "Kustomization" and "toolkit.fluxcd.io" in group_of(one):
                forced = bool(one["spec"].get("force"))
                self._add(name_of(one), build_flux, self, one, free_jobs=forced)
            elif kind_of(one) in {"Application", "ApplicationSet"}:
                self._follow_argo(one)

    def _follow_argo(self, one: Object) -> None:
        from case_argo import application_sources, applications  # noqa: PLC0415 as above

        try:
            apps = applications(self.tree, one)
        except BuildError as error:
            self.builds[name_of(one)] = Delivered(error=str(error))
            return
        for app in apps:
            options = set(app["spec"].get("syncPolicy", {}).get("syncOptions", []))
            for key, make in application_sources(self, app):
                self._add(key, make, free_jobs=options >= {"Force=true", "Replace=true"})

    def _objects_of(self, place: str) -> Iterator[Object]:
        from case_flux import generated  # noqa: PLC0415 as above
        from case_helmfile import helmfile_objects  # noqa: PLC0415 as above

        if place in self.tree:
            if posixpath.basename(place).startswith("helmfile"):
                return helmfile_objects(self, place)
            return iter(load_all(self.tree[place]))
        files = generated(self.tree, place)
        helm = any(b"helmChart" in text for text in files.values())
        return iter(kustomize(files, place, helm=helm))


def kustomization_of(tree: Tree, folder: str) -> str | None:
    """Return the kustomization file of a folder; None where it has none."""
    names = (posixpath.normpath(posixpath.join(folder, name)) for name in KUSTOMIZATIONS)
    return next((name for name in names if name in tree), None)


def kind_of(one: Object) -> str:
    """Return an object's kind."""
    return str(one.get("kind"))


def group_of(one: Object) -> str:
    """Return an object's API group."""
    return str(one.get("apiVersion")).rpartition("/")[0]


def name_of(one: Object) -> str:
    """Return what names a build that an object defines."""
    metadata = one["metadata"]
    return f"{one['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def kind_of_build(key: str) -> str:
    """Return the kind of the object that defines a build; empty for files and folders."""
    return key.partition(" ")[0] if " " in key else ""


def merged(low: Any, high: Any) -> Any:
    """Return two layers of values as Helm merges them: maps by key, everything else whole."""
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return high
    made = dict(low)
    for key, value in high.items():
        made[key] = merged(low[key], value) if key in low else value
    return made
