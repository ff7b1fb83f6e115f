"""`rules validate` against a fake account, and IAM's simulation by botocore's Stubber."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ecr_server import PLANTED, EcrError, EcrServer
from imageshift.aws import AwsOptions, used_image
from imageshift.aws.role import denied_actions
from imageshift.aws.validate import Validation, validate_rules
from imageshift.cache import ARTICLE_RULES, Registry, Rule, RuleSet
from imageshift.errors import ToolError
from imageshift.reference import parse_reference

pytestmark = pytest.mark.once

pytest_plugins = ("ecr_fixtures",)

ACCOUNT, REGION = "111122223333", "eu-west-2"
OPTIONS = AwsOptions(account=ACCOUNT, region=REGION)
REGISTRY = Registry.of(ACCOUNT, REGION)
RULES = RuleSet(REGISTRY, ARTICLE_RULES)
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache"

HUB = {
    "ecrRepositoryPrefix": "docker-hub",
    "upstreamRegistryUrl": "registry-1.docker.io",
    "credentialArn": f"{SECRET}/docker-hub-AbCdEf",
}
QUAY = {"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}
KUBERNETES = {"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"}

IMAGES = ("nginx:1.27", "bitnami/redis:7", "quay.io/org/app:v1")


def validate(rules: RuleSet, images: tuple[str, ...] = IMAGES, **options: Any) -> Validation:
    """Return the verdicts on the rules that some images use."""
    used = [used_image(parse_reference(image), rules, ("a.yaml:1:1",)) for image in images]
    return validate_rules(rules, used, OPTIONS, **options)


def codes(validation: Validation) -> dict[str, list[str]]:
    """Return the codes of each prefix's findings."""
    return {one.rule.prefix: [str(f.code) for f in one.findings] for one in validation.verdicts}


def test_a_sound_account(ecr_server: EcrServer) -> None:
    """Rules that exist, validate and have credentials are clean; only those in use are asked."""
    ecr_server.rules = [HUB, QUAY, KUBERNETES]

    result = validate(RULES)

    assert result.is_clean
    assert [(v.rule.prefix, v.images, v.is_valid) for v in result.verdicts] == [
        ("docker-hub", 2, True),
        ("quay", 1, True),
    ]
    assert "3 of 50 rules exist" in result.notes
    asked = [body for call, body in ecr_server.calls if call == "ValidatePullThroughCacheRule"]
    assert asked == [
        {"ecrRepositoryPrefix": "docker-hub", "registryId": ACCOUNT},
        {"ecrRepositoryPrefix": "quay", "registryId": ACCOUNT},
    ]


@pytest.mark.parametrize(
    ("rows", "expected", "message"),
    [
        pytest.param([HUB], {"docker-hub": [], "quay": ["missing"]}, "no such rule", id="no rule"),
        pytest.param(
            [HUB, QUAY | {"upstreamRegistryUrl": "ghcr.io"}],
            {"docker-hub": [], "quay": ["other-upstream"]},
            "quay.io → quay is expected, but there is ghcr.io → quay",
            id="prefix of another upstream",
        ),
        pytest.param(
            [HUB, QUAY | {"ecrRepositoryPrefix": "my-quay"}],
            {"docker-hub": [], "quay": ["other-prefix"]},
            "the prefix of quay.io there is my-quay",
            id="other prefix",
        ),
        pytest.param(
            [HUB, QUAY | {"upstreamRepositoryPrefix": "org"}],
            {"docker-hub": [], "quay": ["other-upstream"]},
            "there is quay.io/org → quay",
            id="upstream prefix",
        ),
        pytest.param(
            [{**HUB, "credentialArn": None}, QUAY],
            {"docker-hub": ["credential-missing"], "quay": []},
            "Docker Hub needs credentials",
            id="no credentials",
        ),
        pytest.param(
            [HUB | {"credentialArn": SECRET.replace(REGION, "us-east-1") + "/x-AbCdEf"}, QUAY],
            {"docker-hub": ["credential-wrong"], "quay": []},
            "the secret is in us-east-1, the rule in eu-west-2",
            id="secret of another region",
        ),
        pytest.param(
            [HUB | {"credentialArn": SECRET.replace("ecr-pullthroughcache", "hub")}, QUAY],
            {"docker-hub": ["credential-wrong"], "quay": []},
            "isn't named ecr-pullthroughcache/",
            id="secret's name",
        ),
    ],
)
def test_findings_on_rules(
    ecr_server: EcrServer,
    rows: list[dict[str, Any]],
    expected: dict[str, list[str]],
    message: str,
) -> None:
    """Each way in which a rule can be absent or wrong is one finding, in words."""
    ecr_server.rules = [{k: v for k, v in row.items() if v is not None} for row in rows]

    result = validate(RULES)

    assert codes(result) == expected
    assert message in " ".join(f.message for v in result.verdicts for f in v.findings)


