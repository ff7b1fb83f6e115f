"""Images in texts that are templates, with and without tags: found, and moved where it is sure."""

import json
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree
from imageshift.source import SourceText, template_documents, to_plain

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: injector}
data:
  config: |
    {{- if .Values.on }}
    containers:
    {{- range .Items }}
    - name: a
      image: nginx
    - name: b
      image: org/name
    - name: c
      image: "{{ .Values.registry }}/foo"
    - name: d
      image: nginx
        {{- .Values.suffix }}
    {{- end }}
    {{- end }}
  nested: |
    templates:
      sidecar: |
        spec:
          initContainers:
          {{ if ne .x "no" }}
          - name: init
            image: org/proxy
          {{ end }}
  broken: |
    {{- if .x }}
    a: [
    {{- end }}
    image: org/broken
    image: picture.png
  plain: |
    image: not-a-template
"""
RESOURCE_SET = """\
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: apps}
spec:
  inputs: [{tenant: a, image: org/input}]
  resourcesTemplate: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: << inputs.tenant >>}
    spec:
      template:
        spec:
          containers:
          <<- if inputs.tenant >>
          - name: a
            image: nginx
          <<- end >>
          - name: b
            image: << inputs.image >>
          - name: c
            image: org/app
"""
APPLICATION_SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: apps}
spec:
  generators: [{list: {elements: [{stage: one}]}}]
  template:
    metadata: {name: web}
    spec:
      source:
        repoURL: https://git.example.com/lumen/x
        chart: nats
        helm:
          values: |
            {{- if .x }}
            sidecar: {image: nginx}
            {{- end }}
  templatePatch: |
    {{- if .x }}
    spec: {source: {helm: {valuesObject: {image: org/app}}}}
    {{- end }}
"""
TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
spec:
  containers:
  - name: a
    image: nginx
  - name: b
    image: {{ .Values.image }}
"""
TREES: dict[str, tuple[dict[str, str], list[str]]] = {
    "a ConfigMap": (
        {"a.yaml": CONFIG_MAP},
        [
            "10 rewrite nginx",
            "12 rewrite org/name",
            "14 skipped {{ .Values.registry }}/foo",
            "16 skipped nginx {{- .Values.suffix }}",
            "27 rewrite org/proxy",
            "33 skipped org/broken",
        ],
    ),
    "a ResourceSet": (
        {"a.yaml": RESOURCE_SET},
        ["5 rewrite org/input", "16 rewrite nginx", "21 rewrite org/app"],
    ),
    "an ApplicationSet": (
        {"a.yaml": APPLICATION_SET},
        ["15 doubtful nginx", "19 doubtful org/app"],
    ),
    "a chart's template": (
        {
            "Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
            "templates/a.yaml": TEMPLATE,
        },
        ["8 skipped nginx"],
    ),
    "a manifest": ({"a.yaml": TEMPLATE}, ["8 skipped nginx"]),
}


@pytest.mark.parametrize(("tree", "expected"), TREES.values(), ids=TREES)
def test_every_image_is_listed(tree: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """Each has its line and status, tag or not."""
    write_tree(tmp_path, {**tree})

    done = run(tmp_path, "scan", ".", "--charts", "off", *REGISTRY, "--format", "json")

    images = json.loads(done.stdout)["images"]
    assert [f"{each['line']} {each['status']} {each['original']}" for each in images] == expected


def test_only_the_names_change(tmp_path: Path) -> None:
    """A text that is a template keeps every other character, and is equal by `verify`."""
    write_tree(tmp_path / "before", {"a.yaml": CONFIG_MAP, "b.yaml": RESOURCE_SET})
    write_tree(tmp_path / "after", {"a.yaml": CONFIG_MAP, "b.yaml": RESOURCE_SET})

    run(tmp_path / "after", "migrate", ".", "--charts", "off", *REGISTRY)

    moved = CONFIG_MAP.replace(
        "nginx\n    - name: b", f"{HOST}/docker-hub/library/nginx\n    - name: b"
    )
    for name in ("org/name", "org/proxy"):
        moved = moved.replace(name, f"{HOST}/docker-hub/{name}")
    assert read_tree(tmp_path / "after")["a.yaml"] == moved.encode()
    done = run(tmp_path / "after", "verify", "--base", str(tmp_path / "before"), *REGISTRY)
    assert done.code == 0, done.stdout + done.stderr


TEXTS: dict[str, tuple[str, list[dict[str, object]]]] = {
    "control lines": (
        "{{ if .x }}\na: 1\n{{- else }}\nb: {{ .y }}\n{{ end }}\n",
        [{"a": 1, "b": "{{ .y }}"}],
    ),
    "whole lines": ("a:\n  {{- toYaml .x | nindent 2 }}\nb: 2\n", [{"a": None, "b": 2}]),
    "several lines": ('{{ $x := dict\n  "a" 1 }}\na: 1\n', [{"a": 1}]),
    "a value that goes on": ("a: x\n  {{- .y }}\n", [{"a": "x {{- .y }}"}]),
    "quotes in quotes": ('a: "{{ get "b" . }}/c"\n', [{"a": '{{ get "b" . }}/c'}]),
    "documents": ("a: {{ .x }}\n---\nb: <<.y>>\n", [{"a": "{{ .x }}"}, {"b": "<<.y>>"}]),
    "a key": ("{{ .x }}: a\n", [{"{{ .x }}": "a"}]),
    "no YAML": ("a: [\n{{ .x }}\n", []),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_templates_as_yaml(text: str, expected: list[dict[str, object]]) -> None:
    """Without its control lines a template is YAML, in which other actions are texts."""
    found = template_documents(SourceText(text))

    assert [to_plain(document.root) for document in found] == expected
