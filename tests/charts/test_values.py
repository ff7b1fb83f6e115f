"""Values: merging as Flux and Helm do, target paths, overlays, defaults of subcharts."""

from typing import Any

import pytest
from chart_cases import Case

from imageshift.charts.model import ChartError, ValuePath
from imageshift.charts.values import (
    ValuesFrom,
    leaves,
    lookup,
    merge_release,
    place,
    set_target_path,
)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.b", "x", {"a": {"b": "x"}}),
        ("a.b", "5", {"a": {"b": 5}}),
        ("a.b", "'5'", {"a": {"b": "5"}}),
        ("a.b", "true", {"a": {"b": True}}),
        ("a.b", "null", {"a": {"b": None}}),
        ("a.b", "007", {"a": {"b": "007"}}),
        ("a[1].b", "x", {"a": [None, {"b": "x"}]}),
        (r"a.example\.com/b", "x", {"a": {"example.com/b": "x"}}),
    ],
    ids=["string", "number", "quoted", "word", "null", "zeros", "list", "escaped dot"],
)
def test_target_path(path: str, text: str, expected: dict[str, Any]) -> None:
    """A text lands at its target path with the type that --set gives it."""
    assert set_target_path({}, path, text) == expected


@pytest.mark.parametrize("path", ["", "a[", "a[x]"])
def test_target_path_that_can_not_be_read(path: str) -> None:
    """A path that can't be read is an error."""
    with pytest.raises(ChartError, match="targetPath"):
        set_target_path({}, path, "x")


def test_release_values_in_flux_order() -> None:
    """ValuesFrom in order, then spec.values; maps merge, lists are replaced, null stays."""
    parts = [
        ValuesFrom(values={"a": {"x": 1, "y": 2}, "l": [1, 2]}),
        ValuesFrom(target_path="a.z", text="three"),
        ValuesFrom(values={"a": {"y": 3}}),
    ]

    merged = merge_release(parts, {"l": [9], "a": {"x": None}})

    assert merged == {"a": {"x": None, "y": 3, "z": "three"}, "l": [9]}


def test_defaults_of_subcharts_stand_under_their_aliases() -> None:
    """The parent's values go over those of a subchart, once for each alias."""
    defaults = Case("umbrella").chart().defaults

    assert defaults["db"]["image"] == {"repository": "ghcr.io/org/store", "tag": "2"}
    assert defaults["cache"]["image"]["tag"] == "1"
    assert defaults["gated"]["image"]["registry"] == "docker.io"


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ({}, ("a", "b"), {"a": {"b": 7}}),
        ({"l": [{"x": 1, "y": 2}, 3]}, ("l", 0, "x"), {"l": [{"x": 7, "y": 2}, 3]}),
        ({"a": "text"}, ("a", "b"), {"a": {"b": 7}}),
    ],
    ids=["new", "list copied whole", "scalar replaced"],
)
def test_overlays(base: dict[str, Any], path: ValuePath, expected: dict[str, Any]) -> None:
    """An overlay holds the change alone, and whole lists."""
    assert place(base, {path: 7}) == expected


def test_walking_and_looking_up_agree() -> None:
    """Every leaf is what looking up its path gives."""
    values = {"a": {"b": [1, {"c": "x"}], "d": None}, "e": ""}

    assert {path: lookup(values, path) for path, _ in leaves(values)} == dict(leaves(values))
    assert lookup(values, ("a", "b", 9)) is None
    assert lookup(values, ("e", "f")) is None
