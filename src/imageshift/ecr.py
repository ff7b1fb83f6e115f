"""Amazon ECR's own grammar: account ids, regions, registry hosts, repository prefixes.

Sources: ECR User Guide, "Making requests to Amazon ECR registries" and "Sync an upstream
registry with an Amazon ECR private registry"; botocore's partitions file and ECR model
(2015-09-21); the host pattern that kubelet's ecr-credential-provider uses.
"""

import re
from typing import Self

from msgspec import Struct

from imageshift.errors import ConfigError, InvalidReferenceError, RuleError
from imageshift.lazy import lazy_re
from imageshift.reference import parse_reference

__all__ = [
    "MAX_REPOSITORY",
    "ROOT",
    "EcrHost",
    "Registry",
    "check_prefix",
    "may_be_ecr",
    "parse_ecr_host",
    "partition_of",
]

ROOT = "ROOT"
"""The prefix that stands for no prefix, both in ECR and upstream."""

MAX_REPOSITORY = 255
"""The longest repository that references can spell (distribution); ECR itself takes 256."""

# How the Regions of a partition begin, its name, and the domain of its hosts.
_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("", "aws", "amazonaws.com"),
)

_REGIONS = frozenset(
    """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1
    ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
    ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1
    eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1
    mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2 cn-north-1 cn-northwest-1
    us-gov-east-1 us-gov-west-1 us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1
    eu-isoe-west-1 us-isof-east-1 us-isof-south-1 eusc-de-east-1
    """.split()  # noqa: SIM905 a line for each would be a page
)
"""Where ECR is, by botocore 1.44.8 (November 2026)."""

_ECR_HOST = lazy_re(
    r"([0-9]+)\.dkr[.-]ecr(?:-fips)?\.([a-zA-Z0-9][a-zA-Z0-9-_]*)\."
    r"(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)"
    r"|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)

_PREFIX = lazy_re(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)

_REGION = lazy_re(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]+")
_ACCOUNT_DIGITS = 12
_VARIABLE = lazy_re(r"\$\{\w+\}")


class EcrHost(Struct, frozen=True):
    """The parts of an ECR registry's host. The account may have the wrong number of digits."""

    account: str
    region: str

    @property
    def is_valid(self) -> bool:
        """Whether the account has the twelve digits that every AWS account has."""
        return len(self.account) == _ACCOUNT_DIGITS


def parse_ecr_host(host: str) -> EcrHost | None:
    """The account and region of a private ECR host, in any partition, or None.

    >>> parse_ecr_host("123456789012.dkr-ecr.eu-west-2.on.aws").region
    'eu-west-2'
    """
    found = _ECR_HOST.fullmatch(host)
    return None if found is None else EcrHost(found[1], found[2])


def may_be_ecr(host: str) -> bool:
    """Whether a registry is ECR's, or may be once the cluster substitutes its variables.

    >>> may_be_ecr("${ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"), may_be_ecr("${HOST}.example.com")
    (True, False)
    """
    if _VARIABLE.fullmatch(host):
        return True
    return parse_ecr_host(_VARIABLE.sub("1", host)) is not None


def partition_of(region: str | None) -> str:
    """The partition of a region.

    >>> partition_of("eu-west-2"), partition_of("eusc-de-east-1")
    ('aws', 'aws-eusc')
    """
    return _partition(region)[0]


def _partition(region: str | None) -> tuple[str, str]:
    """The name of a region's partition, and the domain of its hosts."""
    known = region or ""
    return next((name, domain) for start, name, domain in _PARTITIONS if known.startswith(start))


def check_prefix(prefix: str) -> str:
    """The prefix as ECR stores it, without a trailing slash.

    Raises:
        RuleError: it is outside ECR's grammar (2 to 30 characters, lower case, or ROOT).
    """
    if prefix == ROOT:
        return prefix
    if not 2 <= len(prefix) <= 30:  # noqa: PLR2004 the limits of the ECR model
        what = "short" if len(prefix) < 2 else "long"  # noqa: PLR2004 as above
        raise RuleError(f"the prefix {prefix!r} is too {what}: ECR allows 2 to 30 characters")
    stripped = prefix.removesuffix("/")
    if not _PREFIX.fullmatch(stripped):
        raise RuleError(
            f"{prefix!r} isn't an ECR repository prefix",
            hint="lower-case letters, digits and . _ - between them, parts divided by /, or ROOT",
        )
    return stripped


class Registry(Struct, frozen=True):
    """The private registry to whose cache the references are moved.

    `account` and `region` are None when only a host was given.
    """

    host: str
    account: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, account: str | None, region: str | None, host: str | None = None) -> Self:
        """The registry of an account in a region, or the one at `host`.

        `host` takes precedence: a dual-stack or FIPS name, a proxy, `${ECR_HOST}`. The account
        and region of an ECR host are those in its name.

        Raises:
            ConfigError: the account holds other than digits, the region isn't one or has no
                pull-through cache, or neither a host nor both of the others are given.
        """
        if account is not None and not re.fullmatch(r"[0-9]+", account):
            raise ConfigError(
                f"the account {account!r} isn't an AWS account id",
                hint="twelve digits; in YAML and JSON write it in quotes",
            )
        suffix = None if region is None else _host_suffix(region)
        if host is not None:
            return cls._at(_check_host(host), account, region)
        if account is None or region is None:
            missing = "--account" if account is None else "--region"
            raise ConfigError(
                f"the target registry isn't known: {missing} is missing",
                hint="give --account and --region, or --registry-host, or write .imageshift.yaml",
            )
        return cls(f"{account}.dkr.ecr.{region}.{suffix}", account, region)

    @classmethod
    def _at(cls, host: str, account: str | None, region: str | None) -> Self:
        named = parse_ecr_host(host)
        if named is None:
            return cls(host, account, region)
        _refuse_without_cache(named.region)
        return cls(host, named.account, named.region)

    @property
    def has_doubtful_account(self) -> bool:
        """Whether the account is given but doesn't have twelve digits."""
        return self.account is not None and len(self.account) != _ACCOUNT_DIGITS


def _host_suffix(region: str) -> str:
    if not _REGION.fullmatch(region):
        raise ConfigError(f"{region!r} isn't an AWS region", hint="write it like eu-west-2")
    if region not in _REGIONS:
        raise ConfigError(
            f"{region!r} isn't an AWS region that imageshift knows",
            hint="give a newer one as a host: --registry-host ACCOUNT.dkr.ecr.REGION.…",
        )
    _refuse_without_cache(region)
    return _partition(region)[1]


def _refuse_without_cache(region: str) -> None:
    if region.startswith(("cn-", "us-gov-")):
        raise ConfigError(
            f"ECR has no pull through cache in {region}",
            hint="AWS: pull through cache isn't supported in the China and GovCloud regions",
        )


def _check_host(host: str) -> str:
    cleaned = host.removeprefix("https://").rstrip("/")
    # A variable such as ${ECR_HOST} is taken literally: Flux puts the host in later.
    spelled = re.sub(r"\$\{[^{}\s]+\}", "x.x", cleaned)
    try:
        known = parse_reference(f"{spelled}/x").registry == spelled
    except InvalidReferenceError:
        known = False
    if not known:
        raise ConfigError(f"{host!r} isn't a registry host", hint="give a host without a path")
    return cleaned
