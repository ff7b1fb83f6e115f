"""Version ranges, as Masterminds/semver reads them."""

import json
import subprocess
from pathlib import Path

import pytest

from imageshift.charts.fetch.semver import newest, parse_version, satisfies

VERSIONS = ["0.9.0", "1.0.0", "1.2.0", "1.2.9", "1.3.0", "2.0.0", "2.1.0-rc.1", "10.0.0"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (None, "10.0.0"),
        ("*", "10.0.0"),
        ("", "10.0.0"),
        ("1.2.0", "1.2.0"),
        ("v1.2.0", "1.2.0"),
        ("1.x", "1.3.0"),
        ("1.2", "1.2.9"),
        ("~1.2.0", "1.2.9"),
        ("~1", "1.3.0"),
        ("^1.2.0", "1.3.0"),
        ("^0.9.0", "0.9.0"),
        (">=1.0.0 <2.0.0", "1.3.0"),
        (">= 1.0.0, < 1.3.0", "1.2.9"),
        ("1.0.0 - 1.2.5", "1.2.0"),
        ("<1.0.0 || ^2.0.0", "2.0.0"),
        (">=2.0.0-0 <3", "2.1.0-rc.1"),
        ("2.1.0-rc.1", "2.1.0-rc.1"),
        ("!=10.0.0", "2.0.0"),
        (">2", "10.0.0"),
        ("<=1.2", "1.2.9"),
        ("=1.0.0", "1.0.0"),
        ("3.x", None),
        ("nonsense", None),
    ],
)
def test_newest(constraint: str | None, expected: str | None) -> None:
    """The newest version in a range, without prereleases unless the range names one."""
    assert newest(VERSIONS, constraint) == expected


def test_spelling_is_kept() -> None:
    """The version comes out as the index spells it; what is no version is passed over."""
    assert newest(["v1.2.3", "latest", "v1.2.4+build.5"], "1.2.x") == "v1.2.4+build.5"
    assert newest(["latest", "1.0.0"], "latest") == "latest"


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("1.0.0-alpha", "1.0.0"), ("1.0.0-alpha.2", "1.0.0-alpha.10"), ("1.0.0-1", "1.0.0-a")],
)
def test_order_of_prereleases(lower: str, higher: str) -> None:
    """Prereleases are lower, their numbers count as numbers, and numbers are lower than words."""
    one, two = parse_version(lower), parse_version(higher)

    assert one is not None
    assert two is not None
    assert one < two
    assert satisfies(two, f">{lower}")


RANGES = """*|1.2.0|v1.2.0|1.x|1.2|~1.2.0|~1|^1.2.0|^0.9.0|>=1.0.0 <2.0.0|>= 1.0.0, < 1.3.0
1.0.0 - 1.2.5|<1.0.0 || ^2.0.0
>=2.0.0-0 <3|>=2.0.0-0|>=2.0.0-0 <3.0.0-0|2.1.0-rc.1|!=10.0.0|>2|<=1.2|=1.0.0|3.x
^0|^0.0|^0.0.3|~0|^1.2|~1.2|>1.2|<1.2|>=1.2|!=1.2|1.2.x|=1.x|>0.0.3|^0.2|~>1.2|1 - 2|^2.1.0-rc.0"""
TEMPLATE = """a:
{{- range $c := .Values.ranges }}{{ range $v := $.Values.versions }}
- {{ list $c $v (semverCompare $c $v) | toJson }}
{{- end }}{{ end }}
"""


@pytest.mark.helm
def test_real_helm_agrees(tmp_path: Path) -> None:
    """Every range holds the versions that Helm's own semverCompare says."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (tmp_path / "templates" / "a.yaml").write_text(TEMPLATE)
    ranges = [part for line in RANGES.splitlines() for part in line.split("|") if part]
    versions = [*VERSIONS, "0.0.3", "0.0.4", "0.2.3", "3.0.0-alpha"]
    values = json.dumps({"ranges": [*ranges, "<1.0.0 || ^2.0.0"], "versions": versions})

    done = subprocess.run(
        ["helm", "template", "x", str(tmp_path), "--values", "-"],
        input=values,
        capture_output=True,
        text=True,
        check=True,
    )

    answers = [json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("- ")]
    assert len(answers) > 400
    for constraint, text, expected in answers:
        version = parse_version(text)
        assert version is not None
        assert satisfies(version, constraint) is expected, (constraint, text)


@pytest.mark.parametrize("text", ["9" * 5000, f"1.{'9' * 5000}.0", "1.0.0-" + "9" * 5000])
def test_versions_that_no_number_can_hold(text: str) -> None:
    """A version, or a range, of thousands of digits is none."""
    version = parse_version("1.0.0")
    assert version is not None

    assert parse_version(text) is None
    assert not satisfies(version, f">={text}")
    assert newest([text, "1.0.0"], f">=0.1 <{text}") is None
