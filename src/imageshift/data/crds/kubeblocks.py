"""Image fields of KubeBlocks."""

from imageshift.data.image_field import Definition, ImageField

__all__ = ["ROWS"]


ROWS: tuple[ImageField, ...] = (
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "Cluster",
        "spec.componentSpecs[].configs[].reconfigureAction.exec.image",
        "spec.shardings[].template.configs[].reconfigureAction.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "Component",
        "spec.configs[].reconfigureAction.exec.image",
        "spec.customActions[].action.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases/apps.kubeblocks.io_componentdefinitions.yaml",
    ).references(
        "ComponentDefinition",
        "spec.configs[].reconfigure.exec.image",
        "spec.lifecycleActions.accountProvision.exec.image",
        "spec.lifecycleActions.availableProbe.exec.image",
        "spec.lifecycleActions.dataDump.exec.image",
        "spec.lifecycleActions.dataLoad.exec.image",
        "spec.lifecycleActions.memberJoin.exec.image",
        "spec.lifecycleActions.memberLeave.exec.image",
        "spec.lifecycleActions.postProvision.exec.image",
        "spec.lifecycleActions.preTerminate.exec.image",
        "spec.lifecycleActions.readonly.exec.image",
        "spec.lifecycleActions.readwrite.exec.image",
        "spec.lifecycleActions.reconfigure.exec.image",
        "spec.lifecycleActions.roleProbe.exec.image",
        "spec.lifecycleActions.switchover.exec.image",
        "spec.scripts[].reconfigure.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases/apps.kubeblocks.io_componentdefinitions.yaml",
    ).pod_specs(
        "ComponentDefinition",
        "spec.runtime",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases/apps.kubeblocks.io_componentversions.yaml",
    ).references(
        "ComponentVersion",
        "spec.releases[].images.*",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).containers(
        "ConfigConstraint",
        "spec.reloadAction.shellTrigger.toolsSetup.toolConfigs[]",
        "spec.reloadOptions.shellTrigger.toolsSetup.toolConfigs[]",
        "spec.toolsImageSpec.toolConfigs[]",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "Rollout",
        "spec.components[].strategy.create.promotion.condition.post.exec.image",
        "spec.components[].strategy.create.promotion.condition.prev.exec.image",
        "spec.shardings[].strategy.create.promotion.condition.post.exec.image",
        "spec.shardings[].strategy.create.promotion.condition.prev.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "ShardingDefinition",
        "spec.lifecycleActions.postProvision.exec.image",
        "spec.lifecycleActions.preTerminate.exec.image",
        "spec.lifecycleActions.shardAdd.exec.image",
        "spec.lifecycleActions.shardRemove.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "SidecarDefinition",
        "spec.configs[].reconfigure.exec.image",
        "spec.scripts[].reconfigure.exec.image",
    ),
    *Definition(
        "apps.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).containers(
        "SidecarDefinition",
        "spec.containers[]",
    ),
    *Definition(
        "dataprotection.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases/dataprotection.kubeblocks.io_actionsets.yaml",
    ).references(
        "ActionSet",
        "spec.backup.backupData.image",
        "spec.backup.postBackup[].job.image",
        "spec.backup.preBackup[].job.image",
        "spec.backup.preDelete.image",
        "spec.restore.postReady[].job.image",
        "spec.restore.prepareData.image",
    ),
    *Definition(
        "dataprotection.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "Restore",
        "spec.readyConfig.readinessProbe.exec.image",
    ),
    *Definition(
        "operations.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).pod_specs(
        "OpsDefinition",
        "spec.actions[].workload.podSpec",
    ),
    *Definition(
        "operations.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "OpsDefinition",
        "spec.componentInfos[].imageMappings[].images.*",
    ),
    *Definition(
        "parameters.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "ComponentParameter",
        "spec.configItemDetails[].configSpec.reconfigure.exec.image",
    ),
    *Definition(
        "parameters.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).containers(
        "ParametersDefinition",
        "spec.reloadAction.shellTrigger.toolsSetup.toolConfigs[]",
    ),
    *Definition(
        "workloads.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "Instance",
        "spec.configs[].reconfigure.exec.image",
        "spec.lifecycleActions.reconfigure.exec.image",
        "spec.lifecycleActions.switchover.exec.image",
    ),
    *Definition(
        "workloads.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).pod_templates(
        "Instance",
        "spec.template",
    ),
    *Definition(
        "workloads.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).references(
        "InstanceSet",
        "spec.configs[].reconfigure.exec.image",
        "spec.instances[].images.*",
        "spec.lifecycleActions.reconfigure.exec.image",
        "spec.lifecycleActions.switchover.exec.image",
    ),
    *Definition(
        "workloads.kubeblocks.io",
        "apecloud/kubeblocks config/crd/bases",
    ).pod_templates(
        "InstanceSet",
        "spec.template",
    ),
)
"""Rows of KubeBlocks."""
