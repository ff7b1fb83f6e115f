"""Image fields of further databases and object stores."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]


ROWS: tuple[ImageField, ...] = (
    *Definition(
        "ais.nvidia.com",
        "datreeio/CRDs-catalog ais.nvidia.com/aistore_v1beta1.json",
    ).references(
        "AIStore",
        "spec.adminClient.image",
        "spec.initImage",
        "spec.logSidecar.image",
        "spec.logSidecarImage",
        "spec.nodeImage",
    ),
    *Definition(
        "app.redislabs.com",
        "carvel-dev/kapp-controller cli/examples/package-authoring/redis-enterprise-operator",
    ).image_maps(
        "RedisEnterpriseCluster",
        "spec.bootstrapperImageSpec",
        "spec.redisEnterpriseImageSpec",
        "spec.redisEnterpriseServicesRiggerImageSpec",
        "spec.usageMeter.callHomeClient.imageSpec",
    ),
    *Definition(
        "app.redislabs.com",
        "carvel-dev/kapp-controller cli/examples/package-authoring/redis-enterprise-operator",
    ).containers(
        "RedisEnterpriseCluster",
        "spec.redisEnterpriseAdditionalPodSpecAttributes.initContainers[]",
        "spec.servicesRiggerSpec.servicesRiggerAdditionalPodSpecAttributes.initContainers[]",
        "spec.sideContainersSpec[]",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "FoundationDBBackup",
        "spec.mainContainer.imageConfigs[].baseImage",
        version="spec.mainContainer.imageConfigs[].tag",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases",
    ).pod_templates(
        "FoundationDBBackup",
        "spec.podTemplateSpec",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "FoundationDBBackup",
        "spec.sidecarContainer.imageConfigs[].baseImage",
        version="spec.sidecarContainer.imageConfigs[].tag",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases/apps.foundationdb.org_foundationdbclusters.yaml",
    ).containers(
        "FoundationDBCluster",
        "spec.containers[]",
        "spec.initContainers[]",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases/apps.foundationdb.org_foundationdbclusters.yaml",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "FoundationDBCluster",
        "spec.mainContainer.imageConfigs[].baseImage",
        version="spec.mainContainer.imageConfigs[].tag",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases/apps.foundationdb.org_foundationdbclusters.yaml",
    ).references(
        "FoundationDBCluster",
        "spec.mainContainer.imageName",
        "spec.sidecarContainer.imageName",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases/apps.foundationdb.org_foundationdbclusters.yaml",
    ).pod_templates(
        "FoundationDBCluster",
        "spec.podTemplate",
        "spec.processes.*.podTemplate",
    ),
    *Definition(
        "apps.foundationdb.org",
        "apache/doris-operator config/crd/bases/apps.foundationdb.org_foundationdbclusters.yaml",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "FoundationDBCluster",
        "spec.sidecarContainer.imageConfigs[].baseImage",
        version="spec.sidecarContainer.imageConfigs[].tag",
    ),
    *Definition(
        "authzed.com",
        "datreeio/CRDs-catalog authzed.com/spicedbcluster_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "SpiceDBCluster",
        "spec.baseImage",
        version="spec.version",
    ),
    *Definition(
        "clickhouse.com",
        "datreeio/CRDs-catalog clickhouse.com/clickhousecluster_v1alpha1.json",
    ).image_maps(
        "ClickHouseCluster",
        "spec.containerTemplate.image",
    ),
    *Definition(
        "clickhouse.com",
        "datreeio/CRDs-catalog clickhouse.com/keepercluster_v1alpha1.json",
    ).image_maps(
        "KeeperCluster",
        "spec.containerTemplate.image",
    ),
    *Definition(
        "db.atlasgo.io",
        "datreeio/CRDs-catalog db.atlasgo.io/atlasmigration_v1alpha1.json",
    ).pod_specs(
        "AtlasMigration",
        "spec.devDB.spec",
    ),
    *Definition(
        "db.atlasgo.io",
        "datreeio/CRDs-catalog db.atlasgo.io/atlasschema_v1alpha1.json",
    ).pod_specs(
        "AtlasSchema",
        "spec.devDB.spec",
    ),
    *Definition(
        "disaggregated.cluster.doris.com",
        "apache/doris-operator config/crd/bases/crds.yaml",
    ).references(
        "DorisDisaggregatedCluster",
        "spec.computeGroups[].image",
        "spec.computeGroups[].systemInitialization.initImage",
        "spec.feSpec.image",
        "spec.feSpec.systemInitialization.initImage",
        "spec.metaService.image",
        "spec.metaService.systemInitialization.initImage",
    ),
    *Definition(
        "doris.selectdb.com",
        "apache/doris-operator config/crd/bases/crds.yaml",
    ).references(
        "DorisCluster",
        "spec.beSpec.image",
        "spec.beSpec.systemInitialization.initImage",
        "spec.brokerSpec.image",
        "spec.brokerSpec.systemInitialization.initImage",
        "spec.cnSpec.image",
        "spec.cnSpec.systemInitialization.initImage",
        "spec.feSpec.image",
        "spec.feSpec.systemInitialization.initImage",
    ),
    *Definition(
        "job.min.io",
        "datreeio/CRDs-catalog job.min.io/miniojob_v1alpha1.json",
    ).references(
        "MinIOJob",
        "spec.mcImage",
    ),
    *Definition(
        "milvus.io",
        "zilliztech/milvus-operator charts/milvus-operator/templates/crds.yaml",
    ).references(
        "Milvus",
        "spec.components.dataNode.image",
        "spec.components.image",
        "spec.components.proxy.image",
        "spec.components.queryNode.image",
    ),
    *Definition(
        "mysql.presslabs.org",
        "datreeio/CRDs-catalog mysql.presslabs.org/mysqlcluster_v1alpha1.json",
    ).references(
        "MysqlCluster",
        "spec.image",
    ),
    *Definition(
        "mysql.presslabs.org",
        "datreeio/CRDs-catalog mysql.presslabs.org/mysqlcluster_v1alpha1.json",
    ).containers(
        "MysqlCluster",
        "spec.podSpec.containers[]",
        "spec.podSpec.initContainers[]",
    ),
    *Definition(
        "oceanbase.oceanbase.com",
        "oceanbase/ob-operator charts/ob-operator/templates/operator.yaml",
    ).references(
        "OBCluster",
        "spec.monitor.image",
        "spec.observer.image",
    ),
    *Definition(
        "pg.percona.com",
        "datreeio/CRDs-catalog pg.percona.com/perconapgcluster_v2beta1.json",
    ).references(
        "PerconaPGCluster",
        "spec.backups.pgbackrest.image",
        "spec.image",
        "spec.pmm.image",
        "spec.proxy.pgBouncer.image",
    ),
    *Definition(
        "pg.percona.com",
        "datreeio/CRDs-catalog pg.percona.com/perconapgcluster_v2beta1.json",
    ).containers(
        "PerconaPGCluster",
        "spec.instances[].sidecars[]",
        "spec.proxy.pgBouncer.sidecars[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/backup_v1alpha1.json",
    ).references(
        "Backup",
        "spec.toolImage",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/backupschedule_v1alpha1.json",
    ).references(
        "BackupSchedule",
        "spec.backupTemplate.toolImage",
        "spec.logBackupTemplate.toolImage",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/dmcluster_v1alpha1.json",
    ).containers(
        "DMCluster",
        "spec.discovery.additionalContainers[]",
        "spec.discovery.initContainers[]",
        "spec.master.additionalContainers[]",
        "spec.master.initContainers[]",
        "spec.worker.additionalContainers[]",
        "spec.worker.initContainers[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/dmcluster_v1alpha1.json",
    ).references(
        "DMCluster",
        "spec.discovery.image",
        "spec.master.image",
        "spec.worker.image",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/dmcluster_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "DMCluster",
        "spec.master.baseImage",
        "spec.worker.baseImage",
        version="spec.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/restore_v1alpha1.json",
    ).references(
        "Restore",
        "spec.toolImage",
        "spec.warmupImage",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbcluster_v1alpha1.json",
    ).containers(
        "TidbCluster",
        "spec.discovery.additionalContainers[]",
        "spec.discovery.initContainers[]",
        "spec.pd.additionalContainers[]",
        "spec.pd.initContainers[]",
        "spec.pdms[]",
        "spec.pump.additionalContainers[]",
        "spec.pump.initContainers[]",
        "spec.ticdc.additionalContainers[]",
        "spec.ticdc.initContainers[]",
        "spec.tidb.additionalContainers[]",
        "spec.tidb.initContainers[]",
        "spec.tiflash.additionalContainers[]",
        "spec.tiflash.initContainers[]",
        "spec.tikv.additionalContainers[]",
        "spec.tikv.initContainers[]",
        "spec.tiproxy.additionalContainers[]",
        "spec.tiproxy.initContainers[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbcluster_v1alpha1.json",
    ).references(
        "TidbCluster",
        "spec.discovery.image",
        "spec.helper.image",
        "spec.pd.image",
        "spec.pump.image",
        "spec.ticdc.image",
        "spec.tidb.customizedStartupProbe.image",
        "spec.tidb.image",
        "spec.tidb.slowLogTailer.image",
        "spec.tiflash.image",
        "spec.tikv.image",
        "spec.tiproxy.image",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbcluster_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbCluster",
        "spec.pd.baseImage",
        "spec.pump.baseImage",
        "spec.ticdc.baseImage",
        "spec.tidb.baseImage",
        "spec.tiflash.baseImage",
        "spec.tikv.baseImage",
        "spec.tiproxy.baseImage",
        version="spec.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbdashboard_v1alpha1.json",
    ).containers(
        "TidbDashboard",
        "spec.additionalContainers[]",
        "spec.initContainers[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbdashboard_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbDashboard",
        "spec.baseImage",
        version="spec.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbdashboard_v1alpha1.json",
    ).references(
        "TidbDashboard",
        "spec.image",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbinitializer_v1alpha1.json",
    ).references(
        "TidbInitializer",
        "spec.image",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).containers(
        "TidbMonitor",
        "spec.additionalContainers[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.dm.initializer.baseImage",
        version="spec.dm.initializer.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.grafana.baseImage",
        version="spec.grafana.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.initializer.baseImage",
        version="spec.initializer.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.prometheus.baseImage",
        version="spec.prometheus.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.prometheusReloader.baseImage",
        version="spec.prometheusReloader.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.reloader.baseImage",
        version="spec.reloader.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbmonitor_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbMonitor",
        "spec.thanos.baseImage",
        version="spec.thanos.version",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbngmonitoring_v1alpha1.json",
    ).containers(
        "TidbNGMonitoring",
        "spec.additionalContainers[]",
        "spec.initContainers[]",
        "spec.ngMonitoring.additionalContainers[]",
        "spec.ngMonitoring.initContainers[]",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbngmonitoring_v1alpha1.json",
    ).references(
        "TidbNGMonitoring",
        "spec.image",
        "spec.ngMonitoring.image",
    ),
    *Definition(
        "pingcap.com",
        "datreeio/CRDs-catalog pingcap.com/tidbngmonitoring_v1alpha1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "TidbNGMonitoring",
        "spec.ngMonitoring.baseImage",
        version="spec.version",
    ),
    *Definition(
        "psmdb.percona.com",
        "datreeio/CRDs-catalog psmdb.percona.com/perconaservermongodb_v1.json",
    ).containers(
        "PerconaServerMongoDB",
        "spec.replsets[].arbiter.sidecars[]",
        "spec.replsets[].hidden.sidecars[]",
        "spec.replsets[].nonvoting.sidecars[]",
        "spec.sharding.configsvrReplSet.arbiter.sidecars[]",
        "spec.sharding.configsvrReplSet.hidden.sidecars[]",
        "spec.sharding.configsvrReplSet.nonvoting.sidecars[]",
    ),
    *Definition(
        "repo-manager.pulpproject.org",
        "datreeio/CRDs-catalog repo-manager.pulpproject.org/pulp_v1.json",
    ).references(
        "Pulp",
        "spec.admin_password_job.container.image",
        "spec.api.init_container.image",
        "spec.cache.redis_image",
        "spec.content.init_container.image",
        "spec.database.postgres_image",
        "spec.migration_job.container.image",
        "spec.signing_job.container.image",
        "spec.telemetry.otel_collector_image",
        "spec.worker.init_container.image",
    ),
    *Definition(
        "repo-manager.pulpproject.org",
        "datreeio/CRDs-catalog repo-manager.pulpproject.org/pulp_v1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "Pulp",
        "spec.image",
        version="spec.image_version",
    ),
    *Definition(
        "repo-manager.pulpproject.org",
        "datreeio/CRDs-catalog repo-manager.pulpproject.org/pulp_v1.json",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "Pulp",
        "spec.image_web",
        version="spec.image_web_version",
    ),
    *Definition(
        "seaweed.seaweedfs.com",
        "datreeio/CRDs-catalog seaweed.seaweedfs.com/seaweed_v1.json",
    ).references(
        "Seaweed",
        "spec.backup.image",
        "spec.image",
    ),
    *Definition(
        "seaweed.seaweedfs.com",
        "datreeio/CRDs-catalog seaweed.seaweedfs.com/seaweedcsidriver_v1.json",
    ).references(
        "SeaweedCSIDriver",
        "spec.image",
        "spec.mountService.image",
    ),
    *Definition(
        "starrocks.com",
        "StarRocks/starrocks-kubernetes-operator config/crd/bases",
    ).references(
        "StarRocksCluster",
        "spec.starRocksBeSpec.image",
        "spec.starRocksCnSpec.image",
        "spec.starRocksFeProxySpec.image",
        "spec.starRocksFeSpec.image",
    ),
    *Definition(
        "starrocks.com",
        "StarRocks/starrocks-kubernetes-operator config/crd/bases",
    ).containers(
        "StarRocksCluster",
        "spec.starRocksBeSpec.initContainers[]",
        "spec.starRocksBeSpec.sidecars[]",
        "spec.starRocksCnSpec.initContainers[]",
        "spec.starRocksCnSpec.sidecars[]",
        "spec.starRocksFeSpec.initContainers[]",
        "spec.starRocksFeSpec.sidecars[]",
    ),
    *Definition(
        "starrocks.com",
        "StarRocks/starrocks-kubernetes-operator config/crd/bases",
    ).references(
        "StarRocksWarehouse",
        "spec.template.image",
    ),
    *Definition(
        "starrocks.com",
        "StarRocks/starrocks-kubernetes-operator config/crd/bases",
    ).containers(
        "StarRocksWarehouse",
        "spec.template.initContainers[]",
        "spec.template.sidecars[]",
    ),
    *Definition(
        "valkey.io",
        "datreeio/CRDs-catalog valkey.io/valkeycluster_v1alpha1.json",
    ).containers(
        "ValkeyCluster",
        "spec.containers[]",
    ),
    *Definition(
        "valkey.io",
        "datreeio/CRDs-catalog valkey.io/valkeycluster_v1alpha1.json",
    ).references(
        "ValkeyCluster",
        "spec.exporter.image",
        "spec.image",
    ),
    *Definition(
        "valkey.io",
        "datreeio/CRDs-catalog valkey.io/valkeynode_v1alpha1.json",
    ).containers(
        "ValkeyNode",
        "spec.containers[]",
    ),
    *Definition(
        "valkey.io",
        "datreeio/CRDs-catalog valkey.io/valkeynode_v1alpha1.json",
    ).references(
        "ValkeyNode",
        "spec.exporter.image",
        "spec.image",
    ),
)
"""Rows of stores whose operators run them by version or by image."""
