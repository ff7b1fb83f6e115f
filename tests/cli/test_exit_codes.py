"""Every row of the published exit codes, and which wins when several apply."""

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.cli.exits import reporting_errors
from imageshift.errors import (
    ConfigError,
    ImageshiftError,
    InvalidReferenceError,
    SourceError,
    ToolError,
)

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n"
    "spec: {{containers: [{{name: a, image: {}}}]}}\n"
)
MOVES = POD.format('"nginx:1.25"')
CACHED = POD.format(f'"{HOST}/docker-hub/library/nginx:1.25"')
NO_RULE = POD.format('"gcr.io/distroless/static:latest"')
BROKEN = "kind: Pod\nspec: [image: nginx\n"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec:\n"
DOUBTFUL = RELEASE + "  values: {image: {repository: org/a, tag: v1}}\n"
TORN = (
    RELEASE
    + "  values:\n"
    + "    a: {image: {registry: &hub docker.io, repository: nginx, tag: v1}}\n"
    + "    b: {image: {registry: *hub, repository: org/b, tag: v1}}\n"
)
SOPS = MOVES + "sops:\n  mac: x\n"
JOB = (
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
    "spec: {template: {spec: {containers: [{name: a, image: nginx}]}}}\n"
)
OTHERS = {
    "variable.yaml": POD.format('"${IMAGE}"'),
    "own.yaml": POD.format(f'"{HOST}/team/app:1"'),
    "other.yaml": POD.format('"999999999999.dkr.ecr.eu-west-2.amazonaws.com/a:1"'),
    "bad.yaml": POD.format('"1.dkr.ecr.eu-west-2.amazonaws.com/a:1"'),
    "no-reference.yaml": POD.format('"UPPER:1"'),
    "ignored.yaml": MOVES + "# imageshift: ignore-file\n",
    "sops.yaml": SOPS,
    "job.yaml": JOB,
}

Files = dict[str, str | bytes]

CODES: dict[str, tuple[str, Files, tuple[str, ...], int]] = {
    "migrate moves": ("migrate", {"a.yaml": MOVES}, (), 0),
    "migrate finds nothing": ("migrate", {"a.txt": ""}, (), 0),
    "check finds nothing": ("check", {"a.yaml": CACHED}, (), 0),
    "check finds": ("check", {"a.yaml": MOVES}, (), 1),
    "check of no rule": ("check", {"a.yaml": NO_RULE}, (), 0),
    "check of doubtful": ("check", {"a.yaml": DOUBTFUL}, (), 0),
    "strict check of no rule": ("check", {"a.yaml": NO_RULE}, ("--strict",), 1),
    "strict check of doubtful": ("check", {"a.yaml": DOUBTFUL}, ("--strict",), 1),
    "strict migrate of no rule": ("migrate", {"a.yaml": NO_RULE}, ("--strict",), 1),
    "strict scan of doubtful": ("scan", {"a.yaml": DOUBTFUL}, ("--strict",), 1),
    "strict check of cached": ("check", {"a.yaml": CACHED}, ("--strict",), 0),
    "scan of what moves": ("scan", {"a.yaml": MOVES}, (), 0),
    "other skips": ("check", dict(OTHERS), (), 0),
    "strict of other skips": ("check", dict(OTHERS), ("--strict",), 0),
    "unparsable": ("migrate", {"a.yaml": BROKEN, "b.yaml": MOVES}, (), 3),
    "not UTF-8": ("migrate", {"a.yaml": MOVES.encode() + b"# \xff"}, (), 3),
    "conflict": ("migrate", {"a.yaml": TORN}, (), 3),
    "conflict seen by scan": ("scan", {"a.yaml": TORN}, (), 3),
    "conflict seen by check": ("check", {"a.yaml": TORN}, (), 3),
    "findings before unsafe": ("check", {"a.yaml": BROKEN, "b.yaml": MOVES}, (), 1),
    "unknown option": ("migrate", {"a.yaml": MOVES}, ("--no-such-option",), 2),
    "unknown format": ("migrate", {"a.yaml": MOVES}, ("--format", "xml"), 2),
    "bad rule": ("migrate", {"a.yaml": MOVES}, ("--rule", "x"), 2),
    "twin prefixes": ("migrate", {"a.yaml": MOVES}, ("--rule", "gcr.io=quay"), 2),
    "bad prefix": ("migrate", {"a.yaml": MOVES}, ("--rule", "gcr.io=UPPER"), 2),
    "bad account": ("migrate", {"a.yaml": MOVES}, ("--account", "12a"), 2),
    "region without a cache": ("migrate", {"a.yaml": MOVES}, ("--region", "cn-north-1"), 2),
    "missing path": ("migrate", {"a.yaml": MOVES}, ("nowhere",), 2),
    "missing configuration": ("migrate", {"a.yaml": MOVES}, ("--config", "nowhere.yaml"), 2),
    "bad configuration": ("migrate", {"a.yaml": MOVES, ".imageshift.yaml": "x: 1\n"}, (), 2),
    "outside the root": ("migrate", {"a.yaml": MOVES, "b/c.yaml": MOVES}, ("--root", "b"), 2),
    "revert without a way": ("revert", {"a.yaml": MOVES}, (), 2),
    "revert both ways": ("revert", {"a.yaml": MOVES}, ("--all", "--base", "HEAD"), 2),
    "revert to nothing": ("revert", {"a.yaml": MOVES}, ("--base", "no-such-revision"), 2),
    "output that can't be": ("scan", {"a.yaml": MOVES}, ("--output", "no/where.txt"), 2),
    "rules from nowhere": ("migrate", {"a.yaml": MOVES}, ("--rules-from", "nowhere.tf"), 2),
}


