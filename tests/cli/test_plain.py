"""Plain command lines of hooks, which Typer doesn't read, mean what Typer says they mean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import write_tree

POD = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: nginx:1.25}]}\n"
ACCOUNT = ("--account", "123456789012")
REGION = ("--region", "eu-west-2")
CODE = """\
import atexit, sys
from imageshift.cli import main
if {typer}:
    from imageshift.cli import start
    start.run_plain = lambda arguments: False
atexit.register(lambda: print("typer" in sys.modules, file=sys.stderr))
main()
"""

LINES: dict[str, tuple[tuple[str, ...], bool]] = {
    "a file": (("check", "a.yaml", *ACCOUNT, *REGION), True),
    "options first": (("check", *REGION, *ACCOUNT, "a.yaml", "b.yaml"), True),
    "none": (("check",), True),
    "the last one wins": (("check", "a.yaml", *ACCOUNT, *REGION, "--region", "eu-west-1"), True),
    "a file that isn't there": (("check", "c.yaml", *ACCOUNT, *REGION), True),
    "an account that is none": (("check", "a.yaml", "--account", "1234", *REGION), True),
    "no region": (("check", "a.yaml", *ACCOUNT), True),
    "an option with its value": (("check", "a.yaml", "--account=123456789012", *REGION), False),
    "no value": (("check", "a.yaml", *ACCOUNT, "--region"), False),
    "an empty value": (("check", "a.yaml", *ACCOUNT, "--region", ""), False),
    "an option as value": (("check", "a.yaml", *ACCOUNT, "--region", "--strict"), False),
    "another option": (("check", "a.yaml", *ACCOUNT, *REGION, "--strict"), False),
    "the end of options": (("check", *ACCOUNT, *REGION, "--", "a.yaml"), False),
    "an unknown option": (("check", "a.yaml", "--acount", "1"), False),
    "another command": (("scan", "a.yaml", *ACCOUNT, *REGION), False),
    "nothing": ((), False),
}


@pytest.mark.parametrize(("words", "is_plain"), LINES.values(), ids=LINES)
def test_plain_lines_mean_what_typer_says(
    words: tuple[str, ...],
    is_plain: bool,  # noqa: FBT001 a table
    tmp_path: Path,
) -> None:
    """Whoever reads the words, the output and the exit code are the same."""
    write_tree(tmp_path, {"a.yaml": POD, "b.yaml": POD.replace("nginx", "redis")})

    plain, typers = (_run(words, tmp_path, typer=typer) for typer in (False, True))

    assert (plain.returncode, plain.stdout) == (typers.returncode, typers.stdout)
    *said, loaded = plain.stderr.splitlines()
    assert said == typers.stderr.splitlines()[:-1]
    assert loaded == str(not is_plain)


def test_variables_that_give_options_are_typers(tmp_path: Path) -> None:
    """IMAGESHIFT_CHARTS and a shell that asks for completions hold for plain lines too."""
    write_tree(tmp_path, {"a.yaml": POD})
    words = ("check", "a.yaml", *ACCOUNT, *REGION)

    done = _run(words, tmp_path, IMAGESHIFT_CHARTS="perhaps")

    assert done.returncode == 2
    assert "IMAGESHIFT_CHARTS" in done.stderr


def _run(
    words: tuple[str, ...], folder: Path, *, typer: bool = False, **variables: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CODE.format(typer=typer), *words]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
