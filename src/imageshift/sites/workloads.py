"""Pods and everything that makes pods: the Kubernetes schema says where their images are."""

import json
from collections.abc import Iterator

from msgspec.structs import replace

from imageshift.sites.flags import find_flags
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
    SkipReason,
    scalar_part,
)
from imageshift.sites.sync_options import remakes_jobs, sync_options
from imageshift.source import Document, Mapping, Node

__all__ = [
    "CONTAINER_KEYS",
    "POD_GROUPS",
    "POD_PATHS",
    "find_container_images",
    "find_custom_container",
    "find_pod_images",
    "find_volume_image",
    "find_workload_images",
]

POD_PATHS: dict[str, Path] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "DeploymentConfig": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "ScaledJob": ("spec", "jobTargetRef", "template", "spec"),
    "Configuration": ("spec", "template", "spec"),
    "Revision": ("spec",),
    "Service": ("spec", "template", "spec"),
}
"""Where each kind keeps its pod's spec (Kubernetes API reference; OpenShift, Knative, Argo
Rollouts and KEDA from their own CRDs)."""

_BUILT_IN = frozenset({"", "apps", "batch", "extensions"})
_KNATIVE = frozenset({"serving.knative.dev"})

POD_GROUPS: dict[str, frozenset[str]] = {
    **dict.fromkeys(POD_PATHS, _BUILT_IN),
    **dict.fromkeys(("Service", "Configuration", "Revision"), _KNATIVE),
    "DeploymentConfig": frozenset({"", "apps.openshift.io"}),
    "Rollout": frozenset({"argoproj.io"}),
    "ScaledJob": frozenset({"keda.sh"}),
}
"""The API groups in which those kinds are these kinds."""

CONTAINER_KEYS = ("containers", "initContainers", "ephemeralContainers")
"""The lists of containers in a pod's spec."""

_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_FORCE = "kustomize.toolkit.fluxcd.io/force"
_TRIGGERS = "image.openshift.io/triggers"
_ISTIO = ("sidecar.istio.io/", "inject.istio.io/")


def find_workload_images(
    document: Document, root: Mapping, resource: Resource, path: Path = ()
) -> Iterator[ImageSite]:
    """The images of a workload of one of the kinds of `POD_PATHS`."""
    pod_path = POD_PATHS[resource.kind]
    spec = _descend(root, pod_path)
    if not isinstance(spec, Mapping):
        return
    template = _descend(root, pod_path[:-1])
    replaced = _replaced_containers(root, template if isinstance(template, Mapping) else root)
    # One without a name, in another object, is the mould of jobs that are made anew.
    is_mould = bool(path) and not resource.name
    immutable = resource.kind == "Job" and not (is_mould or _may_change(root))
    depth = len(path + pod_path)
    for site in find_pod_images(document, resource, spec, path + pod_path):
        name = _container_name(site, spec, depth)
        if name in replaced or (site.text == "auto" and _is_injected(name, (root, template))):
            yield site.skipped(
                SkipReason.PLACEHOLDER, "something in the cluster fills in the image"
            )
        elif immutable:
            yield site.skipped(SkipReason.IMMUTABLE, _IMMUTABLE_DETAIL)
        else:
            yield site


_IMMUTABLE_DETAIL = (
    "a Job's image can't change once it is applied: rename the Job, set the annotation "
    f"{_FORCE}: enabled (Flux) or the sync options Force=true,Replace=true (Argo CD), or set "
    "jobs: rewrite in .imageshift.yaml"
)


