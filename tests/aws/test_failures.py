"""Why a pull failed, in ECR's own words."""

import pytest

from ecr_server import EcrError, EcrServer
from imageshift.aws import AwsOptions
from imageshift.aws.client import open_client
from imageshift.aws.failures import explain_failure
from imageshift.reference import parse_reference

pytestmark = pytest.mark.once

pytest_plugins = ("ecr_fixtures",)

OPTIONS = AwsOptions("111122223333", "eu-west-2")
IMAGE = parse_reference(
    "111122223333.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/library/nginx:1.27"
)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UpstreamAccessDenied", "renew the secret"),
        ("UpstreamTooManyRequests", "rate limit"),
        ("UpstreamUnavailable", "try again later"),
        ("ImageInaccessible", "archived"),
        ("ImageNotFound", "has no image with this name and tag"),
        ("KmsError", "KMS key"),
    ],
)
def test_codes(code: str, words: str, ecr_server: EcrServer) -> None:
    """Each code of a failed pull has a meaning and a remedy, and stays to be looked up."""
    ecr_server.image_failures[IMAGE.repository, "1.27"] = code

    said = explain_failure(open_client("ecr", OPTIONS), IMAGE, OPTIONS) or ""

    assert words in said
    assert said.endswith(f"({code})")


def test_no_answer(ecr_server: EcrServer) -> None:
    """Where ECR may not be asked, the registry's own words stand."""
    ecr_server.refusals["BatchGetImage"] = [EcrError("AccessDeniedException", "no")]

    assert explain_failure(open_client("ecr", OPTIONS), IMAGE, OPTIONS) is None
