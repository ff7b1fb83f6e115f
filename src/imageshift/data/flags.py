"""Command-line flags and environment variables whose value is an image (facts H1, K5).

A flag's value stands behind `=` in one argument (`--flag=REF`) or is the next argument (`--flag`,
`REF`); programs in Go take one dash or two. Names alone prove nothing where they are short words:
take a value only when it parses as a reference. Every row names the public file
(`owner/repository path`) that defines it; read on 2026-11-23 from snapshots of August 2026.

Left out: prefixes (ECK's `--container-registry`), and pull secrets and policies.
"""

from msgspec import Struct

__all__ = [
    "ENVIRONMENT",
    "ENVIRONMENT_LISTS",
    "ENVIRONMENT_PREFIXES",
    "FLAGS",
    "ImageOption",
]


class ImageOption(Struct, frozen=True):
    """A flag (without dashes), an environment variable, or a prefix of such variables.

    `tagless` says that the program adds the tag itself, so a value without one is ordinary.
    """

    name: str
    source: str
    tagless: bool = False


def _options(source: str, *names: str, tagless: bool = False) -> tuple[ImageOption, ...]:
    return tuple(ImageOption(name, source, tagless) for name in names)


FLAGS: tuple[ImageOption, ...] = tuple(
    sorted(
        (
            *_options(
                "prometheus-operator/prometheus-operator cmd/operator/main.go",
                "prometheus-config-reloader",
            ),
            *_options(
                "prometheus-operator/prometheus-operator cmd/operator/main.go",
                "alertmanager-default-base-image",
                "prometheus-default-base-image",
                "thanos-default-base-image",
                tagless=True,
            ),
            *_options(
                "cert-manager/cert-manager cmd/controller/app/options/options.go",
                "acme-http01-solver-image",
            ),
            *_options(
                "tektoncd/pipeline cmd/controller/main.go",
                "entrypoint-image",
                "nop-image",
                "shell-image",
                "shell-image-win",
                "sidecarlogresults-image",
                "workingdirinit-image",
            ),
            *_options("argoproj/argo-workflows cmd/workflow-controller/main.go", "executor-image"),
            *_options("actions/actions-runner-controller main.go", "docker-image", "runner-image"),
            *_options(
                "open-telemetry/opentelemetry-operator internal/config/cli.go",
                "auto-instrumentation-apache-httpd-image",
                "auto-instrumentation-dotnet-image",
                "auto-instrumentation-go-image",
                "auto-instrumentation-java-image",
                "auto-instrumentation-nginx-image",
                "auto-instrumentation-nodejs-image",
                "auto-instrumentation-python-image",
                "clusterobservability-collector-image",
                "collector-image",
                "operator-opamp-bridge-image",
                "target-allocator-image",
            ),
            *_options(
                "jaegertracing/jaeger-operator pkg/cmd/start/main.go",
                "jaeger-agent-image",
                "jaeger-all-in-one-image",
                "jaeger-cassandra-schema-image",
                "jaeger-collector-image",
                "jaeger-es-index-cleaner-image",
                "jaeger-es-rollover-image",
                "jaeger-ingester-image",
                "jaeger-query-image",
                "jaeger-spark-dependencies-image",
            ),
            *_options(
                "longhorn/longhorn deploy/longhorn.yaml",
                "backing-image-manager-image",
                "engine-image",
                "instance-manager-image",
                "manager-image",
                "share-manager-image",
                "support-bundle-manager-image",
            ),
            *_options(
                "buildpacks-community/kpack cmd/controller/main.go",
                "build-init-image",
                "build-waiter-image",
                "completion-image",
                "rebase-image",
            ),
            *_options(
                "backube/volsync internal/controller/mover",
                "rclone-container-image",
                "restic-container-image",
                "rsync-container-image",
                "rsync-tls-container-image",
                "syncthing-container-image",
            ),
            *_options("k3s-io/helm-controller pkg/app/app.go", "default-job-image"),
            *_options("rancher/local-path-provisioner main.go", "helper-image"),
        ),
        key=lambda option: option.name,
    )
)
"""Flags, by name."""

ENVIRONMENT_PREFIXES: tuple[ImageOption, ...] = _options(
    "devfile/devworkspace-operator internal/images", "RELATED_IMAGE_"
)
"""Prefixes of variables that hold images by convention of the Operator Lifecycle Manager.

Of 60 names seen in operators' own manifests only some with the ending `_PULL_SECRET` hold no image.
"""

