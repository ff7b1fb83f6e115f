"""Where custom resources keep images: the built-in table behind `images:` in the config.

Every row names the public file of its project that proves it, as `owner/repository path`. A path
of several kinds may name the folder of their files. Read on 2026-11-23 from snapshots of August
2026. Left out on purpose:

- what an operator makes itself (package revisions, replicas, pods of a runner set);
- places to push to (`KafkaConnect.spec.build.output.image`, Shipwright's `output.image`);
- prefixes whose images aren't all known to lie below them, and names below such a prefix
  (kubeadm's `imageRepository`, which puts CoreDNS elsewhere, Tigera's `registry`, KubeVirt's
  `imageRegistry`, Datadog's `global.registry`): one prefix can't stand for several upstreams
  (fact H4);
- names with another scheme (Kubewarden's `registry://…`, KubeVirt's `docker://…`).
"""

from imageshift.data.crds import (
    carriers,
    clusters,
    databases,
    kubeblocks,
    messaging,
    observability,
    percona_pingcap,
    pipelines,
    platform,
    stores,
    streams,
    tools,
    watchers,
    workloads,
)
from imageshift.data.image_field import FieldShape, ImageField

__all__ = ["CUSTOM_RESOURCES", "FieldShape", "ImageField"]

CUSTOM_RESOURCES: tuple[ImageField, ...] = tuple(
    sorted(
        (
            *carriers.ROWS,
            *clusters.ROWS,
            *databases.ROWS,
            *kubeblocks.ROWS,
            *messaging.ROWS,
            *observability.ROWS,
            *percona_pingcap.ROWS,
            *pipelines.ROWS,
            *platform.ROWS,
            *stores.ROWS,
            *streams.ROWS,
            *tools.ROWS,
            *watchers.ROWS,
            *workloads.ROWS,
        ),
        key=lambda row: (row.group, row.kind, row.path),
    )
)
"""All rows, by group, kind and path."""
