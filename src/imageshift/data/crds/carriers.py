"""Kinds that carry whole Kubernetes objects, which somebody else applies."""

from imageshift.data.image_field import Definition, ImageField

__all__ = ["ROWS"]

_CLUSTERS = "open-cluster-management-io/api work/"
_HIVE = "openshift/hive config/crds/hive.openshift.io_"
_CROSSPLANE = "crossplane-contrib/provider-kubernetes package/crds/kubernetes."

ROWS: tuple[ImageField, ...] = (
    *Definition(
        "fluxcd.controlplane.io", "controlplaneio-fluxcd/flux-operator api/v1/resourceset_types.go"
    ).objects("ResourceSet", "spec.resources[]"),
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
"""Rows of objects in objects."""
