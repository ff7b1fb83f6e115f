"""--output has what standard output would have had, --format only where it means something."""

import re
import subprocess
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
    - image: nginx:1.25
    - image: nvcr.io/x/y:1
"""
CACHED = f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: {HOST}/quay/a/b:1}}]}}\n"
RULES = (
    '{"pullThroughCacheRules": [{"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}]}'
)

COMMANDS = {
    "scan": ("scan", "a.yaml"),
    "scan, strict and quiet": ("scan", ".", "--strict", "--quiet"),
    "scan as JSON": ("scan", ".", "--format", "json"),
    "scan as SARIF": ("scan", ".", "--format", "sarif"),
    "scan as a page": ("scan", ".", "--format", "html"),
    "check": ("check", "."),
    "check, strict": ("check", ".", "--strict"),
    "check as a comment": ("check", ".", "--format", "markdown"),
    "migrate": ("migrate", ".", "--dry-run"),
    "diff": ("migrate", ".", "--diff"),
    "diff, quiet": ("migrate", ".", "--diff", "--quiet"),
    "revert": ("revert", ".", "--all", "--diff"),
    "map": ("map", "nginx", "quay.io/a/b"),
    "map as JSON": ("map", "nginx", "--format", "json"),
    "explain": ("explain", "a.yaml:5"),
    "warm": ("warm", "."),
    "warm forecast": ("warm", ".", "--forecast", "--format", "json"),
    "rules list": ("rules", "list", "."),
    "rules import": ("rules", "import", "rules.json"),
    "infra cloudformation": ("infra", "cloudformation", "."),
    "infra terraform": ("infra", "terraform", ".", "--out", "tf"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_output_has_what_stdout_has(tmp_path: Path, command: tuple[str, ...]) -> None:
    """For every command and format, with the same exit code and narration."""
    folders = []
    for name in ("one", "other"):
        folders.append(tmp_path / name)
        write_tree(
            tmp_path / name,
            {
                "a.yaml": POD,
                "c.yaml": CACHED,
                "rules.json": RULES,
            },
        )

    shown = run(folders[0], *command, *REGISTRY)
    kept = run(folders[1], *command, *REGISTRY, "--output", str(tmp_path / "result"))

    assert shown.stdout
    assert (kept.code, kept.stdout) == (shown.code, "")
    assert (tmp_path / "result").read_text() == shown.stdout
    assert kept.stderr == shown.stderr
    assert read_tree(folders[0]) == read_tree(folders[1])


def test_diff_in_a_file_can_be_applied(tmp_path: Path) -> None:
    """What stands behind it, the summary, is no part of it."""
    write_tree(tmp_path, {"a.yaml": POD})
    run(tmp_path, "migrate", ".", *REGISTRY, "--diff", "--output", "a.diff")

    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "a.diff"], cwd=tmp_path, check=True)

    assert f"{HOST}/docker-hub/library/nginx:1.25" in (tmp_path / "a.yaml").read_text()


def test_failed_command_leaves_the_old_result(tmp_path: Path) -> None:
    """A file holds a whole result, or is as it was."""
    write_tree(tmp_path, {"a.yaml": POD, "old.txt": "old"})

    done = run(tmp_path, "scan", "missing.yaml", *REGISTRY, "--output", "old.txt")

    assert done.code in {2, 3}
    assert (tmp_path / "old.txt").read_text() == "old"


REFUSED = {
    "explain": (("explain", "nginx", "--format", "json"), "No such option: --format"),
    "init": (("init", "--format", "json"), "No such option: --format"),
    "init to a file": (("init", "--output", "x"), "No such option: --output"),
    "terraform": (("infra", "terraform", "--out", "x", "--format", "json"), "No such option"),
    "cloudformation": (("infra", "cloudformation", "--format", "json"), "No such option"),
    "migrate": (("migrate", ".", "--format", "sarif"), "'sarif' is not one of 'text', 'json'"),
    "migrate's diff": (("migrate", ".", "--diff", "--format", "json"), "can't be used together"),
    "revert's diff": (
        ("revert", ".", "--all", "--diff", "--format", "json"),
        "--diff and --format json can't be used together",
    ),
    "verify": (("verify", ".", "--format", "github"), "'github' is not one of 'text', 'json'"),
    "warm": (("warm", ".", "--format", "junit"), "'junit' is not one of 'text', 'json'"),
    "map": (("map", "nginx", "--format", "markdown"), "is not one of 'text', 'json'"),
    "scan": (("scan", ".", "--format", "xml"), "is not one of 'text', 'json', 'sarif'"),
}


@pytest.mark.parametrize(("command", "message"), REFUSED.values(), ids=REFUSED)
def test_format_is_refused(tmp_path: Path, command: tuple[str, ...], message: str) -> None:
    """Where it means nothing, with the formats that there are."""
    done = run(tmp_path, *command)

    assert done.code == 2
    assert message in " ".join(done.stderr.split())


QUIET = {
    "scan": ("scan", "bad.yaml: not-utf8"),
    "migrate": ("migrate", "bad.yaml: not-utf8"),
    "migrate, strict": ("migrate --dry-run --strict", "a.yaml:6:14: nvcr.io/x/y:1: no-rule"),
    "scan, strict": ("scan --strict", "a.yaml:6:14: no-rule: nvcr.io/x/y:1"),
    "check": ("check", "bad.yaml:1:1: not-utf8"),
    "check, strict": ("check --strict", "a.yaml:6:14: nvcr.io/x/y:1: no-rule"),
    "revert, strict": ("revert --all --strict", "bad.yaml:1:1: not-utf8"),
}


@pytest.mark.parametrize(("command", "message"), QUIET.values(), ids=QUIET)
def test_quiet_run_says_what_it_fails_for(tmp_path: Path, command: str, message: str) -> None:
    """No run fails without a word, whichever its options are."""
    write_tree(tmp_path, {"a.yaml": POD, "c.yaml": CACHED, "bad.yaml": b"image: nginx # \xff\n"})

    done = run(tmp_path, *command.split(), ".", "--quiet", *REGISTRY)

    assert done.code in {1, 3}
    said = re.sub(r"(?m)^bad.yaml:1:\d+", "bad.yaml:1:1", done.stdout + done.stderr)
    assert message.replace("bad.yaml: ", "bad.yaml:1:1: ") in said


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: a}
spec:
  chart: {spec: {chart: x, sourceRef: {kind: HelmRepository, name: missing}}}
  values: {}
"""


@pytest.mark.parametrize("command", ["scan", "check", "migrate --dry-run"])
def test_quiet_run_names_charts_that_it_requires(tmp_path: Path, command: str) -> None:
    """A run that fails for a chart names it, also where it says nothing else."""
    write_tree(tmp_path, {"a.yaml": RELEASE})
    arguments = (".", "--quiet", "--charts", "require", "--offline", *REGISTRY)

    done = run(tmp_path, *command.split(), *arguments)

    assert done.code == 4
    assert re.search(r"^a\.yaml:\d+:\d+: chart-unavailable: ", done.stderr, re.MULTILINE)


def test_strict_lists_all_of_it(tmp_path: Path) -> None:
    """Twenty images without a rule are twenty lines where they make the run fail."""
    many = POD + "".join(f"    - image: nvcr.io/x/y:{number}\n" for number in range(2, 21))
    write_tree(tmp_path, {"a.yaml": many})

    short = run(tmp_path, "migrate", ".", "--dry-run", *REGISTRY).stdout
    whole = run(tmp_path, "migrate", ".", "--dry-run", "--strict", *REGISTRY).stdout

    assert "--verbose lists every image and place\n" in short
    assert whole.count(": nvcr.io/x/y:") == 20
