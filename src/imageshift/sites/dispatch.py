"""From a document to the finder that knows its kind."""

import re
from collections.abc import Iterator

from imageshift.data.policies import POLICY_KINDS
from imageshift.sites.argocd import find_application_images, find_helmfile_images, is_helmfile
from imageshift.sites.context import FileRole, FinderContext
from imageshift.sites.custom import CUSTOM_KINDS, find_custom_images
from imageshift.sites.flux import (
    find_chart_source,
    find_flux_kustomization_images,
    find_release_images,
)
from imageshift.sites.generic import find_generic_images
from imageshift.sites.kustomization import find_kustomization_images
from imageshift.sites.model import ImageSite, Path, Resource, resource_of
from imageshift.sites.patches import find_json_patch_images
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import POD_GROUPS, POD_PATHS, find_workload_images
from imageshift.source import Chunk, Document, Mapping, Scalar, Sequence, parse_embedded

__all__ = ["find_images", "may_hold_images"]

_KIND = re.compile(r"""^(?:kind|"kind"|'kind')[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_WORDS = re.compile(r"[iI]mage|registry|repository|_IMAGE|oci://|newName")

_NEVER = frozenset({"CustomResourceDefinition", "GrafanaDashboard", "RoleBinding", "Role"})
_NEVER |= {"ClusterRole", "ClusterRoleBinding", "APIService", "PrometheusRule", "Secret"}
_CHART_SOURCES = frozenset({"HelmRepository", "OCIRepository", "HelmChart"})

# Kinds whose own text is a template language, so that `{{` in a plain scalar is ordinary.
TEMPLATING_KINDS = frozenset(
    {"HelmRelease", "Application", "ApplicationSet", "Workflow", "WorkflowTemplate"}
    | {"ClusterWorkflowTemplate", "CronWorkflow", "Sensor", "ConfigMap", "Kustomization", ""}
)


def may_hold_images(chunk: Chunk, context: FinderContext) -> bool:
    """Whether a chunk can hold an image, judged by its text alone and fast.

    It errs on the side of yes.
    """
    text = chunk.text
    if _WORDS.search(text) is None:
        return False
    if context.role is not FileRole.OBJECTS:
        return True
    found = _KIND.search(text)
    if found is None:
        # A flow mapping (JSON) or an indented root; anything else has no kind, so isn't ours.
        return "kind" in text or "releases:" in text
    kind = found[1]
    if kind == "ConfigMap":
        return bool(context.values_maps)
    if kind in _CHART_SOURCES:
        return context.chart_sources
    return kind not in _NEVER and kind not in POLICY_KINDS


def find_images(document: Document, context: FinderContext) -> Iterator[ImageSite]:
    """The images that a document names, in the order of its text.

    Raises:
        SourceError: a text inside it can't be followed.
    """
    if context.role is FileRole.PATCH and isinstance(document.root, Sequence):
        yield from find_json_patch_images(document, Resource())
    elif context.role is FileRole.VALUES:
        values = ValuesContext(document, Resource(), context.prefix_free)
        yield from find_values_images(values, document.mapping, ())
    elif context.role is FileRole.KUSTOMIZATION:
        root = document.mapping
        find = _patch_finder(context)
        yield from find_kustomization_images(document, root, resource_of(root), find)
    else:
        yield from _object_images(document, document.mapping, context, ())


def _patch_finder(context: FinderContext):  # noqa: ANN202 the type is Finder of patches
    def find(document: Document) -> Iterator[ImageSite]:
        return _object_images(document, document.mapping, context, ())

    return find


def _object_images(
    document: Document, root: Mapping, context: FinderContext, path: Path
) -> Iterator[ImageSite]:
    resource = resource_of(root)
    kind, group = resource.kind, resource.group
    if kind.endswith("List") and root.items("items"):
        for index, item in enumerate(root.items("items")):
            if isinstance(item, Mapping):
                yield from _object_images(document, item, context, (*path, "items", index))
    elif kind in POD_PATHS and group in POD_GROUPS[kind]:
        yield from find_workload_images(document, root, resource, path)
        yield from find_custom_images(document, root, resource, path, context.rows)
    else:
        yield from _other_images(document, root, resource, context, path)


def _other_images(
    document: Document, root: Mapping, resource: Resource, context: FinderContext, path: Path
) -> Iterator[ImageSite]:
    kind, group = resource.kind, resource.group
    find = _patch_finder(context)
    if kind == "HelmRelease":
        yield from find_release_images(document, root, resource, find, context)
    elif kind == "Kustomization" and group.endswith("fluxcd.io"):
        yield from find_flux_kustomization_images(document, root, resource, find)
    elif kind in {"Kustomization", "Component"} and group.endswith("k8s.io"):
        yield from find_kustomization_images(document, root, resource, find)
    elif kind in {"Application", "ApplicationSet"} and group == "argoproj.io":
        yield from find_application_images(document, root, resource)
    elif kind == "ConfigMap":
        yield from _config_map_images(document, root, resource, context, path)
    elif kind in _CHART_SOURCES:
        if context.chart_sources:
            yield from find_chart_source(document, root, resource)
    elif not kind:
        if is_helmfile(root):
            yield from find_helmfile_images(document, root, resource)
    elif kind in CUSTOM_KINDS or any(row.kind == kind for row in context.rows):
        yield from find_custom_images(document, root, resource, path, context.rows)
    elif kind not in _NEVER and kind not in POLICY_KINDS:
        yield from find_generic_images(document, root, resource, path)


def _config_map_images(
    document: Document, root: Mapping, resource: Resource, context: FinderContext, path: Path
) -> Iterator[ImageSite]:
    keys = context.values_maps.get(resource.name, {})
    data = root.mapping("data")
    for key, prefix_free in keys.items():
        text = None if data is None else data.get(key)
        if isinstance(text, Scalar) and not text.is_empty:
            for inner in parse_embedded(document, text):
                values = ValuesContext(inner, resource, prefix_free)
                yield from find_values_images(values, inner.mapping, (*path, "data", key))
