"""imageshift migrate and scan as a person sees them: options, streams, what is said."""

import json
import os
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: a
      image: nginx:1.25
    - name: b
      image: gcr.io/a/b:1
    - name: "[c]"
      image: "[red]"
"""
MOVED = POD.replace("nginx:1.25", f"{HOST}/docker-hub/library/nginx:1.25")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one pod."""
    write_tree(tmp_path, {"apps/pod.yaml": POD, "apps/other.txt": "x", "clusters/a.yaml": "a: b\n"})
    return tmp_path


@pytest.mark.parametrize("options", [("--dry-run",), ("--diff",), ("--dry-run", "--diff")])
def test_trying_writes_nothing(folder: Path, options: tuple[str, ...]) -> None:
    """Not even the time of a file changes."""
    before = read_tree(folder), (folder / "apps/pod.yaml").stat().st_mtime_ns

    done = run(folder, "migrate", ".", *options, *REGISTRY)

    assert done.code == 0
    assert (read_tree(folder), (folder / "apps/pod.yaml").stat().st_mtime_ns) == before


def test_diff_is_one_that_git_applies(folder: Path) -> None:
    """Standard output begins with the diff, file by file."""
    done = run(folder, "migrate", ".", "--diff", "--quiet", *REGISTRY)

    assert done.stdout == (
        "--- a/apps/pod.yaml\n+++ b/apps/pod.yaml\n@@ -4,7 +4,7 @@\n spec:\n   containers:\n"
        "     - name: a\n-      image: nginx:1.25\n"
        f"+      image: {HOST}/docker-hub/library/nginx:1.25\n"
        '     - name: b\n       image: gcr.io/a/b:1\n     - name: "[c]"\n'
    )


def test_diff_of_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    """It is marked as Git marks it."""
    write_tree(tmp_path, {"a.yaml": POD.split("    - name: b", maxsplit=1)[0].rstrip("\n")})

    done = run(tmp_path, "migrate", ".", "--diff", "--quiet", *REGISTRY)

    assert done.stdout.endswith(
        "-      image: nginx:1.25\n\\ No newline at end of file\n"
        f"+      image: {HOST}/docker-hub/library/nginx:1.25\n\\ No newline at end of file\n"
    )


def test_report_for_people(folder: Path) -> None:
    """What moved by upstream, what stays and why, and what to do next; all on its stream."""
    done = run(folder, "migrate", ".", *REGISTRY)

    words = done.stdout.split()
    assert words[: words.index("1") + 1] == [
        *("upstream", "cached", "under", "rewritten", "docker.io", "docker-hub", "1")
    ]
    assert "no-rule 1 image left alone\n  apps/pod.yaml:9:14: gcr.io/a/b:1: " in done.stdout
    assert "not-a-reference 1 image left alone\n  apps/pod.yaml:11:15: [red]: " in done.stdout
    assert "\nnext\n  git diff  " in done.stdout
    assert done.stderr.startswith("2 files, 3 images: 1 rewritten, 1 no-rule, 1 skipped\n")


def test_scan_lists_every_image(folder: Path) -> None:
    """One line each, with place, status and where it goes or why it stays."""
    done = run(folder, "scan", ".", *REGISTRY)

    assert done.stdout.splitlines()[:3] == [
        f"apps/pod.yaml:7:14: rewrite: nginx:1.25 → {HOST}/docker-hub/library/nginx:1.25",
        "apps/pod.yaml:9:14: no-rule: gcr.io/a/b:1 (no rule covers gcr.io)",
        *[line for line in done.stdout.splitlines() if line.startswith("apps/pod.yaml:11:15")],
    ]


def test_output_goes_to_a_file(folder: Path, tmp_path: Path) -> None:
    """--output takes the result from standard output, and is no file of the next run."""
    done = run(folder, "scan", ".", "--format", "json", "--output", "out.json", *REGISTRY)

    report = json.loads((tmp_path / "out.json").read_text())
    assert done.stdout == ""
    assert report["summary"]["rewrite"] == 1


def test_changed_files_are_listed(folder: Path) -> None:
    """The report of migrate says which files it wrote, as the working directory calls them."""
    report = run(folder / "clusters", "migrate", "../apps", "--format", "json", *REGISTRY).report

    assert report["changed_files"] == ["../apps/pod.yaml"]
    assert {row["file"] for row in report["images"]} == {"../apps/pod.yaml"}
    assert (folder / "apps/pod.yaml").read_text() == MOVED


