"""Admission policies: which documents are some, and the images that they put into pods."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from imageshift.data.policies import POLICIES, POLICY_GROUPS
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.sites.custom import select
from imageshift.sites.flags import find_flags, is_spelled_out
from imageshift.sites.generic import find_generic_images
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Path,
    Resource,
    Role,
    SiteKind,
    below,
)
from imageshift.sites.patches import find_json_patch_images
from imageshift.sites.workloads import (
    CONTAINER_KEYS,
    find_custom_container,
    find_volume_image,
    whole_site,
)
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    embedded_text,
    parse_embedded,
)
from imageshift.words import has_any

__all__ = ["ADDING_KINDS", "adds_images", "find_policy_images", "is_policy", "is_policy_text"]

_KIND = lazy_re(r"""^kind:[ \t]*["']?(\w+)""", re.MULTILINE)
_API_VERSION = lazy_re(r"""^apiVersion:[ \t]*["']?([\w.-]+)/""", re.MULTILINE)
_KINDS = frozenset((row.group, row.kind) for row in POLICIES)
_NAMES = frozenset(kind for _, kind in _KINDS)

_KYVERNO, _CEL, _GATEKEEPER = "kyverno.io", "policies.kyverno.io", "mutations.gatekeeper.sh"
ADDING_KINDS: dict[str, str] = {
    **dict.fromkeys(("ClusterPolicy", "Policy"), _KYVERNO),
    **dict.fromkeys(("GeneratingPolicy", "MutatingPolicy"), _CEL),
    **dict.fromkeys(("NamespacedGeneratingPolicy", "NamespacedMutatingPolicy"), _CEL),
    **dict.fromkeys(("Assign", "AssignImage"), _GATEKEEPER),
    "MutatingAdmissionPolicy": "admissionregistration.k8s.io",
}
"""Kinds of policies that can put an image into a pod, each with its group."""

_ANCHOR = lazy_re(r"(?P<sign>[+=^<X]?)\((?P<key>.+)\)")
_LITERAL = lazy_re(r"""(?P<quote>["'])(?P<image>[^"'\s]+)(?P=quote)""")
_LITERAL_NOTE = "a literal in an expression: only the policy shows what it is for"
_LOCATION = lazy_re(r"[cC]ontainers(?:\[[^\[\]]*\])?(?P<image>\.image)?$")


def is_policy(resource: Resource) -> bool:
    """Whether an object is a policy that matches images by their names."""
    return _is_policy(resource.group, resource.kind)


def is_policy_text(text: str) -> bool:
    """Whether the text of a document is one of such a policy."""
    kind = _KIND.search(text)
    if kind is None or not (kind[1] in _NAMES or has_any(text, POLICY_GROUPS)):
        return False
    version = _API_VERSION.search(text)
    return version is not None and _is_policy(version[1], kind[1])


def _is_policy(group: str, kind: str) -> bool:
    return (group, kind) in _KINDS or group in POLICY_GROUPS


def adds_images(resource: Resource) -> bool:
    """Whether an object is a policy of a kind that can put an image into a pod."""
    return bool(resource.group) and ADDING_KINDS.get(resource.kind) == resource.group


