"""imageshift map: references in, targets out, one a line."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run

DIGEST = "sha256:" + "2" * 64

LINES = {
    "nginx": f"{HOST}/docker-hub/library/nginx",
    "nginx:1.25": f"{HOST}/docker-hub/library/nginx:1.25",
    "docker.io/bitnami/redis:7": f"{HOST}/docker-hub/bitnami/redis:7",
    f"ghcr.io/org/a:1@{DIGEST}": f"{HOST}/github/org/a:1@{DIGEST}",
    "registry.k8s.io/pause:3.9": f"{HOST}/k8s/pause:3.9",
    "public.ecr.aws/org/a:1": f"{HOST}/ecr/org/a:1",
    "quay.io/org/a:${TAG}": f"{HOST}/quay/org/a:${{TAG}}",
    f"{HOST}/github/org/a:1": f"{HOST}/github/org/a:1",
    f"{HOST}/docker-hub/nginx": f"{HOST}/docker-hub/library/nginx",
}


@pytest.mark.parametrize(("text", "target"), LINES.items())
def test_one_reference(tmp_path: Path, text: str, target: str) -> None:
    """An argument comes out as its target."""
    done = run(tmp_path, "map", text, *REGISTRY)

    assert (done.code, done.stdout, done.stderr) == (0, f"{target}\n", "")


def test_standard_input(tmp_path: Path) -> None:
    """Without arguments lines are read; blank ones are passed over."""
    stdin = "  nginx \n\nghcr.io/org/a:1\r\nnginx\n"

    done = run(tmp_path, "map", *REGISTRY, stdin=stdin)

    assert done.stdout.splitlines() == [
        LINES["nginx"],
        f"{HOST}/github/org/a:1",
        LINES["nginx"],
    ]


def test_no_rule_comes_back_unchanged(tmp_path: Path) -> None:
    """With a warning, and in its own place."""
    done = run(tmp_path, "map", "gcr.io/a/b:1", "nginx", *REGISTRY)

    assert (done.code, done.stdout) == (0, f"gcr.io/a/b:1\n{LINES['nginx']}\n")
    assert done.stderr == "imageshift: gcr.io/a/b:1: no rule covers gcr.io\n"


HINTS = {
    "ghcr.io:443/a/b:1": "ghcr.io:443=ghcr.io",
    "mirror.gcr.io/nginx:1": "mirror.gcr.io=docker.io",
    "index.docker.io:443/library/nginx:1": "index.docker.io:443=docker.io",
    "registry-1.docker.io:443/a/b:1": "registry-1.docker.io:443=docker.io",
    "k8s.gcr.io:443/pause:3": "k8s.gcr.io:443=registry.k8s.io",
    "lscr.io/linuxserver/x:1": "lscr.io=ghcr.io",
    "registry.gitlab.com:443/a/b:1": None,
    "quay.io:8443/a/b:1": None,
    "gcr.io/a/b:1": None,
}


@pytest.mark.parametrize(("text", "alias"), HINTS.items())
def test_alias_is_named_where_it_would_help(tmp_path: Path, text: str, alias: str | None) -> None:
    """Where a host stands for an upstream with a rule, the alias is named, and it works."""
    done = run(tmp_path, "map", text, *REGISTRY)

    host = text.partition("/")[0]
    said = f": --alias {alias} gives it one" if alias else ""
    assert done.stderr == f"imageshift: {text}: no rule covers {host}{said}\n"
    if alias is not None:
        assert run(tmp_path, "map", text, "--alias", alias, *REGISTRY).stdout.startswith(HOST)


def test_quiet_gives_only_the_result(tmp_path: Path) -> None:
    """No warning, but what is no reference is an error all the same."""
    done = run(tmp_path, "map", "gcr.io/a/b:1", "nginx", "a b", "--quiet", *REGISTRY)

    assert (done.code, done.stdout) == (3, f"gcr.io/a/b:1\n{LINES['nginx']}\n")
    assert done.stderr == "imageshift: 'a b' isn't an image reference\n"


@pytest.mark.parametrize("text", ["org/UPPER", "a b", "nginx:", "${X}/a", "nginx@sha256:1"])
def test_invalid_ends_in_3(tmp_path: Path, text: str) -> None:
    """What is no reference has no line, a message instead, and the others are mapped."""
    done = run(tmp_path, "map", text, "nginx", *REGISTRY)

    assert (done.code, done.stdout) == (3, LINES["nginx"] + "\n")
    assert done.stderr.startswith("imageshift: ")


def test_what_has_no_room_ends_in_3(tmp_path: Path) -> None:
    """A reference whose target would be too long comes back unchanged, and isn't passed over."""
    text = f"quay.io/{'a' * 245}:1"

    done = run(tmp_path, "map", "--rule", "quay.io=a-long-prefix", text, "nginx", *REGISTRY)

    assert (done.code, done.stdout) == (3, f"{text}\n{LINES['nginx']}\n")
    assert "the repository would be 259 characters long, but references allow 255" in done.stderr


