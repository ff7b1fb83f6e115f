"""What ECR itself tells by boto3: a login, and whether a digest is cached."""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from imageshift.aws.client import AwsOptions, AwsRefusedError, ask, open_client
from imageshift.aws.shapes import rows_of
from imageshift.aws.used import UsedImage
from imageshift.errors import ToolError
from imageshift.net import Login
from imageshift.reference import ImageReference
from imageshift.upstream.sizes import Size

__all__ = ["EcrImages", "ecr_login", "ecr_sizes"]

_ABSENT = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


def ecr_login(options: AwsOptions) -> Login:
    """A login for the account's registry, good for twelve hours.

    Raises:
        ConfigError: boto3 isn't installed, or no region is known.
        ToolError: AWS refused or can't be reached.
    """
    client = open_client("ecr", options)
    account = options.registry_id.get("registryId")
    asked = {} if account is None else {"registryIds": [account]}
    answer = ask(client, "get_authorization_token", options, **asked)
    try:
        token = str(rows_of(answer.get("authorizationData"))[0]["authorizationToken"])
        username, _, password = base64.b64decode(token).decode().partition(":")
    except (ValueError, LookupError):
        username = password = ""
    if not username or not password:
        # The text must not get into the message: it is a password.
        raise ToolError("ECR's authorization token can't be read") from None
    return Login(username, password)


class EcrImages:
    """Which digests are in the account, by DescribeImages, which caches nothing."""

    def __init__(self, options: AwsOptions) -> None:
        """Open a client.

        Raises:
            ConfigError: boto3 isn't installed, or no region is known.
        """
        self._options = options
        self._client: Any = open_client("ecr", options)

    def has(self, target: ImageReference) -> bool:
        """Whether the account's registry has the digest of a reference.

        Raises:
            ToolError: AWS refused or can't be reached.
        """
        return self._details(target) is not None

    def size(self, target: ImageReference) -> int | None:
        """The bytes of an image by its tag or digest, None where ECR hasn't it or doesn't tell.

        Raises:
            ToolError: AWS refused or can't be reached.
        """
        size = (self._details(target) or {}).get("imageSizeInBytes")
        return size if isinstance(size, int) else None

    def _details(self, target: ImageReference) -> Mapping[str, Any] | None:
        """What ECR tells of an image by its digest, else its tag; None where it hasn't it."""
        tag = {"imageTag": target.tag or "latest"}
        identifier = tag if target.digest is None else {"imageDigest": target.digest}
        asked = {"repositoryName": target.repository, "imageIds": [identifier]}
        asked |= self._options.registry_id
        try:
            answer = ask(self._client, "describe_images", self._options, **asked)
        except AwsRefusedError as error:
            if error.code in _ABSENT:
                return None
            raise
        return next(iter(rows_of(answer.get("imageDetails"))), {})


def ecr_sizes(
    used: Iterable[UsedImage], ecr: EcrImages, advance: Callable[[], None] = lambda: None
) -> dict[ImageReference, Size]:
    """The sizes that ECR tells of images, by their names upstream.

    It tells one figure for an image, without its layers; for an index that of the largest platform.

    Raises:
        ToolError: AWS refused or can't be reached.
    """
    found = {}
    for image in used:
        size = None if image.target is None else ecr.size(image.target)
        blobs = None if size is None else {str(image.target): size}
        found[image.upstream] = Size(blobs, blobs, "" if blobs else "ECR doesn't have it")
        advance()
    return found
