"""What a configuration in the tree may say, and what only the user may: nothing is contacted."""

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.ecr import may_be_ecr
from imageshift.errors import NoFilesError
from imageshift.repo.workspace import find_root
from imageshift.run import find_config

pytestmark = pytest.mark.once

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, image: nginx:1.27}\n"
RELEASE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: a}
spec: {url: http://127.0.0.1:9/charts}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: a}
spec:
  chart:
    spec: {chart: web, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}
  values: {image: {repository: nginx, tag: "1"}}
"""
REMOTE = "resources: ['http://127.0.0.1:9/base.yaml', pod.yaml]\n"
# Ends the process where it connects, resolves a name or starts a program.
FENCE = """\
import os, sys
def fence(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec"}:
        os.write(2, f"CONTACT {event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(fence)
from imageshift.cli import main
main()
"""
OWN = 'account: "123456789012"\nregion: eu-west-2\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository with an image, a release and a remote base."""
    files: dict[str, str | bytes] = {
        ".git/HEAD": "",
        "pod.yaml": POD,
        "release.yaml": RELEASE,
        "kustomization.yaml": REMOTE,
    }
    write_tree(tmp_path / "r", files)
    return (tmp_path / "r").resolve()


REFUSED = {
    "host": (f"registry_host: evil.example\n{OWN}", "1:16: evil.example isn't an ECR registry"),
    "host with a variable": ("registry_host: ${A}.evil.example\n", "1:16: ${A}.evil.example isn't"),
    "host with a default": ("registry_host: '${A:=evil.example}'\n", "1:16: ${A:=evil"),
    "host behind another": (
        f"registry_host: {HOST}.evil.example\n",
        f"1:16: {HOST}.evil.example isn't an ECR registry",
    ),
    "host for a part": (
        f"{OWN}registries: [{{paths: [a/], registry_host: evil.example}}]\n",
        "3:43: evil.example isn't an ECR registry",
    ),
    "AWS": (OWN + "rules_from: aws\n", "3:13: only the command line may ask AWS"),
    "rules outside": (OWN + "rules_from: ../rules.json\n", "3:13: ../rules.json leads out of"),
    "rules from the top": (OWN + "rules_from: /etc/passwd\n", "3:13: /etc/passwd leads out of"),
    "rules behind a link": (OWN + "rules_from: link/rules.json\n", "3:13: link/rules.json leads"),
    "chart outside": (
        OWN + "charts: {sources: {a/web: ../chart}}\n",
        "3:20: ../chart leads out of",
    ),
    "CRDs outside": (OWN + "crds: [../crds]\n", "3:8: ../crds leads out of"),
    "CRDs that don't exist": (OWN + "crds: [a, crds]\n", "3:8: a doesn't exist"),
    "too many values": ("exclude: [" + "a," * 10_000 + "]\n", "more than 10,000 values"),
    "too long": ("exclude: ['" + "a" * (1 << 20) + "']\n", "larger than 1 MiB"),
    "too deep": ("exclude: " + "[" * 100_000 + "\n", "nested deeper than 150 levels"),
    "laughs": (
        "exclude: &a [" + "a, " * 99 + "]\n"
        "values: &b [" + "*a, " * 99 + "]\nimages: [" + "*b, " * 99 + "]\n",
        "aliases repeat too much",
    ),
}


@pytest.mark.parametrize("command", [("check", "pod.yaml"), ("scan", "."), ("map", "nginx")])
@pytest.mark.parametrize("name", REFUSED)
def test_what_a_configuration_in_the_tree_may_not_say(
    tree: Path, name: str, command: tuple[str, ...]
) -> None:
    """Exit code 2 with path, line and column, whatever the command."""
    text, why = REFUSED[name]
    write_tree(tree.parent, {"rules.json": "{}", "chart/Chart.yaml": "name: web"})
    write_tree(tree, {".imageshift.yaml": text})
    (tree / "link").symlink_to("..")

    done = run(tree, *command)

    assert (done.code, done.stdout) == (2, "")
    assert f".imageshift.yaml:{why}" in done.stderr or why in done.stderr


def test_paths_count_from_the_link_to_a_configuration(tree: Path) -> None:
    """What is checked is what is read: paths from where the file is found, not where it leads."""
    write_tree(tree.parent, {"rules.json": "{}"})
    write_tree(tree, {"a/b/config.yaml": OWN + "rules_from: ../rules.json\n", "a/rules.json": "{}"})
    (tree / ".imageshift.yaml").symlink_to("a/b/config.yaml")

    done = run(tree, "check", "pod.yaml")

    assert (done.code, done.stdout) == (2, "")
    assert "3:13: ../rules.json leads out of" in done.stderr


def test_crds_are_looked_for_where_they_are_read(tree: Path) -> None:
    """A configuration behind a link names CRDs beside the link."""
    write_tree(tree, {"a/config.yaml": OWN + "crds: [crds]\n", "crds/a.yaml": "a: b\n"})
    (tree / ".imageshift.yaml").symlink_to("a/config.yaml")

    assert run(tree, "scan", "pod.yaml", "--charts", "off").code == 0


ALLOWED = {
    "a host": ("registry_host: mirror.example\n", ("--registry-host", "mirror.example")),
    "a named configuration": ("registry_host: mirror.example\n", ("--config", ".imageshift.yaml")),
    "own rules": (OWN + "rules_from: aws\n", ("--rules", "article")),
    "rules below the root": (OWN + "rules_from: rules.json\n", ()),
    "an ECR host": (f"registry_host: {HOST}\n", ()),
    "a variable": ("registry_host: ${ECR_HOST}\n", ()),
    "variables": ("registry_host: ${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com\n", ()),
}


@pytest.mark.parametrize(("text", "options"), ALLOWED.values(), ids=ALLOWED)
def test_what_the_user_says_counts(tree: Path, text: str, options: tuple[str, ...]) -> None:
    """What the command line says itself, or leaves to a file that it names, is taken."""
    rules = '{"pullThroughCacheRules": [{"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": '
    write_tree(tree, {".imageshift.yaml": text, "rules.json": rules + '"registry-1.docker.io"}]}'})

    done = run(tree, "check", "pod.yaml", *options)

    assert (done.code, "nginx:1.27 is not from the cache" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HOST, True),
        ("123456789012.dkr-ecr-fips.us-east-1.on.aws", True),
        ("public.ecr.aws", False),
        ("1.dkr.ecr.eu-west-2.amazonaws.com.evil.example", False),
        ("evil.example/1.dkr.ecr.eu-west-2.amazonaws.com", False),
    ],
)
def test_hosts_that_may_be_ecr(host: str, expected: bool) -> None:  # noqa: FBT001 a table
    """The whole host has ECR's grammar, in any partition."""
    assert may_be_ecr(host) is expected


GREEDY = OWN + "render: true\ncharts: {mode: require}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "release.yaml", "kustomization.yaml", "pod.yaml"),
        ("check", "--charts", "off", "."),
        ("scan", "--charts", "off", "."),
        ("migrate", "--charts", "off", "--dry-run", "."),
        ("migrate", "--offline", "."),
        ("check", "--offline", "."),
        ("migrate", "--offline", "--charts", "off", "release.yaml"),
    ],
    ids=" ".join,
)
def test_nothing_is_contacted_whatever_it_says(tree: Path, arguments: tuple[str, ...]) -> None:
    """No connection, no name looked up, no program started; the image is found all the same."""
    write_tree(tree, {".imageshift.yaml": GREEDY})

    done = subprocess.run(
        [sys.executable, "-c", FENCE, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "CONTACT" not in done.stderr
    assert done.returncode in {0, 1, 4}, done.stderr


def test_fence_holds(tree: Path) -> None:
    """Without --offline the chart is asked for, so that the fence is known to see it."""
    command = [sys.executable, "-c", FENCE, "scan", *REGISTRY, "."]

    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)

    assert (done.returncode, "CONTACT" in done.stderr) == (99, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", ".", "--render"),
        ("scan", ".", "--rules-from", "aws"),
        ("warm", ".", "--pull"),
        ("warm", ".", "--check"),
        ("rules", "import", "aws"),
        ("rules", "validate", "."),
    ],
    ids=" ".join,
)
def test_offline_refuses_what_must_contact(tree: Path, arguments: tuple[str, ...]) -> None:
    """Exit code 2: the two options can't both be meant."""
    done = run(tree, *arguments, "--offline", *REGISTRY)

    assert (done.code, "offline" in done.stderr) == (2, True)


