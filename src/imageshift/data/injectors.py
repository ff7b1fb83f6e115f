"""Webhooks that put containers into pods: how their pods look, and what sets the image.

Sources: the annotations and container names in each project's own injector, as its documentation
has them (Istio "Resource Annotations", Linkerd "Proxy Configuration", Vault Agent Injector,
Dapr "sidecar annotations", Consul "Annotations and Labels", Kuma "Kubernetes annotations",
OpenTelemetry Operator "Injecting Auto-instrumentation", Datadog "Library Injection").
"""

import re

from msgspec import Struct

__all__ = ["INJECTORS", "Injector"]


class Injector(Struct, frozen=True):
    """One injector: how its annotations begin, its containers, and where its image is set."""

    name: str
    annotation: str
    containers: re.Pattern[str]
    setting: str


def _row(name: str, annotation: str, containers: str, setting: str) -> Injector:
    return Injector(name, annotation, re.compile(containers), setting)


INJECTORS = (
    _row(
        "Istio",
        "sidecar.istio.io/",
        r"istio-proxy|istio-init|istio-validation|enable-core-dump",
        "global.hub, or global.proxy.image of the istiod chart",
    ),
    _row(
        "Linkerd",
        "linkerd.io/",
        r"linkerd-(?:proxy|init|network-validator|debug)",
        "proxy.image.name and proxyInit.image.name of the linkerd-control-plane chart",
    ),
    _row(
        "Vault",
        "vault.hashicorp.com/",
        r"vault-agent(?:-init)?",
        "injector.agentImage of the vault chart",
    ),
    _row("Dapr", "dapr.io/", r"daprd", "global.registry of the dapr chart"),
    _row(
        "Consul",
        "consul.hashicorp.com/",
        r"consul-(?:dataplane|connect-inject-init|sidecar).*|envoy-sidecar",
        "global.imageConsulDataplane and global.imageK8S of the consul chart",
    ),
    _row("Kuma", "kuma.io/", r"kuma-(?:sidecar|init|validation)", "global.image.registry of kuma"),
    _row(
        "OpenTelemetry",
        "instrumentation.opentelemetry.io/",
        r"opentelemetry-auto-instrumentation.*",
        "spec.*.image of the Instrumentation",
    ),
    _row(
        "OpenTelemetry",
        "sidecar.opentelemetry.io/",
        r"otc-container.*",
        "spec.image of the OpenTelemetryCollector",
    ),
    _row(
        "Datadog",
        "admission.datadoghq.com/",
        r"datadog-(?:lib-.*-init|init-apm-inject|agent-injected)",
        "clusterAgent.admissionController of the datadog chart",
    ),
    _row("Jaeger", "sidecar.jaegertracing.io/", r"jaeger-agent", "the Jaeger operator's flags"),
    _row(
        "AWS App Mesh",
        "appmesh.k8s.aws/",
        r"envoy|proxyinit|xray-daemon",
        "sidecar.image and init.image of the appmesh-controller chart",
    ),
)
"""All injectors."""
