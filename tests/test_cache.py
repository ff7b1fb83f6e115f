"""`imageshift.cache`: the mapping rules, each table one point of the published contract."""

import pickle

import pytest

from imageshift.cache import (
    ARTICLE_RULES,
    CONSOLE_RULES,
    Cached,
    Mapped,
    Outcome,
    Registry,
    Rule,
    RuleOrigin,
    RuleSet,
    Unmapped,
)
from imageshift.errors import InvalidReferenceError, RuleError, VariableReferenceError
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
    "cname.example.com": HOST,
    "hub-cname.example.com": f"{HOST}/docker-hub",
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


def explicit(upstream: str, prefix: str, upstream_prefix: str | None = None) -> Rule:
    """Return a rule as `--rule` makes it."""
    return Rule(upstream, prefix, upstream_prefix, RuleOrigin.EXPLICIT)


def imported(upstream: str, prefix: str, upstream_prefix: str | None = None) -> Rule:
    """Return a rule as `--rules-from` makes it."""
    return Rule(upstream, prefix, upstream_prefix, RuleOrigin.IMPORTED)


ARTICLE = RuleSet(REGISTRY, ARTICLE_RULES)
CONSOLE = RuleSet(REGISTRY, CONSOLE_RULES)
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
        ("no-rule", "no rule has the upstream gcr.io"),
    ),
    "registry with a port": (
        "ghcr.io:443/org/app",
        ("no-rule", "no rule has the upstream ghcr.io:443"),
    ),
    "local registry": (
        "localhost:5000/app",
        ("no-rule", "no rule has the upstream localhost:5000"),
    ),
    "IPv6 registry": ("[::1]:5000/app", ("no-rule", "no rule has the upstream [::1]:5000")),
    "host in capitals that would be no host in small": (
        "FOO/bar",
        ("no-rule", "no rule has the upstream FOO"),
    ),
    "vanity host, aliases are off": (
        "lscr.io/linuxserver/sonarr",
        ("no-rule", "no rule has the upstream lscr.io"),
    ),
    "three parts on Docker Hub": (
        "docker.io/a/b/c",
        ("no-rule", "docker.io/a/b/c is no name that docker.io has"),
    ),
    "host that was taken for a path": (
        "docker.io/ghcr.io/org/app",
        ("no-rule", "docker.io/ghcr.io/org/app is no name that docker.io has"),
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
    "own registry by its dual-stack name": (
        f"{ACCOUNT}.dkr-ecr.eu-west-2.on.aws/docker-hub/library/nginx",
        ("other-ecr", f"{ACCOUNT}.dkr-ecr.eu-west-2.on.aws is another ECR registry"),
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
        ("own-repository", "docker-hub/a/b/c is no path of the rule docker.io → docker-hub"),
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

BY_LIBRARY = RuleSet(REGISTRY, (Rule("docker.io", "hub"), Rule("docker.io", "official", "library")))
ONLY_LIBRARY = RuleSet(REGISTRY, (Rule("docker.io", "official", "library"),))
CHAINGUARD = RuleSet(
    REGISTRY,
    (
        Rule("cgr.dev", "cg", "example.com"),
        Rule("cgr.dev", "cg-team", "example.com/team"),
        Rule("quay.io", "quay"),
    ),
)
ROOTED = RuleSet(
    REGISTRY, (Rule("docker.io", "ROOT"), Rule("ghcr.io", "github"), Rule("registry.k8s.io", "k8"))
)
EXPLICIT = RuleSet(REGISTRY, (imported("docker.io", "imported"), explicit("docker.io", "said")))
LONGER_IMPORTED = RuleSet(
    REGISTRY, (explicit("quay.io", "said"), imported("quay.io", "imported", "org"))
)
NESTED = RuleSet(
    REGISTRY, (Rule("ghcr.io", "mirror"), Rule("docker.io", "mirror/hub"), Rule("quay.io", "q2"))
)
SHARED = RuleSet(REGISTRY, (Rule(OTHER, "shared"), Rule("docker.io", "docker-hub")))
SHARED_TEAM = RuleSet(REGISTRY, (Rule(OTHER, "shared", "team"),))
HUB_TO_PUBLIC = RuleSet(REGISTRY, ARTICLE_RULES, {"docker.io": "public.ecr.aws/docker"})
LONG = "a" * 245
TOO_LONG = (
    "conflict",
    "the repository would be 256 characters long, references take 255",
)

# Points 2, 3, 4 and 5: rules, text, what becomes of it.
RULES: dict[str, tuple[RuleSet, str, Told]] = {
    "console: Kubernetes": (CONSOLE, "registry.k8s.io/pause", ("mapped", "kubernetes/pause")),
    "console: public ECR": (CONSOLE, "public.ecr.aws/a/b", ("mapped", "ecr-public/a/b")),
    "console: GitLab": (CONSOLE, "registry.gitlab.com/a/b/c", ("mapped", "gitlab/a/b/c")),
    "console: Chainguard": (CONSOLE, "cgr.dev/org/app", ("mapped", "chainguard/org/app")),
    "console: Docker Hub": (CONSOLE, "nginx", ("mapped", "docker-hub/library/nginx")),
    "article: no GitLab": (
        ARTICLE,
        "registry.gitlab.com/a/b",
        ("no-rule", "no rule has the upstream registry.gitlab.com"),
    ),
    "longest upstream prefix wins": (BY_LIBRARY, "nginx:1", ("mapped", "official/nginx:1")),
    "shorter upstream prefix for the rest": (
        BY_LIBRARY,
        "bitnami/redis",
        ("mapped", "hub/bitnami/redis"),
    ),
    "longest upstream prefix back": (
        BY_LIBRARY,
        f"{HOST}/official/nginx:1",
        ("cached", "docker.io/library/nginx:1"),
    ),
    "library below its own prefix is too much": (
        BY_LIBRARY,
        f"{HOST}/official/library/nginx",
        ("mended", "official/nginx"),
    ),
    "organisation below library's prefix goes to its own": (
        BY_LIBRARY,
        f"{HOST}/official/bitnami/redis",
        ("mended", "hub/bitnami/redis"),
    ),
    "the other rule's path of an image is not the one that map gives": (
        BY_LIBRARY,
        f"{HOST}/hub/library/nginx",
        ("mended", "official/nginx"),
    ),
    "only official images": (ONLY_LIBRARY, "docker.io/nginx", ("mapped", "official/nginx")),
    "outside the upstream prefix": (
        ONLY_LIBRARY,
        "bitnami/redis",
        ("no-rule", "no rule reaches docker.io/bitnami/redis"),
    ),
    "outside the upstream prefix, wrongly below its prefix": (
        ONLY_LIBRARY,
        f"{HOST}/official/bitnami/redis",
        (
            "own-repository",
            "official/bitnami/redis is no path of the rule docker.io/library → official",
        ),
    ),
    "upstream prefix of Chainguard": (
        CHAINGUARD,
        "cgr.dev/example.com/base:1",
        ("mapped", "cg/base:1"),
    ),
    "upstream prefix of Chainguard back": (
        CHAINGUARD,
        f"{HOST}/cg/base:1",
        ("cached", "cgr.dev/example.com/base:1"),
    ),
    "longer upstream prefix of Chainguard": (
        CHAINGUARD,
        "cgr.dev/example.com/team/app",
        ("mapped", "cg-team/app"),
    ),
    "upstream prefix is whole parts": (
        CHAINGUARD,
        "cgr.dev/example.com.evil/base",
        ("no-rule", "no rule reaches cgr.dev/example.com.evil/base"),
    ),
    "upstream prefix alone is no image": (
        CHAINGUARD,
        "cgr.dev/example.com",
        ("no-rule", "no rule reaches cgr.dev/example.com"),
    ),
    "explicit over imported": (EXPLICIT, "bitnami/redis", ("mapped", "said/bitnami/redis")),
    "imported one moves to the explicit": (
        EXPLICIT,
        f"{HOST}/imported/bitnami/redis",
        ("mended", "said/bitnami/redis"),
    ),
    "longer upstream prefix over explicit": (
        LONGER_IMPORTED,
        "quay.io/org/app",
        ("mapped", "imported/app"),
    ),
    "explicit where the longer doesn't reach": (
        LONGER_IMPORTED,
        "quay.io/other/app",
        ("mapped", "said/other/app"),
    ),
    "ROOT has no prefix": (ROOTED, "nginx:1", ("mapped", "library/nginx:1")),
    "ROOT, organisation": (ROOTED, "bitnami/redis", ("mapped", "bitnami/redis")),
    "ROOT back": (ROOTED, f"{HOST}/library/nginx", ("cached", "docker.io/library/nginx")),
    "other rules go before ROOT": (ROOTED, f"{HOST}/github/org/app", ("cached", "ghcr.io/org/app")),
    "other rules go before ROOT, however short their prefix": (
        ROOTED,
        f"{HOST}/k8/pause:3",
        ("cached", "registry.k8s.io/pause:3"),
    ),
    "below ROOT nothing is mended": (
        ROOTED,
        f"{HOST}/app",
        ("own-repository", "app is no path of the rule docker.io → ROOT"),
    ),
    "below ROOT too many parts": (
        ROOTED,
        f"{HOST}/library/a/b",
        ("own-repository", "library/a/b is no path of the rule docker.io → ROOT"),
    ),
    "ROOT falls below another prefix": (
        ROOTED,
        "github/app",
        (
            "conflict",
            "github/app would lie under the rule ghcr.io → github, not under docker.io → ROOT",
        ),
    ),
    "below another rule's longer prefix": (
        NESTED,
        "ghcr.io/hub/app",
        (
            "conflict",
            (
                "mirror/hub/app would lie under the rule docker.io → mirror/hub, "
                "not under ghcr.io → mirror"
            ),
        ),
    ),
    "beside another rule's longer prefix": (
        NESTED,
        "ghcr.io/hubs/app",
        ("mapped", "mirror/hubs/app"),
    ),
    "longer prefix": (NESTED, "nginx", ("mapped", "mirror/hub/library/nginx")),
    "longer prefix back": (
        NESTED,
        f"{HOST}/mirror/hub/library/nginx",
        ("cached", "docker.io/library/nginx"),
    ),
    "longer prefix, mended": (
        NESTED,
        f"{HOST}/mirror/hub/nginx",
        ("mended", "mirror/hub/library/nginx"),
    ),
    "255 characters with the prefix": (
        NESTED,
        f"quay.io/{'a' * 252}",
        ("mapped", f"q2/{'a' * 252}"),
    ),
    "256 characters with the prefix": (NESTED, f"quay.io/{'a' * 253}", TOO_LONG),
    "256 characters with prefix and library": (ARTICLE, f"docker.io/{'a' * 237}", TOO_LONG),
    "an ECR registry as upstream": (SHARED, f"{OTHER}/team/app:1", ("mapped", "shared/team/app:1")),
    "an ECR registry as upstream, back": (
        SHARED,
        f"{HOST}/shared/team/app:1",
        ("cached", f"{OTHER}/team/app:1"),
    ),
    "its upstream prefix": (SHARED_TEAM, f"{OTHER}/team/app", ("mapped", "shared/app")),
    "outside its upstream prefix": (
        SHARED_TEAM,
        f"{OTHER}/other/app",
        ("other-ecr", f"{OTHER} is another ECR registry"),
    ),
    "an upstream that is an alias": (
        HUB_TO_PUBLIC,
        "nginx:1",
        ("mapped", "ecr/docker/library/nginx:1"),
    ),
    "a path of an upstream that is an alias stays": (
        HUB_TO_PUBLIC,
        f"{HOST}/docker-hub/library/nginx:1",
        ("cached", "docker.io/library/nginx:1"),
    ),
    "own host in capitals is written as it is": (
        ARTICLE,
        f"{HOST.replace('dkr', 'DKR')}/docker-hub/library/nginx",
        ("mended", "docker-hub/library/nginx"),
    ),
    "another name of the own host": (
        ALIASED,
        "cname.example.com/docker-hub/library/nginx",
        ("mended", "docker-hub/library/nginx"),
    ),
    "another name of a path on the own host": (
        ALIASED,
        "hub-cname.example.com/bitnami/redis",
        ("mended", "docker-hub/bitnami/redis"),
    ),
    "own repository by another name of the own host": (
        ALIASED,
        "cname.example.com/team/app",
        ("own-repository", "no rule's prefix holds team/app"),
    ),
    "nothing to do without rules": (
        RuleSet(REGISTRY, ()),
        "nginx",
        ("no-rule", "no rule has the upstream docker.io"),
    ),
    "all is own without rules": (
        RuleSet(REGISTRY, ()),
        f"{HOST}/docker-hub/nginx",
        ("own-repository", "no rule's prefix holds docker-hub/nginx"),
    ),
}

BAD_RULES: dict[str, tuple[str, str, str | None, str]] = {
    "prefix in capitals": (
        "docker.io",
        "DockerHub",
        None,
        "'DockerHub' is no ECR repository prefix",
    ),
    "prefix too long": ("docker.io", "a" * 31, None, "31 characters long"),
    "prefix empty": ("docker.io", "", None, "0 characters long"),
    "upstream prefix in capitals": ("cgr.dev", "cg", "Example.com", "'Example.com' is no ECR"),
    "upstream prefix too long": ("cgr.dev", "cg", "a" * 31, "31 characters long"),
    "upstream prefix of one character": ("cgr.dev", "cg", "a", "1 characters long"),
    "upstream prefix for ROOT": ("cgr.dev", "ROOT", "example.com", "can't have the prefix ROOT"),
    "upstream empty": ("", "hub", None, "'' is no registry host"),
    "upstream with a path": (
        "docker.io/library",
        "hub",
        None,
        "'docker.io/library' is no registry",
    ),
    "upstream that is a word": ("docker-hub", "hub", None, "'docker-hub' is no registry host"),
    "upstream with a variable": ("${UPSTREAM}", "hub", None, "is no registry host"),
    "upstream with a blank": ("docker.io ", "hub", None, "'docker.io ' is no registry host"),
}

KEPT_RULES: dict[str, tuple[Rule, Rule]] = {
    "AWS's name of Docker Hub": (Rule("registry-1.docker.io", "hub"), Rule("docker.io", "hub")),
    "URL": (Rule("https://ghcr.io/", "github"), Rule("ghcr.io", "github")),
    "host in capitals": (Rule("GHCR.io", "github"), Rule("ghcr.io", "github")),
    "slash after the prefix": (Rule("ghcr.io", "github/"), Rule("ghcr.io", "github")),
    "upstream prefix ROOT": (Rule("ghcr.io", "github", "ROOT"), Rule("ghcr.io", "github")),
    "upstream prefix empty": (Rule("ghcr.io", "github", ""), Rule("ghcr.io", "github")),
    "ROOT both ways": (Rule("ghcr.io", "ROOT", "ROOT"), Rule("ghcr.io", "ROOT")),
    "slashes round the upstream prefix": (
        Rule("cgr.dev", "cg", "/example.com/"),
        Rule("cgr.dev", "cg", "example.com"),
    ),
    "origin doesn't count": (imported("ghcr.io", "github"), explicit("ghcr.io", "github")),
}

TWINS: dict[str, tuple[tuple[Rule, ...], str]] = {
    "one prefix for two upstreams": (
        (Rule("docker.io", "mirror"), Rule("ghcr.io", "mirror")),
        "two rules have the prefix mirror: docker.io → mirror and ghcr.io → mirror",
    ),
    "one prefix but for a slash": (
        (Rule("docker.io", "mirror"), Rule("ghcr.io", "mirror/")),
        "two rules have the prefix mirror",
    ),
    "ROOT twice": (
        (Rule("docker.io", "ROOT"), Rule("ghcr.io", "ROOT")),
        "two rules have the prefix ROOT",
    ),
    "one upstream, two imported prefixes": (
        (imported("docker.io", "hub"), imported("docker.io", "docker")),
        "two rules fit the same images: docker.io → hub and docker.io → docker",
    ),
    "one upstream by two names": (
        (imported("docker.io", "hub"), imported("registry-1.docker.io", "docker")),
        "two rules fit the same images",
    ),
    "one upstream, two explicit prefixes": (
        (explicit("docker.io", "hub"), explicit("docker.io", "docker")),
        "two rules fit the same images",
    ),
    "one upstream prefix, two prefixes": (
        (Rule("cgr.dev", "cg", "org"), Rule("cgr.dev", "chain", "org")),
        "two rules fit the same images: cgr.dev/org → cg and cgr.dev/org → chain",
    ),
    "the registry as its own upstream": (
        (Rule(HOST, "self"),),
        f"the rule {HOST} → self has the cache itself as its upstream",
    ),
}

UNMAPS: dict[str, tuple[RuleSet, str, str | None]] = {
    "official": (ARTICLE, f"{HOST}/docker-hub/library/nginx:1", "nginx:1"),
    "organisation": (ARTICLE, f"{HOST}/docker-hub/bitnami/redis", "bitnami/redis"),
    "wrong path": (ARTICLE, f"{HOST}/docker-hub/nginx:1", "nginx:1"),
    "tag and digest": (ARTICLE, f"{HOST}/quay/a/b:1@{SHA256}", f"quay.io/a/b:1@{SHA256}"),
    "upstream prefix": (CHAINGUARD, f"{HOST}/cg/base", "cgr.dev/example.com/base"),
    "ROOT": (ROOTED, f"{HOST}/team/app", "team/app"),
    "own host in capitals": (ARTICLE, f"{HOST.upper()}/quay/a/b", "quay.io/a/b"),
    "another name of the own host": (ALIASED, "cname.example.com/quay/a/b", "quay.io/a/b"),
    "own repository": (ARTICLE, f"{HOST}/team/app", None),
    "upstream text": (ARTICLE, "nginx", None),
    "other ECR": (ARTICLE, f"{OTHER}/docker-hub/library/nginx", None),
    "path that is no image of the upstream": (ARTICLE, f"{HOST}/docker-hub/a/b/c", "a/b/c"),
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


@pytest.mark.parametrize(("rules", "text", "told"), RULES.values(), ids=RULES)
def test_rules(rules: RuleSet, text: str, told: Told) -> None:
    """Prefixes and upstream prefixes compose, compete and collide as the contract says."""
    assert mapped(rules, text) == told


def test_order_of_rules_is_nothing() -> None:
    """The order in which rules are given decides nothing."""
    for rules, text, told in RULES.values():
        turned = RuleSet(rules.registry, rules.rules[::-1], rules.aliases)
        assert mapped(turned, text) == told


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


@pytest.mark.parametrize(("rules", "text", "familiar"), UNMAPS.values(), ids=UNMAPS)
def test_unmap(rules: RuleSet, text: str, familiar: str | None) -> None:
    """The way back gives the upstream's reference, or none."""
    upstream = rules.unmap(parse_reference(text))
    assert (None if upstream is None else upstream.familiar) == familiar


def test_rule_of() -> None:
    """The rule whose prefix holds a reference is told even where the path is wrong."""
    assert ARTICLE.rule_of(parse_reference(f"{HOST}/docker-hub/nginx")) == ARTICLE_RULES[0]
    assert ARTICLE.rule_of(parse_reference(f"{HOST}/team/app")) is None
    assert ARTICLE.rule_of(parse_reference("nginx")) is None


@pytest.mark.parametrize(
    ("upstream", "prefix", "upstream_prefix", "message"), BAD_RULES.values(), ids=BAD_RULES
)
def test_bad_rules(upstream: str, prefix: str, upstream_prefix: str | None, message: str) -> None:
    """A rule that ECR would refuse can't be made."""
    with pytest.raises(RuleError) as caught:
        Rule(upstream, prefix, upstream_prefix)
    assert message in str(caught.value)


@pytest.mark.parametrize(("given", "kept"), KEPT_RULES.values(), ids=KEPT_RULES)
def test_rules_are_cleaned(given: Rule, kept: Rule) -> None:
    """A rule's parts are kept in one spelling."""
    assert given == kept
    assert str(given) == str(kept)


@pytest.mark.parametrize(("rules", "message"), TWINS.values(), ids=TWINS)
def test_contradictions(rules: tuple[Rule, ...], message: str) -> None:
    """Rules that contradict each other are an error that names them."""
    with pytest.raises(RuleError) as caught:
        RuleSet(REGISTRY, rules)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("host", "upstream", "message"),
    [
        pytest.param("lscr.io", "ghcr", "'ghcr' is no registry host", id="upstream is a word"),
        pytest.param("lscr.io", "", "'' is no registry host", id="upstream is empty"),
        pytest.param("lscr", "ghcr.io", "'lscr' is no registry host", id="host is a word"),
        pytest.param(
            "lscr.io/x", "ghcr.io", "'lscr.io/x' is no registry host", id="host with path"
        ),
        pytest.param("a.io", "ghcr.io/Org", "a.io=ghcr.io/Org names no upstream", id="bad path"),
    ],
)
def test_bad_alias(host: str, upstream: str, message: str) -> None:
    """An alias that could never move an image is an error."""
    with pytest.raises(RuleError) as caught:
        RuleSet(REGISTRY, ARTICLE_RULES, {host: upstream})
    assert message in str(caught.value)


def test_rules_go_to_other_processes() -> None:
    """A rule set can be pickled, so that files can be read in parallel."""
    assert pickle.loads(pickle.dumps(ALIASED)) == ALIASED  # noqa: S301 our own bytes


@pytest.mark.parametrize("preset", [ARTICLE_RULES, CONSOLE_RULES], ids=["article", "console"])
def test_presets(preset: tuple[Rule, ...]) -> None:
    """The presets hold together, and every one of their upstreams is moved and found again."""
    rules = RuleSet(REGISTRY, preset)
    for rule in preset:
        reference = parse_reference(f"{rule.upstream}/org/app:1")
        outcome = rules.map(reference)
        assert outcome == Mapped(reference.with_name(HOST, f"{rule.prefix}/org/app"), rule)
        assert rules.map(outcome.target) == Cached(reference, rule)


def test_rules_count_where_they_come_from() -> None:
    """A rule that doesn't say otherwise is built in."""
    assert Rule("ghcr.io", "github").origin is RuleOrigin.BUILT_IN
