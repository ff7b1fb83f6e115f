"""The account: every text that names an image is in the report once, and says what it is."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import REGISTRY, run, write_tree

CHARTS = ("--charts", "off")
POD = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: nginx:1}]}\n"
OBJECT = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n"
SECONDS = 20
HUB = "quay.io/org/app:1"

FOUND = {
    "values of nobody": ("v.yaml", "image: {repository: quay.io/org/app, tag: '1'}\n", "unclaimed"),
    "short values of nobody": ("v.yaml", "image: {repository: org/app, tag: '1'}\n", "unclaimed"),
    "values without a tag": ("v.yaml", "image: {repository: org/app}\n", "unclaimed"),
    "values with a kind inside": (
        "v.yaml",
        "issuer:\n  kind: Issuer\nimage: {repository: org/app, tag: '1'}\n",
        "unclaimed",
    ),
    "values in JSON": ("v.json", '{"image": {"repository": "org/app", "tag": "1"}}', "unclaimed"),
    "a runner's TOML": (
        "c.yaml",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.toml: |\n    image = 'ruby:3'\n",
        "unclaimed",
    ),
    "a text in values": ("v.yaml", f"notes: see {HUB} there\n", "unclaimed"),
    "JSON": ("v.json", f'{{"default": "{HUB}"}}', "unclaimed"),
    "a silent file": ("x.yaml", f"{OBJECT}spec: {{oci: {HUB}}}\n", "unclaimed"),
    "another registry": (
        "x.yaml",
        f"{OBJECT}spec: {{nextImages: acme.io/a:1}}\n",
        "unclaimed",
    ),
    "a digest": ("x.yaml", f"{OBJECT}spec: {{a: 'acme.io/x@sha256:{'0' * 64}'}}\n", "unclaimed"),
    "docker's own scheme": ("x.yaml", f"{OBJECT}spec: {{a: docker://{HUB}}}\n", "unclaimed"),
    "variables": ("app.env", f"API={HUB}\n", "unclaimed"),
    "a policy": (
        "p.yaml",
        f"apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {{a: {HUB}}}\n",
        "not-pulled",
    ),
    "image automation": (
        "i.yaml",
        f"apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nspec: {{image: {HUB}}}\n",
        "not-pulled",
    ),
    "a name that an entry matches": (
        "kustomization.yaml",
        "images: [{name: quay.io/org/app, newTag: '1'}]\n",
        "not-pulled",
    ),
    "a digest that an entry sets": (
        "kustomization.yaml",
        f"images: [{{name: quay.io/org/app, digest: 'sha256:{'0' * 64}'}}]\n",
        "not-pulled",
    ),
    "a chart's own page": ("Chart.yaml", f"name: c\nannotations: {{a: {HUB}}}\n", "not-pulled"),
    "a label": (
        "s.yaml",
        f"apiVersion: v1\nkind: Service\nspec: {{selector: {{image: {HUB}}}}}\n",
        "not-pulled",
    ),
    "a template": ("t.yaml", f"{OBJECT}spec:\n  a: {HUB}\n  b: {{{{ x }}}}\n", "template"),
    "no YAML": ("b.yaml", f"kind: Pod\nimage: {HUB}\na: [\n", "unparsable"),
    "an ignored file": (
        "i.yaml",
        f"# imageshift: ignore-file\na: {HUB}\n",
        "ignored",
    ),
    "a List with a text for its items": (
        "l.yaml",
        f"apiVersion: v1\nkind: List\nitems: {HUB}\n",
        "unclaimed",
    ),
    "a List with a list in it": (
        "l.yaml",
        f"apiVersion: v1\nkind: List\nitems: [[{HUB}]]\n",
        "unclaimed",
    ),
    "a List with its items twice": (
        "l.yaml",
        f"apiVersion: v1\nkind: List\nitems: [{HUB}]\nitems: []\n",
        "unclaimed",
    ),
    "a text for generators": (
        "a.yaml",
        f"configMapGenerator: {HUB}\n",
        "unclaimed",
    ),
    "a generator that isn't in a list": (
        "kustomization.yaml",
        f"configMapGenerator: {{literals: ['A={HUB}']}}\n",
        "unclaimed",
    ),
    "an ignored line": ("i.yaml", f"a: {HUB} # imageshift: ignore\n", "ignored"),
    "what isn't ours": ("hack/a.yaml", f"a: {HUB}\n", "not-ours"),
    "an image that isn't ours": ("a.yaml", "a: quay.io/ci/build-a:1\n", "not-ours"),
}
NOTHING = {
    "a comment": ("a.yaml", f"a: 1 # {HUB}\n# image: {HUB}\n"),
    "a chart's address": ("a.yaml", f"a: oci://{HUB}\nrepoURL: quay.io/org/charts\n"),
    "a page": ("a.yaml", f"a: https://{HUB}\nb: 'git::ssh://quay.io/org/app'\n"),
    "a registry alone": ("a.yaml", "a: quay.io\nb: docker.io/\n"),
    "a definition": (
        "crd.yaml",
        f"apiVersion: v1\nkind: CustomResourceDefinition\nspec: {{description: see {HUB}}}\n",
    ),
    "a schema": (
        "values.schema.json",
        f'{{"$schema": "http://json-schema.org/draft-07/schema#", "default": "{HUB}"}}',
    ),
    "a tag with its digest": (
        "r.yaml",
        f"kind: HelmRelease\nspec: {{values: {{image: {{tag: '7.4@sha256:{'0' * 64}'}}}}}}\n",
    ),
    "a label's key": (
        "a.yaml",
        f"{OBJECT}spec: {{a: {{app.kubernetes.io/name: x, cert-manager.io/issuer: y}}}}\n",
    ),
}
OTHER = {
    "Terraform": ("main.tf", 'image = "quay.io/org/app:1"\n'),
    "Dockerfile": ("Dockerfile", "FROM --platform=x nginx:1 AS a\n"),
    "Compose": ("stack.yaml", "services:\n  web: {image: redis:7}\n"),
    "CI": (".github/workflows/ci.yaml", f"jobs: {{a: {{container: {{image: {HUB}}}}}}}\n"),
    "GitLab": ("ci/build.yml", f"stages: [a]\nb: {{stage: a, image: {HUB}, script: [x]}}\n"),
    "Talos": ("talos.yaml", f"machine: {{install: {{image: {HUB}}}}}\n"),
    "script": ("run.sh", f"docker run {HUB}\n"),
    "documentation": ("README.md", f"Run {HUB}.\n"),
}
CONFIG = (
    "not_ours:\n  - {paths: [hack/], reason: only people run it}\n"
    "  - {images: ['quay.io/ci/build-*'], reason: pushed by our CI}\n"
)


def report(root: Path, files: Mapping[str, str | bytes], *more: str) -> dict[str, Any]:
    """Return the report of a scan over a tree."""
    write_tree(root, {".git/HEAD": "", ".imageshift.yaml": CONFIG, **files})
    return run(root, "scan", ".", *REGISTRY, *CHARTS, "--format", "json", *more).report


@pytest.mark.parametrize("name", FOUND)
def test_each_text_has_one_row(name: str, tmp_path: Path) -> None:
    """A text that no finder claims is one row, with its reason; the rest goes on."""
    file, text, reason = FOUND[name]

    made = report(tmp_path, {file: text, "pod.yaml": POD})

    rows = {(row["file"], row["status"], row["reason"]) for row in made["images"]}
    assert rows == {(file, "skipped", reason), ("pod.yaml", "rewrite", None)}
    assert len(made["images"]) == made["account"]["named"] == 2
    assert made["account"]["unclaimed"] == (reason == "unclaimed")


@pytest.mark.parametrize("name", NOTHING)
def test_what_names_no_image(name: str, tmp_path: Path) -> None:
    """Comments, addresses, schemas and keys of labels have no row."""
    file, text = NOTHING[name]

    made = report(tmp_path, {file: text})

    assert (made["images"], made["account"]["named"]) == ([], 0)


@pytest.mark.parametrize("name", OTHER)
def test_other_formats_are_counted_by_file(name: str, tmp_path: Path) -> None:
    """A format that isn't read has no rows; its files are named and counted."""
    file, text = OTHER[name]

    made = report(tmp_path, {file: text})

    [count] = made["account"]["other_formats"]
    assert count == {"format": "CI" if name == "GitLab" else name, "files": 1, "images": 1}
    assert made["images"] == []
    assert [(s["file"], s["reason"]) for s in made["skipped"]] == [(file, "other-format")]
    codes = [warning["code"] for warning in made["warnings"]]
    assert codes == ([] if name == "documentation" else ["other-format"])


