"""Sessions with AWS, and its errors in plain words.

boto3 is imported only here and only when a command asks AWS. The endpoint may be set by
`--endpoint-url` or by botocore's own AWS_ENDPOINT_URL_ECR. Nothing of a response's headers or of
the credentials gets into a message.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from imageshift.aws.extra import require
from imageshift.errors import ConfigError, ToolError

__all__ = ["AwsOptions", "aws_errors", "is_account", "open_client"]

_ATTEMPTS = 6
_SAVED = "`imageshift rules import aws` saves the rules, and --rules-from FILE reads them"

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
_UNKNOWN_KEY = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException",
        "AuthFailure",
    }
)


class AwsOptions(Struct, frozen=True):
    """Which account is asked, where and how; None leaves it to boto3's own configuration.

    `offline` refuses to ask at all.
    """

    account: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    offline: bool = False


def is_account(text: str | None) -> bool:
    """Whether it can be an AWS account: twelve digits, which the API insists on."""
    return text is not None and re.fullmatch(r"[0-9]{12}", text) is not None


def open_client(service: str, options: AwsOptions) -> Any:
    """A boto3 client, which retries what is throttled up to six times.

    Raises:
        ConfigError: boto3 isn't installed, no region is known, or nothing may be asked.
        ToolError: the profile doesn't exist.
    """
    if options.offline:
        raise ConfigError("AWS can't be asked with --offline", hint=_SAVED)
    boto3 = require("boto3", "asking AWS")
    config = require("botocore.config", "asking AWS")
    exceptions = require("botocore.exceptions", "asking AWS")
    endpoint = options.endpoint_url if service == "ecr" else None
    with aws_errors(service, options):
        try:
            session = boto3.Session(profile_name=options.profile, region_name=options.region)
            return session.client(
                service,
                endpoint_url=endpoint,
                config=config.Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}),
            )
        except exceptions.NoRegionError:
            raise ConfigError("no AWS region is known", hint="give --region") from None


@contextmanager
def aws_errors(operation: str, options: AwsOptions) -> Iterator[None]:
    """Turns botocore's errors into a `ToolError` in plain words.

    Raises:
        ToolError: AWS refused, or can't be reached.
    """
    exceptions = require("botocore.exceptions", "asking AWS")
    try:
        yield
    except exceptions.ClientError as error:
        answer = error.response.get("Error", {})
        code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
        raise _refused(operation, code, text, options) from None
    except exceptions.BotoCoreError as error:
        raise _unreachable(operation, error, options) from None


def _refused(operation: str, code: str, text: str, options: AwsOptions) -> ToolError:
    where = f" in {options.region}" if options.region else ""
    if code in _DENIED:
        return ToolError(
            f"AWS denies {operation}{where}: {text}",
            hint="the identity needs this action in its policy; --profile picks another one",
        )
    if code in _EXPIRED:
        return ToolError(f"{operation}: the AWS credentials have expired", hint="log in again")
    if code in _UNKNOWN_KEY:
        return ToolError(
            f"AWS doesn't accept the credentials for {operation}{where} ({code})",
            hint="check the profile, the clock, and that the region is enabled for the account",
        )
    if code in _THROTTLED:
        return ToolError(
            f"AWS throttles {operation}{where}, also after {_ATTEMPTS} tries",
            hint="wait a minute and run it again",
        )
    return ToolError(f"AWS refused {operation}{where}: {text or code} ({code})")


def _unreachable(operation: str, error: Exception, options: AwsOptions) -> ToolError:
    name = type(error).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return ToolError(
            f"{operation}: no AWS credentials were found",
            hint="log in (aws sso login), or give --profile, or set AWS_ACCESS_KEY_ID and its kin",
        )
    if name.startswith(("SSO", "UnauthorizedSSO", "TokenRetrieval", "LoginRefresh")):
        return ToolError(f"{operation}: the AWS login has expired", hint="run aws sso login")
    if name == "ProfileNotFound":
        return ToolError(f"there is no AWS profile {options.profile!r}", hint="see ~/.aws/config")
    if name in {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return ToolError(
            f"{operation}: the AWS endpoint of {options.region or 'the region'} can't be reached",
            hint="is the region right, and is there a way out to it? --endpoint-url sets another",
        )
    return ToolError(f"{operation}: AWS can't be asked ({name})")
