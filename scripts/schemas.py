"""Write the JSON schemas of the report and of the configuration into docs/schema/.

The words come from the code's own enumerations, so that the published lists can't drift;
`--check` writes nothing and fails when a file isn't what the code says.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from imageshift.advice import Code
from imageshift.audit.causes import Cause
from imageshift.config import schema as config_schema
from imageshift.reports.codes import CODES
from imageshift.reports.summary import SCHEMA
from imageshift.rewrite import Status
from imageshift.sites import Confidence, Origin, Role, SiteKind, SkipReason

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
PLACE = {"type": ["integer", "null"], "minimum": 1}
PATH = {"type": "array", "items": {"type": ["string", "integer"]}}


def words(enumeration: Any, *more: str) -> dict[str, Any]:
    """A text that is one of an enumeration's words."""
    return {"type": "string", "enum": [*(member.value for member in enumeration), *more]}


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with exactly these fields."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def listed(items: dict[str, Any]) -> dict[str, Any]:
    """An array of one sort of items."""
    return {"type": "array", "items": items}


def report_schema() -> dict[str, Any]:
    """The schema of every command's report."""
    rule = record({"prefix": TEXT, "upstream": TEXT, "upstream_prefix": MAYBE_TEXT})
    registry = record(
        {
            "host": TEXT,
            "account": MAYBE_TEXT,
            "region": MAYBE_TEXT,
            "paths": listed(TEXT),
            "rules": listed(rule),
        }
    )
    answer = {
        "original": TEXT,
        "normalized": MAYBE_TEXT,
        "target": MAYBE_TEXT,
        "status": words(Status),
        "rule": MAYBE_TEXT,
        "reason": {"enum": [*(reason.value for reason in SkipReason), None]},
        "detail": MAYBE_TEXT,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"imageshift report ({SCHEMA})",
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA},
            "command": TEXT,
            "registries": listed(registry),
            "images": listed({"anyOf": [found_image(answer), record(answer)]}),
            "skipped": listed(skipped()),
            "warnings": listed(warning()),
            "summary": summary(),
            "account": account(),
            "changed_files": listed(TEXT),
            "renders": listed(render()),
            "problems": listed(record({"place": TEXT, "message": TEXT, "hint": MAYBE_TEXT})),
            "proof": record(dict.fromkeys(("renders", "equal", "different", "problems"), COUNT)),
            "findings": listed(finding()),
        },
        "required": ["schema", "command", "registries"],
    }


def audit_schema() -> dict[str, Any]:
    """The schema of an audit's report."""
    shares = record({"name": TEXT, "containers": COUNT, "cached": COUNT})
    image = record(
        {
            "image": TEXT,
            "cause": words(Cause),
            **dict.fromkeys(
                ("upstream", "target", "rule", "place", "detail", "workload"), MAYBE_TEXT
            ),
            "containers": COUNT,
            "namespaces": {"type": "object", "additionalProperties": COUNT},
            "pods": listed(TEXT),
            "templates": COUNT,
            "nodes": COUNT,
        }
    )
    failure = ("pod", "container", "image", "reason", "meaning")
    counted = ("pods", "containers", "images", "cached", "upstream", "failures")
    change = ("image", "workload", "before", "after")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"imageshift audit ({SCHEMA})",
        **record(
            {
                "schema": {"const": SCHEMA},
                "command": {"const": "audit"},
                "registries": report_schema()["properties"]["registries"],
                "images": listed(image),
                "failures": listed(record(dict.fromkeys(failure, TEXT))),
                "shares": record(dict.fromkeys(("cause", "namespace", "upstream"), listed(shares))),
                "summary": record(dict.fromkeys(counted, COUNT)),
            },
            {"changes": listed(record(dict.fromkeys(change, TEXT)))},
        ),
    }


def found_image(answer: dict[str, Any]) -> dict[str, Any]:
    """An image of a file, or one that only a rendering shows."""
    resource = record(
        {"apiVersion": TEXT, "kind": TEXT, "namespace": MAYBE_TEXT, "name": MAYBE_TEXT}
    )
    part = record({"role": words(Role), "path": PATH, "line": PLACE, "column": PLACE})
    place = {
        "file": MAYBE_TEXT,
        "line": PLACE,
        "column": PLACE,
        "document": {"type": ["integer", "null"], "minimum": 0},
        "resource": resource,
        "path": PATH,
        "kind": words(SiteKind),
        "origin": words(Origin),
        "parts": listed(part),
        "confidence": words(Confidence),
        "uses": {"type": "integer", "minimum": 1},
        "clusters": listed(TEXT),
    }
    return record({**place, **answer})


def skipped() -> dict[str, Any]:
    """A file or document that isn't looked into."""
    return record({"file": TEXT, "line": PLACE, "reason": words(SkipReason), "detail": TEXT})


def warning() -> dict[str, Any]:
    """A warning with its places."""
    return record({"code": words(Code), "message": TEXT, "count": COUNT, "places": listed(TEXT)})


def finding() -> dict[str, Any]:
    """What makes `check` fail once `--changed` or `--baseline` has left findings out."""
    codes = {"type": "string", "enum": [str(code) for code in CODES]}
    place = {"file": MAYBE_TEXT, "line": PLACE, "column": PLACE}
    return record({"code": codes, **place, "message": TEXT, "hint": MAYBE_TEXT})


def summary() -> dict[str, Any]:
    """The counts that a report ends with."""
    counted = ("files", "changed", "images", "rewrite", "cached", "no-rule", "doubtful", "skipped")
    return record(dict.fromkeys(counted, COUNT))


def account() -> dict[str, Any]:
    """What became of every text that names an image."""
    counted = ("named", "moved", "unclaimed", "brought", "charts_unread", "uses", "references")
    other = record({"format": TEXT, "files": COUNT, "images": COUNT})
    left = {"type": "object", "additionalProperties": COUNT}
    return record({**dict.fromkeys(counted, COUNT), "left": left, "other_formats": listed(other)})


def render() -> dict[str, Any]:
    """What `verify` found of one release or kustomization."""
    image = record({"before": MAYBE_TEXT, "after": MAYBE_TEXT, "ok": {"type": "boolean"}})
    difference = record(
        {
            "object": TEXT,
            "path": {"type": ["array", "string", "null"]},
            "before": {},
            "after": {},
            "class": {"enum": ["noise", "derived", "unexplained"]},
            "reason": MAYBE_TEXT,
        }
    )
    return record(
        {
            "name": TEXT,
            "namespace": MAYBE_TEXT,
            "kind": TEXT,
            "file": TEXT,
            "place": TEXT,
            "objects": COUNT,
            "equal": {"type": "boolean"},
            "images": listed(image),
            "other_differences": listed(difference),
            "diffs": listed(record({"object": TEXT, "diff": TEXT})),
        }
    )


def main() -> int:
    """Write the schemas, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    schemas = {"report": report_schema(), "audit": audit_schema(), "config": config_schema()}
    for name, made in schemas.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(made, indent=2) + "\n"
        if check and (not path.is_file() or path.read_text("utf-8") != text):
            stale.append(path.name)
        elif not check:
            path.write_text(text, encoding="utf-8")
    print(f"not up to date: {', '.join(stale)}" if stale else "the schemas are up to date")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
