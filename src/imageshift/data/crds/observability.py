"""Image fields of monitoring, logging and tracing."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_FLUENT = "fluent/fluent-operator charts/"
_LOGGING = (
    "kube-logging/logging-operator charts/logging-operator/charts/logging-operator-crds/templates/"
)
_OTEL = "open-telemetry/opentelemetry-operator bundle/community/manifests/opentelemetry.io_"
_PROMETHEUS = (
    "prometheus-operator/prometheus-operator example/prometheus-operator-crd/monitoring.coreos.com_"
)

_alertmanager = Definition("monitoring.coreos.com", f"{_PROMETHEUS}alertmanagers.yaml")
_agent = Definition("monitoring.coreos.com", f"{_PROMETHEUS}prometheusagents.yaml")
_prometheus = Definition("monitoring.coreos.com", f"{_PROMETHEUS}prometheuses.yaml")
_ruler = Definition("monitoring.coreos.com", f"{_PROMETHEUS}thanosrulers.yaml")
_SIDECARS = ("spec.containers[]", "spec.initContainers[]")

_PROMETHEUS_ROWS: tuple[ImageField, ...] = (
    *_alertmanager.references("Alertmanager", "spec.image"),
    *_alertmanager.of(
        FieldShape.NAME_WITHOUT_TAG,
        "Alertmanager",
        "spec.baseImage",
        note="deprecated by its own description; spec.image wins",
        version="spec.version",
    ),
    *_alertmanager.containers("Alertmanager", *_SIDECARS),
    *_agent.references("PrometheusAgent", "spec.image"),
    *_agent.containers("PrometheusAgent", *_SIDECARS),
    *_prometheus.references("Prometheus", "spec.image", "spec.thanos.image"),
    *_prometheus.of(
        FieldShape.NAME_WITHOUT_TAG,
        "Prometheus",
        "spec.baseImage",
        note="deprecated by its own description; spec.image wins",
        version="spec.version",
    ),
    *_prometheus.of(
        FieldShape.NAME_WITHOUT_TAG,
        "Prometheus",
        "spec.thanos.baseImage",
        note="deprecated by its own description; spec.thanos.image wins",
        version="spec.thanos.version",
    ),
    *_prometheus.containers("Prometheus", *_SIDECARS),
    *_ruler.references("ThanosRuler", "spec.image"),
    *_ruler.containers("ThanosRuler", *_SIDECARS),
)

_victoria = Definition(
    "operator.victoriametrics.com", "VictoriaMetrics/operator config/crd/overlay"
)
_VICTORIA_SINGLE = (
    "VLAgent VLSingle VMAgent VMAlert VMAlertmanager VMAnomaly VMAuth VMSingle VTSingle"
)


def _distributed(*parts: str) -> tuple[str, ...]:
    """The images of parts that stand once for all zones, and in each zone."""
    specs = (part if "." in part else f"{part}.spec" for part in parts)
    return tuple(f"{zone}.{spec}.image" for spec in specs for zone in _ZONES)


_ZONES = ("spec.zoneCommon", "spec.zones[]")

_VICTORIA: tuple[ImageField, ...] = (
    *_victoria.image_maps(_VICTORIA_SINGLE, "spec.image"),
    *_victoria.containers(_VICTORIA_SINGLE, *_SIDECARS),
    *_victoria.references(
        "VMAgent VMAlert VMAlertmanager VMAuth VMSingle",
        "spec.configReloaderImage",
        "spec.configReloaderImageTag",
        note="both fields hold image:tag; the second name is deprecated",
    ),
    *_victoria.image_maps("VMSingle", "spec.vmBackup.image"),
    *_victoria.image_maps(
        "VMCluster",
        "spec.vminsert.image",
        "spec.vmselect.image",
        "spec.vmstorage.image",
        "spec.vmstorage.vmBackup.image",
    ),
    *_victoria.image_maps(
        "VLCluster", "spec.vlinsert.image", "spec.vlselect.image", "spec.vlstorage.image"
    ),
    *_victoria.image_maps(
        "VTCluster", "spec.insert.image", "spec.select.image", "spec.storage.image"
    ),
    *_victoria.image_maps(
        "VLDistributed",
        *_distributed("vlagent", "vlcluster.spec.vlinsert", "vlcluster.spec.vlselect"),
        *_distributed("vlcluster.spec.vlstorage", "vlsingle"),
        "spec.vmauth.spec.image",
    ),
    *_victoria.image_maps(
        "VMDistributed",
        *_distributed("vmagent", "vmcluster.spec.vminsert", "vmcluster.spec.vmselect"),
        *_distributed("vmcluster.spec.vmstorage", "vmsingle"),
        "spec.vmauth.spec.image",
    ),
)

_bit = Definition(
    "fluentbit.fluent.io",
    f"{_FLUENT}fluent-operator-fluent-bit-crds/templates/fluentbit.fluent.io_fluentbits.yaml",
)
_collector = Definition(
    "fluentbit.fluent.io",
    f"{_FLUENT}fluent-operator-fluent-bit-crds/templates/fluentbit.fluent.io_collectors.yaml",
)
_fluentd = Definition(
    "fluentd.fluent.io",
    f"{_FLUENT}fluent-operator-fluentd-crds/templates/fluentd.fluent.io_fluentds.yaml",
)
_logging = Definition("logging.banzaicloud.io", f"{_LOGGING}logging.banzaicloud.io_loggings.yaml")
_fluentd_config = Definition(
    "logging.banzaicloud.io", f"{_LOGGING}logging.banzaicloud.io_fluentdconfigs.yaml"
)
_bit_agent = Definition(
    "logging.banzaicloud.io", f"{_LOGGING}logging.banzaicloud.io_fluentbitagents.yaml"
)
_syslog_config = Definition(
    "logging.banzaicloud.io", f"{_LOGGING}logging.banzaicloud.io_syslogngconfigs.yaml"
)
_event_tailer = Definition(
    "logging-extensions.banzaicloud.io",
    f"{_LOGGING}logging-extensions.banzaicloud.io_eventtailers.yaml",
)
_host_tailer = Definition(
    "logging-extensions.banzaicloud.io",
    f"{_LOGGING}logging-extensions.banzaicloud.io_hosttailers.yaml",
)
_BIT = ("bufferVolumeImage", "configHotReload.image", "image")
_FLUENTD = (
    "bufferVolumeImage",
    "configReloaderImage",
    "image",
    "scaling.drain.image",
    "scaling.drain.pauseImage",
    "volumeModImage",
)
_SYSLOG = ("bufferVolumeMetricsImage", "configReloadImage", "metricsExporterImage", "syslogNGImage")

_LOGS: tuple[ImageField, ...] = (
    *_bit.references("FluentBit", "spec.image"),
    *_bit.containers("FluentBit", "spec.initContainers[]"),
    *_collector.references("Collector", "spec.image"),
    *_fluentd.references("Fluentd", "spec.image"),
    *_logging.image_maps("Logging", *(f"spec.fluentbit.{path}" for path in _BIT)),
    *_logging.image_maps("Logging", *(f"spec.fluentd.{path}" for path in _FLUENTD)),
    *_logging.image_maps("Logging", *(f"spec.syslogNG.{path}" for path in _SYSLOG)),
    *_logging.containers("Logging", "spec.fluentd.sidecarContainers[]"),
    *_logging.pod_templates("Logging", "spec.syslogNG.statefulSet.spec.template"),
    *_bit_agent.image_maps("FluentbitAgent", *(f"spec.{path}" for path in _BIT)),
    *_fluentd_config.image_maps("FluentdConfig", *(f"spec.{path}" for path in _FLUENTD)),
    *_fluentd_config.containers("FluentdConfig", "spec.sidecarContainers[]"),
    *_syslog_config.image_maps("SyslogNGConfig", *(f"spec.{path}" for path in _SYSLOG)),
    *_syslog_config.pod_templates("SyslogNGConfig", "spec.statefulSet.spec.template"),
    *_event_tailer.image_maps("EventTailer", "spec.image"),
    *_host_tailer.image_maps(
        "HostTailer", "spec.fileTailers[].image", "spec.systemdTailers[].image"
    ),
)

_otel_collector = Definition("opentelemetry.io", f"{_OTEL}opentelemetrycollectors.yaml")
_otel_instrumentation = Definition("opentelemetry.io", f"{_OTEL}instrumentations.yaml")
_otel_allocator = Definition("opentelemetry.io", f"{_OTEL}targetallocators.yaml")
_otel_bridge = Definition("opentelemetry.io", f"{_OTEL}opampbridges.yaml")
_jaeger = Definition(
    "jaegertracing.io",
    "jaegertracing/jaeger-operator bundle/manifests/jaegertracing.io_jaegers.yaml",
)
_tempo = Definition(
    "tempo.grafana.com",
    "grafana/tempo-operator bundle/community/manifests/tempo.grafana.com_tempostacks.yaml",
)
_perses = Definition("perses.dev", "perses/perses-operator bundle.yaml")
_grafana = Definition(
    "grafana.integreatly.org",
    "grafana/grafana-operator config/crd/bases/grafana.integreatly.org_grafanas.yaml",
)
_splunk = Definition("enterprise.splunk.com", "splunk/splunk-operator bundle/manifests")

_skywalking = Definition(
    "operator.skywalking.apache.org", "apache/skywalking-swck operator/config/crd/bases"
)
_TRACES_AND_BOARDS: tuple[ImageField, ...] = (
    *_skywalking.references("BanyanDB EventExporter OAPServer Satellite Storage UI", "spec.image"),
    *_otel_collector.references(
        "OpenTelemetryCollector", "spec.image", "spec.targetAllocator.image"
    ),
    *_otel_collector.containers(
        "OpenTelemetryCollector", "spec.additionalContainers[]", "spec.initContainers[]"
    ),
    *_otel_instrumentation.references(
        "Instrumentation",
        *(
            f"spec.{language}.image"
            for language in ("apacheHttpd", "dotnet", "go", "java", "nginx", "nodejs", "python")
        ),
        "spec.java.extensions[].image",
    ),
    *_otel_allocator.references("TargetAllocator", "spec.image"),
    *_otel_allocator.containers(
        "TargetAllocator", "spec.additionalContainers[]", "spec.initContainers[]"
    ),
    *_otel_bridge.references("OpAMPBridge", "spec.image"),
    *_jaeger.references(
        "Jaeger",
        "spec.agent.image",
        "spec.allInOne.image",
        "spec.collector.image",
        "spec.ingester.image",
        "spec.query.image",
        "spec.storage.cassandraCreateSchema.image",
        "spec.storage.dependencies.image",
        "spec.storage.elasticsearch.image",
        "spec.storage.esIndexCleaner.image",
        "spec.storage.esRollover.image",
        "spec.storage.grpcPlugin.image",
    ),
    *_tempo.references("TempoStack", "spec.images.*"),
    *_perses.references("Perses", "spec.image"),
    *_grafana.pod_templates("Grafana", "spec.deployment.spec.template"),
    *_grafana.of(
        FieldShape.REFERENCE,
        "Grafana",
        "spec.version",
        note="a tag of docker.io/grafana/grafana, or a whole reference with slashes: only the"
        " latter is an image",
        certain=False,
    ),
    *Definition("integreatly.org", "operate-first/apps grafana/base/grafana.yaml").references(
        "Grafana", "spec.baseImage"
    ),
    *_splunk.references(
        "ClusterManager ClusterMaster IndexerCluster IngestorCluster LicenseManager LicenseMaster"
        " MonitoringConsole SearchHeadCluster Standalone",
        "spec.image",
    ),
)

ROWS: tuple[ImageField, ...] = (*_PROMETHEUS_ROWS, *_VICTORIA, *_LOGS, *_TRACES_AND_BOARDS)
"""Rows of what watches a cluster."""
