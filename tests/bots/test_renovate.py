"""imageshift bots renovate: aliases merged into every kind of file, with all comments kept."""

import json
from pathlib import Path

import pytest

from command_line import ACCOUNT, HOST, REGISTRY, read_tree, run, write_tree
from imageshift.bots.json5 import parse
from imageshift.errors import SourceError

CONFIG = f"""\
account: "{ACCOUNT}"
region: eu-west-2
rules:
  - {{upstream: docker.io, prefix: hub}}
  - {{upstream: docker.io, prefix: bit, upstream_prefix: bitnami}}
"""
BIT, HUB = f'"{HOST}/bit": "docker.io/bitnami"', f'"{HOST}/hub": "docker.io"'
POD = f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: {HOST}/hub/library/nginx:1}}]}}\n"


def test_printed(tmp_path: Path) -> None:
    """Longer paths come first, since Renovate takes the first alias that fits."""
    rules = ("--rule", "quay.io=ROOT", "--rule", "docker.io/bitnami=bit", "--rule", "ghcr.io=gh/cr")

    done = run(tmp_path, "bots", "renovate", *REGISTRY, *rules, "--rule", "public.ecr.aws=")

    assert json.loads(done.stdout) == {
        "registryAliases": {
            f"{HOST}/gh/cr": "ghcr.io",
            f"{HOST}/docker-hub": "docker.io",
            f"{HOST}/bit": "docker.io/bitnami",
            f"{HOST}/k8s": "registry.k8s.io",
            HOST: "quay.io",
        }
    }
    first, *_, last = json.loads(done.stdout)["registryAliases"]
    assert (first, last) == (f"{HOST}/gh/cr", HOST)
    assert (done.code, done.stderr) == (0, "no Renovate configuration was found\n")


MERGED = {
    "empty object": (
        "renovate.json",
        "{}\n",
        f'{{\n  "registryAliases": {{\n    {BIT},\n    {HUB}\n  }}\n}}\n',
    ),
    "members": (
        "renovate.json",
        '{\n    "extends": ["config:recommended"],\n    "x": {"y": 1}\n}\n',
        (
            '{\n    "extends": ["config:recommended"],\n    "x": {"y": 1},\n'
            f'    "registryAliases": {{\n        {BIT},\n        {HUB}\n    }}\n}}\n'
        ),
    ),
    "one line": (
        ".github/renovate.json",
        '{"extends": ["a"]}',
        f'{{"extends": ["a"],\n  "registryAliases": {{\n    {BIT},\n    {HUB}\n  }}\n}}',
    ),
    "comments and a trailing comma": (
        "renovate.json5",
        "// first\n{\n  extends: ['a'], /* b, */ // c\n  // last\n}\n// end\n",
        (
            "// first\n{\n  extends: ['a'], /* b, */ // c\n  // last\n"
            f'  "registryAliases": {{\n    {BIT},\n    {HUB}\n  }},\n}}\n// end\n'
        ),
    ),
    "a comment behind the last member": (
        "renovate.json5",
        "{\n\textends: ['a'] // c, d\n}\n",
        (
            "{\n\textends: ['a'], // c, d\n"
            f'\t"registryAliases": {{\n\t\t{BIT},\n\t\t{HUB}\n\t}}\n}}\n'
        ),
    ),
    "aliases that are there": (
        ".renovaterc",
        '{\n  "registryAliases": {\n    // ours\n    "a": "b"\n  },\n  "z": 1\n}\n',
        (
            f'{{\n  "registryAliases": {{\n    // ours\n    {BIT},\n    {HUB},\n'
            '    "a": "b"\n  },\n  "z": 1\n}\n'
        ),
    ),
    "aliases on one line": (
        ".renovaterc.json5",
        "{registryAliases: {'a': 'b'}}",
        f"{{registryAliases: {{{BIT}, {HUB}, 'a': 'b'}}}}",
    ),
    "one of them is there": (
        "renovate.json",
        f'{{"registryAliases": {{{HUB}}}}}',
        f'{{"registryAliases": {{{BIT}, {HUB}}}}}',
    ),
    "no alias yet": (
        "renovate.json",
        '{\r\n  "registryAliases": {}\r\n}\r\n',
        f'{{\r\n  "registryAliases": {{\r\n    {BIT},\r\n    {HUB}\r\n  }}\r\n}}\r\n',
    ),
    "package.json": (
        "package.json",
        '{\n  "name": "x",\n  "renovate": {\n    "extends": ["a"]\n  },\n  "version": "1"\n}\n',
        (
            '{\n  "name": "x",\n  "renovate": {\n    "extends": ["a"],\n'
            f'    "registryAliases": {{\n      {BIT},\n      {HUB}\n    }}\n'
            '  },\n  "version": "1"\n}\n'
        ),
    ),
    "another upstream": (
        "renovate.json",
        f'{{"registryAliases": {{"{HOST}/hub": "mirror.example", {BIT}}}}}',
        f'{{"registryAliases": {{"{HOST}/hub": "mirror.example", {BIT}}}}}',
    ),
}


