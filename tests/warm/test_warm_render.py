"""The plan of pulls, and every form it is written in, against golden files."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from imageshift.aws import UsedImage, used_image
from imageshift.cache import ARTICLE_RULES, Registry, Rule, RuleSet
from imageshift.reference import ImageReference, parse_reference
from imageshift.warm import (
    SyncTool,
    WarmFormat,
    WarmPlan,
    plan_warm,
    render_sync,
    render_warm,
)
from imageshift.warm.render import WarmOptions, helper_image
from imageshift.warm.sync import unsupported_images

GOLDEN = Path(__file__).parent.parent / "fixtures" / "warm"
REGISTRY = Registry.of("111122223333", "eu-west-2")
RULES = RuleSet(REGISTRY, ARTICLE_RULES)
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64

IMAGES = (
    ("nginx:1.27", "a.yaml:1:1"),
    ("docker.io/library/nginx:1.27", "b.yaml:2:2"),
    (f"nginx:1.27@{ONE}", "c.yaml:3:3"),
    (f"ghcr.io/org/app:v1@{ONE}", "d.yaml:4:4"),
    (f"ghcr.io/org/app:v1@{TWO}", "e.yaml:5:5"),
    (f"quay.io/org/tool@{TWO}", "f.yaml:6:6"),
    ("registry.k8s.io/pause", "g.yaml:7:7"),
    ("quay.io/org/tool:${VERSION}", "h.yaml:8:8"),
    (f"gcr.io/project/app:1@{ONE}", "i.yaml:9:9"),
    ("gcr.io/project/app:2", "i.yaml:10:9"),
    ("registry.example.com:5000/team/app", "i.yaml:11:9"),
    ("mcr.microsoft.com/dotnet/runtime:${TAG}", "i.yaml:12:9"),
)
USED = tuple(used_image(parse_reference(text), RULES, (place,)) for text, place in IMAGES)
PLAN = plan_warm(USED)
PLATFORM = WarmOptions(platform="linux/arm64/v8", namespace="flux-system")


def test_each_image_once() -> None:
    """Tags are pulled once each, with the digests and places that ask for them."""
    pulls = [
        (str(pull.target).partition("/")[2], pull.places, [pin.target.digest for pin in pull.pins])
        for pull in PLAN.pulls
    ]

    assert pulls == [
        ("docker-hub/library/nginx:1.27", ("a.yaml:1:1", "b.yaml:2:2", "c.yaml:3:3"), [ONE]),
        ("github/org/app:v1", ("d.yaml:4:4", "e.yaml:5:5"), [ONE, TWO]),
        ("k8s/pause:latest", ("g.yaml:7:7",), []),
    ]


def test_what_cant_be_pulled_by_tag_is_apart() -> None:
    """Pins without a tag and tags with a variable are listed apart; other registries aren't."""
    assert [(str(pin.upstream), pin.places) for pin in PLAN.untagged] == [
        (f"quay.io/org/tool@{TWO}", ("f.yaml:6:6",))
    ]
    assert [image.places for image in PLAN.variable] == [("h.yaml:8:8",)]
    assert len(PLAN.pins) == 4


def test_a_sha_key_is_a_digest() -> None:
    """A bare checksum, as charts with a `sha` key have it, is a digest to ask for."""
    upstream = ImageReference("quay.io", "a/b", "1", "3" * 64)

    plan = plan_warm([UsedImage(upstream, upstream.with_name(REGISTRY.host, "quay/a/b"))])

    assert [pin.target.digest for pin in plan.pins] == ["sha256:" + "3" * 64]


@pytest.mark.parametrize("form", WarmFormat)
@pytest.mark.parametrize("options", [WarmOptions(), PLATFORM], ids=["plain", "platform"])
def test_forms(form: WarmFormat, options: WarmOptions) -> None:
    """Each form of the list is the golden one."""
    name = f"{form}{'' if options.platform is None else '-platform'}.txt"

    assert render_warm(PLAN, form, options) == (GOLDEN / name).read_text()


@pytest.mark.parametrize("form", WarmFormat)
def test_nothing_to_pull(form: WarmFormat) -> None:
    """Without pulls there is nothing to write."""
    assert render_warm(WarmPlan(()), form) == ""


@pytest.mark.parametrize("form", [WarmFormat.CRANE, WarmFormat.SKOPEO, WarmFormat.DOCKER])
def test_scripts_run(form: WarmFormat, tmp_path: Path) -> None:
    """The script runs in a POSIX shell, pulls all in order, and fails when one pull does."""
    calls = tmp_path / "calls"
    for name in ("aws", "crane", "skopeo", "docker"):
        tool = tmp_path / name
        tool.write_text(
            f'#!/bin/sh\necho {name} "$@" >> {calls}\ncase "$*" in *github*) exit 1; esac\n'
        )
        tool.chmod(0o755)
    shell = shutil.which("sh")
    assert shell is not None

    done = subprocess.run(
        [shell, "-s"],
        input=render_warm(PLAN, form),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    logged = calls.read_text()
    assert (done.returncode, done.stderr) == (1, "1 of 3 pulls failed\n")
    assert re.findall(r"/(\S+:\S+)", logged.replace("docker://", "")) == [
        "docker-hub/library/nginx:1.27",
        "github/org/app:v1",
        "k8s/pause:latest",
    ]
    assert f"{form} login" in logged or f"{form} auth login" in logged
    assert "--password-stdin" in logged


def test_jobs_are_restricted() -> None:
    """Every Job has a name of its own and keeps to the restricted Pod Security Standard."""
    documents = list(YAML(typ="safe", pure=True).load_all(render_warm(PLAN, WarmFormat.JOB)))
    pods = [document["spec"]["template"]["spec"] for document in documents]

    assert len({document["metadata"]["name"] for document in documents}) == 3
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods)
    assert all(
        container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        for pod in pods
        for container in (*pod["containers"], *pod["initContainers"])
    )


@pytest.mark.parametrize("tool", SyncTool)
def test_sync_file(tool: SyncTool) -> None:
    """Images of registries that ECR can't cache become a sync file, each once."""
    images = unsupported_images(USED)

    text = render_sync(images, REGISTRY, tool)

    assert text == (GOLDEN / f"sync-{tool}.yaml").read_text()
    assert YAML(typ="safe", pure=True).load(text) is not None


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(ARTICLE_RULES, f"{REGISTRY.host}/docker-hub/library/busybox", id="docker hub"),
        pytest.param(ARTICLE_RULES[3:], f"{REGISTRY.host}/ecr/docker/library/busybox", id="ecr"),
        pytest.param(ARTICLE_RULES[4:], "docker.io/library/busybox", id="neither"),
    ],
)
def test_helper_comes_through_the_cache(rules: tuple[Rule, ...], expected: str) -> None:
    """The Jobs' helper is pulled through the cache too, where a rule reaches it."""
    assert helper_image(RuleSet(REGISTRY, rules)).startswith(f"{expected}:")


def test_empty_sync_file() -> None:
    """Without such images a regsync file is still one that regsync reads."""
    text = render_sync((), REGISTRY, SyncTool.REGSYNC)

    assert YAML(typ="safe", pure=True).load(text)["sync"] == []
