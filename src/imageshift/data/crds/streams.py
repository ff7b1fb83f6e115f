"""Image fields of further brokers, pipelines of data, and chat."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]


ROWS: tuple[ImageField, ...] = (
    *Definition(
        "cluster.redpanda.com",
        "datreeio/CRDs-catalog cluster.redpanda.com/redpanda_v1alpha2.json",
    ).image_maps(
        "Redpanda",
        "spec.clusterSpec.connectors.image",
        "spec.clusterSpec.statefulset.initContainerImage",
        "spec.clusterSpec.statefulset.sideCars.controllers.image",
        "spec.clusterSpec.statefulset.sideCars.image",
    ),
    *Definition(
        "cluster.redpanda.com",
        "datreeio/CRDs-catalog cluster.redpanda.com/redpanda_v1alpha2.json",
    ).pod_specs(
        "Redpanda",
        "spec.clusterSpec.post_install_job.podTemplate.spec",
        "spec.clusterSpec.post_upgrade_job.podTemplate.spec",
        "spec.clusterSpec.statefulset.podTemplate.spec",
    ),
    *Definition(
        "hivemq.com",
        "datreeio/CRDs-catalog hivemq.com/hivemqcluster_v1.json",
    ).references(
        "HiveMQCluster",
        "spec.image",
        "spec.initBusyboxImage",
        "spec.initDnsWaitImage",
    ),
    *Definition(
        "hivemq.com",
        "datreeio/CRDs-catalog hivemq.com/hivemqcluster_v1.json",
    ).containers(
        "HiveMQCluster",
        "spec.initContainers[]",
        "spec.initialization[]",
        "spec.sidecars[]",
    ),
    *Definition(
        "hivemq.com",
        "datreeio/CRDs-catalog hivemq.com/hivemqplatform_v1.json",
    ).pod_templates(
        "HiveMQPlatform",
        "spec.statefulSet.spec.template",
    ),
    *Definition(
        "installation.mattermost.com",
        "mattermost/mattermost-helm charts/mattermost-operator/crds/crd-mattermosts.yaml",
    ).of(
        FieldShape.NAME_WITHOUT_TAG,
        "Mattermost",
        "spec.image",
        version="spec.version",
    ),
    *Definition(
        "kafka.strimzi.io",
        "datreeio/CRDs-catalog kafka.strimzi.io/kafka_v1beta2.json",
    ).references(
        "Kafka",
        "spec.cruiseControl.tlsSidecar.image",
        "spec.entityOperator.tlsSidecar.image",
        "spec.jmxTrans.image",
        "spec.zookeeper.image",
    ),
    *Definition(
        "kafka.strimzi.io",
        "datreeio/CRDs-catalog kafka.strimzi.io/kafkaconnect_v1.json",
    ).references(
        "KafkaConnect",
        "spec.plugins[].artifacts[].reference",
    ),
    *Definition(
        "kafka.strimzi.io",
        "datreeio/CRDs-catalog kafka.strimzi.io/kafkamirrormaker_v1beta2.json",
    ).references(
        "KafkaMirrorMaker",
        "spec.image",
    ),
    *Definition(
        "nifi.konpyutaika.com",
        "konpyutaika/nifikop config/crd/bases/nifi.konpyutaika.com_nificlusters.yaml",
    ).references(
        "NifiCluster",
        "spec.clusterImage",
        "spec.initContainerImage",
        "spec.nodeConfigGroups.*.externalVolumeConfigs[].image.reference",
        "spec.nodeConfigGroups.*.image",
        "spec.nodes[].nodeConfig.externalVolumeConfigs[].image.reference",
        "spec.nodes[].nodeConfig.image",
    ),
    *Definition(
        "nifi.konpyutaika.com",
        "konpyutaika/nifikop config/crd/bases/nifi.konpyutaika.com_nificlusters.yaml",
    ).containers(
        "NifiCluster",
        "spec.initContainers[]",
        "spec.sidecarConfigs[]",
    ),
    *Definition(
        "nifi.konpyutaika.com",
        "konpyutaika/nifikop config/crd/bases",
    ).references(
        "NifiNodeGroupAutoscaler",
        "spec.nodeConfig.externalVolumeConfigs[].image.reference",
        "spec.nodeConfig.image",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/connect_v1beta1.json",
    ).references(
        "Connect",
        "spec.image.application",
        "spec.image.init",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/controlcenter_v1beta1.json",
    ).references(
        "ControlCenter",
        "spec.image.application",
        "spec.image.init",
        "spec.services.alertmanager.image",
        "spec.services.prometheus.image",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/flinkapplication_v1beta1.json",
    ).references(
        "FlinkApplication",
        "spec.image",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/kraftcontroller_v1beta1.json",
    ).references(
        "KRaftController",
        "spec.image.application",
        "spec.image.init",
        "spec.services.observer.image",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/kafka_v1beta1.json",
    ).references(
        "Kafka",
        "spec.image.application",
        "spec.image.init",
        "spec.services.observer.image",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/kafkarestproxy_v1beta1.json",
    ).references(
        "KafkaRestProxy",
        "spec.image.application",
        "spec.image.init",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/ksqldb_v1beta1.json",
    ).references(
        "KsqlDB",
        "spec.image.application",
        "spec.image.init",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/schemaregistry_v1beta1.json",
    ).references(
        "SchemaRegistry",
        "spec.image.application",
        "spec.image.init",
    ),
    *Definition(
        "platform.confluent.io",
        "datreeio/CRDs-catalog platform.confluent.io/zookeeper_v1beta1.json",
    ).references(
        "Zookeeper",
        "spec.image.application",
        "spec.image.init",
    ),
)
"""Rows of what hands data and messages on."""