def test_long_scripts_are_counted(tmp_path: Path) -> None:
    """A script of megabytes, such as an installer with all its manifests, is looked at whole."""
    text = "# a line\n" * 300_000 + f"docker run {HUB}\n"

    made = report(tmp_path, {"install.sh": text})

    assert made["account"]["other_formats"] == [{"format": "script", "files": 1, "images": 1}]


CLAIMS = {
    "values": ("v.yaml", "image: {repository: quay.io/org/app, tag: '1'}\n"),
    "an unknown kind": ("x.yaml", f"{OBJECT}spec: {{runner: {HUB}}}\n"),
    "a ConfigMap": ("c.yaml", f"apiVersion: v1\nkind: ConfigMap\ndata: {{runner: {HUB}}}\n"),
    "an item of a List": (
        "l.yaml",
        f"apiVersion: v1\nkind: List\nitems: [{{apiVersion: e.com/v1, kind: T, x: {HUB}}}]\n",
    ),
    "a kind of a table": (
        "d.yaml",
        f"apiVersion: apps/v1\nkind: Deployment\nspec: {{other: {{runnerImage: {HUB}}}}}\n",
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_line_that_claims_it_does(name: str, tmp_path: Path) -> None:
    """With the line that the row proposes in the configuration, the text is rewritten."""
    file, text = CLAIMS[name]
    [row] = report(tmp_path, {file: text})["images"]
    line = row["detail"].split("`")[1]

    [again] = report(tmp_path, {".imageshift.yaml": f"{line}\n"})["images"]

    assert (row["reason"], again["status"], again["reason"]) == ("unclaimed", "rewrite", None)


def test_a_generators_files_are_named_with_it(tmp_path: Path) -> None:
    """The row of a text in params.env or a generator's file says which generator takes it."""
    files = {
        "a/kustomization.yaml": "configMapGenerator:\n"
        "- {name: params, envs: [params.env], files: [p.txt], literals: ['X=quay.io/org/x:1']}\n",
        "a/params.env": f"A={HUB}\n",
        "a/p.txt": f"{HUB}\n",
    }

    made = report(tmp_path, files)

    where = "the generator params in a/kustomization.yaml reads it"
    told = [(row["file"], row["detail"].startswith(where)) for row in made["images"]]
    assert told == [("a/kustomization.yaml", False), ("a/p.txt", True), ("a/params.env", True)]
    assert made["images"][0]["detail"].startswith("the generator params reads it")


def test_generated_data_of_known_programs_moves(tmp_path: Path) -> None:
    """A file that a generator makes a key of a known ConfigMap is read as that key is."""
    images = "{value: &v quay.io/a/b:1, options: [*v, ghcr.io/a/c:1]}"
    katib = "kind: KatibConfig\nruntime: {suggestions: [{image: quay.io/k/s:1}]}\n"
    files = {
        "a/kustomization.yaml": "namePrefix: web-\nconfigMapGenerator:\n"
        "- {name: config, files: [configs/spawner_ui_config.yaml]}\n"
        "- {name: katib-config, files: [katib-config.yaml]}\n",
        "a/configs/spawner_ui_config.yaml": f"spawnerFormDefaults: {{image: {images}}}\n",
        "a/katib-config.yaml": katib,
    }

    made = report(tmp_path, files)

    found = sorted((row["original"], row["status"], row["confidence"]) for row in made["images"])
    assert found == [
        ("ghcr.io/a/c:1", "rewrite", "exact"),
        ("quay.io/a/b:1", "rewrite", "exact"),
        ("quay.io/k/s:1", "rewrite", "exact"),
    ]


@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/a " * 30_000,
        "ghcr.io/" * 100_000,
        "mage" * 100_000,
        "@sha256:" * 50_000,
        "${" * 100_000 + "ghcr.io/",
        "a" * 299 + " ghcr.io/a" * 3_000,
    ],
    ids=["words", "one word", "keys", "digests", "variables", "long words"],
)
def test_texts_cost_time_by_their_length_alone(text: str, tmp_path: Path) -> None:
    """Whatever a text repeats, the search ends soon, and what is too much is said."""
    begin = time.process_time()

    made = report(tmp_path, {"a.yaml": f"a: {text}\n", "pod.yaml": POD})

    assert time.process_time() - begin < SECONDS
    assert len(made["images"]) <= 10_001
    many = text == "ghcr.io/a " * 30_000
    assert [skip["reason"] for skip in made["skipped"]] == (["unclaimed"] if many else [])
    assert any(row["file"] == "pod.yaml" for row in made["images"])


