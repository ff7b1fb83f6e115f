"""Migrations that went wrong in one place: verify must find each of them.

The tree after is the tree before with some texts replaced, nearly always rightly; what is wrong
about the last one, the row's name says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from verify_cases import HOST, run

from command_line import write_tree
from effect_probes import tree_of

pytestmark = [pytest.mark.kustomize, pytest.mark.helm]

APP = "ghcr.io/lumen/app"
NEW = f"{HOST}/github/lumen/app"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A tree and what a migration made of it; `known` says why verify misses it today."""

    name: str
    tree: str
    edits: tuple[tuple[str, str], ...]
    known: str = ""

    @property
    def parameter(self) -> Any:
        """Return the row as a parameter, marked where it is known to be missed."""
        marks = [pytest.mark.xfail(strict=True, reason=self.known)] if self.known else []
        return pytest.param(self, id=self.name, marks=marks)


def pods(*images: str) -> str:
    """Return containers as YAML flow."""
    return ", ".join(f'{{name: c{i}, image: "{image}"}}' for i, image in enumerate(images))


LOOSE = f"""\
-- web.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec: {{containers: [{pods(f"{APP}:1", "nginx:1.27", "docker.io/lumen/web:2@sha256:" + "5" * 64)}]}}
"""

GENERATED = f"""\
-- kustomization.yaml --
resources: [web.yaml]
-- web.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers: [{pods("quay.io/lumen/b:1")}]
  volumes: [{{name: v, configMap: {{name: settings-production}}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings-production}}
data: {{image: "{APP}:1"}}
"""

FLUX = f"""\
-- clusters/a.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: team-a}}
spec: {{path: ./apps, sourceRef: {{kind: GitRepository, name: flux-system}}}}
-- clusters/b.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: team-b}}
spec:
  path: ./elsewhere
  sourceRef: {{kind: OCIRepository, name: other}}
  images: [{{name: "{APP}", newTag: "9"}}]
-- apps/web.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec: {{containers: [{pods("quay.io/lumen/b:1")}]}}
"""


FORCED = f"""\
-- clusters/a.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: team-a}}
spec: {{path: ./apps, force: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}
-- apps/job.yaml --
apiVersion: batch/v1
kind: Job
metadata: {{name: job}}
spec: {{template: {{spec: {{containers: [{pods(f"{APP}:1")}]}}}}}}
"""


ARGO = f"""\
-- app.yaml --
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  project: default
  destination: {{namespace: web, server: "https://kubernetes.default.svc"}}
  source: {{repoURL: "https://git.example.com/lumen/x", targetRevision: main, SOURCE}}
-- chart/Chart.yaml --
apiVersion: v2
name: chart
version: 1.0.0
-- chart/values.yaml --
registry: docker.io
-- chart/templates/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: a, image: "{{{{ .Values.registry }}}}/lumen/app:1"}}]}}
-- deploy/kustomization.yaml --
resources: [p.yaml]
-- deploy/p.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: a, image: "{APP}:1"}}]}}
"""
ARGO_SET = """\
-- set.yaml --
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: web, namespace: argocd}
spec:
  generators: [{list: {elements: [{stage: one}]}}]
  template:
    metadata: {name: web}
    spec:
      destination: {namespace: web, server: "https://kubernetes.default.svc"}
      source:
        repoURL: https://git.example.com/lumen/x
        path: chart
        helm: {valueFiles: ["/{{stage}}.yaml"]}
-- one.yaml --
image: quay.io/lumen/one:1
-- two.yaml --
image: quay.io/lumen/two:1
-- chart/Chart.yaml --
apiVersion: v2
name: chart
version: 1.0.0
-- chart/templates/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: a, image: "{{ .Values.image }}"}]}
"""


