"""`imageshift.cache` under the article's rules: what moves, stays, is cached or mended."""

import pytest

from imageshift.cache import (
    ARTICLE_RULES,
    Cached,
    Mapped,
    Outcome,
    Registry,
    Rule,
    RuleSet,
    Unmapped,
)
from imageshift.errors import InvalidReferenceError, VariableReferenceError
from imageshift.reference import parse_reference

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"
OTHER = "210987654321.dkr.ecr.us-east-1.amazonaws.com"
REGISTRY = Registry.of(ACCOUNT, "eu-west-2")
SHA256 = "sha256:1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
KNOWN_ALIASES = {
    "lscr.io": "ghcr.io",
    "mirror.gcr.io": "docker.io",
    "charts.example.com": "ghcr.io/example/charts",
    "hub.example.com": "docker.io/library",
    "old.example.com": "registry-1.docker.io",
    "GHCR.example.com": "https://GHCR.io/",
}

Told = tuple[str, str]


def tell(outcome: Outcome) -> Told:
    """What became of a reference and where it is now, without the target's host."""
    match outcome:
        case Mapped(target, _, mended):
            assert target.registry == HOST
            text = target.normalized.removeprefix(f"{HOST}/")
            return ("mended" if mended else "mapped", text)
        case Cached(upstream, _):
            return ("cached", upstream.normalized)
        case Unmapped(reason, detail):
            return (reason.value, detail)


def mapped(rules: RuleSet, text: str) -> Told:
    """What `rules` make of the reference that `text` spells."""
    return tell(rules.map(rules.parse(text)))


ARTICLE = RuleSet(REGISTRY, ARTICLE_RULES)
ALIASED = RuleSet(REGISTRY, ARTICLE_RULES, KNOWN_ALIASES)

# Points 1, 2, 3 and 6: upstream text, its place below the host.
MOVES: dict[str, tuple[str, str]] = {
    "official image": ("nginx:1.27", "docker-hub/library/nginx:1.27"),
    "official image without tag": ("nginx", "docker-hub/library/nginx"),
    "official image with library": ("library/nginx", "docker-hub/library/nginx"),
    "official image with Docker Hub": ("docker.io/nginx", "docker-hub/library/nginx"),
    "official image, all written": ("docker.io/library/nginx", "docker-hub/library/nginx"),
    "organisation never gets library": ("bitnami/redis:7", "docker-hub/bitnami/redis:7"),
    "organisation with Docker Hub": ("docker.io/bitnami/redis", "docker-hub/bitnami/redis"),
    "old name of Docker Hub": ("index.docker.io/bitnami/redis", "docker-hub/bitnami/redis"),
    "old name of Docker Hub, official": ("index.docker.io/nginx", "docker-hub/library/nginx"),
    "API name of Docker Hub": ("registry-1.docker.io/bitnami/redis", "docker-hub/bitnami/redis"),
    "API name, official": ("registry-1.docker.io/nginx:1", "docker-hub/library/nginx:1"),
    "Docker Hub in capitals": ("Docker.IO/nginx", "docker-hub/library/nginx"),
    "ghcr.io": ("ghcr.io/org/team/app:v1", "github/org/team/app:v1"),
    "ghcr.io in capitals": ("GHCR.io/org/app:v1", "github/org/app:v1"),
    "registry.k8s.io": ("registry.k8s.io/pause:3.10", "k8s/pause:3.10"),
    "old name of registry.k8s.io": (
        "k8s.gcr.io/sig-storage/csi-resizer:v1",
        "k8s/sig-storage/csi-resizer:v1",
    ),
    "one part on another registry gets no library": ("quay.io/app", "quay/app"),
    "library on another registry stays": ("quay.io/library/app", "quay/library/app"),
    "public.ecr.aws": ("public.ecr.aws/docker/library/nginx", "ecr/docker/library/nginx"),
    "dual-stack host of public.ecr.aws": (
        "ecr-public.aws.com/docker/library/redis:8",
        "ecr/docker/library/redis:8",
    ),
    "digest": (f"nginx@{SHA256}", f"docker-hub/library/nginx@{SHA256}"),
    "tag and digest": (f"nginx:1@{SHA256}", f"docker-hub/library/nginx:1@{SHA256}"),
    "tag in capitals": ("nginx:RC1.", "docker-hub/library/nginx:RC1."),
    "variable in the tag": ("nginx:${TAG:=a/b:c}", "docker-hub/library/nginx:${TAG:=a/b:c}"),
    "variable in the digest": ("nginx@${DIGEST}", "docker-hub/library/nginx@${DIGEST}"),
}

