"""A HelmRelease as source-controller and helm-controller render it (docs/facts.md, E3)."""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from case_cluster import Chart, Cluster, Profile, group_of, merged, name_of
from case_flux import patched

from real_tools import HOOK, BuildError, Object, Tree, dump_all, helm_template, kustomize, load_all

__all__ = ["chart_below", "render_release", "rendered"]


def render_release(cluster: Cluster, release: Object) -> Iterator[Object]:
    """Yield the objects of a release after its post-renderers."""
    spec, metadata = release["spec"], release["metadata"]
    namespace = spec.get("targetNamespace") or metadata.get("namespace", "default")
    chart = _chart(cluster, release)
    values = _release_values(cluster, release)
    arguments = ["--is-upgrade"] if cluster.profile.upgrade else []
    action = spec.get("upgrade" if cluster.profile.upgrade else "install", {})
    if action.get("disableSchemaValidation"):
        arguments.append("--skip-schema-validation")
    name = spec.get("releaseName", metadata["name"])
    at = cluster.profile.revision
    objects = rendered(chart, values, arguments, name, namespace, revision=at)
    return iter(_post_rendered(objects, release, cluster.profile))


def rendered(
    chart: Chart,
    values: Any,
    arguments: Iterable[str],
    name: str,
    namespace: str,
    *,
    revision: int = 1,
) -> list[Object]:
    """Return what Helm renders of a chart as a revision of a release."""
    files = dict(chart.files)
    if chart.values:
        whole: Any = {}
        for layer in chart.values:
            whole = merged(whole, layer)
        files["values.yaml"] = json.dumps(whole).encode()
    if revision > 1:
        for path in [path for path in files if "templates/" in path]:
            number = str(revision).encode()
            files[path] = re.sub(rb"\$?\.Release\.Revision", number, files[path])
    return helm_template(files, [values], *arguments, name=name, namespace=namespace)


def chart_below(tree: Tree, folder: str) -> Tree:
    """Return the files of a chart in a tree.

    Raises:
        BuildError: there is none.
    """
    top = posixpath.normpath(folder) + "/"
    found = {name[len(top) :]: text for name, text in tree.items() if name.startswith(top)}
    if "Chart.yaml" not in found:
        raise BuildError(f"no chart in {folder}")
    return found


def _chart(cluster: Cluster, release: Object) -> Chart:
    chart = _asked_chart(cluster, release)
    key = name_of(release)
    held = cluster.held.get(key)
    if held is not None and (held.spec, held.version) == (chart.spec, chart.version):
        chart = held
    cluster.charts[key] = chart
    return chart


def _asked_chart(cluster: Cluster, release: Object) -> Chart:
    spec = release["spec"]
    if "chart" in spec:
        version = release["apiVersion"].rpartition("/")[2]
        return _template_chart(cluster, spec["chart"]["spec"], version)
    reference = spec["chartRef"]
    namespace = reference.get("namespace") or release["metadata"].get("namespace")
    source = cluster.find(reference["kind"], namespace, reference["name"])
    if source is None:
        raise BuildError(f"no {reference['kind']} {reference['name']}")
    if reference["kind"] == "HelmChart":
        return _template_chart(cluster, source["spec"], source["apiVersion"].rpartition("/")[2])
    name = posixpath.basename(source["spec"]["url"])
    return Chart(chart_below(cluster.remote, name), (), json.dumps(source["spec"]))


def _template_chart(cluster: Cluster, spec: Object, version: str) -> Chart:
    names = list(spec.get("valuesFiles", []))
    if "beta" in version and not cluster.profile.current and "valuesFile" in spec:
        names.insert(0, spec["valuesFile"])
    if spec["sourceRef"]["kind"] in {"GitRepository", "Bucket"}:
        files = chart_below(cluster.tree, spec["chart"])
        texts = [cluster.tree.get(posixpath.normpath(name)) for name in names]
    else:
        files = chart_below(cluster.remote, posixpath.basename(spec["chart"]))
        texts = [files.get(name) for name in names]
    values = tuple(load_all(text)[0] for text in texts if text is not None)
    if len(values) < len(names):
        raise BuildError(f"one of {names} is not there")
    return Chart(files, values, json.dumps(spec))


def _release_values(cluster: Cluster, release: Object) -> Any:
    spec, namespace = release["spec"], release["metadata"].get("namespace")
    own = spec.get("values") or {}
    made: Any = {}
    late: list[tuple[str, Any]] = []
    for reference in spec.get("valuesFrom", []):
        text = cluster.data(reference, namespace).get(reference.get("valuesKey", "values.yaml"))
        if text is None:
            continue
        if "targetPath" in reference:
            late.append((reference["targetPath"], _typed(text)))
            made = merged(made, _nested(*late[-1]))
        else:
            made = merged(made, load_all(text)[0])
    made = merged(made, own)
    for path, value in late if cluster.profile.target_path_wins else ():
        made = merged(made, _nested(path, value))
    return made


def _nested(path: str, value: Any) -> Any:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def _typed(text: str) -> Any:
    if re.fullmatch(r"\d+", text) and not text.startswith("0"):
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text, text.strip("\"'"))


def _post_rendered(objects: list[Object], release: Object, profile: Profile) -> list[Object]:
    version = release["apiVersion"].rpartition("/")[2]
    hooks = [one for one in objects if HOOK in (one["metadata"].get("annotations") or {})]
    skipped = [] if profile.current else hooks
    objects = [one for one in objects if one not in skipped]
    for renderer in release["spec"].get("postRenderers", []):
        body = patched({"resources": ["all.yaml"]}, renderer["kustomize"], profile, version)
        files = {"all.yaml": dump_all(objects), "kustomization.yaml": json.dumps(body).encode()}
        objects = kustomize(files)
    _refuse_twins(objects)
    return objects + skipped


def _refuse_twins(objects: list[Object]) -> None:
    """Flux labels each object through kustomize, which refuses duplicates (K13)."""
    ids = Counter(
        (group_of(one), one["kind"], one["metadata"].get("namespace"), one["metadata"].get("name"))
        for one in objects
    )
    twins = [one for one, count in ids.items() if count > 1 or not one[3]]
    if twins:
        raise BuildError(f"may not add resource with an already registered id: {twins[0]}")
