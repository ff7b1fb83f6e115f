"""The published schemas are what the code says, and reports keep to them."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent.parent
WHERE = ("--account", "123456789012", "--region", "eu-west-2")


def test_published_schemas_are_up_to_date() -> None:
    """The files in docs/schema are those that scripts/schemas.py writes."""
    command = [sys.executable, "scripts/schemas.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout == "the schemas are up to date\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "examples/cluster"),
        ("check", "examples/cluster"),
        ("migrate", "examples/cluster", "--dry-run"),
        ("revert", "examples/cluster", "--all", "--dry-run"),
        ("map", "nginx", "gcr.io/a/b", "no:reference:at:all"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_reports_keep_to_the_schema(arguments: tuple[str, ...]) -> None:
    """The report of every command over the examples validates."""
    command = [sys.executable, "-c", "from imageshift.cli import main; main()", *arguments]
    done = subprocess.run(
        [*command, *WHERE, "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    schema = json.loads((ROOT / "docs/schema/report.json").read_text("utf-8"))

    jsonschema.validate(json.loads(done.stdout), schema)


def test_example_configuration_keeps_to_the_schema() -> None:
    """A broken configuration fails the schema, so that the schema can fail at all."""
    schema = json.loads((ROOT / "docs/schema/config.json").read_text("utf-8"))

    jsonschema.validate({"account": "123456789012", "jobs": "rewrite"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"acount": "123456789012"}, schema)