# Points 1 and 3: texts that no rule reaches.
STAYS: dict[str, tuple[str, Told]] = {
    "registry without rule": (
        "gcr.io/distroless/base",
        ("no-rule", "no rule covers gcr.io"),
    ),
    "registry with a port": (
        "ghcr.io:443/org/app",
        ("no-rule", "no rule covers ghcr.io:443"),
    ),
    "local registry": (
        "localhost:5000/app",
        ("no-rule", "no rule covers localhost:5000"),
    ),
    "IPv6 registry": ("[::1]:5000/app", ("no-rule", "no rule covers [::1]:5000")),
    "host in capitals that would be no host in small": (
        "FOO/bar",
        ("no-rule", "no rule covers FOO"),
    ),
    "vanity host, aliases are off": (
        "lscr.io/linuxserver/sonarr",
        ("no-rule", "no rule covers lscr.io"),
    ),
    "three parts on Docker Hub": (
        "docker.io/a/b/c",
        ("no-rule", "docker.io/a/b/c can't be a repository of docker.io"),
    ),
    "host that was taken for a path": (
        "docker.io/ghcr.io/org/app",
        ("no-rule", "docker.io/ghcr.io/org/app can't be a repository of docker.io"),
    ),
    "other account's ECR": (f"{OTHER}/team/app", ("other-ecr", f"{OTHER} is another ECR registry")),
    "EKS add-on": (
        "602401143452.dkr.ecr.eu-west-2.amazonaws.com/eks/coredns:v1",
        ("other-ecr", "602401143452.dkr.ecr.eu-west-2.amazonaws.com is another ECR registry"),
    ),
    "own account in another region": (
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/docker-hub/library/nginx",
        ("other-ecr", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com is another ECR registry"),
    ),
    "another registry by its dual-stack name": (
        f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/docker-hub/library/nginx",
        ("other-ecr", f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws is another ECR registry"),
    ),
    "GovCloud ECR": (
        f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com/app",
        ("other-ecr", f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com is another ECR registry"),
    ),
}

# Point 1: aliases that the user asked for.
ALIASES: dict[str, tuple[str, str]] = {
    "host": ("lscr.io/linuxserver/sonarr:4", "github/linuxserver/sonarr:4"),
    "host in capitals in the text": ("LSCR.io/linuxserver/sonarr", "github/linuxserver/sonarr"),
    "host in capitals in the table": ("ghcr.example.com/org/app", "github/org/app"),
    "Docker Hub mirror": ("mirror.gcr.io/bitnami/redis", "docker-hub/bitnami/redis"),
    "Docker Hub mirror, library written": (
        "mirror.gcr.io/library/nginx",
        "docker-hub/library/nginx",
    ),
    "Docker Hub mirror, library absent": ("mirror.gcr.io/nginx", "docker-hub/library/nginx"),
    "another name of the upstream": ("old.example.com/nginx", "docker-hub/library/nginx"),
    "path": ("charts.example.com/podinfo:6", "github/example/charts/podinfo:6"),
    "path that is library": ("hub.example.com/nginx", "docker-hub/library/nginx"),
    "built-in ones still hold": ("k8s.gcr.io/pause", "k8s/pause"),
}

# Point 4: references on the target host.
OWN: dict[str, tuple[str, Told]] = {
    "official image": ("docker-hub/library/nginx:1", ("cached", "docker.io/library/nginx:1")),
    "organisation": ("docker-hub/bitnami/redis", ("cached", "docker.io/bitnami/redis")),
    "other upstream": ("github/org/team/app", ("cached", "ghcr.io/org/team/app")),
    "one part": ("k8s/pause:3", ("cached", "registry.k8s.io/pause:3")),
    "digest": (f"quay/org/app@{SHA256}", ("cached", f"quay.io/org/app@{SHA256}")),
    "library is missing": ("docker-hub/nginx:1", ("mended", "docker-hub/library/nginx:1")),
    "library too much": (
        "docker-hub/library/bitnami/redis:7",
        ("mended", "docker-hub/bitnami/redis:7"),
    ),
    "library twice": ("docker-hub/library/library/nginx", ("mended", "docker-hub/library/nginx")),
    "too many parts for Docker Hub": (
        "docker-hub/a/b/c",
        ("own-repository", "docker-hub/a/b/c isn't a path under the rule docker.io → docker-hub"),
    ),
    "no rule's prefix": ("team/app", ("own-repository", "no rule's prefix holds team/app")),
    "prefix alone": ("docker-hub", ("own-repository", "no rule's prefix holds docker-hub")),
    "prefix as part of a word": (
        "docker-hub-old/nginx",
        ("own-repository", "no rule's prefix holds docker-hub-old/nginx"),
    ),
    "prefix in the middle": (
        "team/docker-hub/nginx",
        ("own-repository", "no rule's prefix holds team/docker-hub/nginx"),
    ),
}


@pytest.mark.parametrize(("text", "target"), MOVES.values(), ids=MOVES)
def test_moves(text: str, target: str) -> None:
    """By the article's rules an image moves to one place, where it counts as cached."""
    assert mapped(ARTICLE, text) == ("mapped", target)
    upstream = ARTICLE.normalize(parse_reference(text)).normalized
    assert mapped(ARTICLE, f"{HOST}/{target}") == ("cached", upstream)


@pytest.mark.parametrize(("text", "told"), STAYS.values(), ids=STAYS)
def test_stays(text: str, told: Told) -> None:
    """What no rule reaches stays, for a reason that people understand."""
    assert mapped(ARTICLE, text) == told


@pytest.mark.parametrize(("text", "target"), ALIASES.values(), ids=ALIASES)
def test_aliases(text: str, target: str) -> None:
    """A host that the user calls an alias moves like the upstream that it stands for."""
    assert mapped(ALIASED, text) == ("mapped", target)


@pytest.mark.parametrize(("path", "told"), OWN.values(), ids=OWN)
def test_own_host(path: str, told: Told) -> None:
    """On the target host only right paths are cached, wrong ones that can be told are mended."""
    assert mapped(ARTICLE, f"{HOST}/{path}") == told


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        pytest.param("123", "bad-account", id="the first example's account"),
        pytest.param("12345678901", "bad-account", id="leading zero lost"),
        pytest.param("1234567890123", "bad-account", id="a digit too many"),
        pytest.param("210987654321", "other-ecr", id="another account"),
    ],
)
def test_bad_account(account: str, reason: str) -> None:
    """A host whose account can't be is told apart from another registry, with the way back."""
    outcome = ARTICLE.map(parse_reference(f"{account}.dkr.ecr.us-east-1.amazonaws.com/hub/app"))
    assert isinstance(outcome, Unmapped)
    assert outcome.reason == reason
    undo = f"imageshift revert --all --account {account} --region us-east-1"
    assert (undo in outcome.detail) == (reason == "bad-account")


def test_doubtful_account_works() -> None:
    """With an account of other than twelve digits the mapping works, both ways."""
    rules = RuleSet(Registry.of("123", "eu-west-2"), ARTICLE_RULES)
    outcome = rules.map(parse_reference("nginx:1"))
    assert isinstance(outcome, Mapped)
    text = "123.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/library/nginx:1"
    assert outcome.target.normalized == text
    assert isinstance(rules.map(rules.parse(text)), Cached)


@pytest.mark.parametrize("text", [text for text, _ in MOVES.values()], ids=MOVES)
@pytest.mark.parametrize(
    "host",
    ["${ECR_HOST}", "${A}.dkr.ecr.${R}.amazonaws.com", "${X:=a/b:C}", "[::1]:5000", "Cache.IO"],
)
def test_given_host(host: str, text: str) -> None:
    """With a host that is a variable or a proxy, what was written is read back as cached."""
    rules = RuleSet(Registry.of(None, None, host), ARTICLE_RULES)
    outcome = rules.map(parse_reference(text))
    assert isinstance(outcome, Mapped)
    written = outcome.target.normalized
    assert written.startswith(f"{host}/")
    again = rules.map(rules.parse(written))
    assert again == Cached(rules.normalize(parse_reference(text)), outcome.rule)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("${ECR_HOST}/Docker-Hub/x", InvalidReferenceError, id="no reference"),
        pytest.param("${ECR_HOST}/${PATH}/x", VariableReferenceError, id="variable in the path"),
        pytest.param("${ECR_HOST}", VariableReferenceError, id="only the host"),
        pytest.param("${OTHER}/docker-hub/x", VariableReferenceError, id="another variable"),
    ],
)
def test_parse_refuses(text: str, error: type[InvalidReferenceError]) -> None:
    """Behind the own variable host the grammar holds, and the message names the whole text."""
    rules = RuleSet(Registry.of(None, None, "${ECR_HOST}"), ARTICLE_RULES)
    with pytest.raises(InvalidReferenceError) as caught:
        rules.parse(text)
    assert type(caught.value) is error
    assert repr(text) in str(caught.value)


