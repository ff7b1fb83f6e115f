"""From a document to the finder that knows its kind."""

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from imageshift.data.policies import POLICY_KINDS
from imageshift.sites.argocd import find_application_images, find_override_images
from imageshift.sites.config_maps import (
    find_config_map_images,
    find_data_images,
    find_secret_images,
    may_name_images,
)
from imageshift.sites.context import FileRole, FinderContext
from imageshift.sites.custom import (
    find_carried_objects,
    find_custom_images,
    find_own_images,
    knows,
)
from imageshift.sites.flux import (
    find_chart_source,
    find_flux_kustomization_images,
    find_release_images,
)
from imageshift.sites.generic import find_generic_images
from imageshift.sites.helmfile import find_helmfile_images, is_helmfile
from imageshift.sites.kustomization import find_kustomization_images, find_literal_images
from imageshift.sites.model import Confidence, ImageSite, Path, Resource, resource_of
from imageshift.sites.patches import Finder, find_json_patch_images
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import POD_GROUPS, POD_PATHS, find_workload_images
from imageshift.source import Chunk, Document, Mapping, Sequence

__all__ = ["find_images", "may_hold_images"]

_KIND = re.compile(r"""^(?:kind|"kind"|'kind')[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_WORDS = re.compile(r"[iI]mage|registry|repository|_IMAGE|oci://|newName")

_NEVER = frozenset({"CustomResourceDefinition", "GrafanaDashboard", "RoleBinding", "Role"})
_NEVER |= {"ClusterRole", "ClusterRoleBinding", "APIService", "PrometheusRule", "Secret"}
_NEVER |= {"ImageRepository", "ImagePolicy", "ImageUpdateAutomation"}
_CHART_SOURCES = frozenset({"HelmRepository", "OCIRepository", "HelmChart"})

# Kinds whose own text is a template language, so that `{{` in a plain scalar is ordinary.
TEMPLATING_KINDS = frozenset(
    {"HelmRelease", "Application", "ApplicationSet", "Workflow", "WorkflowTemplate"}
    | {"ClusterWorkflowTemplate", "CronWorkflow", "Sensor", "ConfigMap", "Kustomization", ""}
    | {"AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment", "EventSource"}
    | {"ClusterServingRuntime", "InferenceService", "ServingRuntime", "TriggerTemplate"}
    | {"ResourceSet"}
)


def may_hold_images(chunk: Chunk, context: FinderContext) -> bool:
    """Whether a chunk can hold an image, judged by its text alone and fast.

    It errs on the side of yes.
    """
    text = chunk.text
    own = any(row.kind in text for row in context.rows)
    held = "ConfigMap" in text or "kind: Secret" in text
    copied = context.copied_keys and held
    if not (own or copied or _WORDS.search(text) is not None):
        # A helmfile may name files that only helmfile knows.
        return "releases:" in text and "{{" in text and _KIND.search(text) is None
    if own or context.role is not FileRole.OBJECTS:
        return True
    found = _KIND.search(text)
    if found is None:
        # A flow mapping (JSON) or an indented root; anything else has no kind, so isn't ours.
        return "kind" in text or "releases:" in text
    return _kind_may(found[1], text, context)


def _kind_may(kind: str, text: str, context: FinderContext) -> bool:
    """Whether an object of a kind can hold an image."""
    if kind == "ConfigMap":
        return may_name_images(text, context)
    if kind == "Secret":
        return bool(context.values_secrets or context.copied_keys)
    if kind in _CHART_SOURCES:
        return context.chart_sources
    return kind not in _NEVER and kind not in POLICY_KINDS


def find_images(document: Document, context: FinderContext) -> Iterator[ImageSite]:
    """The images that a document names, in the order of its text.

    Raises:
        SourceError: a text inside it can't be followed.
    """
    if context.role is FileRole.PATCH and isinstance(document.root, Sequence):
        yield from find_json_patch_images(document, document.root, Resource())
    elif context.role is FileRole.ARGOCD_SOURCE:
        yield from find_override_images(document, document.mapping, _patch_finder(context))
    elif context.role is FileRole.VALUES:
        values = ValuesContext(document, Resource(), context.prefix_free)
        yield from find_values_images(values, document.mapping, ())
    elif context.role is FileRole.CONFIG_DATA:
        yield from find_data_images(document, *context.data_key)
    elif context.role is FileRole.KUSTOMIZATION:
        root, find = document.mapping, _patch_finder(context)
        yield from find_kustomization_images(document, root, resource_of(root), find)
        yield from find_literal_images(document, root, resource_of(root), context.copied_keys)
    else:
        yield from _object_images(_Object(document, document.mapping, (), context))


def _patch_finder(context: FinderContext) -> Finder:
    def find(document: Document, root: Mapping, path: Path) -> Iterator[ImageSite]:
        return _object_images(_Object(document, root, path, context))

    return find


class _Object(Struct, frozen=True):
    """A Kubernetes object in a document, at a path when it is an item of a List."""

    document: Document
    root: Mapping
    path: Path
    context: FinderContext

    @property
    def resource(self) -> Resource:
        return resource_of(self.root)

    def items(self) -> Iterator["_Object"]:
        for index, item in enumerate(self.root.items("items")):
            if isinstance(item, Mapping):
                path = (*self.path, "items", index)
                yield _Object(self.document, item, path, self.context)


def _object_images(found: _Object) -> Iterator[ImageSite]:
    """The images of an object, and those at the user's own paths, whatever its kind is."""
    at = (found.document, found.root, found.resource, found.path)
    own = [*find_own_images(*at, found.context.rows)]
    named = {id(site.main.scalar) for site in own}
    taken: set[int] = set()
    for site in _images_by_kind(found):
        scalar = id(site.main.scalar)
        if scalar not in named or site.confidence is not Confidence.DOUBTFUL:
            taken.add(scalar)
            yield site
    yield from (site for site in own if id(site.main.scalar) not in taken)


def _images_by_kind(found: _Object) -> Iterator[ImageSite]:
    resource = found.resource
    finder = _FINDERS.get(resource.kind)
    if resource.kind.endswith("List") and found.root.items("items"):
        for item in found.items():
            yield from _object_images(item)
    elif finder is not None and finder[0].search(resource.group):
        yield from finder[1](found, resource)
    elif resource.kind in POD_PATHS and resource.group in POD_GROUPS[resource.kind]:
        yield from _workload(found, resource)
    elif knows(resource):
        yield from _custom(found, resource)
    elif resource.kind and resource.kind not in _NEVER | POLICY_KINDS:
        yield from find_generic_images(found.document, found.root, resource, found.path)
    elif is_helmfile(found.root):
        yield from find_helmfile_images(found.document, found.root, resource)


def _workload(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    """Its pod's images, and those that the table adds beside the pod."""
    at = (found.document, found.root, resource, found.path)
    pod = list(find_workload_images(*at))
    yield from pod
    taken = {site.path for site in pod}
    custom = find_custom_images(*at)
    yield from (site for site in custom if site.path not in taken)


def _custom(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    """The images of a kind in the table, and those of the objects that it carries."""
    at = (found.document, found.root, resource, found.path)
    yield from find_custom_images(*at)
    for path, root in find_carried_objects(found.root, resource, found.path):
        yield from _object_images(_Object(found.document, root, path, found.context))


def _release(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _patch_finder(found.context)
    return find_release_images(found.document, found.root, resource, find, found.context)


def _flux_kustomization(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _patch_finder(found.context)
    if not resource.group.endswith("fluxcd.io"):
        return find_kustomization_images(found.document, found.root, resource, find)
    return find_flux_kustomization_images(found.document, found.root, resource, find)


def _application(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _patch_finder(found.context)
    return find_application_images(found.document, found.root, resource, find)


def _config_map(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    at = (found.document, found.root, resource, found.path)
    return find_config_map_images(*at, found.context)


def _secret(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    at = (found.document, found.root, resource, found.path)
    return find_secret_images(*at, found.context)


def _chart_source(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    if not found.context.chart_sources:
        return iter(())
    return find_chart_source(found.document, found.root, resource)


_ANY = re.compile("")
_FLUX = re.compile(r"fluxcd\.io$")
_ARGO = re.compile(r"^argoproj\.io$")

_FINDERS: dict[str, tuple[re.Pattern[str], Callable[[_Object, Resource], Iterator[ImageSite]]]] = {
    "HelmRelease": (_FLUX, _release),
    "Kustomization": (_ANY, _flux_kustomization),
    "Component": (re.compile(r"^kustomize\.config\.k8s\.io$"), _flux_kustomization),
    "Application": (_ARGO, _application),
    "ApplicationSet": (_ARGO, _application),
    "ConfigMap": (re.compile("^$"), _config_map),
    "Secret": (re.compile("^$"), _secret),
    **dict.fromkeys(_CHART_SOURCES, (_FLUX, _chart_source)),
}
