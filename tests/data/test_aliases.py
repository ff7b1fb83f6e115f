"""The table of vanity hosts."""

import re

import pytest

from imageshift.cache import ARTICLE_RULES, Mapped, Registry, RuleSet
from imageshift.data.aliases import ALIASES, KNOWN_ALIASES, Alias

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_UPSTREAMS = {"docker.io", "ghcr.io", "public.ecr.aws", "quay.io", "registry.k8s.io"}


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.host)
def test_row_is_well_formed(alias: Alias) -> None:
    """A row leads from a host to a registry that a built-in rule caches, with note and source."""
    assert _HOST.fullmatch(alias.host)
    assert alias.host not in _UPSTREAMS
    assert alias.upstream in _UPSTREAMS
    assert alias.upstream_path == alias.upstream_path.strip("/")
    assert alias.note
    assert alias.source


def test_hosts_are_sorted_and_without_doubles() -> None:
    """A host stands for one upstream only."""
    hosts = [alias.host for alias in ALIASES]
    assert hosts == sorted(set(hosts))


def test_uncertain_hosts_are_not_known() -> None:
    """`--alias known` turns on what is certain and nothing else."""
    assert set(KNOWN_ALIASES) == {alias.host for alias in ALIASES if alias.certain}
    assert "xpkg.crossplane.io" not in KNOWN_ALIASES


def test_target_carries_the_path() -> None:
    """An upstream path follows the upstream's host, and an empty one leaves no slash."""
    assert Alias("a.example", "ghcr.io", "org", "", "").target == "ghcr.io/org"
    assert Alias("a.example", "ghcr.io", "", "", "").target == "ghcr.io"


@pytest.mark.parametrize(
    ("image", "target"),
    [
        ("mirror.gcr.io/nginx:1", "docker-hub/library/nginx:1"),
        ("mirror.gcr.io/library/nginx:1", "docker-hub/library/nginx:1"),
        ("cr.fluentbit.io/fluent/fluent-bit:4", "docker-hub/fluent/fluent-bit:4"),
        ("lscr.io/linuxserver/sonarr:4", "github/linuxserver/sonarr:4"),
        ("reg.kyverno.io/kyverno/kyverno:v1", "github/kyverno/kyverno:v1"),
    ],
)
def test_known_aliases_map(image: str, target: str) -> None:
    """With the table on, an image behind a vanity host goes to its upstream's cache path."""
    registry = Registry("123456789012", "eu-west-2")
    rules = RuleSet(registry, ARTICLE_RULES, KNOWN_ALIASES)
    outcome = rules.map(rules.parse(image))
    assert isinstance(outcome, Mapped)
    assert str(outcome.target) == f"{registry.host}/{target}"