def test_rows_tell_the_parts(tmp_path: Path) -> None:
    """A split image is at its repository, and each part has its own place."""
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        "metadata: {name: r, namespace: n}\nspec:\n  values:\n    image:\n"
        '      registry: docker.io\n      repository: nginx\n      tag: "1"\n'
    )
    write_tree(tmp_path, {"a.yaml": "a: b\n---\n" + release})

    (row,) = run(tmp_path, "scan", ".", "--format", "json", *REGISTRY).report["images"]

    assert row | {"detail": None} == {
        "file": "a.yaml",
        "line": 10,
        "column": 19,
        "document": 1,
        "resource": {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "namespace": "n",
            "name": "r",
        },
        "path": ["spec", "values", "image", "repository"],
        "kind": "values",
        "origin": "written",
        "parts": [
            {
                "role": "registry",
                "path": ["spec", "values", "image", "registry"],
                "line": 9,
                "column": 17,
            },
            {
                "role": "repository",
                "path": ["spec", "values", "image", "repository"],
                "line": 10,
                "column": 19,
            },
            {"role": "tag", "path": ["spec", "values", "image", "tag"], "line": 11, "column": 13},
        ],
        "original": "docker.io/nginx:1",
        "normalized": "docker.io/library/nginx:1",
        "target": f"{HOST}/docker-hub/library/nginx:1",
        "status": "rewrite",
        "confidence": "likely",
        "rule": "docker-hub",
        "reason": None,
        "detail": None,
        "uses": 1,
        "clusters": [],
    }


def test_one_is_one(tmp_path: Path) -> None:
    """One file, one image: the words say so, also where one file is skipped twice."""
    write_tree(tmp_path, {"a.yaml": POD.split("    - name: b", maxsplit=1)[0]})
    broken = "kind: Pod\nimage: [\n"
    write_tree(tmp_path / "other", {"b.yaml": f"{broken}---\n{broken}"})

    one = run(tmp_path, "scan", "a.yaml", *REGISTRY)
    twice = run(tmp_path, "scan", "other", *REGISTRY)

    assert one.stderr.startswith("1 file, 1 image: 1 to rewrite\n")
    assert twice.stdout.startswith("unparsable 1 file skipped\n  invalid YAML: ")
    assert twice.stdout.count("invalid YAML") == 1
    assert "\n  other/b.yaml:3:1\n  other/b.yaml:6:1\n" in twice.stdout


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """A run without a file, and one without an image."""
    write_tree(tmp_path, {"a/x.txt": "", "b/y.yaml": "a: b\n"})

    empty = run(tmp_path, "migrate", "a", *REGISTRY)
    imageless = run(tmp_path, "migrate", "b", *REGISTRY)

    assert "no file was read: " in empty.stderr
    assert "no image was found in them\n" in imageless.stderr


def test_path_that_is_emptied_is_said(folder: Path) -> None:
    """Beside others that hold something."""
    write_tree(folder, {".imageshift.yaml": "exclude: [clusters/]\n"})

    done = run(folder, "migrate", "apps", "clusters", *REGISTRY)

    assert done.stderr.count("nothing in it was read") == 1
    assert "clusters: nothing in it was read" in done.stderr


def test_folders_built_from_outside_are_named(tmp_path: Path) -> None:
    """With the command that includes them; --follow moves them at once."""
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {name: apps, namespace: flux-system}\nspec:\n  path: ./apps\n"
        "  sourceRef: {kind: GitRepository, name: flux-system}\n"
    )
    write_tree(tmp_path, {".git/x": "", "clusters/apps.yaml": flux, "apps/pod.yaml": POD})

    named = run(tmp_path, "migrate", "clusters", *REGISTRY)
    kept = (tmp_path / "apps/pod.yaml").read_text()
    run(tmp_path, "migrate", "clusters", "--follow", *REGISTRY)

    assert "built from here, but outside the paths: apps\n" in named.stderr
    assert "  hint: imageshift " in named.stderr
    assert (kept, (tmp_path / "apps/pod.yaml").read_text()) == (POD, MOVED)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        pytest.param("{kind: GitRepository, name: flux-system}", True, id="this repository"),
        pytest.param("{kind: OCIRepository, name: elsewhere}", False, id="another source"),
    ],
)
def test_root_built_from_outside(tmp_path: Path, source: str, *, named: bool) -> None:
    """The root is named as `.`, but not because the root of some other source is built."""
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {name: all, namespace: flux-system}\n"
        f"spec: {{path: ./, sourceRef: {source}}}\n---\n"
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n"
        "metadata: {name: elsewhere, namespace: flux-system}\n"
        "spec: {url: oci://ghcr.io/org/manifests}\n"
    )
    write_tree(tmp_path, {".git/x": "", "clusters/all.yaml": flux, "apps/pod.yaml": POD})

    done = run(tmp_path, "migrate", "clusters", *REGISTRY)

    assert ("built from here, but outside the paths: .\n" in done.stderr) is named
    assert ("outside the paths" in done.stderr) is named


