"""imageshift init writes a configuration that works; explain says why."""

from pathlib import Path

import pytest

from command_line import ACCOUNT, HOST, REGISTRY, read_tree, run, write_tree
from imageshift.config_file import load_config

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: apps}
spec:
  containers:
    - name: a
      image: nginx:1.25
    - name: b
      image: ${IMAGE}
"""


def test_init_writes_what_later_runs_need(tmp_path: Path) -> None:
    """After it no option is needed, and the result is the same."""
    write_tree(tmp_path, {"a/pod.yaml": POD, "b/pod.yaml": POD})

    done = run(tmp_path, "init", ".", *REGISTRY)
    run(tmp_path, "migrate", "a", *REGISTRY)
    run(tmp_path, "migrate", "b")

    assert (done.code, done.stderr) == (0, "wrote .imageshift.yaml\n")
    after = read_tree(tmp_path)
    assert after["a/pod.yaml"] == after["b/pod.yaml"] != POD.encode()


def test_init_says_which_rules_nothing_uses(tmp_path: Path) -> None:
    """The rules of all upstreams are written, those without an image with a word about it."""
    write_tree(tmp_path, {"pod.yaml": POD})

    run(tmp_path, "init", *REGISTRY)

    text = (tmp_path / ".imageshift.yaml").read_text()
    config = load_config(tmp_path / ".imageshift.yaml")
    assert f'account: "{ACCOUNT}"\nregion: eu-west-2\nrules:\n  - upstream: docker.io\n' in text
    assert "  - upstream: quay.io  # no image comes from here today\n" in text
    assert len(config.rules) == 5


def test_init_keeps_rules_with_an_upstream_prefix(tmp_path: Path) -> None:
    """And a host that was given instead of the account's."""
    write_tree(tmp_path, {"pod.yaml": POD})

    run(tmp_path, "init", "--registry-host", "${ECR_HOST}", "--rule", "ghcr.io/org=team")

    config = load_config(tmp_path / ".imageshift.yaml")
    assert config.registry_host == "${ECR_HOST}"
    assert [rule.upstream_prefix for rule in config.rules if not isinstance(rule, str)].count("org")


def test_init_never_replaces_unasked(tmp_path: Path) -> None:
    """--force does."""
    write_tree(tmp_path, {".imageshift.yaml": "exclude: [a/]\n", "pod.yaml": POD})

    refused = run(tmp_path, "init", *REGISTRY)
    kept = (tmp_path / ".imageshift.yaml").read_text()
    forced = run(tmp_path, "init", "--force", *REGISTRY)

    assert (refused.code, kept, forced.code) == (2, "exclude: [a/]\n", 0)
    assert "already exists\n  hint: --force replaces it\n" in refused.stderr
    assert load_config(tmp_path / ".imageshift.yaml").region == "eu-west-2"


def explained(folder: Path, *arguments: str) -> str:
    """Return what explain prints."""
    write_tree(folder, {"pod.yaml": POD})
    done = run(folder, "explain", *arguments, *REGISTRY)
    assert done.code == 0, done.stderr
    return done.stdout


def test_explain_of_a_line(tmp_path: Path) -> None:
    """The image of that line alone."""
    assert explained(tmp_path, "pod.yaml:7") == (
        "pod.yaml:7:14\n"
        "  image      nginx:1.25\n"
        "  found at   spec.containers.0.image of Pod apps/web\n"
        "  confidence exact\n"
        "  rule       docker.io → docker-hub\n"
        f"  becomes    {HOST}/docker-hub/library/nginx:1.25\n"
    )


def test_explain_of_a_file(tmp_path: Path) -> None:
    """Every image of it, with the reason of those that stay."""
    text = explained(tmp_path, "pod.yaml")

    assert text.startswith("pod.yaml:7:14\n")
    assert "pod.yaml:9:14\n  image      ${IMAGE}\n" in text
    assert "  stays      skipped (variable)\n  because    " in text


@pytest.mark.parametrize(
    "image", ["nginx", "nginx:1.25", "docker.io/library/nginx", "docker.io/nginx:1.25"]
)
def test_explain_of_an_image(tmp_path: Path, image: str) -> None:
    """Found by any of its names."""
    assert explained(tmp_path, image).startswith("pod.yaml:7:14\n")


def test_explain_of_a_place_with_a_column(tmp_path: Path) -> None:
    """As check prints it."""
    assert explained(tmp_path, "pod.yaml:7:14").startswith("pod.yaml:7:14\n")


