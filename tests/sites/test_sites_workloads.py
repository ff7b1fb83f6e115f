"""Kubernetes objects: which kinds are looked into, at which paths, in which groups."""

import pytest

from imageshift.data.image_field import FieldShape, ImageField
from imageshift.sites import FinderContext, SkipReason, find_images, may_hold_images
from imageshift.sites.rows import Rows
from imageshift.source import SourceText, split_documents

CONTAINERS = "{containers: [{name: a, image: quay.io/a:1}]}"
POD_IN_TEMPLATE = f"{{template: {{spec: {CONTAINERS}}}}}"


def found(text: str, context: FinderContext | None = None) -> list[tuple[str, str]]:
    """Return path and outcome of each image; what the quick look refuses must hold none."""
    context = context or FinderContext()
    made = []
    for chunk in split_documents(SourceText(text)):
        sites = [site for doc in chunk.documents() for site in find_images(doc, context)]
        assert may_hold_images(chunk, context) or not sites
        made += [
            (".".join(map(str, site.path)), site.skip.value if site.skip else site.confidence.value)
            for site in sites
        ]
    return made


KINDS = {
    "Pod": ("v1", "Pod", f"spec: {CONTAINERS}", "spec.containers.0.image"),
    "PodTemplate": ("v1", "PodTemplate", f"template: {{spec: {CONTAINERS}}}", "template.spec"),
    "Deployment": ("apps/v1", "Deployment", f"spec: {POD_IN_TEMPLATE}", "spec.template.spec"),
    "old Deployment": ("extensions/v1beta1", "Deployment", f"spec: {POD_IN_TEMPLATE}", "spec"),
    "StatefulSet": ("apps/v1", "StatefulSet", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "DaemonSet": ("apps/v1", "DaemonSet", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "ReplicaSet": ("apps/v1", "ReplicaSet", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "controller": ("v1", "ReplicationController", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "CronJob": (
        "batch/v1",
        "CronJob",
        f"spec: {{jobTemplate: {{spec: {POD_IN_TEMPLATE}}}}}",
        "spec.jobTemplate.spec.template.spec.containers.0.image",
    ),
    "Rollout": ("argoproj.io/v1alpha1", "Rollout", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "Knative": ("serving.knative.dev/v1", "Service", f"spec: {POD_IN_TEMPLATE}", "spec.template"),
    "ScaledJob": (
        "keda.sh/v1alpha1",
        "ScaledJob",
        f"spec: {{jobTargetRef: {POD_IN_TEMPLATE}}}",
        "spec.jobTargetRef.template.spec.containers.0.image",
    ),
    "DeploymentConfig": (
        "apps.openshift.io/v1",
        "DeploymentConfig",
        f"spec: {POD_IN_TEMPLATE}",
        "spec.template",
    ),
}


@pytest.mark.parametrize(("api", "kind", "body", "path"), KINDS.values(), ids=KINDS)
def test_kinds(api: str, kind: str, body: str, path: str) -> None:
    """Once each, exactly, also inside a List and as JSON keys."""
    text = f"apiVersion: {api}\nkind: {kind}\n{body}\n"
    ((at, sure),) = found(text)

    assert at.startswith(path)
    assert sure == "exact"
    item = f"{{apiVersion: {api}, kind: {kind}, {body}}}"
    listed = found(f"apiVersion: v1\nkind: List\nitems:\n- {item}\n")
    assert listed == [(f"items.0.{at}", "exact")]
    quoted = text.replace("apiVersion:", '"apiVersion":').replace("kind:", '"kind":', 1)
    assert found(quoted) == [(at, sure)]


@pytest.mark.parametrize("key", ["containers", "initContainers", "ephemeralContainers"])
def test_containers_of_every_sort(key: str) -> None:
    """And image volumes."""
    pod = f"apiVersion: v1\nkind: Pod\nspec: {{{key}: [{{name: a, image: quay.io/a:1}}]}}\n"

    assert found(pod) == [(f"spec.{key}.0.image", "exact")]


def test_image_volumes() -> None:
    """`volumes[].image.reference`, not other volumes."""
    pod = (
        "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n"
        "  - {name: a, image: {reference: quay.io/a:1, pullPolicy: Always}}\n"
        "  - {name: b, configMap: {name: image}}\n"
    )

    assert found(pod) == [("spec.volumes.0.image.reference", "exact")]


NONE = [
    "apiVersion: v1\nkind: Service\nspec: {selector: {image: a}}\n",
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: a:1}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nrules: [{resources: [images]}]\n",
    "apiVersion: v1\nkind: Secret\nstringData: {image: quay.io/a:1}\n",
    "apiVersion: v1\nkind: ConfigMap\ndata: {image: quay.io/a:1}\n",
    "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {image: quay.io/a:1}\n",
    "image: quay.io/a:1\n",
    "services: {web: {image: quay.io/a:1}}\n",
    "- image: quay.io/a:1\n",
    "quay.io/a:1\n",
    "apiVersion: v1\nkind: Pod\nspec: [containers, image]\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: {image: quay.io/a:1}}\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [image, [image], {image: [a]}, {image: ~}]}\n",
    "apiVersion: v1\nkind: Pod\nspec: ~\n",
    "apiVersion: v1\nkind: List\nitems: [Pod, {kind: Pod}, ~]\n",
    "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {image: quay.io/a:1}}\n",
]


@pytest.mark.parametrize("text", NONE)
def test_no_images(text: str) -> None:
    """Other kinds, other files, and objects of a shape that no cluster takes."""
    assert found(text) == []


JOBS = {
    "plain": ("metadata: {name: a}", SkipReason.IMMUTABLE),
    "no metadata": ("x: y", SkipReason.IMMUTABLE),
    "generated name": ("metadata: {generateName: a-}", None),
    "both names": ("metadata: {name: a, generateName: a-}", SkipReason.IMMUTABLE),
    "helm hook": ("metadata: {annotations: {helm.sh/hook: pre-install}}", None),
    "argo hook": ("metadata: {annotations: {argocd.argoproj.io/hook: Sync}}", None),
    "forced": (
        "metadata: {annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}",
        None,
    ),
    "not forced": (
        "metadata: {annotations: {kustomize.toolkit.fluxcd.io/force: disabled}}",
        SkipReason.IMMUTABLE,
    ),
    "label": ("metadata: {labels: {helm.sh/hook: pre-install}}", SkipReason.IMMUTABLE),
}


@pytest.mark.parametrize(("metadata", "skip"), JOBS.values(), ids=JOBS)
def test_jobs(metadata: str, skip: SkipReason | None) -> None:
    """An applied Job's image can't change (fact X11)."""
    text = f"apiVersion: batch/v1\nkind: Job\n{metadata}\nspec: {POD_IN_TEMPLATE}\n"

    assert [outcome for _, outcome in found(text)] == [skip.value if skip else "exact"]


def test_unknown_kinds() -> None:
    """Pods inside them are likely, an image with a host and a tag is listed, others aren't."""
    text = (
        "apiVersion: example.com/v1\nkind: Thing\nspec:\n  image: quay.io/a:1\n"
        f"  other: {{image: a}}\n  pod: {CONTAINERS}\n"
    )

    assert found(text) == [
        ("spec.image", "doubtful"),
        ("spec.pod.containers.0.image", "likely"),
    ]


@pytest.mark.parametrize(
    ("text", "is_image"),
    [
        ("restic/restic:latest", True),
        ("restic/restic", True),
        ("nginx:1.27", True),
        ("nginx", True),
        ("quay.io/org/app", True),
        ("nginx@sha256:" + "0" * 64, True),
        ("logo", False),
        ("logo.png", False),
        ("icons/logo.png", False),
        ("/srv/image.iso", False),
        ("https://example.com/x:1", False),
        ("{repository: org/app, tag: '1'}", True),
        ("1.25", False),
        ("a b", False),
    ],
)
def test_short_forms_in_unknown_kinds(text: str, *, is_image: bool) -> None:
    """A reference without a registry is listed too; pictures, paths and plain words aren't."""
    made = f"apiVersion: example.com/v1\nkind: Thing\nspec:\n  agentImage: {text}\n"

    assert found(made) == ([("spec.agentImage", "doubtful")] if is_image else [])


def test_rows_of_the_configuration() -> None:
    """A path of one's own is exact, in its group alone; other fields are listed."""
    row = ImageField(
        kind="Thing",
        group="example.com",
        path="spec.x[].ref",
        shape=FieldShape.REFERENCE,
        source="t",
    )
    context = FinderContext(rows=Rows.made([row]))
    text = (
        "apiVersion: {}/v1\nkind: Thing\nspec: {{image: quay.io/b:1, x: [{{ref: quay.io/a:1}}]}}\n"
    )

    assert found(text.format("example.com"), context) == [
        ("spec.x.0.ref", "exact"),
        ("spec.image", "doubtful"),
    ]
    assert found(text.format("other.com"), context) == [("spec.image", "doubtful")]


PIPELINE = """\
apiVersion: tekton.dev/v1
kind: Pipeline
spec:
  tasks: [{name: a, taskRef: {name: build}, params: [{name: image, value: a.io/a:1}]}]
  tasks: [{name: b, taskRef: {name: build}, params: [{name: image, value: a.io/b:1}]}]
"""
WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  templates:
  - name: run
    container: {image: "{{inputs.parameters.it}}"}
  - name: main
    steps: [[{template: run, arguments: {parameters: [{name: it, value: a.io/a:1}]}}]]
    steps: [[{template: run, arguments: {parameters: [{name: it, value: a.io/b:1}]}}]]
"""
HIDDEN = {
    "a pipeline's tasks": (PIPELINE, "spec.tasks.0.params.0.value"),
    "a workflow's steps": (
        WORKFLOW,
        "spec.templates.1.steps.0.0.arguments.parameters.0.value",
    ),
}


@pytest.mark.parametrize(("text", "path"), HIDDEN.values(), ids=HIDDEN)
def test_values_behind_equal_keys(text: str, path: str) -> None:
    """Of equal keys only the last one counts; what the first gives to a parameter is no image."""
    context = FinderContext(tekton={("Task", "build"): {"image": True}})

    assert [at for at, sure in found(text, context) if sure == "likely"] == [path]
