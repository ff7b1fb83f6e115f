"""Nothing that verify and migrate print tells the value of a Secret; all tell that it differs."""

import base64
import json
from pathlib import Path

import pytest
from verify_cases import run

from command_line import Outcome, write_tree

pytestmark = [pytest.mark.kustomize, pytest.mark.helm]

OLD, NEW = "hunter-old-2x", "hunter-new-3y"
CHART = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    "charts/app/templates/all.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\n"
        "data: {word: {{ .Values.word | quote }}, url: 'db://u:{{ .Values.word }}@h'}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: made}\n"
        "data: {word: {{ .Values.word | b64enc }}}\n"
    ),
    "release.yaml": (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        "metadata: {name: app, namespace: web}\nspec:\n"
        "  chart:\n    spec:\n      chart: charts/app\n"
        "      sourceRef: {kind: GitRepository, name: flux-system}\n"
        "  valuesFrom: [{kind: Secret, name: v}]\n"
    ),
}  # fmt: skip
HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: v, namespace: web}\n"
FLUX = (
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
    "metadata: {name: app, namespace: web}\nspec:\n  path: ./app\n"
    "  sourceRef: {kind: GitRepository, name: flux-system}\n"
    "  postBuild: {substituteFrom: [{kind: Secret, name: v}]}\n"
)


def encoded(word: str) -> str:
    """Return a word as a Secret's data has it."""
    return base64.b64encode(word.encode()).decode()


def _trees(word: str) -> dict[str, dict[str, str]]:
    values = encoded(f"word: {word}\n")
    return {
        "data": {"a.yaml": f"{HEAD}data: {{k: {encoded(word)}}}\n"},
        "string data": {"a.yaml": f"{HEAD}stringData: {{k: {word}}}\n"},
        "of lines": {"a.yaml": f"{HEAD}stringData:\n  k: |\n    a: b\n    c: {word}\n"},
        "list": {"a.yaml": f"kind: List\napiVersion: v1\nitems: [{json.dumps(_secret(word))}]\n"},
        "secret list": {
            "a.yaml": f"kind: SecretList\napiVersion: v1\nitems: [{json.dumps(_secret(word))}]\n"
        },
        "in a template's objects": {
            "a.yaml": "kind: Template\napiVersion: template.openshift.io/v1\nmetadata: {name: t}\n"
            f"objects: [{json.dumps(_secret(word))}]\n"
        },
        "in a text": {
            "a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n"
            f"  s.yaml: |\n    kind: Secret\n    stringData: {{k: {word}}}\n"
        },
        "no YAML": {"a.yaml": f"{HEAD}stringData: {{k: {word}}}\n  x: ] [\n"},
        "last applied": {
            "a.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: v\n  annotations:\n"
            "    kubectl.kubernetes.io/last-applied-configuration: "
            f"'{json.dumps(_secret(word))}'\n"
        },
        "generated": {
            "app/kustomization.yaml": f"secretGenerator: [{{name: g, literals: [k={word}]}}]\n"
        },
        "a component's": {
            "app/kustomization.yaml": "kind: Component\n"
            "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
            f"secretGenerator: [{{name: g, literals: [k={word}]}}]\n"
        },
        "a generator's": {
            "a.yaml": "kind: SecretGenerator\napiVersion: builtin\nmetadata: {name: g}\n"
            f"literals: [k={word}]\n"
        },
        "values of a release": {**CHART, "v.yaml": f"{HEAD}data: {{values.yaml: {values}}}\n"},
        "values at a path": {
            **CHART,
            "release.yaml": CHART["release.yaml"].replace(
                "name: v}", "name: v, valuesKey: w, targetPath: word}"
            ),
            "v.yaml": f"{HEAD}stringData: {{w: {word}}}\n",
        },
        "variables of a build": {
            "flux.yaml": FLUX,
            "v.yaml": f"{HEAD}stringData: {{WORD: {word}}}\n",
            "app/kustomization.yaml": "resources: [m.yaml]\n",
            "app/m.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: m}\n"
            "data: {w: 'x=${WORD}'}\n",
        },
        "in a release's Secret": {
            **CHART,
            "release.yaml": CHART["release.yaml"].replace("valuesFrom:", "more:"),
            "charts/app/templates/all.yaml": "apiVersion: v1\nkind: Secret\n"
            f"metadata: {{name: made}}\nstringData: {{word: {word}}}\n",
        },
    }  # fmt: skip