@pytest.mark.parametrize(("command", "files", "options", "code"), CODES.values(), ids=CODES)
def test_exit_code(
    tmp_path: Path, command: str, files: Files, options: tuple[str, ...], code: int
) -> None:
    """What a run comes to is its exit code."""
    write_tree(tmp_path, files)

    done = run(tmp_path, command, ".", *REGISTRY, "--charts", "off", *options)

    assert done.code == code, done.stdout + done.stderr


def test_rest_is_done_when_something_is_unsafe(tmp_path: Path) -> None:
    """Exit code 3 says that some input was left, not that the run stopped."""
    write_tree(tmp_path, {"a.yaml": BROKEN, "b.yaml": MOVES, "c.yaml": MOVES.encode() + b"#\xff"})

    done = run(tmp_path, "migrate", ".", *REGISTRY)

    assert done.code == 3
    assert (tmp_path / "b.yaml").read_text() == CACHED
    assert (tmp_path / "a.yaml").read_text() == BROKEN


def test_registry_is_needed(tmp_path: Path) -> None:
    """Neither options nor a configuration: exit code 2, with what to give."""
    write_tree(tmp_path, {"a.yaml": MOVES})

    done = run(tmp_path, "migrate", ".")

    assert done.code == 2
    assert "--account is missing" in done.stderr
    assert "  hint: give --account and --region" in done.stderr


def test_git_that_fails_is_a_tool_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without git on PATH a revision can't be read: exit code 4."""
    write_tree(tmp_path, {"a.yaml": MOVES})
    monkeypatch.setenv("PATH", str(tmp_path))

    done = run(tmp_path, "revert", ".", "--base", "HEAD", *REGISTRY)

    assert done.code == 4
    assert "git can't be run" in done.stderr


ERRORS: dict[str, tuple[BaseException, int, str]] = {
    "configuration": (ConfigError("x", hint="do y"), 2, "imageshift: x\n  hint: do y\n"),
    "reference": (InvalidReferenceError("x"), 3, "imageshift: x\n"),
    "source": (SourceError("x"), 3, "imageshift: x\n"),
    "any of ours": (ImageshiftError("x"), 3, "imageshift: x\n"),
    "tool": (ToolError("helm failed"), 4, "imageshift: helm failed\n"),
    "interruption": (KeyboardInterrupt(), 130, "interrupted: every file is complete\n"),
    "exit": (SystemExit(5), 5, ""),
}


@pytest.mark.parametrize(("error", "code", "said"), ERRORS.values(), ids=ERRORS)
def test_errors_become_codes(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    """One place turns each error into a message and a code."""
    with pytest.raises(SystemExit) as end, reporting_errors():
        raise error

    assert (end.value.code, capsys.readouterr().err) == (code, said)


def test_bug_is_called_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is left is a bug of ours: exit code 70, and where it was."""
    with pytest.raises(SystemExit) as end, reporting_errors():
        raise ZeroDivisionError("by zero")

    said = capsys.readouterr().err
    assert end.value.code == 70
    assert said.startswith("imageshift: a bug, please report it: ZeroDivisionError: by zero\n")
    assert "test_exit_codes.py" in said


def test_real_process_exits_with_the_code(tmp_path: Path) -> None:
    """The installed program gives the code to the shell, and streams are kept apart."""
    write_tree(tmp_path, {"a.yaml": MOVES})
    command = [str(Path(sys.executable).with_name("imageshift")), "check", "a.yaml", *REGISTRY]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout.startswith("a.yaml:4:39: nginx:1.25 ")
    assert "migrate" in done.stderr
