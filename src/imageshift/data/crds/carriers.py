"""Kinds that carry whole Kubernetes objects or Helm values, which somebody else applies."""

from imageshift.data.image_field import Definition, ImageField

__all__ = ["ROWS"]

_CLUSTERS = "open-cluster-management-io/api work/"
_HIVE = "openshift/hive config/crds/hive.openshift.io_"
_HELM_CONTROLLER = "k3s-io/helm-controller pkg/crds/yaml/generated/helm.cattle.io_"
_CROSSPLANE = "crossplane-contrib/provider-kubernetes package/crds/kubernetes."

_VALUES: tuple[ImageField, ...] = (
    *Definition("helm.cattle.io", f"{_HELM_CONTROLLER}helmcharts.yaml").values(
        "HelmChart", "spec.valuesContent"
    ),
    *Definition("helm.cattle.io", f"{_HELM_CONTROLLER}helmchartconfigs.yaml").values(
        "HelmChartConfig", "spec.valuesContent"
    ),
    *Definition(
        "addons.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-addon-provider-helm config/crd/bases",
    ).values("HelmChartProxy", "spec.valuesTemplate"),
    *Definition(
        "addons.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api-addon-provider-helm config/crd/bases",
    ).values("HelmReleaseProxy", "spec.values"),
    *Definition(
        "config.projectsveltos.io", "projectsveltos/addon-controller config/crd/bases"
    ).values("ClusterProfile Profile", "spec.helmCharts[].values"),
    *Definition("helm.crossplane.io", "crossplane-contrib/provider-helm package/crds").values(
        "Release", "spec.forProvider.values"
    ),
    *Definition("helm.m.crossplane.io", "crossplane-contrib/provider-helm package/crds").values(
        "Release", "spec.forProvider.values"
    ),
    *Definition("fleet.cattle.io", "rancher/fleet charts/fleet-crd/templates/crds.yaml").values(
        "Bundle HelmOp", "spec.helm.values"
    ),
    *Definition("sailoperator.io", "istio-ecosystem/sail-operator chart/crds").values(
        "Istio IstioCNI IstioRevision ZTunnel", "spec.values"
    ),
    *Definition(
        "install.istio.io", "istio/istio manifests/charts/base/files/crd-all.gen.yaml"
    ).values("IstioOperator", "spec.values"),
    *Definition(
        "operator.external-secrets.io",
        "external-secrets/external-secrets-helm-operator config/crd/bases",
    ).values("OperatorConfig", "spec"),
    *Definition("k0s.k0sproject.io", "k0sproject/k0s static/_crds").values(
        "ClusterConfig", "spec.extensions.helm.charts[].values"
    ),
    *Definition("helm.k0sproject.io", "k0sproject/k0s static/_crds").values("Chart", "spec.values"),
    *Definition("apps.kubermatic.k8c.io", "kubermatic/kubermatic pkg/crd/k8c.io").values(
        "ApplicationInstallation", "spec.values", "spec.valuesBlock"
    ),
    *Definition("apps.kubermatic.k8c.io", "kubermatic/kubermatic pkg/crd/k8c.io").values(
        "ApplicationDefinition", "spec.defaultValues", "spec.defaultValuesBlock"
    ),
    *Definition("packages.eks.amazonaws.com", "aws/eks-anywhere-packages config/crd/bases").values(
        "Package", "spec.config"
    ),
)

_FLUX = "source kustomize helm notification image-reflector image-automation"
_PREFIXES: tuple[ImageField, ...] = (
    *Definition(
        "fluxcd.controlplane.io", "controlplaneio-fluxcd/flux-operator internal/builder/images.go"
    ).prefixes(
        "FluxInstance",
        "spec.distribution.registry",
        " ".join(f"{name}-controller" for name in _FLUX.split()),
        needs="spec.distribution.variant",
        note="Flux Operator pins no digests for a registry that it doesn't know: "
        "set spec.distribution.variant (upstream-alpine for ghcr.io/fluxcd)",
    ),
    *Definition(
        "install.istio.io", "istio/istio operator/pkg/apis/istio/v1alpha1/operator.proto"
    ).prefixes("IstioOperator", "spec.hub", "pilot proxyv2", version="spec.tag"),
    *Definition("install.istio.io", "istio/istio manifests/charts/istiod/values.yaml").prefixes(
        "IstioOperator", "spec.values.global.hub", "pilot proxyv2", version="spec.values.global.tag"
    ),
    *(
        row
        for kinds, images in (
            ("Istio IstioRevision", "pilot proxyv2"),
            ("IstioCNI", "install-cni"),
            ("ZTunnel", "ztunnel"),
        )
        for row in Definition(
            "sailoperator.io", "istio-ecosystem/sail-operator chart/crds"
        ).prefixes(kinds, "spec.values.global.hub", images, version="spec.values.global.tag")
    ),
)

