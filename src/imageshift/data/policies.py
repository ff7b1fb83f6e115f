"""Kinds of admission policies that match images by name (fact X13).

They are read for the warning `policy-matches-upstream` and never edited. Rows are per kind and
path; read on 2026-11-23 from snapshots of August 2026.
"""

from enum import StrEnum

from msgspec import Struct

__all__ = ["POLICIES", "POLICY_GROUPS", "PolicyField", "PolicyMatch"]


class PolicyMatch(StrEnum):
    """How the text at a policy's path matches an image's name."""

    GLOB = "glob"
    """A name with `*` and `?`."""

    PREFIX = "prefix"
    """The beginning of a name, or with a star at its end."""

    REFERENCE = "reference"
    """Exactly this name, or this name as a prefix up to a slash."""

    CODE = "code"
    """A program (CEL, Rego) or free settings: names are string literals somewhere inside."""


class PolicyField(Struct, frozen=True):
    """A path of a policy kind that names images; `[]` and `*` as in `ImageField`.

    An empty path means the whole object. `kind` is `*` where each policy is a kind of its own.
    """

    kind: str
    group: str
    path: str
    match: PolicyMatch
    source: str


def _fields(
    kinds: str, group: str, source: str, match: PolicyMatch, *paths: str
) -> tuple[PolicyField, ...]:
    return tuple(
        PolicyField(kind, group, path, match, source) for kind in kinds.split() for path in paths
    )


_KYVERNO = "kyverno/kyverno config/crds"
_GATEKEEPER = "open-policy-agent/gatekeeper-library library/general"
_CONSTRAINTS = "constraints.gatekeeper.sh"
_OPENSHIFT = "openshift/api config/v1/zz_generated.crd-manifests"
_KUBEWARDEN = "kubewarden/kubewarden-controller charts/kubewarden-crds/templates/crds"
_KUBERNETES = "kubernetes/api admissionregistration"

POLICIES: tuple[PolicyField, ...] = tuple(
    sorted(
        (
            *_fields(
                "ClusterPolicy Policy",
                "kyverno.io",
                _KYVERNO,
                PolicyMatch.GLOB,
                "spec.rules[].validate.podSecurity.exclude[].images[]",
                "spec.rules[].verifyImages[].image",
                "spec.rules[].verifyImages[].imageReferences[]",
                "spec.rules[].verifyImages[].skipImageReferences[]",
            ),
            *_fields(
                "ClusterPolicy Policy",
                "kyverno.io",
                _KYVERNO,
                PolicyMatch.CODE,
                "spec.rules[].validate",
                "spec.rules[].mutate",
            ),
            *_fields(
                "PolicyException",
                "kyverno.io",
                _KYVERNO,
                PolicyMatch.GLOB,
                "spec.podSecurity[].images[]",
            ),
            *_fields(
                "PolicyException",
                "policies.kyverno.io",
                _KYVERNO,
                PolicyMatch.GLOB,
                "spec.images[]",
            ),
            *_fields(
                "ImageValidatingPolicy NamespacedImageValidatingPolicy",
                "policies.kyverno.io",
                _KYVERNO,
                PolicyMatch.GLOB,
                "spec.matchImageReferences[].glob",
            ),
            *_fields(
                "ImageValidatingPolicy MutatingPolicy NamespacedImageValidatingPolicy"
                " NamespacedMutatingPolicy NamespacedValidatingPolicy ValidatingPolicy",
                "policies.kyverno.io",
                _KYVERNO,
                PolicyMatch.CODE,
                "spec",
            ),
            *_fields(
                "ClusterImagePolicy",
                "policy.sigstore.dev",
                "sigstore/policy-controller config/300-clusterimagepolicy.yaml",
                PolicyMatch.GLOB,
                "spec.images[].glob",
            ),
            *_fields(
                "K8sAllowedRepos K8sDisallowedRepos",
                _CONSTRAINTS,
                _GATEKEEPER,
                PolicyMatch.PREFIX,
                "spec.parameters.repos[]",
            ),
            *_fields(
                "K8sAllowedReposv2",
                _CONSTRAINTS,
                _GATEKEEPER,
                PolicyMatch.PREFIX,
                "spec.parameters.allowedImages[]",
            ),
            *_fields(
                "*",
                _CONSTRAINTS,
                f"{_GATEKEEPER}/containerlimits/template.yaml",
                PolicyMatch.PREFIX,
                "spec.parameters.exemptImages[]",
            ),
            *_fields(
                "ConstraintTemplate",
                "templates.gatekeeper.sh",
                f"{_GATEKEEPER}/allowedrepos/template.yaml",
                PolicyMatch.CODE,
                "spec.targets[]",
            ),
            *_fields(
                "MutatingAdmissionPolicy ValidatingAdmissionPolicy",
                "admissionregistration.k8s.io",
                _KUBERNETES,
                PolicyMatch.CODE,
                "spec",
            ),
            *_fields(
                "AdmissionPolicy AdmissionPolicyGroup ClusterAdmissionPolicy"
                " ClusterAdmissionPolicyGroup",
                "policies.kubewarden.io",
                _KUBEWARDEN,
                PolicyMatch.CODE,
                "spec",
            ),
            *_fields(
                "ClusterImagePolicy ImagePolicy",
                "config.openshift.io",
                _OPENSHIFT,
                PolicyMatch.REFERENCE,
                "spec.scopes[]",
            ),
            *_fields(
                "ImageDigestMirrorSet",
                "config.openshift.io",
                _OPENSHIFT,
                PolicyMatch.REFERENCE,
                "spec.imageDigestMirrors[].source",
            ),
            *_fields(
                "ImageTagMirrorSet",
                "config.openshift.io",
                _OPENSHIFT,
                PolicyMatch.REFERENCE,
                "spec.imageTagMirrors[].source",
            ),
            *_fields(
                "Executor",
                "config.ratify.dev",
                "ratify-project/ratify config/crd/bases/config.ratify.dev_executors.yaml",
                PolicyMatch.REFERENCE,
                "spec.scopes[]",
            ),
            *_fields(
                "ImageConfig",
                "pkg.crossplane.io",
                "crossplane/crossplane cluster/crds/pkg.crossplane.io_imageconfigs.yaml",
                PolicyMatch.PREFIX,
                "spec.matchImages[].prefix",
            ),
        ),
        key=lambda row: (row.group, row.kind, row.path),
    )
)
"""All rows, by group, kind and path."""

POLICY_GROUPS: frozenset[str] = frozenset({_CONSTRAINTS})
"""API groups all of whose kinds are policies, whatever the team calls them."""
