"""What people see: a screen's worth, nothing broken at any width, colours and links, progress."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from imageshift.reports.lines import Page, folders_of

pytestmark = pytest.mark.once

PROGRAM = str(Path(sys.executable).with_name("imageshift"))
SCREEN = 50
DIGEST = "sha256:" + "0123456789abcdef" * 4
WIDTHS = (80, 120)
IMAGES = (
    "nginx:1.27",
    "ghcr.io/example-organization/a-service-with-a-long-name:2026.11.3-alpine",
    f"quay.io/example/pinned:1.0@{DIGEST}",
    "nvcr.io/nvidia/k8s-device-plugin:v0.17.1",
    "602401143452.dkr.ecr.eu-west-2.amazonaws.com/eks/pause:3.10",
    "registry.example.com/${TEAM}/app:1",
    "busybox",
    "notofficial:1",
    "mirror.gcr.io/library/redis:7",
    f"{HOST}/own/thing:1",
)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")


def pod(images: tuple[str, ...]) -> str:
    """Return a pod with a container for each image."""
    rows = "".join(f"  - {{name: c{at}, image: '{name}'}}\n" for at, name in enumerate(images))
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n{rows}"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of 500 images in twenty teams' folders."""
    root = tmp_path_factory.mktemp("large")
    files: dict[str, str | bytes] = {
        f"clusters/{'production' if at % 2 else 'staging'}/team-{at % 20:02}/app-{at}.yaml": pod(
            IMAGES
        )
        for at in range(50)
    }
    write_tree(root, files | {"top.yaml": pod(IMAGES[:1])})
    return root


