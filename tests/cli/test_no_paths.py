"""Commands without a path work on the folder where they are called."""

import shlex
import subprocess
from pathlib import Path

import pytest

from command_line import REGISTRY, read_tree, run, write_tree

pytestmark = pytest.mark.once

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: "nginx:1.25"}]}
"""
TREE: dict[str, str | bytes] = {"a.yaml": POD, "d/b.yaml": POD.replace("nginx", "ghcr.io/org/b")}

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com")

COMMANDS = [
    ["scan"],
    ["scan", "--format", "json"],
    ["migrate", "--diff"],
    ["migrate"],
    ["check"],
    ["revert", "--all", "--dry-run"],
    ["warm"],
    ["doctor", "--offline", "--format", "json"],
    ["explain", "nginx:1.25"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_path_is_the_folder(words: list[str], tmp_path: Path) -> None:
    """Every command does without a path what it does with `.`: output, code and files."""
    places = [tmp_path / "without" / "x", tmp_path / "with" / "x"]
    for place in places:
        write_tree(place, TREE)
    command = [*words, *REGISTRY]

    without, given = run(places[0], *command), run(places[1], *command, ".")

    assert without.stdout.replace("/without/", "/with/") == given.stdout
    assert (without.code, without.stderr) == (given.code, given.stderr)
    assert read_tree(places[0]) == read_tree(places[1])


def test_check_without_a_path_isnt_empty(tmp_path: Path) -> None:
    """`check` without files looks at the whole folder: none named doesn't mean none to read."""
    write_tree(tmp_path, TREE)

    done = run(tmp_path, "check", *REGISTRY)

    assert done.code == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()[::2]] == ["a.yaml", "d/b.yaml"]


def test_next_steps_are_in_the_safe_order(tmp_path: Path) -> None:
    """`migrate` names what to do next: rules before pulls before proof before the merge."""
    write_tree(tmp_path, TREE)

    done = run(tmp_path, "migrate", *REGISTRY)

    steps = done.stdout.partition("\nnext\n")[2].splitlines()
    registry = shlex.join(REGISTRY)
    assert [step.partition("#")[0].strip() for step in steps] == [
        "git diff",
        f"imageshift rules validate . {registry}",
        f"imageshift warm --pull {registry}",
        f"imageshift verify {registry}",
        f"imageshift check {registry}",
    ]


def test_next_steps_run_as_they_are_printed(tmp_path: Path) -> None:
    """They name the paths and options of the run, quoted for the shell, and succeed."""
    write_tree(tmp_path, {f"my clusters/{name}": text for name, text in TREE.items()})
    given = ["my clusters", *REGISTRY, "--rule", "nvcr.io/nvidia=nv", "--alias", "known"]
    for command in (["init", "-q"], ["add", "."], [*AUTHOR, "commit", "-qm", "before"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)

    scanned = run(tmp_path, "scan", *given)
    offered = [shlex.split(step, comments=True) for step in steps_of(scanned.stdout)]

    assert offered == [
        ["imageshift", "rules", "validate", *given],
        ["imageshift", "migrate", "--diff", *given],
        ["imageshift", "migrate", *given],
    ]
    written = run(tmp_path, *offered[-1][1:])
    words = [shlex.split(step, comments=True) for step in steps_of(written.stdout)]
    assert words[-2:] == [["imageshift", "verify", *given], ["imageshift", "check", *given]]
    assert [run(tmp_path, *line[1:]).code for line in words[-2:]] == [0, 0]


def test_a_dry_run_leads_to_what_it_showed(tmp_path: Path) -> None:
    """The step that writes has the options that change what is written."""
    write_tree(tmp_path, TREE)
    own = ["--prune", "--mend-stale"]

    shown = run(tmp_path, "migrate", ".", "--dry-run", *own, *REGISTRY)

    [step] = steps_of(shown.stdout)
    assert shlex.split(step, comments=True) == ["imageshift", "migrate", *own, *REGISTRY]


def steps_of(text: str) -> list[str]:
    """Return the next steps of a report."""
    return text.partition("\nnext\n")[2].splitlines()
