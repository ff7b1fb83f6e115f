"""Values set one by one, and ConfigMaps of rendered releases, as `verify` judges them."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.verify import VerifyOptions, verify_trees

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec:
  source:
    repoURL: https://git.example/x
    chart: a
    helm:
      parameters:
        - {name: image.registry, value: REGISTRY}
        - {name: image.repository, value: REPOSITORY}
        - {name: other.registry, value: quay.io}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: a}
spec:
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: flux-system}}}
  valuesFrom: [{kind: ConfigMap, name: a}]
  values: {image: {repository: x/y}}
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: a}
data: {values.yaml: "image: {registry: docker.io, repository: redis}"}
"""
CHART = {
    "chart/Chart.yaml": "{apiVersion: v2, name: a, version: 1.0.0}",
    "chart/templates/a.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
        "    - {name: a, image: '{{ .Values.image.registry }}/{{ .Values.image.repository }}'}\n"
    ),
}


def verified(folder: Path, before: dict[str, str], after: dict[str, str]) -> int:
    """Return the exit code of a comparison of two trees."""
    for name, tree in (("before", before), ("after", after)):
        write_tree(folder / name, {".git/HEAD": "", **tree})
    base = ("--base", str(folder / "before"))
    return run(folder / "after", "verify", ".", *base, *REGISTRY).code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (("quay.io", "a/b"), (f"{HOST}/quay", "a/b"), 0),
        (("docker.io", "redis"), (f"{HOST}/docker-hub/library", "redis"), 0),
        (("docker.io", "redis"), (f"{HOST}/docker-hub", "library/redis"), 0),
        (("docker.io", "redis"), (f"{HOST}/docker-hub", "redis"), 1),
        (("quay.io", "a/b"), (f"{HOST}/docker-hub", "a/b"), 1),
        (("quay.io", "a/b"), (f"{HOST}/quay", "a/c"), 1),
    ],
)
def test_parameters(tmp_path: Path, old: tuple[str, str], new: tuple[str, str], code: int) -> None:
    """A registry's parameter moves alone where with the repository's it names the mapped image."""
    before, after = (
        {"a.yaml": APPLICATION.replace("REGISTRY", one).replace("REPOSITORY", other)}
        for one, other in (old, new)
    )

    assert verified(tmp_path, before, after) == code


@pytest.mark.helm
@pytest.mark.parametrize(("files", "code"), [(("a", "b"), 0), (("a", "b", "c"), 1)])
def test_config_map_of_a_rendered_release(
    tmp_path: Path, files: tuple[str, ...], code: int
) -> None:
    """What a release in another file takes is judged by what it renders, if that is sure."""
    texts = {"a": RELEASE, "b": CONFIG_MAP, "c": CONFIG_MAP}
    before = {**CHART, **{f"{name}.yaml": texts[name] for name in files}}
    moved = CONFIG_MAP.replace("docker.io", f"{HOST}/docker-hub")

    assert verified(tmp_path, before, {**before, "b.yaml": moved}) == code


@pytest.mark.helm
@pytest.mark.parametrize("own", ["", "note: '{{ .Release.Name }}', "])
@pytest.mark.parametrize(("registry", "code"), [(f"{HOST}/quay", 0), (f"{HOST}/github", 1)])
def test_value_that_an_application_gets(tmp_path: Path, registry: str, code: int, own: str) -> None:
    """A new value of an Application is judged by the chart that Argo CD renders with it.

    Values may hold templates, which are Helm's.
    """
    application = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n"
        "  source: {repoURL: https://git.example/x, path: chart, helm: {valuesObject: {VALUES}}}\n"
    )
    values = "image: {registry: quay.io, repository: x/y}\n"
    before = {**CHART, "chart/values.yaml": values, "a.yaml": application.replace("VALUES", own)}
    after = application.replace("VALUES", f"{own}image: {{registry: {registry}}}")

    assert verified(tmp_path, before, {**before, "a.yaml": after}) == code


@pytest.mark.helm
def test_files_of_an_application(tmp_path: Path) -> None:
    """The verdict on a chart names its files: those that `migrate --verify` holds back."""
    application = APPLICATION.replace("chart: a", "path: chart").replace("REPOSITORY", "x/y")
    tree: dict[str, str | bytes] = {
        **CHART,
        "chart/values.yaml": "{}",
        "chart/.argocd-source.yaml": "helm: {valueFiles: [/more.yaml]}",
        "more.yaml": "a: b",
        "other.yaml": "{}",
        "a.yaml": application.replace("REGISTRY", "quay.io"),
    }
    write_tree(tmp_path, tree)
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)

    proof = verify_trees(tmp_path, tmp_path, VerifyOptions(rules_of=lambda _: rules))

    files = [found.files for found in proof.verdicts if found.key.kind == "Application"]
    named = {"a.yaml", "chart/.argocd-source.yaml", "chart/values.yaml", "more.yaml"}
    assert files == [named]