def test_many_folders_built_from_outside_are_summed_up(tmp_path: Path) -> None:
    """Only the uppermost are named, and of many of them the first."""
    paths = ["team", "team/a/b", *(f"f{number}" for number in range(9))]
    flux = "---\n".join(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: n{number}, namespace: flux-system}}\nspec:\n  path: ./{path}\n"
        "  sourceRef: {kind: GitRepository, name: flux-system}\n"
        for number, path in enumerate(paths)
    )
    files: dict[str, str | bytes] = {".git/x": "", "clusters/apps.yaml": flux}
    write_tree(tmp_path, files | {f"{path}/pod.yaml": POD for path in paths})

    short = run(tmp_path, "migrate", "clusters", "--dry-run", *REGISTRY)
    full = run(tmp_path, "migrate", "clusters", "--dry-run", "--verbose", *REGISTRY)

    assert "the paths: f0, f1, f2, f3, f4, f5, f6, f7 and 2 more\n" in short.stderr
    assert "f7, f8, team\n" in full.stderr


def test_links_out_of_the_paths_are_not_followed(tmp_path: Path) -> None:
    """What they lead to stays as it is."""
    write_tree(tmp_path, {"in/a.yaml": POD, "out/b.yaml": POD})
    (tmp_path / "in/b.yaml").symlink_to(tmp_path / "out/b.yaml")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")

    run(tmp_path, "migrate", "in", *REGISTRY)

    assert (tmp_path / "out/b.yaml").read_text() == POD
    assert (tmp_path / "in/b.yaml").is_symlink()


def test_link_that_is_named_is_refused_where_it_leads_out(tmp_path: Path) -> None:
    """Nothing is written, and what to do is said."""
    write_tree(tmp_path, {"in/.git/x": "", "in/a.yaml": POD, "out/b.yaml": POD})
    (tmp_path / "in/b.yaml").symlink_to("../out/b.yaml")

    done = run(tmp_path / "in", "migrate", "a.yaml", "b.yaml", *REGISTRY)

    assert done.code == 2
    assert "b.yaml is a link out of the root" in done.stderr
    assert (tmp_path / "in/a.yaml").read_text() == (tmp_path / "out/b.yaml").read_text() == POD


def test_link_that_is_named_stays_one_where_it_leads_inside(tmp_path: Path) -> None:
    """The file that it leads to is written, under its own name."""
    write_tree(tmp_path, {".git/x": "", "apps/a.yaml": POD})
    (tmp_path / "b.yaml").symlink_to("apps/a.yaml")

    done = run(tmp_path, "migrate", "b.yaml", "--format", "json", *REGISTRY)

    assert (tmp_path / "b.yaml").readlink() == Path("apps/a.yaml")
    assert (tmp_path / "apps/a.yaml").read_text() == MOVED
    assert done.report["changed_files"] == ["apps/a.yaml"]


def test_pipe_that_is_named_like_a_file_is_passed_over(folder: Path) -> None:
    """Reading it would never end."""
    os.mkfifo(folder / "apps/pipe.yaml")

    done = run(folder, "migrate", ".", "apps/pipe.yaml", *REGISTRY)

    assert done.code == 0
    assert "apps/pipe.yaml: nothing in it was read" in done.stderr


def test_short_account_is_said_last(folder: Path) -> None:
    """The run goes on, and its last line says it again."""
    done = run(folder, "migrate", ".", "--account", "123", "--region", "eu-west-2")

    assert done.code == 0
    assert done.stderr.splitlines()[-1].startswith("warning account-id: 123 ")
