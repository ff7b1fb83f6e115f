"""The checks that CI runs; `nox --list` names them. Tests run on the built wheel, not on src."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / ".nox" / "dist"
REPORTS = ROOT / ".nox" / "reports"
BIN = ROOT / ".tools" / "bin"
CORPUS = Path(os.environ.get("IMAGESHIFT_CORPUS", ROOT.parent / "shared" / "corpus"))
SUPPORTED = ("3.11", "3.12", "3.13")
ONCE = ["property", "helm", "helm3", "kustomize", "registry", "console", "once"]
WORKERS = str((os.cpu_count() or 2) + 1)
"""One more than there are cores, since tests also wait: for servers, programs and time limits."""
COMPILED = {"UV_COMPILE_BYTECODE": "1"}
"""What a user's pip does by itself: tests start hundreds of processes."""


def interpreters() -> list[str]:
    """Return the supported Pythons that run here, looking into pyenv's folder too."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [str(path / "bin") for name in SUPPORTED for path in sorted(pyenv.glob(f"{name}.*"))]
    os.environ["PATH"] = os.pathsep.join([*reversed(folders), os.environ["PATH"]])
    return [name for name in SUPPORTED if runs(name)]


def runs(version: str) -> bool:
    """Whether `pythonX.Y` starts (pyenv leaves shims on PATH that don't)."""
    binary = shutil.which(f"python{version}")
    command = [binary or "false", "-c", ""]
    run = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a Python of ours
    return run.returncode == 0


PYTHONS = interpreters()
if not PYTHONS:
    raise SystemExit(f"none of Python {', '.join(SUPPORTED)} was found")

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = False
nox.options.sessions = [
    "lint",
    "typing",
    "docs",
    "wheel",
    "hooks",
    "browser",
    "checkov",
    "renovate",
    "tests",
]


def group(*names: str) -> list[str]:
    """Return the requirements of dependency groups in pyproject.toml."""
    project = nox.project.load_toml("pyproject.toml")
    return list(nox.project.dependency_groups(project, *names))


def built() -> str:
    """Return the wheel that the session `build` made."""
    return str(next(DIST.glob("*.whl")))


def install_for_tests(session: nox.Session) -> None:
    """Install the wheel with all its extras, what tests need, and the real tools."""
    session.run("python", "scripts/fetch_tools.py")
    session.install("--force-reinstall", "--no-deps", built(), env=COMPILED)
    session.install(f"{built()}[aws,charts]", *group("tests"), env=COMPILED)


def install_shells() -> None:
    """Install the shells that completion is tested in, where this is Debian and we may."""
    missing = [name for name in ("zsh", "fish") if shutil.which(name) is None]
    if missing and shutil.which("apt-get") is not None and os.geteuid() == 0:
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - no input


def pytest(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Run pytest with the real tools on PATH and the counts left for scripts/dev.py."""
    report = REPORTS / f"{session.name}.xml"
    # Most processes are kubectl's, which end before collecting garbage pays.
    variables = {"PATH": tools_path(session), "GOGC": "400", **(env or {})}
    # Neighbours stay on one worker, which shares what their module prepares.
    spread = ["--dist", "worksteal"] if "-n" in arguments else []
    session.run("pytest", f"--junitxml={report}", *spread, *arguments, env=variables)


def tools_path(session: nox.Session) -> str:
    """Return a PATH with the session's programs and the fetched tools in front."""
    return os.pathsep.join([session.bin, str(BIN), os.environ["PATH"]])


@nox.session(python=PYTHONS[-1])
def build(session: nox.Session) -> None:
    """Build the wheel and fetch the real tools, unless scripts/dev.py has just done so."""
    if "IMAGESHIFT_BUILT" in os.environ:
        return
    session.run("python", "scripts/fetch_tools.py")
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("hatchling")
    session.run("python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(DIST))


@nox.session(python=PYTHONS[-1])
def lint(session: nox.Session) -> None:
    """Run ruff's rules and its formatter's check, and hadolint on the Dockerfile."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("hadolint", "Dockerfile")


@nox.session(python=PYTHONS[0])
def typing(session: nox.Session) -> None:
    """Run mypy in strict mode."""
    session.install(".", *group("typing", "docs"), "nox")
    session.run("mypy")
    session.run("mypy", "tests/charts/conftest.py")
    session.run("python", "scripts/example_types.py")


@nox.session(python=PYTHONS[-1])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install(".", *group("docs"))
    session.env["NO_MKDOCS_2_WARNING"] = "1"
    session.run("mkdocs", "build", "--strict", "--site-dir", str(ROOT / ".nox" / "site"))


@nox.session(python=PYTHONS[-1], requires=["build"])
def wheel(session: nox.Session) -> None:
    """Install the wheel alone and do the main job on a copy of the examples."""
    session.install("--force-reinstall", built())
    where = ["--account", "123456789012", "--region", "eu-west-2"]
    session.run("imageshift", "--version")
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(ROOT / "examples" / "cluster", Path(folder) / "cluster")
        session.run("imageshift", "check", str(copy), *where, success_codes=[1])
        page = ["--format", "html", "--output", str(Path(folder) / "report.html")]
        session.run("imageshift", "scan", str(copy), *where, *page)
        charts = ["--charts", "auto", "--dry-run", str(copy / "apps" / "base" / "queue")]
        session.run("imageshift", "migrate", *charts)
        session.run("imageshift", "migrate", str(copy), *where)
        session.run("imageshift", "check", str(copy), *where)


@nox.session(python=PYTHONS, requires=["build"])
def tests(session: nox.Session) -> None:
    """Run the tests on the wheel, compared with real helm and kubectl.

    Tests with real programs, the corpus, generated cases, attacks and the documentation's commands
    take minutes and don't depend on the Python version, so only the newest Python runs them.
    """
    install_for_tests(session)
    left = ["precommit", "browser", "checkov", "renovate"]
    options = ["-n", WORKERS]
    if session.python != PYTHONS[-1]:
        left += ["corpus", *ONCE]
        # Rewriting assertions costs each worker five seconds; the newest Python explains failures.
        options.append("--assert=plain")
    else:
        install_shells()
        if CORPUS.is_dir():
            session.env["IMAGESHIFT_CORPUS"] = str(CORPUS)
        else:
            left.append("corpus")
    chosen = " and ".join(f"not {marker}" for marker in left)
    pytest(session, *options, "-m", chosen, *session.posargs)


@nox.session(python=PYTHONS[-1], requires=["build"], default=False)
def corpus(session: nox.Session) -> None:
    """Check what must always hold, on a folder of real repositories where there is one."""
    if not CORPUS.is_dir():
        session.skip(f"no folder of real repositories at {CORPUS} (IMAGESHIFT_CORPUS names one)")
    install_for_tests(session)
    session.env["IMAGESHIFT_CORPUS"] = str(CORPUS)
    pytest(session, "-n", WORKERS, "-m", "corpus", *session.posargs)


@nox.session(python=PYTHONS[-1], requires=["build"])
def hooks(session: nox.Session) -> None:
    """Run the hooks with the real pre-commit, and the Action, on scratch repositories."""
    session.install(built(), *group("tests"), "pre-commit>=4,<5")
    pytest(session, "tests/hooks", "tests/action", "-m", "precommit", *session.posargs)


@nox.session(python=PYTHONS[-1], requires=["build"])
def checkov(session: nox.Session) -> None:
    """Look at the generated Terraform with checkov, which wants other versions of our packages."""
    session.install(built(), *group("tests"))
    apart = ROOT / ".nox" / "checkov-alone"
    session.run("python", "-m", "venv", "--clear", str(apart))
    installer = [str(apart / "bin" / "pip"), "install"]
    if nox.virtualenv.HAS_UV:
        installer = [nox.virtualenv.UV, "pip", "install", "--python", str(apart / "bin" / "python")]
    session.run(*installer, "--quiet", "checkov>=3.3,<4", external=True)
    (Path(session.bin) / "checkov").unlink(missing_ok=True)
    (Path(session.bin) / "checkov").symlink_to(apart / "bin" / "checkov")
    pytest(session, "tests/infra", "-m", "checkov", *session.posargs)


@nox.session(python=PYTHONS[-1], requires=["build"])
def browser(session: nox.Session) -> None:
    """Look at the HTML report in a real Chromium, and take one of its pictures again."""
    session.run("python", "scripts/fetch_tools.py")
    session.install(built(), *group("browser"))
    if shutil.which("chromedriver") is None and shutil.which("apt-get") and os.geteuid() == 0:
        session.run("apt-get", "update", "-qq", external=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        session.run(*install, "chromium", "chromium-driver", external=True, silent=True)
    pytest(session, "tests/browser", *session.posargs)


@nox.session(python=PYTHONS[-1], requires=["build"])
def renovate(session: nox.Session) -> None:
    """Run Renovate's own extraction on a migrated tree; its npm package has 800 dependencies."""
    if shutil.which("npm") is None:
        session.skip("Renovate comes from npm, which isn't here")
    session.install(built(), *group("tests"))
    folder = ROOT / ".nox" / "renovate-alone"
    npm = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--omit=dev"]
    session.run(*npm, "renovate@39", external=True)
    script = folder / "node_modules" / "renovate" / "dist" / "renovate.js"
    pytest(session, "tests/bots", "-m", "renovate", env={"IMAGESHIFT_RENOVATE": str(script)})


@nox.session(python=PYTHONS[-1], requires=["build"], default=False)
def bench(session: nox.Session) -> None:
    """Measure speed and memory; arguments go to benchmarks/speed.py."""
    session.run("python", "benchmarks/speed.py", "--wheel", built(), *session.posargs)
