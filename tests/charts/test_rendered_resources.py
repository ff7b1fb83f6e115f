"""Images of custom resources in what a chart renders: those of the table's fields are found."""

import pytest

from imageshift.charts.model import Field
from imageshift.charts.rendering.manifests import find_images

OBJECT = "apiVersion: {}/v1\nkind: {}\nmetadata: {{name: a}}\nspec: {}\n"
CASES = {
    "a reference": (
        "monitoring.coreos.com",
        "Prometheus",
        "{image: quay.io/a/b:1}",
        ["quay.io/a/b:1"],
    ),
    "in lists and mappings": (
        "temporal.io",
        "TemporalCluster",
        "{image: a/b, ui: {image: a/ui}, admintools: {image: 'a/tools:1'}}",
        ["a/b", "a/ui", "a/tools:1"],
    ),
    "each value": (
        "tempo.grafana.com",
        "TempoStack",
        "{images: {tempo: 'a/tempo:1'}}",
        ["a/tempo:1"],
    ),
    "each item": (
        "coroot.com",
        "Coroot",
        "{clickhouse: {image: {name: 'a/clickhouse:1'}, keeper: {image: {name: 'a/k:1'}}}}",
        ["a/clickhouse:1", "a/k:1"],
    ),
    "another group": ("example.com", "Prometheus", "{image: quay.io/a/b:1}", []),
    "only listed": ("pkg.crossplane.io", "Provider", "{package: quay.io/a/b:1}", []),
}


@pytest.mark.parametrize(("group", "kind", "spec", "images"), CASES.values(), ids=CASES)
def test_fields_of_the_table(group: str, kind: str, spec: str, images: list[str]) -> None:
    """A template's own text at a path of the table is an image, in its group alone."""
    found = find_images({"a.yaml": OBJECT.format(group, kind, spec)}, (), {}).images

    assert [image.text for image in found if image.field is Field.CUSTOM] == images