def test_inverse(tmp_path: Path) -> None:
    """From the cache back to the upstream, in the familiar form; others come back unchanged."""
    targets = [
        LINES["nginx:1.25"],
        LINES["docker.io/bitnami/redis:7"],
        f"{HOST}/k8s/a:1",
        "quay.io/a",
    ]

    done = run(tmp_path, "map", "--inverse", *targets, *REGISTRY)

    assert (done.code, done.stdout.splitlines()) == (
        0,
        ["nginx:1.25", "bitnami/redis:7", "registry.k8s.io/a:1", "quay.io/a"],
    )


def test_json_has_a_row_for_each(tmp_path: Path) -> None:
    """In order, the invalid ones included."""
    texts = ("nginx", "a b", "gcr.io/a/b", LINES["nginx"])

    done = run(tmp_path, "map", "--format", "json", *texts, *REGISTRY)

    report = done.report
    assert (done.code, report["schema"], report["command"]) == (3, "imageshift/v1", "map")
    assert [
        (row["original"], row["status"], row["rule"], row["reason"]) for row in report["images"]
    ] == [
        ("nginx", "rewrite", "docker-hub", None),
        ("a b", "invalid", None, "not-a-reference"),
        ("gcr.io/a/b", "no-rule", None, "no-rule"),
        (LINES["nginx"], "cached", "docker-hub", None),
    ]


def test_configuration_is_found(tmp_path: Path) -> None:
    """The nearest .imageshift.yaml of the working directory gives registry and rules."""
    (tmp_path / ".imageshift.yaml").write_text(
        'account: "111111111111"\nregion: us-east-1\nrules: console\n'
    )

    done = run(tmp_path, "map", "registry.k8s.io/a")

    assert done.stdout == "111111111111.dkr.ecr.us-east-1.amazonaws.com/kubernetes/a\n"


def test_registry_is_needed(tmp_path: Path) -> None:
    """Exit code 2 without one."""
    assert run(tmp_path, "map", "nginx").code == 2


def test_account_of_another_length_is_said(tmp_path: Path) -> None:
    """It is mapped all the same: the example that every user starts from has three digits."""
    done = run(tmp_path, "map", "nginx", "--account", "123", "--region", "eu-west-2")

    assert done.stdout == "123.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/library/nginx\n"
    assert (
        done.stderr == "warning account-id: 123 doesn't have the twelve digits of an account id\n"
    )


HOSTILE = {
    "100 MB on one line": "a" * 100_000_000 + "\nnginx\n",
    "zero bytes": "ng\0inx\nnginx\n",
    "half a surrogate pair": "ng\udc80inx\nnginx\n",
    "blanks and slashes": " " * 100_000 + "\n" + "/" * 100_000 + "\nnginx\n",
    "braces": "${" * 100_000 + "\n" + "{{" * 100_000 + "\nnginx\n",
    "escapes for a terminal": "\x1b]0;x\x07\nnginx\n",
}


@pytest.mark.once
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines_leave_the_others(tmp_path: Path, text: str) -> None:
    """What is no reference is told shortly, and the good one behind it is mapped."""
    (tmp_path / "in").write_bytes(text.encode("utf-8", "surrogateescape"))
    command = [sys.executable, "-c", "from imageshift.cli import main; main()", "map", *REGISTRY]
    with (tmp_path / "in").open("rb") as stdin:
        done = subprocess.run(
            command, cwd=tmp_path, stdin=stdin, capture_output=True, check=False, timeout=60
        )

    assert (done.returncode, done.stdout.decode().splitlines()[-1]) == (
        3,
        f"{HOST}/docker-hub/library/nginx",
    )
    assert len(done.stderr) < 10_000
    assert b"\x1b" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "| true", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    """A stream that isn't there, or whose reader is gone, is no bug."""
    words = (sys.executable, "-c", "from imageshift.cli import main; main()", "map", *REGISTRY)
    line = f"{shlex.join(words)} {closed}"
    given = "" if "<&-" in closed else "nginx\n" * 10_000

    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in {0, 2}
    assert "bug" not in done.stderr


def test_arguments_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, as a reference and as a path."""
    command = [sys.executable, "-c", "from imageshift.cli import main; main()"]
    given: list[list[str | bytes]] = [
        ["map", *REGISTRY, b"ng\xffinx"],
        ["scan", *REGISTRY, b"\xff.yaml"],
    ]
    for arguments in given:
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode in {2, 3}, done.stderr
