"""The mapping between upstream references and their paths in the pull-through cache.

Rules follow the ECR User Guide, "Pulling an image with a pull through cache rule" and
"Customizing repository prefixes for ECR to ECR pull through cache".

>>> rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
>>> rules.map(parse_reference("nginx:1.27")).target.normalized
'123456789012.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/library/nginx:1.27'
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from imageshift.ecr import MAX_REPOSITORY, ROOT, Registry, check_prefix, parse_ecr_host
from imageshift.errors import InvalidReferenceError, RuleError
from imageshift.lazy import lazy_re
from imageshift.reference import DOCKER_HUB, ImageReference, has_host, parse_reference

__all__ = [
    "ARTICLE_RULES",
    "CONSOLE_RULES",
    "Cached",
    "Mapped",
    "Outcome",
    "Registry",
    "Rule",
    "RuleOrigin",
    "RuleSet",
    "Unmapped",
    "UnmappedReason",
]

_BUILT_IN_ALIASES = MappingProxyType(
    {
        "index.docker.io": DOCKER_HUB,
        "registry-1.docker.io": DOCKER_HUB,
        "k8s.gcr.io": "registry.k8s.io",
        "ecr-public.aws.com": "public.ecr.aws",
    }
)


# Stands where a variable is the own host; no real host ends in .invalid (RFC 6761).
_STAND_IN = "own.invalid"


_LOGIN = lazy_re(r"\A.*@", re.DOTALL)


class RuleOrigin(StrEnum):
    """Where a rule comes from; an explicit one wins over the others."""

    BUILT_IN = "built-in"
    IMPORTED = "imported"
    EXPLICIT = "explicit"


class Rule(Struct, frozen=True, eq=False):
    """One pull-through cache rule: everything under `prefix` comes from `upstream`.

    `upstream` is a host (`docker.io` for Docker Hub, whatever AWS calls it); `upstream_prefix`
    is None for all of the upstream.

    Raises:
        RuleError: a prefix is outside ECR's grammar, the upstream isn't a host, or an upstream
            prefix comes with the prefix ROOT (ECR allows none there).
    """

    upstream: str
    prefix: str
    upstream_prefix: str | None = None
    origin: RuleOrigin = RuleOrigin.BUILT_IN

    def __post_init__(self) -> None:
        force_setattr(self, "upstream", _upstream_host(self.upstream))
        force_setattr(self, "prefix", check_prefix(self.prefix))
        force_setattr(self, "upstream_prefix", _upstream_prefix(self.upstream_prefix))
        if self.upstream_prefix is not None and self.prefix == ROOT:
            raise RuleError(f"{self.upstream}/{self.upstream_prefix} can't have the prefix ROOT")

    def __eq__(self, other: object) -> bool:
        """Whether they map alike, wherever they come from."""
        return isinstance(other, Rule) and self._maps == other._maps

    def __hash__(self) -> int:
        return hash(self._maps)

    @property
    def _maps(self) -> tuple[str, str, str | None]:
        return self.upstream, self.prefix, self.upstream_prefix

    def __str__(self) -> str:
        return f"{self.full_upstream} → {self.prefix}"

    @property
    def full_upstream(self) -> str:
        """The upstream with its prefix, as in `ghcr.io/org`."""
        return "/".join(filter(None, (self.upstream, self.upstream_prefix)))

    def to_cache(self, repository: str) -> str | None:
        """The path of an upstream repository in the cache, or None if the rule doesn't cover it."""
        rest = _strip_part(repository, self.upstream_prefix)
        if rest is None:
            return None
        return rest if self.prefix == ROOT else f"{self.prefix}/{rest}"

    def to_upstream(self, repository: str) -> str | None:
        """The upstream repository of one in the cache, or None if it isn't under the prefix."""
        rest = _strip_part(repository, None if self.prefix == ROOT else self.prefix)
        if rest is None or self.upstream_prefix is None:
            return rest
        return f"{self.upstream_prefix}/{rest}"


