"""`.imageshift.yaml`: what is read, what is refused and where, and the rules that come of it."""

from pathlib import Path

import jsonschema
import pytest

from imageshift.cache import RuleSet
from imageshift.config import (
    Config,
    RegistryEntry,
    RuleEntry,
    RuleOptions,
    build_rules,
    parse_alias,
    parse_rule,
    schema,
)
from imageshift.config_file import load_config
from imageshift.errors import ConfigError

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"


def load(folder: Path, text: str | bytes) -> Config:
    """Return the configuration of a text."""
    path = folder / ".imageshift.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path)


FULL = f"""\
# everything that there is
account: "{ACCOUNT}"
region: eu-west-2
registry_host: cache.example.com
rules:
  - upstream: docker.io
    prefix: hub
  - {{upstream: ghcr.io, upstream_prefix: org, prefix: org}}
aliases: {{lscr.io: ghcr.io}}
registries:
  - paths: [clusters/a/]
    account: "111111111111"
    region: us-east-1
    rules: console
exclude: [old/]
values: ["*-values.yaml"]
images:
  - {{kind: Machine, apiVersion: example.com/v1, path: "spec.disks[].image"}}
jobs: rewrite
templates: true
charts_through_cache: true
charts:
  mode: "off"
  sources: {{apps/web: ./charts/web}}
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    """A file with all keys gives them all."""
    config = load(tmp_path, FULL)

    assert (config.account, config.region) == (ACCOUNT, "eu-west-2")
    assert config.registry_host == "cache.example.com"
    assert config.rules == [
        RuleEntry("docker.io", "hub"),
        RuleEntry("ghcr.io", "org", "org"),
    ]
    assert config.aliases == {"lscr.io": "ghcr.io"}
    assert config.registries == [
        RegistryEntry(["clusters/a/"], "111111111111", "us-east-1", rules="console")
    ]
    assert (config.exclude, config.values) == (["old/"], ["*-values.yaml"])
    assert [(row.kind, row.api_version, row.path) for row in config.images] == [
        ("Machine", "example.com/v1", "spec.disks[].image")
    ]
    assert (config.jobs, config.templates, config.charts_through_cache) == ("rewrite", True, True)
    assert (config.charts.mode, config.charts.sources) == ("off", {"apps/web": "./charts/web"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# only a comment\n",
        "---\n",
        "---\n# c\n",
        "~\n",
        "null\n",
        "{}\n",
        b"\xef\xbb\xbf",
    ],
    ids=["empty", "break", "comment", "marker", "both", "tilde", "null", "map", "mark"],
)
def test_nothing_written_means_the_defaults(tmp_path: Path, text: str | bytes) -> None:
    """A file that says nothing is as good as none."""
    assert load(tmp_path, text) == Config() == load_config(None)


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """The file may come from any editor."""
    text = f'account: "{ACCOUNT}"\r\nregion: eu-west-2\r\n'

    assert load(tmp_path, b"\xef\xbb\xbf" + text.encode()).region == "eu-west-2"


REFUSED = {
    "unknown key": ("region: a\nfoo: 1\n", "2:1: ", "unknown field `foo`"),
    "unknown key in a rule": (
        "rules:\n  - upstream: docker.io\n    prefx: hub\n    prefix: x\n",
        "3:5: ",
        "unknown field `prefx` at rules[0]",
    ),
    "missing key": (
        "rules:\n  - upstream: docker.io\n",
        "2:5: ",
        "missing required field `prefix`",
    ),
    "wrong type": ("exclude: old/\n", "1:10: ", "Expected `array`, got `str` at exclude"),
    "wrong item": ("exclude:\n  - a\n  - [b]\n", "3:5: ", "at exclude[1]"),
    "not a choice": ("jobs: maybe\n", "1:7: ", "Invalid enum value 'maybe' at jobs"),
    "not a truth": ("templates: often\n", "1:12: ", "Expected `bool`, got `str` at templates"),
    "chart mode": ("charts:\n  mode: sometimes\n", "2:9: ", "at charts.mode"),
    "a list": ("- a\n", "1:1: ", "Expected `object`, got `array`"),
    "a text": ("hello\n", "1:1: ", "Expected `object`, got `str`"),
    "no YAML": ("account: [1\n", ":", "invalid YAML"),
    "no UTF-8": (b"account: \xff\n", ":1:", "UTF-8"),
    "key twice": ("region: a\nexclude: []\nregion: b\n", "3:1: ", "the key region appears twice"),
    "key twice in a rule": (
        "rules:\n  - {upstream: docker.io, prefix: hub, prefix: hub}\n",
        "2:40: ",
        "the key prefix appears twice",
    ),
    "host twice": ("aliases: {a.io: ghcr.io, a.io: quay.io}\n", "1:26: ", "a.io appears twice"),
    "second document": ("region: us-east-1\n---\njobs: skip\n", "2:1: ", "a second document"),
    "bad prefix": (
        "rules:\n  - upstream: docker.io\n    prefix: Hub\n",
        "3:13: ",
        "'Hub' isn't an ECR repository prefix at rules[0].prefix",
    ),
    "short prefix": (
        "rules:\n- {upstream: docker.io, prefix: hub}\n- {upstream: ghcr.io, prefix: h}\n",
        "3:31: ",
        "the prefix 'h' is too short: ECR allows 2 to 30 characters at rules[1].prefix",
    ),
    "no host": (
        "rules:\n  - prefix: hub\n    upstream: docker\n",
        "3:15: ",
        "'docker' isn't a registry host at rules[0].upstream",
    ),
    "bad upstream prefix": (
        "rules: [{upstream: ghcr.io, prefix: gh, upstream_prefix: Org}]\n",
        "1:58: ",
        "'Org' isn't an ECR repository prefix at rules[0].upstream_prefix",
    ),
    "upstream prefix under ROOT": (
        "rules: [{upstream: ghcr.io, prefix: ROOT, upstream_prefix: org}]\n",
        "1:60: ",
        "ghcr.io/org can't have the prefix ROOT at rules[0].upstream_prefix",
    ),
    "two rules with one prefix": (
        "rules:\n- {upstream: docker.io, prefix: hub}\n- {upstream: ghcr.io, prefix: hub}\n",
        "3:3: ",
        "two rules have the prefix hub: docker.io → hub and ghcr.io → hub at rules[1]",
    ),
    "two rules for one upstream": (
        "rules:\n- {upstream: docker.io, prefix: hub}\n- {upstream: docker.io, prefix: other}\n",
        "3:3: ",
        "two rules fit the same images: docker.io → hub and docker.io → other at rules[1]",
    ),
    "bad rule of a part": (
        "registries:\n- paths: [a]\n  rules: [{upstream: ghcr.io, prefix: Gh}]\n",
        "3:39: ",
        "at registries[0].rules[0].prefix",
    ),
    "bad account": ("account: 12a\n", "1:10: ", "'12a' isn't an AWS account id at account"),
    "bad region": ("region: europe\n", "1:9: ", "'europe' isn't an AWS region at region"),
    "region without a cache": (
        "registries:\n- {paths: [a], region: cn-north-1}\n",
        "2:24: ",
        "ECR has no pull through cache in cn-north-1 at registries[0].region",
    ),
    "bad host": ("registry_host: a/b\n", "1:16: ", "'a/b' isn't a registry host at registry_host"),
    "bad alias": ("aliases:\n  lscr.io: ghcr\n", "2:3: ", "at aliases.lscr.io"),
    "wide characters": ("region: a\n".encode("utf-16"), "1:1: ", "UTF-16"),
    "registry without paths": ("registries:\n  - account: '1'\n", "2:5: ", "`paths`"),
}


@pytest.mark.parametrize(("text", "place", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, text: str | bytes, place: str, message: str
) -> None:
    """The message begins with path, line and column, and names the key's path."""
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)

    shown = str(error.value)
    assert shown.startswith(f"{tmp_path / '.imageshift.yaml'}:{place.lstrip(':')}"), shown
    assert message in shown