@pytest.mark.parametrize("what", ["empty.yaml:1", "redis", "nginx:1.27"])
def test_explain_of_nothing(tmp_path: Path, what: str) -> None:
    """Exit code 1 and a word."""
    write_tree(tmp_path, {"pod.yaml": POD, "empty.yaml": "a: 1\n"})

    done = run(tmp_path, "explain", what, *REGISTRY)

    assert (done.code, done.stdout) == (1, "")
    assert f"no image found for {what}" in done.stderr


def test_explain_of_the_nearest_line(tmp_path: Path) -> None:
    """A line without an image means the nearest one that has one."""
    assert explained(tmp_path, "pod.yaml:1").startswith("pod.yaml:7:14\n")


NAMES = {
    "its familiar name": ("nginx:1.27", "nginx"),
    "its full name": ("nginx:1.27", "docker.io/library/nginx:1.27"),
    "another host of the same": ("nginx:1.27", "index.docker.io/library/nginx"),
    "the upstream of a cached one": (f"{HOST}/docker-hub/library/nginx:1.27", "nginx:1.27"),
    "where it goes": ("quay.io/a/b:1", f"{HOST}/quay/a/b"),
    "the text": (f"{HOST}/quay/a/b:1", f"{HOST}/quay/a/b:1"),
}


@pytest.mark.parametrize("file", ["values.yaml", "pod.yaml", "app.env"])
@pytest.mark.parametrize("name", NAMES)
def test_explain_finds_an_image_by_any_name(name: str, file: str, tmp_path: Path) -> None:
    """Also in places that no finder claims, and in one that is skipped."""
    text, asked = NAMES[name]
    pod = f"kind: Pod\napiVersion: v1\nspec: {{containers: [{{name: a, image: {text}}}]}}\n"
    made = {"values.yaml": f"image: {text}\n", "pod.yaml": pod, "app.env": f"IMAGE={text}\n"}
    write_tree(tmp_path, {".git/HEAD": "", file: made[file]})

    assert run(tmp_path, "explain", asked, *REGISTRY).stdout.startswith(f"{file}:")


def test_explain_of_a_file_that_is_not_read(tmp_path: Path) -> None:
    """The reason why nothing in it is looked at."""
    write_tree(tmp_path, {".git/HEAD": "", "Dockerfile": "FROM nginx:1.27\n"})

    said = run(tmp_path, "explain", "Dockerfile", *REGISTRY).stdout

    assert said == "Dockerfile: other-format: Dockerfile: not read, and names 1 image\n"


def test_explain_of_a_place_looks_at_the_whole_graph(tmp_path: Path) -> None:
    """What an overlay says of a base counts as in a run over everything."""
    overlay = "resources: [../base]\nimages: [{name: nginx, newTag: '1.27'}]\n"
    write_tree(
        tmp_path,
        {
            ".git/HEAD": "",
            "base/pod.yaml": POD,
            "base/kustomization.yaml": "resources: [pod.yaml]\n",
            "prod/kustomization.yaml": overlay,
        },
    )

    done = run(tmp_path, "explain", "base/pod.yaml:7", *REGISTRY)

    assert done.code == 0
    assert done.stdout.count("becomes ") == 1
    assert done.stdout.endswith(
        "  built by   prod/kustomization.yaml\n"
        "    base/kustomization.yaml: nginx:1.25\n"
        "    prod/kustomization.yaml:2: images entry makes it nginx:1.27\n"
    )


CACHE_TF = """\
resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "hub"
  upstream_registry_url = "registry-1.docker.io"
}
"""
CACHE_YAML = """\
apiVersion: ecr.services.k8s.aws/v1alpha1
kind: PullThroughCacheRule
metadata: {name: hub}
spec: {ecrRepositoryPrefix: hub, upstreamRegistryURL: registry-1.docker.io}
"""


@pytest.mark.parametrize(
    ("name", "text"), [("infra/cache.tf", CACHE_TF), ("infra/cache.yaml", CACHE_YAML)]
)
def test_init_takes_the_rules_of_the_tree(name: str, text: str, tmp_path: Path) -> None:
    """Where the tree itself makes the rules, their prefixes are written, not the built-in ones."""
    write_tree(tmp_path, {"pod.yaml": POD, name: text})

    done = run(tmp_path, "init", *REGISTRY)

    config = load_config(tmp_path / ".imageshift.yaml")
    assert [(rule.upstream, rule.prefix) for rule in config.rules if not isinstance(rule, str)] == [
        ("docker.io", "hub")
    ]
    assert done.stderr.startswith(f"{name}:1:1: docker.io → hub\n")


def test_init_says_what_the_tree_has_no_rule_for(tmp_path: Path) -> None:
    """An upstream that ECR could cache is named, one that it can't isn't."""
    more = POD + "    - image: ghcr.io/a/b:1\n    - image: gcr.io/a/b:1\n"
    write_tree(tmp_path, {"pod.yaml": more, "cache.tf": CACHE_TF})

    done = run(tmp_path, "init", *REGISTRY)

    assert "images of ghcr.io are used, and no rule covers them" in done.stderr
    assert "gcr.io are" not in done.stderr.replace("ghcr.io", "")