ROWS: tuple[ImageField, ...] = (
    *_VALUES,
    *_PREFIXES,
    *Definition(
        "fluxcd.controlplane.io", "controlplaneio-fluxcd/flux-operator api/v1/resourceset_types.go"
    ).objects("ResourceSet", "spec.resources[]", "spec.resourcesTemplate"),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api controlplane/kubeadm/config/crd/bases",
    ).objects("KubeadmControlPlane", "spec.kubeadmConfigSpec.files[].content"),
    *Definition(
        "controlplane.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api controlplane/kubeadm/config/crd/bases",
    ).objects(
        "KubeadmControlPlaneTemplate", "spec.template.spec.kubeadmConfigSpec.files[].content"
    ),
    *Definition(
        "bootstrap.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api bootstrap/kubeadm/config/crd/bases",
    ).objects("KubeadmConfig", "spec.files[].content"),
    *Definition(
        "bootstrap.cluster.x-k8s.io",
        "kubernetes-sigs/cluster-api bootstrap/kubeadm/config/crd/bases",
    ).objects("KubeadmConfigTemplate", "spec.template.spec.files[].content"),
    *Definition("tinkerbell.org", "tinkerbell/tink config/crd/bases").references(
        "Template", "spec.data.tasks[].actions[].image"
    ),
    *Definition(
        "work.open-cluster-management.io",
        f"{_CLUSTERS}v1/0000_00_work.open-cluster-management.io_manifestworks.crd.yaml",
    ).objects("ManifestWork", "spec.workload.manifests[]"),
    *Definition(
        "work.open-cluster-management.io",
        f"{_CLUSTERS}v1alpha1/0000_00_work.open-cluster-management.io_manifestworkreplicasets.crd.yaml",
    ).objects("ManifestWorkReplicaSet", "spec.manifestWorkTemplate.workload.manifests[]"),
    *Definition("hive.openshift.io", f"{_HIVE}syncsets.yaml").objects(
        "SyncSet", "spec.resources[]"
    ),
    *Definition("hive.openshift.io", f"{_HIVE}selectorsyncsets.yaml").objects(
        "SelectorSyncSet", "spec.resources[]"
    ),
    *Definition("kubernetes.crossplane.io", f"{_CROSSPLANE}crossplane.io_objects.yaml").objects(
        "Object", "spec.forProvider.manifest"
    ),
    *Definition("kubernetes.m.crossplane.io", f"{_CROSSPLANE}m.crossplane.io_objects.yaml").objects(
        "Object", "spec.forProvider.manifest"
    ),
    *Definition(
        "apiextensions.crossplane.io",
        "crossplane/crossplane cluster/crds/apiextensions.crossplane.io_compositions.yaml",
    ).objects("Composition", "spec.resources[].base"),
    *Definition(
        "apiextensions.crossplane.io",
        "crossplane-contrib/function-patch-and-transform package/input/"
        "pt.fn.crossplane.io_resources.yaml",
    ).objects("Composition", "spec.pipeline[].input.resources[].base"),
    *Definition("fleet.cattle.io", "rancher/fleet charts/fleet-crd/templates/crds.yaml").objects(
        "Bundle", "spec.resources[].content"
    ),
    *Definition(
        "policy.open-cluster-management.io",
        "open-cluster-management-io/governance-policy-propagator deploy/crds",
    ).objects("Policy", "spec.policy-templates[].objectDefinition"),
    *Definition(
        "policy.open-cluster-management.io",
        "open-cluster-management-io/config-policy-controller deploy/crds",
    ).objects("ConfigurationPolicy", "spec.object-templates[].objectDefinition"),
    *Definition(
        "kro.run", "kubernetes-sigs/kro helm/crds/kro.run_resourcegraphdefinitions.yaml"
    ).objects("ResourceGraphDefinition", "spec.resources[].template"),
    *Definition("template.openshift.io", "openshift/api template/v1/types.go").objects(
        "Template", "objects[]"
    ),
    *Definition(
        "kubeflow.org",
        "kubeflow/manifests applications/katib/upstream/components/crd/experiment.yaml",
    ).objects("Experiment", "spec.trialTemplate.trialSpec"),
)
"""Rows of objects, and of Helm values, in objects."""
