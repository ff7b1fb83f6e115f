"""Commands without a path work on the folder where they are called."""

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

    steps = [line.split(": ", 1)[1] for line in done.stdout.splitlines() if line[:5] == "next "]
    assert steps == [
        "git diff",
        "imageshift rules validate .",
        "imageshift warm --pull",
        "imageshift verify",
        "imageshift check",
    ]