def _secret(word: str) -> dict[str, object]:
    name = {"name": "s", "namespace": "web"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": name, "data": {"k": encoded(word)}}


def shown(done: Outcome) -> list[str]:
    """Return which words, as they are or encoded, a command printed."""
    text = done.stdout + done.stderr
    return [word for word in (OLD, NEW, encoded(OLD)[:-2], encoded(NEW)[:-2]) if word in text]


@pytest.mark.parametrize("name", _trees(""))
def test_a_value_that_changed(name: str, tmp_path: Path) -> None:
    """It fails the proof, in text and as JSON, and is hidden in both."""
    before, after = tmp_path / "before", tmp_path / "after"
    write_tree(before, dict(_trees(OLD)[name]))
    write_tree(after, dict(_trees(NEW)[name]))

    text = run(after, "--base", str(before), "--verbose")
    data = run(after, "--base", str(before), "--format", "json")

    assert (text.code, data.code) == (1, 1), text.stdout + text.stderr
    assert shown(text) == shown(data) == []
    assert "hidden" in text.stdout
    assert "hidden" in data.stdout


def test_config_maps_are_shown(tmp_path: Path) -> None:
    """What is no Secret is told in full."""
    text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: m}\ndata: {k: WORD}\n"
    write_tree(tmp_path / "before", {"a.yaml": text.replace("WORD", OLD)})
    write_tree(tmp_path / "after", {"a.yaml": text.replace("WORD", NEW)})

    done = run(tmp_path / "after", "--base", str(tmp_path / "before"))

    assert f"{OLD} → {NEW}" in done.stdout
    assert f"-  k: {OLD}\n+  k: {NEW}" in done.stdout


def test_errors_that_quote_a_value(tmp_path: Path) -> None:
    """What Helm says of a template that fails tells no value either."""
    tree = dict(_trees(OLD)["values of a release"])
    tree["charts/app/templates/all.yaml"] = '{{ fail (printf "bad %s" .Values.word) }}\n'
    write_tree(tmp_path, dict(tree))

    done = run(tmp_path, "--base", str(tmp_path))

    assert done.code == 4
    assert "bad (hidden: a Secret's value)" in done.stderr
    assert shown(done) == []


def test_diffs_of_files(tmp_path: Path) -> None:
    """The diff of a migration hides a Secret's lines, moved or beside what moves."""
    image = (
        "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  containers:\n"
        "  - image: quay.io/org/app:1\n"
    )
    secret = f"stringData: {{k: {OLD}}}\n{HEAD}"
    write_tree(tmp_path, {"a.yaml": f"{secret}---\n{image}---\n{secret}"})

    diff = run(tmp_path, "--diff", command="migrate")
    explained = run(tmp_path, command="scan")

    assert "+  - image: " in diff.stdout
    assert "hidden: a Secret's value" in diff.stdout
    assert shown(diff) == shown(explained) == []


def _shown_tree(word: str, tag: str) -> dict[str, str]:
    """Return a release whose Secret's values are words that the tree has in clear text too."""
    values = encoded(f"word: {word}\nother: {OLD}\n")
    return {
        **CHART,
        "charts/app/templates/all.yaml": "kind: ConfigMap\napiVersion: v1\n"
        f"metadata: {{name: shown}}\ndata: {{nginx: '{tag}', level: info}}\n---\n"
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: secret}\n"
        "data: {password: {{ .Values.word }}, other: {{ .Values.other }}, "
        f"made: '{tag}{{{{ .Values.word }}}}'}}\n",
        "v.yaml": f"{HEAD}data: {{values.yaml: {values}}}\n",
        "app.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: words}\n"
        "data:\n  nginx: quay.io/org/nginx:latest\n  level: info\n",
    }


@pytest.mark.parametrize("word", ["nginx", "latest", "info"])
def test_words_that_stand_in_clear_text(word: str, tmp_path: Path) -> None:
    """An image or key that the tree shows keeps a word of it, a value by itself never."""
    write_tree(tmp_path / "before", dict(_shown_tree(word, "quay.io/org/nginx:latest")))
    write_tree(tmp_path / "after", dict(_shown_tree(word, "quay.io/other/nginx:latest")))

    done = run(tmp_path / "after", "--base", str(tmp_path / "before"), "--verbose")

    assert done.code == 1
    assert "-  nginx: quay.io/org/nginx:latest" in done.stdout
    assert "+  nginx: quay.io/other/nginx:latest" in done.stdout
    assert "level: info" in done.stdout
    assert f"password: {word}" not in done.stdout


def test_a_secret_generators_file_is_no_clear_text(tmp_path: Path) -> None:
    """What a generator makes a Secret of says nothing about what may be shown."""
    tree = {
        **CHART,
        "kustomization.yaml": "secretGenerator: [{name: g, files: [values.yaml=s.yaml]}]\n",
        "s.yaml": f"word: {OLD}\nurl: 'db://u:{OLD}@h'\n",
        "v.yaml": f"{HEAD}stringData: {{values.yaml: 'word: {OLD}'}}\n",
    }
    write_tree(tmp_path / "before", dict(tree))
    write_tree(tmp_path / "after", {**tree, "v.yaml": tree["v.yaml"].replace(OLD, NEW)})

    done = run(tmp_path / "after", "--base", str(tmp_path / "before"), "--verbose")

    assert done.code == 1
    assert shown(done) == []
