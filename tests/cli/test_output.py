"""What is printed: whole, harmless to a terminal, and no bug where nobody can read it."""

import errno
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree
from imageshift.cli.output import emit
from imageshift.errors import ConfigError

pytestmark = pytest.mark.once

PROGRAM = str(Path(sys.executable).with_name("imageshift"))
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    'spec: {containers: [{name: a, image: "nginx:1.25"}, {name: b, image: "\\e[31mred\\nx"}]}\n'
)
NAMES = ("esc\x1b[31m.yaml", "new\nline.yaml", "byte\udcff.yaml", 'quo"te\\.yaml', "é.yaml")
ESCAPED = ("esc\\x1b[31m.yaml", "new\\nline.yaml", "byte\\udcff.yaml", 'quo"te\\.yaml', "é.yaml")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a folder with a pod under each odd name."""
    write_tree(tmp_path, dict.fromkeys(NAMES, POD))
    return tmp_path


def program(folder: Path, command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the shell in a folder, in which `imageshift` is ours and $R the registry."""
    line = f"imageshift() {{ {PROGRAM} \"$@\"; }}; R='{' '.join(REGISTRY)}'; {command}"
    shell = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(shell, cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["scan .", "check .", "explain nginx", "migrate . --dry-run"])
def test_texts_of_others_are_no_commands(odd: Path, command: str) -> None:
    """Names and values are shown with escapes, each on its own line."""
    done = program(odd, f"imageshift {command} $R --verbose")

    said = (done.stdout + done.stderr).decode()
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("line.yaml")]
    for name in ESCAPED:
        assert f"{name}:4:" in said


@pytest.mark.parametrize(
    "locale", ["LC_ALL=C.UTF-8", "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"]
)
def test_json_spells_every_name(odd: Path, locale: str) -> None:
    """Whatever the locale is, and in a file too: the names come out as they are."""
    line = f"export {locale}; imageshift scan . $R --format json"
    to_stdout = program(odd, line).stdout
    assert program(odd, f"{line} --output out.txt").returncode == 0

    report = json.loads(to_stdout)
    assert (odd / "out.txt").read_bytes() == to_stdout
    assert {os.fsencode(row["file"]) for row in report["images"]} == {*map(os.fsencode, NAMES)}


def test_diff_is_one_that_git_applies(odd: Path) -> None:
    """Byte for byte, with the names as Git spells them."""
    diff = program(odd, "imageshift migrate . --diff --quiet $R").stdout
    (odd / "a.diff").write_bytes(diff)

    applied = program(odd, "git init -q . && git apply a.diff && rm -r .git a.diff")

    assert applied.returncode == 0, applied.stderr
    assert set(read_tree(odd).values()) == {
        POD.replace("nginx", f"{HOST}/docker-hub/library/nginx").encode()
    }


def on_terminal(folder: Path, *arguments: str) -> str:
    """Return what a command prints on a terminal, but for the terminal's own line ends."""
    main, end = pty.openpty()
    command = [PROGRAM, *arguments, *REGISTRY]
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=end, stderr=nowhere, env=environment):
        os.close(end)
        shown = b""
        while block := _read(main):
            shown += block
    os.close(main)
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def test_terminal_gets_colours_but_no_commands(tmp_path: Path) -> None:
    """In a diff too, which goes to a file or a pipe as it is."""
    write_tree(tmp_path, {"a.yaml": POD + "---\n# \x1b[2J\rX\n"})

    diff = on_terminal(tmp_path, "migrate", ".", "--diff", "--quiet")
    report = on_terminal(tmp_path, "migrate", ".", "--dry-run")

    assert set(re.findall(r"\x1b.*?m", diff)) == {f"\x1b[{n}m" for n in (0, 1, 31, 32, 36)}
    assert diff.endswith(" ---\n # \\x1b[2J\\rX\n")
    assert "\x1b[36mnot-a-reference" in report
    assert "\x1b[31m" not in report


FULL = {
    "scan": ("scan .", 2),
    "scan as JSON": ("scan . --format json", 2),
    "migrate": ("migrate .", 2),
    "diff": ("migrate . --diff", 2),
    "check": ("check .", 2),
    "map": ("map nginx", 2),
    "version": ("--version", 2),
    "help": ("--help", 2),
}