@pytest.mark.helm
@pytest.mark.parametrize("name", ["charts/prod.yaml", "./charts/prod.yaml", "/charts/prod.yaml"])
def test_registry_alone_in_a_file_of_values(tmp_path: Path, name: str) -> None:
    """What a release's own file of values says is judged by the rendering, however it is named."""
    spec = f"chart: {{spec: {{chart: ./chart, valuesFiles: [{name}], sourceRef: "
    release = RELEASE.replace("chart: {spec: {chart: ./chart, sourceRef: ", spec)
    release = release.replace("  valuesFrom: [{kind: ConfigMap, name: a}]\n", "")
    before = {**CHART, "a.yaml": release, "charts/prod.yaml": "image: {registry: quay.io}\n"}
    moved = f"image: {{registry: {HOST}/quay}}\n"

    assert verified(tmp_path, before, {**before, "charts/prod.yaml": moved}) == 0


JOB = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a, namespace: argocd}
spec:
  syncPolicy: {syncOptions: [OPTIONS]}
  source: {repoURL: https://git.example/x, path: chart, helm: {valuesObject: {image: IMAGE}}}
"""
JOB_TEMPLATE = """\
{{ if .Release.IsInstall }}
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec: {template: {spec: {containers: [{name: a, image: "{{ .Values.image }}"}]}}}
{{ end }}
"""


@pytest.mark.helm
@pytest.mark.parametrize(
    ("options", "code"), [("Prune=true", 1), ("Replace=true", 1), ("Force=true, Replace=true", 0)]
)
def test_job_of_an_application(tmp_path: Path, options: str, code: int) -> None:
    """Argo CD renders each change as an installation: a Job stays, unless it is replaced."""
    chart = {**CHART, "chart/templates/a.yaml": JOB_TEMPLATE}
    before, after = (
        {**chart, "a.yaml": JOB.replace("OPTIONS", options).replace("IMAGE", image)}
        for image in ("quay.io/x/y:1", f"{HOST}/quay/x/y:1")
    )

    assert verified(tmp_path, before, after) == code


@pytest.mark.kustomize
@pytest.mark.parametrize(
    ("options", "annotation", "code"),
    [
        ("", "Prune=true", 1),
        ("", "Replace=true", 1),
        ("", "Force=true,Replace=true", 0),
        ("Force=true, Replace=true", "Prune=true", 0),
    ],
)
def test_job_that_an_application_builds(
    tmp_path: Path, options: str, annotation: str, code: int
) -> None:
    """A Job of a kustomization moves where its own or its Application's options replace it."""
    application = JOB.replace("OPTIONS", options).replace(
        "helm: {valuesObject: {image: IMAGE}}", ""
    )
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n"
        f"  annotations: {{argocd.argoproj.io/sync-options: '{annotation}'}}\n"
        "spec: {template: {spec: {containers: [{name: a, image: 'IMAGE'}]}}}\n"
    )
    before, after = (
        {
            "a.yaml": application.replace("path: chart", "path: app"),
            "app/kustomization.yaml": "resources: [job.yaml]",
            "app/job.yaml": job.replace("IMAGE", image),
        }
        for image in ("quay.io/x/y:1", f"{HOST}/quay/x/y:1")
    )

    assert verified(tmp_path, before, after) == code


@pytest.mark.parametrize(
    ("hub", "code"),
    [("docker-hub/istio", 0), ("docker-hub/library/istio", 1), ("quay/istio", 1)],
)
def test_prefix_of_images(tmp_path: Path, hub: str, code: int) -> None:
    """A prefix that a custom resource puts before its images may move to where they are cached."""
    text = (
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\n"
        "spec: {hub: HUB, tag: 1.20.1}\n"
    )
    write_tree(tmp_path / "before", {"a.yaml": text.replace("HUB", "docker.io/istio")})
    write_tree(tmp_path / "after", {"a.yaml": text.replace("HUB", f"{HOST}/{hub}")})

    done = run(tmp_path / "after", "verify", "--base", str(tmp_path / "before"), *REGISTRY)

    assert done.code == code, done.stdout
