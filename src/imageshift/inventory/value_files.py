"""Files of values that Argo CD Applications and HelmReleases name."""

import fnmatch
from collections.abc import Iterator

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.inventory.readers import join
from imageshift.lazy import lazy_re
from imageshift.sites.argocd import application_sources
from imageshift.sites.model import below
from imageshift.source import Mapping, Scalar

__all__ = ["named_value_files", "source_value_files"]

_TEMPLATE = lazy_re(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}")
_REFERENCE = lazy_re(r"\$[\w-]+/")


def named_value_files(root: Mapping, files: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """The files of the tree that an object takes as values, with whether its chart is prefix-free.

    `$ref/path` and a path from the root are looked for in this tree, as if the source were this
    repository. A template in a path (an ApplicationSet's that nobody can fill) stands for any text,
    so the files are those that it could mean.
    """
    if root.text("kind") == "HelmRelease":
        yield from _of_release(root)
        return
    for source, _ in application_sources(root):
        free = is_prefix_free(source.text("chart") or "", source.text("repoURL"))
        yield from ((name, free) for name in source_value_files(source, files))


def source_value_files(source: Mapping, files: tuple[str, ...]) -> Iterator[str]:
    """The files of the tree that one source of an Application takes as values, lowest first."""
    for path in _paths(source):
        yield from _meant(path, files)


def _of_release(root: Mapping) -> Iterator[tuple[str, bool]]:
    """Only a chart from a repository of files has them there: paths begin at its root."""
    spec = below(root, "spec", "chart", "spec")
    source = below(spec, "sourceRef")
    if source.text("kind") in {"GitRepository", "Bucket"}:
        chart = (spec.text("chart") or "").rstrip("/").rpartition("/")[2]
        for item in spec.items("valuesFiles"):
            name = join("", item.value) if isinstance(item, Scalar) else None
            if name:
                yield name, is_prefix_free(chart, None)


def _paths(source: Mapping) -> Iterator[str]:
    folder = source.text("path") or ""
    for item in below(source, "helm").items("valueFiles"):
        text = item.value if isinstance(item, Scalar) else ""
        plain = _REFERENCE.sub("", text, count=1)
        rooted = plain != text or text.startswith("/")
        name = join("" if rooted else folder, plain.lstrip("/"))
        if name:
            yield name


def _meant(path: str, files: tuple[str, ...]) -> list[str]:
    """The files that a path can mean; none where it says nothing but the name of a file."""
    if "{{" not in path:
        return [path]
    pattern = _TEMPLATE.sub("*", path)
    folders = pattern.split("/")[:-1]
    if all("*" in folder for folder in folders):
        return []
    return fnmatch.filter(files, pattern)
