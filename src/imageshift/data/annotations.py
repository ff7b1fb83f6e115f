"""Annotations from which an injector takes the image of what it puts into a pod.

Every row names the public file (`owner/repository path`) that shows it.
"""

from msgspec import Struct

__all__ = ["IMAGE_ANNOTATIONS", "ImageAnnotation"]


class ImageAnnotation(Struct, frozen=True):
    """The name of an annotation, in which `*` stands for any text, and where it is shown."""

    name: str
    source: str


_BANK_VAULTS = "bank-vaults/vault-secrets-webhook pkg/common/common.go"
_LINKERD = "linkerd/website linkerd.io/content/2-edge/reference/proxy-configuration.md"

IMAGE_ANNOTATIONS: tuple[ImageAnnotation, ...] = tuple(
    ImageAnnotation(name, source)
    for source, names in (
        (
            "DataDog/datadog-agent pkg/clusteragent/admission/mutate/autoinstrumentation",
            ("admission.datadoghq.com/*-lib.custom-image",),
        ),
        (
            _LINKERD,
            (
                "config.linkerd.io/debug-image",
                "config.linkerd.io/init-image",
                "config.linkerd.io/proxy-image",
            ),
        ),
        ("dapr/dapr pkg/injector/annotations/annotations.go", ("dapr.io/sidecar-image",)),
        ("istio/api annotation/annotations.yaml", ("sidecar.istio.io/proxyImage",)),
        (
            "influxdata/telegraf-operator README.md",
            ("telegraf.influxdata.com/image", "telegraf.influxdata.com/istio-image"),
        ),
        (
            "hashicorp/vault-k8s agent-inject/agent/annotations.go",
            ("vault.hashicorp.com/agent-image",),
        ),
        (
            _BANK_VAULTS,
            (
                "secrets-webhook.security.bank-vaults.io/secret-init-image",
                "vault.security.banzaicloud.io/vault-ct-image",
                "vault.security.banzaicloud.io/vault-env-image",
                "vault.security.banzaicloud.io/vault-image",
            ),
        ),
    )
    for name in names
)
"""All rows."""
