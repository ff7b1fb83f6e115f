"""`imageshift.ecr`: hosts of every partition, account ids, regions and prefixes."""

import pytest

from imageshift.ecr import EcrHost, Registry, check_prefix, parse_ecr_host
from imageshift.errors import ConfigError, RuleError

ACCOUNT = "123456789012"

# Region, host: one row for each partition of botocore's partitions file that may have a cache.
HOSTS: dict[str, tuple[str, str]] = {
    "Europe": ("eu-west-2", f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"),
    "America": ("us-east-1", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"),
    "Asia, long direction": ("ap-southeast-7", f"{ACCOUNT}.dkr.ecr.ap-southeast-7.amazonaws.com"),
    "South America": ("sa-east-1", f"{ACCOUNT}.dkr.ecr.sa-east-1.amazonaws.com"),
    "Canada": ("ca-west-1", f"{ACCOUNT}.dkr.ecr.ca-west-1.amazonaws.com"),
    "Middle East": ("me-central-1", f"{ACCOUNT}.dkr.ecr.me-central-1.amazonaws.com"),
    "Africa": ("af-south-1", f"{ACCOUNT}.dkr.ecr.af-south-1.amazonaws.com"),
    "Israel": ("il-central-1", f"{ACCOUNT}.dkr.ecr.il-central-1.amazonaws.com"),
    "Mexico": ("mx-central-1", f"{ACCOUNT}.dkr.ecr.mx-central-1.amazonaws.com"),
    "EU Sovereign Cloud": ("eusc-de-east-1", f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
    "iso": ("us-iso-east-1", f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
    "iso-b": ("us-isob-east-1", f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov"),
    "iso-e": ("eu-isoe-west-1", f"{ACCOUNT}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk"),
    "iso-f": ("us-isof-south-1", f"{ACCOUNT}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov"),
}

# Host, region: forms that are read but not made from account and region.
OTHER_HOSTS: dict[str, tuple[str, str]] = {
    "FIPS": (f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1"),
    "dual-stack": (f"{ACCOUNT}.dkr-ecr.eu-west-2.on.aws", "eu-west-2"),
    "dual-stack with FIPS": (f"{ACCOUNT}.dkr-ecr-fips.us-west-2.on.aws", "us-west-2"),
    "GovCloud": (f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    "GovCloud with FIPS": (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    "China": (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    "China, dual-stack": (
        f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
        "cn-north-1",
    ),
    "mixed forms, which kubelet's pattern takes": (
        f"{ACCOUNT}.dkr-ecr.eu-west-2.amazonaws.com",
        "eu-west-2",
    ),
}

NO_ECR_HOSTS: dict[str, str] = {
    "public ECR": "public.ecr.aws",
    "public ECR, dual-stack": "ecr-public.aws.com",
    "port": f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com:443",
    "capitals": f"{ACCOUNT}.DKR.ECR.eu-west-2.amazonaws.com",
    "no account": "dkr.ecr.eu-west-2.amazonaws.com",
    "letters in the account": "my-account.dkr.ecr.eu-west-2.amazonaws.com",
    "digits beyond ASCII": "١٢٣٤٥٦٧٨٩٠١٢.dkr.ecr.eu-west-2.amazonaws.com",
    "API endpoint": "api.ecr.eu-west-2.amazonaws.com",
    "no region": f"{ACCOUNT}.dkr.ecr.amazonaws.com",
    "more after it": f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com.example.com",
    "more before it": f"x.{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com",
    "unserved dual-stack of the EU Sovereign Cloud": (
        f"{ACCOUNT}.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu"
    ),
    "line end": f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com\n",
    "other registry": "ghcr.io",
}

# Given, kept. From the ECR model (2015-09-21) and the examples tried against its pattern.
PREFIXES: dict[str, tuple[str, str]] = {
    "article": ("docker-hub", "docker-hub"),
    "upstream's host": ("registry.k8s.io", "registry.k8s.io"),
    "host with a dash": ("registry-1.docker.io", "registry-1.docker.io"),
    "two parts": ("mirror/docker.io", "mirror/docker.io"),
    "three parts": ("a/b/c", "a/b/c"),
    "slash last": ("docker-hub/", "docker-hub"),
    "shortest": ("k8", "k8"),
    "shortest with a slash": ("a/", "a"),
    "digits": ("42", "42"),
    "dashes": ("a--b", "a--b"),
    "two underscores": ("a__b", "a__b"),
    "no prefix": ("ROOT", "ROOT"),
    "ordinary name that looks like no prefix": ("root", "root"),
    "30 characters": ("a" * 30, "a" * 30),
    "30 characters with the slash": ("a" * 29 + "/", "a" * 29),
}

BAD_PREFIXES: dict[str, str] = {
    "empty": "",
    "one character": "a",
    "only a slash": "/",
    "31 characters": "a" * 31,
    "31 characters with the slash": "a" * 30 + "/",
    "capitals": "DockerHub",
    "half of ROOT": "Root",
    "ROOT with a slash": "ROOT/",
    "ROOT as a part": "mirror/ROOT",
    "two dots": "a..b",
    "dot and dash": "a.-b",
    "three underscores": "a___b",
    "dash first": "-a",
    "dash last": "a-",
    "slash first": "/docker-hub",
    "two slashes": "a//b",
    "two slashes last": "docker-hub//",
    "blank": "docker hub",
    "line end": "docker-hub\n",
    "variable": "${PREFIX}",
    "letter beyond ASCII": "dôcker",
}


@pytest.mark.parametrize(("region", "host"), HOSTS.values(), ids=HOSTS)
def test_host_of_a_region(region: str, host: str) -> None:
    """The region alone tells the partition, and the host is read back to the same parts."""
    registry = Registry.of(ACCOUNT, region)
    assert registry == Registry(host, ACCOUNT, region)
    assert parse_ecr_host(host) == EcrHost(ACCOUNT, region)


@pytest.mark.parametrize(("host", "region"), OTHER_HOSTS.values(), ids=OTHER_HOSTS)
def test_other_ecr_hosts(host: str, region: str) -> None:
    """Every form of host that kubelet sends ECR credentials to is known."""
    assert parse_ecr_host(host) == EcrHost(ACCOUNT, region)


@pytest.mark.parametrize("host", NO_ECR_HOSTS.values(), ids=NO_ECR_HOSTS)
def test_no_ecr_host(host: str) -> None:
    """A host that kubelet's pattern refuses is no private ECR host."""
    assert parse_ecr_host(host) is None


@pytest.mark.parametrize(
    ("account", "valid"),
    [("123456789012", True), ("012345678901", True), ("123", False), ("12345678901", False)],
)
def test_account_of_a_host(account: str, valid: bool) -> None:  # noqa: FBT001 a table's column
    """A host whose account hasn't twelve digits is still read, so that it can be told."""
    found = parse_ecr_host(f"{account}.dkr.ecr.eu-west-2.amazonaws.com")
    assert found is not None
    assert (found.account, found.is_valid) == (account, valid)


@pytest.mark.parametrize(("given", "kept"), PREFIXES.values(), ids=PREFIXES)
def test_prefix(given: str, kept: str) -> None:
    """A prefix that ECR takes is kept, less a trailing slash."""
    assert check_prefix(given) == kept


@pytest.mark.parametrize("prefix", BAD_PREFIXES.values(), ids=BAD_PREFIXES)
def test_bad_prefix(prefix: str) -> None:
    """A prefix that ECR refuses is an error that names it."""
    with pytest.raises(RuleError) as caught:
        check_prefix(prefix)
    assert repr(prefix) in str(caught.value)


@pytest.mark.parametrize(
    ("account", "doubtful"),
    [
        pytest.param("123456789012", False, id="twelve digits"),
        pytest.param("000000000001", False, id="leading zeros"),
        pytest.param("123", True, id="the first example's account"),
        pytest.param("1234567890123", True, id="thirteen digits"),
    ],
)
def test_account(account: str, doubtful: bool) -> None:  # noqa: FBT001 a table's column
    """Digits are an account, kept as they are; other than twelve is only a doubt."""
    registry = Registry.of(account, "eu-west-2")
    assert registry.host == f"{account}.dkr.ecr.eu-west-2.amazonaws.com"
    assert registry.has_doubtful_account is doubtful


@pytest.mark.parametrize(
    "account",
    [
        pytest.param("", id="empty"),
        pytest.param("1234-5678-9012", id="as the console groups it"),
        pytest.param("my-account", id="alias"),
        pytest.param("0x1c", id="hexadecimal"),
        pytest.param("1.23e11", id="float"),
        pytest.param("١٢٣", id="digits beyond ASCII"),
        pytest.param("123456789012\n", id="line end"),
        pytest.param("${ACCOUNT}", id="variable"),
    ],
)
def test_bad_account(account: str) -> None:
    """Anything but digits is no account."""
    with pytest.raises(ConfigError, match="isn't an AWS account id"):
        Registry.of(account, "eu-west-2")


@pytest.mark.parametrize(
    ("region", "message"),
    [
        pytest.param("cn-north-1", "no pull through cache in cn-north-1", id="China, Beijing"),
        pytest.param("cn-northwest-1", "no pull through cache", id="China, Ningxia"),
        pytest.param("us-gov-east-1", "no pull through cache", id="GovCloud, east"),
        pytest.param("us-gov-west-1", "no pull through cache", id="GovCloud, west"),
        pytest.param("", "isn't an AWS region", id="empty"),
        pytest.param("eu-west-2a", "isn't an AWS region", id="availability zone"),
        pytest.param("eu-west", "isn't an AWS region", id="no number"),
        pytest.param("EU-WEST-2", "isn't an AWS region", id="capitals"),
        pytest.param("eu_west_2", "isn't an AWS region", id="underscores"),
        pytest.param("london", "isn't an AWS region", id="a town"),
        pytest.param("eu-west-٢", "isn't an AWS region", id="digit beyond ASCII"),
        pytest.param("eu-west-2\n", "isn't an AWS region", id="line end"),
    ],
)
@pytest.mark.parametrize("host", [None, "cache.example.com"], ids=["made", "given"])
def test_bad_region(region: str, message: str, host: str | None) -> None:
    """A region that is none, or has no pull through cache, is an error with any host."""
    with pytest.raises(ConfigError, match=message):
        Registry.of(ACCOUNT, region, host)


@pytest.mark.parametrize(
    ("account", "region", "missing"),
    [(None, "eu-west-2", "--account"), (ACCOUNT, None, "--region"), (None, None, "--account")],
)
def test_missing(account: str | None, region: str | None, missing: str) -> None:
    """Without a host both account and region are needed."""
    with pytest.raises(ConfigError, match=f"{missing} is missing"):
        Registry.of(account, region)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        pytest.param("cache.example.com", "cache.example.com", id="proxy"),
        pytest.param("cache:5000", "cache:5000", id="proxy with a port"),
        pytest.param("localhost", "localhost", id="localhost"),
        pytest.param("[::1]:5000", "[::1]:5000", id="IPv6"),
        pytest.param("https://cache.example.com/", "cache.example.com", id="URL"),
        pytest.param("${ECR_HOST}", "${ECR_HOST}", id="variable"),
        pytest.param("${ECR_HOST:=a.b/c}", "${ECR_HOST:=a.b/c}", id="variable with a slash"),
        pytest.param(
            "${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com",
            "${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com",
            id="variables in a host",
        ),
    ],
)
def test_given_host(given: str, host: str) -> None:
    """A given host is taken as it is, and account and region beside it are kept."""
    assert Registry.of(None, None, given) == Registry(host)
    assert Registry.of("123", "eu-west-2", given) == Registry(host, "123", "eu-west-2")


@pytest.mark.parametrize(
    "host",
    [
        *(host for _, host in HOSTS.values()),
        *(OTHER_HOSTS[name][0] for name in ("FIPS", "dual-stack", "dual-stack with FIPS")),
    ],
)
def test_given_ecr_host(host: str) -> None:
    """A given ECR host tells account and region itself, against what is said beside it."""
    named = parse_ecr_host(host)
    assert named is not None
    expected = Registry(host, named.account, named.region)
    assert Registry.of(None, None, host) == expected
    assert Registry.of("999999999999", "eu-north-1", host) == expected


@pytest.mark.parametrize("name", ["GovCloud", "GovCloud with FIPS", "China", "China, dual-stack"])
def test_given_ecr_host_without_cache(name: str) -> None:
    """A given host of a region without pull through cache is refused like the region."""
    with pytest.raises(ConfigError, match="no pull through cache"):
        Registry.of(None, None, OTHER_HOSTS[name][0])


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("", id="empty"),
        pytest.param("https://", id="only a scheme"),
        pytest.param("cache.example.com/path", id="path"),
        pytest.param("${ECR_HOST}/path", id="path after a variable"),
        pytest.param("cache example.com", id="blank"),
        pytest.param("cache.example.com\n", id="line end"),
        pytest.param("cache", id="word that references read as an organisation"),
        pytest.param("docker.io:tag", id="port that is no number"),
        pytest.param("-cache.example.com", id="dash first"),
        pytest.param("cache_.example.com", id="outside the grammar of hosts"),
        pytest.param("$ECR_HOST", id="variable without braces"),
        pytest.param("${ECR_HOST", id="variable that doesn't end"),
        pytest.param("http://cache.example.com", id="scheme that references can't spell"),
        pytest.param("index.docker.io", id="name that references turn into another"),
    ],
)
def test_bad_host(host: str) -> None:
    """A given host is one that references can spell."""
    with pytest.raises(ConfigError, match="isn't a registry host"):
        Registry.of(None, None, host)


@pytest.mark.parametrize("region", ["eu-west-9", "us-central-1", "ap-northeast-10"])
def test_a_region_that_isnt_there(region: str) -> None:
    """A Region that only looks like one is an error; as a host it is taken, for newer ones."""
    with pytest.raises(ConfigError, match="an AWS region that imageshift knows"):
        Registry.of("123456789012", region)

    host = f"123456789012.dkr.ecr.{region}.amazonaws.com"
    assert Registry.of(None, None, host).region == region
