"""`imageshift.cache`: rules, aliases and rule sets that can and can't be made."""

import pickle

import pytest

from imageshift.cache import (
    ARTICLE_RULES,
    CONSOLE_RULES,
    Cached,
    Mapped,
    Registry,
    Rule,
    RuleOrigin,
    RuleSet,
)
from imageshift.errors import RuleError
from imageshift.reference import parse_reference

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"
REGISTRY = Registry.of(ACCOUNT, "eu-west-2")


def explicit(upstream: str, prefix: str, upstream_prefix: str | None = None) -> Rule:
    """Return a rule as `--rule` makes it."""
    return Rule(upstream, prefix, upstream_prefix, RuleOrigin.EXPLICIT)


def imported(upstream: str, prefix: str, upstream_prefix: str | None = None) -> Rule:
    """Return a rule as `--rules-from` makes it."""
    return Rule(upstream, prefix, upstream_prefix, RuleOrigin.IMPORTED)


BAD_RULES: dict[str, tuple[str, str, str | None, str]] = {
    "prefix in capitals": (
        "docker.io",
        "DockerHub",
        None,
        "'DockerHub' isn't an ECR repository prefix",
    ),
    "prefix too long": ("docker.io", "a" * 31, None, "is too long: ECR allows 2 to 30"),
    "prefix empty": ("docker.io", "", None, "is too short: ECR allows 2 to 30"),
    "upstream prefix in capitals": ("cgr.dev", "cg", "Example.com", "'Example.com' isn't an ECR"),
    "upstream prefix too long": ("cgr.dev", "cg", "a" * 31, "is too long: ECR allows 2 to 30"),
    "upstream prefix of one character": ("cgr.dev", "cg", "a", "is too short: ECR allows 2 to 30"),
    "upstream prefix for ROOT": ("cgr.dev", "ROOT", "example.com", "can't have the prefix ROOT"),
    "upstream empty": ("", "hub", None, "'' isn't a registry host"),
    "upstream with a path": (
        "docker.io/library",
        "hub",
        None,
        "'docker.io/library' isn't a registry",
    ),
    "upstream that is a word": ("docker-hub", "hub", None, "'docker-hub' isn't a registry host"),
    "upstream with a variable": ("${UPSTREAM}", "hub", None, "isn't a registry host"),
    "upstream with a blank": ("docker.io ", "hub", None, "'docker.io ' isn't a registry host"),
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
        pytest.param("lscr.io", "ghcr", "'ghcr' isn't a registry host", id="upstream is a word"),
        pytest.param("lscr.io", "", "'' isn't a registry host", id="upstream is empty"),
        pytest.param("lscr", "ghcr.io", "'lscr' isn't a registry host", id="host is a word"),
        pytest.param(
            "lscr.io/x", "ghcr.io", "'lscr.io/x' isn't a registry host", id="host with path"
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
    rules = RuleSet(REGISTRY, ARTICLE_RULES, {"lscr.io": "ghcr.io"})
    assert pickle.loads(pickle.dumps(rules)) == rules  # noqa: S301 our own bytes


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