def release(template: str, values: str, more: str = "") -> str:
    """Return a tree with a release that sets these values of a chart of this template."""
    indented = values.replace("\n", "\n    ")
    return f"""\
-- chart/Chart.yaml --
apiVersion: v2
name: chart
version: 1.0.0
-- chart/templates/all.yaml --
{template}
-- release.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: app, namespace: app}}
spec:
  interval: 1h
  chart: {{spec: {{chart: ./chart, sourceRef: {{kind: GitRepository, name: flux-system}}}}}}
{more}
  values:
    {indented}
"""


def config(*lines: str) -> str:
    """Return the template of a ConfigMap that holds a text of these lines."""
    text = "\n".join(f"    {line}" for line in lines)
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  text: |\n{text}\n"


RANDOM = "{{ randAlphaNum 12 }}"
IMAGE = "{{ .Values.image }}"
VALUES = f'image: "{APP}:1"'
RIGHT = ((f'"{APP}:1"', f'"{NEW}:1"'),)
WRONG_TAG = ((f'"{APP}:1"', f'"{NEW}:2"'),)
WRONG_NAME = ((f'"{APP}:1"', f'"{HOST}/quay/lumen/app:1"'),)

ROWS = [
    Wrong("another account", LOOSE, ((f"{APP}:1", NEW.replace("1234", "9999") + ":1"),)),
    Wrong("another region", LOOSE, ((f"{APP}:1", NEW.replace("eu-west-2", "eu-west-1") + ":1"),)),
    Wrong("another prefix", LOOSE, ((f"{APP}:1", f"{HOST}/quay/lumen/app:1"),)),
    Wrong("no library", LOOSE, (("nginx:1.27", f"{HOST}/docker-hub/nginx:1.27"),)),
    Wrong("a library", LOOSE, (("docker.io/lumen", f"{HOST}/docker-hub/library/lumen"),)),
    Wrong(
        "a lost digest",
        LOOSE,
        (("docker.io/lumen/web:2@sha256:" + "5" * 64, f"{HOST}/docker-hub/lumen/web:2"),),
    ),
    Wrong(
        "a digest of another",
        LOOSE,
        (("docker.io/lumen/web", f"{HOST}/docker-hub/lumen/web"), ("5" * 64, "6" * 64)),
    ),
    Wrong(
        "two images swapped",
        LOOSE,
        (
            (f"{APP}:1", "SWAP"),
            ("nginx:1.27", f"{NEW}:1"),
            ("SWAP", f"{HOST}/docker-hub/library/nginx:1.27"),
        ),
    ),
    Wrong("a container less", LOOSE, ((f'{{name: c0, image: "{APP}:1"}}, ', ""),)),
    Wrong("a container renamed", LOOSE, ((f'c0, image: "{APP}', f'c9, image: "{NEW}'),)),
    Wrong("an object renamed", LOOSE, (("name: web", "name: web2"), (f"{APP}:1", f"{NEW}:1"))),
    Wrong(
        "a name's last part that is no hash",
        GENERATED,
        ((f"{APP}:1", f"{NEW}:1"), ("settings-production", "settings-elsewhere")),
    ),
    Wrong(
        "a suffix that isn't the hash of the new content",
        # kustomize's own hash of the old content.
        GENERATED.replace("production", "5g744ccbhk"),
        ((f"{APP}:1", f"{NEW}:1"), ("settings-5g744ccbhk", "settings-abcdefghij")),
    ),
    Wrong(
        "a hash that was left in one reference",
        GENERATED.replace("resources: [web.yaml]", "resources: [web.yaml]\nnamePrefix: x-"),
        ((f"{APP}:1", f"{NEW}:1"), ("{name: settings-production}\ndata", "{name: s}\ndata")),
    ),
    Wrong(
        "the images of a Flux Kustomization that isn't built",
        FLUX,
        (
            ("quay.io/lumen/b", f"{HOST}/quay/lumen/b"),
            (f'"{APP}", newTag: "9"', '"x", newTag: "8"'),
        ),
    ),
    Wrong("a release's tag", release(config(f"image: {IMAGE}"), VALUES), WRONG_TAG),
    Wrong("a release's prefix", release(config(f"image: {IMAGE}"), VALUES), WRONG_NAME),
    Wrong(
        "a wrong image beside a random line",
        release(config(f"password: {RANDOM}", f"image: {IMAGE}"), VALUES),
        WRONG_TAG,
    ),
    Wrong(
        "a wrong image on a random line",
        release(config(f"password: {RANDOM} image: {IMAGE}", "other: line"), VALUES),
        WRONG_TAG,
    ),
    Wrong(
        "a wrong image in a text of one line that is random",
        release(config(f"{RANDOM} {IMAGE}").replace("|\n    ", ""), VALUES),
        WRONG_TAG,
    ),
    Wrong(
        "a wrong image among lines whose number is random",
        release(
            config(
                "first",
                "{{- range until (int (randInt 1 900)) }}",
                "  line",
                "{{- end }}",
                f"image: {IMAGE}",
            ),
            VALUES,
        ),
        WRONG_TAG,
    ),
    Wrong(
        "a line less beside a random line",
        release(
            config(f"password: {RANDOM}", f"image: {IMAGE}", "{{ .Values.more }}"),
            f"{VALUES}\nmore: line",
        ),
        (*RIGHT, ("more: line", 'more: "line\\n    line"')),
    ),
    Wrong(
        "a wrong image in a Job whose name is random",
        release(
            f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: "job-{{{{ randAlphaNum 10 | lower }}}}"}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{IMAGE}"}}]}}}}}}""",
            VALUES,
        ),
        WRONG_TAG,
    ),
    Wrong(
        "a wrong image in a Pod whose whole name is random",
        release(
            f"""\
apiVersion: v1
kind: Pod
metadata: {{name: "{{{{ randAlpha 9 | lower }}}}"}}
spec: {{containers: [{{name: a, image: "{IMAGE}"}}]}}""",
            VALUES,
        ),
        WRONG_TAG,
    ),
    Wrong(
        "an applied Job",
        release(
            f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: job}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{IMAGE}"}}]}}}}}}""",
            VALUES,
        ),
        RIGHT,
    ),
    Wrong(
        "an applied Job with a random annotation",
        release(
            f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: job, annotations: {{salt: "{RANDOM}"}}}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{IMAGE}"}}]}}}}}}""",
            VALUES,
        ),
        RIGHT,
    ),
    Wrong(
        "a hash that follows from the registry in an applied Job",
        release(
            """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: a, image: "{{ .Values.registry }}/{{ .Values.repository }}:1"}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    metadata: {annotations: {sum: "{{ .Values.registry | sha256sum }}"}}
    spec: {containers: [{name: a, image: "gcr.io/lumen/job:1"}]}""",
            "registry: docker.io\nrepository: lumen/app",
        ),
        (("registry: docker.io", f"registry: {HOST}/docker-hub"),),
    ),
    Wrong(
        "a Job that is no longer forced",
        FORCED,
        ((f"{APP}:1", f"{NEW}:1"), ("force: true", "force: false")),
    ),
    Wrong(
        "the images of an object that nothing builds",
        FLUX.replace("name: apps, namespace: team-b", "name: other, namespace: team-b"),
        (('newTag: "9"', 'newTag: "8"'),),
    ),
    Wrong(
        "another field of a release",
        release(config(f"image: {IMAGE}"), VALUES),
        (*RIGHT, ("interval: 1h", "interval: 2h")),
    ),
    Wrong(
        "a wrong name before a random tag",
        release(
            """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: a, image: "{{ .Values.image }}:{{ randNumeric 9 }}"}]}""",
            f'image: "{APP}"',
        ),
        ((f'"{APP}"', f'"{HOST}/quay/lumen/app"'),),
    ),
    Wrong(
        "a wrong image in a forced Job",
        FORCED,
        ((f"{APP}:1", f"{NEW}:2"),),
    ),
    Wrong(
        "an image without library that looks like a hashed name",
        release(
            """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - name: a
      image: "{{ .Values.registry }}/{{ .Values.repository }}:1"
      env: [{name: WORKER, value: "{{ .Values.registry }}/web-worker"}]""",
            "registry: docker.io\nrepository: lumen/app",
        ),
        (("registry: docker.io", f"registry: {HOST}/docker-hub"),),
    ),
    Wrong(
        "a checksum that nothing changes",
        release(
            f"""\
apiVersion: v1
kind: Pod
metadata:
  name: p
  annotations: {{sum: "{{{{ .Values.salt | sha256sum }}}}"}}
spec: {{containers: [{{name: a, image: "{IMAGE}"}}]}}""",
            f"{VALUES}\nsalt: one",
        ),
        (*RIGHT, ("salt: one", "salt: two")),
    ),
    Wrong(
        "a registry of another prefix",
        f"""\
-- c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
data: {{registry: docker.io, image: "{APP}:1"}}
""",
        ((f"{APP}:1", f"{NEW}:1"), ("registry: docker.io", f"registry: {HOST}/github")),
    ),
    Wrong(
        "an entry that only the new chart matches",
        release(
            """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: a, image: "{{ .Values.repository }}:1"}]}""",
            "{}",
            f'  postRenderers: [{{kustomize: {{images: [{{name: "{APP}", newTag: "2"}}]}}}}]',
        )
        + f"-- chart/values.yaml --\nrepository: {APP}\n",
        ((f"repository: {APP}", f"repository: {NEW}"), (f'"{APP}"', f'"{NEW}"')),
    ),
    Wrong(
        "an entry in a file of overrides",
        f"""\
-- app.yaml --
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  project: default
  destination: {{namespace: web, server: "https://kubernetes.default.svc"}}
  source: {{repoURL: "https://git.example.com/lumen/x", path: deploy, targetRevision: main}}
-- deploy/.argocd-source-web.yaml --
kustomize: {{images: ["{APP}:7"]}}
-- deploy/kustomization.yaml --
resources: [p.yaml]
-- deploy/p.yaml --
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: a, image: "{APP}:1"}}]}}
""",
        ((f'image: "{APP}:1"', f'image: "{NEW}:1"'),),
    ),
    Wrong(
        "a parameter of an Application that holds a registry alone",
        ARGO.replace(
            "SOURCE", "path: chart, helm: {parameters: [{name: registry, value: quay.io}]}"
        ),
        (("value: quay.io", "value: 123456789012.dkr.ecr.eu-west-2.amazonaws.com/docker-hub"),),
    ),
    Wrong(
        "an Application's entry that no longer meets its base",
        ARGO.replace("SOURCE", f'path: deploy, kustomize: {{images: ["{APP}:7"]}}'),
        ((f'image: "{APP}:1"', f'image: "{NEW}:1"'),),
    ),
    Wrong(
        "an element of an ApplicationSet that takes other values",
        ARGO_SET,
        (("elements: [{stage: one}]", "elements: [{stage: two}]"),),
    ),
    Wrong(
        "a transformer of a helmfile",
        release("{}", f"repository: {APP}")
        + f"""\
-- helmfile.yaml --
releases:
  - name: app
    chart: ./chart
    values: [{{repository: "{APP}"}}]
    transformers:
      - apiVersion: builtin
        kind: ImageTagTransformer
        metadata: {{name: t}}
        imageTag: {{name: "{APP}", newTag: "9"}}
""",
        ((f'[{{repository: "{APP}"', f'[{{repository: "{NEW}"'),),
        known="helmfiles aren't rendered (E5)",
    ),
]


@pytest.mark.parametrize("row", [row.parameter for row in ROWS])
def test_verify_refuses(row: Wrong, tmp_path: Path) -> None:
    """A migration that is wrong in one place isn't equal."""
    text = row.tree
    for old, new in row.edits:
        assert old in text
        text = text.replace(old, new)
    write_tree(tmp_path / "before", {**tree_of(row.tree)})
    write_tree(tmp_path / "after", {**tree_of(text)})

    done = run(tmp_path / "after", "--base", str(tmp_path / "before"))

    assert done.code == 1, done.stdout + done.stderr
