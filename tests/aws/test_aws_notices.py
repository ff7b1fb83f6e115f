"""Warnings on AWS's side, and differences between rules: pure functions on plain values."""

import pytest

from imageshift.aws import FoundRule, UsedImage, find_upstream, used_image
from imageshift.aws.arn import repository_arn, secret_problem
from imageshift.aws.compare import compare_rules
from imageshift.aws.notices import find_notices
from imageshift.cache import ARTICLE_RULES, CONSOLE_RULES, Registry, Rule, RuleSet
from imageshift.data.upstreams import UPSTREAMS
from imageshift.ecr import partition_of
from imageshift.reference import ImageReference, parse_reference

REGISTRY = Registry.of("111122223333", "eu-west-2")
RULES = RuleSet(REGISTRY, ARTICLE_RULES)


def use(text: str, *resources: str, rules: RuleSet = RULES) -> UsedImage:
    """Return an image used once."""
    return used_image(parse_reference(text), rules, ("apps/a.yaml:3:5",), resources)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(use("nginx:1.27"), set(), id="a plain image"),
        pytest.param(use("gcr.io/a/b:1"), {"unsupported-upstream"}, id="gcr"),
        pytest.param(use("cgr.dev/a/b:1"), set(), id="supported, but without a rule"),
        pytest.param(use("222233334444.dkr.ecr.eu-west-1.amazonaws.com/a:1"), set(), id="ecr"),
        pytest.param(
            use("nginx:1", "lambda.services.k8s.aws/v1alpha1/Function"), {"lambda"}, id="lambda"
        ),
        pytest.param(
            use("gcr.io/a/b:1", "lambda.services.k8s.aws/v1alpha1/Function"),
            {"unsupported-upstream"},
            id="lambda whose image stays",
        ),
        pytest.param(use("nginx:1", "v1/Pod"), set(), id="core kind"),
    ],
)
def test_notices_of_one_image(image: UsedImage, expected: set[str]) -> None:
    """Each image raises exactly the warnings that concern it."""
    assert {str(notice.code) for notice in find_notices([image], RULES)} == expected


def test_notices_count_and_place() -> None:
    """A warning counts images and lists their places, one for each unsupported registry."""
    images = [use("gcr.io/a/b:1"), use("gcr.io/a/c:1"), use("lscr.io/linuxserver/x:1")]

    notices = find_notices(images, RULES)

    assert [(one.message, one.count, len(one.places)) for one in notices] == [
        ("ECR can't cache gcr.io", 2, 2),
        ("ECR can't cache lscr.io", 1, 1),
    ]
    assert "--sync-file" in notices[0].hint
    assert "--alias lscr.io=ghcr.io" in notices[1].hint


def test_missing_rules_when_the_account_is_known() -> None:
    """Rules in use that the account hasn't are named, unused ones aren't."""
    found = [FoundRule(rule=Rule("docker.io", "docker-hub"), place="aws:eu-west-2")]

    notices = find_notices([use("nginx:1"), use("quay.io/a/b:1")], RULES, found)

    assert [one.message for one in notices if one.code == "rule-missing"] == [
        "the account has no rule quay.io → quay"
    ]


def test_a_bare_digest_is_a_digest() -> None:
    """Charts whose key is `sha` leave the algorithm out."""
    bare = ImageReference("quay.io", "a/b", "1", "b" * 64)

    image = UsedImage(bare, bare)

    assert image.upstream.digest == "sha256:" + "b" * 64
    assert image.target == image.upstream


def test_cached_references_keep_their_name() -> None:
    """An image that is in the cache already has its upstream told."""
    image = use("111122223333.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/library/nginx:1")

    assert image.upstream.familiar == "nginx:1"
    assert image.target is not None
    assert image.target.repository == "docker-hub/library/nginx"


def found(*rules: Rule) -> list[FoundRule]:
    """Return rules as found in a file."""
    return [FoundRule(rule=rule, place=f"r.tf:{line}:1") for line, rule in enumerate(rules, 1)]


def test_differences() -> None:
    """Every kind of difference is told with its place; those that break pulls are marked."""
    rules = RuleSet(
        REGISTRY,
        (
            Rule("docker.io", "docker-hub"),
            Rule("ghcr.io", "github"),
            Rule("registry.k8s.io", "k8s"),
            Rule("public.ecr.aws", "ecr"),
        ),
    )
    there = found(
        Rule("docker.io", "docker-hub"),
        Rule("ghcr.io", "gh"),
        Rule("cgr.dev", "k8s"),
        Rule("registry.gitlab.com", "gitlab"),
    )
    used = [use("nginx:1", rules=rules), use("quay.io/a/b:1", rules=rules)]

    differences = compare_rules(rules, there, used)

    assert [(str(one.kind), one.subject, one.places) for one in differences] == [
        ("other-prefix", "github", ("r.tf:2:1",)),
        ("other-upstream", "k8s", ("r.tf:3:1",)),
        ("missing", "ecr", ()),
        ("extra", "gitlab", ("r.tf:4:1",)),
        ("unused", "github", ()),
        ("unused", "k8s", ()),
        ("unused", "ecr", ()),
        ("uncovered", "quay.io", ("apps/a.yaml:3:5",)),
    ]
    assert [one.breaks_pulls for one in differences] == [True, True, True] + [False] * 5


def test_no_differences() -> None:
    """The same rules from two sources don't differ."""
    assert compare_rules(RULES, found(*ARTICLE_RULES)) == ()


def test_table_of_upstreams_covers_the_presets() -> None:
    """Every preset's upstream is one that ECR knows, and the console proposes one rule for each."""
    assert all(find_upstream(rule.upstream) for rule in (*ARTICLE_RULES, *CONSOLE_RULES))
    assert {rule.upstream for rule in CONSOLE_RULES} == {upstream.host for upstream in UPSTREAMS}


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("registry-1.docker.io", "docker-hub"),
        ("my.azurecr.io", "azure-container-registry"),
        ("111122223333.dkr.ecr.eu-west-2.amazonaws.com", "ecr"),
        ("mcr.microsoft.com", None),
        (".azurecr.io", None),
        ("gitlab.example.com", None),
    ],
)
def test_find_upstream(host: str, kind: str | None) -> None:
    """ECR's word for a registry, by the nine values of its API."""
    upstream = find_upstream(host)

    assert (None if upstream is None else upstream.kind) == kind


def test_arns() -> None:
    """ARNs carry the region's partition, and ROOT stands for every repository."""
    registry = Registry("x", "111122223333", "eusc-de-east-1")

    assert repository_arn(registry, "ROOT") == (
        "arn:aws-eusc:ecr:eusc-de-east-1:111122223333:repository/*"
    )
    assert partition_of("us-isob-east-1") == "aws-iso-b"
    assert secret_problem("arn:aws:s3:::bucket", REGISTRY) is not None
    assert (
        secret_problem(
            "arn:aws:secretsmanager:eu-west-2:999999999999:secret:ecr-pullthroughcache/x-AbCdEf",
            REGISTRY,
        )
        == "the secret is in account 999999999999, the rule in 111122223333"
    )
