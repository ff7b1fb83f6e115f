"""Set up and run the project's two main jobs, with nothing installed but Python and git.

`python3 scripts/dev.py demo` installs imageshift into a virtual environment of its own and shows
what it makes of the examples. `python3 scripts/dev.py test [SESSION…]` installs nox and runs its
sessions: all of CI without names. Everything lands in .venv, .nox and .tools; delete them freely.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venv"
REPORTS = ROOT / ".nox" / "reports"
OLDEST = (3, 11)
BESIDE = ("lint", "typing", "docs", "wheel", "hooks", "browser", "checkov", "renovate")
MAIN = ("tests",)


def debian_package(package: str) -> None:
    """Install a package of Debian's when this is Debian and we may, else stop with its name."""
    allowed = shutil.which("apt-get") is not None and os.geteuid() == 0
    if not allowed:
        raise SystemExit(f"Python's venv module is incomplete here: install {package}, run again")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", package], check=True)


def environment(name: str, *requirements: str) -> Path:
    """Return the bin folder of a virtual environment that has the requirements."""
    home = VENVS / name
    create = [sys.executable, "-m", "venv", "--clear", str(home)]
    made = (home / "bin" / "pip").exists() or subprocess.run(create, check=False).returncode == 0
    if not made:
        debian_package("python3-venv")
        subprocess.run(create, check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", *requirements], check=True, cwd=ROOT)
    return home / "bin"


def demo() -> int:
    """Migrate an example without writing, show the diff and the summary, return the exit code."""
    imageshift = environment("demo", ".[charts]") / "imageshift"
    command = ["imageshift", "migrate", "--diff"]
    print("examples/nats$", *command, flush=True)
    command[0] = str(imageshift)
    return subprocess.run(command, check=False, cwd=ROOT / "examples" / "nats").returncode


def test(sessions: list[str]) -> int:
    """Run nox, end with one line of what all its test runs counted, return the exit code.

    Without names, the sessions that use one core run beside the others, and print after them.
    """
    shutil.rmtree(REPORTS, ignore_errors=True)
    nox = str(environment("nox", "nox[uv]>=2025.5.1") / "nox")
    if sessions:
        code = run_sessions(nox, sessions).returncode
    else:
        code = run_sessions(nox, ["build"]).returncode
        os.environ["IMAGESHIFT_BUILT"] = "yes"  # neither of the two builds the wheel again
        with tempfile.TemporaryFile() as beside:
            command = [nox, "--session", *BESIDE]
            quiet = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=beside,
                                     stderr=subprocess.STDOUT)  # fmt: skip
            code = run_sessions(nox, MAIN).returncode or code
            code = quiet.wait() or code
            beside.seek(0)
            print(beside.read().decode(errors="replace"), flush=True)
    if REPORTS.is_dir():
        passed, failed, skipped = counts(REPORTS)
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return code


def run_sessions(nox: str, sessions: Iterable[str]) -> "subprocess.CompletedProcess[bytes]":
    """Run sessions one after the other."""
    command = [nox, "--session", *sessions]
    return subprocess.run(command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL)


def counts(folder: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed and were skipped by the JUnit reports of a folder."""
    reports = [ET.parse(report) for report in folder.glob("*.xml")]  # noqa: S314 - pytest wrote them
    suites = [suite for report in reports for suite in report.iter("testsuite")]
    total, bad, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return total - bad - skipped, bad, skipped


def main() -> int:
    """Parse the arguments and run the job."""
    if sys.version_info < OLDEST:
        raise SystemExit(f"imageshift needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("demo", help="install imageshift and show it on examples/")
    sessions = jobs.add_parser("test", help="run the nox sessions that CI runs")
    sessions.add_argument("sessions", nargs="*", metavar="SESSION", help="only these, e.g. lint")
    options = parser.parse_args()
    return demo() if options.job == "demo" else test(options.sessions)


if __name__ == "__main__":
    sys.exit(main())
