"""`imageshift.cache` under other rules: how prefixes compose, compete and collide."""

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
from imageshift.reference import parse_reference

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"
OTHER = "210987654321.dkr.ecr.us-east-1.amazonaws.com"
REGISTRY = Registry.of(ACCOUNT, "eu-west-2")
SHA256 = "sha256:1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
KNOWN_ALIASES = {"cname.example.com": HOST, "hub-cname.example.com": f"{HOST}/docker-hub"}

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
TOO_LONG = (
    "conflict",
    "the repository would be 256 characters long, but references allow 255",
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
        ("no-rule", "no rule covers registry.gitlab.com"),
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
        ("no-rule", "no rule covers docker.io/bitnami/redis"),
    ),
    "outside the upstream prefix, wrongly below its prefix": (
        ONLY_LIBRARY,
        f"{HOST}/official/bitnami/redis",
        (
            "own-repository",
            "official/bitnami/redis isn't a path under the rule docker.io/library → official",
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
        ("no-rule", "no rule covers cgr.dev/example.com.evil/base"),
    ),
    "upstream prefix alone is no image": (
        CHAINGUARD,
        "cgr.dev/example.com",
        ("no-rule", "no rule covers cgr.dev/example.com"),
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
        ("own-repository", "app isn't a path under the rule docker.io → ROOT"),
    ),
    "below ROOT too many parts": (
        ROOTED,
        f"{HOST}/library/a/b",
        ("own-repository", "library/a/b isn't a path under the rule docker.io → ROOT"),
    ),
    "ROOT falls below another prefix": (
        ROOTED,
        "github/app",
        (
            "conflict",
            "github/app would fall under the rule ghcr.io → github, not under docker.io → ROOT",
        ),
    ),
    "below another rule's longer prefix": (
        NESTED,
        "ghcr.io/hub/app",
        (
            "conflict",
            (
                "mirror/hub/app would fall under the rule docker.io → mirror/hub, "
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
        ("no-rule", "no rule covers docker.io"),
    ),
    "all is own without rules": (
        RuleSet(REGISTRY, ()),
        f"{HOST}/docker-hub/nginx",
        ("own-repository", "no rule's prefix holds docker-hub/nginx"),
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


@pytest.mark.parametrize(("rules", "text", "told"), RULES.values(), ids=RULES)
def test_rules(rules: RuleSet, text: str, told: Told) -> None:
    """Prefixes and upstream prefixes compose, compete and collide as the contract says."""
    assert mapped(rules, text) == told


def test_order_of_rules_is_nothing() -> None:
    """The order in which rules are given decides nothing."""
    for rules, text, told in RULES.values():
        turned = RuleSet(rules.registry, rules.rules[::-1], rules.aliases)
        assert mapped(turned, text) == told


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
