"""Charts proven by real renders not to put a registry before `image.repository` (facts H2, H8b).

A row says: with each of `paths` set to a full name (host, path and all), and with `enable` set so
that every part is rendered, real helm 4.1.4 put that very name into the chart's output, nothing
before it. `version` is the one that was rendered on 2026-11-23 (`0.0.0` and its like are a main
branch's own). `scripts/prove_prefix_free_charts.py` proves the rows again, and tells when a chart
has gained an image that no row refers to.

Left out: charts that do prepend (kube-state-metrics, node-exporter, blackbox-exporter, promtail,
ingress-nginx, everything of Bitnami), and charts with subcharts, which may.
"""

from msgspec import Struct

__all__ = ["PREFIX_FREE_CHARTS", "PrefixFreeChart", "is_prefix_free"]


class PrefixFreeChart(Struct, frozen=True):
    """A chart, told by its name and by where it comes from.

    `sources` are the host and first path of the URLs under which its owner publishes it, in lower
    case: another owner may have a chart of the same name (Bitnami has a `nats` too).
    """

    name: str
    version: str
    sources: tuple[str, ...]
    paths: tuple[str, ...]
    enable: tuple[str, ...] = ()

    def is_from(self, url: str) -> bool:
        """Return whether a chart's URL is one of its owner's, or a proxy's with it inside."""
        whole = f"/{url.lower().partition('://')[2] or url.lower()}/"
        return any(f"/{source}/" in whole for source in self.sources)


_AWS = ("aws.github.io/eks-charts", "github.com/aws/eks-charts")
_FLUENT = ("fluent.github.io/helm-charts", "ghcr.io/fluent/helm-charts")
_NATS = ("nats-io.github.io/k8s", "github.com/nats-io")
_PROMETHEUS_COMMUNITY = (
    "prometheus-community.github.io/helm-charts",
    "ghcr.io/prometheus-community/charts",
    "github.com/prometheus-community/helm-charts",
)
_VICTORIAMETRICS = (
    "victoriametrics.github.io/helm-charts",
    "ghcr.io/victoriametrics/helm-charts",
    "github.com/victoriametrics/helm-charts",
)

