"""Argo CD Applications that build a kustomization of this tree, in the terms of a Flux spec."""

from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.charts.model import ObjectName, ValuePath
from imageshift.charts.plain import to_plain
from imageshift.entry import split_image
from imageshift.inventory import Index
from imageshift.links.sources import application_folders
from imageshift.sites import resource_of
from imageshift.sites.argocd import application_sources
from imageshift.source import Mapping as Node
from imageshift.verify.model import Plain

__all__ = ["Owner", "application_builds", "owned"]

_KEPT = ("namePrefix", "nameSuffix", "patches", "components")
_JUDGED = {
    "kustomize": frozenset({"images", "patches", "components"}),
    "helm": frozenset({"parameters", "values", "valuesObject"}),
}

Owner = tuple[str, str, str, tuple[str | int, ...]]
"""Kind, namespace and name of the object that has a build's source, and where it says how.

That is the path of the source, and its key `kustomize` or `helm`.
"""


def application_builds(index: Index) -> Iterator[tuple[str, str, Plain, Owner]]:
    """Folder and file of each Application that builds a kustomization, its data, and its owner.

    The data's spec says what it adds to the kustomization as a Flux Kustomization would.
    """
    for found in index.applications:
        resource = resource_of(found.root)
        for source, path in application_sources(found.merged):
            for folder, _ in application_folders(index, source):
                if folder in index.kustomizations:
                    owner = (resource.kind, resource.namespace, resource.name, (*path, "kustomize"))
                    metadata = {"namespace": resource.namespace, "name": found.name}
                    data = {"kind": "Application", "metadata": metadata, "spec": _spec(source)}
                    yield folder, found.file, data, owner


def owned(name: ObjectName, path: ValuePath) -> Owner | None:
    """The source that a place in an object belongs to, where what it builds judges it better."""
    for key, judged in _JUDGED.items():
        at = path.index(key) + 1 if key in path else len(path)
        if at < len(path) and path[at] in judged:
            return name.kind, name.namespace, name.name, path[:at]
    return None


def _spec(source: Node) -> Plain:
    kustomize = source.mapping("kustomize")
    plain = {} if kustomize is None else to_plain(kustomize)
    if not isinstance(plain, Mapping):
        return {}
    made: dict[str, Any] = {key: plain[key] for key in _KEPT if plain.get(key)}
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