def _upstream_host(text: str) -> str:
    host = text.removeprefix("https://").rstrip("/").lower()
    try:
        known = parse_reference(f"{host}/any/name").repository == "any/name"
    except InvalidReferenceError:
        known = False
    if not known:
        # A user name and password before the host are nobody's to see.
        shown = _LOGIN.sub("", text)
        raise RuleError(f"{shown!r} isn't a registry host", hint="write it like ghcr.io")
    return _BUILT_IN_ALIASES.get(host, host)


def _upstream_prefix(text: str | None) -> str | None:
    prefix = (text or "").strip("/")
    return None if prefix in {"", ROOT} else check_prefix(prefix)


def _check_alias(host: str, upstream: str) -> tuple[str, str]:
    name, _, path = upstream.removeprefix("https://").partition("/")
    _upstream_host(host)
    target = "/".join(filter(None, (_upstream_host(name), path.strip("/"))))
    try:
        parse_reference(f"{target}/any")
    except InvalidReferenceError:
        raise RuleError(f"the alias {host}={upstream} names no upstream") from None
    return host.lower(), target


def _strip_part(repository: str, prefix: str | None) -> str | None:
    if prefix is None:
        return repository
    rest = repository.removeprefix(f"{prefix}/")
    return None if rest == repository else rest


ARTICLE_RULES = (
    Rule("docker.io", "docker-hub"),
    Rule("ghcr.io", "github"),
    Rule("registry.k8s.io", "k8s"),
    Rule("public.ecr.aws", "ecr"),
    Rule("quay.io", "quay"),
)
"""The built-in rules, named as in Marcin Cuber's article of April 2024."""

CONSOLE_RULES = (
    Rule("docker.io", "docker-hub"),
    Rule("ghcr.io", "github"),
    Rule("registry.k8s.io", "kubernetes"),
    Rule("public.ecr.aws", "ecr-public"),
    Rule("quay.io", "quay"),
    Rule("registry.gitlab.com", "gitlab"),
    Rule("cgr.dev", "chainguard"),
)
"""The names that the AWS console and the User Guide suggest."""


class UnmappedReason(StrEnum):
    """Why a reference stays where it is (names of the published skip reasons)."""

    NO_RULE = "no-rule"
    OWN_REPOSITORY = "own-repository"
    OTHER_ECR = "other-ecr"
    BAD_ACCOUNT = "bad-account"
    CONFLICT = "conflict"


class Mapped(Struct, frozen=True):
    """The reference moves to `target`; `mended` is true if it was a wrong path in the cache."""

    target: ImageReference
    rule: Rule
    mended: bool = False


class Cached(Struct, frozen=True):
    """The reference already names its path in the cache."""

    upstream: ImageReference
    rule: Rule


class Unmapped(Struct, frozen=True):
    """The reference stays, for a reason; `detail` is a sentence for people."""

    reason: UnmappedReason
    detail: str


Outcome = Mapped | Cached | Unmapped


