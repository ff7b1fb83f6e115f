"""Sources of rules that an attacker wrote: each ends soon, in a problem with its place."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_line import REGISTRY, run, write_tree
from ecr_server import PLANTED
from imageshift.aws import RuleImport, import_rules, load_rules
from imageshift.errors import ConfigError

pytestmark = pytest.mark.once

SECONDS = float(os.environ.get("IMAGESHIFT_HOSTILE_SECONDS", "60"))
"""How long one source may take, on a machine that does other things too."""

RULE = """resource "aws_ecr_pull_through_cache_rule" "r" {
  %secr_repository_prefix = %s
  upstream_registry_url = "quay.io"
}
"""
TEMPLATE = """Resources:
  R:
    Type: AWS::ECR::PullThroughCacheRule
    Properties:
      UpstreamRegistryUrl: quay.io
      EcrRepositoryPrefix: %s
"""
GOOD = RULE % ("", '"good"')


def chain(step: str, times: int = 40, first: str = '["aa"]') -> str:
    """Return locals each made of the one before it, and a rule that uses the last."""
    lines = [f"x0 = {first}", *(f"x{n + 1} = {step.format(f'local.x{n}')}" for n in range(times))]
    return "locals {\n" + "\n".join(lines) + "\n}\n" + RULE % ("", f"local.x{times}[0]")


def row(prefix: Any, url: Any = "quay.io") -> str:
    """Return a saved answer with one rule."""
    one = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url}
    return json.dumps({"pullThroughCacheRules": [one]})


LONG, LARGE = "a calculation that is too long or too deep", "a value that is too large"
TERRAFORM = {
    "text that doubles": (chain('"${{{0}}}${{{0}}}"', first='"aa"'), ""),
    "lists that double": (chain("concat({0}, {0})"), "too l"),
    "lists in lists that double": (chain("[{0}, {0}]"), "no repository prefix"),
    "text that replaces itself": (chain('replace({0}, "a", {0})', 6, '"aaaaaaaaaa"'), LARGE),
    "asked for twice": (chain("{0} == {0} ? {0} : {0}", first='["aa"]'), ""),
    "names in a circle": ("locals { a = local.b\nb = local.a }\n" + RULE % ("", "local.a"), "self"),
    "loops in loops": (
        "locals { a = [" + "1," * 900 + "] }\n"
        + RULE % ("", "[for a in local.a : [for b in local.a : [for c in local.a : a]]]"),
        LONG,
    ),
    "a billion instances": (RULE % ("count = 1000000000\n", '"aa"'), "its for_each or count"),
    "no number of instances": (RULE % ("count = [1]\n", '"aa"'), "its for_each or count"),
    "instances of text": (RULE % ('for_each = "abc"\n', '"aa"'), "its for_each or count"),
    "instances of null": (RULE % ("for_each = null\n", '"aa"'), "its for_each or count"),
    "deep brackets": (RULE % ("", "(" * 3000 + '"aa"' + ")" * 3000), LONG),
    "deep lists": (RULE % ("", "[" * 3000 + "]" * 3000), "no repository prefix"),
    "deep blocks": (GOOD + "a {\n" * 2000 + "}\n" * 2000, "nested too deeply"),
    "deep JSON": (RULE % ("", f'jsondecode("{"[" * 5000}")'), "of these values"),
    "a long number": (RULE % ("", "1" * 6000), "a number that is too long"),
    "minus text": (RULE % ("", '-"a"'), "a non-number"),
    "a list as a key": (RULE % ("", "{ for a in [[1]] : a => a }.b"), "a key that isn't text"),
    "too few arguments": (RULE % ("", 'format("%s")'), "format() of these values"),
    "element of nothing": (RULE % ("", "element([], 0)"), "element() of these values"),
    "a list in text": (RULE % ("", '"${[1]}"'), "isn't text"),
    "many words": (GOOD + "locals { x = [" + "1," * 40000 + "] }\n", "more Terraform than"),
    "blanks after a heredoc": (GOOD + "x = <<EOT" + "\n" * 50000, "too many blanks"),
    "modules without end": (
        "".join(f'module "m{n}" {{\nsource = "./"\n}}\n' for n in range(8)) + GOOD,
        "call one another too often",
    ),
    "a module elsewhere": ('module "m" {\nsource = "/etc"\n}\n' + GOOD, "outside the repository"),
    "a module above": (
        'module "m" {\nsource = "./../../../../../../../dev"\n}\n' + GOOD,
        "outside the repository",
    ),
}  # fmt: skip
YAML = {
    "aliases that double": (
        "x:\n- &a0 [a, a]\n"
        + "".join(f"- &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(15))
        + TEMPLATE % '{"Fn::Join": ["", *a15]}',
        "aliases",
    ),
    "joins in joins": (TEMPLATE % ('!Join ["", [' * 80 + "a" + "]]" * 80), "deep"),
    "a long separator": (TEMPLATE % f'!Join ["{"a" * 9000}", [a, b, c]]', "depends on Fn::Join"),
    "a substitution that grows": (
        TEMPLATE % '!Sub "{}"'.format("${P}" * 2000)
        + f"Parameters: {{P: {{Default: {'a' * 4000}}}}}\n",
        "too long",
    ),
    "a list for a default": (
        TEMPLATE % "!Ref P" + "Parameters: {P: {Default: [a]}}\n",
        "depends on P",
    ),
    "more than is read": (TEMPLATE % "aa" + "# " + "a" * (5 << 20), "MiB of YAML"),
    "a program": ("!!python/object/apply:os.system [echo]\n# PullThroughCacheRule\n", ""),
}
JSON = {
    "a long number": ('{"pullThroughCacheRules": [' + "1" * 5000 + "]}", "a number that is too"),
    "a deep text": ('{"pullThroughCacheRules": ' + "[" * 100_000, "nested too deeply"),
    "a long prefix": (row("a" * 100_000), "too long for ECR"),
    "a login for an upstream": (row("aa", f"https://user:{PLANTED}@quay.io"), "a registry host"),
    "lists for text": (row(["aa"], {"a": 1}), "no repository prefix and no upstream"),
    "modules in modules": (
        '{"format_version": "1", "values": {"root_module": '
        + '{"child_modules": [{"resources": 1}, ' * 200
        + '{"resources": [{"type": "aws_ecr_pull_through_cache_rule", "values": {}}]}'
        + "]}" * 200 + "}}",
        "no repository prefix",
    ),
}  # fmt: skip
SOURCES = [
    pytest.param(name, text, message, id=f"{name}: {kind}")
    for name, table in (("bad.tf", TERRAFORM), ("bad.yaml", YAML), ("bad.json", JSON))
    for kind, (text, message) in table.items()
]


@pytest.mark.parametrize(("name", "text", "message"), SOURCES)
def test_bad_beside_good(name: str, text: str, message: str, tmp_path: Path) -> None:
    """A hostile file is a problem with its place, in bounded time; the good one is read."""
    write_tree(tmp_path, {f"bad/{name}": text, "good/rules.tf": GOOD})
    started = time.monotonic()

    found = import_rules(tmp_path)

    assert time.monotonic() - started < SECONDS
    assert "good" in [one.rule.prefix for one in found.rules]
    assert all(one.place.startswith(f"{tmp_path}/bad/{name}:") for one in found.problems)
    assert not message or any(message in one.message for one in found.problems)
    assert PLANTED not in repr(found)
    assert all(len(str(one)) < 1000 for one in found.problems)


@pytest.mark.parametrize(("name", "text", "message"), SOURCES[::6])
def test_exit_codes(name: str, text: str, message: str, tmp_path: Path) -> None:  # noqa: ARG001 the id
    """`rules import` of such a file ends with 3, `--rules-from` of it with 2, in plain words."""
    write_tree(tmp_path, {name: text})

    shown = run(tmp_path, "rules", "import", name, *REGISTRY)
    used = run(tmp_path, "map", "nginx", "--rules-from", name, *REGISTRY)

    assert shown.code in {0, 2, 3}
    assert used.code in {0, 2}
    assert "Traceback" not in shown.stderr + used.stderr


def test_links_and_devices(tmp_path: Path) -> None:
    """What leads out of the repository or is no file is a problem, and none of it is read."""
    write_tree(tmp_path, {"outside/rules.tf": GOOD, "tree/.git/HEAD": "", "tree/a.tf": GOOD})
    tree = tmp_path / "tree"
    (tree / "link.tf").symlink_to(tmp_path / "outside" / "rules.tf")
    (tree / "endless.json").symlink_to("/dev/zero")
    (tree / "loop").symlink_to("loop")
    (tree / "loop.tf").write_text('module "m" {\n  source = "./loop"\n}\n')
    os.mkfifo(tree / "pipe.yaml")

    found = import_rules(tree)

    assert [one.place for one in found.rules] == [f"{tree}/a.tf:1:1"]
    assert sorted(one.place for one in found.problems) == [
        f"{tree}/endless.json:1:1",
        f"{tree}/link.tf:1:1",
        f"{tree}/pipe.yaml:1:1",
    ]


def test_many_modules_that_share(tmp_path: Path) -> None:
    """Modules in layers, each calling all of the next, are looked through once each."""
    for layer in range(25):
        for side in "ab":
            below = f"../{layer + 1}{{}}" if layer < 24 else "../rules{}"
            calls = [f'module "{n}" {{\n source = "{below.format(n)}"\n}}\n' for n in "ab"]
            write_tree(tmp_path, {f"{layer}{side}/main.tf": "".join(calls)})
    write_tree(tmp_path, {"rulesa/main.tf": GOOD, "rulesb/main.tf": GOOD})

    found = import_rules(tmp_path)

    assert all("call one another too often" in one.message for one in found.problems)


def test_too_many_rules(tmp_path: Path) -> None:
    """No registry has so many rules: they are refused before anything compares them."""
    rows = [
        {"ecrRepositoryPrefix": f"a{n}", "upstreamRegistryUrl": "quay.io"} for n in range(20000)
    ]
    (tmp_path / "rules.json").write_text(json.dumps(rows))

    with pytest.raises(ConfigError, match="20000 rules are more than 1000"):
        load_rules(tmp_path / "rules.json")


def test_many_problems_are_counted(tmp_path: Path) -> None:
    """A thousand problems don't make a message of a thousand lines."""
    (tmp_path / "rules.json").write_text(
        json.dumps(
            [
                {"ecrRepositoryPrefix": f"A{n}", "upstreamRegistryUrl": "quay.io"}
                for n in range(1000)
            ]
        )
    )

    with pytest.raises(ConfigError, match="and 980 more"):
        load_rules(tmp_path / "rules.json")


