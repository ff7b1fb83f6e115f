"""Terraform expressions: their values, and the real Terraform as the judge of them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from imageshift.aws.hcl import Scope, evaluate
from imageshift.aws.hcl_values import Unknown

NAMES: dict[str, Any] = {
    "local": {"up": {"hub": "docker.io", "quay": "quay.io"}, "list": ["b", "a"], "n": 3},
}

KNOWN = [
    '"plain"',
    r'"esc\"aped\n\t\u00e9 $${x} %%{y}"',
    '"${local.up.hub}/${local.n}-${true}"',
    "1 + 2 - local.n",
    "!false && (1 < 2 || 3 >= 4)",
    "-local.n",
    'local.up["quay"]',
    "local.list[1]",
    "local.list.0",
    '[for k, v in local.up : upper(k) if v != "quay.io"]',
    "{ for k, v in local.up : v => k }",
    '{ for k in local.list : "x-${k}" => k }',
    "[for i, v in local.list : i]",
    "[{ id = 1 }, { id = 2 }][*].id",
    'local.n == 3 ? "yes" : "no"',
    '{ a = 1, "b" : 2, (local.up.hub) = 3 }',
    'merge(local.up, { ghcr = "ghcr.io" })',
    'toset(["b", "a", "b"])',
    'concat(local.list, ["c"])',
    "flatten([[1, [2]], 3])",
    "keys(local.up)",
    "values(local.up)",
    'lookup(local.up, "hub", "x")',
    'lookup(local.up, "absent", "x")',
    'try(local.up.absent, "y")',
    'coalesce("", "z")',
    'format("%s-%d%%", "a", 3)',
    'join("/", ["a", "b"])',
    'split(".", "a.b")',
    'replace("a.b", ".", "-")',
    'trimsuffix(trimprefix("xay", "x"), "y")',
    'zipmap(["a"], [1])',
    'contains(local.list, "a")',
    "length(local.list)",
    "element(local.list, 3)",
    'distinct(["a", "a"])',
    'startswith("abc", "ab")',
    'jsondecode("{\\"a\\": [1]}")',
    "null",
]

UNKNOWN = [
    pytest.param("data.x.y.z", "data.x.y.z", id="data"),
    pytest.param('"${aws_x.y.arn}-suffix"', "aws_x.y.arn", id="in a string"),
    pytest.param("local.up.absent", "absent, which has no value", id="no such key"),
    pytest.param("local.list[7]", "7, which has no value", id="index"),
    pytest.param("timestamp()", "timestamp()", id="impure function"),
    pytest.param("keys(1)", "keys() of these values", id="wrong type"),
    pytest.param("var.x == 1 ? 2 : 3", "var.x", id="condition"),
    pytest.param("merge(local.up, data.x.y)", "data.x.y", id="argument"),
    pytest.param("[for v in data.x : v]", "data.x", id="for"),
    pytest.param('"%{ if true }a%{ endif }"', "a template directive", id="directive"),
    pytest.param('replace("a", "/b/", "c")', "replace() with a pattern", id="regex"),
    pytest.param("1 + local.up", "+ between values that don't fit", id="arithmetic"),
]


def value_of(expression: str) -> Any:
    """Return the value of an expression."""
    tree = hcl2.parses_to_tree(f"x = {expression}")
    attribute = next(tree.find_data("attribute"))
    return evaluate(attribute.children[-1], Scope(NAMES))


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return what `terraform console` says to the known expressions, in one run."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    folder: Path = tmp_path_factory.mktemp("console")
    text = json.dumps({"locals": NAMES["local"]})
    (folder / "main.tf.json").write_text(text)
    asked = f"jsonencode([{', '.join(KNOWN)}])\n"
    done = subprocess.run(
        [program, "console"], input=asked, cwd=folder, capture_output=True, text=True, check=True
    )
    answer: list[Any] = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    return answer


@pytest.mark.once
@pytest.mark.parametrize("index", range(len(KNOWN)), ids=KNOWN)
def test_as_terraform_has_it(index: int, judged: list[Any]) -> None:
    """Every expression has the value that Terraform itself gives it."""
    assert value_of(KNOWN[index]) == judged[index]


@pytest.mark.parametrize(("expression", "blamed"), UNKNOWN)
def test_unknown(expression: str, blamed: str) -> None:
    """What the source doesn't tell is unknown, with the words to blame."""
    value = value_of(expression)

    assert isinstance(value, Unknown)
    assert blamed in value.what
