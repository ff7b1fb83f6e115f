"""Hosts of registries that public charts and repositories name, for finding them in any text.

The list only has to be long: a reference on another host is found by its digest, or behind a key
that refers to an image. Sources: the upstreams that ECR takes (facts 1.1), the alias table, and
the hosts that Artifact Hub's charts name.
"""

from imageshift.data.aliases import ALIASES
from imageshift.data.upstreams import UPSTREAMS

__all__ = ["REGISTRY_HOSTS", "is_registry_host"]

_OTHERS = (
    "gcr.io",
    "lscr.io",
    "nvcr.io",
    "icr.io",
    "azurecr.io",
    "pkg.dev",
    "mcr.microsoft.com",
    "ecr-public.aws.com",
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".on.aws",
    "docker.elastic.co",
    "registry.redhat.io",
    "registry.access.redhat.com",
    "registry.connect.redhat.com",
    "container-registry.oracle.com",
    "registry.suse.com",
    "registry.opensource.zalan.do",
    "xpkg.upbound.io",
    "xpkg.crossplane.io",
    "docker.n8n.io",
    "docker.gitea.com",
    "code.forgejo.org",
    "registry.hub.docker.com",
    "projects.registry.vmware.com",
)

_FIXED = {upstream.host for upstream in UPSTREAMS} | {alias.host for alias in ALIASES}

REGISTRY_HOSTS = tuple(sorted(_FIXED.union(_OTHERS)))
"""How the hosts end; of Amazon's only those of ECR are meant (`is_registry_host`)."""


def is_registry_host(text: str) -> bool:
    """Whether a text that ends as one of the hosts is that of a registry."""
    return (".on.aws" not in text and "amazonaws" not in text) or ".dkr" in text
