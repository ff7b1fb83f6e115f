"""Image fields of what makes clusters, and of their networks and disks."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]


_K0SMOTRON = (
    "etcd.defragJob.image",
    "etcd.image",
    "image",
    "manifests[].image.reference",
    "monitoring.prometheusImage",
    "monitoring.proxyImage",
    "mounts[].image.reference",
)

ROWS: tuple[ImageField, ...] = (
    *Definition(
        "addon.open-cluster-management.io",
        "datreeio/CRDs-catalog addon.open-cluster-management.io/addontemplate_v1alpha1.json",
    ).objects(
        "AddOnTemplate",
        "spec.agentSpec.workload.manifests[]",
    ),
    *Definition(
        "agentgateway.dev",
        "datreeio/CRDs-catalog agentgateway.dev/agentgatewayparameters_v1alpha1.json",
    ).image_maps(
        "AgentgatewayParameters",
        "spec.image",
    ),
    *Definition(
        "aigateway.envoyproxy.io",
        "datreeio/CRDs-catalog aigateway.envoyproxy.io/gatewayconfig_v1beta1.json",
    ).references(
        "GatewayConfig",
        "spec.extProc.kubernetes.image",
    ),
    *Definition(
        "capsule.clastix.io",
        "datreeio/CRDs-catalog capsule.clastix.io/globaltenantresource_v1beta2.json",
    ).objects(
        "GlobalTenantResource",
        "spec.resources[].rawItems[]",
    ),
    *Definition(
        "capsule.clastix.io",
        "datreeio/CRDs-catalog capsule.clastix.io/tenantresource_v1beta2.json",
    ).objects(
        "TenantResource",
        "spec.resources[].rawItems[]",
    ),
    *Definition(
        "cloudsql.cloud.google.com",
        "datreeio/CRDs-catalog cloudsql.cloud.google.com/authproxyworkload_v1.json",
    ).references(
        "AuthProxyWorkload",
        "spec.authProxyContainer.container.image",
        "spec.authProxyContainer.image",
    ),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "datreeio/CRDs-catalog controlplane.cluster.x-k8s.io/k0smotroncontrolplane_v1beta1.json",
    ).references(
        "K0smotronControlPlane",
        *(f"spec.{path}" for path in _K0SMOTRON),
    ),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "datreeio/CRDs-catalog controlplane.cluster.x-k8s.io",
    ).references(
        "K0smotronControlPlaneTemplate",
        *(f"spec.template.spec.{path}" for path in _K0SMOTRON),
    ),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "datreeio/CRDs-catalog controlplane.cluster.x-k8s.io/kamajicontrolplane_v1alpha1.json",
    ).references(
        "KamajiControlPlane",
        "spec.addons.konnectivity.agent.image",
        "spec.addons.konnectivity.server.image",
        "spec.apiServer.containerImageName",
        "spec.controllerManager.containerImageName",
        "spec.scheduler.containerImageName",
    ),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "datreeio/CRDs-catalog controlplane.cluster.x-k8s.io/kamajicontrolplane_v1alpha1.json",
    ).containers(
        "KamajiControlPlane",
        "spec.deployment.extraContainers[]",
        "spec.deployment.extraInitContainers[]",
    ),
    *Definition(
        "elbv2.k8s.aws",
        "aws/eks-charts stable/aws-load-balancer-controller/crds/crds.yaml",
    ).references(
        "ALBTargetControlConfig",
        "spec.image",
    ),
    *Definition(
        "fluxcd.controlplane.io",
        "controlplaneio-fluxcd/flux-operator config/crd/bases",
    ).objects(
        "ResourceSet",
        "spec.steps[].resources[]",
    ),
    *Definition(
        "gateway.nginx.org",
        "datreeio/CRDs-catalog gateway.nginx.org/nginxproxy_v1alpha2.json",
    ).image_maps(
        "NginxProxy",
        "spec.kubernetes.daemonSet.container.image",
        "spec.kubernetes.deployment.container.image",
    ),
    *Definition(
        "hypershift.openshift.io",
        "openshift/hypershift api/hypershift/v1beta1/zz_generated.featuregated-crd-manifests",
    ).of(
        FieldShape.REFERENCE,
        "HostedCluster",
        "spec.release.image",
        note="HyperShift's operator fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "k0smotron.io",
        "datreeio/CRDs-catalog k0smotron.io/cluster_v1beta1.json",
    ).references(
        "Cluster",
        *(f"spec.{path}" for path in _K0SMOTRON),
    ),
    *Definition(
        "kubevirt.io",
        "datreeio/CRDs-catalog kubevirt.io/virtualmachineinstancepreset_v1alpha3.json",
    ).references(
        "VirtualMachineInstancePreset",
        "spec.domain.firmware.kernelBoot.container.image",
    ),
    *Definition(
        "kubevirt.io",
        "datreeio/CRDs-catalog kubevirt.io/virtualmachineinstancereplicaset_v1.json",
    ).references(
        "VirtualMachineInstanceReplicaSet",
        "spec.template.spec.domain.firmware.kernelBoot.container.image",
        "spec.template.spec.volumes[].containerDisk.image",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/addonprovider_v1alpha2.json",
    ).references(
        "AddonProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/bootstrapprovider_v1alpha2.json",
    ).references(
        "BootstrapProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/bootstrapprovider_v1alpha2.json",
    ).image_maps(
        "BootstrapProvider",
        "spec.deployment.containers[].image",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/controlplaneprovider_v1alpha2.json",
    ).references(
        "ControlPlaneProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/controlplaneprovider_v1alpha2.json",
    ).image_maps(
        "ControlPlaneProvider",
        "spec.deployment.containers[].image",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-operator config/crd/bases",
    ).references(
        "CoreProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-operator config/crd/bases",
    ).image_maps(
        "CoreProvider",
        "spec.deployment.containers[].image",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/ipamprovider_v1alpha2.json",
    ).references(
        "IPAMProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-operator config/crd/bases",
    ).references(
        "InfrastructureProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-operator config/crd/bases",
    ).image_maps(
        "InfrastructureProvider",
        "spec.deployment.containers[].image",
    ),
    *Definition(
        "operator.cluster.x-k8s.io",
        "datreeio/CRDs-catalog operator.cluster.x-k8s.io/runtimeextensionprovider_v1alpha2.json",
    ).references(
        "RuntimeExtensionProvider",
        "spec.additionalDeployments.*.deployment.containers[].imageUrl",
        "spec.deployment.containers[].imageUrl",
    ),
    *Definition(
        "pool.kubevirt.io",
        "datreeio/CRDs-catalog pool.kubevirt.io/virtualmachinepool_v1alpha1.json",
    ).references(
        "VirtualMachinePool",
        "spec.virtualMachineTemplate.spec.template.spec.domain.firmware.kernelBoot.container.image",
        "spec.virtualMachineTemplate.spec.template.spec.volumes[].containerDisk.image",
    ),
    *Definition(
        "storage.dell.com",
        "dell/csm-operator bundle/manifests/storage.dell.com_containerstoragemodules.yaml",
    ).references(
        "ContainerStorageModule",
        "spec.driver.common.image",
        "spec.driver.controller.image",
        "spec.driver.node.image",
    ),
    *Definition(
        "storage.dell.com",
        "dell/csm-operator bundle/manifests/storage.dell.com_containerstoragemodules.yaml",
    ).containers(
        "ContainerStorageModule",
        "spec.driver.initContainers[]",
        "spec.driver.sideCars[]",
        "spec.modules[].components[]",
        "spec.modules[].initContainer[]",
    ),
    *Definition(
        "stunner.l7mp.io",
        "datreeio/CRDs-catalog stunner.l7mp.io/dataplane_v1alpha1.json",
    ).references(
        "Dataplane",
        "spec.image",
    ),
    *Definition(
        "tailscale.com",
        "datreeio/CRDs-catalog tailscale.com/dnsconfig_v1alpha1.json",
    ).image_maps(
        "DNSConfig",
        "spec.nameserver.image",
    ),
    *Definition(
        "trident.netapp.io",
        "NetApp/trident deploy/crds/trident.netapp.io_tridentorchestrators_crd.yaml",
    ).references(
        "TridentOrchestrator",
        "spec.autosupportImage",
        "spec.tridentImage",
    ),
    *Definition(
        "tuppr.home-operations.com",
        "datreeio/CRDs-catalog tuppr.home-operations.com/kubernetesupgrade_v1alpha1.json",
    ).image_maps(
        "KubernetesUpgrade",
        "spec.talosctl.image",
    ),
    *Definition(
        "tuppr.home-operations.com",
        "datreeio/CRDs-catalog tuppr.home-operations.com/talosupgrade_v1alpha1.json",
    ).image_maps(
        "TalosUpgrade",
        "spec.talosctl.image",
    ),
    *Definition(
        "twingate.com",
        "datreeio/CRDs-catalog twingate.com/twingateconnector_v1beta.json",
    ).image_maps(
        "TwingateConnector",
        "spec.image",
    ),
)
"""Rows of clusters, networks and disks."""
