"""CloudFormation's functions in the fields of a rule: those that a template resolves by itself."""

from typing import Any

import pytest

from imageshift.aws.cloudformation import read_cloudformation
from imageshift.aws.documents import read_documents
from imageshift.cache import Rule

HEAD: dict[str, Any] = {
    "Parameters": {"Name": {"Default": "mirror"}, "Bare": {"Type": "String"}},
    "Mappings": {"Names": {"eu": {"quay": "quay-eu"}}},
}


def read(prefix: Any) -> list[str]:
    """Return the prefixes and problems of a template whose rule has such a prefix."""
    properties = {"EcrRepositoryPrefix": prefix, "UpstreamRegistryUrl": "quay.io"}
    resource = {"Type": "AWS::ECR::PullThroughCacheRule", "Properties": properties}
    found = read_cloudformation({**HEAD, "Resources": {"R": resource}}, "t.yaml")
    return [*(one.rule.prefix for one in found.rules), *(one.message for one in found.problems)]


@pytest.mark.parametrize(
    ("value", "prefix"),
    [
        pytest.param("quay", "quay", id="text"),
        pytest.param({"Ref": "Name"}, "mirror", id="parameter"),
        pytest.param({"Fn::Sub": "${Name}-q"}, "mirror-q", id="sub"),
        pytest.param({"Fn::Sub": ["${a}-q", {"a": {"Ref": "Name"}}]}, "mirror-q", id="variables"),
        pytest.param({"Fn::Join": ["/", ["a1", {"Ref": "Name"}]]}, "a1/mirror", id="join"),
        pytest.param({"Fn::FindInMap": ["Names", "eu", "quay"]}, "quay-eu", id="map"),
    ],
)
def test_resolved(value: Any, prefix: str) -> None:
    """What the template tells is used."""
    assert read(value) == [prefix]


@pytest.mark.parametrize(
    ("value", "blamed"),
    [
        pytest.param({"Ref": "Bare"}, "Bare", id="parameter without a default"),
        pytest.param({"Ref": ["x"]}, "['x']", id="odd reference"),
        pytest.param({"Fn::Sub": "${AWS::Region}"}, "AWS::Region", id="pseudo parameter"),
        pytest.param({"Fn::Sub": [1]}, "Fn::Sub", id="odd sub"),
        pytest.param({"Fn::Join": "x"}, "Fn::Join", id="odd join"),
        pytest.param({"Fn::FindInMap": ["Names", "us", "quay"]}, "Fn::FindInMap", id="no such row"),
        pytest.param({"Fn::ImportValue": "x"}, "Fn::ImportValue", id="import"),
        pytest.param(["x"], "a value that isn't text", id="list"),
    ],
)
def test_unresolved(value: Any, blamed: str) -> None:
    """What only a deployment tells is a problem that names it."""
    assert read(value) == [f"the rule R can't be read from the template: it depends on {blamed}"]


def test_upstream_by_its_kind() -> None:
    """A rule that gives only the kind of its upstream means that kind's own registry."""
    properties = {"EcrRepositoryPrefix": "hub", "UpstreamRegistry": "docker-hub"}
    resource = {"Type": "AWS::ECR::PullThroughCacheRule", "Properties": properties}

    found = read_cloudformation({"Resources": {"R": resource}}, "t.yaml")

    assert [one.rule for one in found.rules] == [Rule("docker.io", "hub")]


def test_texts_of_every_style() -> None:
    """Folded, literal, quoted and tagged texts are read as YAML means them, numbers as text."""
    text = (
        "a: >-\n  b\n  c\nd: |\n  e\nf: 'g'\nh: !Sub >-\n  i\n  j\nk: 012\nl: ~\nm: &x n\no: *x\n"
    )

    [data] = read_documents(text, is_json=False)

    assert data == {
        "a": "b c",
        "d": "e\n",
        "f": "g",
        "h": {"Fn::Sub": "i j"},
        "k": "012",
        "l": None,
        "m": "n",
        "o": "n",
    }
