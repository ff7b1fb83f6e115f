"""`check --upstream` and `migrate --check-upstream` over real registries, and others."""

import base64
import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, Outcome, run, write_tree
from ecr_server import PLANTED
from imageshift.charts.fetch.store import Store
from imageshift.net import Transport
from imageshift.reference import parse_reference
from imageshift.upstream import ask
from imageshift.upstream.ask import State
from imageshift.upstream.existence import Existence
from oci_registry import OciRegistry, serve_registry
from web_server import Page, page, serve

pytestmark = pytest.mark.once

# The planted password as htpasswd keeps it (bcrypt).
HASHED = "$2b$04$b5jBCYodK6CMJoGJgyqyweheEbRK2Y1r4KmtxTnvkWckHvol.kOdO"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with neither cache nor logins."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(folder))
    return folder


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OciRegistry]:
    """Serve a registry with a few images."""
    with serve_registry(tmp_path_factory.mktemp("oci") / "registry") as made:
        made.push("org/app", "1")
        made.push("org/moved", "1", "old")
        made.push("new/place", "1")
        made.push_index("org/multi", "1", ["linux/amd64", "linux/arm64"])
        yield made


class Repository:
    """A repository with one Deployment whose images are looked at."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder / "repo", host

    def run(self, command: str, *arguments: str, images: tuple[str, ...] = ()) -> Outcome:
        """Run a command; `images` are written first, without their host."""
        if images:
            lines = "".join(f"        - image: {self.host}/{image}\n" for image in images)
            text = (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
                f"spec:\n  template:\n    spec:\n      containers:\n{lines}"
            )
            write_tree(self.folder, {"web.yaml": text})
        rule = f"{self.host}=local"
        return run(self.folder, command, "web.yaml", *REGISTRY, "--rule", rule, *arguments)

    def findings(self, *images: str, more: tuple[str, ...] = ()) -> tuple[list[str], int]:
        """Return what `check --upstream` says of migrated images, and its exit code."""
        self.run("migrate", images=images)
        done = self.run("check", "--upstream", *more)
        return done.stdout.replace(self.host, "UPSTREAM").splitlines(), done.code


@pytest.fixture
def repository(tmp_path: Path, registry: OciRegistry) -> Repository:
    """Return a repository that takes its images from the registry."""
    return Repository(tmp_path, registry.host)


@pytest.mark.registry
def test_images_that_are_there(repository: Repository) -> None:
    """Nothing is said of images that are there, by tag, digest, or neither."""
    assert repository.findings("org/app:1", "org/multi:1") == ([], 0)


@pytest.mark.registry
def test_images_that_are_gone(repository: Repository) -> None:
    """A missing tag and a missing repository are told apart, each with its place."""
    found = repository.findings("org/app:2", "org/app:1", "org/none:1", "org/app")

    assert found == (
        [
            "web.yaml:8:18: upstream-gone: UPSTREAM/org/app:2: UPSTREAM/org/app has no 2",
            (
                "web.yaml:10:18: upstream-gone: UPSTREAM/org/none:1: "
                "UPSTREAM has no repository org/none"
            ),
            "web.yaml:11:18: upstream-gone: UPSTREAM/org/app: UPSTREAM/org/app has no latest",
        ],
        1,
    )


@pytest.mark.registry
def test_platforms(repository: Repository) -> None:
    """With --platform every image must be made for it: by its index, or its own configuration."""
    images = ("org/multi:1", "org/app:1")

    assert repository.findings(*images, more=("--platform", "linux/amd64")) == ([], 0)
    assert repository.findings(*images, more=("--platform", "linux/arm64")) == (
        ["web.yaml:9:18: platform-missing: UPSTREAM/org/app:1: it isn't built for linux/arm64"],
        1,
    )
    both = ("--platform", "linux/s390x", "--platform", "windows/amd64")
    assert len(repository.findings(*images, more=both)[0]) == 2


@pytest.mark.registry
def test_tags_that_moved(repository: Repository, registry: OciRegistry) -> None:
    """An image that is pinned by digest is there; that its tag is another one now is said."""
    old = registry.push("org/moved", "1", "old")
    new = registry.push("org/moved", "1", "new")

    found = repository.findings(f"org/moved:1@{old}", f"org/moved:1@{new}", f"org/moved:9@{new}")

    assert found == (
        [
            f"web.yaml:8:18: tag-moved: UPSTREAM/org/moved:1@{old}: the tag 1 is {new} now",
            (
                f"web.yaml:10:18: tag-moved: UPSTREAM/org/moved:9@{new}: "
                "the tag 9 is gone, but the digest exists"
            ),
        ],
        1,
    )


@pytest.mark.registry
def test_images_that_were_renamed(
    repository: Repository, registry: OciRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a repository is known to have moved, the new place is asked for."""
    moved = ((f"{registry.host}/old/", f"{registry.host}/new/"),)
    monkeypatch.setattr(ask, "RENAMED", moved)

    found = repository.findings("old/place:1", "old/other:1")

    assert found == (
        [
            "web.yaml:8:18: upstream-renamed: UPSTREAM/old/place:1: it is UPSTREAM/new/place:1 now",
            (
                "web.yaml:9:18: upstream-gone: UPSTREAM/old/other:1: "
                "UPSTREAM has no repository old/other"
            ),
        ],
        1,
    )


