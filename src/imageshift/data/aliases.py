"""Hosts that only stand in front of another registry, for `--alias known` (fact H7, ECR study §9).

A vanity host gives its owner the freedom to move, so a row is true of a day: the table is off until
asked for, and each row's note says how sure it is. `k8s.gcr.io`, `index.docker.io`,
`registry-1.docker.io` and `ecr-public.aws.com` are no aliases of this kind: the mapping itself
knows them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

__all__ = ["ALIASES", "KNOWN_ALIASES", "Alias"]


class Alias(Struct, frozen=True):
    """A host whose repository `x` is `upstream/upstream_path/x`.

    An alias that isn't `certain` stays off: its note says what is not known.
    """

    host: str
    upstream: str
    upstream_path: str
    note: str
    source: str
    certain: bool = True

    @property
    def target(self) -> str:
        """The upstream with its path, as `--alias HOST=UPSTREAM` takes it."""
        return f"{self.upstream}/{self.upstream_path}".rstrip("/")


ALIASES: tuple[Alias, ...] = (
    Alias(
        "cr.fluentbit.io",
        "docker.io",
        "",
        "repositories fluent/*; some teams pull it directly on purpose",
        "fluent/helm-charts pull 223, charts/fluent-bit/values.yaml",
    ),
    Alias(
        "cr.l5d.io",
        "ghcr.io",
        "",
        "repositories linkerd/*; its owners redirect it to ghcr.io since 2021, path by path, but a"
        " pull was not tried",
        "linkerd/linkerd2 pull 5756",
    ),
    Alias(
        "lscr.io",
        "ghcr.io",
        "",
        "repositories linuxserver/*; through Scarf",
        "fact H7; linuxserver discussion 148 shows ghcr.io's limits behind lscr.io",
    ),
    Alias(
        "mirror.gcr.io",
        "docker.io",
        "",
        "Google's cache of Docker Hub: holds what is often pulled, official images under library/",
        "fact H7; opensearch-project/opensearch-migrations pull 2544",
    ),
    Alias(
        "oci.external-secrets.io",
        "ghcr.io",
        "",
        "repositories external-secrets/*; the chart itself is back on ghcr.io since its 1.1.0",
        "external-secrets/external-secrets issue 5611",
    ),
    Alias(
        "reg.kyverno.io",
        "ghcr.io",
        "",
        "repositories kyverno/*; the chart's `defaultRegistry`",
        "kyverno/kyverno issue 12031, charts/kyverno/values.yaml",
    ),
    Alias(
        "xpkg.crossplane.io",
        "ghcr.io",
        "",
        "made as an entry point for pulls from ghcr.io/crossplane-contrib; that all paths"
        " are equal is not checked",
        "crossplane/crossplane GOVERNANCE.md, issue 6296",
        certain=False,
    ),
)
"""The rows, by host."""

KNOWN_ALIASES: Mapping[str, str] = MappingProxyType(
    {alias.host: alias.target for alias in ALIASES if alias.certain}
)
"""What `--alias known` turns on: host to upstream, the certain rows only."""