def test_a_text_that_an_anchor_repeats_is_one_row(tmp_path: Path) -> None:
    """Rows, uses and references are counted each for itself."""
    text = "a: {image: &i quay.io/org/app:1}\nb: {image: *i}\nc: {image: quay.io/org/app:1}\n"

    made = report(tmp_path, {"v.yaml": text, ".imageshift.yaml": "values: [v.yaml]\n"})

    assert sorted(row["uses"] for row in made["images"]) == [1, 2]
    account = made["account"]
    assert (account["named"], account["uses"], account["references"]) == (2, 3, 1)


@pytest.mark.parametrize(
    ("command", "code"), [("scan", 0), ("check", 0), ("check --strict", 1), ("scan --strict", 1)]
)
def test_strict_fails_on_unclaimed(command: str, code: int, tmp_path: Path) -> None:
    """Only --strict makes an unclaimed text a finding, and every summary counts it."""
    write_tree(tmp_path, {".git/HEAD": "", "v.yaml": f"a: {HUB}\n"})
    name, *more = command.split()

    done = run(tmp_path, name, ".", *REGISTRY, *CHARTS, *more)

    assert done.code == code
    assert "1 image name in the tree: 0 cached or moving, 0 left with a reason, 1 unclaimed" in (
        done.stderr
    )


