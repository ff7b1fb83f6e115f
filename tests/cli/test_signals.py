"""Signals to a run that waits for another program: both end at once, with a documented code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from command_line import REGISTRY, read_tree, write_tree
from imageshift.cli import exits

COMMAND = (sys.executable, "-c", "from imageshift.cli import main; main()")
TREE: dict[str, str | bytes] = {
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/objects/x": "",
    ".git/refs/x": "",
    "kustomization.yaml": "resources: ['https://example.invalid/base?ref=v1']\n",
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n",
}
# Stands for a kustomize that hangs, and for what it has started.
SLOW = '#!/bin/sh\necho $$ >> "$PIDS"\n(echo $$ >> "$PIDS"; exec sleep 300) &\nsleep 300\n'


@pytest.fixture
def slow_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs that never end on PATH; return the file where they say who they are."""
    tools, pids = tmp_path / "tools", tmp_path / "pids"
    tools.mkdir()
    for name in ("kubectl", "kustomize"):
        (tools / name).write_text(SLOW.replace("$PIDS", str(pids)))
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return pids


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_while_a_program_runs(
    tmp_path: Path, slow_tools: Path, number: signal.Signals
) -> None:
    """Exit 130 within seconds; the program is gone with what it started; nothing is changed."""
    tree = tmp_path / "tree"
    write_tree(tree, TREE)
    command = [*COMMAND, "migrate", ".", *REGISTRY, "--charts", "off", "--render"]
    process = subprocess.Popen(command, cwd=tree, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(slow_tools)
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    finally:
        process.kill()

    assert (process.returncode, "interrupted: every file is complete" in said) == (130, True), said
    assert_gone([int(pid) for pid in slow_tools.read_text().split()])
    assert read_tree(tree, ()) == {name: str(content).encode() for name, content in TREE.items()}


def test_signal_while_the_tools_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal in the middle of an import ends the run as any other."""
    monkeypatch.setitem(sys.modules, "imageshift.tool", ModuleType("imageshift.tool"))
    monkeypatch.setattr(exits, "_came", [])

    with pytest.raises(KeyboardInterrupt):
        vars(exits)["_end"](signal.SIGTERM, None)


def assert_gone(pids: list[int]) -> None:
    """Processes that were killed take a moment to go."""
    until = time.monotonic() + 5
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_for(path: Path) -> None:
    """Wait until a program has said who it is."""
    until = time.monotonic() + 60
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < until
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected doesn't."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_ignored_signal_stays_so(tmp_path: Path) -> None:
    """Under nohup a terminal that is closed doesn't end a run."""
    write_tree(tmp_path, TREE)
    script = (
        "import os, signal; from imageshift.cli import main; "
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "import imageshift.plan as p; real = p.Planner.plan; "
        "p.Planner.plan = lambda *a: (os.kill(os.getpid(), signal.SIGHUP), real(*a))[1]; main()"
    )
    command = [sys.executable, "-c", script, "scan", ".", *REGISTRY, "--charts", "off"]

    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


REPLACED = """
import signal
from imageshift.cli.exits import ending_on_signals, reporting_errors

with ending_on_signals(), reporting_errors():
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        raise SystemError("returned a result with an exception set") from None
"""


def test_a_signal_whose_exception_is_replaced() -> None:
    """C code and half-loaded modules may fail in their own way; the run ends as with any signal."""
    command = [sys.executable, "-c", REPLACED]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    said = "interrupted: every file is complete\n"
    assert (done.returncode, done.stderr) == (130, said)