@pytest.mark.parametrize(("name", "before", "after"), MERGED.values(), ids=MERGED)
def test_merged(tmp_path: Path, name: str, before: str, after: str) -> None:
    """Nothing else changes, and a second run changes nothing."""
    write_tree(tmp_path, {".imageshift.yaml": CONFIG, name: before})

    done = run(tmp_path, "bots", "renovate", "--write")
    again = run(tmp_path, "bots", "renovate", "--write")

    assert (tmp_path / name).read_bytes().decode() == after
    assert (done.code, again.code) == (0, 0)
    assert done.stdout == ("" if before == after else f"{name}\n")
    assert again.stdout == ""
    assert read_tree(tmp_path).keys() == {".imageshift.yaml", name}


WRONG = {
    "broken": ("renovate.json", '{"a": 1', "renovate.json:1:8: a comma or } is missing"),
    "no object": ("renovate.json", "[]", "renovate.json: the configuration isn't an object"),
    "aliases that are none": ("renovate.json", '{"registryAliases": 1}', "isn't an object"),
    "too deep": ("renovate.json5", "[" * 200, "renovate.json5:1:102: nested too deeply"),
    "no configuration": (
        "package.json",
        '{"name": "x"}',
        "there is no Renovate configuration",
    ),
    "not UTF-8": ("renovate.json", b"\xff", "renovate.json: not UTF-8"),
}


@pytest.mark.parametrize(("name", "text", "message"), WRONG.values(), ids=WRONG)
def test_files_that_cannot_be_merged(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    """They stay as they are, and the message says where."""
    write_tree(tmp_path, {".imageshift.yaml": CONFIG, name: text})
    before = read_tree(tmp_path)

    done = run(tmp_path, "bots", "renovate", "--write")

    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert read_tree(tmp_path) == before


def test_said(tmp_path: Path) -> None:
    """What is missing, what differs, and which managers ignore aliases."""
    text = f"""{{
      enabledManagers: ['kubernetes', 'argocd'], customManagers: [],
      registryAliases: {{'{HOST}/hub': 'mirror.example'}},
    }}"""
    write_tree(tmp_path, {".imageshift.yaml": CONFIG, "sub/x.yaml": "", "renovate.json5": text})

    done = run(tmp_path, "bots", "renovate", "sub")

    assert done.stderr.splitlines() == [
        "renovate.json5: 1 alias missing: --write adds them",
        f"renovate.json5: {HOST}/hub stands for mirror.example there, not for docker.io",
        (
            "renovate.json5: the manager argocd (Argo CD Applications) ignores aliases, and "
            "finds no updates there"
        ),
        (
            "renovate.json5: the manager custom (what its patterns match) ignores aliases, and "
            "finds no updates there"
        ),
    ]


def test_missing_aliases_are_a_warning(tmp_path: Path) -> None:
    """Of scan and migrate, for the rules that are in use; a hook on one file doesn't look."""
    files: dict[str, str | bytes] = {
        ".imageshift.yaml": CONFIG,
        "a.yaml": POD,
        "renovate.json": "{}",
    }
    write_tree(tmp_path, files)

    def codes(*arguments: str) -> list[str]:
        report = run(tmp_path, *arguments, "--format", "json").report
        return [one["code"] for one in report["warnings"] if "renovate" in one["code"]]

    assert codes("scan", ".") == ["renovate-aliases"]
    assert codes("migrate", ".", "--dry-run") == ["renovate-aliases"]
    assert codes("check", "a.yaml") == []
    write_tree(tmp_path, {"renovate.json": f'{{"registryAliases": {{{HUB}}}}}'})
    assert codes("scan", ".") == []
    write_tree(tmp_path, {"renovate.json": "{", "b.yaml": POD})
    assert codes("scan", ".") == []


JSON5 = {
    "plain": (
        '{"a": [1, "b", null], "c": {"d": true}}',
        {"a": ["1", "b", "null"], "c": {"d": "true"}},
    ),
    "comments": ("/* a */ {// b\n'a': +1.5e3, /* } */}", {"a": "+1.5e3"}),
    "escapes": (r'{"a\u0062": "\n\x41\"\\", c: ' + "'a\\\nb'}", {"ab": '\nA"\\', "c": "ab"}),
    "byte order mark": ("\ufeff{}", {}),
}


@pytest.mark.parametrize(("text", "value"), JSON5.values(), ids=JSON5)
def test_json5(text: str, value: object) -> None:
    """Values come as plain data, numbers and words as they are written."""
    assert parse(text).value == value


@pytest.mark.parametrize("text", ["", "{", "[1 2]", "{a}", "{a:}", "'a\n'", "{} {}", "/* a", "{,}"])
def test_no_json5(text: str) -> None:
    """Whatever is wrong has a place."""
    with pytest.raises(SourceError) as error:
        parse(text)
    assert error.value.line is not None
