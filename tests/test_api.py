"""The library: rules as values, single texts, and everything that a plan knows."""

import shutil
from pathlib import Path

import pytest

from command_line import read_tree, write_tree
from imageshift import (
    ARTICLE_RULES,
    Registry,
    Rule,
    RuleSet,
    SkipReason,
    Status,
    Target,
    migrate_text,
    plan_migration,
    plan_revert,
    revert_text,
)
from imageshift.advice import Code

HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: $}]}\n"
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: app}
spec:
  interval: 1h
  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: nowhere}}}
  values: {image: {repository: quay.io/org/app, tag: "1"}}
"""


def pod(image: str) -> str:
    """Return a Pod that runs an image, and a comment that has to stay."""
    return "# a comment\n" + POD.replace("$", image)


TEXTS = {
    "an object": ("manifest.yaml", pod("nginx:1"), pod(f"{HOST}/docker-hub/library/nginx:1")),
    "two objects": (
        "a.yaml",
        f"{pod('quay.io/a/b:1')}---\n{pod('nvcr.io/a:1')}",
        f"{pod(f'{HOST}/quay/a/b:1')}---\n{pod('nvcr.io/a:1')}",
    ),
    "values": (
        "charts/app/values.yaml",
        "image: {registry: quay.io, repository: a/b, tag: '1'}\n",
        f"image: {{registry: {HOST}/quay, repository: a/b, tag: '1'}}\n",
    ),
    "a chart's values under another name": (
        "values-prod.yml",
        "image: ghcr.io/a/b:1\n",
        f"image: {HOST}/github/a/b:1\n",
    ),
    "a kustomization": (
        "x/kustomization.yaml",
        "images: [{name: app, newName: quay.io/a/b}]\n",
        f"images: [{{name: app, newName: {HOST}/quay/a/b}}]\n",
    ),
    "no YAML": ("a.yaml", "image: [quay.io/a/b:1\n", "image: [quay.io/a/b:1\n"),
    "nothing": ("a.yaml", "", ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    """A text moves by itself, byte by byte but for its images, and comes back."""
    path, before, after = TEXTS[name]

    plan = migrate_text(before, RULES, path=path)

    assert plan.text == after
    assert migrate_text(plan.after, RULES, path=path).text == after
    assert revert_text(after, RULES, path=path).text == before


def test_results_are_alike() -> None:
    """Every result has a status, a reason and a detail, whether it moves or stays."""
    images = ("nginx:1", f"{HOST}/docker-hub/nginx:1", "nvcr.io/a:1", "${A}/b:1")
    text = "---\n".join(pod(f'"{image}"') for image in images)

    results = migrate_text(text, RULES).results

    assert [(result.status, result.reason) for result in results] == [
        (Status.REWRITE, None),
        (Status.REWRITE, SkipReason.WRONG_CACHE_PATH),
        (Status.NO_RULE, SkipReason.NO_RULE),
        (Status.SKIPPED, SkipReason.VARIABLE),
    ]
    assert [bool(result.detail) for result in results] == [False, False, True, True]


def test_bytes_that_are_no_text() -> None:
    """They are a skip with its reason, and stay."""
    plan = migrate_text(b"image: \xff\xfe", RULES)

    assert [skip.reason for skip in plan.skips] == [SkipReason.NOT_UTF8]
    assert plan.after == b"image: \xff\xfe"


def test_rules_as_values(tmp_path: Path) -> None:
    """A plan takes its rules, or those of each path, from the caller, and writes by them."""
    write_tree(tmp_path, {"a/p.yaml": pod("quay.io/a/b:1"), "b/p.yaml": pod("quay.io/a/b:1")})
    before = read_tree(tmp_path)
    other = RuleSet(Registry.of("210987654321", "eu-west-1"), (Rule("quay.io", "qq"),))
    targets = (Target(RULES, ("a",)), Target(other, ("b",)))

    plan_migration([tmp_path], rules=targets).apply()

    assert read_tree(tmp_path) == {
        "a/p.yaml": pod(f"{HOST}/quay/a/b:1").encode(),
        "b/p.yaml": pod("210987654321.dkr.ecr.eu-west-1.amazonaws.com/qq/a/b:1").encode(),
    }
    plan_revert([tmp_path], rules=targets).apply()
    assert read_tree(tmp_path) == before
    assert plan_migration([tmp_path], rules=RULES).summary == {Status.REWRITE: 2}


def test_what_a_plan_knows(tmp_path: Path) -> None:
    """Warnings, charts that weren't found, and why an image stays or moves."""
    write_tree(tmp_path, {"p.yaml": pod("nginx"), "r.yaml": RELEASE})

    plan = plan_migration([tmp_path], rules=RULES)

    assert [notice.code for notice in plan.warnings] == [Code.MUTABLE_TAG, Code.FIRST_PULL_ROUTE]
    assert [(problem.file, problem.place.line) for problem in plan.chart_problems] == [
        ("r.yaml", 3)
    ]
    [(file, explanation)] = plan.explain("quay.io/org/app")
    assert (file, explanation.line) == ("r.yaml", 7)
    assert plan.explain("redis") == []


@pytest.mark.helm
@pytest.mark.kustomize
def test_what_is_not_proven_stays(tmp_path: Path) -> None:
    """A plan proves what it would write, and holds back what no rendering shows to be right."""
    write_tree(tmp_path, {"p.yaml": pod("quay.io/a/b:1"), "r.yaml": RELEASE})
    shutil.copytree(tmp_path, tmp_path / "copy")

    plan = plan_migration([tmp_path / "copy"], rules=RULES)
    proof = plan.prove()

    assert proof.is_equal
    assert [problem.place for problem in proof.problems] == ["r.yaml:1"]
    assert {file.file: [r.reason for r in file.results] for file in plan} == {
        "p.yaml": [None],
        "r.yaml": [SkipReason.UNPROVEN],
    }
    plan.apply()
    assert read_tree(tmp_path / "copy") == {
        "p.yaml": pod(f"{HOST}/quay/a/b:1").encode(),
        "r.yaml": RELEASE.encode(),
    }
