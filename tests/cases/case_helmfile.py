"""The releases of a helmfile, as helmfile hands them to Helm (docs/facts.md, E5)."""

import json
import posixpath
from collections.abc import Iterator
from functools import reduce
from typing import Any

from case_cluster import Chart, Cluster, merged
from case_releases import chart_below, rendered

from real_tools import Object, dump_all, helm_template, kustomize, load_all

__all__ = ["helmfile_objects"]


def helmfile_objects(cluster: Cluster, file: str) -> Iterator[Object]:
    """Yield the objects of each release whose chart is at hand."""
    folder = posixpath.dirname(file)
    body = _filled(cluster, file)
    for release in body.get("releases", []):
        templates = [body["templates"][one["template"]] for one in release.get("inherit", [])]
        whole = reduce(lambda made, one: _inherited(one, made), reversed(templates), release)
        if "://" not in whole["chart"]:
            yield from _release(cluster, folder, whole)


def _inherited(template: Object, release: Object) -> Object:
    """Return a release with what a template says as well: lists appended, all else its own."""
    made = dict(template)
    for key, value in release.items():
        made[key] = [*made.get(key, []), *value] if isinstance(value, list) else value
    return made


def _filled(cluster: Cluster, file: str) -> Object:
    """A helmfile's text with its templates filled; Helm's engine stands in for helmfile's."""
    text = cluster.tree[file].decode()
    if "{{" not in text:
        made: Object = load_all(text)[0]
        return made
    head = load_all(text.split("\n---\n")[0])[0] if "\n---\n" in text else {}
    values: Any = {}
    for environment in head.get("environments", {}).values():
        for one in environment.get("values", []):
            own = one if isinstance(one, dict) else _read(cluster, posixpath.dirname(file), one)
            values = merged(values, own)
    chart = {
        "Chart.yaml": b"apiVersion: v2\nname: fill\nversion: 1.0.0\n",
        "templates/t.yaml": b"kind: X\n" + text.rpartition("\n---\n")[2].encode(),
    }
    return helm_template(chart, [values])[0]


def _release(cluster: Cluster, folder: str, release: Object) -> list[Object]:
    values: Any = {}
    for one in release.get("values", []):
        values = merged(values, one if isinstance(one, dict) else _read(cluster, folder, one))
    arguments = ["--is-upgrade"] if cluster.profile.upgrade else []
    for key, flag in (("set", "--set"), ("setTemplate", "--set"), ("setString", "--set-string")):
        for one in release.get(key, []):
            arguments += [flag, f"{one['name']}={one['value']}"]
    chart = Chart(chart_below(cluster.tree, posixpath.join(folder, release["chart"])), (), "")
    namespace = release.get("namespace", "default")
    at = cluster.profile.revision
    objects = rendered(chart, values, arguments, release["name"], namespace, revision=at)
    behind: Object = {
        key: [_read(cluster, folder, one) if isinstance(one, str) else one for one in release[key]]
        for key in ("jsonPatches", "strategicMergePatches", "transformers")
        if key in release
    }
    return _patched(objects, behind)


def _read(cluster: Cluster, folder: str, name: str) -> Any:
    return load_all(cluster.tree[posixpath.normpath(posixpath.join(folder, name))])[0]


def _patched(objects: list[Object], release: Object) -> list[Object]:
    body: Object = {
        "patchesJson6902": [
            {"target": one["target"], "patch": json.dumps(one["patch"])}
            for one in release.get("jsonPatches", [])
        ],
        "patchesStrategicMerge": [
            dump_all([one]).decode() for one in release.get("strategicMergePatches", [])
        ],
    }
    body = {key: value for key, value in body.items() if value}
    files = {"all.yaml": dump_all(objects)}
    for number, one in enumerate(release.get("transformers", [])):
        files[f"t{number}.yaml"] = dump_all([one])
        body["transformers"] = [*body.get("transformers", []), f"t{number}.yaml"]
    if not body:
        return objects
    files["kustomization.yaml"] = json.dumps({"resources": ["all.yaml"], **body}).encode()
    return kustomize(files)
