"""imageshift map: references in, targets out, one a line."""

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
    assert done.stderr == "imageshift: gcr.io/a/b:1: no rule has the upstream gcr.io\n"


def test_quiet_gives_only_the_result(tmp_path: Path) -> None:
    """No warning, but what is no reference is an error all the same."""
    done = run(tmp_path, "map", "gcr.io/a/b:1", "nginx", "a b", "--quiet", *REGISTRY)

    assert (done.code, done.stdout) == (3, f"gcr.io/a/b:1\n{LINES['nginx']}\n")
    assert done.stderr == "imageshift: 'a b' is no image reference\n"


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
    assert "the repository would be 259 characters long, references take 255" in done.stderr


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
    assert done.stderr == "warning account-id: 123 has not the twelve digits of an account id\n"
