"""ConfigMaps of well-known programs that hold images.

Every row names the public file (`owner/repository path`) that shows it.
"""

from msgspec import Struct

__all__ = ["CONFIG_MAP_KEYS", "ConfigMapKey"]


class ConfigMapKey(Struct, frozen=True):
    """A key of a well-known ConfigMap whose value is an image, or holds one.

    `*` stands for any ConfigMap, and in a key for any text. Where `path` isn't empty the value is
    YAML or JSON, and that is the place in it, as in `ImageField`.
    """

    config_map: str
    key: str
    source: str
    path: str = ""


def _keys(
    source: str, config_map: str, *keys: str, paths: tuple[str, ...] = ("",)
) -> tuple[ConfigMapKey, ...]:
    return tuple(ConfigMapKey(config_map, key, source, path) for key in keys for path in paths)


_SPAWNER = ("image", "imageGroupOne", "imageGroupTwo")
_INFERENCE = "kubeflow/manifests applications/kserve/kserve/kserve.yaml", "inferenceservice-config"
_WORKFLOWS = (
    "argoproj/argo-workflows docs/workflow-controller-configmap.yaml",
    "workflow-controller-configmap",
)

CONFIG_MAP_KEYS: tuple[ConfigMapKey, ...] = tuple(
    sorted(
        (
            *_keys(
                "knative/serving config/core/configmaps/deployment.yaml",
                "config-deployment",
                "queue-sidecar-image",
            ),
            *_keys(
                "rancher/system-upgrade-controller manifests/system-upgrade-controller.yaml",
                "default-controller-env",
                "SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE",
            ),
            *_keys(
                "kubeflow/manifests common/knative/knative-eventing/base/upstream/"
                "eventing-core.yaml",
                "eventing-integrations-images",
                "*",
            ),
            *_keys(
                "kubeflow/manifests common/knative/knative-eventing/base/upstream/"
                "eventing-core.yaml",
                "eventing-transformations-images",
                "*",
            ),
            *_keys(
                "kubeflow/manifests applications/pipeline/upstream/base/installs/generic/"
                "pipeline-install-config.yaml",
                "pipeline-install-config",
                "cacheImage",
            ),
            *_keys(
                "zalando/postgres-operator manifests/configmap.yaml",
                "postgres-operator",
                "connection_pooler_image",
                "docker_image",
                "logical_backup_docker_image",
            ),
            *_keys(
                "rook/rook deploy/examples/operator.yaml",
                "rook-csi-operator-image-set-configmap",
                "*",
            ),
            *_keys(
                "rook/rook deploy/examples/operator.yaml", "rook-ceph-operator-config", "*_IMAGE"
            ),
            *_keys(
                "velero-io/velero site/content/docs/main/file-system-backup.md",
                "fs-restore-action-config",
                "image",
            ),
            *_keys(
                "argoproj/argo-events manifests/install.yaml",
                "argo-events-controller-config",
                "controller-config.yaml",
                paths=(
                    "eventBus.jetstream.versions[].configReloaderImage",
                    "eventBus.jetstream.versions[].metricsExporterImage",
                    "eventBus.jetstream.versions[].natsImage",
                    "eventBus.nats.versions[].metricsExporterImage",
                    "eventBus.nats.versions[].natsStreamingImage",
                ),
            ),
            *_keys(*_WORKFLOWS, "artifactDrivers", paths=("[].image",)),
            *_keys(*_WORKFLOWS, "executor", "mainContainer", paths=("image",)),
            *_keys(
                *_WORKFLOWS,
                "config",
                paths=("artifactDrivers[].image", "executor.image", "mainContainer.image"),
            ),
            *_keys(
                "argoproj/argo-workflows docs/executor_plugins.md",
                "*",
                "sidecar.container",
                paths=("image",),
            ),
            *_keys(
                *_INFERENCE,
                "agent",
                "batcher",
                "logger",
                "router",
                "storageInitializer",
                paths=("image",),
            ),
            *_keys(
                "kubeflow/manifests applications/katib/upstream/installs/katib-standalone/"
                "katib-config.yaml",
                "katib-config",
                "katib-config.yaml",
                paths=(
                    "runtime.metricsCollectors[].image",
                    "runtime.suggestions[].image",
                    "runtime.earlyStoppings[].image",
                ),
            ),
            *_keys(
                "kubeflow/manifests applications/jupyter/jupyter-web-app/upstream/base/configs/"
                "spawner_ui_config.yaml",
                "*",
                "spawner_ui_config.yaml",
                paths=tuple(
                    f"spawnerFormDefaults.{group}.{key}"
                    for group in _SPAWNER
                    for key in ("value", "options[]")
                ),
            ),
            *_keys(
                "awslabs/kubeflow-manifests tests/e2e/resources/custom-resource-templates/"
                "patch_katib_config_map_sa.yaml",
                "katib-config",
                "early-stopping",
                "metrics-collector-sidecar",
                "suggestion",
                paths=("*.image",),
            ),
            *_keys(*_INFERENCE, "explainers", paths=("*.image",)),
            *_keys(
                "kserve/kserve install/v0.7.0/kserve.yaml",
                "inferenceservice-config",
                "frameworks",
                "predictors",
                "transformers",
                paths=("*.image", "*.v1.image", "*.v2.image"),
            ),
            *_keys(*_INFERENCE, "localModel", paths=("defaultJobImage",)),
        ),
        key=lambda row: (row.config_map, row.key, row.path),
    )
)
"""Keys of ConfigMaps, by name and key."""
