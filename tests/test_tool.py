"""Other programs run with limits, and nothing of theirs outlives them."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from imageshift.errors import ToolError
from imageshift.tool import Limits, ToolLimitError, run_tool

PYTHON = sys.executable


def test_a_program_gets_its_input_and_gives_its_output() -> None:
    """More than a pipe holds goes both ways at once."""
    sent = os.urandom(1 << 20)
    code = "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d); sys.exit(3)"

    done = run_tool([PYTHON, "-c", code], stdin=sent)

    assert (done.code, done.stdout, done.stderr) == (3, sent, b"")


def test_input_that_nobody_reads_is_no_error() -> None:
    """A program may end before it has read all."""
    assert run_tool(["true"], stdin=b"x" * (1 << 20)).code == 0


@pytest.mark.parametrize(
    ("code", "limits", "limit"),
    [
        pytest.param("import time; time.sleep(60)", Limits(seconds=0.3), "seconds", id="time"),
        pytest.param(
            "import os\nos.close(1); os.close(2)\nimport time; time.sleep(60)",
            Limits(seconds=0.3),
            "seconds",
            id="time, without pipes",
        ),
        pytest.param(
            "import sys\nwhile True: sys.stdout.write('x' * 65536)",
            Limits(output=1 << 20),
            "output",
            id="output",
        ),
        pytest.param(
            "import time; x = b'x' * (300 << 20); time.sleep(60)",
            Limits(memory=100 << 20),
            "memory",
            id="memory",
        ),
        pytest.param(
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'import time; x = b\"x\" * (300 << 20);"
            " time.sleep(60)'])",
            Limits(memory=100 << 20),
            "memory",
            id="memory of a child",
        ),
    ],
)
def test_a_limit_ends_it(code: str, limits: Limits, limit: str) -> None:
    """Each limit is said by its name, soon."""
    started = time.monotonic()

    with pytest.raises(ToolLimitError) as caught:
        run_tool([PYTHON, "-c", code], limits=limits)

    assert caught.value.limit == limit
    assert time.monotonic() - started < 20


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    """A program in the background doesn't outlive the one that started it."""
    code = f"sleep 60 & echo $! > {tmp_path}/pid"

    run_tool(["sh", "-c", f"({code}) >/dev/null 2>&1"])

    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie":
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of ours don't reach it; what is given does."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")

    done = run_tool([PYTHON, "-c", "import os; print(sorted(os.environ))"], environment={"A": "b"})

    names = done.stdout.decode()
    assert "'A'" in names
    assert "AWS_SECRET_ACCESS_KEY" not in names


@pytest.mark.parametrize("name", ["no-such-program", "zero\0byte"])
def test_a_program_that_is_not_there(name: str) -> None:
    """It is said by its name."""
    with pytest.raises(ToolError, match="can't be started"):
        run_tool([name])


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are set on Linux alone")
def test_a_busy_program_ends_when_nobody_watches_it_any_more() -> None:
    """The kernel ends a program whose run was killed, by the processor time that it may use."""
    code = (
        "import sys\n"
        "from imageshift.tool import Limits, run_tool\n"
        "run_tool([sys.executable, '-c', 'while True: pass'], limits=Limits(seconds=0.5))"
    )
    with subprocess.Popen([PYTHON, "-c", code]) as parent:
        children: list[psutil.Process] = []
        until = time.monotonic() + 60
        while not any(map(_is_limited, children)) and time.monotonic() < until:
            children = psutil.Process(parent.pid).children()
        parent.kill()

    _, alive = psutil.wait_procs(children, timeout=120)
    assert (len(children), alive) == (1, [])


def _is_limited(process: psutil.Process) -> bool:
    return resource.prlimit(process.pid, resource.RLIMIT_CPU)[0] != resource.RLIM_INFINITY


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are set on Linux alone")
def test_address_space_is_limited() -> None:
    """What asks for more memory than its address space holds is refused at once."""
    code = "import time; time.sleep(0.3); x = bytearray(3 << 30)"
    done = run_tool([PYTHON, "-c", code], limits=Limits(address=1 << 30))

    assert (done.code, "MemoryError" in done.message) == (1, True)
