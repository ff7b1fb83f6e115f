"""The upstream registries that ECR's pull through cache takes, and what to do about the others.

Source: ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry" and
"Creating a pull through cache rule in Amazon ECR"; botocore's ECR model (`UpstreamRegistry`);
facts 1.1 and 9. An installed SDK's own list may be older than this table.
"""

from msgspec import Struct

from imageshift.data.aliases import KNOWN_ALIASES
from imageshift.ecr import parse_ecr_host
from imageshift.reference import DOCKER_HUB

__all__ = [
    "SECRET_PREFIX",
    "UPSTREAMS",
    "Upstream",
    "alias_of",
    "find_upstream",
    "remedy",
]

SECRET_PREFIX = "ecr-pullthroughcache/"  # noqa: S105 the beginning of a name, not a secret
"""What the name of every secret with an upstream's credentials must begin with."""


_HTTPS = ":443"
"""The port that every registry's address has without being written."""


class Upstream(Struct, frozen=True, kw_only=True):
    """A registry that ECR can cache.

    `kind` is ECR's own word for it, `host` what references say, `url` what a rule says, `names`
    further hosts of the same registry, `credential` what its secret holds (None: it takes none).
    """

    kind: str
    title: str
    host: str
    url: str
    credential: str | None = None
    names: tuple[str, ...] = ()

    @property
    def needs_secret(self) -> bool:
        """Whether ECR refuses a rule for it without credentials."""
        return self.credential is not None


UPSTREAMS = (
    Upstream(
        kind="docker-hub",
        title="Docker Hub",
        host=DOCKER_HUB,
        url="registry-1.docker.io",
        names=("index.docker.io",),
        credential="a Docker Hub account and an access token of it",
    ),
    Upstream(
        kind="github-container-registry",
        title="GitHub Container Registry",
        host="ghcr.io",
        url="ghcr.io",
        credential="a GitHub user and a classic personal access token with read:packages",
    ),
    Upstream(
        kind="k8s",
        title="Kubernetes",
        host="registry.k8s.io",
        url="registry.k8s.io",
        names=("k8s.gcr.io",),
    ),
    Upstream(
        kind="ecr-public",
        title="Amazon ECR Public",
        host="public.ecr.aws",
        url="public.ecr.aws",
        names=("ecr-public.aws.com",),
    ),
    Upstream(kind="quay", title="Quay", host="quay.io", url="quay.io"),
    Upstream(
        kind="gitlab-container-registry",
        title="GitLab Container Registry",
        host="registry.gitlab.com",
        url="registry.gitlab.com",
        credential="a GitLab user and a token that reads the registry",
    ),
    Upstream(
        kind="chainguard",
        title="Chainguard",
        host="cgr.dev",
        url="cgr.dev",
        credential="the user name and password of a Chainguard pull token",
    ),
)
"""The upstreams with a fixed host. Azure registries and other ECR registries come on top."""


def find_upstream(host: str) -> Upstream | None:
    """What ECR calls the registry `host`, or None when ECR can't cache it.

    >>> find_upstream("registry-1.docker.io").kind
    'docker-hub'
    >>> find_upstream("gcr.io") is None
    True
    """
    for upstream in UPSTREAMS:
        if host in {upstream.host, upstream.url, *upstream.names}:
            return upstream
    if host.endswith(".azurecr.io") and host != ".azurecr.io":
        return _azure(host)
    return _other_ecr(host) if parse_ecr_host(host) is not None else None


def alias_of(host: str) -> str | None:
    """The upstream for which a host stands, as `--alias HOST=UPSTREAM` takes it; None for others.

    >>> alias_of("mirror.gcr.io"), alias_of("index.docker.io:443"), alias_of("gcr.io")
    ('docker.io', 'docker.io', None)
    """
    name = host.lower().removesuffix(_HTTPS)
    upstream = find_upstream(name)
    if upstream is None:
        return KNOWN_ALIASES.get(name)
    return None if name == host else upstream.host


def remedy(host: str) -> str:
    """What to do about the images of a registry that ECR can't cache."""
    upstream = alias_of(host)
    if upstream is not None:
        return f"it stands for {upstream}: --alias {host}={upstream} uses that rule"
    return "copy its images into repositories of your own: imageshift warm PATH --sync-file FILE"


def _azure(host: str) -> Upstream:
    return Upstream(
        kind="azure-container-registry",
        title="Azure Container Registry",
        host=host,
        url=host,
        credential="the name and password of an Azure Container Registry token",
    )


def _other_ecr(host: str) -> Upstream:
    return Upstream(kind="ecr", title="Amazon ECR", host=host, url=host)
