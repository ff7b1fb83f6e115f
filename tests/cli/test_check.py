"""imageshift check: what it prints, and what named files are spared."""

import shlex
import subprocess
import sys
from pathlib import Path

from command_line import HOST, REGISTRY, read_tree, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: nginx:1.25
    - name: b
      image: ghcr.io/org/b:1
"""


def test_findings_are_placed(tmp_path: Path) -> None:
    """One line for each image with its place, the target as a hint on a line of its own."""
    write_tree(tmp_path, {"d/a.yaml": POD})

    done = run(tmp_path, "check", "d/a.yaml", *REGISTRY)

    assert done.stdout == (
        "d/a.yaml:7:14: nginx:1.25 is not from the cache\n"
        f"  hint: {HOST}/docker-hub/library/nginx:1.25\n"
        "d/a.yaml:9:14: ghcr.io/org/b:1 is not from the cache\n"
        f"  hint: {HOST}/github/org/b:1\n"
    )
    rewrite = shlex.join(["imageshift", "migrate", "d/a.yaml", *REGISTRY])
    assert done.stderr == f"to rewrite them:\n  {rewrite}\n"


def test_wrong_cache_path_is_called_one(tmp_path: Path) -> None:
    """An image that is on the cache's host under a wrong name."""
    write_tree(tmp_path, {"a.yaml": POD.replace("nginx", f"{HOST}/docker-hub/nginx")})

    done = run(tmp_path, "check", "a.yaml", *REGISTRY)

    assert f"{HOST}/docker-hub/nginx:1.25 is a wrong path in the cache\n" in done.stdout
    assert f"  hint: {HOST}/docker-hub/library/nginx:1.25\n" in done.stdout


def test_nothing_to_say_is_silence(tmp_path: Path) -> None:
    """A hook that runs a hundred times a day says nothing when all is well."""
    write_tree(
        tmp_path, {"a.yaml": POD.replace("nginx", "${X}").replace("org/b", "${X}"), "b.json": "{}"}
    )

    done = run(tmp_path, "check", "a.yaml", "b.json", *REGISTRY)

    assert (done.code, done.stdout, done.stderr) == (0, "", "")


def test_quiet_leaves_the_findings(tmp_path: Path) -> None:
    """--quiet drops the narration only."""
    write_tree(tmp_path, {"a.yaml": POD})

    done = run(tmp_path, "check", "a.yaml", "--quiet", *REGISTRY)

    assert (done.code, done.stdout.count("\n"), done.stderr) == (1, 4, "")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """With path, line and column."""
    write_tree(tmp_path, {"a.yaml": "kind: Pod\nspec: [image: nginx\n"})

    done = run(tmp_path, "check", "a.yaml", *REGISTRY)

    assert (done.code, done.stderr) == (3, "")
    assert done.stdout.startswith("a.yaml:3:1: unparsable: ")


def test_named_files_are_all_that_is_read(tmp_path: Path) -> None:
    """A pre-commit hook reads its files and the configuration; a folder is judged by its graph."""
    files: dict[str, str | bytes] = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD.replace("nginx:1.25", "app"),
        "prod/kustomization.yaml": (
            "resources: [../base]\nimages: [{name: app, newName: quay.io/org/app, newTag: v1}]\n"
        ),
    }
    write_tree(tmp_path, files)

    named = run(tmp_path, "check", "base/pod.yaml", *REGISTRY)
    folder = run(tmp_path, "check", ".", *REGISTRY)

    assert "base/pod.yaml:7:14: app is" in named.stdout
    assert "base/pod.yaml:7:14: app is" not in folder.stdout
    assert "prod/kustomization.yaml:2:31: quay.io/org/app:v1 is" in folder.stdout


def test_nothing_is_written(tmp_path: Path) -> None:
    """Not even the time of a file."""
    write_tree(tmp_path, {"a.yaml": POD})
    before = (read_tree(tmp_path), (tmp_path / "a.yaml").stat().st_mtime_ns)

    run(tmp_path, "check", ".", *REGISTRY)

    assert (read_tree(tmp_path), (tmp_path / "a.yaml").stat().st_mtime_ns) == before


def test_file_that_is_left_out_is_said(tmp_path: Path) -> None:
    """The ignore rules hold for named files too, and a path that they empty is named."""
    write_tree(
        tmp_path,
        {
            "a.yaml": POD,
            "b.yaml": "",
            "c/d.yaml": POD,
            ".imageshift.yaml": "exclude: [a.yaml, c]\n",
        },
    )

    done = run(tmp_path, "check", "a.yaml", "b.yaml", "c", *REGISTRY)

    assert (done.code, done.stdout) == (0, "")
    *emptied, hidden = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in emptied] == ["a.yaml", "c"]
    assert hidden == "`exclude:` hides 4 images in 2 files: a.yaml, c/d.yaml"


def test_json_has_the_rows(tmp_path: Path) -> None:
    """The report of --format json is the same as that of scan."""
    write_tree(tmp_path, {"a.yaml": POD})

    checked = run(tmp_path, "check", ".", "--format", "json", *REGISTRY)
    scanned = run(tmp_path, "scan", ".", "--format", "json", *REGISTRY)

    assert checked.code == 1
    assert checked.report["command"] == "check"
    assert checked.report | {"command": "scan"} == scanned.report


def test_shared_text_is_said_once(tmp_path: Path) -> None:
    """Two uses that share one text by its anchor are one row, which is told once."""
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  initContainers: [{image: &x NAME:1.25}]\n"
    pod += "  containers: [{image: *x}]\n"
    write_tree(tmp_path, {"a.yaml": pod.replace("NAME", "nginx")})
    write_tree(tmp_path, {"b.yaml": pod.replace("NAME", "gcr.io/a/b")})

    found = run(tmp_path, "check", ".", *REGISTRY)
    stays = run(tmp_path, "migrate", "--dry-run", ".", *REGISTRY)

    assert found.stdout.count("a.yaml:4:") == 1
    assert "no-rule 1 image left alone\n  b.yaml:4:" in stays.stdout
    assert stays.stdout.count(": gcr.io/a/b:1.25") == 1


def test_a_hook_loads_only_what_it_needs(tmp_path: Path) -> None:
    """Checking a file loads no reports, no libraries of other commands, and nothing slow."""
    write_tree(tmp_path, {"a.yaml": POD})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    heavy = {"boto3", "concurrent.futures", "jinja2", "psutil", "rich", "urllib3"}
    heavy |= {"dataclasses", "difflib", "shutil", "traceback", "typer"}
    whole = {f"imageshift.reports.{name}" for name in ("text", "page", "page_parts", "forge")}
    code = (
        f"import atexit, sys; heavy = {heavy | whole!r} - {{*sys.modules}}\n"
        "atexit.register(lambda: print(*sorted(heavy & {*sys.modules})))\n"
        "from imageshift.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "check", "a.yaml", *REGISTRY]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == ""
