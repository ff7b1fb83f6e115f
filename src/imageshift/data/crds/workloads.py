"""Image fields of workload kinds that are no built-in ones: batch, training, serving, functions."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_KRUISE = "openkruise/kruise config/crd/bases"
_KUBEFLOW = "kubeflow/manifests applications/training-operator/upstream/base/crds"
_KSERVE = "kserve/kserve charts/kserve-crd/templates"
_RAY = "ray-project/kuberay helm-chart/kuberay-operator/crds/ray.io_"
_SPARK = "kubeflow/spark-operator charts/spark-operator-chart/crds/sparkoperator.k8s.io_"
_VOLCANO = "volcano-sh/volcano config/crd"
_FLINK = "apache/flink-kubernetes-operator helm/flink-kubernetes-operator/crds"

_keda = Definition("keda.sh", "kedacore/keda config/crd/bases/keda.sh_scaledjobs.yaml")
_knative = Definition("serving.knative.dev", "knative/serving config/core/300-resources")
_knative_sources = Definition(
    "sources.knative.dev",
    "kubeflow/manifests common/knative/knative-eventing/base/upstream/eventing-core.yaml",
)
_kruise = Definition("apps.kruise.io", _KRUISE)
_kubevirt = Definition(
    "kubevirt.io", "kubevirt/kubevirt staging/src/kubevirt.io/api/core/v1/schema.go"
)
_APPS: tuple[ImageField, ...] = (
    *_kubevirt.references("VirtualMachine", "spec.template.spec.volumes[].containerDisk.image"),
    *_kubevirt.references("VirtualMachineInstance", "spec.volumes[].containerDisk.image"),
    *Definition("openfaas.com", "openfaas/faas-netes artifacts/crds/crds.yaml").references(
        "Function", "spec.image"
    ),
    *_keda.pod_templates("ScaledJob", "spec.jobTargetRef.template"),
    *_knative.pod_templates("Configuration Service", "spec.template"),
    *_knative_sources.pod_templates("ContainerSource", "spec.template"),
    *_kruise.pod_templates("BroadcastJob CloneSet DaemonSet StatefulSet", "spec.template"),
    *_kruise.pod_templates(
        "AdvancedCronJob",
        "spec.template.broadcastJobTemplate.spec.template",
        "spec.template.jobTemplate.spec.template",
    ),
    *_kruise.containers("SidecarSet", "spec.containers[]", "spec.initContainers[]"),
    *_kruise.references("ImagePullJob", "spec.image"),
    *_kruise.references("ImageListPullJob", "spec.images[]"),
    *Definition("kubefledged.io", "senthilrch/kube-fledged deploy/kubefledged-crd.yaml").references(
        "ImageCache", "spec.cacheSpec[].images[]"
    ),
    *Definition(
        "core.spinkube.dev",
        "spinframework/spin-operator config/crd/bases/core.spinkube.dev_spinapps.yaml",
    ).references("SpinApp", "spec.image"),
    *Definition(
        "toolhive.stacklok.dev", "stacklok/toolhive deploy/charts/operator-crds/files/crds"
    ).references("EmbeddingServer MCPServer", "spec.image"),
    *Definition(
        "camel.apache.org", "apache/camel-k helm/camel-k/crds/camel-k-crds.yaml"
    ).references("Integration", "spec.traits.container.image"),
    *Definition(
        "camel.apache.org", "apache/camel-k helm/camel-k/crds/camel-k-crds.yaml"
    ).references("IntegrationPlatform", "spec.build.baseImage"),
    *Definition(
        "temporal.io",
        "alexandrevilain/temporal-operator bundle/manifests/temporal.io_temporalclusters.yaml",
    ).of(FieldShape.NAME_WITHOUT_TAG, "TemporalCluster", "spec.image", version="spec.version"),
)

_job_set = Definition(
    "jobset.x-k8s.io", "kubernetes-sigs/jobset charts/jobset/crds/jobset.x-k8s.io_jobsets.yaml"
)
_leader = Definition(
    "leaderworkerset.x-k8s.io",
    "kubernetes-sigs/lws charts/lws/crds/leaderworkerset.x-k8s.io_leaderworkersets.yaml",
)
_volcano = Definition("batch.volcano.sh", f"{_VOLCANO}/volcano/bases/batch.volcano.sh_jobs.yaml")
_volcano_cron = Definition(
    "batch.volcano.sh", f"{_VOLCANO}/volcano/bases/batch.volcano.sh_cronjobs.yaml"
)
_flink = Definition("flink.apache.org", f"{_FLINK}/flinkdeployments.flink.apache.org-v1.yml")
_spark = Definition("sparkoperator.k8s.io", f"{_SPARK}sparkapplications.yaml")
_spark_scheduled = Definition("sparkoperator.k8s.io", f"{_SPARK}scheduledsparkapplications.yaml")
_spark_connect = Definition("sparkoperator.k8s.io", f"{_SPARK}sparkconnects.yaml")
_SPARK_IMAGES = ("driver.image", "executor.image", "image")
_SPARK_CONTAINERS = (
    "driver.initContainers[]",
    "driver.sidecars[]",
    "executor.initContainers[]",
    "executor.sidecars[]",
)


def _ray_cluster(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}.headGroupSpec.template", f"{prefix}.workerGroupSpecs[].template")


_BATCH: tuple[ImageField, ...] = (
    *_job_set.pod_templates("JobSet", "spec.replicatedJobs[].template.spec.template"),
    *_leader.pod_templates(
        "LeaderWorkerSet",
        "spec.leaderWorkerTemplate.leaderTemplate",
        "spec.leaderWorkerTemplate.workerTemplate",
    ),
    *_volcano.pod_templates("Job", "spec.tasks[].template"),
    *_volcano_cron.pod_templates("CronJob", "spec.jobTemplate.spec.tasks[].template"),
    *_flink.references("FlinkDeployment", "spec.image"),
    *_flink.pod_templates(
        "FlinkDeployment",
        "spec.jobManager.podTemplate",
        "spec.podTemplate",
        "spec.taskManager.podTemplate",
    ),
    *_spark.references("SparkApplication", *(f"spec.{path}" for path in _SPARK_IMAGES)),
    *_spark.containers("SparkApplication", *(f"spec.{path}" for path in _SPARK_CONTAINERS)),
    *_spark_scheduled.references(
        "ScheduledSparkApplication", *(f"spec.template.{path}" for path in _SPARK_IMAGES)
    ),
    *_spark_scheduled.containers(
        "ScheduledSparkApplication", *(f"spec.template.{path}" for path in _SPARK_CONTAINERS)
    ),
    *_spark_connect.references("SparkConnect", "spec.image"),
    *Definition("ray.io", f"{_RAY}rayclusters.yaml").pod_templates(
        "RayCluster", *_ray_cluster("spec")
    ),
    *Definition("ray.io", f"{_RAY}rayclusters.yaml").references(
        "RayCluster", "spec.autoscalerOptions.image"
    ),
    *Definition("ray.io", f"{_RAY}rayjobs.yaml").pod_templates(
        "RayJob", *_ray_cluster("spec.rayClusterSpec"), "spec.submitterPodTemplate"
    ),
    *Definition("ray.io", f"{_RAY}rayjobs.yaml").references(
        "RayJob", "spec.rayClusterSpec.autoscalerOptions.image"
    ),
    *Definition("ray.io", f"{_RAY}rayservices.yaml").pod_templates(
        "RayService", *_ray_cluster("spec.rayClusterConfig")
    ),
    *Definition("ray.io", f"{_RAY}rayservices.yaml").references(
        "RayService", "spec.rayClusterConfig.autoscalerOptions.image"
    ),
)

_runtime = Definition("serving.kserve.io", _KSERVE)
_inference = Definition("serving.kserve.io", f"{_KSERVE}/serving.kserve.io_inferenceservices.yaml")
_seldon = Definition(
    "mlops.seldon.io",
    "SeldonIO/seldon-core k8s/helm-charts/seldon-core-v2-crds/templates/seldon-v2-crds.yaml",
)
_trainer = Definition(
    "trainer.kubeflow.org",
    "kubeflow/training-operator manifests/base/crds",
)
_trainer_job = Definition(
    "trainer.kubeflow.org",
    "kubeflow/training-operator manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml",
)
_LEARNING: tuple[ImageField, ...] = (
    *(
        row
        for kind, field in (
            ("JAXJob", "jaxReplicaSpecs"),
            ("MPIJob", "mpiReplicaSpecs"),
            ("PaddleJob", "paddleReplicaSpecs"),
            ("PyTorchJob", "pytorchReplicaSpecs"),
            ("TFJob", "tfReplicaSpecs"),
            ("XGBoostJob", "xgbReplicaSpecs"),
        )
        for row in Definition("kubeflow.org", _KUBEFLOW).pod_templates(
            kind, f"spec.{field}.*.template"
        )
    ),
    *Definition(
        "kubeflow.org",
        "kubeflow/manifests applications/jupyter/notebook-controller/upstream/crd/bases/"
        "kubeflow.org_notebooks.yaml",
    ).pod_templates("Notebook", "spec.template"),
    *Definition(
        "kubeflow.org",
        "kubeflow/manifests applications/admission-webhook/upstream/base/crd.yaml",
    ).containers("PodDefault", "spec.initContainers[]", "spec.sidecars[]"),
    *_trainer.pod_templates(
        "ClusterTrainingRuntime TrainingRuntime",
        "spec.template.spec.replicatedJobs[].template.spec.template",
    ),
    *_trainer_job.references("TrainJob", "spec.trainer.image"),
    *_runtime.pod_specs("ClusterServingRuntime ServingRuntime", "spec"),
    *Definition(
        "serving.kserve.io",
        "kubeflow/manifests applications/kserve/kserve/kserve-cluster-resources.yaml",
    ).containers("ClusterStorageContainer", "spec.container"),
    *Definition(
        "config.kubeflow.org",
        "kubeflow/manifests applications/katib/upstream/installs/katib-standalone/"
        "katib-config.yaml",
    ).references(
        "KatibConfig",
        "runtime.earlyStoppings[].image",
        "runtime.metricsCollectors[].image",
        "runtime.suggestions[].image",
    ),
    *_inference.pod_specs(
        "InferenceService", "spec.explainer", "spec.predictor", "spec.transformer"
    ),
    *_seldon.pod_specs("SeldonConfig", "spec.components[].podSpec"),
    *_seldon.pod_specs("SeldonRuntime", "spec.overrides[].podSpec"),
    *_seldon.pod_specs("Server ServerConfig", "spec.podSpec"),
)

ROWS: tuple[ImageField, ...] = (*_APPS, *_BATCH, *_LEARNING)
"""Rows of workload kinds outside the built-in API groups."""
