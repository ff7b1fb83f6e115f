"""Image fields of brokers and of what runs beside them."""

from imageshift.data.image_field import Definition, ImageField

__all__ = ["ROWS"]

_STRIMZI = "strimzi/strimzi-kafka-operator helm-charts/helm3/strimzi-kafka-operator/crds/"
_REDPANDA = "redpanda-data/redpanda-operator operator/config/crd/bases/cluster.redpanda.com_"

_kafka = Definition("kafka.strimzi.io", f"{_STRIMZI}040-Crd-kafka.yaml")
_connect = Definition("kafka.strimzi.io", f"{_STRIMZI}041-Crd-kafkaconnect.yaml")
_bridge = Definition("kafka.strimzi.io", f"{_STRIMZI}046-Crd-kafkabridge.yaml")
_mirror = Definition("kafka.strimzi.io", f"{_STRIMZI}048-Crd-kafkamirrormaker2.yaml")
_console = Definition("cluster.redpanda.com", f"{_REDPANDA}consoles.yaml")
_pool = Definition("cluster.redpanda.com", f"{_REDPANDA}nodepools.yaml")
_pipeline = Definition("cluster.redpanda.com", f"{_REDPANDA}pipelines.yaml")
_rabbit = Definition(
    "rabbitmq.com", "rabbitmq/cluster-operator config/crd/bases/rabbitmq.com_rabbitmqclusters.yaml"
)
_emqx = Definition("apps.emqx.io", "emqx/emqx-operator config/crd/bases/apps.emqx.io_emqxes.yaml")
_emqx_old = Definition("apps.emqx.io", "emqx/emqx-operator config/crd/bases")
_koperator = Definition(
    "kafka.banzaicloud.io", "adobe/koperator charts/kafka-operator/crds/kafkaclusters.yaml"
)
_zookeeper = Definition(
    "zookeeper.pravega.io",
    "pravega/zookeeper-operator charts/zookeeper-operator/templates/"
    "zookeeper.pravega.io_zookeeperclusters_crd.yaml",
)
_apicurio = Definition(
    "registry.apicur.io",
    "Apicurio/apicurio-registry-operator config/crd/resources/"
    "registry.apicur.io_apicurioregistries.yaml",
)

ROWS: tuple[ImageField, ...] = (
    *_kafka.references(
        "Kafka",
        "spec.cruiseControl.image",
        "spec.entityOperator.topicOperator.image",
        "spec.entityOperator.userOperator.image",
        "spec.kafka.brokerRackInitImage",
        "spec.kafka.image",
        "spec.kafkaExporter.image",
    ),
    *_connect.references("KafkaConnect", "spec.clientRackInitImage", "spec.image"),
    *_bridge.references("KafkaBridge", "spec.clientRackInitImage", "spec.image"),
    *_mirror.references("KafkaMirrorMaker2", "spec.clientRackInitImage", "spec.image"),
    *Definition(
        "cluster.redpanda.com",
        "redpanda-data/redpanda-operator operator/api/redpanda/v1alpha2/"
        "redpanda_clusterspec_types.go",
    ).image_maps("Redpanda", "spec.clusterSpec.image"),
    *_console.image_maps("Console", "spec.image"),
    *_console.containers("Console", "spec.extraContainers[]"),
    *_pool.image_maps("NodePool", "spec.image", "spec.initContainerImage", "spec.sidecarImage"),
    *_pool.pod_templates("NodePool", "spec.podTemplate"),
    *_pipeline.references("Pipeline", "spec.image"),
    *_pipeline.containers("Pipeline", "spec.extraInitContainers[]"),
    *_rabbit.references(
        "RabbitmqCluster", "spec.image", "spec.secretBackend.vault.defaultUserUpdaterImage"
    ),
    *_rabbit.pod_templates("RabbitmqCluster", "spec.override.statefulSet.spec.template"),
    *_emqx.references("EMQX", "spec.image"),
    *_emqx.containers(
        "EMQX",
        "spec.coreTemplate.spec.extraContainers[]",
        "spec.coreTemplate.spec.initContainers[]",
        "spec.replicantTemplate.spec.extraContainers[]",
        "spec.replicantTemplate.spec.initContainers[]",
    ),
    *_emqx_old.references(
        "EmqxBroker EmqxEnterprise", "spec.emqxTemplate.image", "spec.template.spec.reloaderImage"
    ),
    *_emqx_old.image_maps(
        "EmqxBroker EmqxEnterprise",
        "spec.template.spec.emqxContainer.image",
        note="the tag's key is `version`",
    ),
    *_emqx_old.containers(
        "EmqxBroker EmqxEnterprise",
        "spec.extraContainers[]",
        "spec.initContainers[]",
        "spec.template.spec.extraContainers[]",
        "spec.template.spec.initContainers[]",
    ),
    *_koperator.references(
        "KafkaCluster",
        "spec.clusterImage",
        "spec.clusterMetricsReporterImage",
        "spec.cruiseControlConfig.image",
        "spec.envoyConfig.image",
        "spec.monitoringConfig.jmxImage",
    ),
    *_zookeeper.image_maps("ZookeeperCluster", "spec.image"),
    *_zookeeper.containers("ZookeeperCluster", "spec.containers[]", "spec.initContainers[]"),
    *_apicurio.references("ApicurioRegistry", "spec.deployment.image"),
)
"""Rows of Kafka, RabbitMQ, EMQX and their like."""