@pytest.mark.registry
def test_private_images(tmp_path: Path, home: Path) -> None:
    """Without a login a private image can't be told from none; Docker's login reads it."""
    with serve_registry(tmp_path / "private", login=f"AWS:{HASHED}\n") as private:
        repository = Repository(tmp_path, private.host)

        without = repository.findings("org/app:1")
        login = base64.b64encode(f"AWS:{PLANTED}".encode()).decode()
        config = {"auths": {private.host: {"auth": login}}}
        (home / "config.json").write_text(json.dumps(config))
        given = repository.findings("org/app:1")

    assert without == (
        [
            (
                "web.yaml:8:18: upstream-denied: UPSTREAM/org/app:1: "
                "without a login it can't be read: it is private, or doesn't exist"
            )
        ],
        1,
    )
    assert given == (
        ["web.yaml:8:18: upstream-gone: UPSTREAM/org/app:1: UPSTREAM has no repository org/app"],
        1,
    )


@pytest.mark.registry
def test_migrate_says_what_it_points_at(repository: Repository) -> None:
    """A migration to an image that isn't there is done, said, and exits 1."""
    images = ("org/app:1", "org/none:1")

    done = repository.run("migrate", "--check-upstream", "--format", "json", images=images)

    (warning,) = [w for w in done.report["warnings"] if w["code"].startswith("upstream-")]
    assert (warning["code"], warning["places"]) == ("upstream-gone", ["web.yaml:9:18"])
    assert done.code == 1
    text = (repository.folder / "web.yaml").read_text()
    assert f"{HOST}/local/org/none:1" in text


@pytest.mark.registry
def test_images_of_a_baseline(repository: Repository) -> None:
    """A missing image that the baseline lists doesn't make the run fail."""
    repository.findings("org/none:1")
    known = ("--upstream", "--baseline", "known.json")
    repository.run("check", *known, "--write-baseline")

    again = repository.run("check", *known)

    assert (again.stdout, again.code) == ("", 0)


def test_images_of_each_registry(tmp_path: Path) -> None:
    """What is in the second registry's cache is asked for at its own upstream."""
    second = HOST.replace("123456789012", "210987654321")
    entry = "  - {{paths: [{0}/], account: '{1}', region: eu-west-2}}\n"
    config = "registries:\n" + entry.format("a", "123456789012") + entry.format("b", "210987654321")
    pod = "kind: Pod\nspec:\n  containers:\n    - image: {0}/docker-hub/org/app:1\n"
    files = {"a/pod.yaml": pod.format(HOST), "b/pod.yaml": pod.format(second)}
    write_tree(tmp_path, {".imageshift.yaml": config, **files})

    done = run(tmp_path, "check", "--upstream", "--offline")

    assert [line.split(": ")[:3] for line in done.stderr.splitlines()] == [
        [f"{folder}/pod.yaml:4:14", "upstream-unknown", "org/app:1"] for folder in "ab"
    ]


@pytest.mark.registry
def test_what_isnt_asked(repository: Repository) -> None:
    """Without the option nothing is asked, nor for images without a rule or with a variable."""
    repository.run("migrate", images=("org/none:1",))
    plain = repository.run("check")
    pod = "kind: Pod\nspec:\n  containers: [{image: 'x.invalid/a:1'}, {image: 'a:${T}'}]\n"
    write_tree(repository.folder, {"web.yaml": pod})

    other = repository.run("check", "--upstream", "--charts", "off")

    assert (plain.stdout, plain.code) == ("", 0)
    assert "upstream" not in other.stdout.replace(HOST, "")


