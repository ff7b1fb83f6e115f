"""The custom-resource table: rows that can't be right are caught by their shape."""

import ast
import re
from pathlib import Path

import pytest

from imageshift.data import custom_resources
from imageshift.data.custom_resources import CUSTOM_RESOURCES, FieldShape, ImageField

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_GROUP = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\[\])*|\*")
_SOURCE = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+ [A-Za-z0-9._/-]+[A-Za-z0-9]")

_EXPECTED = (
    ("Prometheus", "monitoring.coreos.com", "spec.thanos.image", FieldShape.REFERENCE),
    ("Cluster", "postgresql.cnpg.io", "spec.imageName", FieldShape.REFERENCE),
    ("CephCluster", "ceph.rook.io", "spec.cephVersion.image", FieldShape.REFERENCE),
    ("AutoscalingRunnerSet", "actions.github.com", "spec.template", FieldShape.POD_TEMPLATE),
    ("PyTorchJob", "kubeflow.org", "spec.pytorchReplicaSpecs.*.template", FieldShape.POD_TEMPLATE),
    ("Task", "tekton.dev", "spec", FieldShape.TEKTON),
    ("VMAgent", "operator.victoriametrics.com", "spec.image", FieldShape.IMAGE_MAP),
    ("Plan", "upgrade.cattle.io", "spec.upgrade.image", FieldShape.NAME_WITHOUT_TAG),
    ("ClusterPolicy", "nvidia.com", "spec.dcgm", FieldShape.REPOSITORY_IMAGE_VERSION),
)


@pytest.mark.parametrize("row", CUSTOM_RESOURCES, ids=lambda row: f"{row.kind}:{row.path}")
def test_row_is_well_formed(row: ImageField) -> None:
    """Kind, group, path and source of a row have the form that they must have."""
    assert _KIND.fullmatch(row.kind)
    assert _GROUP.fullmatch(row.group)
    assert all(_STEP.fullmatch(step) for step in row.path.split("."))
    assert _SOURCE.fullmatch(row.source)
    assert ".." not in row.source


def test_no_field_is_listed_twice() -> None:
    """A kind, group and path stand in one row only: a second one could say another shape."""
    keys = [(row.group, row.kind, row.path) for row in CUSTOM_RESOURCES]
    assert keys == sorted(set(keys))


def test_no_field_lies_inside_another() -> None:
    """No row's path goes through what another row already covers, so no image is found twice."""
    whole = {FieldShape.POD_TEMPLATE, FieldShape.POD_SPEC, FieldShape.CONTAINER}
    covers = {(row.group, row.kind, row.path) for row in CUSTOM_RESOURCES if row.shape in whole}
    inside = [
        (row.kind, row.path)
        for row in CUSTOM_RESOURCES
        for group, kind, path in covers
        if (row.group, row.kind) == (group, kind) and row.path.startswith(f"{path}.")
    ]
    assert inside == []


def test_version_goes_with_a_name_without_tag() -> None:
    """Only a name without tag or a prefix has a version field, beside or above the name."""
    for row in CUSTOM_RESOURCES:
        assert not row.version or row.shape in {FieldShape.NAME_WITHOUT_TAG, FieldShape.PREFIX}
        parent = row.version.rpartition(".")[0]
        assert row.path.startswith(parent)


def test_an_uncertain_row_says_why() -> None:
    """A row that must only be listed has a note for the person who reads the list."""
    assert all(row.certain or row.note for row in CUSTOM_RESOURCES)
    assert not all(row.certain for row in CUSTOM_RESOURCES)


@pytest.mark.parametrize(("kind", "group", "path", "shape"), _EXPECTED)
def test_well_known_field_is_there(kind: str, group: str, path: str, shape: FieldShape) -> None:
    """The fields that issue and facts name are in the table with the right shape."""
    found = [r.shape for r in CUSTOM_RESOURCES if (r.kind, r.group, r.path) == (kind, group, path)]
    assert found == [shape]


def test_tables_import_no_parser() -> None:
    """The modules of the tables import what values are made of, and nothing that reads files."""
    folder = Path(custom_resources.__file__).parent
    trees = [ast.parse(path.read_text("utf-8")) for path in folder.rglob("*.py")]
    names = {
        name.split(".")[0]
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
    }
    assert names <= {"imageshift", "collections", "enum", "msgspec", "re", "types"}
