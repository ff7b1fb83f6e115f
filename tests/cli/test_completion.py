"""Completion in real shells: what they are given to install, and what they then offer."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imageshift.cli.completion import words

# Each runs the shell's own completion of a line, and prints what would be offered.
SHELLS = {
    "bash": """
        source "$SCRIPT"; COMP_WORDS=(%(words)s); COMP_CWORD=%(last)d
        _imageshift_completion imageshift; printf '%%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { true }
        _arguments() { print -r -- "$@" }
        _files() { print files }
        source "$SCRIPT"; words=(%(words)s); CURRENT=%(last)d+1
        _imageshift_completion
    """,
    "fish": 'source $SCRIPT; complete -C "%(line)s"',
}
LINES = [
    ("imageshift ver", ["verify"], ["scan"]),
    ("imageshift check --str", ["--strict"], ["--root"]),
    ("imageshift scan --charts ", ["auto", "off", "require"], ["--charts"]),
]


def shell(name: str, code: str, **variables: str) -> str:
    """Return what a shell prints, or skip where it isn't installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} isn't installed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run = subprocess.run(
        [found, *(["-f"] if name == "zsh" else []), "-c", code],
        env={**os.environ, **variables, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(scope="module", params=SHELLS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the script that is shown for a shell by its name, in a file called after the shell."""
    script = shell(request.param, f"imageshift --show-completion {request.param}")
    path = tmp_path_factory.mktemp("completion") / str(request.param)
    path.write_text(script)
    return path


@pytest.mark.once
@pytest.mark.parametrize(("line", "offered", "not_offered"), LINES)
def test_shells_complete(
    line: str, offered: list[str], not_offered: list[str], installed: Path
) -> None:
    """Commands, options and values are offered by each shell, and nothing else is."""
    parts = [*line.split(), *([""] if line.endswith(" ") else [])]
    quoted = " ".join(shlex.quote(part) for part in parts)
    code = SHELLS[installed.name] % {"words": quoted, "last": len(parts) - 1, "line": line}

    found = shell(installed.name, code, SCRIPT=str(installed))

    assert [word for word in offered if word not in found] == []
    assert [word for word in not_offered if word in found] == []


@pytest.mark.once
def test_a_named_shell_wins() -> None:
    """The shell that is named gets its script, whichever shell asks, in either spelling."""
    assert "#compdef" in shell("bash", "imageshift --show-completion=zsh")
    assert "complete --command" in shell("bash", "imageshift --show-completion fish")


@pytest.mark.once
def test_the_running_shell_is_guessed() -> None:
    """Without a name, the script is that of the shell above."""
    assert "COMPREPLY" in shell("bash", "imageshift --show-completion; true")


def test_only_the_command_of_the_line_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a shell completes, the line says which command is meant; else the arguments do."""
    assert words(["check", "a.yaml"]) == ["check", "a.yaml"]
    for variable in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS"):
        with monkeypatch.context() as patch:
            patch.setenv("_IMAGESHIFT_COMPLETE", "complete_bash")
            patch.setenv(variable, "imageshift rules li")
            assert words([]) == ["rules", "li"]