PREFIX_FREE_CHARTS: tuple[PrefixFreeChart, ...] = (
    PrefixFreeChart(
        "alertmanager",
        "1.42.0",
        _PROMETHEUS_COMMUNITY,
        ("configmapReload.image.repository", "image.repository"),
        ("configmapReload.enabled=true",),
    ),
    PrefixFreeChart(
        "app-template",
        "4.1.1",
        (
            "bjw-s-labs.github.io/helm-charts",
            "bjw-s.github.io/helm-charts",
            "ghcr.io/bjw-s-labs/helm",
            "ghcr.io/bjw-s/helm",
            "github.com/bjw-s-labs/helm-charts",
        ),
        (
            "controllers.main.containers.main.image.repository",
            "controllers.main.initContainers.init.image.repository",
        ),
        (
            "controllers.main.containers.main.image.tag=v1",
            "controllers.main.initContainers.init.image.tag=v1",
        ),
    ),
    PrefixFreeChart(
        "argocd-image-updater",
        "1.2.4",
        (
            "argoproj.github.io/argo-helm",
            "ghcr.io/argoproj/argo-helm",
            "github.com/argoproj/argo-helm",
        ),
        ("image.repository",),
    ),
    PrefixFreeChart("aws-cloudwatch-metrics", "0.0.11", _AWS, ("image.repository",)),
    PrefixFreeChart("aws-efa-k8s-device-plugin", "v0.5.30", _AWS, ("image.repository",)),
    PrefixFreeChart("aws-for-fluent-bit", "0.2.0", _AWS, ("image.repository",)),
    PrefixFreeChart(
        "aws-load-balancer-controller", "3.5.0", _AWS, ("image.repository",), ("clusterName=demo",)
    ),
    PrefixFreeChart(
        "cert-manager",
        "v0.0.0",
        ("charts.jetstack.io", "quay.io/jetstack/charts", "github.com/cert-manager/cert-manager"),
        (
            "acmesolver.image.repository",
            "cainjector.image.repository",
            "image.repository",
            "startupapicheck.image.repository",
            "webhook.image.repository",
        ),
    ),
    PrefixFreeChart("crossplane", "0.0.1", ("charts.crossplane.io",), ("image.repository",)),
    PrefixFreeChart(
        "csi-driver-nfs",
        "v0.0.0",
        (
            "raw.githubusercontent.com/kubernetes-csi/csi-driver-nfs",
            "github.com/kubernetes-csi/csi-driver-nfs",
        ),
        (
            "image.csiProvisioner.repository",
            "image.csiResizer.repository",
            "image.csiSnapshotter.repository",
            "image.externalSnapshotter.repository",
            "image.livenessProbe.repository",
            "image.nfs.repository",
            "image.nodeDriverRegistrar.repository",
        ),
        ("externalSnapshotter.enabled=true",),
    ),
    PrefixFreeChart(
        "dex",
        "0.24.0",
        ("charts.dexidp.io", "github.com/dexidp/helm-charts"),
        ("image.repository",),
    ),
    PrefixFreeChart(
        "external-dns",
        "1.21.1",
        ("kubernetes-sigs.github.io/external-dns", "github.com/kubernetes-sigs/external-dns"),
        ("image.repository", "provider.webhook.image.repository"),
        ("provider.name=webhook", "provider.webhook.image.tag=v1"),
    ),
    PrefixFreeChart(
        "fluent-bit",
        "0.58.1",
        _FLUENT,
        ("hotReload.image.repository", "image.repository", "testFramework.image.repository"),
        ("hotReload.enabled=true",),
    ),
    PrefixFreeChart("fluentd", "0.6.0", _FLUENT, ("image.repository",)),
    PrefixFreeChart(
        "harbor",
        "1.4.0-dev",
        ("helm.goharbor.io", "github.com/goharbor/harbor-helm"),
        (
            "core.image.repository",
            "database.internal.image.repository",
            "exporter.image.repository",
            "jobservice.image.repository",
            "nginx.image.repository",
            "portal.image.repository",
            "redis.internal.image.repository",
            "registry.controller.image.repository",
            "registry.registry.image.repository",
            "trivy.image.repository",
        ),
        ("expose.type=nodePort", "metrics.enabled=true", "expose.tls.auto.commonName=h"),
    ),
    PrefixFreeChart(
        "karpenter",
        "1.14.1",
        ("public.ecr.aws/karpenter", "github.com/aws/karpenter-provider-aws"),
        ("controller.image.repository",),
        ("settings.clusterName=demo",),
    ),
    PrefixFreeChart("kured", "6.1.0", ("kubereboot.github.io/charts",), ("image.repository",)),
    PrefixFreeChart(
        "metrics-server",
        "3.13.1",
        ("kubernetes-sigs.github.io/metrics-server", "github.com/kubernetes-sigs/metrics-server"),
        ("addonResizer.image.repository", "image.repository"),
        ("addonResizer.enabled=true",),
    ),
    PrefixFreeChart("nack", "0.34.0", _NATS, ("jetstream.image.repository",)),
    PrefixFreeChart(
        "nats",
        "2.14.2",
        _NATS,
        (
            "container.image.repository",
            "natsBox.container.image.repository",
            "promExporter.image.repository",
            "reloader.image.repository",
        ),
        ("promExporter.enabled=true",),
    ),
    PrefixFreeChart(
        "node-feature-discovery",
        "0.2.1",
        (
            "kubernetes-sigs.github.io/node-feature-discovery",
            "registry.k8s.io/nfd/charts",
            "github.com/kubernetes-sigs/node-feature-discovery",
        ),
        ("image.repository",),
    ),
    PrefixFreeChart(
        "prom-label-proxy",
        "0.22.0",
        _PROMETHEUS_COMMUNITY,
        ("image.repository", "kubeRBACProxy.image.repository"),
        ("kubeRBACProxy.enabled=true",),
    ),
    PrefixFreeChart("prometheus-adapter", "5.3.0", _PROMETHEUS_COMMUNITY, ("image.repository",)),
    PrefixFreeChart(
        "prometheus-cloudwatch-exporter", "0.28.1", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-elasticsearch-exporter", "7.4.0", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-json-exporter", "0.19.2", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-mongodb-exporter",
        "3.22.0",
        _PROMETHEUS_COMMUNITY,
        ("image.repository",),
        ("mongodb.uri=mongodb://a",),
    ),
    PrefixFreeChart(
        "prometheus-nats-exporter", "2.23.2", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-nginx-exporter", "1.23.1", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-pushgateway", "3.8.0", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-rabbitmq-exporter", "2.1.2", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-redis-exporter", "6.29.0", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-smartctl-exporter", "0.17.1", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-snmp-exporter",
        "9.17.1",
        _PROMETHEUS_COMMUNITY,
        ("configmapReload.image.repository", "image.repository"),
        ("configmapReload.enabled=true",),
    ),
    PrefixFreeChart(
        "prometheus-stackdriver-exporter", "4.13.0", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "prometheus-statsd-exporter", "1.0.0", _PROMETHEUS_COMMUNITY, ("image.repository",)
    ),
    PrefixFreeChart(
        "reflector",
        "0.1.0",
        ("emberstack.github.io/helm-charts", "ghcr.io/emberstack/helm-charts"),
        ("image.repository",),
    ),
    PrefixFreeChart(
        "reloader",
        "2.2.16",
        (
            "stakater.github.io/stakater-charts",
            "ghcr.io/stakater/charts",
            "github.com/stakater/reloader",
        ),
        ("image.repository",),
    ),
    PrefixFreeChart(
        "snapshot-controller",
        "0.3.0",
        ("democratic-csi.github.io/charts", "github.com/democratic-csi/charts"),
        ("controller.image.repository", "validatingWebhook.image.repository"),
        ("validatingWebhook.enabled=true",),
    ),
    PrefixFreeChart(
        "snapshot-controller",
        "5.2.0",
        (
            "piraeus.io/helm-charts",
            "ghcr.io/piraeusdatastore/helm-charts",
            "github.com/piraeusdatastore/helm-charts",
        ),
        ("controller.image.repository", "webhook.image.repository"),
        ("webhook.enabled=true",),
    ),
    PrefixFreeChart(
        "spegel",
        "0.0.1",
        ("ghcr.io/spegel-org/helm-charts", "github.com/spegel-org/spegel"),
        ("image.repository",),
    ),
    PrefixFreeChart(
        "tailscale-operator",
        "0.1.0",
        ("pkgs.tailscale.com/helmcharts", "github.com/tailscale/tailscale"),
        ("operatorConfig.image.repository", "proxyConfig.image.repository"),
    ),
    PrefixFreeChart(
        "vault",
        "0.34.1",
        ("helm.releases.hashicorp.com", "github.com/hashicorp/vault-helm"),
        (
            "csi.agent.image.repository",
            "csi.image.repository",
            "injector.agentImage.repository",
            "injector.image.repository",
            "server.image.repository",
        ),
        ("csi.enabled=true", "csi.agent.enabled=true"),
    ),
    PrefixFreeChart(
        "velero",
        "12.1.0",
        ("vmware-tanzu.github.io/helm-charts", "github.com/vmware-tanzu/helm-charts"),
        ("image.repository", "kubectl.image.repository"),
        ("upgradeCRDs=true", "cleanUpCRDs=true"),
    ),
    PrefixFreeChart(
        "victoria-metrics-agent",
        "0.46.0",
        _VICTORIAMETRICS,
        ("image.repository",),
        ("remoteWrite[0].url=http://a",),
    ),
    PrefixFreeChart(
        "victoria-metrics-alert",
        "0.47.0",
        _VICTORIAMETRICS,
        ("alertmanager.image.repository", "server.image.repository"),
        (
            "server.datasource.url=http://a",
            "server.notifier.url=http://a",
            "alertmanager.enabled=true",
        ),
    ),
    PrefixFreeChart("victoria-metrics-auth", "0.40.0", _VICTORIAMETRICS, ("image.repository",)),
    PrefixFreeChart(
        "victoria-metrics-cluster",
        "0.49.0",
        _VICTORIAMETRICS,
        (
            "vmauth.image.repository",
            "vminsert.image.repository",
            "vmselect.image.repository",
            "vmstorage.image.repository",
            "vmstorage.vmbackupmanager.image.repository",
        ),
        (
            "vmauth.enabled=true",
            "vmstorage.vmbackupmanager.enabled=true",
            "vmstorage.vmbackupmanager.destination=s3://a",
            "license.key=a",
        ),
    ),
    PrefixFreeChart(
        "victoria-metrics-single",
        "0.45.0",
        _VICTORIAMETRICS,
        ("server.image.repository", "server.vmbackupmanager.image.repository"),
        (
            "server.vmbackupmanager.enabled=true",
            "server.vmbackupmanager.destination=s3://a",
            "license.key=a",
        ),
    ),
    PrefixFreeChart(
        "volsync",
        "0.17.0",
        ("backube.github.io/helm-charts", "github.com/backube/volsync"),
        (
            "image.repository",
            "rclone.repository",
            "restic.repository",
            "rsync-tls.repository",
            "rsync.repository",
            "syncthing.repository",
        ),
    ),
)
"""The rows, by name and owner."""


def is_prefix_free(name: str, url: str | None) -> bool:
    """Return whether a chart is proven to take a whole name as its repository.

    `url` is where the chart comes from, None when that isn't in the tree: then the name decides.
    """
    rows = [chart for chart in PREFIX_FREE_CHARTS if chart.name == name]
    return any(url is None or chart.is_from(url) for chart in rows)
