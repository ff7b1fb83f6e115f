"""The configuration: its published shape, and the rules that it makes.

Options of the command line are laid over the file's, key by key.
"""

from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from imageshift.cache import ARTICLE_RULES, CONSOLE_RULES, Registry, Rule, RuleOrigin, RuleSet
from imageshift.errors import ConfigError, RuleError

__all__ = [
    "PRESETS",
    "SCHEMA_ID",
    "Config",
    "KeepEntry",
    "NotOurs",
    "build_rules",
    "parse_alias",
    "parse_rule",
    "schema",
]

PRESETS = {"article": ARTICLE_RULES, "console": CONSOLE_RULES}
"""The rule sets that have a name."""


SCHEMA_ID = "https://raw.githubusercontent.com/imageshift/imageshift/main/docs/schema/config.json"
"""Where the JSON schema of the configuration is published, for editors."""


def _says(description: str, *examples: Any) -> Meta:
    """What an editor shows of a key."""
    return Meta(description=description, examples=list(examples) or None)


_Account = Annotated[
    str | None,
    _says(
        "The AWS account id of the cache, in quotes because YAML would read it as a number.",
        "123456789012",
    ),
]
_Region = Annotated[str | None, _says("The AWS Region of the cache.", "eu-west-2")]
_Host = Annotated[
    str | None,
    _says(
        "A registry host to use instead of the account's own.",
        "123456789012.dkr-ecr.eu-west-2.on.aws",
        "${ECR_HOST}",
    ),
]


class RuleEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One pull-through cache rule."""

    upstream: Annotated[str, _says("The registry that the images come from.", "docker.io")]
    prefix: Annotated[
        str, _says("The path in ECR that the rule fills; ROOT means no prefix.", "docker-hub")
    ]
    upstream_prefix: Annotated[
        str | None, _says("The part of the upstream that the rule covers.", "prometheus")
    ] = None


class ImageEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename="camel"):
    """Where a kind of custom resource keeps an image."""

    kind: Annotated[str, _says("The kind of the resource.", "BackupPlan")]
    path: Annotated[
        str,
        _says(
            "The path of keys to the image, with [] for each item of a list.", "spec.agents[].image"
        ),
    ]
    api_version: Annotated[
        str, _says("The group and version; * matches any.", "backup.example.com/v1")
    ] = "*"


class KeepEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Images that stay as they are, and why; an entry needs `file` or `image`."""

    reason: Annotated[str, _says("Why these images stay.", "a fork of ours")]
    file: Annotated[str | None, _says("A file pattern, as in .gitignore.", "apps/web/")] = None
    path: Annotated[
        str, _says("The path of keys to the image; everything below it stays too.", "spec.values")
    ] = ""
    image: Annotated[str | None, _says("The image's name.", "quay.io/our/fork")] = None


class NotOurs(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Unclaimed image names that aren't yours, and why.

    `paths` are file patterns as in .gitignore, `images` are reference patterns as in a shell; if
    both are given, both must match.
    """

    reason: Annotated[str, _says("Why these names aren't yours.", "an example for readers")]
    paths: Annotated[list[str], _says("File patterns, as in .gitignore.", ["docs/examples/"])] = []
    images: Annotated[list[str], _says("Reference patterns, as in a shell.", ["*/example/*"])] = []


class RegistryEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A registry for a part of the repository."""

    paths: Annotated[
        list[str], _says("The files that it applies to, as in .gitignore.", ["clusters/prod/"])
    ]
    account: _Account = None
    region: _Region = None
    registry_host: _Host = None
    rules: Annotated[
        Literal["article", "console"] | list[RuleEntry] | None,
        _says("The rules to use here instead of the common ones.", "console"),
    ] = None


class Charts(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How charts are found and rendered."""

    mode: Annotated[
        Literal["auto", "off", "require"],
        _says(
            "Whether charts are rendered: auto renders those that are available, off none, and "
            "require fails if one isn't available.",
            "auto",
        ),
    ] = "auto"
    sources: Annotated[
        dict[str, str],
        _says(
            "Folders or .tgz files of charts, by the namespace/name of the release.", {"a/b": "c"}
        ),
    ] = {}
    allow_insecure_images: Annotated[
        bool,
        _says("Set global.security.allowInsecureImages for charts that reject other registries."),
    ] = False


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The content of .imageshift.yaml."""

    account: _Account = None
    region: _Region = None
    registry_host: _Host = None
    rules: Annotated[
        Literal["article", "console"] | list[RuleEntry],
        _says(
            "The rules in force: a built-in set, or a list that replaces it.",
            "article",
            [{"upstream": "docker.io", "prefix": "docker-hub"}],
        ),
    ] = "article"
    rules_from: Annotated[
        str | None,
        _says(
            "A file or folder that contains the rules: Terraform, CloudFormation, JSON.", "infra"
        ),
    ] = None
    aliases: Annotated[
        dict[str, str] | Literal["known"],
        _says("Other hosts that stand for an upstream.", {"lscr.io": "ghcr.io"}, "known"),
    ] = {}
    registries: Annotated[
        list[RegistryEntry], _says("Registries for parts of the repository.")
    ] = []
    exclude: Annotated[
        list[str], _says("Paths to leave alone, as in .gitignore.", ["clusters/sandbox/"])
    ] = []
    keep: Annotated[list[KeepEntry], _says("Images that stay as they are, and why.")] = []
    values: Annotated[
        list[str],
        _says("Further files with Helm values, as in .gitignore.", ["charts/*/ci-*.yaml"]),
    ] = []
    clusters: Annotated[
        list[str], _says("The names of Argo CD's clusters, for ApplicationSets.", ["in-cluster"])
    ] = []
    images: Annotated[
        list[ImageEntry], _says("Image fields of custom resources, in addition to the known ones.")
    ] = []
    crds: Annotated[
        list[str], _says("Files and folders with CRDs that show further image fields.", ["crds/"])
    ] = []
    unknown_kinds: Annotated[
        Literal["list", "move"],
        _says("What happens to whole references in unknown kinds.", "list"),
    ] = "list"
    not_ours: Annotated[
        list[NotOurs], _says("Unclaimed image names that aren't yours, and why.")
    ] = []
    jobs: Annotated[
        Literal["skip", "rewrite"],
        _says(
            "Whether Jobs are rewritten, although Kubernetes rejects changes to an applied Job.",
            "skip",
        ),
    ] = "skip"
    templates: Annotated[
        bool, _says("Whether literal images in Helm templates are also rewritten.")
    ] = False
    charts_through_cache: Annotated[bool, _says("Whether oci:// chart sources also move.")] = False
    render: Annotated[
        bool,
        _says(
            "Whether remote bases are fetched and built; works only in a file that --config names."
        ),
    ] = False
    charts: Annotated[Charts, _says("How charts are found and rendered.")] = Charts()


def schema() -> dict[str, Any]:
    """The JSON schema of .imageshift.yaml."""
    from inspect import cleandoc  # noqa: PLC0415 loads much that no run needs

    made = msgspec.json.schema(Config)
    for definition in made["$defs"].values():
        if "description" in definition:  # older Pythons keep a docstring's indent
            definition["description"] = cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "imageshift",
        "description": "The configuration of imageshift, .imageshift.yaml.",
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
    """What the command line says about the registry and its rules."""

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
                f"there is no built-in rule set {options.preset!r}", hint=f"one of {names}"
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
