"""From a document to the finder that knows its kind."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from imageshift.data.image_field import ImageField
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.sites.annotations import find_annotation_images
from imageshift.sites.argocd import find_application_images, find_override_images
from imageshift.sites.config_maps import (
    find_config_map_images,
    find_data_images,
    find_secret_images,
    may_name_images,
)
from imageshift.sites.context import FileRole, FinderContext
from imageshift.sites.custom import find_carried_objects, find_custom_images
from imageshift.sites.definitions import elsewhere, is_pushed_to
from imageshift.sites.elements import find_element_images
from imageshift.sites.environments import (
    find_environment_images,
    find_template_values,
    holds_environments,
)
from imageshift.sites.flags import is_spelled_out
from imageshift.sites.flux import (
    find_chart_source,
    find_flux_kustomization_images,
    find_release_images,
)
from imageshift.sites.generic import find_generic_images
from imageshift.sites.helmfile import find_helmfile_images, is_helmfile
from imageshift.sites.kustomization import find_kustomization_images, find_literal_images
from imageshift.sites.model import Confidence, ImageSite, Path, Resource, resource_of
from imageshift.sites.patches import find_patch_images
from imageshift.sites.policies import ADDING_KINDS, find_policy_images, is_policy, is_policy_text
from imageshift.sites.resource_sets import (
    Change,
    find_input_images,
    find_template_text_images,
)
from imageshift.sites.rows import IMAGE_WORDS, built_in_rows
from imageshift.sites.tekton_values import find_tekton_values
from imageshift.sites.transformers import find_transformer_images, is_transformer
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workflow_values import WORKFLOW_KINDS, find_workflow_values
from imageshift.sites.workloads import POD_GROUPS, POD_PATHS, find_workload_images
from imageshift.source import Chunk, Document, Mapping, Sequence
from imageshift.words import has_any

__all__ = ["find_images", "may_hold_images"]

_KIND = lazy_re(r"""^(?:kind|"kind"|'kind')[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)

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
    | {"ResourceSet", "ClusterPolicy", "Policy", "WorkflowEventBinding"}
)


def may_hold_images(chunk: Chunk, context: FinderContext) -> bool:
    """Whether a chunk can hold an image, judged by its text alone and fast.

    It errs on the side of yes.
    """
    text = chunk.text
    if not _may_name_images(text, context):
        # A helmfile may name files that only helmfile knows.
        return "releases:" in text and "{{" in text and _KIND.search(text) is None
    if context.role is not FileRole.OBJECTS:
        return True
    found = _KIND.search(text)
    if found is None:
        # A flow mapping (JSON) or an indented root; anything else has no kind, so isn't ours.
        return "kind" in text or "releases:" in text or "environments:" in text
    return _kind_may(found[1], text, context)


def _kind_may(kind: str, text: str, context: FinderContext) -> bool:
    """Whether an object of a kind can hold an image."""
    if any(
        kind in known for known in (ADDING_KINDS, context.rows.by_kind, built_in_rows().by_kind)
    ):
        return True
    if kind == "ConfigMap":
        return may_name_images(text, context)
    if kind == "Secret":
        return bool(context.values_secrets or context.copied_keys)
    if kind in _CHART_SOURCES:
        return context.chart_sources
    return kind not in _NEVER and not is_policy_text(text)


def _may_name_images(text: str, context: FinderContext) -> bool:
    held = "ConfigMap" in text or "kind: Secret" in text
    if has_any(text, IMAGE_WORDS) or (context.copied_keys and held):
        return True
    content = text.encode(errors="replace")
    return built_in_rows().may_name_images(content) or context.rows.may_name_images(content)


def find_images(document: Document, context: FinderContext) -> Iterator[ImageSite]:
    """The images that a document names, in the order of its text.

    Raises:
        SourceError: a text inside it can't be followed.
    """
    if not context.elements:
        yield from _own_images(document, context)
        return
    known: set[int] = set()
    refused: SourceError | None = None
    try:
        for site in _own_images(document, context):
            known |= {document.offset(part.scalar.start) for part in site.parts}
            yield site
    except SourceError as error:
        refused = error
    for site in find_element_images(document, context.elements):
        if site.document.offset(site.main.scalar.start) not in known:
            yield site
    if refused is not None:
        raise refused