def find_policy_images(
    document: Document, root: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The images that a policy puts into pods, or into objects that it makes.

    What a policy only matches is no site. An image in the text of an expression is doubtful.

    Raises:
        SourceError: a patch inside a text can't be followed.
    """
    if resource.group == _KYVERNO:
        for index, rule in enumerate(below(root, "spec").items("rules")):
            if isinstance(rule, Mapping):
                at = (*path, "spec", "rules", index)
                yield from _rule_images(document, rule, resource, at)
    elif resource.group == _GATEKEEPER:
        yield from _assigned(document, below(root, "spec"), resource, (*path, "spec"))
    else:
        yield from _expressions(document, root, resource, path)


def _rule_images(
    document: Document, rule: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    mutate, data = rule.mapping("mutate"), below(rule, "generate").mapping("data")
    if mutate is not None:
        yield from _mutations(document, mutate, resource, (*path, "mutate"))
    if data is not None:
        for site in find_generic_images(document, data, resource, (*path, "generate", "data")):
            if site.confidence is Confidence.LIKELY:
                yield site


def _mutations(
    document: Document, owner: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The images of a rule's patches, and of those that it makes for each item of a list."""
    merged, operations = owner.get("patchStrategicMerge"), owner.get("patchesJson6902")
    if merged is not None:
        at = (*path, "patchStrategicMerge")
        yield from _merged(document, merged, resource, at)
    if isinstance(operations, Scalar):
        at = (*path, "patchesJson6902")
        for inner in parse_embedded(document, operations):
            if isinstance(inner.root, Sequence):
                found = find_json_patch_images(inner, inner.root, resource, path=at)
                yield from (replace(site, kind=SiteKind.CUSTOM, pointer=None) for site in found)
    for index, item in enumerate(owner.items("foreach")):
        if isinstance(item, Mapping):
            yield from _mutations(document, item, resource, (*path, "foreach", index))


def _merged(document: Document, node: Node, resource: Resource, path: Path) -> Iterator[ImageSite]:
    """The images of a strategic merge patch whose keys may stand in anchors (`+(image)`)."""
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _merged(document, item, resource, (*path, index))
    elif isinstance(node, Mapping):
        yield from find_volume_image(document, resource, node, path)
        for key, value in node.pairs():
            at = (*path, key.value)
            if _bare(key.value) in CONTAINER_KEYS and isinstance(value, Sequence):
                for index, item in enumerate(value.items):
                    yield from _container(document, item, resource, (*at, index))
            else:
                yield from _merged(document, value, resource, at)


def _container(
    document: Document, item: Node, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    if not isinstance(item, Mapping):
        return
    for key in ("image", "+(image)"):
        value = item.get(key)
        yield from whole_site(document, resource, value, (*path, key), SiteKind.CUSTOM)
    yield from find_flags(document, resource, item, path)


def _bare(key: str) -> str:
    found = _ANCHOR.fullmatch(key)
    return key if found is None else found["key"]


def _assigned(
    document: Document, spec: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The image, container or domain that Gatekeeper's Assign and AssignImage put in."""
    found = _LOCATION.search(spec.text("location") or "")
    for value in select(document, spec, "parameters.assign.value"):
        at = (*path, *value.path)
        if found is not None and found["image"]:
            yield from whole_site(value.document, resource, value.node, at, SiteKind.CUSTOM)
        elif found is not None and isinstance(value.node, Mapping):
            yield from find_custom_container(value.document, resource, value.node, at)
    for value in select(document, spec, "parameters.assignDomain"):
        at = (*path, *value.path)
        for site in whole_site(value.document, resource, value.node, at, SiteKind.CUSTOM):
            part = replace(site.main, role=Role.REGISTRY)
            yield replace(site, parts=(part,)).doubtful("the policy prepends it to every image")


def _expressions(
    document: Document, node: Node, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The images that are literals in the CEL of a policy."""
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _expressions(document, item, resource, (*path, index))
    elif isinstance(node, Mapping):
        for key, value in node.pairs():
            at = (*path, key.value)
            if key.value == "expression" and isinstance(value, Scalar):
                yield from _literals(document, value, resource, at)
            else:
                yield from _expressions(document, value, resource, at)


def _literals(
    document: Document, text: Scalar, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    try:
        inner = embedded_text(document, text)
    except SourceError:
        return
    for found in _LITERAL.finditer(inner.source.text):
        start, end = found.span("image")
        if is_spelled_out(found["image"]):
            scalar = Scalar(start, end, None, found["image"], "", None)
            for site in whole_site(inner, resource, scalar, path, SiteKind.CUSTOM):
                yield site.doubtful(_LITERAL_NOTE)
