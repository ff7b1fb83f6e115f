"""Image fields of Percona's and PingCAP's database operators."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_PXC = "percona/percona-xtradb-cluster-operator config/crd/bases/pxc.percona.com_"
_PSMDB = "percona/percona-server-mongodb-operator config/crd/bases/psmdb.percona.com_"
_PS = "percona/percona-server-mysql-operator config/crd/bases/ps.percona.com_"
_PG = "percona/percona-postgresql-operator build/crd/percona/generated/pgv2.percona.com_"

_pxc = Definition("pxc.percona.com", f"{_PXC}perconaxtradbclusters.yaml")
_psmdb = Definition("psmdb.percona.com", f"{_PSMDB}perconaservermongodbs.yaml")
_ps = Definition("ps.percona.com", f"{_PS}perconaservermysqls.yaml")
_pg = Definition("pgv2.percona.com", f"{_PG}perconapgclusters.yaml")
_pg_upgrade = Definition("pgv2.percona.com", f"{_PG}perconapgupgrades.yaml")
_tidb = Definition("core.pingcap.com", "pingcap/tidb-operator manifests/crd")
_tidb_backup = Definition("br.pingcap.com", "pingcap/tidb-operator manifests/crd")

_PERCONA: tuple[ImageField, ...] = (
    *_pxc.references(
        "PerconaXtraDBCluster",
        "spec.backup.image",
        "spec.haproxy.image",
        "spec.initContainer.image",
        "spec.initImage",
        "spec.logcollector.image",
        "spec.pmm.image",
        "spec.proxysql.image",
        "spec.pxc.image",
    ),
    *_pxc.containers(
        "PerconaXtraDBCluster",
        "spec.haproxy.sidecars[]",
        "spec.proxysql.sidecars[]",
        "spec.pxc.sidecars[]",
    ),
    *_psmdb.references(
        "PerconaServerMongoDB",
        "spec.backup.image",
        "spec.image",
        "spec.initImage",
        "spec.logcollector.image",
        "spec.pmm.image",
        "spec.search.image",
    ),
    *_psmdb.containers(
        "PerconaServerMongoDB",
        "spec.replsets[].sidecars[]",
        "spec.sharding.configsvrReplSet.sidecars[]",
        "spec.sharding.mongos.sidecars[]",
    ),
    *_ps.references(
        "PerconaServerMySQL",
        "spec.backup.image",
        "spec.backup.initImage",
        "spec.backup.pitr.binlogServer.image",
        "spec.initContainer.image",
        "spec.initImage",
        "spec.mysql.image",
        "spec.mysql.initImage",
        "spec.orchestrator.image",
        "spec.orchestrator.initImage",
        "spec.pmm.image",
        "spec.proxy.haproxy.image",
        "spec.proxy.haproxy.initImage",
        "spec.proxy.router.image",
        "spec.proxy.router.initImage",
        "spec.toolkit.image",
    ),
    *_ps.containers("PerconaServerMySQL", "spec.mysql.sidecars[]"),
    *_pg.references(
        "PerconaPGCluster",
        "spec.backups.pgbackrest.image",
        "spec.backups.pgbackrest.initContainer.image",
        "spec.extensions.image",
        "spec.image",
        "spec.initContainer.image",
        "spec.instances[].initContainer.image",
        "spec.logcollector.image",
        "spec.pmm.image",
        "spec.proxy.pgBouncer.image",
    ),
    *_pg.containers(
        "PerconaPGCluster",
        "spec.backups.pgbackrest.repoHost.sidecars[]",
        "spec.instances[].initContainers[]",
        "spec.instances[].sidecars[]",
        "spec.proxy.pgBouncer.sidecars[]",
    ),
    *_pg_upgrade.references(
        "PerconaPGUpgrade",
        "spec.image",
        "spec.toPgBackRestImage",
        "spec.toPgBouncerImage",
        "spec.toPostgresImage",
    ),
)

_PINGCAP: tuple[ImageField, ...] = (
    *_tidb.of(
        FieldShape.NAME_WITHOUT_TAG,
        "PDGroup RouterGroup SchedulerGroup SchedulingGroup TSOGroup TiCDCGroup TiDBGroup"
        " TiFlashGroup TiKVGroup TiKVWorkerGroup TiProxyGroup",
        "spec.template.spec.image",
        version="spec.template.spec.version",
    ),
    *_tidb.references("TiDBGroup", "spec.template.spec.slowLog.image"),
    *_tidb.references("TiFlashGroup", "spec.template.spec.logTailer.image"),
    *_tidb.references("TiCDCGroup TiKVGroup", "spec.template.spec.preStop.image"),
    *_tidb_backup.references("Backup CompactBackup Restore", "spec.toolImage"),
    *_tidb_backup.references(
        "BackupSchedule",
        "spec.backupTemplate.toolImage",
        "spec.compactBackupTemplate.toolImage",
        "spec.logBackupTemplate.toolImage",
    ),
)

ROWS: tuple[ImageField, ...] = (*_PERCONA, *_PINGCAP)
"""Rows of the database operators of Percona and PingCAP."""
