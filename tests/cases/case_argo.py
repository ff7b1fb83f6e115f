"""Argo CD's Applications and ApplicationSets, as its repo server renders them (E4)."""

import fnmatch
import functools
import itertools
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from case_cluster import Chart, Cluster, kustomization_of, merged
from case_releases import chart_below, rendered

from real_tools import BuildError, Object, Tree, helm_template, kustomize, load_all

__all__ = ["application_sources", "applications"]

Source = tuple[str, Callable[[], list[Object]]]


def applications(tree: Tree, one: Object) -> list[Object]:
    """Return the Applications of an object: itself, or what an ApplicationSet makes."""
    if one["kind"] == "Application":
        return [one]
    spec = one["spec"]
    return [
        _filled_application(spec, parameters)
        for generator in spec["generators"]
        for parameters in _parameters(tree, generator, go=bool(spec.get("goTemplate")))
    ]


def application_sources(cluster: Cluster, app: Object) -> Iterator[Source]:
    """Yield each source of an Application: the name of its build, and what renders it."""
    spec, name = app["spec"], app["metadata"]["name"]
    namespace = spec.get("destination", {}).get("namespace", "default")
    sources = spec.get("sources") or [spec["source"]]
    for number, source in enumerate(sources):
        if "path" in source or "chart" in source:
            render = functools.partial(_render, cluster, source, name, namespace)
            yield f"Application {name}[{number}]", render


def _render(cluster: Cluster, source: Object, name: str, namespace: str) -> list[Object]:
    if "chart" in source:
        chart = chart_below(cluster.remote, posixpath.basename(source["chart"]))
        return _helm(cluster.tree, chart, ".", source.get("helm", {}), (name, namespace))
    folder = posixpath.normpath(source["path"])
    for file in (".argocd-source.yaml", f".argocd-source-{name}.yaml"):
        text = cluster.tree.get(posixpath.normpath(f"{folder}/{file}"))
        if text is not None:
            source = merged(source, load_all(text)[0])
    top = "" if folder == "." else f"{folder}/"
    if f"{top}Chart.yaml" in cluster.tree:
        chart = chart_below(cluster.tree, folder)
        return _helm(cluster.tree, chart, folder, source.get("helm", {}), (name, namespace))
    if kustomization_of(cluster.tree, folder) is not None:
        return _kustomize(cluster.tree, folder, source.get("kustomize", {}))
    return list(_directory(cluster.tree, top, source.get("directory", {})))


def _helm(
    tree: Tree, chart: Tree, folder: str, helm: Object, named: tuple[str, str]
) -> list[Object]:
    layers: list[Any] = []
    for pattern in helm.get("valueFiles", []):
        rooted = pattern.startswith(("$", "/"))
        rest = pattern.partition("/")[2]
        path = rest if rooted else posixpath.normpath(f"{folder}/{pattern}")
        found = sorted(fnmatch.filter(tree, path))
        if not found and not helm.get("ignoreMissingValueFiles"):
            raise BuildError(f"no value file {path}")
        layers += [load_all(tree[file])[0] for file in found]
    layers += [helm["valuesObject"]] if "valuesObject" in helm else load_all(helm.get("values", ""))
    whole: Any = {}
    for layer in layers:
        whole = merged(whole, layer)
    name = helm.get("releaseName", named[0])
    return rendered(Chart(chart, (), ""), whole, list(_sets(helm)), name, named[1])


def _sets(helm: Object) -> Iterator[str]:
    for one in helm.get("parameters", []):
        flag = "--set-string" if one.get("forceString") else "--set"
        yield from (flag, f"{one['name']}={one['value']}")


def _kustomize(tree: Tree, folder: str, spec: Object) -> list[Object]:
    file = kustomization_of(tree, folder)
    assert file is not None
    body = load_all(tree[file])[0]
    entries = {one["name"]: one for one in body.get("images", [])}
    for text in spec.get("images", []):
        entry = _entry(text)
        entries[entry["name"]] = entry
    images = sorted(entries.values(), key=lambda one: str(one["name"]))
    if spec.get("images"):
        body["images"] = images
    for key in ("patches", "components"):
        body[key] = body.get(key, []) + spec.get(key, [])
    body |= {key: spec[key] for key in ("namePrefix", "nameSuffix", "namespace") if key in spec}
    body = {key: value for key, value in body.items() if value}
    text = json.dumps(body).encode()
    return kustomize({**tree, file: text}, folder, helm=b"helmChart" in text)