@pytest.mark.parametrize(("command", "code"), FULL.values(), ids=FULL)
def test_full_disk_is_told(tmp_path: Path, command: str, code: int) -> None:
    """It is no bug, and what was written into the repository stays."""
    write_tree(tmp_path, {"a.yaml": POD})
    registry = "" if command.startswith("--") else "$R"

    done = program(tmp_path, f"imageshift {command} {registry} > /dev/full")

    assert done.returncode == code
    assert done.stderr.startswith(b"imageshift: the result can't be written: No space left")


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    """What can be written is written, the rest is whole, and the run says so."""
    long = POD + "# a long comment\n" * 500
    write_tree(tmp_path, {"a.yaml": POD, "b.yaml": long, "c.yaml": POD})

    done = program(tmp_path, "ulimit -f 4; trap '' XFSZ; imageshift migrate . $R")

    moved = POD.replace("nginx", f"{HOST}/docker-hub/library/nginx").encode()
    assert done.returncode == 3
    assert b"unwritable 1 image left alone" in done.stdout
    assert b"can't be written: File too large" in done.stdout
    expected = {"a.yaml": moved, "b.yaml": long.encode(), "c.yaml": moved}
    assert read_tree(tmp_path) == expected


CLOSED = {
    "scan": ("scan . $R | true", 0),
    "scan that goes on": ("scan . $R | head -1", 0),
    "migrate": ("migrate . $R | true", 0),
    "diff": ("migrate . --diff $R | true", 0),
    "check finds all the same": ("check . $R | true", 1),
    "JSON": ("check . $R --format json | true", 1),
    "no streams": ("check . $R >&- 2>&-", 1),
    "no narration of a proof": ("verify . --base . $R 2>&-", 0),
    "no narration": ("check . $R 2>&-", 1),
    "no room for narration": ("check . $R 2>/dev/full", 1),
    "nobody for narration": ("check . $R 2> >(true)", 1),
}


@pytest.mark.parametrize(("command", "code"), CLOSED.values(), ids=CLOSED)
def test_reader_that_has_gone_away_changes_nothing(tmp_path: Path, command: str, code: int) -> None:
    """The run goes on quietly and comes to its own code."""
    write_tree(tmp_path, {f"{number}.yaml": POD for number in range(20)})

    done = program(tmp_path, f"imageshift {command}")

    assert done.returncode == code
    assert b"bug" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


def test_bytes_on_standard_input_are_no_bug(tmp_path: Path) -> None:
    """A reference that is no UTF-8 is an invalid one."""
    done = program(tmp_path, "printf 'a\\xffb\\nnginx\\n' | imageshift map $R")

    assert (done.returncode, done.stdout.decode()) == (3, f"{HOST}/docker-hub/library/nginx\n")
    assert b"isn't an image reference" in done.stderr


def test_output_that_cannot_be(tmp_path: Path) -> None:
    """A file for the result that can't be written is a usage error, with its name."""
    with pytest.raises(ConfigError, match=r"no/where\.txt: can't be written: No such file"):
        emit("x", tmp_path / "no/where.txt")


def test_a_result_is_whole_or_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the place of the old one at the end of a link, which a full disk leaves as it is."""
    file, link = tmp_path / "out.txt", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)

    emit("new", link)

    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", Mock(side_effect=full))
    with pytest.raises(ConfigError, match=r"link: can't be written: No space left"):
        emit("newer", link)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "out.txt": "new",
        "link": "new",
    }


def test_a_pipe_gets_the_result(tmp_path: Path) -> None:
    """What is no regular file is written as it is."""
    done = program(tmp_path, "imageshift scan . $R --output /dev/stdout --format json | cat")

    assert json.loads(done.stdout)["command"] == "scan"


def test_the_same_is_said_every_time(tmp_path: Path) -> None:
    """Of several entries that take the place of a name, the first one is told, in every process."""
    entry = "resources: [../base]\nimages: [{name: controller, newName: quay.io/org/app}]\n"
    base: dict[str, str | bytes] = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD.replace("nginx:1.25", "controller:latest"),
    }
    write_tree(tmp_path, base | {f"{n}/kustomization.yaml": entry for n in "abcdefgh"})

    said = {
        program(tmp_path, f"PYTHONHASHSEED={seed} imageshift scan . $R --format json").stdout
        for seed in range(1, 5)
    }

    assert len(said) == 1
    skipped = json.loads(said.pop())["images"]
    details = [row["detail"] for row in skipped if row["reason"] == "placeholder"]
    assert details == ["every build replaces its name with the newName at a/kustomization.yaml:2"]


def test_what_is_not_looked_into_is_said_once(tmp_path: Path) -> None:
    """A report has one paragraph for each reason."""
    chart = {"Chart.yaml": "name: a\n", "templates/a.yaml": "image: {{ .Values.image }}\n"}
    write_tree(tmp_path, {f"chart/{name}": text for name, text in chart.items()})

    done = run(tmp_path, "scan", ".", *REGISTRY)

    assert done.stdout.count("skipped") == 1
