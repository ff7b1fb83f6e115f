"""Image fields of what clusters themselves are made of: storage, network, security, hardware."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_CEPH = "rook/rook deploy/examples/crds.yaml"
_INTEL = "intel/intel-device-plugins-for-kubernetes deployments/operator/crd/bases"
_KONG = "Kong/gateway-operator charts/kong-operator/charts/ko-crds/templates/ko-crds.yaml"
_TAILSCALE = "tailscale/tailscale cmd/k8s-operator/deploy/crds/tailscale.com_"

_ceph = Definition("ceph.rook.io", _CEPH)
_minio = Definition(
    "minio.min.io", "minio/operator helm/operator/templates/minio.min.io_tenants.yaml"
)
_longhorn = Definition("longhorn.io", "longhorn/longhorn deploy/longhorn-okd.yaml")
_STORAGE: tuple[ImageField, ...] = (
    *_ceph.references("CephCluster", "spec.cephVersion.image"),
    *_ceph.references("CephCOSIDriver", "spec.image", "spec.objectProvisionerImage"),
    *_ceph.references("CephNFS", "spec.server.image", "spec.security.sssd.sidecar.image"),
    *_ceph.references("CephNVMeOFGateway", "spec.image"),
    *_minio.references("Tenant", "spec.image", "spec.kes.image"),
    *_minio.containers("Tenant", "spec.initContainers[]", "spec.sideCars.containers[]"),
    *_longhorn.references(
        "EngineImage",
        "spec.image",
        note="Longhorn makes these itself from its settings; seldom written by hand",
    ),
)

_ENVOY = "spec.provider.kubernetes."
_envoy = Definition(
    "gateway.envoyproxy.io",
    "envoyproxy/gateway charts/gateway-crds-helm/templates/generated/"
    "gateway.envoyproxy.io_envoyproxies.yaml",
)
_kgateway = Definition(
    "gateway.kgateway.dev",
    "kgateway-dev/kgateway install/helm/kgateway/crds/gateway.kgateway.dev_gatewayparameters.yaml",
)
_kong = Definition("gateway-operator.konghq.com", _KONG)
_proxy_class = Definition("tailscale.com", f"{_TAILSCALE}proxyclasses.yaml")
_recorder = Definition("tailscale.com", f"{_TAILSCALE}recorders.yaml")
_NETWORK: tuple[ImageField, ...] = (
    *_envoy.references(
        "EnvoyProxy",
        f"{_ENVOY}envoyDaemonSet.container.image",
        f"{_ENVOY}envoyDeployment.container.image",
    ),
    *_envoy.of(
        FieldShape.NAME_WITHOUT_TAG,
        "EnvoyProxy",
        f"{_ENVOY}envoyDaemonSet.container.imageRepository",
        f"{_ENVOY}envoyDeployment.container.imageRepository",
        note="Envoy Gateway adds its own default tag",
    ),
    *_envoy.containers("EnvoyProxy", f"{_ENVOY}envoyDeployment.initContainers[]"),
    *_kgateway.image_maps(
        "GatewayParameters",
        "spec.kube.envoyContainer.image",
        "spec.kube.istio.istioProxyContainer.image",
        "spec.kube.sdsContainer.image",
    ),
    *_kong.pod_templates("ControlPlane DataPlane", "spec.deployment.podTemplateSpec"),
    *_kong.pod_templates(
        "GatewayConfiguration", "spec.dataPlaneOptions.deployment.podTemplateSpec"
    ),
    *_proxy_class.references(
        "ProxyClass",
        "spec.statefulSet.pod.tailscaleContainer.image",
        "spec.statefulSet.pod.tailscaleInitContainer.image",
    ),
    *_recorder.references("Recorder", "spec.statefulSet.pod.container.image"),
)

_vault = Definition(
    "vault.banzaicloud.com",
    "bank-vaults/vault-operator deploy/crd/bases/vault.banzaicloud.com_vaults.yaml",
)
_policy_server = Definition(
    "policies.kubewarden.io",
    "kubewarden/kubewarden-controller charts/kubewarden-crds/templates/crds/"
    "policies.kubewarden.io_policyservers.yaml",
)
_keycloak = Definition(
    "k8s.keycloak.org",
    "keycloak/keycloak operator/src/main/java/org/keycloak/operator/crds/v2alpha1/deployment/"
    "KeycloakSpec.java",
)
_dynakube = Definition(
    "dynatrace.com",
    "Dynatrace/dynatrace-operator config/crd/bases/dynatrace.com_dynakubes.yaml",
)
_edge = Definition(
    "dynatrace.com",
    "Dynatrace/dynatrace-operator config/crd/bases/dynatrace.com_edgeconnects.yaml",
)
_falco = Definition(
    "instance.falcosecurity.dev", "falcosecurity/falco-operator chart/falco-operator/crds"
)
_SECURITY: tuple[ImageField, ...] = (
    *_falco.pod_templates("Component Falco", "spec.podTemplateSpec"),
    *_vault.references(
        "Vault",
        "spec.bankVaultsImage",
        "spec.fluentdImage",
        "spec.image",
        "spec.statsdImage",
        "spec.veleroFsfreezeImage",
    ),
    *_vault.containers("Vault", "spec.vaultContainers[]", "spec.vaultInitContainers[]"),
    *_vault.pod_specs("Vault", "spec.vaultConfigurerPodSpec", "spec.vaultPodSpec"),
    *_policy_server.references("PolicyServer", "spec.image"),
    *_keycloak.references("Keycloak", "spec.image"),
    *_keycloak.pod_templates("Keycloak", "spec.unsupported.podTemplate"),
    *_dynakube.references(
        "DynaKube",
        "spec.activeGate.image",
        "spec.oneAgent.applicationMonitoring.codeModulesImage",
        "spec.oneAgent.classicFullStack.image",
        "spec.oneAgent.cloudNativeFullStack.codeModulesImage",
        "spec.oneAgent.cloudNativeFullStack.image",
        "spec.oneAgent.hostMonitoring.image",
    ),
    *_dynakube.image_maps(
        "DynaKube",
        "spec.templates.extensionExecutionController.imageRef",
        "spec.templates.kspmNodeConfigurationCollector.imageRef",
        "spec.templates.logMonitoring.imageRef",
        "spec.templates.otelCollector.imageRef",
    ),
    *_edge.image_maps("EdgeConnect", "spec.imageRef"),
)

_gpu = Definition(
    "nvidia.com", "NVIDIA/gpu-operator bundle/manifests/nvidia.com_clusterpolicies.yaml"
)
_driver = Definition(
    "nvidia.com", "NVIDIA/gpu-operator bundle/manifests/nvidia.com_nvidiadrivers.yaml"
)
_nic = Definition(
    "mellanox.com",
    "Mellanox/network-operator bundle/manifests/mellanox.com_nicclusterpolicies.yaml",
)
_amd = Definition("amd.com", "ROCm/gpu-operator bundle/manifests/amd.com_deviceconfigs.yaml")
_nfd = Definition(
    "nfd.kubernetes.io",
    "kubernetes-sigs/node-feature-discovery-operator bundle/manifests/"
    "nfd.kubernetes.io_nodefeaturediscoveries.yaml",
)
_NVIDIA_PARTS = (
    "ccManager",
    "dcgm",
    "dcgmExporter",
    "devicePlugin",
    "driver",
    "driver.manager",
    "gdrcopy",
    "gds",
    "gfd",
    "kataManager",
    "kataSandboxDevicePlugin",
    "migManager",
    "nodeStatusExporter",
    "operator.initContainer",
    "sandboxDevicePlugin",
    "toolkit",
    "validator",
    "vfioManager",
    "vfioManager.driverManager",
    "vgpuDeviceManager",
    "vgpuManager",
    "vgpuManager.driverManager",
)
_NIC_PARTS = (
    "docaTelemetryService",
    "ibKubernetes",
    "nicConfigurationOperator.configurationDaemon",
    "nicConfigurationOperator.operator",
    "nicFeatureDiscovery",
    "nvIpam",
    "ofedDriver",
    "rdmaSharedDevicePlugin",
    "secondaryNetwork.cniPlugins",
    "secondaryNetwork.ipoib",
    "secondaryNetwork.multus",
    "sriovDevicePlugin",
)
_SPLIT_NOTE = (
    "with repository and version absent, `image` is a whole reference; a version that begins"
    " with sha256: is a digest"
)
_HARDWARE: tuple[ImageField, ...] = (
    *_gpu.of(
        FieldShape.REPOSITORY_IMAGE_VERSION,
        "ClusterPolicy",
        *(f"spec.{part}" for part in _NVIDIA_PARTS),
        note=_SPLIT_NOTE,
    ),
    *_driver.of(
        FieldShape.REPOSITORY_IMAGE_VERSION,
        "NVIDIADriver",
        "spec",
        "spec.gdrcopy",
        "spec.gds",
        "spec.manager",
        note=_SPLIT_NOTE,
    ),
    *_nic.of(
        FieldShape.REPOSITORY_IMAGE_VERSION,
        "NicClusterPolicy",
        *(f"spec.{part}" for part in _NIC_PARTS),
    ),
    *_amd.references(
        "DeviceConfig",
        "spec.commonConfig.initContainerImage",
        "spec.commonConfig.utilsContainer.image",
        "spec.configManager.image",
        "spec.devicePlugin.devicePluginImage",
        "spec.devicePlugin.nodeLabellerImage",
        "spec.metricsExporter.image",
        "spec.metricsExporter.rbacConfig.image",
        "spec.testRunner.image",
    ),
    *_nfd.references("NodeFeatureDiscovery", "spec.operand.image"),
    *Definition("deviceplugin.intel.com", _INTEL).references(
        "DlbDevicePlugin DsaDevicePlugin FpgaDevicePlugin GpuDevicePlugin IaaDevicePlugin"
        " NpuDevicePlugin QatDevicePlugin SgxDevicePlugin",
        "spec.image",
    ),
    *Definition("deviceplugin.intel.com", _INTEL).references(
        "DlbDevicePlugin DsaDevicePlugin FpgaDevicePlugin GpuDevicePlugin IaaDevicePlugin"
        " QatDevicePlugin SgxDevicePlugin",
        "spec.initImage",
    ),
)

_plan = Definition(
    "upgrade.cattle.io",
    "rancher/system-upgrade-controller pkg/crds/yaml/generated/upgrade.cattle.io_plans.yaml",
)
_helm_chart = Definition(
    "helm.cattle.io",
    "k3s-io/helm-controller pkg/crds/yaml/generated/helm.cattle.io_helmcharts.yaml",
)
_k8up_pod = Definition("k8up.io", "k8up-io/k8up charts/k8up/crds/k8up.io_prebackuppods.yaml")
_k8up_config = Definition("k8up.io", "k8up-io/k8up charts/k8up/crds/k8up.io_podconfigs.yaml")
_BACKUPS: tuple[ImageField, ...] = (
    *_k8up_pod.pod_templates("PreBackupPod", "spec.pod"),
    *_k8up_config.pod_templates("PodConfig", "spec.template"),
)

_RANCHER: tuple[ImageField, ...] = (
    *_helm_chart.references("HelmChart", "spec.jobImage"),
    *_plan.of(
        FieldShape.NAME_WITHOUT_TAG,
        "Plan",
        "spec.prepare.image",
        "spec.upgrade.image",
        note="without a tag the controller appends the latest version it resolved",
        version="spec.version",
    ),
)

_lambda = Definition(
    "lambda.services.k8s.aws",
    "aws-controllers-k8s/lambda-controller config/crd/bases/lambda.services.k8s.aws_functions.yaml",
)
_AWS: tuple[ImageField, ...] = _lambda.of(
    FieldShape.REFERENCE,
    "Function",
    "spec.code.imageURI",
    note="AWS Lambda can't pull through the cache",
    certain=False,
)

ROWS: tuple[ImageField, ...] = (
    *_STORAGE,
    *_NETWORK,
    *_SECURITY,
    *_HARDWARE,
    *_BACKUPS,
    *_RANCHER,
    *_AWS,
)
"""Rows of a cluster's own parts."""