def test_a_tidy_tree_is_strictly_clean(tmp_path: Path) -> None:
    """What the configuration says isn't ours is no finding."""
    write_tree(tmp_path, {".imageshift.yaml": CONFIG, "hack/v.yaml": f"a: {HUB}\n"})

    assert run(tmp_path, "check", ".", *REGISTRY, *CHARTS, "--strict").code == 0


def test_the_whole_account(tmp_path: Path) -> None:
    """--accounting prints the counts, a forecast, and of the images those that nothing claims."""
    write_tree(tmp_path, {".git/HEAD": "", "v.yaml": f"a: {HUB}\n", "pod.yaml": POD})

    done = run(tmp_path, "scan", ".", *REGISTRY, *CHARTS, "--quiet", "--accounting")

    first, *counts = done.stdout.splitlines()
    assert first.startswith(f"v.yaml:1:4: skipped: {HUB} (unclaimed: no finder reads this text")
    assert counts == [
        "     2 image names in the tree",
        "     1   cached or moving",
        "     0   left with a reason",
        "     1   unclaimed",
        "     0 more from charts, post-renderers and remote bases",
        "     2 references, in 2 uses",
        (
            "forecast: docker.io 1 image in 1 reference; a roll of 10 nodes makes 10 x 1 = 10 "
            "pulls from Docker Hub without the cache, where 10 an hour are free without a login, "
            "and at most 1 with it"
        ),
        (
            "  hint: imageshift warm --forecast --account 123456789012 --region eu-west-2 "
            "--charts off"
        ),
    ]


