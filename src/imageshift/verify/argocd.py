"""Argo CD Applications that build a kustomization of this tree, in the terms of a Flux spec."""

from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.charts.plain import to_plain
from imageshift.entry import split_image
from imageshift.inventory import Index
from imageshift.links.sources import application_folders
from imageshift.source import Mapping as Node
from imageshift.verify.model import Plain

__all__ = ["application_builds"]

_KEPT = ("namePrefix", "nameSuffix", "patches", "components")


def application_builds(index: Index) -> Iterator[tuple[str, str, Plain]]:
    """Folder and file of each Application that builds a kustomization, and its data.

    The data's spec says what it adds to the kustomization as a Flux Kustomization would.
    """
    for found in index.applications:
        file, root = found.file, found.merged
        for source in _sources(root):
            for folder, _ in application_folders(index, source):
                if folder in index.kustomizations:
                    metadata = root.mapping("metadata")
                    yield (
                        folder,
                        file,
                        {
                            "kind": "Application",
                            "metadata": {} if metadata is None else to_plain(metadata),
                            "spec": _spec(source),
                        },
                    )


def _sources(root: Node) -> Iterator[Node]:
    spec = root.mapping("spec")
    template = None if spec is None else spec.mapping("template")
    spec = spec if template is None else template.mapping("spec")
    if spec is not None:
        for source in (spec.get("source"), *spec.items("sources")):
            if isinstance(source, Node):
                yield source


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