@pytest.mark.registry
def test_answers_are_remembered(tmp_path: Path, home: Path) -> None:
    """What was there isn't asked for again that day; offline also the rest is known, by its age."""
    with serve_registry(tmp_path / "once") as once:
        once.push("org/app", "1")
        repository = Repository(tmp_path, once.host)
        first = repository.findings("org/app:1", "org/none:1")

    down = repository.run("check", "--upstream")
    offline = repository.run("check", "--upstream", "--offline")
    shutil.rmtree(home / "imageshift")
    empty = repository.run("check", "--upstream", "--offline")

    none = f"web.yaml:9:18: upstream-gone: {once.host}/org/none:1: {once.host} has no repository"
    assert (len(first[0]), first[1]) == (1, 1)
    assert down.stderr.startswith("web.yaml:9:18: upstream-unknown: ")
    assert (down.stdout, down.code) == ("", 4)
    assert (offline.stdout, offline.code) == (f"{none} org/none\n", 1)
    assert (empty.stderr.count("upstream-unknown"), empty.code) == (2, 4)


def existence(**more: object) -> Existence:
    """Return one with a transport that doesn't wait long, and no cache."""
    return Existence(Transport(backoff=0.01, tries=2, timeout=2.0), Store(None), **more)  # type: ignore[arg-type]


def test_ages_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remembered answer says how old it is; good news of yesterday is asked for again."""
    store = Store(tmp_path / "store")
    with serve({"*": page(status=200)}) as web:
        image = parse_reference(f"{web.host}/org/app:1")
        for _ in range(2):
            Existence(Transport(), store).ask([image])
        soon = len(web.asked)
        later = time.time() + 25 * 3600
        monkeypatch.setattr("imageshift.upstream.existence.time.time", lambda: later)
        Existence(Transport(), store).ask([image])

    answer = Existence(Transport(offline=True), store).ask([image])[image]
    assert (soon, len(web.asked)) == (1, 2)
    assert answer.state is State.THERE


def test_only_heads_are_sent() -> None:
    """What is there takes one HEAD, which Docker Hub doesn't count as a pull."""
    with serve({"*": page(status=200)}) as web:
        images = [parse_reference(f"{web.host}/org/app:{n}") for n in range(3)]
        found = existence().ask([*images, *images])

    assert {answer.state for answer in found.values()} == {State.THERE}
    assert [one.method for one in web.asked] == ["HEAD"] * 3


def test_a_registry_is_asked_a_few_questions_at_once() -> None:
    """No registry gets more than four questions at once, nor more than twenty in a second."""
    now, most, lock = [0], [0], threading.Lock()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.2)
        with lock:
            now[0] -= 1
        page(status=200)(handler)

    with serve({"*": slow}) as web:
        start = time.monotonic()
        existence().ask(parse_reference(f"{web.host}/org/app:{n}") for n in range(20))

    assert most[0] == 4
    assert time.monotonic() - start >= 0.9


BAD: dict[str, tuple[Page, str]] = {
    "rate limit": (page(status=429), "its rate limit is reached"),
    "broken": (page(status=500), "it answers 500"),
    "teapot": (page(status=418), "it answers 418"),
    "token elsewhere": (
        page(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://169.254.169.254/t"'}),
        "leads elsewhere",
    ),
    "redirect to metadata": (
        page(status=307, headers={"Location": "http://169.254.169.254/latest"}),
        "leads elsewhere",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_registries_that_misbehave(name: str) -> None:
    """An answer that says nothing of the image is no finding about it."""
    answer_with, said = BAD[name]
    with serve({"*": answer_with}) as web:
        image = parse_reference(f"{web.host}/org/app:1")

        answer = existence().ask([image])[image]

    assert answer.state is State.UNKNOWN
    assert said in answer.detail


def test_a_limit_that_is_reached_ends_the_questions() -> None:
    """A registry whose limit is reached isn't asked again in this run."""
    with serve({"*": page(status=429)}) as web:
        images = [parse_reference(f"{web.host}/org/app:{n}") for n in range(40)]

        found = existence().ask(images)

    assert {answer.state for answer in found.values()} == {State.UNKNOWN}
    # Those that were on their way already are tried twice each.
    assert len(web.asked) <= 2 * 4


SHAPES = ("[]", "{", '{"manifests": 1}', '{"manifests": [1, {"platform": 2}]}', '{"config": 3}', "")


@pytest.mark.parametrize("body", SHAPES)
def test_manifests_of_any_shape(body: str) -> None:
    """A manifest of an unexpected shape is made for no platform, or can't be read."""
    with serve({"*": page(body)}) as web:
        image = parse_reference(f"{web.host}/org/app:1")

        answer = existence(platforms=("linux/amd64",)).ask([image])[image]

    assert answer.state in (State.PLATFORM, State.UNKNOWN)