def test_a_forecast_without_docker_hub(tmp_path: Path) -> None:
    """Images and references are counted by upstream; no image, no forecast."""
    pod = "kind: Pod\nspec:\n  containers:\n" + "  - image: quay.io/a/b:1\n" * 2
    write_tree(tmp_path, {".git/HEAD": "", "pod.yaml": pod, "none/a.yaml": "kind: Pod\n"})
    given = (*REGISTRY, *CHARTS, "--quiet", "--accounting")

    some, none = (run(tmp_path, "scan", folder, *given).stdout for folder in (".", "none"))

    assert "forecast: quay.io 1 image in 2 references\n" in some
    assert "forecast" not in none


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["Dockerfile"], 2, "other-format: Dockerfile files are never read"),
        (["main.tf", "Dockerfile"], 2, "other-format: Dockerfile, Terraform files are never read"),
        (["main.tf", "a.json"], 0, "main.tf: other-format: Terraform"),
        (["stack.yaml"], 0, "stack.yaml: other-format: Compose: not read, and names 1 image"),
        ([".github/ci.yaml"], 0, ".github/ci.yaml: other-format: CI"),
        (["a.json"], 0, ""),
        (["app.env"], 0, "1 unclaimed"),
    ],
)
def test_files_that_are_not_looked_at(
    names: list[str], code: int, said: str, tmp_path: Path
) -> None:
    """A hook is handed all of them: YAML and JSON pass with a note, other formats alone are 2."""
    made = {"Dockerfile": "FROM nginx\n", "main.tf": f'a = "{HUB}"\n', "a.json": "{}\n"}
    made |= {"stack.yaml": "services: {a: {image: 'redis:7'}}\n", "app.env": f"A={HUB}\n"}
    made |= {".github/ci.yaml": f"a: {HUB}\n"}
    write_tree(tmp_path, {".git/HEAD": "", **made})

    done = run(tmp_path, "check", *names, *REGISTRY, *CHARTS)

    assert done.code == code
    assert said in done.stderr


_RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}}}
spec:
  chart: {{spec: {{chart: {name}, sourceRef: {{kind: HelmRepository, name: r}}}}}}
"""
_UNREAD: dict[str, tuple[dict[str, str], int]] = {
    "nothing installs a chart": ({"pod.yaml": POD}, 0),
    "two releases": ({f"{name}.yaml": _RELEASE.format(name=name) for name in "ab"}, 2),
    "a release of a chart in the tree": (
        {
            "helmfile.yaml": "releases: [{name: a, chart: ./chart}]\n",
            "chart/Chart.yaml": "name: chart\nversion: 1.0.0\n",
        },
        0,
    ),
    "a helmfile that is a template": (
        {"helmfile.yaml": "releases:\n{{ if .x }}\n  - {name: a, chart: r/c}\n{{ end }}\n"},
        1,
    ),
    "a release that a template names": (
        {"helmfile.yaml": 'releases: [{name: "{{ .Values.a }}", chart: r/c}]\n'},
        1,
    ),
    "a chart with a dependency elsewhere": (
        {
            "Chart.yaml": "name: a\nversion: 1.0.0\ndependencies:\n"
            "  - {name: b, version: 1.0.0, repository: https://example.com}\n"
        },
        1,
    ),
    "a chart with a dependency beside it": (
        {
            "Chart.yaml": "name: a\nversion: 1.0.0\ndependencies:\n"
            "  - {name: b, version: 1.0.0, repository: 'file://../b'}\n"
        },
        0,
    ),
}


@pytest.mark.parametrize("mode", ["off", "auto"])
@pytest.mark.parametrize("name", _UNREAD)
def test_charts_that_nobody_read_are_one_line(name: str, mode: str, tmp_path: Path) -> None:
    """The account says once how many releases have charts that nobody read, in every mode."""
    files, number = _UNREAD[name]
    write_tree(tmp_path, files)
    options = (*REGISTRY, "--charts", mode, "--offline")

    report = run(tmp_path, "scan", *options, "--format", "json").report
    text = run(tmp_path, "scan", *options)

    assert report["account"]["charts_unread"] == number
    said = [line for line in text.stdout.splitlines() if "charts-unread" in line]
    assert len(said) == (number > 0)
    assert (f"; charts of {number} release" in text.stderr) is (number > 0)


def test_few_charts_are_named_without_being_asked_for(tmp_path: Path) -> None:
    """Of many charts in whose way something is, the first is named; with --verbose all are."""
    write_tree(tmp_path, {f"{name}.yaml": _RELEASE.format(name=name) for name in "abcde"})
    options = (*REGISTRY, "--charts", "auto", "--offline")

    few = run(tmp_path, "scan", *options).stdout
    all_of_them = run(tmp_path, "scan", *options, "--verbose").stdout

    assert few.count("warning chart-unavailable") == 1
    assert few.count("(5 times)") == 1
    assert all_of_them.count("warning chart-unavailable") == 5