def shown(folder: Path, *arguments: str, width: int, **variables: str) -> str:
    """Return what a command prints for a width."""
    environment = {**os.environ, "COLUMNS": str(width), **variables}
    done = subprocess.run(
        [PROGRAM, *arguments, *REGISTRY],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout


COMMANDS: Mapping[str, tuple[str, ...]] = {
    "scan": ("scan",),
    "migrate": ("migrate", "--dry-run"),
    "a way back": ("revert", "--all", "--dry-run"),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_holds_five_hundred_images(large: Path, name: str, width: int) -> None:
    """Images are counted by reason and folder, each hint is said once, and every line fits."""
    lines = shown(large, *COMMANDS[name], width=width).splitlines()

    assert len(lines) <= SCREEN
    commands = [line for line in lines if line.startswith("  imageshift ")]
    assert not [line for line in lines if len(line) > width and line not in commands]
    assert not {line for line in lines if ":" in line and lines.count(line) > 1}


@pytest.mark.parametrize("width", WIDTHS)
def test_verbose_lists_every_image_in_one_piece(large: Path, width: int) -> None:
    """Rows break between words only, the own registry and digests are short, and a line says so."""
    text = shown(large, "scan", "--verbose", width=width)

    assert "\n\nupstream " in text
    words = text.split()
    for image in (*IMAGES[:2], *IMAGES[3:-1]):
        assert words.count(image) >= 50, image
    assert words.count(f"quay.io/example/pinned:1.0@{DIGEST[:19]}…") >= 50
    assert words.count("…/docker-hub/library/nginx:1.27") >= 50
    assert f"… stands for {HOST}\n" in text
    assert text.count(f"{HOST}/docker-hub") == 0
    assert not [line for line in text.splitlines() if len(line) > width and " " in line.strip()]


def test_a_pipe_gets_whole_lines(large: Path) -> None:
    """Where no width is known nothing breaks, and names and digests are whole."""
    text = run(large, "scan", "--verbose", *REGISTRY).stdout

    place = "clusters/production/team-01/app-1.yaml:8:24"
    target = f"{HOST}/quay/example/pinned:1.0@{DIGEST}"
    assert f"{place}: rewrite: quay.io/example/pinned:1.0@{DIGEST} → {target}\n" in text


def test_strict_lists_all_that_fails_it(large: Path) -> None:
    """However many there are, by each command; `check` names what isn't enforced."""
    place = re.compile(r"^ *(clusters/\S+?:\d+:\d+).* ?nvcr\.io/nvidia", re.MULTILINE)
    for command in (["scan"], ["migrate", "--dry-run"], ["check"]):
        done = run(large, *command, "--strict", *REGISTRY)
        assert (done.code, len(set(place.findall(done.stdout)))) == (1, 50), command

    told = run(large, "check", *REGISTRY).stderr

    assert "not enforced: 100 without a rule; --strict fails for them\n" in told


def on_terminal(folder: Path, line: str, **variables: str) -> tuple[str, str]:
    """Return what a command prints with both streams on a terminal: raw, and as it is read."""
    main, end = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "80", **variables}
    shell = ["bash", "-c", f'imageshift() {{ "{PROGRAM}" "$@"; }}; {line}']
    with subprocess.Popen(shell, cwd=folder, stdout=end, stderr=end, env=environment):
        os.close(end)
        read = bytearray()
        while block := _read(main):
            read += block
    os.close(main)
    raw = read.decode().replace("\r\n", "\n")
    return raw, ESCAPES.sub("", raw)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def test_places_are_links_and_findings_have_colours(tmp_path: Path) -> None:
    """`check`, `scan` and diffs on a terminal; NO_COLOR and a dumb terminal are obeyed."""
    write_tree(tmp_path, {"a b.yaml": pod(IMAGES[:2])})
    registry = " ".join(REGISTRY)

    raw, read = on_terminal(tmp_path, f"imageshift check {registry}")
    diff, _ = on_terminal(tmp_path, f"imageshift migrate --diff --quiet {registry}")

    link = re.escape(f"{tmp_path.as_uri()}/a%20b.yaml")
    assert re.search(rf"\x1b\]8;[^;]*;{link}\x1b\\\x1b\[1ma b\.yaml:6:24\x1b\[0m", raw)
    assert "a b.yaml:6:24: nginx:1.27 is not from the cache\n" in read
    assert "  hint: …/docker-hub/library/nginx:1.27\n" in read
    assert f"… stands for {HOST}\n" in read
    assert "\x1b[31m-  - {name: c0, image: 'nginx:1.27'}\x1b[0m\n" in diff
    assert "\x1b" not in on_terminal(tmp_path, f"TERM=dumb imageshift check {registry}")[0]
    assert "\x1b[3" not in on_terminal(tmp_path, f"NO_COLOR=1 imageshift check {registry}")[0]


SLOW = "import sys, time; time.sleep({seconds}); sys.stdout.write('kind: List\\n')"


def test_progress_counts_and_names_what_takes_long(tmp_path: Path) -> None:
    """After a second, `verify` shows how many builds are done, and which one it is working on."""
    files = {"base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": pod(IMAGES[:1])}
    write_tree(tmp_path, files)
    tool = tmp_path / "bin" / "kustomize"
    tool.parent.mkdir()
    tool.write_text(f"#!{sys.executable}\n{SLOW.format(seconds=0.8)}\n")
    tool.chmod(0o755)
    path = f"{tool.parent}:{os.environ['PATH']}"
    line = f"imageshift verify --base . {' '.join(REGISTRY)}"

    raw, _ = on_terminal(tmp_path, line, PATH=path)

    assert re.search(r"verify .*\d/\d+.*Kustomization base", ESCAPES.sub("", raw))


def test_a_migration_shows_which_charts_it_renders(tmp_path: Path) -> None:
    """It decides before it writes, and the bar is there meanwhile."""
    helm = shutil.which("helm")
    assert helm is not None
    tree = {
        "helmfile.yaml": "releases: [{name: a, chart: ./chart}]\n",
        "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "chart/templates/pod.yaml": pod(IMAGES[:1]),
    }
    write_tree(tmp_path, dict(tree))
    tool = tmp_path / "bin" / "helm"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nsleep 0.6\nexec "{helm}" "$@"\n')
    tool.chmod(0o755)
    main = "import sys; sys.modules['helm_python'] = None; from imageshift.cli import main; main()"
    command = [sys.executable, "-c", main, "migrate", "--dry-run", "--charts", "auto", *REGISTRY]
    line = shlex.join(command)

    raw, _ = on_terminal(tmp_path, line, PATH=f"{tool.parent}:{os.environ['PATH']}")

    assert re.search(r"charts .*\d/\d+.*/a", ESCAPES.sub("", raw))


FOLDERS = {
    ("a.yaml", "b.yaml"): {".": 2},
    ("a/b/1", "a/b/2", "a/c/3"): {"a/b": 2, "a/c": 1},
    ("a/1/x", "a/2/x", "a/3/x", "b/x"): {"a": 3, "b": 1},
    ("a/1/x", "b/1/x", "c/1/x", "d/1/x"): {"a": 1, "b": 1, "c": 1, "d": 1},
}


@pytest.mark.parametrize("files", FOLDERS)
def test_folders_are_as_deep_as_few_of_them_allow(files: tuple[str, ...]) -> None:
    """Three of them at most, where the topmost ones are not more."""
    assert dict(folders_of(files, 3)) == FOLDERS[files]


def test_quiet_results_have_whole_names_on_a_terminal_too(tmp_path: Path) -> None:
    """They may be copied, or read by a program that pretends to be a terminal."""
    write_tree(tmp_path, {"a.yaml": pod(IMAGES[2:3])})

    _, read = on_terminal(tmp_path, f"imageshift check --quiet {' '.join(REGISTRY)}")

    target = f"{HOST}/quay/example/pinned:1.0@{DIGEST}"
    assert f"\n  hint: {target}\n" in read.replace("hint:\n    ", "hint: ")
    assert "…" not in read


PIECES = {
    "fits": (80, "word word", "word word\n"),
    "breaks between words": (40, f"{'a' * 30} {'b' * 30}", f"{'a' * 30}\n  {'b' * 30}\n"),
    "never inside one": (40, f"see {'x' * 50} there", f"see\n  {'x' * 50}\n  there\n"),
    "keeps columns": (80, "image      nginx", "image      nginx\n"),
    "has no width": (None, "a " * 200, f"{('a ' * 200).rstrip()}\n"),
    "harmless": (80, "a\x1b[31mb\n", "a\\x1b[31mb\\n\n"),
}


@pytest.mark.parametrize("name", PIECES)
def test_lines_fit(name: str) -> None:
    """A line breaks between words only, and what follows stands two columns further in."""
    width, text, expected = PIECES[name]
    page = Page(width)

    page.line((text, ""))

    assert page.text() == expected


ROWS = {
    "fits": ("a.yaml:1:2", "nginx:1", "a.yaml:1:2: nginx:1\n"),
    "is too long": ("a.yaml:1:2", "n" * 40, f"a.yaml:1:2\n  {'n' * 40}\n"),
    "is a place alone": ("a" * 50, "", f"{'a' * 50}\n"),
}


@pytest.mark.parametrize(("place", "text", "expected"), ROWS.values(), ids=ROWS)
def test_a_place_has_its_own_line_where_both_do_not_fit(
    place: str, text: str, expected: str
) -> None:
    """Where there is nothing to say of a place, no empty line follows it."""
    page = Page(40)

    page.row(place, text)

    assert page.text() == expected


def unread_release(number: int) -> str:
    """Return a release whose chart isn't there, for a reason of its own."""
    return (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        f"metadata: {{name: r{number}, namespace: a}}\n"
        f"spec:\n  chart: {{spec: {{chart: ./none{number}, "
        "sourceRef: {kind: GitRepository, name: x}}}\n"
    )


def test_what_is_folded_says_how_to_see_it(tmp_path: Path) -> None:
    """Folded warnings say so, with a hint that fits all of them; what is listed in full doesn't."""
    files: dict[str, str | bytes] = {f"r{n}.yaml": unread_release(n) for n in range(4)}
    write_tree(tmp_path / "many", files)
    values = "".join(f"    {name}: {{image: nginx:1}}\n" for name in "abcd")
    write_tree(tmp_path / "few", {"r.yaml": f"{unread_release(0)}  values:\n{values}"})

    write_tree(tmp_path / "plain", {"a.yaml": pod(tuple(f"nginx:1.{n}" for n in range(30)))})

    counted = run(tmp_path / "plain", "scan", *REGISTRY).stdout
    folded = run(tmp_path / "many", "migrate", "--dry-run", *REGISTRY).stdout
    whole = run(tmp_path / "few", "migrate", "--dry-run", "--strict", *REGISTRY).stdout

    assert counted.startswith("folder  rewrite\n.            30\n\nupstream")
    assert "\n--verbose lists every image and place\n" in counted
    assert "are missing from the report (4 times)\n  hint: Read what" in folded
    assert "\n--verbose lists every image and place\n" in folded
    assert "doubtful 4 images left alone\n" in whole
    assert "--verbose lists" not in whole
