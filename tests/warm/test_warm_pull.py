"""Pulls against real registries: cold, warm, moved tags, refusals."""

import base64
from pathlib import Path

import pytest

from ecr_server import PLANTED, EcrError, EcrServer
from imageshift.aws import AwsOptions, UsedImage
from imageshift.errors import ToolError
from imageshift.reference import ImageReference
from imageshift.warm import (
    Login,
    PullResult,
    RegistryClient,
    check_pins,
    plan_warm,
    pull_all,
)
from imageshift.warm.login import EcrImages, ecr_login
from oci_registry import OciRegistry, serve_registry

pytest_plugins = ("ecr_fixtures",)
pytestmark = pytest.mark.registry

OPTIONS = AwsOptions(account="111122223333", region="eu-west-2")
NOWHERE = "sha256:" + "0" * 64

HASHED = "$2b$04$b5jBCYodK6CMJoGJgyqyweheEbRK2Y1r4KmtxTnvkWckHvol.kOdO"
"""The planted password as htpasswd keeps it (bcrypt)."""


def use(host: str, repository: str, tag: str | None, digest: str | None = None) -> UsedImage:
    """Return an image whose target lies on a registry."""
    upstream = ImageReference("ghcr.io", repository, tag, digest)
    return UsedImage(upstream, ImageReference(host, repository, tag, digest), ("a.yaml:1:1",))


def client(registry: OciRegistry, login: Login | None = None) -> RegistryClient:
    """Return a client of a registry that doesn't wait between tries."""
    return RegistryClient(registry.host, login, backoff=0)


def test_cold_then_warm(oci_registry: OciRegistry, pull_through: OciRegistry) -> None:
    """A tag pull fills the pull_through, which then serves tag and digest without its upstream."""
    digest = oci_registry.push("org/app", "v1")
    cold = oci_registry.push("org/cold", "v1")
    plan = plan_warm([use(pull_through.host, "org/app", "v1", digest)])
    before = pull_through.has_stored("org/app", digest)

    report = pull_all(plan, client(pull_through))
    oci_registry.stop()
    warm = pull_all(plan, client(pull_through))
    unwarmed = pull_all(
        plan_warm([use(pull_through.host, "org/cold", "v1", cold)]), client(pull_through)
    )

    assert (before, pull_through.has_stored("org/app", digest)) == (False, True)
    assert [(one.digest, one.error) for one in report.pulls] == [(digest, None)]
    assert warm == report
    assert report.not_cached == ()
    assert len(unwarmed.failed) == len(unwarmed.not_cached) == 1


def test_moved_tag_leaves_the_pin_out(oci_registry: OciRegistry) -> None:
    """A tag that has moved on caches another digest, so the pin is reported with its remedy."""
    moved = oci_registry.push("org/app", "v1", "new")
    plan = plan_warm([use(oci_registry.host, "org/app", "v1", NOWHERE)])

    report = pull_all(plan, client(oci_registry))

    assert report.failed == ()
    [missing] = report.not_cached
    assert missing.remedy == (
        f"copy it: crane copy ghcr.io/org/app@{NOWHERE} {oci_registry.host}/org/app@{NOWHERE}, "
        f"or pin it again: its tag is {moved} now"
    )


def test_pins_of_one_platform(oci_registry: OciRegistry) -> None:
    """A pin may be an index's digest or one platform's; both are found."""
    digests = oci_registry.push_index("org/app", "v1", ["linux/amd64", "linux/arm64"])
    images = [use(oci_registry.host, "org/app", "v1", digest) for digest in digests.values()]

    report = pull_all(plan_warm(images), client(oci_registry), platform="linux/arm64")

    assert len(report.pulls) == 1
    assert report.pulls[0].digest == digests[""]
    assert len(report.pulls[0].pins) == 3
    assert report.not_cached == ()


def test_platform_is_pulled_through(oci_registry: OciRegistry, pull_through: OciRegistry) -> None:
    """With a platform, that platform's image is in the cache afterwards, the other isn't."""
    digests = oci_registry.push_index("org/app", "v1", ["linux/amd64", "linux/arm64"])
    plan = plan_warm([use(pull_through.host, "org/app", "v1")])

    pull_all(plan, client(pull_through), platform="linux/arm64")

    stored = {name: pull_through.has_stored("org/app", digest) for name, digest in digests.items()}
    assert stored == {"": True, "linux/arm64": True, "linux/amd64": False}