def find_pod_images(
    document: Document, resource: Resource, spec: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The images of a pod's spec: containers of every sort, image volumes, known flags."""
    pull_secrets = bool(spec.items("imagePullSecrets"))
    for key in CONTAINER_KEYS:
        for index, container in enumerate(spec.items(key)):
            if isinstance(container, Mapping):
                at = (*path, key, index)
                for site in find_container_images(document, resource, container, at):
                    yield replace(site, pull_secrets=pull_secrets)
    for index, volume in enumerate(spec.items("volumes")):
        if isinstance(volume, Mapping):
            yield from find_volume_image(document, resource, volume, (*path, "volumes", index))


def find_volume_image(
    document: Document, resource: Resource, volume: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The image of a volume that holds one (Kubernetes' `image` volumes)."""
    image = volume.mapping("image")
    if image is not None and image.keys() <= {"reference", "pullPolicy"}:
        at = (*path, "image", "reference")
        yield from whole_site(document, resource, image.get("reference"), at)


def find_container_images(
    document: Document, resource: Resource, container: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The image of a container, and those of its known flags and variables."""
    yield from whole_site(document, resource, container.get("image"), (*path, "image"))
    yield from find_flags(document, resource, container, path)


def find_custom_container(
    document: Document, resource: Resource, container: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The same of a mapping that is like a container, in a custom resource."""
    at = (*path, "image")
    yield from whole_site(document, resource, container.get("image"), at, SiteKind.CUSTOM)
    yield from find_flags(document, resource, container, path)


def whole_site(
    document: Document,
    resource: Resource,
    node: Node | None,
    path: Path,
    kind: SiteKind = SiteKind.WORKLOAD,
) -> Iterator[ImageSite]:
    """The site of a scalar that is a whole reference by its schema."""
    part: Part | None = scalar_part(Role.REFERENCE, node, path)
    if part is not None:
        yield ImageSite(
            kind=kind,
            document=document,
            path=path,
            parts=(part,),
            resource=resource,
            confidence=Confidence.EXACT,
        )


def _descend(node: Node | None, path: Path) -> Node | None:
    for step in path:
        node = node.get(str(step)) if isinstance(node, Mapping) else None
    return node


def _annotations(node: Node | None, key: str = "annotations") -> Mapping:
    metadata = node.mapping("metadata") if isinstance(node, Mapping) else None
    found = None if metadata is None else metadata.mapping(key)
    return found or Mapping(0, None, flow=False)


def _may_change(root: Mapping) -> bool:
    """Whether a Job is made anew at each change, so that its image may change."""
    annotations = _annotations(root)
    if any(annotations.text(hook) for hook in _HOOKS):
        return True
    if (annotations.text(_FORCE) or "").lower() == "enabled":
        return True
    if remakes_jobs(sync_options(annotations)):
        return True
    metadata = root.mapping("metadata")
    return (
        metadata is not None
        and metadata.text("name") is None
        and (metadata.text("generateName") is not None)
    )


def _replaced_containers(root: Mapping, template: Mapping) -> set[str]:
    """The containers whose image OpenShift's triggers set."""
    names: set[str] = set()
    spec = root.mapping("spec") or root
    for trigger in spec.items("triggers"):
        params = trigger.mapping("imageChangeParams") if isinstance(trigger, Mapping) else None
        for name in [] if params is None else params.items("containerNames"):
            names.add(getattr(name, "value", ""))
    for owner in (root, template):
        names |= _trigger_names(_annotations(owner).text(_TRIGGERS))
    return names


def _trigger_names(text: str | None) -> set[str]:
    if text is None:
        return set()
    try:
        paths = [str(trigger["fieldPath"]) for trigger in json.loads(text)]
    except (ValueError, TypeError, KeyError):
        return set()
    # A field path reads spec.template.spec.containers[?(@.name=="web")].image
    return {part for path in paths for part in path.replace("'", '"').split('"')[1:2]}


def _container_name(site: ImageSite, spec: Mapping, depth: int) -> str | None:
    key, index = site.path[depth], site.path[depth + 1]
    items = spec.items(str(key))
    container = items[index] if isinstance(index, int) and index < len(items) else None
    return container.text("name") if isinstance(container, Mapping) else None


def _is_injected(container: str | None, owners: tuple[Node | None, ...]) -> bool:
    """Whether Istio's injector puts the image in (its docs, "Customizing injection")."""
    if container == "istio-proxy":
        return True
    keys = (
        key.value
        for owner in owners
        for kind in ("annotations", "labels")
        for key, _ in _annotations(owner, kind).pairs()
    )
    return any(key.startswith(_ISTIO) for key in keys)
