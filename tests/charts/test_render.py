"""The two ways to render give the same, and fail alike."""

import re
from pathlib import Path

import pytest
from chart_cases import Case, case_names

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import (
    ChartUnavailableError,
    RenderError,
    RenderOptions,
    RenderTimeoutError,
)
from imageshift.charts.rendering.manifests import split_manifest
from imageshift.charts.rendering.render import (
    BinaryRenderer,
    Manifests,
    Renderer,
    SdkRenderer,
    find_renderer,
)
from imageshift.errors import ToolError

OPTIONS = RenderOptions(name="rel", namespace="apps")
META = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"


def _documents(manifests: Manifests) -> dict[str, list[str]]:
    found = {path: sorted(map(_plain, split_manifest(text))) for path, text in manifests.items()}
    return {path: documents for path, documents in found.items() if documents}


def _plain(text: str) -> str:
    return re.sub(r"(password|tls.crt): \S+", r"\1: RANDOM", text.strip())


@pytest.mark.helm
@pytest.mark.parametrize("name", case_names())
def test_sdk_and_program_agree(name: str, sdk: Renderer, binary: Renderer) -> None:
    """Both render the same documents from the same templates, hooks and tests included."""
    chart, values = Case(name).chart(), Case(name).release().values

    one, two = (item.render(chart, values, OPTIONS) for item in (sdk, binary))

    assert _documents(one) == _documents(two)


@pytest.mark.helm
@pytest.mark.parametrize("version", [None, "v1.29.3"])
def test_cluster_versions_agree(version: str | None, sdk: Renderer, binary: Renderer) -> None:
    """Templates see the same cluster version both ways, also one that is asked for."""
    template = b'v: {{ .Capabilities.KubeVersion }}\nx: {{ .Capabilities.APIVersions.Has "x/v1" }}'
    chart = ChartFiles({"Chart.yaml": META, "templates/a.yaml": template}, "c")
    options = RenderOptions(name="r", kube_version=version, api_versions=("x/v1",))

    one, two = (item.render(chart, {}, options) for item in (sdk, binary))

    assert _documents(one) == _documents(two)
    assert "x: true" in one["c/templates/a.yaml"]
    assert version is None or f"v: {version}" in one["c/templates/a.yaml"]


@pytest.mark.helm
@pytest.mark.parametrize(
    "options",
    [RenderOptions(name="Not_A_Name"), RenderOptions(name="r", kube_version="nonsense")],
    ids=["name", "cluster version"],
)
def test_options_that_helm_refuses(options: RenderOptions, sdk: Renderer, binary: Renderer) -> None:
    """What the program refuses the SDK refuses too."""
    for renderer in (sdk, binary):
        with pytest.raises(RenderError):
            renderer.render(Case("whole").chart(), {}, options)


def test_renderings_do_not_touch_each_other(sdk: Renderer) -> None:
    """A subchart that one rendering switches off is there again in the next."""
    chart = Case("umbrella").chart()
    part = "umbrella/charts/cache/templates/a.yaml"

    found = [
        part in sdk.render(chart, {"cache": {"enabled": on}}, OPTIONS) for on in (True, False, True)
    ]

    assert found == [True, False, True]


@pytest.mark.parametrize("values", [{"far": {"enabled": True}}, {"far": {"enabled": "yes"}}])
def test_an_enabled_dependency_that_is_missing(values: dict[str, object], sdk: Renderer) -> None:
    """Only a dependency that its condition switches off needn't be there."""
    with pytest.raises(ChartUnavailableError, match="is missing its dependencies: far"):
        sdk.render(Case("umbrella").chart(), values, OPTIONS)


def test_schemas_are_checked_on_request_only(sdk: Renderer) -> None:
    """Without `schemas` the values may be what the schema refuses."""
    chart, values = Case("required").chart(), {"clusterName": "x", "image": {"more": 1}}

    assert sdk.render(chart, values, OPTIONS)
    with pytest.raises(RenderError, match="more"):
        sdk.render(chart, values, OPTIONS, schemas=True)


SLOW = b"{{ range until 4000 }}{{ range until 4000 }}{{ end }}{{ end }}"


def test_time_limit_in_process(sdk: Renderer) -> None:
    """A rendering that takes too long is given up."""
    assert isinstance(sdk, SdkRenderer)
    chart = ChartFiles({"Chart.yaml": META, "templates/a.yaml": SLOW}, "c")

    with pytest.raises(RenderTimeoutError, match=r"longer than 0\.01 s"):
        SdkRenderer(timeout=0.01).render(chart, {}, OPTIONS)


@pytest.mark.helm
def test_time_limit_of_the_program() -> None:
    """A helm process that takes too long is ended."""
    chart = ChartFiles({"Chart.yaml": META, "templates/a.yaml": SLOW}, "c")

    with pytest.raises(RenderTimeoutError, match="longer than"):
        BinaryRenderer("helm", timeout=0.2).render(chart, {}, OPTIONS)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A helm that can't be found is said, with a hint."""
    renderer = find_renderer(program=str(tmp_path / "helm"))

    with pytest.raises(ToolError, match="no program") as caught:
        renderer.render(Case("whole").chart(), {}, OPTIONS)
    assert caught.value.hint == "install Helm 3 or 4"
