"""What the infrastructure for a set of rules consists of, whatever language it is written in.

Sources: ECR User Guide on creating rules, on secrets and on cross-account rules (facts 1, 6).
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from imageshift.cache import Rule
from imageshift.data.upstreams import SECRET_PREFIX, Upstream, find_upstream
from imageshift.ecr import ROOT, Registry, parse_ecr_host
from imageshift.errors import ConfigError
from imageshift.lazy import lazy_re

__all__ = ["InfraOptions", "InfraRule", "SecretMode", "plan_infra"]

_SECRET_NAME = lazy_re(SECRET_PREFIX + r"[A-Za-z0-9/_+=.@-]{1,480}")
_NAME = lazy_re(r"[A-Za-z][A-Za-z0-9-]{0,23}")


class SecretMode(StrEnum):
    """How credentials get from Terraform's variables into the secrets."""

    WRITE_ONLY = "write-only"
    SENSITIVE = "sensitive"


class InfraOptions(Struct, frozen=True):
    """Names, and how secrets are written; `secret_names` are by prefix.

    `account` and `region` are those that the references name, None where only a host is known.
    `pinned` are the prefixes under which images are asked for by digest, None when nobody has
    looked. `existing` are the rules that the account has already, with their credentials' ARNs.

    Raises:
        ConfigError: the name isn't one that policies and roles can begin with.
    """

    name: str = "imageshift"
    secrets: SecretMode = SecretMode.WRITE_ONLY
    secret_names: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    region: str | None = None
    pinned: frozenset[str] | None = None
    existing: Mapping[Rule, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"{self.name!r} can't begin the names of policies and roles",
                hint="a letter, then up to 23 letters, digits and dashes",
            )


class InfraRule(Struct, frozen=True, kw_only=True):
    """A rule with the names of everything that is made for it.

    `logical` begins CloudFormation's names; `path` is what all its repositories match;
    `other_registry` is the Region and account of an upstream in another account.
    """

    logical: str
    title: str
    kind: str
    upstream: str
    url: str
    prefix: str
    path: str
    example: str
    upstream_prefix: str | None
    secret_name: str | None
    credential: str | None
    other_registry: str | None
    is_pinned: bool


def plan_infra(
    rules: Iterable[Rule], registry: Registry, options: InfraOptions
) -> tuple[InfraRule, ...]:
    """The infrastructure of the rules, in their order.

    Raises:
        ConfigError: there is no rule, an upstream is none that ECR can cache, or a secret's name
            is outside what ECR takes.
    """
    taken: set[str] = set()
    planned = tuple(_plan(rule, registry, options, taken) for rule in rules)
    if not planned:
        raise ConfigError(
            "there is no rule to write infrastructure for",
            hint="no image uses one; --all writes all the rules in force",
        )
    _refuse_conflicts(planned, options.existing)
    unknown = set(options.secret_names) - {rule.prefix for rule in planned if rule.secret_name}
    if unknown:
        raise ConfigError(f"no rule with a secret has the prefix {', '.join(sorted(unknown))}")
    return planned


def _refuse_conflicts(planned: tuple[InfraRule, ...], existing: Iterable[Rule]) -> None:
    there = {rule.prefix: rule for rule in existing}
    for one in planned:
        rule = there.get(one.prefix)
        if rule is not None and rule.full_upstream != one.upstream:
            raise ConfigError(
                f"the account has {rule}, so {one.upstream} can't have the prefix {one.prefix}",
                hint="a rule's upstream can't be changed: choose another prefix with --rule",
            )


def _plan(rule: Rule, registry: Registry, options: InfraOptions, taken: set[str]) -> InfraRule:
    upstream = find_upstream(rule.upstream)
    if upstream is None:
        raise ConfigError(
            f"ECR can't cache {rule.upstream}", hint=f"remove the rule: --rule {rule.upstream}="
        )
    name = _identifier(rule.prefix, taken)
    return InfraRule(
        logical="".join(part.capitalize() for part in name.split("_")),
        title=upstream.title,
        kind=upstream.kind,
        upstream=rule.full_upstream,
        url=upstream.url,
        prefix=rule.prefix,
        path="*" if rule.prefix == ROOT else f"{rule.prefix}/*",
        example=_example(rule, upstream),
        upstream_prefix=rule.upstream_prefix,
        secret_name=_secret_name(rule, upstream, options),
        credential=upstream.credential,
        other_registry=_other_registry(rule, registry),
        is_pinned=options.pinned is None or rule.prefix in options.pinned,
    )


def _identifier(prefix: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", prefix.lower()).strip("_")
    base = base if base[0].isalpha() else f"cache_{base}"
    names = (base, *(f"{base}_{number}" for number in range(2, 100)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _example(rule: Rule, upstream: Upstream) -> str:
    image = "library/nginx" if upstream.kind == "docker-hub" else "…"
    cached = rule.to_cache("/".join(filter(None, (rule.upstream_prefix, image))))
    return cached or image


def _secret_name(rule: Rule, upstream: Upstream, options: InfraOptions) -> str | None:
    if not upstream.needs_secret:
        return None
    name = options.secret_names.get(rule.prefix, f"{SECRET_PREFIX}{rule.prefix}")
    if not _SECRET_NAME.fullmatch(name):
        raise ConfigError(
            f"ECR doesn't accept a secret named {name!r}",
            hint=f"its name must begin with {SECRET_PREFIX}, as {SECRET_PREFIX}docker-hub",
        )
    return name


def _other_registry(rule: Rule, registry: Registry) -> str | None:
    host = parse_ecr_host(rule.upstream)
    if host is None or host.account == registry.account:
        return None
    return f"{host.region}:{host.account}"
