"""What the configuration could say: hints about mistakes, and the schema that editors read."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from command_line import REGISTRY, run, write_tree
from imageshift.config import SCHEMA_ID, Config, schema
from imageshift.config_file import load_config
from imageshift.errors import ConfigError

KEYS = ", ".join(Config.__struct_fields__)
MISTAKES = {
    "a key": ("regin: x\n", f"did you mean region? The keys are {KEYS}"),
    "a key like no other": ("zzzz: x\n", f"the keys are {KEYS}"),
    "a key in a rule": (
        "rules: [{upstrem: a, prefix: b}]\n",
        "did you mean upstream? The keys are upstream, prefix, upstream_prefix",
    ),
    "a key in charts": (
        "charts: {source: {}}\n",
        "did you mean sources? The keys are mode, sources, allow_insecure_images",
    ),
    "a key of another style": (
        "images: [{kind: A, path: b, api_version: c}]\n",
        "did you mean apiVersion? The keys are kind, path, apiVersion",
    ),
    "a value": ("jobs: rewite\n", "did you mean rewrite? It takes rewrite, skip"),
    "a value inside": ("charts: {mode: of}\n", "did you mean off? It takes auto, off, require"),
    "a value or a list": (
        "rules: artcle\n",
        "did you mean article? It takes article, console or a list",
    ),
    "a value or a mapping": ("aliases: knwon\n", "did you mean known? It takes known or a mapping"),
    "a value in a list": (
        "registries: [{paths: [a], rules: consol}]\n",
        "did you mean console? It takes article, console or a list",
    ),
    "a truth value": ("templates: ja\n", "it takes true, false"),
    "any text": (
        "account: [1]\n",
        "the keys are in the configuration reference of the documentation",
    ),
}


@pytest.mark.parametrize(("text", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_hints(tmp_path: Path, text: str, hint: str) -> None:
    """The nearest key or value comes first, then all that there are."""
    path = tmp_path / "c.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as error:
        load_config(path)

    assert error.value.hint == hint


def properties(made: Any) -> list[tuple[str, Any]]:
    """Return every key of the schema, with what it says of it."""
    return [
        (f"{name}.{key}", value)
        for name, definition in made["$defs"].items()
        for key, value in definition["properties"].items()
    ]


@pytest.mark.once
def test_every_key_is_described() -> None:
    """In a sentence, with examples that the schema itself accepts."""
    made = schema()
    checked = 0

    for name, value in properties(made):
        assert value["description"].endswith("."), name
        for example in value.get("examples", ()):
            jsonschema.validate(example, {**value, "$defs": made["$defs"]})
            checked += 1
    assert checked > 15
    assert all(definition["description"] for definition in made["$defs"].values())


def test_schema_has_an_address(repository: Path) -> None:
    """It is the published file's, and what `init` writes is valid by it."""
    published = json.loads((repository / "docs/schema/config.json").read_text("utf-8"))

    assert published["$id"] == SCHEMA_ID
    assert SCHEMA_ID.endswith("/docs/schema/config.json")


def test_init_names_the_schema(tmp_path: Path) -> None:
    """In the first line, where editors look for it."""
    write_tree(tmp_path, {"a.yaml": ""})

    done = run(tmp_path, "init", *REGISTRY)

    assert done.code == 0
    first = (tmp_path / ".imageshift.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_ID}"


COMMANDS = {
    "a command": (("scann", "."), "No such command 'scann'. Did you mean 'scan'?"),
    "a command of a group": (("policy", "kiverno"), "Did you mean 'kyverno'?"),
    "a group": (("bot", "flux"), "Did you mean 'bots'?"),
    "an option": (("scan", ".", "--strct"), "No such option: --strct"),
    "its neighbours": (("scan", ".", "--strct"), "--strict"),
    "a value": (("scan", ".", "--charts", "of"), "'of' is not one of 'auto', 'off', 'require'"),
}


@pytest.mark.parametrize(("arguments", "message"), COMMANDS.values(), ids=COMMANDS)
def test_command_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """A command, option or value that isn't known comes with those that are near."""
    done = run(tmp_path, *arguments)

    assert done.code == 2
    assert message in " ".join(done.stderr.split())
