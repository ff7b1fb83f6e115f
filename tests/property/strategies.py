"""Hypothesis strategies: valid references part by part, and rule sets that hold together."""

from collections.abc import Sequence

from hypothesis import strategies as st

from imageshift.cache import Registry, Rule, RuleOrigin, RuleSet
from imageshift.ecr import ROOT

ACCOUNT = "123456789012"
REGISTRY = Registry.of(ACCOUNT, "eu-west-2")
OWN_HOSTS = (REGISTRY.host, "${ECR_HOST}", "${HOST:=a/b:c}", "cache.example.com:5000", "[::1]")

UPSTREAMS = ("docker.io", "ghcr.io", "quay.io", "public.ecr.aws", "cgr.dev", "gcr.io")
ALIASES = ("mirror.gcr.io", "lscr.io", "docker.io", "index.docker.io", "quay.io")
ALIAS_TARGETS = (
    "docker.io",
    "ghcr.io/org",
    "public.ecr.aws/docker",
    "docker.io/library",
    "quay.io",
)
PREFIXES = (
    ROOT,
    "hub",
    "hub/sub",
    "mirror",
    "mirror/hub",
    "library",
    "org",
    "github",
    "k8",
    "a/b/c",
)
UPSTREAM_PREFIXES = (None, None, "library", "org", "org/team", "hub", "example.com")

words = st.from_regex(r"[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}", fullmatch=True)
# Names that mean something, mixed with any other, so that rules and paths meet often.
parts = st.sampled_from(["library", "org", "team", "nginx", "hub", "sub", "mirror", "b"]) | words
repositories = st.lists(parts, min_size=1, max_size=4).map("/".join)

ports = st.just("") | st.integers(0, 99999).map(":{}".format)
domains = st.lists(
    st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?", fullmatch=True),
    min_size=2,
    max_size=4,
).map(".".join)
ipv6 = st.from_regex(r"\[[0-9a-fA-F]{0,4}:[0-9a-fA-F:]{0,12}\]", fullmatch=True)
odd = st.sampled_from(["FOO", "Foo-bar", "a_b.c", "x:1", "Docker.io", "GHCR.IO", "docker.io:443"])
hosts = odd | st.builds("{}{}".format, domains | ipv6 | st.just("localhost"), ports)

variables = st.sampled_from(["${TAG}", "${X:=a/b:c}", "${X:-${Y}}", "$(TAG)", "{{x}}", "{{ .x }}"])
literal_tags = st.from_regex(
    r"\w[\w.-]{0,127}", fullmatch=True, alphabet=st.characters(codec="ascii")
)
tags = literal_tags | variables | st.builds("v{}-x".format, variables)
hexes = st.sampled_from([("sha256", 64), ("sha384", 96), ("sha512", 128)]).flatmap(
    lambda kind: st.text("0123456789abcdef", min_size=kind[1], max_size=kind[1]).map(
        lambda digits: f"{kind[0]}:{digits}"
    )
)
digests = hexes | variables | st.builds("sha256:{}".format, variables)
identifiers = st.tuples(st.none() | tags, st.none() | digests)


def spell(name: str, identifier: tuple[str | None, str | None]) -> str:
    """Return the text of a name with a tag and a digest."""
    tag, digest = identifier
    return name + ("" if tag is None else f":{tag}") + ("" if digest is None else f"@{digest}")


names = repositories | st.builds("{}/{}".format, st.sampled_from(UPSTREAMS) | hosts, repositories)
texts = st.builds(spell, names, identifiers)


short = st.lists(parts, min_size=1, max_size=2).map("/".join)


def _below(name: str, *prefixes: str | None) -> st.SearchStrategy[str]:
    """Texts of references under a registry's name and the prefixes that there are."""
    stem = "/".join(filter(None, (name, *prefixes)))
    return st.builds(spell, (short | repositories).map(lambda path: f"{stem}/{path}"), identifiers)


def texts_for(rules: RuleSet) -> st.SearchStrategy[str]:
    """Texts that the rules may move, that are on the target host, or any."""
    own, *others = rules.registry.host, _below(rules.registry.host), texts
    for rule in rules.rules:
        prefix = None if rule.prefix == ROOT else rule.prefix
        others += [_below(rule.upstream, rule.upstream_prefix), _below(own, prefix)]
    return st.one_of(others)


def _rules(
    draws: Sequence[tuple[str, str | None, RuleOrigin]], prefixes: Sequence[str]
) -> list[Rule]:
    return [
        Rule(upstream, prefix, None if prefix == ROOT else upstream_prefix, origin)
        for (upstream, upstream_prefix, origin), prefix in zip(draws, prefixes, strict=False)
    ]


def _reach(rule: Rule) -> tuple[str, str | None, bool]:
    return rule.upstream, rule.upstream_prefix, rule.origin is RuleOrigin.EXPLICIT


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Rule sets with nested prefixes, upstream prefixes, ROOT, aliases and all sorts of hosts."""
    kinds = st.tuples(
        st.sampled_from(UPSTREAMS), st.sampled_from(UPSTREAM_PREFIXES), st.sampled_from(RuleOrigin)
    )
    rules = _rules(draw(st.lists(kinds, min_size=1, max_size=8)), draw(st.permutations(PREFIXES)))
    distinct = tuple({_reach(rule): rule for rule in rules}.values())
    aliases = st.dictionaries(st.sampled_from(ALIASES), st.sampled_from(ALIAS_TARGETS), max_size=3)
    registry = Registry.of(None, None, draw(st.sampled_from(OWN_HOSTS)))
    return RuleSet(registry, distinct, draw(st.just({}) | aliases))