def _own_images(document: Document, context: FinderContext) -> Iterator[ImageSite]:
    """What a document names by itself, or by its role."""
    if context.role is FileRole.PATCH:
        yield from _patch_images(document, _PatchFinder(context))
    elif context.role is FileRole.ARGOCD_SOURCE:
        yield from find_override_images(document, document.mapping, _PatchFinder(context))
    elif context.role is FileRole.VALUES:
        yield from _values_images(document, context)
    elif context.role is FileRole.CONFIG_DATA:
        yield from find_data_images(document, *context.data_key)
    elif context.role is FileRole.KUSTOMIZATION:
        root, find = document.mapping, _PatchFinder(context)
        yield from find_kustomization_images(document, root, resource_of(root), find)
        yield from find_literal_images(document, root, resource_of(root), context)
    else:
        yield from _object_images(_Object(document, document.mapping, (), context))


def _patch_images(document: Document, find: "_PatchFinder") -> Iterator[ImageSite]:
    root = document.mapping
    patch = root.get("patch")
    if patch is not None:
        # helmfile's own form: a patch with its target, in a file (E5).
        target = root.mapping("target")
        yield from find_patch_images(document, patch, Resource(), find, ("patch",), target)
    else:
        holder = document.root if isinstance(document.root, Sequence) else root
        yield from find_patch_images(document, holder, Resource(), find, ())


def _values_images(document: Document, context: FinderContext) -> Iterator[ImageSite]:
    if context.helmfile.texts:
        doubt = context.helmfile.doubt
        yield from find_template_values(document, document.mapping, (), doubt)
    else:
        values = ValuesContext(document, Resource(), context.prefix_free)
        yield from find_values_images(values, document.mapping, ())


class _PatchFinder(Struct, frozen=True):
    """Finds images of objects in a patch, and gives the rows for those that it is for."""

    context: FinderContext

    def __call__(self, document: Document, root: Mapping, path: Path) -> Iterator[ImageSite]:
        """Return the images of an object."""
        return _object_images(_Object(document, root, path, self.context))

    def rows(self, resource: Resource) -> list[ImageField]:
        """Return the user's own rows of a kind, the table's, and those of its CRD."""
        tables = (self.context.rows, built_in_rows())
        known = [row for table in tables for row in table.by_kind.get(resource.kind, ())]
        return known or list(self.context.defined(resource))


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
    resource = found.resource
    if is_transformer(found.root):
        find = _PatchFinder(found.context)
        yield from find_transformer_images(found.document, found.root, resource, find, found.path)
    elif resource.kind.endswith("List") and found.root.items("items"):
        for item in found.items():
            yield from _object_images(item)
    elif resource.kind:
        taken: set[Path] = set()
        yield from _each_once(_sources(found, resource, taken), taken)
    elif is_helmfile(found.root):
        find = _PatchFinder(found.context)
        yield from find_helmfile_images(found.document, found.root, resource, find)
    if not resource.kind and (holds_environments(found.root) or is_helmfile(found.root)):
        doubt = found.context.helmfile.doubt
        yield from find_environment_images(found.document, found.root, doubt)


def _sources(found: _Object, resource: Resource, taken: set[Path]) -> Iterator[Iterable[ImageSite]]:
    """What is known of an object's images, the surest first; `taken` are those found so far."""
    at = (found.document, found.root, resource, found.path)
    own = found.context.rows.of(resource)
    finder = _FINDERS.get(resource.kind)
    if finder is not None and finder[0].search(resource.group):
        yield finder[1](found, resource)
        yield find_custom_images(*at, own)
        return
    is_workload = resource.kind in POD_PATHS and resource.group in POD_GROUPS[resource.kind]
    if is_workload:
        yield find_workload_images(*at)
    yield find_annotation_images(*at)
    yield find_custom_images(*at, own)
    table = built_in_rows().of(resource)
    yield find_custom_images(*at, table)
    if resource.group == "tekton.dev":
        yield find_tekton_values(*at, found.context.tekton)
    elif resource.group == "argoproj.io" and resource.kind in WORKFLOW_KINDS:
        yield find_workflow_values(*at, found.context.workflows)
    if own or table or not is_workload:
        yield from _others(found, resource, [*own, *table], taken)


