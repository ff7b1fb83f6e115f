"""Argo CD Applications that build a kustomization of this tree, in the terms of a Flux spec."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ObjectName, ValuePath
from imageshift.charts.plain import load_plain, to_plain
from imageshift.charts.values import merge
from imageshift.entry import split_image
from imageshift.inventory.index import join
from imageshift.inventory.objects import Application
from imageshift.links.sources import application_folders
from imageshift.sites import resource_of
from imageshift.sites.argocd import application_sources
from imageshift.sites.sync_options import application_options, remakes_jobs
from imageshift.source import Mapping as Node
from imageshift.verify.model import Plain
from imageshift.verify.tree import Tree

__all__ = [
    "Owner",
    "Source",
    "application_builds",
    "folder_of",
    "owned",
    "sources",
    "without_judged",
]

_KEPT = ("namePrefix", "nameSuffix", "patches", "components")
_JUDGED = {
    "kustomize": frozenset({"images", "patches", "components"}),
    "helm": frozenset({"parameters", "values", "valuesObject"}),
}

Owner = tuple[str, str, str, tuple[str | int, ...]]
"""Kind, namespace and name of the object that has a build's source, and where it says how.

That is the path of the source, and its key `kustomize` or `helm`.
"""


class Source(Struct, frozen=True):
    """A source of an Application as Argo CD reads it: with `files` of overrides over it (E4)."""

    application: Application
    node: Node
    data: Plain
    path: ValuePath
    files: tuple[str, ...] = ()

    @property
    def is_forced(self) -> bool:
        """Whether Argo CD deletes and creates Jobs that have changed."""
        return remakes_jobs(application_options(self.application.spec))

    def owner(self, key: str) -> Owner:
        """What it is in the object that has it; `key` says how it is built."""
        resource = resource_of(self.application.root)
        return resource.kind, resource.namespace, resource.name, (*self.path, key)


def sources(tree: Tree) -> Iterator[Source]:
    """The sources of all Applications, those of ApplicationSets' elements among them."""
    for found in tree.index.applications:
        for node, path in application_sources(found.merged):
            data = to_plain(node)
            files = tuple(_override_files(tree, data, found))
            for file in files:
                over = load_plain(tree.read(file) or b"", file)
                data = merge(data, over) if isinstance(over, Mapping) else data
            yield Source(found, node, data, path, files)


def folder_of(source: Plain) -> str | None:
    """The folder that a source's `path` names; None where it leads out of the tree."""
    return join("", str(source.get("path") or "").lstrip("/") or ".")


def without_judged(data: Any) -> Any:
    """A file of overrides without what a build judges better."""
    found = dict(data) if isinstance(data, Mapping) else {}
    for key, judged in _JUDGED.items():
        inner = found.get(key)
        if isinstance(inner, Mapping):
            found[key] = {name: value for name, value in inner.items() if name not in judged}
    return found


def _override_files(tree: Tree, source: Plain, application: Application) -> Iterator[str]:
    folder = folder_of(source)
    names = [".argocd-source.yaml", f".argocd-source-{application.name}.yaml"]
    space = resource_of(application.root).namespace
    names += [f".argocd-source-{space}_{application.name}.yaml"] if space else []
    for name in names if "path" in source and folder is not None else ():
        file = join(folder or "", name)
        if file is not None and file in tree.index.argocd_files:
            yield file


def application_builds(tree: Tree) -> Iterator[tuple[str, str, Plain, Owner]]:
    """Folder and file of each Application that builds a kustomization, its data, and its owner.

    The data's spec says what it adds to the kustomization as a Flux Kustomization would.
    """
    for source in sources(tree):
        for folder, _ in application_folders(tree.index, source.node):
            if folder in tree.index.kustomizations:
                found = source.application
                space = resource_of(found.root).namespace
                metadata = {"namespace": space, "name": found.name}
                data = {"kind": "Application", "metadata": metadata, "spec": _spec(source)}
                yield folder, found.file, data, source.owner("kustomize")


def owned(name: ObjectName, path: ValuePath) -> Owner | None:
    """The source that a place in an object belongs to, where what it builds judges it better."""
    for key, judged in _JUDGED.items():
        at = path.index(key) + 1 if key in path else len(path)
        if at < len(path) and path[at] in judged:
            return name.kind, name.namespace, name.name, path[:at]
    return None


def _spec(source: Source) -> Plain:
    plain = source.data.get("kustomize")
    made: dict[str, Any] = {"force": True} if source.is_forced else {}
    if not isinstance(plain, Mapping):
        return made
    made |= {key: plain[key] for key in _KEPT if plain.get(key)}
    if plain.get("namespace"):
        made["targetNamespace"] = plain["namespace"]
    images = [_entry(text) for text in plain.get("images") or () if isinstance(text, str)]
    return made | ({"images": images} if images else {})


def _entry(text: str) -> Plain:
    """The entry that Argo CD makes of `old=new:tag` or of `name:tag`."""
    old, equals, new = text.partition("=")
    name, tag, digest = split_image(new if equals else old)
    made = {"name": old, "newName": name} if equals else {"name": name}
    made |= {"newTag": tag} if tag else {}
    return made | ({"digest": digest} if digest else {})