def test_many_aliases_are_no_burden(tmp_path: Path) -> None:
    """A small file can't stand for a huge one."""
    lines = [
        "a0: &a0 [x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)),
    ]

    with pytest.raises(
        ConfigError, match=r"\.imageshift\.yaml:1:1: .* its aliases repeat too much"
    ):
        load(tmp_path, "\n".join(lines))


def test_deep_texts_are_told(tmp_path: Path) -> None:
    """A file that is nested beyond any sense is an error like another."""
    with pytest.raises(ConfigError, match=r"\.imageshift\.yaml:1:"):
        load(tmp_path, "exclude: " + "[" * 5000 + "]" * 5000 + "\n")


NUMBERS = {
    "decimal": ("123456789012", False),
    "leading zero": ("012345678901", True),
    "octal": ("012345670123", True),
    "underscores": ("1234_5678_9012", False),
    "float": ("1.23456789012e11", False),
}


@pytest.mark.parametrize(("text", "zero"), NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize(
    "where", ["account: {}\n", "registries:\n  - paths: [a]\n    account: {}\n"]
)
def test_an_account_as_a_number_is_refused(
    tmp_path: Path, where: str, text: str, *, zero: bool
) -> None:
    """YAML makes another text of it, so the message says to quote it."""
    with pytest.raises(ConfigError, match="is a number in YAML") as error:
        load(tmp_path, where.format(text))

    assert error.value.hint == f'write it in quotes: account: "{text}"'
    assert ("leading zero" in str(error.value)) is zero
    line = 1 + where.count("\n", 0, where.index("{}"))
    assert f".imageshift.yaml:{line}:" in str(error.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A path that was given must be there."""
    with pytest.raises(ConfigError, match=r"x\.yaml: can't be read: No such file"):
        load_config(tmp_path / "x.yaml")


def test_schema_takes_what_is_read_and_refuses_the_rest(tmp_path: Path) -> None:
    """The published schema and the reader agree."""
    validator = jsonschema.Draft202012Validator(schema())
    full = {"account": ACCOUNT, "rules": [{"upstream": "a", "prefix": "b"}], "jobs": "skip"}

    assert validator.is_valid(full)
    assert validator.is_valid({})
    assert not validator.is_valid({"foo": 1})
    assert not validator.is_valid({"jobs": "maybe"})
    assert not validator.is_valid({"rules": [{"upstream": "a"}]})
    load(tmp_path, FULL)


RULES = {
    "whole upstream": ("ghcr.io=github", ("ghcr.io", None, "github")),
    "part of one": ("ghcr.io/org/team=team", ("ghcr.io", "org/team", "team")),
    "removed": ("ghcr.io=", ("ghcr.io", None, "")),
    "port": ("registry.example.com:5000=x", ("registry.example.com:5000", None, "x")),
}


@pytest.mark.parametrize(("text", "expected"), RULES.values(), ids=RULES)
def test_rules_of_the_command_line(text: str, expected: tuple[str, str | None, str]) -> None:
    """UPSTREAM[/UPSTREAM_PREFIX]=PREFIX."""
    assert parse_rule(text) == expected


@pytest.mark.parametrize("text", ["", "ghcr.io", "=x", "/a=x"])
def test_other_texts_are_no_rules(text: str) -> None:
    """The form is in the hint."""
    with pytest.raises(ConfigError, match="isn't a rule") as error:
        parse_rule(text)

    assert error.value.hint == "--rule UPSTREAM[/UPSTREAM_PREFIX]=PREFIX"


def test_aliases_of_the_command_line() -> None:
    """HOST=UPSTREAM, or the known ones."""
    assert parse_alias("lscr.io=ghcr.io") == {"lscr.io": "ghcr.io"}
    assert parse_alias("known")["mirror.gcr.io"] == "docker.io"
    for text in ("lscr.io", "=ghcr.io", "lscr.io=", ""):
        with pytest.raises(ConfigError, match="isn't an alias"):
            parse_alias(text)


def prefixes(rules: RuleSet) -> dict[str, str]:
    """Return the prefix of each upstream."""
    return {
        "/".join(filter(None, (rule.upstream, rule.upstream_prefix))): rule.prefix
        for rule in rules.rules
    }


ARTICLE = {
    "docker.io": "docker-hub",
    "ghcr.io": "github",
    "registry.k8s.io": "k8s",
    "public.ecr.aws": "ecr",
    "quay.io": "quay",
}
BASE = RuleOptions(account=ACCOUNT, region="eu-west-2")


def test_rules_are_the_articles_unless_told() -> None:
    """The built-in rules."""
    assert prefixes(build_rules(Config(), BASE)) == ARTICLE


def test_rules_of_the_configuration_replace_them_all() -> None:
    """A list replaces the built-in rules as a whole; an option then changes single ones."""
    config = Config(rules=[RuleEntry("docker.io", "hub"), RuleEntry("quay.io", "quay")])
    options = RuleOptions(
        account=ACCOUNT, region="eu-west-2", rules=("quay.io=", "ghcr.io=gh", "docker.io/team=aa")
    )

    assert prefixes(build_rules(config, BASE)) == {"docker.io": "hub", "quay.io": "quay"}
    assert prefixes(build_rules(config, options)) == {
        "docker.io": "hub",
        "ghcr.io": "gh",
        "docker.io/team": "aa",
    }


def test_preset_of_the_command_line_beats_the_configuration() -> None:
    """--rules console wins over a list."""
    config = Config(rules=[RuleEntry("docker.io", "hub")])
    options = RuleOptions(account=ACCOUNT, region="eu-west-2", preset="console")

    assert prefixes(build_rules(config, options))["registry.k8s.io"] == "kubernetes"


def test_no_rule_left_is_refused() -> None:
    """A run without rules could do nothing."""
    config = Config(rules=[RuleEntry("docker.io", "hub")])
    options = RuleOptions(account=ACCOUNT, region="eu-west-2", rules=("docker.io=",))

    with pytest.raises(ConfigError, match="no rule is left"):
        build_rules(config, options)


def test_options_beat_the_part_and_the_part_beats_the_whole() -> None:
    """Account and region come from the nearest that says them."""
    config = Config(account="111111111111", region="us-east-1")
    part = RegistryEntry(["a/"], region="us-west-2")

    assert build_rules(config, RuleOptions()).registry.host.startswith("111111111111.dkr.ecr.us-e")
    assert build_rules(config, RuleOptions(), part).registry.region == "us-west-2"
    assert build_rules(config, BASE, part).registry.host == HOST


@pytest.mark.parametrize(
    ("account", "region", "message"),
    [
        (None, "eu-west-2", "--account is missing"),
        (ACCOUNT, None, "--region is missing"),
        ("12345678901x", "eu-west-2", "isn't an AWS account id"),
        (ACCOUNT, "cn-north-1", "pull.through"),
        (ACCOUNT, "us-gov-west-1", "pull.through"),
        (ACCOUNT, "europe", "region"),
    ],
)
def test_registries_that_cannot_be(account: str | None, region: str | None, message: str) -> None:
    """What is missing or can't be is said."""
    with pytest.raises(ConfigError, match=message):
        build_rules(Config(), RuleOptions(account=account, region=region))