def test_configuration_that_is_no_file(tree: Path) -> None:
    """A link out of the root, to a device, or a pipe: exit code 2, not a run without it."""
    path = tree / ".imageshift.yaml"
    for target in ("/dev/zero", "../outside.yaml", "nowhere", ".imageshift.yaml"):
        path.symlink_to(target)
        done = run(tree, "check", "pod.yaml", *REGISTRY)
        assert (done.code, "can't be read" in done.stderr) == (2, True), target
        path.unlink()
    subprocess.run(["mkfifo", path], check=True)
    assert run(tree, "check", "pod.yaml", *REGISTRY).code == 2
    path.unlink()
    path.symlink_to("own.yaml")
    write_tree(tree, {"own.yaml": OWN})
    assert run(tree, "check", "pod.yaml").code == 1


def test_bare_repository_is_no_root(tree: Path) -> None:
    """Neither its configuration nor itself counts; the repository around it does."""
    bare = tree / "vendor/x.git"
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    write_tree(bare, {".imageshift.yaml": "registry_host: evil.example\n", "a/pod.yaml": POD})

    assert find_root([bare]) == tree
    assert find_root([bare / "a/pod.yaml"]) == tree
    assert find_config([bare / "a"], tree) is None
    assert run(tree, "check", "vendor/x.git/a/pod.yaml", *REGISTRY).code == 1
    with pytest.raises(NoFilesError, match="lies outside"):
        find_root([tree], bare)


def test_check_says_what_the_configuration_hides(tree: Path) -> None:
    """How many images in which files `exclude:` leaves out; the base branch's may be named."""
    write_tree(tree, {".imageshift.yaml": OWN + "exclude: [hidden/]\n"})
    write_tree(tree, {f"hidden/{n}.yaml": POD for n in range(10)})
    write_tree(tree.parent, {"base.yaml": OWN})

    done = run(tree, "check", "--charts", "off", ".")
    named = run(tree, "check", "hidden/1.yaml")
    based = run(tree, "check", "hidden/1.yaml", "--config", "../base.yaml")

    assert "`exclude:` hides 10 images in 10 files: hidden/0.yaml, " in done.stderr
    assert "2 more" in done.stderr
    assert (named.code, "hides 1 image in 1 file" in named.stderr) == (0, True)
    assert (based.code, "hides" in based.stderr) == (1, False)
