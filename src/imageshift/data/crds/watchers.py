"""Image fields of further agents that watch a cluster or guard it."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]


ROWS: tuple[ImageField, ...] = (
    *Definition(
        "coroot.com",
        "datreeio/CRDs-catalog coroot.com/coroot_v1.json",
    ).references(
        "Coroot",
        "spec.clickhouse.image.name",
        "spec.clickhouse.keeper.image.name",
        "spec.clusterAgent.image.name",
        "spec.clusterAgent.kubeStateMetrics.image.name",
        "spec.communityEdition.image.name",
        "spec.enterpriseEdition.image.name",
        "spec.nodeAgent.image.name",
        "spec.prometheus.image.name",
    ),
    *Definition(
        "datadoghq.com",
        "datreeio/CRDs-catalog datadoghq.com/datadogagent_v2alpha1.json",
    ).of(
        FieldShape.REFERENCE,
        "DatadogAgent",
        "spec.agent.image.name",
        "spec.clusterAgent.image.name",
        "spec.clusterChecksRunner.image.name",
        "spec.features.admissionController.agentSidecarInjection.image.name",
        "spec.global.fips.image.name",
        "spec.override.*.image.name",
        note="without a registry the operator adds one",
        full_only=True,
    ),
    *Definition(
        "dynatrace.com",
        "carvel-dev/kapp-controller cli/examples/package-authoring/dynatrace-operator/upstream",
    ).references(
        "DynaKube",
        "spec.kubernetesMonitoring.image",
        "spec.oneAgent.image",
        "spec.routing.image",
    ),
    *Definition(
        "falcon.crowdstrike.com",
        "CrowdStrike/falcon-operator bundle/manifests",
    ).references(
        "FalconAdmission",
        "spec.image",
    ),
    *Definition(
        "falcon.crowdstrike.com",
        "CrowdStrike/falcon-operator config/crd/bases",
    ).references(
        "FalconContainer",
        "spec.image",
    ),
    *Definition(
        "falcon.crowdstrike.com",
        "CrowdStrike/falcon-operator config/crd/bases",
    ).references(
        "FalconDeployment",
        "spec.falconAdmission.image",
        "spec.falconContainerSensor.image",
        "spec.falconImageAnalyzer.image",
        "spec.falconNodeSensor.node.image",
    ),
    *Definition(
        "falcon.crowdstrike.com",
        "CrowdStrike/falcon-operator bundle/manifests",
    ).references(
        "FalconImageAnalyzer",
        "spec.image",
    ),
    *Definition(
        "falcon.crowdstrike.com",
        "CrowdStrike/falcon-operator bundle/manifests",
    ).references(
        "FalconNodeSensor",
        "spec.node.image",
    ),
    *Definition(
        "kiali.io",
        "kiali/kiali-operator manifests/kiali-ossm/manifests/kiali.crd.yaml",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "Kiali",
        "spec.deployment.image_name",
        version="spec.deployment.image_version",
    ),
    *Definition(
        "kiali.io",
        "kiali/kiali-operator manifests/kiali-ossm/manifests/ossmconsole.crd.yaml",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "OSSMConsole",
        "spec.deployment.imageName",
        version="spec.deployment.imageVersion",
    ),
    *Definition(
        "logging-extensions.banzaicloud.io",
        "rancher/charts charts/rancher-logging-crd",
    ).references(
        "EventTailer",
        "spec.containerOverrides.image",
    ),
    *Definition(
        "logging-extensions.banzaicloud.io",
        "rancher/charts charts/rancher-logging-crd",
    ).containers(
        "EventTailer",
        "spec.workloadOverrides.containers[]",
        "spec.workloadOverrides.initContainers[]",
    ),
    *Definition(
        "logging-extensions.banzaicloud.io",
        "rancher/charts charts/rancher-logging-crd",
    ).references(
        "HostTailer",
        "spec.fileTailers[].containerOverrides.image",
        "spec.systemdTailers[].containerOverrides.image",
    ),
    *Definition(
        "logging-extensions.banzaicloud.io",
        "rancher/charts charts/rancher-logging-crd",
    ).image_maps(
        "HostTailer",
        "spec.image",
    ),
    *Definition(
        "logging-extensions.banzaicloud.io",
        "rancher/charts charts/rancher-logging-crd",
    ).containers(
        "HostTailer",
        "spec.workloadOverrides.containers[]",
        "spec.workloadOverrides.initContainers[]",
    ),
    *Definition(
        "logging.banzaicloud.io",
        "datreeio/CRDs-catalog logging.banzaicloud.io/nodeagent_v1beta1.json",
    ).pod_templates(
        "NodeAgent",
        "spec.nodeAgentFluentbit.daemonSet.spec.template",
    ),
    *Definition(
        "monitoring.grafana.com",
        "grafana/helm-charts charts/agent-operator/crds",
    ).references(
        "GrafanaAgent",
        "spec.configReloaderImage",
        "spec.image",
    ),
    *Definition(
        "monitoring.grafana.com",
        "grafana/helm-charts charts/agent-operator/crds",
    ).containers(
        "GrafanaAgent",
        "spec.containers[]",
        "spec.initContainers[]",
    ),
    *Definition(
        "operator.victoriametrics.com",
        "VictoriaMetrics/helm-charts charts/victoria-metrics-operator/charts/crds/crds/crd.yaml",
    ).references(
        "VMDistributed",
        "spec.vmauth.spec.configReloaderImage",
    ),
    *Definition(
        "vault.banzaicloud.com",
        "bank-vaults/vault-operator deploy/crd/bases/vault.banzaicloud.com_vaults.yaml",
    ).references(
        "Vault",
        "spec.vaultContainerSpec.image",
    ),
)
"""Rows of agents."""