SPELLINGS = (
    f"{ACCOUNT}.dkr-ecr.eu-west-2.on.aws",
    f"{ACCOUNT}.dkr.ecr-fips.eu-west-2.amazonaws.com",
    f"{ACCOUNT}.dkr-ecr-fips.eu-west-2.on.aws",
    HOST,
)


@pytest.mark.parametrize("own", SPELLINGS)
@pytest.mark.parametrize("host", SPELLINGS)
def test_names_of_the_own_registry(own: str, host: str) -> None:
    """Whichever name the registry has, what is under another one is cached, or mended there."""
    rules = RuleSet(Registry.of(None, None, own), ARTICLE_RULES)
    right, wrong = (parse_reference(f"{host}/docker-hub/{name}:1") for name in ("a/b", "nginx"))
    mended, moved = rules.map(wrong), rules.map(parse_reference("nginx:1"))

    assert rules.map(right) == Cached(parse_reference("a/b:1"), ARTICLE_RULES[0])
    assert isinstance(mended, Mapped)
    assert isinstance(moved, Mapped)
    assert mended.mended
    assert mended.target.normalized == f"{host}/docker-hub/library/nginx:1"
    assert moved.target.normalized == f"{own}/docker-hub/library/nginx:1"
    assert rules.unmap(right) == parse_reference("a/b:1")


def test_a_rule_for_another_name_of_the_registry() -> None:
    """A name that a rule has as its upstream is an upstream, not the registry."""
    upstream = Rule(f"{ACCOUNT}.dkr-ecr.eu-west-2.on.aws", "own")
    outcome = RuleSet(REGISTRY, (upstream,)).map(parse_reference(f"{upstream.upstream}/a/b"))

    assert isinstance(outcome, Mapped)
    assert outcome.target.normalized == f"{HOST}/own/a/b"
