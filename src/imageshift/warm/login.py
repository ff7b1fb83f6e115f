"""What ECR itself tells by boto3: a login, and whether a digest is cached."""

import base64
from typing import Any

from imageshift.aws.client import AwsOptions, AwsRefusedError, ask, is_account, open_client
from imageshift.aws.shapes import rows_of
from imageshift.errors import ToolError
from imageshift.net import Login
from imageshift.reference import ImageReference

__all__ = ["EcrImages", "ecr_login"]

_ABSENT = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


def ecr_login(options: AwsOptions) -> Login:
    """A login for the account's registry, good for twelve hours.

    Raises:
        ConfigError: boto3 isn't installed, or no region is known.
        ToolError: AWS refused or can't be reached.
    """
    client = open_client("ecr", options)
    asked = {"registryIds": [options.account]} if is_account(options.account) else {}
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
        account = self._options.account
        asked = {"registryId": account} if is_account(account) else {}
        try:
            ask(
                self._client,
                "describe_images",
                self._options,
                repositoryName=target.repository,
                imageIds=[{"imageDigest": target.digest}],
                **asked,
            )
        except AwsRefusedError as error:
            if error.code in _ABSENT:
                return False
            raise
        return True

    def size(self, target: ImageReference) -> int | None:
        """The bytes of an image by its tag or digest, None where ECR hasn't it or doesn't tell.

        Raises:
            ToolError: AWS refused or can't be reached.
        """
        account = self._options.account
        asked = {"registryId": account} if is_account(account) else {}
        identifier = (
            {"imageDigest": target.digest}
            if target.digest is not None
            else {"imageTag": target.tag or "latest"}
        )
        try:
            answer = ask(
                self._client,
                "describe_images",
                self._options,
                repositoryName=target.repository,
                imageIds=[identifier],
                **asked,
            )
        except AwsRefusedError as error:
            if error.code in _ABSENT:
                return None
            raise
        rows = rows_of(answer.get("imageDetails"))
        size = rows[0].get("imageSizeInBytes") if rows else None
        return size if isinstance(size, int) else None