def test_a_file_name_stays_in_its_comment(tmp_path: Path) -> None:
    """The configuration that `rules import` prints has each place in one line."""
    name = "a\nrules: [{upstream: evil.example, prefix: evil}]\n#.json"
    (tmp_path / name).write_text(row("quay"))

    done = run(tmp_path, "rules", "import", name, *REGISTRY, "--output", "out.yaml")

    assert done.code == 0
    assert (tmp_path / "out.yaml").read_text().count("\n") == 3


WORDS = [
    *'[]{}()=?:,.!~x+"',
    *('"aa"', "local.x", "var.x", "each.value", "for", "in", "if", "1", "-1", "true", "null"),
    *("=>", "..", "...", "${", "%{", "==", "&&", "\n", "merge(", "concat(", "keys(", "jsondecode("),
]


@settings(
    max_examples=int(os.environ.get("IMAGESHIFT_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(words=st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_expression(words: list[str], tmp_path: Path) -> None:
    """Whatever words of Terraform stand in a row, they end in rules or problems."""
    path = tmp_path / "rules.tf"
    path.write_text(
        "locals {\n x = "
        + " ".join(words).replace("NEWLINE", "\n")
        + "\n}\n"
        + RULE % ("", "local.x")
    )

    assert isinstance(import_rules(path), RuleImport)
