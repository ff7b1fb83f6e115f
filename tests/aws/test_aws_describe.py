"""DescribePullThroughCacheRules through the real boto3, and its errors in plain words."""

import socket
import subprocess
import sys

import boto3
import pytest
from botocore.stub import Stubber

from ecr_server import PLANTED, EcrError, EcrServer
from imageshift.aws import AwsOptions, import_rules, load_rules
from imageshift.aws.describe import describe_with
from imageshift.cache import Rule
from imageshift.errors import ConfigError, ToolError

pytestmark = pytest.mark.once

pytest_plugins = ("ecr_fixtures",)

ACCOUNT, REGION = "111122223333", "eu-west-2"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/cg-AbCdEf"
OPTIONS = AwsOptions(account=ACCOUNT, region=REGION)


@pytest.mark.usefixtures("aws_env")
def test_missing_fields_and_pages_by_stub() -> None:
    """Rows without optional fields become rules, over all pages, by botocore's own model."""
    client = boto3.client("ecr", region_name=REGION)
    first = {
        "pullThroughCacheRules": [
            {"ecrRepositoryPrefix": "old", "upstreamRegistryUrl": "public.ecr.aws"}
        ],
        "nextToken": "more",
    }
    second = {
        "pullThroughCacheRules": [
            {
                "ecrRepositoryPrefix": "cg",
                "upstreamRegistryUrl": "cgr.dev",
                "upstreamRepositoryPrefix": "example.com",
                "upstreamRegistry": "chainguard",
                "registryId": ACCOUNT,
                "credentialArn": SECRET,
            },
            {"registryId": ACCOUNT},
        ]
    }
    with Stubber(client) as stub:
        operation = "describe_pull_through_cache_rules"
        stub.add_response(operation, first, {"registryId": ACCOUNT})
        stub.add_response(operation, second, {"registryId": ACCOUNT, "nextToken": "more"})
        found = describe_with(client, OPTIONS)

    assert [one.rule for one in found.rules] == [
        Rule("public.ecr.aws", "old"),
        Rule("cgr.dev", "cg", "example.com"),
    ]
    assert [one.has_credential for one in found.rules] == [False, True]
    assert [str(one) for one in found.problems] == [
        "aws:eu-west-2: the rule has no repository prefix and no upstream registry"
    ]


def test_rules_of_the_account_over_http(ecr_server: EcrServer) -> None:
    """`aws` as a source asks the endpoint of the environment, page by page."""
    ecr_server.rules = [
        {"ecrRepositoryPrefix": f"p{number}", "upstreamRegistryUrl": "quay.io"}
        for number in range(5)
    ]

    found = import_rules("aws", OPTIONS)

    assert [one.rule.prefix for one in found.rules] == ["p0", "p1", "p2", "p3", "p4"]
    assert [call for call, _ in ecr_server.calls] == ["DescribePullThroughCacheRules"] * 3


def test_endpoint_option_wins(ecr_server: EcrServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--endpoint-url` beats the environment."""
    ecr_server.rules = [{"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}]
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")

    rules = load_rules("aws", AwsOptions(region=REGION, endpoint_url=ecr_server.url))

    assert rules == (Rule("quay.io", "quay"),)


def test_throttled_then_answered(ecr_server: EcrServer) -> None:
    """A throttled request is tried again until it is answered."""
    ecr_server.rules = [{"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}]
    throttled = EcrError("ThrottlingException", "Rate exceeded")
    ecr_server.refusals["DescribePullThroughCacheRules"] = [throttled]
    answered: list[object] = []

    original = ecr_server.answer

    def answer(operation: str, asked: dict[str, object]) -> dict[str, object]:
        if len(ecr_server.calls) == 1:
            ecr_server.refusals.clear()
        answered.append(operation)
        return original(operation, asked)

    ecr_server.answer = answer  # type: ignore[method-assign]

    assert load_rules("aws", OPTIONS) == (Rule("quay.io", "quay"),)
    assert len(answered) == 2


@pytest.mark.parametrize(
    ("code", "text", "message", "hint"),
    [
        pytest.param(
            "AccessDeniedException",
            "User x is not authorized to perform: ecr:DescribePullThroughCacheRules",
            "AWS denies ecr:DescribePullThroughCacheRules in eu-west-2: User x is not authorized",
            "the identity needs this action",
            id="denied",
        ),
        pytest.param(
            "ExpiredTokenException", "expired", "credentials have expired", "log in", id="expired"
        ),
        pytest.param(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "AWS doesn't accept the credentials for ecr:DescribePullThroughCacheRules",
            "the region is enabled",
            id="wrong region or key",
        ),
        pytest.param(
            "InvalidParameterException",
            "odd",
            "AWS refused ecr:DescribePullThroughCacheRules in eu-west-2: odd",
            "",
            id="other",
        ),
    ],
)
def test_refusals_in_plain_words(
    ecr_server: EcrServer, code: str, text: str, message: str, hint: str
) -> None:
    """Each of AWS's refusals names the operation and what to do, and no credential."""
    ecr_server.refusals["DescribePullThroughCacheRules"] = [EcrError(code, text)]

    with pytest.raises(ToolError) as caught:
        import_rules("aws", OPTIONS)

    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert PLANTED not in f"{caught.value}{caught.value.hint}"


@pytest.mark.usefixtures("aws_env")
def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the message says so and how to log in."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ToolError, match="no AWS credentials were found") as caught:
        import_rules("aws", OPTIONS)

    assert "aws sso login" in (caught.value.hint or "")


@pytest.mark.usefixtures("aws_env")
def test_unknown_profile() -> None:
    """A profile that doesn't exist is named."""
    with pytest.raises(ToolError, match="no AWS profile 'absent'"):
        import_rules("aws", AwsOptions(region=REGION, profile="absent"))


@pytest.mark.usefixtures("aws_env")
def test_no_region() -> None:
    """Without any region the option to give is named."""
    with pytest.raises(ConfigError) as caught:
        import_rules("aws", AwsOptions())

    assert caught.value.hint == "give --region"


@pytest.mark.usefixtures("aws_env")
def test_unreachable_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that nobody serves is said to be out of reach."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        with pytest.raises(ToolError, match="endpoint of eu-west-2 can't be reached"):
            import_rules("aws", AwsOptions(region=REGION, endpoint_url=url))


@pytest.mark.parametrize("module", ["aws", "infra", "warm", "cli.rules", "cli.infra", "cli.warm"])
def test_extra_is_loaded_lazily(module: str) -> None:
    """Importing the ECR side, commands included, loads none of the extra's libraries."""
    names = {"boto3", "botocore", "hcl2", "jinja2", "lark", "urllib3"}
    code = f"import sys, imageshift.{module} as _; print(*sorted({names!r} & {{*sys.modules}}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"


def test_missing_extra_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without boto3 the command that needs it says which extra brings it."""
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(ConfigError, match="boto3, which isn't installed") as caught:
        import_rules("aws", OPTIONS)

    assert caught.value.hint == "pip install '.[aws]' in a clone of imageshift"
