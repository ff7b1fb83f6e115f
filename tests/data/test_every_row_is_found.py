"""Each row of the custom-resource table, in the smallest file that needs it: nothing hides it."""

import json
from typing import Any

import pytest

from imageshift.data.custom_resources import CUSTOM_RESOURCES, FieldShape, ImageField
from imageshift.inventory.scan import scan_file
from imageshift.sites import FinderContext

REFERENCE = "quay.io/org/name:1"
CONTAINERS = {"containers": [{"name": "c", "image": REFERENCE}]}
BODIES: dict[FieldShape, Any] = {
    FieldShape.REFERENCE: REFERENCE,
    FieldShape.NAME_WITHOUT_TAG: REFERENCE,
    FieldShape.POD_SPEC: CONTAINERS,
    FieldShape.POD_TEMPLATE: {"spec": CONTAINERS},
    FieldShape.CONTAINER: {"image": REFERENCE},
    FieldShape.TEKTON: {"steps": [{"image": REFERENCE}]},
    FieldShape.OBJECT: {"apiVersion": "v1", "kind": "Pod", "spec": CONTAINERS},
    FieldShape.VALUES: {"image": REFERENCE},
    FieldShape.IMAGE_MAP: {"repository": "quay.io/org/name", "tag": "1"},
    FieldShape.REPOSITORY_IMAGE_VERSION: {
        "repository": "quay.io/org",
        "image": "name",
        "version": "1",
    },
    FieldShape.REGISTRY_REPOSITORY_NAME: {"registry": REFERENCE},
    FieldShape.PREFIX: "quay.io/org",
    FieldShape.OPENSHIFT_SOURCE: {"kind": "DockerImage", "name": REFERENCE},
}


def minimal(row: ImageField) -> bytes:
    """Return an object with nothing but a row's field."""
    value: Any = BODIES[row.shape]
    for step in reversed(row.path.replace("[]", ".[]").split(".")):
        value = [value] if step == "[]" else {"any" if step == "*" else step: value}
    head = f"apiVersion: {row.group}/v1\nkind: {row.kind}\nmetadata: {{name: a}}\n"
    return (head + "".join(f"{key}: {json.dumps(one)}\n" for key, one in value.items())).encode()


@pytest.mark.parametrize("row", CUSTOM_RESOURCES, ids=lambda row: f"{row.kind}:{row.path}")
def test_row_is_found(row: ImageField) -> None:
    """The field's image is found, and is sure unless the row says that it is only listed."""
    value = minimal(row)

    sites = scan_file("a.yaml", value, FinderContext()).sites

    images = [f"quay.io/org/{image}" for image in row.images]
    assert [site.text for site in sites] == (images or [REFERENCE])
    listed = row.shape is FieldShape.REGISTRY_REPOSITORY_NAME or bool(row.needs)
    assert (sites[0].confidence == "doubtful") is (listed or not row.certain)
