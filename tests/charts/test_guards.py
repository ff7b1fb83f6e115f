"""What a chart's own text says against moving its values, where it isn't rendered."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

VALUES = "a: {image: {registry: docker.io, repository: x/y}}\n"
MOVED = VALUES.replace("docker.io", f"{HOST}/docker-hub")
JOB = "kind: Job\nmetadata: {name: a}\nspec: {image: '{{ .Values.a.image.repository }}'}\n"
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec:
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: flux-system}}}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {source: {repoURL: https://git.example/x, path: chart, helm: {releaseName: a}}}
"""


def migrated(folder: Path, template: str, user: str = RELEASE, **more: str) -> str:
    """Return the values of a chart after a migration that doesn't render it."""
    chart = {"Chart.yaml": "{apiVersion: v2, name: a, version: 1.0.0}", "values.yaml": VALUES}
    files = {**chart, "templates/a.yaml": template, **more}
    write_tree(folder, {".git/HEAD": "", "user.yaml": user})
    write_tree(folder / "chart", {**files})
    outcome = run(folder, "migrate", *REGISTRY, "--charts", "off", ".")
    assert outcome.code == 0, outcome.stderr
    return (folder / "chart/values.yaml").read_text()


STAY = {
    "a Job": JOB,
    "a Job through index": JOB.replace(
        ".Values.a.image.repository", 'index .Values "a" "image" "repository"'
    ),
    "a Job with all values": JOB.replace(".Values.a.image.repository", "toYaml .Values"),
    "a Job behind the installation's else": (
        "{{ if .Release.IsInstall }}\n{{ else }}\n" + JOB + "{{ end }}\n"
    ),
    "a comparison": '{{ if ne .Values.a.image.registry "docker.io" }}{{ end }}',
    "in a pipe": '{{ ternary "a" "b" (hasPrefix "docker" .Values.a.image.registry) }}',
    "through a variable": (
        '{{ $registry := .Values.a.image.registry }}{{ if eq $registry "docker.io" }}{{ end }}'
    ),
    "in a with": '{{ with .Values.a.image }}{{ if eq .registry "docker.io" }}{{ end }}{{ end }}',
    "a registry's host": (
        '{{ $registry := .Values.a.image }}{{ if eq $registry.host "docker.io" }}{{ end }}'
    ),
    "in a named template": (
        '{{ define "b" }}{{ if eq .registry "docker.io" }}{{ end }}{{ end }}'
        '{{ include "b" .Values.a.image }}'
    ),
}
MOVE = {
    "no image in a Job": JOB.replace(".Values.a.image.repository", ".Values.a.port"),
    "a hook": JOB.replace("{name: a}", "{name: a, annotations: {helm.sh/hook: post-install}}"),
    "a Job of the installation": "{{ if .Release.IsInstall }}\n" + JOB + "{{ end }}\n",
    "a Job named by the revision": JOB.replace("name: a", "name: 'a-{{ .Release.Revision }}'"),
    "a CronJob": JOB.replace("Job", "CronJob"),
    "a Job in a comment": "{{/* " + JOB + " */}}",
    "whether there is one": "{{ if .Values.a.image.registry }}{{ end }}",
    "whether it is empty": '{{ if ne .Values.a.image.registry "" }}{{ end }}',
    "another value": '{{ if eq .Values.a.image.pullPolicy "Always" }}{{ end }}',
    "another value of an image in a with": (
        '{{ with .Values.a }}{{ if eq .image.pullPolicy "Always" }}{{ end }}{{ end }}'
    ),
    "another value of what is named a registry": (
        "{{ $registry := .Values.a }}{{ if eq $registry.claim .Values.a.claim }}{{ end }}"
    ),
}


@pytest.mark.parametrize("name", STAY)
def test_what_stays(tmp_path: Path, name: str) -> None:
    """An image that an applied Job uses, or that the chart compares, stays."""
    assert migrated(tmp_path, STAY[name]) == VALUES


@pytest.mark.parametrize("name", MOVE)
def test_what_moves(tmp_path: Path, name: str) -> None:
    """Nothing else holds an image back."""
    assert migrated(tmp_path, MOVE[name]) == MOVED


@pytest.mark.parametrize("name", ["a Job of the installation", "a Job named by the revision"])
def test_jobs_under_argo_cd(tmp_path: Path, name: str) -> None:
    """Argo CD renders each sync as an installation with revision 1, so that these stay (E4)."""
    assert migrated(tmp_path, MOVE[name], APPLICATION) == VALUES


def test_jobs_that_are_made_anew(tmp_path: Path) -> None:
    """A release that is upgraded by force makes its Jobs anew."""
    forced = f"{RELEASE}  upgrade: {{force: true}}\n"

    assert migrated(tmp_path, JOB, forced) == MOVED


@pytest.mark.parametrize("rule", ['{"enum": ["docker.io"]}', '{"pattern": "^docker"}'])
def test_schemas(tmp_path: Path, rule: str) -> None:
    """A schema that restricts a registry holds it."""
    schema = rule
    for key in ("registry", "image", "a"):
        schema = f'{{"properties": {{"{key}": {schema}}}}}'

    assert migrated(tmp_path, "", **{"values.schema.json": schema}) == VALUES


@pytest.mark.once
def test_many_applications_of_one_chart(tmp_path: Path) -> None:
    """What a chart compares stays in the values of everything that installs it."""
    setters = (
        f"\n      valuesObject: {VALUES.strip().replace('a: ', '{a: ', 1)}}}",
        f"\n      values: |\n        {VALUES.strip()}",
        "\n      parameters: [{name: b.c, value: d}]",
    )
    head = APPLICATION.partition("spec:")[0]
    spec = "spec:\n  source:\n    repoURL: https://git.example/x\n    path: PATH\n    helm:"
    files = {}
    for n in range(1, 300):
        helm = "".join(text for bit, text in enumerate(setters) if n >> bit & 1)
        path = "other" if n % 3 == 0 else "chart"
        files[f"{n}.yaml"] = f"{head}{spec.replace('PATH', path)}{helm or ' {}'}\n"
    write_tree(tmp_path, files)

    migrated(tmp_path, STAY["a comparison"])

    own = [name for name, text in files.items() if "path: chart" in text]
    assert [name for name in own if (tmp_path / name).read_text() != files[name]] == []


@pytest.mark.once
def test_deep_templates(tmp_path: Path) -> None:
    """Named templates include each other through any depth."""
    depth = 1500
    heads = (f'{{{{ define "{n}" }}}}{{{{ include "{n + 1}" . }}}}' for n in range(depth))
    last = f'{{{{ define "{depth}" }}}}{{{{ if eq .Values.a.image.registry "b" }}}}{{{{ end }}}}'
    named = "".join(f"{text}{{{{ end }}}}\n" for text in (*heads, last))
    job = JOB.replace("{{ .Values.a.image.repository }}", '{{ include "0" . }}')

    assert migrated(tmp_path, named + '{{ include "0" . }}') == VALUES
    assert migrated(tmp_path / "job", f"{named}---\n{job}") == VALUES
