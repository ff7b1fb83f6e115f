"""The GitHub Action: its steps run as a script in a scratch repository."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from command_line import HOST, write_tree

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ci" / "action.sh"
CONFIG = 'account: "123456789012"\nregion: eu-west-2\n'
POD = "apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: {}}}]}}\n"


@dataclass(frozen=True, slots=True)
class Step:
    """What a step left: its exit code, both streams, and the files that the runner reads."""

    code: int
    stdout: str
    stderr: str
    output: str
    summary: str


def environment(folder: Path, **inputs: str) -> dict[str, str]:
    """Return the environment of a step, with inputs as the runner gives them: all of them."""
    given = {
        f"INPUT_{name.upper()}": str(one["default"]) for name, one in action()["inputs"].items()
    }
    given |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    runner = {
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }
    git = {
        f"GIT_{role}_{what}": "a@b.c"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **git, **runner, **given}


def action() -> Any:
    """Return the content of action.yml."""
    return YAML(typ="safe").load(ROOT / "action.yml")


def run(folder: Path, step: str = "check", **inputs: str) -> Step:
    """Run a step in the folder `tree` below another one, with imageshift of this Python."""
    variables = environment(folder, **inputs)
    program = Path(sys.executable).with_name("imageshift")
    if step == "check" and not (folder / "temp").exists():
        variables["IMAGESHIFT"] = str(program)
    done = subprocess.run(
        ["bash", str(SCRIPT), step],
        cwd=folder / "tree",
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    left = [
        (folder / name).read_text() if (folder / name).exists() else ""
        for name in ("output", "summary")
    ]
    return Step(done.returncode, done.stdout, done.stderr, *left)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return a folder whose `tree` is a repository with one commit that has a finding."""
    write_tree(
        tmp_path / "tree",
        {
            ".imageshift.yaml": CONFIG,
            "a b.yaml": POD.format("nginx:1"),
            "c/d.yaml": POD.format("busybox:1"),
        },
    )
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(
            ["git", *words], cwd=tmp_path / "tree", env=environment(tmp_path), check=True
        )
    return tmp_path


def test_findings_are_annotations_and_a_summary(scratch: Path) -> None:
    """The step fails, says so in its output, and leaves a summary and the files asked for."""
    files = {"sarif": "found.sarif", "comment": "comment.md", "page": "page.html"}
    done = run(scratch, **files, paths="a b.yaml\nc\n")

    errors = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert (done.code, done.output) == (1, "exit-code=1\n")
    assert [re.findall(r"file=([^,]+),line=(\d+)", line) for line in errors] == [
        [("a b.yaml", "3")],
        [("c/d.yaml", "3")],
    ]
    assert done.summary == (scratch / "tree" / "comment.md").read_text()
    assert "### imageshift check: 2 errors, 1 warning\n" in done.summary
    log = json.loads((scratch / "tree" / "found.sarif").read_text())
    assert len(log["runs"][0]["results"]) == 2
    assert "<h1>imageshift <span>check</span></h1>" in (scratch / "tree/page.html").read_text()


def test_clean_repository_passes(scratch: Path) -> None:
    """Its summary says that everything comes from the cache."""
    write_tree(
        scratch / "tree",
        {name: POD.format(f"{HOST}/quay/a/b:1") for name in ("a b.yaml", "c/d.yaml")},
    )

    done = run(scratch)

    assert (done.code, done.stdout, done.output) == (0, "", "exit-code=0\n")
    assert "every image comes from the cache" in done.summary


INPUTS: dict[str, tuple[dict[str, str], int]] = {
    "one path": ({"paths": "c"}, 1),
    "no change": ({"changed": "HEAD"}, 0),
    "a known finding": ({"baseline": "known.json", "paths": "c"}, 0),
    "another configuration": ({"config": "other.yaml", "paths": "c"}, 0),
    "options": ({"args": "--rule=docker.io=\n", "paths": "c"}, 0),
    "strict": ({"args": "--rule=docker.io=", "paths": "c", "strict": "true"}, 1),
    "a path that isn't there": ({"paths": "x.yaml"}, 2),
    "a path that looks like an option": ({"paths": "--version"}, 2),
    "a path that looks like a command": ({"paths": "$(touch pwned)\n`touch pwned`"}, 2),
    "a wrong option": ({"args": "--no-such"}, 2),
}


@pytest.mark.parametrize(("inputs", "code"), INPUTS.values(), ids=INPUTS)
def test_inputs(scratch: Path, inputs: dict[str, str], code: int) -> None:
    """Each input reaches the command as one argument."""
    row = {"code": "not-cached", "file": "c/d.yaml", "subject": "busybox:1"}
    baseline = {"schema": "imageshift-baseline/v1", "findings": [row]}
    rules = "rules: [{upstream: quay.io, prefix: quay}]\n"
    write_tree(scratch / "tree", {"known.json": json.dumps(baseline), "other.yaml": CONFIG + rules})

    done = run(scratch, **inputs)

    assert (done.code, done.output) == (code, f"exit-code={code}\n"), done.stderr
    assert not (scratch / "tree" / "pwned").exists()
    assert bool(done.summary) == (code != 2)


def test_narration_is_no_command_to_the_runner(scratch: Path) -> None:
    """Names of files can't stop the runner's commands, in either of their spellings."""
    names = ("::stop-commands::x.yaml", "##[add-mask]x.yaml")
    files = dict.fromkeys(names, POD.format("nginx"))
    write_tree(scratch / "tree", {**files, ".imageshift.yaml": f"{CONFIG}exclude: ['*x.yaml']\n"})

    done = run(scratch, paths="\n".join(["c", *names]))

    assert "imageshift: ::stop-commands::x.yaml: nothing in it was read" in done.stderr
    assert "imageshift: ## [add-mask]x.yaml: nothing in it was read" in done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    assert not [line for line in lines if re.match(r"\s*::(?!error file=|warning )", line)]
    assert "##[" not in done.stderr


def test_action_passes_every_input() -> None:
    """Inputs are variables of the step that reads them, and no expression is in a script."""
    content = action()
    *_, install, check = content["runs"]["steps"]

    wanted = {f"INPUT_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in content["inputs"]}
    read = set(re.findall(r"INPUT_[A-Z]+", SCRIPT.read_text()))
    assert check["env"] == wanted
    assert read == set(wanted)
    assert [step["run"] for step in (install, check)] == [
        f'bash "$GITHUB_ACTION_PATH/ci/action.sh" {name}' for name in ("install", "check")
    ]


def test_inputs_are_documented() -> None:
    """The page has a row for each input, with the words of action.yml."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `([a-z]+)` \| ([^|]+) \|$", page, re.MULTILINE)

    assert rows == [(name, one["description"]) for name, one in action()["inputs"].items()]


@pytest.mark.precommit
def test_action_installs_itself(scratch: Path) -> None:
    """As on a runner: into a virtual environment of its own, from the action's folder."""
    (scratch / "temp").mkdir()

    installed = run(scratch, "install")
    done = run(scratch)

    assert installed.code == 0, installed.stderr
    assert (done.code, done.output) == (1, "exit-code=1\n")
