"""Requests to AWS, and its errors in plain words.

boto3 is imported only here and only when a command asks AWS. The endpoint may be set by
`--endpoint-url` or by botocore's own AWS_ENDPOINT_URL_ECR. Nothing of a response's headers or of
the credentials gets into a message. Answers have limits: of size, time, pages and rows.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct

from imageshift.aws.extra import require
from imageshift.aws.shapes import mapping_of, rows_of
from imageshift.errors import ConfigError, ToolError

__all__ = [
    "AwsOptions",
    "AwsRefusedError",
    "ask",
    "ask_rows",
    "aws_errors",
    "open_client",
]

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


_SECONDS = 60
_SILENCE = 30
_LARGEST = 32 * 1024 * 1024
_MOST_ROWS = 200_000
_MOST_PAGES = 2000
_CHUNK = 64 * 1024
_SHOWN = 500
# What botocore's parsers raise on an answer of another shape than its model's.
_MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class AwsOptions(Struct, frozen=True):
    """Which account is asked, where and how; None leaves it to boto3's own configuration.

    `offline` refuses to ask at all.
    """

    account: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    offline: bool = False

    @property
    def registry_id(self) -> dict[str, str]:
        """The argument `registryId`; empty where the account hasn't the digits that ECR takes."""
        account = self.account or ""
        return {"registryId": account} if re.fullmatch(r"[0-9]{12}", account) else {}


def ask(client: Any, operation: str, options: AwsOptions, **asked: Any) -> Mapping[str, Any]:
    """The answer to one operation, by boto3's name of it.

    Raises:
        AwsRefusedError: AWS refused; its code is kept.
        ToolError: AWS can't be reached, or its answer can't be read.
    """
    with aws_errors(_action(client, operation), options):
        return mapping_of(getattr(client, operation)(**asked))


def ask_rows(
    client: Any, operation: str, key: str, options: AwsOptions, **asked: Any
) -> list[Mapping[str, Any]]:
    """The rows under a key of an operation's answer, of all its pages.

    Raises:
        ToolError: as `ask`, and for pages that don't end.
    """
    action = _action(client, operation)
    found: list[Mapping[str, Any]] = []
    with aws_errors(action, options):
        pages = client.get_paginator(operation).paginate(**asked)
        for number, page in enumerate(pages):
            found += rows_of(mapping_of(page).get(key))
            if number >= _MOST_PAGES or len(found) > _MOST_ROWS:
                raise ToolError(f"{action}: the answer has more rows than any account can have")
    return found


def _action(client: Any, operation: str) -> str:
    service = client.meta.service_model.service_name
    return f"{service}:{client.meta.method_to_api_mapping[operation]}"


class AwsRefusedError(ToolError):
    """AWS refused an operation; `code` is its name for the reason."""

    def __init__(self, message: str, code: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def open_client(service: str, options: AwsOptions) -> Any:
    """A boto3 client, which retries what is throttled up to six times.

    Raises:
        ConfigError: boto3 isn't installed, no region is known, or nothing may be asked.
        ToolError: the profile doesn't exist.
    """
    if options.offline:
        raise ConfigError("AWS can't be contacted with --offline", hint=_SAVED)
    boto3 = require("boto3", "asking AWS")
    config = require("botocore.config", "asking AWS").Config(
        retries={"mode": "standard", "max_attempts": _ATTEMPTS},
        connect_timeout=10,
        read_timeout=_SILENCE,
    )
    exceptions = require("botocore.exceptions", "asking AWS")
    endpoint = options.endpoint_url if service == "ecr" else None
    with aws_errors(service, options):
        try:
            session = boto3.Session(profile_name=options.profile, region_name=options.region)
            client = session.client(service, endpoint_url=endpoint, config=config)
        except exceptions.NoRegionError:
            raise ConfigError("no AWS region is known", hint="give --region") from None
        except ValueError:
            raise ConfigError("the AWS endpoint isn't a URL", hint="see --endpoint-url") from None
    _limit_answers(client)
    return client


def _limit_answers(client: Any) -> None:
    """Reads every answer within limits; botocore alone would read what never ends."""
    session = client._endpoint.http_session  # noqa: SLF001 botocore has no public way

    def send(request: Any, **_: Any) -> Any:
        request.stream_output = True
        response = session.send(request)
        response._content = _read(response.raw)  # noqa: SLF001 as above
        return response

    client.meta.events.register("before-send", send)


def _read(stream: Any) -> bytes:
    until, read = time.monotonic() + _SECONDS, bytearray()
    with closing(stream):
        while chunk := stream.read1(_CHUNK):
            read += chunk
            if len(read) > _LARGEST:
                raise ToolError(f"AWS's answer has more than {_LARGEST >> 20} MiB")
            if time.monotonic() > until:
                raise ToolError(f"AWS's answer takes longer than {_SECONDS} s")
        stream.release_conn()
    return bytes(read)


@contextmanager
def aws_errors(operation: str, options: AwsOptions) -> Iterator[None]:
    """Turns botocore's errors into a `ToolError` in plain words.

    Raises:
        ToolError: AWS refused, can't be reached, or answers in another shape.
    """
    exceptions = require("botocore.exceptions", "asking AWS")
    parsers = require("botocore.parsers", "asking AWS")
    try:
        yield
    except exceptions.ClientError as error:
        answer = mapping_of(error.response.get("Error"))
        code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
        raise _refused(operation, code, text[:_SHOWN], options) from None
    except exceptions.BotoCoreError as error:
        raise _unreachable(operation, error, options) from None
    except (parsers.ResponseParserError, *_MISREAD):
        message = f"{operation}: AWS's answer can't be read"
        raise ToolError(message, hint="is --endpoint-url really ECR's?") from None


def _refused(operation: str, code: str, text: str, options: AwsOptions) -> AwsRefusedError:
    where = f" in {options.region}" if options.region else ""
    if code in _DENIED:
        return AwsRefusedError(
            f"AWS denies {operation}{where}: {text}",
            code,
            "the identity needs this action in its policy; --profile picks another one",
        )
    if code in _EXPIRED:
        message = f"{operation}: the AWS credentials have expired"
        return AwsRefusedError(message, code, "log in again")
    if code in _UNKNOWN_KEY:
        return AwsRefusedError(
            f"AWS doesn't accept the credentials for {operation}{where} ({code})",
            code,
            "check the profile, the clock, and that the region is enabled for the account",
        )
    if code in _THROTTLED:
        return AwsRefusedError(
            f"AWS throttles {operation}{where}, also after {_ATTEMPTS} tries",
            code,
            "wait a minute and run it again",
        )
    return AwsRefusedError(f"AWS refused {operation}{where}: {text or code} ({code})", code)


def _unreachable(operation: str, error: Exception, options: AwsOptions) -> ToolError:
    name = type(error).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return ToolError(
            f"{operation}: no AWS credentials were found",
            hint="log in (aws sso login), give --profile, or set the AWS_ACCESS_KEY_ID variables",
        )
    if name.startswith(("SSO", "UnauthorizedSSO", "TokenRetrieval", "LoginRefresh")):
        return ToolError(f"{operation}: the AWS login has expired", hint="run aws sso login")
    if name == "ProfileNotFound":
        return ToolError(f"there is no AWS profile {options.profile!r}", hint="see ~/.aws/config")
    if name in {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return ToolError(
            f"{operation}: the AWS endpoint of {options.region or 'the region'} can't be reached",
            hint="is the region right, and can this machine reach it? --endpoint-url sets another",
        )
    return ToolError(f"{operation}: the call to AWS failed ({name})")