ENVIRONMENT: tuple[ImageOption, ...] = tuple(
    sorted(
        (
            *_options(
                "cloudnative-pg/cloudnative-pg internal/configuration/configuration.go",
                "OPERATOR_IMAGE_NAME",
                "PGBOUNCER_IMAGE_NAME",
                "POSTGRES_IMAGE_NAME",
            ),
            *_options(
                "cloudnative-pg/charts charts/plugin-barman-cloud/templates/deployment.yaml",
                "SIDECAR_IMAGE",
            ),
            *_options(
                "strimzi/strimzi-kafka-operator install/cluster-operator/"
                "060-Deployment-strimzi-cluster-operator.yaml",
                "STRIMZI_DEFAULT_BUILDAH_IMAGE",
                "STRIMZI_DEFAULT_CRUISE_CONTROL_IMAGE",
                "STRIMZI_DEFAULT_KAFKA_BRIDGE_IMAGE",
                "STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE",
                "STRIMZI_DEFAULT_KAFKA_INIT_IMAGE",
                "STRIMZI_DEFAULT_KANIKO_EXECUTOR_IMAGE",
                "STRIMZI_DEFAULT_MAVEN_BUILDER",
                "STRIMZI_DEFAULT_TOPIC_OPERATOR_IMAGE",
                "STRIMZI_DEFAULT_USER_OPERATOR_IMAGE",
            ),
            *_options(
                "VictoriaMetrics/operator docs/env.md",
                "VM_CONFIG_RELOADER_IMAGE",
                "VM_CUSTOMCONFIGRELOADERIMAGE",
            ),
            *_options(
                "VictoriaMetrics/operator docs/env.md",
                "VM_VLAGENTDEFAULT_IMAGE",
                "VM_VLCLUSTERDEFAULT_VLINSERTDEFAULT_IMAGE",
                "VM_VLCLUSTERDEFAULT_VLSELECTDEFAULT_IMAGE",
                "VM_VLCLUSTERDEFAULT_VLSTORAGEDEFAULT_IMAGE",
                "VM_VLOGSDEFAULT_IMAGE",
                "VM_VLSINGLEDEFAULT_IMAGE",
                "VM_VMAGENTDEFAULT_IMAGE",
                "VM_VMALERTDEFAULT_IMAGE",
                "VM_VMALERTMANAGER_ALERTMANAGERDEFAULTBASEIMAGE",
                "VM_VMANOMALYDEFAULT_IMAGE",
                "VM_VMAUTHDEFAULT_IMAGE",
                "VM_VMBACKUP_IMAGE",
                "VM_VMCLUSTERDEFAULT_VMINSERTDEFAULT_IMAGE",
                "VM_VMCLUSTERDEFAULT_VMSELECTDEFAULT_IMAGE",
                "VM_VMCLUSTERDEFAULT_VMSTORAGEDEFAULT_IMAGE",
                "VM_VMSINGLEDEFAULT_IMAGE",
                "VM_VTCLUSTERDEFAULT_INSERT_IMAGE",
                "VM_VTCLUSTERDEFAULT_SELECT_IMAGE",
                "VM_VTCLUSTERDEFAULT_STORAGE_IMAGE",
                "VM_VTSINGLEDEFAULT_IMAGE",
                tagless=True,
            ),
            *_options(
                "NVIDIA/gpu-operator bundle/manifests",
                "CC_MANAGER_IMAGE",
                "CONTAINER_TOOLKIT_IMAGE",
                "DCGM_EXPORTER_IMAGE",
                "DCGM_IMAGE",
                "DEVICE_PLUGIN_IMAGE",
                "DRA_DRIVER_IMAGE",
                "DRIVER_IMAGE",
                "DRIVER_MANAGER_IMAGE",
                "GDRCOPY_IMAGE",
                "GFD_IMAGE",
                "KATA_SANDBOX_DEVICE_PLUGIN_IMAGE",
                "MIG_MANAGER_IMAGE",
                "SANDBOX_DEVICE_PLUGIN_IMAGE",
                "VALIDATOR_IMAGE",
                "VFIO_MANAGER_IMAGE",
                "VGPU_DEVICE_MANAGER_IMAGE",
            ),
            *_options(
                "Mellanox/network-operator bundle/manifests/"
                "nvidia-network-operator.clusterserviceversion.yaml",
                "OFED_INIT_CONTAINER_IMAGE",
            ),
            *_options(
                "rabbitmq/cluster-operator cmd/main.go",
                "DEFAULT_RABBITMQ_IMAGE",
                "DEFAULT_USER_UPDATER_IMAGE",
            ),
            *_options(
                "longhorn/longhorn deploy/longhorn.yaml",
                "CSI_ATTACHER_IMAGE",
                "CSI_LIVENESS_PROBE_IMAGE",
                "CSI_NODE_DRIVER_REGISTRAR_IMAGE",
                "CSI_PROVISIONER_IMAGE",
                "CSI_RESIZER_IMAGE",
                "CSI_SNAPSHOTTER_IMAGE",
            ),
            *_options(
                "Apicurio/apicurio-registry-operator config/manager/resources/manager.yaml",
                "REGISTRY_IMAGE_KAFKASQL",
                "REGISTRY_IMAGE_MEM",
                "REGISTRY_IMAGE_SQL",
            ),
            *_options(
                "buildpacks-community/kpack cmd/controller/main.go",
                "BUILD_INIT_IMAGE",
                "BUILD_WAITER_IMAGE",
                "COMPLETION_IMAGE",
                "REBASE_IMAGE",
            ),
            *_options("argoproj/argo-events manifests/install.yaml", "ARGO_EVENTS_IMAGE"),
            *_options(
                "kubeflow/manifests applications/pipeline/upstream/base/pipeline/"
                "ml-pipeline-apiserver-deployment.yaml",
                "V2_DRIVER_IMAGE",
                "V2_LAUNCHER_IMAGE",
            ),
            *_options(
                "kubeflow/manifests applications/trainer/upstream/base/runtimes/data-cache/"
                "torch_distributed_with_cache.yaml",
                "CACHE_IMAGE",
            ),
            *_options(
                "kubeflow/manifests common/knative/knative-eventing/base/upstream/"
                "eventing-core.yaml",
                "APISERVER_RA_IMAGE",
                "AUTH_PROXY_IMAGE",
            ),
            *_options(
                "kubeflow/manifests common/knative/knative-eventing/base/upstream/"
                "in-memory-channel.yaml",
                "DISPATCHER_IMAGE",
            ),
            *_options(
                "actions/actions-runner-controller main.go", "CONTROLLER_MANAGER_CONTAINER_IMAGE"
            ),
            *_options("bank-vaults/vault-operator cmd/main.go", "BANK_VAULTS_IMAGE"),
            *_options("dapr/dapr pkg/injector/service/config.go", "SIDECAR_IMAGE"),
            *_options(
                "Dynatrace/dynatrace-operator pkg/util/kubernetes/fields/k8senv/env.go",
                "DT_OPERATOR_IMAGE",
            ),
            *_options(
                "flux-iac/tofu-controller controllers/tf_controller_runner.go", "RUNNER_POD_IMAGE"
            ),
            *_options(
                "hashicorp/vault-helm templates/injector-deployment.yaml",
                "AGENT_INJECT_VAULT_IMAGE",
            ),
            *_options("k3s-io/helm-controller pkg/app/app.go", "DEFAULT_JOB_IMAGE"),
            *_options(
                "kubeflow/manifests applications/tensorboard/tensorboard-controller/upstream/base/"
                "kustomization.yaml",
                "TENSORBOARD_IMAGE",
            ),
            *_options(
                "apache/airflow providers/cncf/kubernetes/provider.yaml",
                "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_REPOSITORY",
                "AIRFLOW__KUBERNETES__WORKER_CONTAINER_REPOSITORY",
                tagless=True,
            ),
            *_options("k8up-io/k8up cmd/operator/main.go", "BACKUP_IMAGE"),
            *_options(
                "minio/operator pkg/resources/statefulsets/minio-sidecar.go",
                "OPERATOR_SIDECAR_IMAGE",
            ),
            *_options(
                "minio/operator pkg/apis/minio.min.io/v2/constants.go",
                "TENANT_KES_IMAGE",
                "TENANT_MINIO_IMAGE",
            ),
            *_options("rancher/local-path-provisioner main.go", "HELPER_IMAGE"),
            *_options(
                "rancher/system-upgrade-controller pkg/upgrade/job/job.go",
                "SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE",
                "SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE_WINDOWS",
            ),
            *_options(
                "tailscale/tailscale cmd/k8s-operator/deploy/manifests/operator.yaml", "PROXY_IMAGE"
            ),
        ),
        key=lambda option: (option.name, option.source),
    )
)
"""Environment variables, by name."""

ENVIRONMENT_LISTS: tuple[ImageOption, ...] = _options(
    "strimzi/strimzi-kafka-operator install/cluster-operator/"
    "060-Deployment-strimzi-cluster-operator.yaml",
    "STRIMZI_KAFKA_CONNECT_IMAGES",
    "STRIMZI_KAFKA_IMAGES",
    "STRIMZI_KAFKA_MIRROR_MAKER_2_IMAGES",
)
"""Variables that hold an image for each version, as lines of `version=image`."""
