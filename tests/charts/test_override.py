"""Every convention and every fallback, from a chart and a release's values to the overrides."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from chart_cases import CASES, HOST, Case, case_names, describe
from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles, load_chart
from imageshift.charts.model import ChartSource, Release, RenderError, SourceKind, Way
from imageshift.charts.post_renderers.existing import EntryEdit
from imageshift.charts.releases.edits import apply_edits
from imageshift.charts.rendering.manifests import find_images, split_manifest
from imageshift.charts.rendering.markers import decoded
from imageshift.charts.rendering.render import Manifests, Renderer
from imageshift.charts.solving.override import Mapper, Override, Overrider, override

RANDOM = "random"


@pytest.mark.parametrize("name", case_names())
def test_overrides_in_process(name: str, mapper: Mapper, sdk: Renderer) -> None:
    """Helm's SDK finds the overrides that expected.json lists, and no other difference."""
    case = Case(name)

    result = override(case.chart(), case.release(), mapper, renderer=sdk)

    assert describe(result) == case.expected()


@pytest.mark.helm
@pytest.mark.parametrize("name", case_names())
def test_overrides_by_program(name: str, mapper: Mapper, binary: Renderer) -> None:
    """The helm program finds the same."""
    case = Case(name)

    result = override(case.chart(), case.release(), mapper, renderer=binary)

    assert describe(result) == case.expected()


def _images(manifests: Manifests) -> list[str]:
    return sorted(image.text for image in find_images(manifests, (), {}).images)


def _after(case: Case, result: Override, renderer: Renderer) -> Manifests:
    values = apply_edits(case.release().values, result.edits)
    return renderer.render(case.chart(), values, case.release().options)


@pytest.mark.parametrize("name", [name for name in case_names() if name != RANDOM])
def test_nothing_else_changes(name: str, mapper: Mapper, sdk: Renderer) -> None:
    """With each target put back to its image, the rendering after is the one before."""
    case = Case(name)
    before = sdk.render(case.chart(), case.release().values, case.release().options)

    result = override(case.chart(), case.release(), mapper, renderer=sdk)
    after = _after(case, result, sdk)

    back = {o.target: o.image.text for o in result.outcomes if o.way is Way.VALUES and o.target}
    for template, text in after.items():
        plain = _readable(text)
        for target, image in back.items():
            plain = plain.replace(target, image)
        assert _documents(plain) == _documents(_readable(before[template]))


def _readable(text: str) -> str:
    """Return a text with what Secrets have as base64 spelled out."""
    return re.sub(r"[A-Za-z0-9+/]{40,}={0,2}", lambda word: decoded(word[0]) or word[0], text)


def _documents(text: str) -> list[str]:
    found = split_manifest(re.sub(r"\b[0-9a-f]{64}\b", "HASH", text))
    return sorted(document.strip() for document in found)


@pytest.mark.kustomize
@pytest.mark.parametrize("name", [name for name in case_names() if name != RANDOM])
def test_real_kustomize_does_the_rest(
    name: str, mapper: Mapper, sdk: Renderer, tmp_path: Path
) -> None:
    """After kustomize applied entries and patches, no image field with a rule is left."""
    case = Case(name)
    result = override(case.chart(), case.release(), mapper, renderer=sdk)

    built = _kustomize(_after(case, result, sdk), result, tmp_path)

    left = {text for text in _images({"built.yaml": built}) if mapper(text) is not None}
    assert left == set()


def _kustomize(manifests: Manifests, result: Override, folder: Path) -> str:
    documents = [part for text in manifests.values() for part in split_manifest(text)]
    (folder / "all.yaml").write_text("\n---\n".join(documents))
    lines = ["resources: [all.yaml]", "images:"] if result.entries else ["resources: [all.yaml]"]
    lines += [f"- {{name: '{e.name}', newName: '{e.new_name}'}}" for e in result.entries]
    lines += ["patches:"] if result.patches else []
    for patch in result.patches:
        change = f'[{{"op": "replace", "path": "{patch.pointer}", "value": "{patch.value}"}}]'
        target = f"{{kind: {patch.target.kind}, name: {patch.target.name}}}"
        lines.append(f"- {{target: {target}, patch: '{change}'}}")
    (folder / "kustomization.yaml").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_gate_opens_on_request(mapper: Mapper, sdk: Renderer) -> None:
    """With allow_insecure_images the gate's value is set beside the image's."""
    case = Case("gate")

    overrider = Overrider(sdk, allow_insecure_images=True)
    result = overrider.override(case.chart(), case.release(), mapper)

    assert [edit.path for edit in result.edits] == [
        ("global", "security", "allowInsecureImages"),
        ("image", "registry"),
    ]
    assert result.entries == ()