CACHE_VARIABLE = """\
resource "aws_ecr_pull_through_cache_rule" "quay" {
  ecr_repository_prefix = var.prefix
  upstream_registry_url = "quay.io"
}
"""
SAVED = """\
{"pullThroughCacheRules": [{"ecrRepositoryPrefix": "theirs",
  "upstreamRegistryUrl": "quay.io", "registryId": "999999999999"}]}
"""


def written_rules(folder: Path) -> list[tuple[str, str]]:
    """Return the rules of the configuration that was written."""
    config = load_config(folder / ".imageshift.yaml")
    return [(rule.upstream, rule.prefix) for rule in config.rules if not isinstance(rule, str)]


@pytest.mark.parametrize(
    ("others", "more", "expected"),
    [
        pytest.param({"a.tf": CACHE_VARIABLE}, [], "hub", id="a rule that can't be read"),
        pytest.param({"a.tf": "resource {"}, [], "hub", id="no Terraform"),
        pytest.param({"theirs.json": SAVED}, [], "hub", id="another account's"),
        pytest.param({"b.yaml": CACHE_YAML}, [], "hub", id="the same twice"),
        pytest.param(
            {"b.yaml": CACHE_YAML.replace("Prefix: hub", "Prefix: other")},
            ["--rule", "docker.io=other"],
            "other",
            id="one of two is chosen",
        ),
    ],
)
def test_init_never_contradicts_the_tree(
    others: dict[str, str], more: list[str], expected: str, tmp_path: Path
) -> None:
    """Whatever else is in the tree, a prefix that it gives an upstream is the one written."""
    write_tree(tmp_path, {"pod.yaml": POD, "cache.tf": CACHE_TF, **others})

    done = run(tmp_path, "init", *REGISTRY, *more)

    assert done.code == 0
    assert written_rules(tmp_path) == [("docker.io", expected)]


def test_init_with_rules_of_ones_own(tmp_path: Path) -> None:
    """What the command line says wins over what the tree makes."""
    write_tree(tmp_path, {"pod.yaml": POD, "cache.tf": CACHE_TF})

    run(tmp_path, "init", "--rules", "console", *REGISTRY)

    assert "prefix: docker-hub" in (tmp_path / ".imageshift.yaml").read_text()


def test_a_file_that_is_not_there_is_no_image(tmp_path: Path) -> None:
    """`explain` says so, with a line or without; a name without a file's ending may be an image."""
    for what in ("a/b.yaml", "a/b.yml:3", "c.json:3:1"):
        done = run(tmp_path, "explain", what, *REGISTRY)
        assert (done.code, done.stderr) == (
            2,
            f"imageshift: {what.partition(':')[0]}: no such file\n",
        )
    assert run(tmp_path, "explain", "a/b:1", *REGISTRY).stderr.startswith(
        "no image found for a/b:1\n"
    )


def test_a_reason_is_said_once(tmp_path: Path) -> None:
    """An image without a rule stays `no-rule`, and not `no-rule (no-rule)`."""
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: nvcr.io/a/b:1}]}\n"
    write_tree(tmp_path, {"a.yaml": pod})

    assert "  stays      no-rule\n" in run(tmp_path, "explain", "a.yaml", *REGISTRY).stdout


OLD = {
    "its rules go, its registry stays": (
        'account: "123456789012"\nregion: eu-west-2\nrules: console\nexclude: [a.yaml]\n',
        (),
        "",
    ),
    "options win": ('account: "1"\nregion: eu-west-1\nrules: console\n', REGISTRY, ""),
    "one that is broken": ("account: [\n", REGISTRY, "nothing from the old file is kept: "),
}


@pytest.mark.parametrize("name", OLD)
def test_force_starts_afresh(name: str, tmp_path: Path) -> None:
    """`init --force` writes what it would write without a file, but for the registry."""
    old, options, said = OLD[name]
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: quay.io/a/b:1}]}\n"
    write_tree(tmp_path / "old", {"a.yaml": pod, ".imageshift.yaml": old})
    write_tree(tmp_path / "new", {"a.yaml": pod})

    done = run(tmp_path / "old", "init", "--force", *options)
    expected = run(tmp_path / "new", "init", *REGISTRY)

    assert (done.code, expected.code) == (0, 0)
    assert done.stderr.startswith(said)
    made = [(tmp_path / folder / ".imageshift.yaml").read_text() for folder in ("old", "new")]
    assert made[0] == made[1]
    assert "ecr-public" not in made[0]
