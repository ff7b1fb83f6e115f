"""The configuration: its published shape, and the rules that it makes.

Options of the command line are laid over the file's, key by key.
"""

from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from inspect import cleandoc
from typing import Any, Literal

import msgspec
from msgspec import Struct

from imageshift.cache import ARTICLE_RULES, CONSOLE_RULES, Registry, Rule, RuleOrigin, RuleSet
from imageshift.errors import ConfigError, RuleError

__all__ = ["PRESETS", "Config", "NotOurs", "build_rules", "parse_alias", "parse_rule", "schema"]

PRESETS = {"article": ARTICLE_RULES, "console": CONSOLE_RULES}
"""The rule sets that have a name."""


class RuleEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One pull-through cache rule."""

    upstream: str
    prefix: str
    upstream_prefix: str | None = None


class ImageEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename="camel"):
    """Where a kind of custom resource keeps an image; `path` is dotted, `[]` is each item."""

    kind: str
    path: str
    api_version: str = "*"


class NotOurs(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What isn't ours among the texts that nothing claims, and why.

    `paths` are patterns of files as in .gitignore, `images` of references as a shell has them;
    where both are given, both must fit.
    """

    reason: str
    paths: list[str] = []
    images: list[str] = []


class RegistryEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A registry for a part of the repository; `paths` are patterns as in .gitignore."""

    paths: list[str]
    account: str | None = None
    region: str | None = None
    registry_host: str | None = None
    rules: Literal["article", "console"] | list[RuleEntry] | None = None


class Charts(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How charts are found; `sources` maps `namespace/name` of a release to a folder or .tgz.

    `allow_insecure_images` opens the gate of charts that refuse other registries.
    """

    mode: Literal["auto", "off", "require"] = "auto"
    sources: dict[str, str] = {}
    allow_insecure_images: bool = False


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The content of .imageshift.yaml."""

    account: str | None = None
    region: str | None = None
    registry_host: str | None = None
    rules: Literal["article", "console"] | list[RuleEntry] = "article"
    rules_from: str | None = None
    aliases: dict[str, str] | Literal["known"] = {}
    registries: list[RegistryEntry] = []
    exclude: list[str] = []
    values: list[str] = []
    images: list[ImageEntry] = []
    not_ours: list[NotOurs] = []
    jobs: Literal["skip", "rewrite"] = "skip"
    templates: bool = False
    charts_through_cache: bool = False
    render: bool = False
    charts: Charts = Charts()


def schema() -> dict[str, Any]:
    """The JSON schema of .imageshift.yaml."""
    made = msgspec.json.schema(Config)
    for definition in made["$defs"].values():
        if "description" in definition:  # older Pythons keep a docstring's indent
            definition["description"] = cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "imageshift",
        **made,
    }


def parse_rule(text: str) -> tuple[str, str | None, str]:
    """`UPSTREAM[/UPSTREAM_PREFIX]=PREFIX` as upstream, upstream prefix, prefix (may be empty).

    Raises:
        ConfigError: there is no `=`.
    """
    upstream, equals, prefix = text.partition("=")
    host, _, path = upstream.partition("/")
    if not equals or not host:
        raise ConfigError(
            f"--rule {text!r} isn't a rule", hint="--rule UPSTREAM[/UPSTREAM_PREFIX]=PREFIX"
        )
    return host, path or None, prefix


def parse_alias(text: str) -> dict[str, str]:
    """`HOST=UPSTREAM`, or `known` for the built-in table, as hosts with their upstreams.

    Raises:
        ConfigError: there is neither.
    """
    if text == "known":
        from imageshift.data.aliases import KNOWN_ALIASES  # noqa: PLC0415 asked for only

        return dict(KNOWN_ALIASES)
    host, equals, upstream = text.partition("=")
    if not equals or not host or not upstream:
        raise ConfigError(
            f"--alias {text!r} isn't an alias", hint="--alias HOST=UPSTREAM, or known"
        )
    return {host: upstream}


class RuleOptions(Struct, frozen=True, kw_only=True):
    """What the command line says of the registry and its rules."""

    account: str | None = None
    region: str | None = None
    registry_host: str | None = None
    preset: str | None = None
    imported: tuple[Rule, ...] | None = None
    rules: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def build_rules(
    config: Config, options: RuleOptions, entry: RegistryEntry | None = None
) -> RuleSet:
    """The rules in force, of a configuration, its part for some paths, and the options.

    Raises:
        ConfigError: the registry isn't known, or a rule can't be used.
    """
    part = entry or RegistryEntry(paths=[])
    registry = Registry.of(
        options.account or part.account or config.account,
        options.region or part.region or config.region,
        options.registry_host or part.registry_host or config.registry_host,
    )
    rules = _with_options(_base_rules(config, part, options), options.rules)
    if not rules:
        raise RuleError("no rule is left")
    return RuleSet(registry, tuple(rules), _aliases(config, options.aliases))


def _base_rules(config: Config, part: RegistryEntry, options: RuleOptions) -> Iterable[Rule]:
    if options.preset is not None:
        if options.preset not in PRESETS:
            names = ", ".join(PRESETS)
            raise ConfigError(
                f"there are no built-in rules {options.preset!r}", hint=f"one of {names}"
            )
        return PRESETS[options.preset]
    if options.imported is not None:
        return options.imported
    chosen = config.rules if part.rules is None else part.rules
    if isinstance(chosen, str):
        return PRESETS[chosen]
    return [Rule(r.upstream, r.prefix, r.upstream_prefix, RuleOrigin.EXPLICIT) for r in chosen]


def _with_options(rules: Iterable[Rule], options: Iterable[str]) -> list[Rule]:
    made = list(rules)
    for text in options:
        upstream, upstream_prefix, prefix = parse_rule(text)
        probe = Rule(upstream, prefix or "removed", upstream_prefix, RuleOrigin.EXPLICIT)
        made = [rule for rule in made if not _same_reach(rule, probe)]
        if prefix:
            made.append(probe)
    return made


def _same_reach(one: Rule, other: Rule) -> bool:
    return (one.upstream, one.upstream_prefix) == (other.upstream, other.upstream_prefix)


def _aliases(config: Config, options: Iterable[str]) -> MappingType[str, str]:
    made = parse_alias("known") if config.aliases == "known" else dict(config.aliases)
    for text in options:
        made |= parse_alias(text)
    return made
