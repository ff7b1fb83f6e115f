"""check --changed and --baseline: only what is new makes the run fail."""

import json
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest

from command_line import REGISTRY, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
    - image: nginx:1
    - image: nginx:2
"""
BAD = "kind: Pod\nspec: [image: nginx\n"


def git(folder: Path, *words: str) -> str:
    """Run git in a folder as nobody in particular."""
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(folder: Path, files: dict[str, str | bytes]) -> None:
    """Commit files."""
    write_tree(folder, files)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "x")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose only commit has findings."""
    git(tmp_path, "init", "--quiet", "-b", "main")
    commit(tmp_path, {"a.yaml": POD, "old.yaml": POD, "bad.yaml": BAD})
    return tmp_path


def found(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """Return the exit code of check and the places that it prints."""
    done = run(folder, "check", ".", "--quiet", *REGISTRY, *arguments)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    return done.code, [line.split(": ")[0] for line in lines]


CHANGES: dict[str, tuple[dict[str, str | bytes], int, list[str]]] = {
    "nothing": ({}, 0, []),
    "a line before": ({"a.yaml": f"# new\n{POD}"}, 0, []),
    "a tag": ({"a.yaml": POD.replace("nginx:2", "nginx:3")}, 1, ["a.yaml:6:14"]),
    "a new line": ({"a.yaml": f"{POD}    - image: nginx:2\n"}, 1, ["a.yaml:7:14"]),
    "a line taken out": ({"a.yaml": POD.replace("    - image: nginx:1\n", "")}, 1, ["a.yaml:5:14"]),
    "a new file": ({"n/b.yaml": POD}, 1, ["n/b.yaml:5:14", "n/b.yaml:6:14"]),
    "a file that can't be read": ({"bad.yaml": f"# new\n{BAD}"}, 3, ["bad.yaml:4:1"]),
    "line ends": (
        {"a.yaml": POD.replace("nginx:1\n", "nginx:1\r\n")},
        1,
        ["a.yaml:5:14"],
    ),
}


@pytest.mark.parametrize(("files", "code", "places"), CHANGES.values(), ids=CHANGES)
def test_only_changed_lines_count(
    repository: Path, files: dict[str, str | bytes], code: int, places: list[str]
) -> None:
    """Committed or not, whatever else the files hold."""
    write_tree(repository, files)
    before = found(repository, "--changed", "HEAD")
    if files:
        commit(repository, {})
        assert found(repository, "--changed", "main~1") == (code, places)
        assert found(repository, "--changed", "HEAD") == (0, [])

    assert before == (code, places)


def test_warnings_of_other_lines_are_left_out(repository: Path) -> None:
    """In every format; what speaks of the whole run stays."""
    commit(repository, {"l.yaml": POD.replace("nginx:1", "nvcr.io/x/y:1")})
    write_tree(repository, {"a.yaml": POD.replace("nginx:2", "nvcr.io/x/y:3")})

    arguments = ("check", ".", *REGISTRY, "--format", "github", "--changed", "HEAD")
    lines = run(repository, *arguments).stdout.splitlines()

    assert [line.partition(",")[0] for line in lines] == [
        (
            "::warning title=The first pull may need a route to the internet (first-pull-route)"
            "::the first pull of an image may need a route to the internet"
        ),
        "::warning file=a.yaml",
    ]


def test_a_branch_is_compared_with_where_it_began(repository: Path) -> None:
    """As a pull request is: what the other branch has changed since doesn't count."""
    git(repository, "switch", "--quiet", "-c", "work")
    commit(repository, {"a.yaml": f"{POD}    - image: busybox:1\n"})
    git(repository, "switch", "--quiet", "main")
    commit(repository, {"old.yaml": POD.replace("nginx:1", "nginx:9")})
    git(repository, "switch", "--quiet", "work")

    assert found(repository, "--changed", "main") == (1, ["a.yaml:7:14"])


def test_settings_of_the_repository_run_nothing(repository: Path) -> None:
    """Not its monitor, filters, hooks or commands for differences, whatever they are."""
    command = f"touch {repository}/pwned; cat"
    for key in (
        "core.fsmonitor",
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "diff.external",
    ):
        git(repository, "config", key, command)
    write_tree(repository, {".gitattributes": "* filter=x diff=x\n", "a.yaml": f"{POD}# x\n"})
    (repository / ".git" / "hooks" / "post-index-change").write_text(f"#!/bin/sh\n{command}\n")

    done = run(repository, "check", ".", *REGISTRY, "--changed", "HEAD")

    assert (done.code, done.stdout) == (0, "")
    assert not (repository / "pwned").exists()


def test_no_such_revision(repository: Path) -> None:
    """It is a usage error, and so is a folder without Git."""
    done = run(repository, "check", ".", *REGISTRY, "--changed", "no-such")

    assert (done.code, done.stdout) == (2, "")
    assert "'no-such' is neither a folder nor a Git revision" in done.stderr


def test_changed_below_the_root(repository: Path) -> None:
    """A folder of the repository that has a configuration of its own, from another folder."""
    config = 'account: "123456789012"\nregion: eu-west-2\n'
    commit(repository, {"sub/.imageshift.yaml": config, "sub/a.yaml": POD})
    write_tree(repository, {"sub/a.yaml": POD.replace("nginx:1", "nginx:3")})

    done = run(repository, "check", "sub", "--quiet", "--changed", "HEAD")

    assert (done.code, done.stdout.split(": ")[0]) == (1, "sub/a.yaml:5:14")


def test_baseline(repository: Path) -> None:
    """What it lists is left out, also when lines move; a further one of the same kind isn't."""
    file = repository / "known.json"
    written = run(
        repository, "check", ".", *REGISTRY, "--baseline", "known.json", "--write-baseline"
    )
    content = json.loads(file.read_text())
    known = found(repository, "--baseline", "known.json")
    write_tree(repository, {"a.yaml": f"# x\n{POD}    - image: nginx:2\n    - image: busybox:1\n"})

    assert (written.code, written.stdout) == (0, "")
    assert written.stderr == "known.json: 5 findings; later runs leave them out\n"
    assert content["schema"] == "imageshift-baseline/v1"
    first = {"code": "not-cached", "file": "a.yaml", "subject": "nginx:1", "count": 1}
    assert content["findings"][0] == first
    assert known == (0, [])
    assert found(repository, "--baseline", "known.json") == (1, ["a.yaml:8:14", "a.yaml:9:14"])


def test_baseline_says_what_is_gone(repository: Path) -> None:
    """So that it shrinks as the repository gets better."""
    arguments = ("check", ".", *REGISTRY, "--baseline", "known.json")
    run(repository, *arguments, "--write-baseline")
    write_tree(repository, {"old.yaml": "", "bad.yaml": ""})

    done = run(repository, *arguments)

    assert (done.code, done.stdout) == (0, "")
    assert done.stderr == (
        "known.json: 2 known findings left out\n"
        "known.json: 3 listed findings are gone\n"
        "  hint: --write-baseline removes them\n"
    )


def test_baseline_of_a_part(repository: Path) -> None:
    """A run over some files says nothing of others that are listed, and keeps them in the file."""
    file = repository / "known.json"
    baseline = ("--baseline", "known.json")
    run(repository, "check", ".", *REGISTRY, *baseline, "--write-baseline")
    whole = [(row["file"], row["subject"]) for row in json.loads(file.read_text())["findings"]]
    write_tree(repository, {"a.yaml": POD.replace("nginx:1", "redis:1")})

    part = run(repository, "check", "old.yaml", *REGISTRY, *baseline)
    changed = run(repository, "check", ".", *REGISTRY, *baseline, "--changed", "HEAD")
    run(repository, "check", "a.yaml", *REGISTRY, *baseline, "--write-baseline")

    assert (part.code, part.stderr) == (0, "known.json: 2 known findings left out\n")
    assert (changed.code, changed.stderr) == (
        1,
        f"to rewrite them:\n  {shlex.join(['imageshift', 'migrate', *REGISTRY])}\n",
    )
    listed = [(row["file"], row["subject"]) for row in json.loads(file.read_text())["findings"]]
    assert listed[:2] == [("a.yaml", "nginx:2"), ("a.yaml", "redis:1")]
    assert listed[2:] == whole[2:]
    assert found(repository, *baseline) == (0, [])


def test_json_lists_what_is_left(repository: Path) -> None:
    """The rows stay whole; `findings` are those that count, and all of it keeps to the schema."""
    write_tree(repository, {"a.yaml": POD.replace("nginx:2", "nginx:3")})

    arguments = ("check", ".", *REGISTRY, "--changed", "HEAD", "--format", "json")
    report = run(repository, *arguments).report

    schema = Path(__file__).parents[2] / "docs" / "schema" / "report.json"
    jsonschema.validate(report, json.loads(schema.read_text("utf-8")))
    assert len(report["images"]) == 4
    assert [(row["code"], row["line"]) for row in report["findings"]] == [("not-cached", 6)]


WRONG = {
    "no file": (None, "known.json: "),
    "not JSON": ("x", "known.json: it isn't a baseline: JSON is malformed"),
    "another schema": (
        '{"schema": "a", "findings": []}',
        "its schema isn't imageshift-baseline/v1",
    ),
    "nested too deeply": ('{"x": ' + "[" * 100_000, "known.json: it isn't a baseline: "),
    "no list": ('{"schema": "imageshift-baseline/v1"}', "it isn't a baseline: Object missing"),
    "a report": (
        '{"schema": "imageshift-baseline/v1", "findings": [{"code": 1}]}',
        "Expected `str`",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_files_that_are_no_baseline(repository: Path, text: str | None, message: str) -> None:
    """They are a usage error that names the file."""
    if text is not None:
        write_tree(repository, {"known.json": text})

    done = run(repository, "check", ".", *REGISTRY, "--baseline", "known.json")

    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    "options", [("--write-baseline",), ("--write-baseline", "--baseline", "x", "--changed", "HEAD")]
)
def test_options_that_contradict(repository: Path, options: tuple[str, ...]) -> None:
    """A baseline needs its file, and lists every finding."""
    done = run(repository, "check", ".", *REGISTRY, *options)

    assert (done.code, done.stdout) == (2, "")
    assert "--write-baseline" in done.stderr
