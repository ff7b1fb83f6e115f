"""Why ECR has no image, by the failure codes of BatchGetImage.

Source: botocore's ECR model, `ImageFailureCode` (facts 12.6).
"""

from typing import Any

from imageshift.aws.client import AwsOptions, ask
from imageshift.aws.shapes import rows_of
from imageshift.errors import ToolError
from imageshift.reference import ImageReference

__all__ = ["explain_failure"]

_MEANINGS = {
    "UpstreamAccessDenied": (
        "the upstream refuses the rule's credentials: renew the secret, or see whether its "
        "account may read this image"
    ),
    "UpstreamTooManyRequests": (
        "the upstream's rate limit is reached: wait, or give the rule's secret a paid account"
    ),
    "UpstreamUnavailable": "the upstream doesn't answer: try again later",
    "ImageInaccessible": "the image is archived or can't be read: restore it, then pull again",
    "ImageNotFound": "the image isn't cached, and the upstream has no image with this name and tag",
    "KmsError": "the repository's KMS key can't be used: check its policy and grants",
}


def explain_failure(client: Any, target: ImageReference, options: AwsOptions) -> str | None:
    """What ECR itself says of an image that can't be pulled, None where it says nothing."""
    try:
        answer = ask(
            client,
            "batch_get_image",
            options,
            repositoryName=target.repository,
            imageIds=[{"imageTag": target.tag or "latest"}],
            **options.registry_id,
        )
    except ToolError:
        return None
    for failure in rows_of(answer.get("failures")):
        code = str(failure.get("failureCode", ""))
        if code in _MEANINGS:
            return f"{_MEANINGS[code]} ({code})"
    return None
