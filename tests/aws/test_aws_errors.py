"""botocore's own errors in plain words, one by one."""

import pytest
from botocore import exceptions
from botocore.session import Session

from imageshift.aws import AwsOptions
from imageshift.aws.client import aws_errors, open_client
from imageshift.errors import ToolError

pytest_plugins = ("ecr_fixtures",)

OPTIONS = AwsOptions(region="eu-west-2", profile="team")


def refused(code: str) -> exceptions.ClientError:
    """Return an answer of AWS with an error code."""
    return exceptions.ClientError({"Error": {"Code": code, "Message": "text"}}, "Operation")


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        pytest.param(
            refused("ThrottlingException"),
            "AWS throttles ecr:Do in eu-west-2, also after 6 tries",
            "wait a minute",
            id="throttled",
        ),
        pytest.param(refused("ServerException"), "AWS refused ecr:Do", "", id="server"),
        pytest.param(refused("RequestExpired"), "credentials have expired", "log in", id="expired"),
        pytest.param(
            exceptions.UnauthorizedSSOTokenError(), "login has expired", "aws sso login", id="sso"
        ),
        pytest.param(
            exceptions.ProfileNotFound(profile="team"), "no AWS profile 'team'", "", id="profile"
        ),
        pytest.param(
            exceptions.ConnectTimeoutError(endpoint_url="https://x"),
            "the AWS endpoint of eu-west-2 can't be reached",
            "--endpoint-url",
            id="timeout",
        ),
        pytest.param(
            exceptions.PartialCredentialsError(provider="env", cred_var="x"),
            "no AWS credentials were found",
            "--profile",
            id="half a credential",
        ),
        pytest.param(
            exceptions.DataNotFoundError(data_path="x"),
            "the call to AWS failed (DataNotFoundError)",
            "",
            id="anything else",
        ),
    ],
)
def test_in_plain_words(error: Exception, message: str, hint: str) -> None:
    """Each error says what was asked and what to do."""
    with pytest.raises(ToolError) as caught, aws_errors("ecr:Do", OPTIONS):
        raise error

    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.usefixtures("aws_env")
def test_endpoint_is_for_ecr_alone() -> None:
    """`--endpoint-url` moves ECR, not IAM."""
    options = AwsOptions(region="eu-west-2", endpoint_url="http://127.0.0.1:1")

    assert open_client("ecr", options).meta.endpoint_url == "http://127.0.0.1:1"
    assert open_client("iam", options).meta.endpoint_url.startswith("https://iam")


def test_the_model_has_what_we_use() -> None:
    """Botocore's model of ECR has every operation and field that is relied on."""
    model = Session().get_service_model("ecr")
    rule = model.shape_for("PullThroughCacheRule").members
    answer = model.operation_model("ValidatePullThroughCacheRule").output_shape

    assert {"ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRepositoryPrefix"} <= {*rule}
    assert {"credentialArn", "customRoleArn", "upstreamRegistry", "registryId"} <= {*rule}
    assert answer is not None
    assert {"isValid", "failure"} <= {*answer.members}
    assert {"chainguard", "k8s", "quay"} <= {*model.shape_for("UpstreamRegistry").enum}