def _others(
    found: _Object, resource: Resource, rows: list[ImageField], taken: set[Path]
) -> Iterator[Iterable[ImageSite]]:
    """The images of carried objects, those that a CRD shows, and what looks like one."""
    at = (found.document, found.root, resource, found.path)
    carried = list(_carried(found, rows))
    if resource.kind == "ResourceSet":
        yield _with_inputs(found, resource, carried)
    else:
        yield chain.from_iterable(map(_object_images, carried))
    if resource.kind in _NEVER or is_policy(resource):
        return
    looks = find_generic_images(*at, skip=[inner.root for inner in carried])
    others = [site for site in looks if taken.isdisjoint(part.path for part in site.parts)]
    if others or not rows:
        defined = found.context.defined(resource)
        yield find_custom_images(*at, defined)
        yield chain.from_iterable(map(_object_images, _carried(found, defined)))
    if rows:
        others = [_as_field(site) for site in others]
    yield map(_moved, others) if found.context.move_unknown else others


def _as_field(site: ImageSite) -> ImageSite:
    """A site of a kind that is known, in a field that isn't."""
    if site.note is None or is_pushed_to(site.path):
        return site
    field = ".".join(map(str, site.path))
    return site.doubtful(f"{field} isn't a field of {site.resource.kind} that imageshift knows")


def _carried(found: _Object, rows: Iterable[ImageField]) -> Iterator[_Object]:
    """The objects that an object carries."""
    for document, root, path in find_carried_objects(found.document, found.root, found.path, rows):
        yield _Object(document, root, path, found.context)


def _moved(site: ImageSite) -> ImageSite:
    """A doubtful site as a likely one, where the user wants that."""
    if is_pushed_to(site.path) or elsewhere(site.resource.group) or not is_spelled_out(site.text):
        return site
    return replace(site, confidence=Confidence.LIKELY, note=None)


def _each_once(sources: Iterable[Iterable[ImageSite]], taken: set[Path]) -> Iterator[ImageSite]:
    """The sites of all sources, noted as taken; of a place that several have, the first one's."""
    for source in sources:
        fresh: set[Path] = set()
        for site in source:
            paths = {part.path for part in site.parts}
            if taken.isdisjoint(paths):
                fresh |= paths
                yield site
        taken |= fresh


def _with_inputs(found: _Object, resource: Resource, carried: list[_Object]) -> Iterator[ImageSite]:
    """The images of what a ResourceSet carries, with its inputs in their places."""

    def sites(change: Change) -> Iterator[ImageSite]:
        for each in carried:
            yield from _object_images(replace(each, root=change(each.root)))
        at = (found.document, found.root, resource, found.path)
        yield from find_template_text_images(*at, change)

    return find_input_images(found.document, found.root, found.path, sites)


def _release(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _PatchFinder(found.context)
    return find_release_images(found.document, found.root, resource, find, found.context)


def _flux_kustomization(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _PatchFinder(found.context)
    if not resource.group.endswith("fluxcd.io"):
        return find_kustomization_images(found.document, found.root, resource, find)
    return find_flux_kustomization_images(found.document, found.root, resource, find)


def _application(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    find = _PatchFinder(found.context)
    return find_application_images(found.document, found.root, resource, find)


def _config_map(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    at = (found.document, found.root, resource, found.path)
    return find_config_map_images(*at, found.context)


def _policy(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    return find_policy_images(found.document, found.root, resource, found.path)


def _secret(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    at = (found.document, found.root, resource, found.path)
    return find_secret_images(*at, found.context)


def _chart_source(found: _Object, resource: Resource) -> Iterator[ImageSite]:
    if not found.context.chart_sources:
        return iter(())
    return find_chart_source(found.document, found.root, resource)


_ANY = lazy_re("")
_FLUX = lazy_re(r"fluxcd\.io$")
_ARGO = lazy_re(r"^argoproj\.io$")

_FINDERS: dict[str, tuple[re.Pattern[str], Callable[[_Object, Resource], Iterator[ImageSite]]]] = {
    "HelmRelease": (_FLUX, _release),
    "Kustomization": (_ANY, _flux_kustomization),
    "Component": (lazy_re(r"^kustomize\.config\.k8s\.io$"), _flux_kustomization),
    "Application": (_ARGO, _application),
    "ApplicationSet": (_ARGO, _application),
    "ConfigMap": (lazy_re("^$"), _config_map),
    "Secret": (lazy_re("^$"), _secret),
    **dict.fromkeys(_CHART_SOURCES, (_FLUX, _chart_source)),
    **{kind: (lazy_re(rf"^{re.escape(group)}$"), _policy) for kind, group in ADDING_KINDS.items()},
}