class RuleSet(Struct, frozen=True):
    """The rules in force on one registry, and the mapping that they define, both ways.

    `aliases` are other hosts that stand for an upstream (`lscr.io` for `ghcr.io`; the value may
    contain a path). Docker Hub's, the Kubernetes project's and ECR Public's own are built in.

    Raises:
        RuleError: two rules have the same prefix or match the same images equally well, one has
            the cache itself as its upstream, or an alias names no host.
    """

    registry: Registry
    rules: tuple[Rule, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _refuse_twins(self.rules)
        _refuse_loops(self.rules, self.registry.host.lower())
        aliases = dict(_check_alias(host, upstream) for host, upstream in self.aliases.items())
        force_setattr(self, "aliases", aliases)

    @property
    def known_aliases(self) -> Mapping[str, str]:
        """Every host that stands for an upstream, with that upstream."""
        return {**_BUILT_IN_ALIASES, **self.aliases}

    def parse(self, text: str) -> ImageReference:
        """The reference that `text` spells; the registry's own host may be a variable.

        Raises:
            InvalidReferenceError: as `parse_reference`.
        """
        own = f"{self.registry.host}/"
        if "$" not in own or not text.startswith(own):
            return parse_reference(text)
        try:
            parsed = parse_reference(f"{_STAND_IN}/{text[len(own) :]}")
        except InvalidReferenceError as error:
            raise type(error)(str(error).replace(_STAND_IN, self.registry.host)) from None
        return replace(parsed, registry=self.registry.host)

    def normalize(self, reference: ImageReference) -> ImageReference:
        """The reference under its upstream's real name: aliases resolved, host in lower case."""
        registry, path = self._real_name(reference.registry)
        repository = f"{path}/{reference.repository}" if path else reference.repository
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return reference.with_name(registry, repository)

    def map(self, reference: ImageReference) -> Outcome:
        """What happens to a reference: it moves, is cached already, or stays for a reason."""
        normal = self.normalize(reference)
        if self._is_own(normal.registry):
            return self._map_own(reference, normal)
        return self._map_upstream(normal)

    def unmap(self, reference: ImageReference) -> ImageReference | None:
        """The upstream reference of one in the cache, corrected if its path was wrong.

        None if the registry isn't this one or no rule's prefix matches.
        """
        found = self._owner(self.normalize(reference))
        if found is None:
            return None
        rule, repository = found
        if rule.upstream == DOCKER_HUB:
            repository = _mend_hub_name(repository)
        return reference.with_name(rule.upstream, repository)

    def inner(self, reference: ImageReference) -> ImageReference | None:
        """The reference on this registry that another reference contains in its path.

        Charts that prepend a registry to a name that already has one make `quay.io/REGISTRY/app`.
        """
        parts = reference.repository.split("/")
        at = next((n for n, part in enumerate(parts[:-1]) if self._is_own(part)), None)
        return None if at is None else reference.with_name(parts[at], "/".join(parts[at + 1 :]))

    def covers(self, reference: ImageReference) -> bool:
        """Whether a rule covers an upstream's image, even if its name can't be cached."""
        return self._rule_for(self.normalize(reference)) is not None

    def rule_of(self, reference: ImageReference) -> Rule | None:
        """The rule under whose prefix a reference on this registry is."""
        found = self._owner(self.normalize(reference))
        return None if found is None else found[0]

    def _real_name(self, registry: str) -> tuple[str, str]:
        """The host that `registry` stands for, and the path there, empty if it has none."""
        own, host = self.registry.host, registry.lower()
        if host == own.lower():
            return own, ""
        upstream, _, path = self.aliases.get(host, _BUILT_IN_ALIASES.get(host, host)).partition("/")
        if upstream == own.lower():
            return own, path
        # FOO/bar has a host, foo/bar would have none.
        return (upstream, path) if has_host(f"{upstream}/x") else (registry, "")

    def _is_own(self, host: str) -> bool:
        """Whether a host is the registry's, under whichever name: dual-stack, FIPS or plain."""
        if host == self.registry.host:
            return True
        ecr, own = parse_ecr_host(host), self.registry
        named = ecr is not None and (ecr.account, ecr.region) == (own.account, own.region)
        return named and not any(rule.upstream == host for rule in self.rules)

    def _map_upstream(self, normal: ImageReference) -> Outcome:
        rule = self._rule_for(normal)
        if rule is None:
            return self._without_rule(normal)
        repository = rule.to_cache(normal.repository)
        if repository is None or _is_broken_hub_name(normal) or self.inner(normal) is not None:
            return Unmapped(
                UnmappedReason.NO_RULE,
                f"{normal.full_name} can't be a repository of {normal.registry}",
            )
        return self._checked(normal, repository, rule)

    def _checked(self, normal: ImageReference, repository: str, rule: Rule) -> Outcome:
        target = normal.with_name(self.registry.host, repository)
        owner = self.rule_of(target)
        if owner != rule:
            return Unmapped(
                UnmappedReason.CONFLICT,
                f"{repository} would fall under the rule {owner}, not under {rule}",
            )
        if len(repository) > MAX_REPOSITORY:
            return Unmapped(
                UnmappedReason.CONFLICT,
                f"the repository would be {len(repository)} characters long, but references allow "
                f"{MAX_REPOSITORY}",
            )
        return Mapped(target, rule)

    def _map_own(self, reference: ImageReference, normal: ImageReference) -> Outcome:
        upstream = self.unmap(normal)
        rule = self.rule_of(normal)
        if upstream is None or rule is None:
            return Unmapped(
                UnmappedReason.OWN_REPOSITORY, f"no rule's prefix holds {normal.repository}"
            )
        again = self._map_upstream(upstream)
        if isinstance(again, Mapped):
            target = again.target.with_name(normal.registry, again.target.repository)
            again = replace(again, target=target)
        if isinstance(again, Mapped) and again.target == reference:
            return Cached(upstream, rule)
        if isinstance(again, Mapped) and rule.prefix != ROOT:
            return replace(again, mended=True)
        return Unmapped(
            UnmappedReason.OWN_REPOSITORY, f"{normal.repository} isn't a path under the rule {rule}"
        )

    def _without_rule(self, normal: ImageReference) -> Unmapped:
        ecr = parse_ecr_host(normal.registry)
        if ecr is None:
            return Unmapped(UnmappedReason.NO_RULE, self._missing(normal))
        if not ecr.is_valid:
            return Unmapped(
                UnmappedReason.BAD_ACCOUNT,
                f"{ecr.account!r} in {normal.registry} isn't an AWS account id; if imageshift "
                f"wrote it: imageshift revert --all --account {ecr.account} --region {ecr.region}",
            )
        return Unmapped(UnmappedReason.OTHER_ECR, f"{normal.registry} is another ECR registry")

    def _missing(self, normal: ImageReference) -> str:
        if any(rule.upstream == normal.registry for rule in self.rules):
            return f"no rule covers {normal.full_name}"
        return f"no rule covers {normal.registry}"

    def _rule_for(self, normal: ImageReference) -> Rule | None:
        fitting = (
            rule
            for rule in self.rules
            if rule.upstream == normal.registry and rule.to_cache(normal.repository) is not None
        )
        return max(fitting, key=_precedence, default=None)

    def _owner(self, reference: ImageReference) -> tuple[Rule, str] | None:
        if not self._is_own(reference.registry):
            return None
        for rule in sorted(self.rules, key=_prefix_depth, reverse=True):
            repository = rule.to_upstream(reference.repository)
            if repository is not None:
                return rule, repository
        return None


def _precedence(rule: Rule) -> tuple[int, bool]:
    return len(rule.upstream_prefix or ""), rule.origin is RuleOrigin.EXPLICIT


def _prefix_depth(rule: Rule) -> int:
    return 0 if rule.prefix == ROOT else len(rule.prefix)


def _is_broken_hub_name(reference: ImageReference) -> bool:
    # A Docker Hub repository has exactly two parts.
    return reference.registry == DOCKER_HUB and reference.repository.count("/") != 1


def _mend_hub_name(repository: str) -> str:
    parts = repository.split("/")
    if len(parts) == 1:
        return f"library/{repository}"
    if len(parts) == 3 and parts[0] == "library":  # noqa: PLR2004 library/, organisation, name
        return "/".join(parts[1:])
    return repository


def _refuse_twins(rules: Iterable[Rule]) -> None:
    prefixes: dict[str, Rule] = {}
    reaches: dict[tuple[str, str | None, bool], Rule] = {}
    for rule in rules:
        same_prefix = prefixes.setdefault(rule.prefix, rule)
        reach = (rule.upstream, rule.upstream_prefix, rule.origin is RuleOrigin.EXPLICIT)
        same_reach = reaches.setdefault(reach, rule)
        if same_prefix is not rule:
            raise RuleError(f"two rules have the prefix {rule.prefix}: {same_prefix} and {rule}")
        if same_reach is not rule:
            raise RuleError(
                f"two rules fit the same images: {same_reach} and {rule}",
                hint="choose one with --rule UPSTREAM=PREFIX",
            )


def _refuse_loops(rules: Iterable[Rule], host: str) -> None:
    for rule in rules:
        if rule.upstream == host:
            raise RuleError(f"the rule {rule} has the cache itself as its upstream")