def test_origins_are_told(mapper: Mapper, sdk: Renderer) -> None:
    """An image says its object, its field, and which leaf makes which part of its text."""
    case = Case("registry-repository")

    result = override(case.chart(), case.release(), mapper, renderer=sdk)

    image = result.outcomes[0].image
    assert str(image.object) == "Deployment/rel-web"
    assert image.text == "docker.io/grafana/grafana:1"
    assert [(s.start, s.end, s.leaf) for s in image.segments] == [
        (0, 9, ("image", "registry")),
        (10, 25, ("image", "repository")),
    ]
    assert [edit.written for edit in result.edits] == [False]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ('a: {{ fail "no luck" }}', "no luck"),
        ("a: {{ .Values.a.b.c }}", "nil pointer"),
        ("a: {{ end }}", "unexpected"),
    ],
    ids=["fail", "missing value", "syntax"],
)
def test_a_release_that_does_not_render(
    template: str, message: str, mapper: Mapper, sdk: Renderer
) -> None:
    """Helm's own message comes out as a RenderError."""
    chart = ChartFiles(
        {
            "Chart.yaml": b"apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "templates/a.yaml": template.encode(),
        },
        "c",
    )

    with pytest.raises(RenderError, match=message):
        override(chart, _release(), mapper, renderer=sdk)


def test_schema_refuses_the_release(mapper: Mapper, sdk: Renderer) -> None:
    """A release that its chart's schema refuses is an error, not a silent pass."""
    case = Case("required")
    release = _release(values={"clusterName": 5})

    with pytest.raises(RenderError, match="clusterName"):
        override(case.chart(), release, mapper, renderer=sdk)


def test_values_files_take_the_place_of_values_yaml(mapper: Mapper, sdk: Renderer) -> None:
    """spec.chart.spec.valuesFiles replace values.yaml, as in Flux."""
    files = dict(load_chart(CASES / "whole" / "chart").files)
    files["values-prod.yaml"] = b"image: ghcr.io/org/prod:2\n"
    release = _release(values_files=("values-prod.yaml",))

    result = override(ChartFiles(files, "c"), release, mapper, renderer=sdk)

    assert [outcome.image.text for outcome in result.outcomes] == ["ghcr.io/org/prod:2"]


def _release(**given: Any) -> Release:
    source = ChartSource(kind=SourceKind.LOCAL, name="c")
    return Release(**{"name": "rel", "namespace": "apps", "source": source, **given})


def _with_entry(entry: dict[str, str], mapper: Mapper, renderer: Renderer) -> Override:
    chart = ChartFiles(
        {
            "Chart.yaml": b"apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "values.yaml": b"image: nginx:1\n",
            "templates/a.yaml": (
                b"kind: Pod\nmetadata: {name: p}\nspec:\n"
                b'  containers: [{name: c, image: "{{ .Values.image }}"}]\n'
            ),
        },
        "c",
    )
    release = _release(post_renderers=({"kustomize": {"images": [entry]}},))
    return override(chart, release, mapper, renderer=renderer)


@pytest.mark.parametrize(
    ("entry", "name", "target"),
    [
        (
            {"name": "nginx", "newTag": "2"},
            f"{HOST}/docker-hub/library/nginx",
            f"{HOST}/docker-hub/library/nginx:2",
        ),
        (
            {"name": "nginx", "newName": "quay.io/org/nginx"},
            f"{HOST}/quay/org/nginx",
            f"{HOST}/quay/org/nginx:1",
        ),
        (
            {"name": "(?i)NGINX", "newName": "quay.io/org/nginx"},
            f"{HOST}/quay/org/nginx",
            f"{HOST}/quay/org/nginx:1",
        ),
    ],
    ids=["tag alone", "new name", "pattern"],
)
def test_an_existing_entry_is_changed(
    entry: dict[str, str], name: str, target: str, mapper: Mapper, sdk: Renderer
) -> None:
    """An entry that matches keeps its text in the chart, and gets the target's name (K3, K4)."""
    result = _with_entry(entry, mapper, sdk)

    path = (0, "kustomize", "images", 0, "newName")
    assert result.entry_edits == (EntryEdit(path, name, entry.get("newName")),)
    assert result.edits == ()
    assert (result.outcomes[0].target, result.outcomes[0].way) == (target, Way.POST_RENDERER)


@pytest.mark.parametrize(
    ("entry", "way"),
    [
        ({"name": "redis", "newTag": "2"}, Way.VALUES),
        ({"name": "nginx", "newName": "example.com/nginx"}, Way.UNCHANGED),
        ({"name": "nginx(", "newName": "quay.io/nginx"}, Way.LEFT),
    ],
    ids=["of another image", "to a name without a rule", "no pattern"],
)
def test_other_existing_entries(
    entry: dict[str, str], way: Way, mapper: Mapper, sdk: Renderer
) -> None:
    """What an entry doesn't match, moves away or can't be read is dealt with accordingly."""
    result = _with_entry(entry, mapper, sdk)

    assert [outcome.way for outcome in result.outcomes] == [way]
    assert result.entry_edits == ()


@pytest.mark.parametrize("name", case_names())
def test_a_second_run_finds_nothing(name: str, mapper: Mapper, sdk: Renderer) -> None:
    """With the edits and entries in the release, neither is found again."""
    case = Case(name)
    first = override(case.chart(), case.release(), mapper, renderer=sdk)
    entries = [{"name": entry.name, "newName": entry.new_name} for entry in first.entries]
    release = replace(
        case.release(),
        values=apply_edits(case.release().values, first.edits),
        post_renderers=({"kustomize": {"images": entries}},),
    )

    second = override(case.chart(), release, mapper, renderer=sdk)

    assert (second.edits, second.entries, second.entry_edits) == ((), (), ())
    assert second.patches == first.patches
