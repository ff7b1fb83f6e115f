"""Image fields of databases, caches and search engines."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_CNPG = "cloudnative-pg/cloudnative-pg config/crd/bases/postgresql.cnpg.io_"
_CATALOG = (
    "spec.componentImages[].image",
    "spec.images[].extensions[].image.reference",
    "spec.images[].image",
)
_CRUNCHY = "CrunchyData/postgres-operator config/crd/bases/postgres-operator.crunchydata.com_"
_ELASTIC = "elastic/cloud-on-k8s config/crds/v1/all-crds.yaml"
_K8SSANDRA = (
    "k8ssandra/k8ssandra-operator charts/k8ssandra-operator/crds/k8ssandra-operator-crds.yaml"
)
_MARIADB = "mariadb-operator/mariadb-operator config/crd/bases/k8s.mariadb.com_"
_OPENSEARCH = "opensearch-project/opensearch-k8s-operator charts/opensearch-operator/files/"
_REDIS = Definition(
    "redis.redis.opstreelabs.in",
    "OT-CONTAINER-KIT/redis-operator charts/redis-operator/crds/crds.yaml",
)
_SCYLLA = "scylladb/scylla-operator bundle/manifests/scylla.scylladb.com_"
_SOLR = "apache/solr-operator config/crd/bases/solr.apache.org_"
_ZALANDO = "zalando/postgres-operator charts/postgres-operator/crds/"
_VITESS = "planetscale/vitess-operator deploy/crds/planetscale.com_vitessclusters.yaml"

_cassandra = Definition("k8ssandra.io", _K8SSANDRA)
_crdb = Definition(
    "crdb.cockroachlabs.com",
    "cockroachdb/cockroach-operator config/crd/bases/crdb.cockroachlabs.com_crdbclusters.yaml",
)
_infinispan = Definition(
    "infinispan.org",
    "infinispan/infinispan-operator config/crd/bases/infinispan.org_infinispans.yaml",
)
_valkey = Definition(
    "hyperspike.io", "hyperspike/valkey-operator config/crd/bases/hyperspike.io_valkeys.yaml"
)
_dragonfly = Definition(
    "dragonflydb.io", "dragonflydb/dragonfly-operator charts/dragonfly-operator/templates/crds.yaml"
)
_failover = Definition(
    "databases.spotahome.com",
    "spotahome/redis-operator charts/redisoperator/crds",
)
_arango = Definition(
    "database.arangodb.com", "arangodb/kube-arangodb manifests/arango-crd-all.yaml"
)
_druid = Definition(
    "druid.apache.org", "datainfrahq/druid-operator chart/crds/druid.apache.org_druids.yaml"
)
_mysql = Definition("mysql.oracle.com", "mysql/mysql-operator deploy/deploy-crds.yaml")
_mongodb = Definition(
    "mongodbcommunity.mongodb.com",
    "mongodb/mongodb-kubernetes-operator api/v1/mongodbcommunity_types.go",
)
_CLICKHOUSE = "Altinity/clickhouse-operator deploy/helm/clickhouse-operator/crds"

_POSTGRES: tuple[ImageField, ...] = (
    *Definition("postgresql.cnpg.io", f"{_CNPG}clusters.yaml").references(
        "Cluster", "spec.imageName", "spec.postgresql.extensions[].image.reference"
    ),
    *Definition("postgresql.cnpg.io", f"{_CNPG}imagecatalogs.yaml").references(
        "ImageCatalog", *_CATALOG
    ),
    *Definition("postgresql.cnpg.io", f"{_CNPG}clusterimagecatalogs.yaml").references(
        "ClusterImageCatalog", *_CATALOG
    ),
    *Definition("postgresql.cnpg.io", f"{_CNPG}poolers.yaml").references(
        "Pooler", "spec.pgbouncer.image"
    ),
    *Definition("postgresql.cnpg.io", f"{_CNPG}poolers.yaml").pod_templates(
        "Pooler", "spec.template"
    ),
    *Definition("acid.zalan.do", f"{_ZALANDO}postgresqls.yaml").references(
        "postgresql", "spec.dockerImage", "spec.connectionPooler.dockerImage"
    ),
    *Definition("acid.zalan.do", f"{_ZALANDO}postgresqls.yaml").containers(
        "postgresql", "spec.initContainers[]", "spec.sidecars[]"
    ),
    *Definition("acid.zalan.do", f"{_ZALANDO}operatorconfigurations.yaml").references(
        "OperatorConfiguration",
        "configuration.docker_image",
        "configuration.connection_pooler.connection_pooler_image",
        "configuration.logical_backup.logical_backup_docker_image",
        "configuration.scalyr.scalyr_image",
        "configuration.sidecar_docker_images.*",
    ),
    *Definition("postgres-operator.crunchydata.com", f"{_CRUNCHY}postgresclusters.yaml").references(
        "PostgresCluster",
        "spec.image",
        "spec.backups.pgbackrest.image",
        "spec.instrumentation.image",
        "spec.monitoring.pgmonitor.exporter.image",
        "spec.proxy.pgBouncer.image",
        "spec.userInterface.pgAdmin.image",
    ),
    *Definition("postgres-operator.crunchydata.com", f"{_CRUNCHY}postgresclusters.yaml").containers(
        "PostgresCluster", "spec.instances[].containers[]", "spec.proxy.pgBouncer.containers[]"
    ),
    *Definition("postgres-operator.crunchydata.com", f"{_CRUNCHY}pgadmins.yaml").references(
        "PGAdmin", "spec.image", "spec.instrumentation.image"
    ),
    *Definition("postgres-operator.crunchydata.com", f"{_CRUNCHY}pgupgrades.yaml").references(
        "PGUpgrade", "spec.image"
    ),
)

_SEARCH: tuple[ImageField, ...] = (
    *Definition("elasticsearch.k8s.elastic.co", _ELASTIC).references("Elasticsearch", "spec.image"),
    *Definition("elasticsearch.k8s.elastic.co", _ELASTIC).pod_templates(
        "Elasticsearch", "spec.nodeSets[].podTemplate"
    ),
    *(
        row
        for kind, group in (
            ("ApmServer", "apm.k8s.elastic.co"),
            ("AutoOpsAgentPolicy", "autoops.k8s.elastic.co"),
            ("ElasticMapsServer", "maps.k8s.elastic.co"),
            ("EnterpriseSearch", "enterprisesearch.k8s.elastic.co"),
            ("Kibana", "kibana.k8s.elastic.co"),
            ("Logstash", "logstash.k8s.elastic.co"),
            ("PackageRegistry", "packageregistry.k8s.elastic.co"),
        )
        for row in (
            *Definition(group, _ELASTIC).references(kind, "spec.image"),
            *Definition(group, _ELASTIC).pod_templates(kind, "spec.podTemplate"),
        )
    ),
    *(
        row
        for kind, group in (("Agent", "agent.k8s.elastic.co"), ("Beat", "beat.k8s.elastic.co"))
        for row in (
            *Definition(group, _ELASTIC).references(kind, "spec.image"),
            *Definition(group, _ELASTIC).pod_templates(
                kind, "spec.daemonSet.podTemplate", "spec.deployment.podTemplate"
            ),
        )
    ),
    *Definition("agent.k8s.elastic.co", _ELASTIC).pod_templates(
        "Agent", "spec.statefulSet.podTemplate"
    ),
    *Definition(
        "opensearch.opster.io", f"{_OPENSEARCH}opensearch.opster.io_opensearchclusters.yaml"
    ).references(
        "OpenSearchCluster",
        "spec.general.image",
        "spec.dashboards.image",
        "spec.initHelper.image",
    ),
    *Definition(
        "opensearch.org", f"{_OPENSEARCH}opensearch.org_opensearchclusters.yaml"
    ).references(
        "OpenSearchCluster",
        "spec.general.image",
        "spec.dashboards.image",
        "spec.initHelper.image",
    ),
    *Definition("solr.apache.org", f"{_SOLR}solrclouds.yaml").image_maps(
        "SolrCloud", "spec.solrImage", "spec.busyBoxImage"
    ),
    *Definition("solr.apache.org", f"{_SOLR}solrclouds.yaml").containers(
        "SolrCloud",
        "spec.customSolrKubeOptions.podOptions.initContainers[]",
        "spec.customSolrKubeOptions.podOptions.sidecarContainers[]",
    ),
    *Definition("solr.apache.org", f"{_SOLR}solrclouds.yaml").image_maps(
        "SolrCloud", "spec.zookeeperRef.provided.image"
    ),
    *Definition("solr.apache.org", f"{_SOLR}solrprometheusexporters.yaml").image_maps(
        "SolrPrometheusExporter", "spec.image", "spec.busyBoxImage"
    ),
    *_druid.references("Druid", "spec.image", "spec.nodes.*.image"),
    *_druid.containers("Druid", "spec.additionalContainer[]", "spec.nodes.*.additionalContainer[]"),
)

_KEY_VALUE: tuple[ImageField, ...] = (
    *_dragonfly.references("Dragonfly", "spec.image"),
    *_dragonfly.containers("Dragonfly", "spec.initContainers[]", "spec.additionalContainers[]"),
    *_failover.references(
        "RedisFailover",
        "spec.redis.image",
        "spec.redis.exporter.image",
        "spec.sentinel.image",
        "spec.sentinel.exporter.image",
    ),
    *_failover.containers(
        "RedisFailover",
        "spec.redis.extraContainers[]",
        "spec.redis.initContainers[]",
        "spec.sentinel.extraContainers[]",
        "spec.sentinel.initContainers[]",
    ),
    *_REDIS.references(
        "Redis RedisCluster RedisReplication RedisSentinel",
        "spec.kubernetesConfig.image",
        "spec.redisExporter.image",
    ),
    *_REDIS.containers(
        "Redis RedisCluster RedisReplication RedisSentinel",
        "spec.initContainer",
        "spec.sidecars[]",
    ),
    *_REDIS.references("RedisReplication", "spec.sentinel.image"),
    *_valkey.references(
        "Valkey", "spec.image", "spec.exporterImage", "spec.externalAccess.proxy.image"
    ),
    *_infinispan.references("Infinispan", "spec.image"),
    *_crdb.references("CrdbCluster", "spec.image.name"),
)

_aerospike = Definition(
    "asdb.aerospike.com", "aerospike/aerospike-kubernetes-operator config/crd/bases"
)
_MANY_MODEL: tuple[ImageField, ...] = (
    *_aerospike.references("AerospikeBackupService AerospikeCluster", "spec.image"),
    *_aerospike.containers(
        "AerospikeCluster", "spec.podSpec.initContainers[]", "spec.podSpec.sidecars[]"
    ),
    *_arango.references(
        "ArangoDeployment",
        "spec.image",
        "spec.gateway.image",
        "spec.metrics.image",
        "spec.sync.image",
    ),
    *_arango.containers(
        "ArangoDeployment",
        *(
            f"spec.{member}.{place}[]"
            for member in (
                "agents",
                "coordinators",
                "dbservers",
                "gateways",
                "single",
                "syncmasters",
                "syncworkers",
            )
            for place in ("initContainers.containers", "sidecars")
        ),
    ),
    *Definition("clickhouse.altinity.com", _CLICKHOUSE).pod_templates(
        "ClickHouseInstallation ClickHouseInstallationTemplate", "spec.templates.podTemplates[]"
    ),
    *Definition("clickhouse-keeper.altinity.com", _CLICKHOUSE).pod_templates(
        "ClickHouseKeeperInstallation", "spec.templates.podTemplates[]"
    ),
    *_mongodb.pod_templates("MongoDBCommunity", "spec.statefulSet.spec.template"),
)

_CASSANDRA: tuple[ImageField, ...] = (
    *Definition(
        "cassandra.datastax.com",
        "k8ssandra/cass-operator config/crd/bases/cassandra.datastax.com_cassandradatacenters.yaml",
    ).references(
        "CassandraDatacenter",
        "spec.serverImage",
        "spec.configBuilderImage",
        "spec.systemLoggerImage",
    ),
    *Definition(
        "cassandra.datastax.com",
        "k8ssandra/cass-operator config/crd/bases/cassandra.datastax.com_cassandradatacenters.yaml",
    ).pod_templates("CassandraDatacenter", "spec.podTemplateSpec"),
    *_cassandra.references(
        "K8ssandraCluster",
        "spec.cassandra.serverImage",
        "spec.cassandra.perNodeConfigInitContainerImage",
        "spec.cassandra.telemetry.vector.image",
        "spec.cassandra.datacenters[].serverImage",
        "spec.cassandra.datacenters[].perNodeConfigInitContainerImage",
        "spec.reaper.telemetry.vector.image",
    ),
    *_cassandra.containers(
        "K8ssandraCluster",
        "spec.cassandra.containers[]",
        "spec.cassandra.initContainers[]",
        "spec.cassandra.datacenters[].containers[]",
        "spec.cassandra.datacenters[].initContainers[]",
    ),
    *_cassandra.of(
        FieldShape.REGISTRY_REPOSITORY_NAME,
        "K8ssandraCluster",
        "spec.cassandra.jmxInitContainerImage",
        "spec.medusa.containerImage",
        "spec.reaper.containerImage",
        "spec.reaper.initContainerImage",
        "spec.stargate.containerImage",
    ),
    *Definition("scylla.scylladb.com", f"{_SCYLLA}scyllaclusters.yaml").of(
        FieldShape.NAME_WITHOUT_TAG, "ScyllaCluster", "spec.repository", version="spec.version"
    ),
    *Definition("scylla.scylladb.com", f"{_SCYLLA}scyllaclusters.yaml").of(
        FieldShape.NAME_WITHOUT_TAG,
        "ScyllaCluster",
        "spec.agentRepository",
        version="spec.agentVersion",
    ),
    *Definition("scylla.scylladb.com", f"{_SCYLLA}scylladbdatacenters.yaml").references(
        "ScyllaDBDatacenter", "spec.scyllaDB.image", "spec.scyllaDBManagerAgent.image"
    ),
    *Definition("scylla.scylladb.com", f"{_SCYLLA}scylladbclusters.yaml").references(
        "ScyllaDBCluster", "spec.scyllaDB.image", "spec.scyllaDBManagerAgent.image"
    ),
    *Definition("scylla.scylladb.com", f"{_SCYLLA}scyllaoperatorconfigs.yaml").references(
        "ScyllaOperatorConfig", "spec.scyllaDBNodeExporterImage", "spec.scyllaUtilsImage"
    ),
)

_MYSQL: tuple[ImageField, ...] = (
    *Definition("k8s.mariadb.com", f"{_MARIADB}mariadbs.yaml").containers(
        "MariaDB",
        "spec.galera.agent",
        "spec.galera.initContainer",
        "spec.initContainers[]",
        "spec.replication.agent",
        "spec.replication.initContainer",
        "spec.sidecarContainers[]",
    ),
    *Definition("k8s.mariadb.com", f"{_MARIADB}mariadbs.yaml").references(
        "MariaDB", "spec.image", "spec.metrics.exporter.image"
    ),
    *Definition("k8s.mariadb.com", f"{_MARIADB}maxscales.yaml").references(
        "MaxScale", "spec.image", "spec.metrics.exporter.image"
    ),
    *Definition("k8s.mariadb.com", f"{_MARIADB}externalmariadbs.yaml").references(
        "ExternalMariaDB", "spec.image"
    ),
    *_mysql.references("InnoDBCluster", "spec.logs.collector.image", "spec.metrics.image"),
    *_mysql.of(
        FieldShape.REFERENCE,
        "InnoDBCluster",
        "spec.imageRepository",
        note="a prefix to which the operator adds each of its images' names",
        certain=False,
    ),
    *Definition("planetscale.com", _VITESS).references(
        "VitessCluster",
        "spec.globalLockserver.etcd.image",
        "spec.cells[].lockserver.etcd.image",
        "spec.images.mysqld.*",
        "spec.images.mysqldExporter",
        "spec.images.vtadmin",
        "spec.images.vtbackup",
        "spec.images.vtctld",
        "spec.images.vtgate",
        "spec.images.vtorc",
        "spec.images.vttablet",
    ),
)

ROWS: tuple[ImageField, ...] = (
    *_POSTGRES,
    *_SEARCH,
    *_KEY_VALUE,
    *_MANY_MODEL,
    *_CASSANDRA,
    *_MYSQL,
)
"""Rows of databases other than Percona's and PingCAP's."""
