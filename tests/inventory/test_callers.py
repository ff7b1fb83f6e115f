"""Files that look like Helm values and that only another tool names: the report says which."""

import json
from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree

VALUES = 'image:\n  repository: quay.io/org/app\n  tag: "1"\n'
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  source:
    repoURL: https://git.example.com/x
    path: .
    plugin:
      env: [{name: HELM_ARGS, value: "-f deploy/a.yaml"}]
"""
CALLERS = {
    "make": ("Makefile", "up:\n\thelm upgrade x ./chart -f deploy/a.yaml\n", 2),
    "terraform": ("deploy/main.tf", 'values = [file("${path.module}/a.yaml")]\n', 1),
    "workflow": (".github/workflows/x.yml", "run: helm upgrade a b --values=./deploy/a.yaml\n", 1),
    "script": ("deploy/up.sh", "helm secrets upgrade a b -f $DIR/a.yaml\n", 1),
    "skaffold": (
        "skaffold.yaml",
        "apiVersion: skaffold/v4\nkind: Config\ndeploy: {valuesFiles: [deploy/a.yaml]}\n",
        3,
    ),
    "task": ("Taskfile.yml", "version: '3'\ntasks: {a: {cmds: [helm -f deploy/a.yaml]}}\n", 2),
    "plugin": ("app.yaml", APPLICATION, 9),
}
NOBODY = {
    "nobody": ("Makefile", "up:\n\techo\n"),
    "another file": ("Makefile", "up:\n\thelm upgrade x y -f other/a.yaml\n"),
    "an address": ("Makefile", "up:\n\tcurl https://example.com/deploy/a.yaml\n"),
    "documentation": ("README.md", "helm upgrade x y -f deploy/a.yaml\n"),
}


def _details(folder: Path) -> list[str]:
    done = run(folder, "scan", ".", "--charts", "off", *REGISTRY, "--format", "json")
    return [image["detail"] for image in json.loads(done.stdout)["images"]]


@pytest.mark.parametrize(("file", "text", "line"), CALLERS.values(), ids=CALLERS)
def test_who_names_a_file(file: str, text: str, line: int, tmp_path: Path) -> None:
    """The row of its image says where."""
    write_tree(tmp_path, {"deploy/a.yaml": VALUES, file: text})

    says = f"{file}:{line} names this file, and no object does"
    assert _details(tmp_path) == [f"{says}; `values: ['deploy/a.yaml']` would claim it"]


@pytest.mark.parametrize(("file", "text"), NOBODY.values(), ids=NOBODY)
def test_what_names_no_file(file: str, text: str, tmp_path: Path) -> None:
    """Other paths, addresses and documentation don't count."""
    write_tree(tmp_path, {"deploy/a.yaml": VALUES, file: text})

    assert _details(tmp_path) == [
        "no object names this file as values; `values: ['deploy/a.yaml']` would claim it"
    ]