def _entry(text: str) -> Object:
    """What `kustomize edit set image` makes of one text."""
    name, _, new = text.rpartition("=")
    image, _, digest = new.partition("@")
    found = re.fullmatch(r"(?P<name>.+?)(?::(?P<tag>[^/:]+))?", image)
    assert found is not None
    made: Object = {"name": name or found["name"]}
    if found["name"] != made["name"]:
        made["newName"] = found["name"]
    return made | {k: v for k, v in (("newTag", found["tag"]), ("digest", digest)) if v}


def _directory(tree: Tree, top: str, directory: Object) -> Iterator[Object]:
    for file in sorted(tree):
        inner = file.removeprefix(top)
        inside = file.startswith(top) and ("/" not in inner or directory.get("recurse"))
        if inside and inner.endswith((".yaml", ".yml", ".json")):
            yield from load_all(tree[file])


def _parameters(tree: Tree, generator: Object, *, go: bool) -> list[Object]:
    """The parameter sets of one generator."""
    if "list" in generator:
        elements = list(generator["list"].get("elements", []))
        for document in load_all(generator["list"].get("elementsYaml", "")):
            elements += document
        return elements
    if "clusters" in generator:
        return [{"name": "in-cluster", "server": "https://kubernetes.default.svc"}]
    if "git" in generator:
        return list(_git_parameters(tree, generator["git"], go=go))
    if "merge" in generator:
        return _merge_parameters(tree, generator["merge"], go=go)
    pairs = [_parameters(tree, one, go=go) for one in generator["matrix"]["generators"]]
    return [merged(first, second) for first, second in itertools.product(*pairs)]


def _git_parameters(tree: Tree, git: Object, *, go: bool) -> Iterator[Object]:
    for item in git.get("files", []):
        for file in sorted(fnmatch.filter(tree, item["path"])):
            if file.count("/") == item["path"].count("/"):
                yield {**load_all(tree[file])[0], **_path(posixpath.dirname(file), go=go)}
    folders = sorted({posixpath.dirname(file) for file in tree} - {""})
    for item in git.get("directories", []):
        for folder in fnmatch.filter(folders, item["path"]):
            if folder.count("/") == item["path"].count("/"):
                yield _path(folder, go=go)


def _path(folder: str, *, go: bool) -> Object:
    base = posixpath.basename(folder)
    if go:
        return {"path": {"path": folder, "basename": base, "segments": folder.split("/")}}
    return {"path": folder, "path.basename": base}


def _merge_parameters(tree: Tree, spec: Object, *, go: bool) -> list[Object]:
    first, *others = [_parameters(tree, one, go=go) for one in spec["generators"]]
    for other, one in itertools.product(itertools.chain(*others), range(len(first))):
        if all(other.get(key) == first[one].get(key) for key in spec["mergeKeys"]):
            first[one] = merged(first[one], other)
    return first


def _filled_application(spec: Object, parameters: Object) -> Object:
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **spec["template"]}
    fill = _filled_go if spec.get("goTemplate") else _filled_plain
    made = fill(template, parameters)
    if "templatePatch" in spec:
        patch = fill({"patch": spec["templatePatch"]}, parameters)["patch"]
        made = merged(made, load_all(patch)[0])
    return made


def _filled_plain(template: Object, parameters: Object) -> Object:
    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        if not isinstance(node, str):
            return node
        return re.sub(r"\{\{\s*([\w.\[\]]+)\s*\}\}", lambda m: str(parameters[m[1]]), node)

    made: Object = fill(template)
    return made


def _filled_go(template: Object, parameters: Object) -> Object:
    """Fill every text of a template; Helm's template engine stands in for Argo CD's."""
    context = '(merge .Values.p (dict "Template" .Template))'
    lines = [f"- {{{{ tpl {json.dumps(text)} {context} | toJson }}}}" for text in _texts(template)]
    document = "\n".join(["kind: X", "texts:", *lines])
    chart = {
        "Chart.yaml": b"apiVersion: v2\nname: fill\nversion: 1.0.0\n",
        "templates/t.yaml": document.encode(),
    }
    filled = iter(helm_template(chart, [{"p": parameters}])[0]["texts"] or [])

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        return next(filled) if isinstance(node, str) and "{{" in node else node

    made: Object = fill(template)
    return made


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        if "{{" in node:
            yield node
        return
    inner: Iterable[Any] = node.values() if isinstance(node, dict) else ()
    for value in node if isinstance(node, list) else inner:
        yield from _texts(value)