def test_ecr_says_no(ecr_server: EcrServer) -> None:
    """ECR's own failure text is passed on, and nothing of the credentials."""
    ecr_server.rules = [HUB, QUAY]
    ecr_server.failures["docker-hub"] = "The upstream registry rejected the credentials"
    ecr_server.failures["quay"] = "The upstream registry can't be reached"

    result = validate(RULES)

    assert codes(result) == {"docker-hub": ["not-valid"], "quay": ["not-valid"]}
    hints = [verdict.findings[0].hint for verdict in result.verdicts]
    assert ["secret" in str(hint) for hint in hints] == [True, False]
    assert "rejected the credentials" in result.verdicts[0].findings[0].message
    assert result.verdicts[0].is_valid is False
    assert PLANTED not in repr(result)


def test_unsupported_upstream(ecr_server: EcrServer) -> None:
    """A rule whose upstream ECR can't cache is told apart from one that is missing."""
    ecr_server.rules = [HUB]
    rules = RuleSet(REGISTRY, (Rule("docker.io", "docker-hub"), Rule("gcr.io", "gcr")))

    result = validate(rules, ("gcr.io/project/app:1",))

    assert codes(result) == {"gcr": ["unsupported-upstream"]}


def test_other_account_without_role(ecr_server: EcrServer) -> None:
    """Another account's ECR needs a role; an own one in another region is let be."""
    hosts = {
        "far": f"222233334444.dkr.ecr.{REGION}.amazonaws.com",
        "near": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
    }
    ecr_server.rules = [
        {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": host}
        for prefix, host in hosts.items()
    ]
    rules = RuleSet(REGISTRY, tuple(Rule(host, prefix) for prefix, host in hosts.items()))

    result = validate(rules, (), every=True)

    assert codes(result) == {"far": ["role-missing"], "near": []}


def test_immutable_tags(ecr_server: EcrServer) -> None:
    """Cached repositories, and templates for new ones, whose tags can't move are found."""
    ecr_server.rules = [HUB, QUAY]
    ecr_server.repositories = [
        {"repositoryName": "docker-hub/library/nginx", "imageTagMutability": "IMMUTABLE"},
        {"repositoryName": "docker-hub/x/y", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {"repositoryName": "docker-hubs/x", "imageTagMutability": "IMMUTABLE"},
        {"repositoryName": "quay/org/app", "imageTagMutability": "MUTABLE"},
    ]
    ecr_server.templates = [
        {"prefix": "ROOT", "appliedFor": ["PULL_THROUGH_CACHE"], "imageTagMutability": "IMMUTABLE"},
        {"prefix": "docker-hub", "appliedFor": ["PULL_THROUGH_CACHE"]},
        {"prefix": "quay", "appliedFor": ["REPLICATION"], "imageTagMutability": "MUTABLE"},
    ]

    result = validate(RULES)

    assert [f.message for v in result.verdicts for f in v.findings] == [
        "tags are immutable in docker-hub/library/nginx and 1 more: updates don't reach the cache",
        "the creation template ROOT makes repositories with immutable tags",
    ]


FILTERS = "imageTagMutabilityExclusionFilters"


@pytest.mark.parametrize(
    ("mode", "filters", "found"),
    [
        ("MUTABLE", [], False),
        ("IMMUTABLE", [], True),
        ("IMMUTABLE_WITH_EXCLUSION", ["latest"], False),
        ("IMMUTABLE_WITH_EXCLUSION", ["v*", "*test"], False),
        ("IMMUTABLE_WITH_EXCLUSION", ["v*", "l*t"], False),
        ("IMMUTABLE_WITH_EXCLUSION", ["v*.*"], True),
        ("MUTABLE_WITH_EXCLUSION", ["v*.*"], False),
        ("MUTABLE_WITH_EXCLUSION", ["*"], True),
        ("MUTABLE_WITH_EXCLUSION", ["v*", "late*"], True),
    ],
)
def test_filters_tell_which_tags_move(
    mode: str, filters: list[str], ecr_server: EcrServer, *, found: bool
) -> None:
    """What a mode with exclusions means for a tag that moves is told by its filters."""
    rows = [{"filterType": "WILDCARD", "filter": one} for one in filters]
    ecr_server.rules = [HUB, QUAY]
    ecr_server.repositories = [
        {"repositoryName": "docker-hub/library/nginx", "imageTagMutability": mode, FILTERS: rows}
    ]

    assert (codes(validate(RULES))["docker-hub"] == ["immutable-tags"]) is found


def test_a_role_that_passes(ecr_server: EcrServer) -> None:
    """That a role may pull is said, not only that it may not."""
    ecr_server.rules = [HUB, QUAY]

    result = validate(RULES, role="nodes")

    assert result.is_clean
    assert (
        "nodes may pull through docker-hub, quay, according to IAM's policy simulator"
        in result.notes
    )


@pytest.mark.parametrize(
    ("policy", "lack"),
    [
        ("AmazonEC2ContainerRegistryPullOnly", "no ecr:CreateRepository"),
        ("AmazonEC2ContainerRegistryReadOnly", "neither ecr:BatchImportUpstreamImage nor"),
        ("AmazonEC2ContainerRegistryPowerUser", "neither ecr:BatchImportUpstreamImage nor"),
        ("AmazonEKSFargatePodExecutionRolePolicy", "neither ecr:BatchImportUpstreamImage nor"),
        ("AmazonECSTaskExecutionRolePolicy", "neither ecr:BatchImportUpstreamImage nor"),
    ],
)
def test_managed_policies_that_lack(policy: str, lack: str, ecr_server: EcrServer) -> None:
    """Of a role that may not pull, the managed policy that looks enough is named."""
    ecr_server.rules = [HUB, QUAY]
    ecr_server.denied = {"ecr:CreateRepository"}
    ecr_server.managed = ["AmazonEKSWorkerNodePolicy", policy]

    result = validate(RULES, role="nodes")

    assert not result.is_clean
    assert [note for note in result.notes if note.startswith(f"{policy} has {lack}")]


def test_unreadable_repositories_are_a_note(ecr_server: EcrServer) -> None:
    """Where listing repositories is denied, the rest is checked and the gap is said."""
    ecr_server.rules = [HUB, QUAY]
    ecr_server.refusals["DescribeRepositories"] = [EcrError("AccessDeniedException", "no")]

    result = validate(RULES)

    assert result.is_clean
    assert "tag immutability wasn't checked: AWS denies ecr:DescribeRepositories" in result.notes[0]


@pytest.mark.parametrize(
    ("rows", "message", "hint"),
    [
        pytest.param(
            [QUAY],
            "images of registry.gitlab.com are used, and the account has no rule for it",
            "add one: --rule registry.gitlab.com=PREFIX; imageshift infra writes it",
            id="nobody has one",
        ),
        pytest.param(
            [
                QUAY,
                {"ecrRepositoryPrefix": "gitlab", "upstreamRegistryUrl": "registry.gitlab.com"},
            ],
            "images of registry.gitlab.com are used, and only the account has a rule for it",
            "use the account's own rules: --rules-from aws",
            id="the account has one",
        ),
    ],
)
def test_upstreams_without_a_rule(
    rows: list[dict[str, str]], message: str, hint: str, ecr_server: EcrServer
) -> None:
    """Upstreams in use that no rule covers are named; those that ECR can't cache aren't."""
    ecr_server.rules = rows
    images = ("quay.io/org/app:v1", "registry.gitlab.com/g/a:1", "gcr.io/g/a:1", "ghcr.io:443/a/b")

    result = validate(RULES, images)

    found = [(str(one.code), one.message, one.hint) for one in result.findings]
    alias = "it stands for ghcr.io: --alias ghcr.io:443=ghcr.io uses that rule"
    assert found == [
        ("no-rule", "images of ghcr.io:443 are used, and no rule covers them", alias),
        ("no-rule", message, hint),
    ]
    assert not result.is_clean


def test_quota(ecr_server: EcrServer) -> None:
    """Missing rules that wouldn't fit into the registry's fifty are a finding."""
    ecr_server.rules = [
        {"ecrRepositoryPrefix": f"p{number}", "upstreamRegistryUrl": "public.ecr.aws"}
        for number in range(49)
    ]

    result = validate(RULES)

    assert [str(finding.code) for finding in result.findings] == ["quota"]
    assert "49 rules exist and 2 are missing" in result.findings[0].message


def test_denied_listing_ends_it(ecr_server: EcrServer) -> None:
    """Without the right to list rules there is nothing to check."""
    ecr_server.refusals["DescribePullThroughCacheRules"] = [EcrError("AccessDeniedException", "no")]

    with pytest.raises(ToolError, match="denies ecr:DescribePullThroughCacheRules"):
        validate(RULES)


@pytest.mark.usefixtures("aws_env")
def test_role_simulation() -> None:
    """Each action that IAM's simulation doesn't allow is named with its resource."""
    client = boto3.client("iam", region_name=REGION)
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/quay/*"
    principal = f"arn:aws:iam::{ACCOUNT}:role/nodes"
    actions = [
        "ecr:BatchGetImage",
        "ecr:BatchImportUpstreamImage",
        "ecr:CreateRepository",
        "ecr:GetDownloadUrlForLayer",
    ]
    with Stubber(client) as stub:
        operation = "simulate_principal_policy"
        asked = {"PolicySourceArn": principal}
        login = {"EvalActionName": "ecr:GetAuthorizationToken", "EvalDecision": "allowed"}
        stub.add_response(
            operation,
            {"EvaluationResults": [login]},
            asked | {"ActionNames": ["ecr:GetAuthorizationToken"], "ResourceArns": ["*"]},
        )
        rows = [
            {
                "EvalActionName": name,
                "EvalDecision": "implicitDeny" if "Create" in name else "allowed",
            }
            for name in actions
        ]
        expected = asked | {"ActionNames": actions, "ResourceArns": [arn]}
        page = {"EvaluationResults": rows[:2], "IsTruncated": True, "Marker": "more"}
        stub.add_response(operation, page, expected)
        stub.add_response(operation, {"EvaluationResults": rows[2:]}, expected | {"Marker": "more"})

        denied = denied_actions(client, "nodes", REGISTRY, [Rule("quay.io", "quay")], OPTIONS)

    assert denied == [("ecr:CreateRepository", arn)]