def test_absent_platform(oci_registry: OciRegistry) -> None:
    """A platform that an image doesn't have is a failure that names those it has."""
    oci_registry.push_index("org/app", "v1", ["linux/amd64", "linux/arm64"])
    plan = plan_warm([use(oci_registry.host, "org/app", "v1")])

    report = pull_all(plan, client(oci_registry), platform="linux/s390x")

    assert report.failed[0].error == (
        "there is no image for linux/s390x, only linux/amd64, linux/arm64"
    )


def test_failures_dont_stop_the_rest(oci_registry: OciRegistry) -> None:
    """Each image that can't be pulled is told in plain words, in order, with progress."""
    oci_registry.push("org/app", "v1")
    images = [
        use(oci_registry.host, "org/absent", "v1"),
        use(oci_registry.host, "org/app", "v1"),
        use(oci_registry.host, "org/app", "v2"),
        use(oci_registry.host, "org/pinned", None, NOWHERE),
    ]
    seen: list[PullResult] = []

    report = pull_all(plan_warm(images), client(oci_registry), jobs=2, on_progress=seen.append)

    assert tuple(seen) == report.pulls
    assert [one.error is None for one in report.pulls] == [False, True, False]
    assert "MANIFEST_UNKNOWN" in (report.pulls[2].error or "")
    assert "ecr:BatchImportUpstreamImage" in (report.pulls[2].error or "")
    assert [one.is_cached for one in report.untagged] == [False]


def test_login_is_sent_and_never_shown(tmp_path: Path) -> None:
    """A registry behind a login takes ours; a wrong one is refused without showing it."""
    with serve_registry(tmp_path / "r", login=f"AWS:{HASHED}\n") as registry:
        plan = plan_warm([use(registry.host, "org/app", "v1")])

        report = pull_all(plan, client(registry, Login("AWS", PLANTED)))
        with pytest.raises(ToolError, match="doesn't accept the login") as caught:
            pull_all(plan, client(registry, Login("AWS", f"{PLANTED}-wrong")))

    assert "NAME_UNKNOWN" in (report.pulls[0].error or "") or "MANIFEST_UNKNOWN" in (
        report.pulls[0].error or ""
    )
    assert PLANTED not in f"{caught.value}{caught.value.hint}{report!r}{Login('AWS', PLANTED)}"


def test_unreachable_registry(oci_registry: OciRegistry) -> None:
    """A registry that is down is said to be out of reach."""
    oci_registry.stop()

    with pytest.raises(ToolError, match="can't be reached"):
        pull_all(plan_warm([use(oci_registry.host, "org/app", "v1")]), client(oci_registry))


def test_login_of_an_account(ecr_server: EcrServer) -> None:
    """ECR's authorization token becomes a login; its text shows no password."""
    login = ecr_login(OPTIONS)

    assert (login.username, login.password) == ("AWS", PLANTED)
    assert PLANTED not in repr(login)
    assert ecr_server.calls == [("GetAuthorizationToken", {"registryIds": ["111122223333"]})]


def test_broken_token_stays_secret(ecr_server: EcrServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that can't be read is an error that doesn't show it."""
    token = base64.b64encode(b"\xff\xfe" + PLANTED.encode()).decode()
    answer = {"authorizationData": [{"authorizationToken": token}]}
    monkeypatch.setattr(ecr_server, "token", lambda: answer)

    with pytest.raises(ToolError, match="can't be read") as caught:
        ecr_login(OPTIONS)

    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


def test_check_asks_without_pulling(ecr_server: EcrServer) -> None:
    """`--check` asks DescribeImages for pins only, and nothing that would fill the cache."""
    host = "111122223333.dkr.ecr.eu-west-2.amazonaws.com"
    there, gone = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    ecr_server.images = {("github/org/app", there)}
    images = [
        use(host, "github/org/app", "v1", there),
        use(host, "github/org/app", "v2", gone),
        use(host, "github/org/other", None, gone),
        use(host, "github/org/app", "v3"),
    ]

    results = check_pins(plan_warm(images), EcrImages(OPTIONS).has)

    assert [(one.pin.target.digest, one.is_cached) for one in results] == [
        (there, True),
        (gone, False),
        (gone, False),
    ]
    assert {call for call, _ in ecr_server.calls} == {"DescribeImages"}


def test_check_denied(ecr_server: EcrServer) -> None:
    """A denied look-up is an error, not an absent image."""
    ecr_server.refusals["DescribeImages"] = [EcrError("AccessDeniedException", "no")]
    plan = plan_warm([use("111122223333.dkr.ecr.eu-west-2.amazonaws.com", "a/b", "1", NOWHERE)])

    with pytest.raises(ToolError, match="AWS denies ecr:DescribeImages"):
        check_pins(plan, EcrImages(OPTIONS).has)
