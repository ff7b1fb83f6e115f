"""Whatever a source of rules holds, reading it ends in rules, problems, or a clear error."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecr_server import PLANTED
from imageshift.aws import RuleImport, import_rules
from imageshift.errors import ConfigError

pytestmark = pytest.mark.once

CASES = Path(__file__).parent.parent / "fixtures" / "aws" / "rules"
JSON_SOURCES = [
    json.loads((CASES / name).read_text())
    for name in (
        "terraform-plan/plan.json",
        "terraform-statefile/terraform.tfstate",
        "cloudformation-json/template.json",
        "cli-output/rules.json",
        "healthomics/mappings.json",
        "own-report/rules.json",
    )
]
TEXT_SOURCES = [
    CASES / "cloudformation-yaml" / "template.yaml",
    CASES / "ack-objects" / "clusters" / "infra" / "cache.yaml",
    CASES / "terraform-loops" / "rules.tf",
]
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.just([]), st.just({}),
    st.just([None]), st.just({"a": None}), st.just([[1]]),
)  # fmt: skip


def paths_of(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside parsed JSON."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    inner = [
        path
        for key, value in pairs
        for path in (paths_of(value, (*here, key)) if isinstance(value, (dict, list)) else [])
    ]
    keys = data.keys() if isinstance(data, dict) else range(len(data))
    return [*((*here, key) for key in keys), *inner]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Draw a known source with one value replaced by something odd."""
    data = json.loads(json.dumps(draw(st.sampled_from(JSON_SOURCES))))
    path = draw(st.sampled_from(paths_of(data)))
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = draw(ODD)
    return json.dumps(data)


def read(path: Path) -> None:
    """Read a source; anything but rules, problems or a clear error is a bug."""
    with suppress(ConfigError):
        found = import_rules(path)

        assert isinstance(found, RuleImport)
        assert all(":" in problem.place for problem in found.problems)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=damaged())
def test_damaged_json(text: str, tmp_path: Path) -> None:
    """A value of any kind in any place of a JSON source is survived."""
    path = tmp_path / "source.json"
    path.write_text(text)

    read(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    source=st.sampled_from(TEXT_SOURCES),
    cut=st.integers(0, 900),
    length=st.integers(1, 12),
    put=st.text(alphabet='{}[]()"=:!&*$%|>-\n\t a1', max_size=6),
)
def test_damaged_text(source: Path, cut: int, length: int, put: str, tmp_path: Path) -> None:
    """A YAML or Terraform source with some characters replaced is survived."""
    text = source.read_text()
    path = tmp_path / source.name
    path.write_text(text[:cut] + put + text[cut + length :])

    read(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe\x00", id="not utf-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{" * 20000, id="deep"),
        pytest.param(b"[" * 20000 + b"]" * 20000, id="deep and whole"),
        pytest.param(b"a: &a [*a]\n", id="recursive alias"),
        pytest.param(b"null", id="null"),
    ],
)
@pytest.mark.parametrize("name", ["s.json", "s.yaml", "s.tf"])
def test_odd_files(name: str, content: bytes, tmp_path: Path) -> None:
    """Files that are no source at all are refused or empty, whatever their name says."""
    (tmp_path / name).write_bytes(content)

    read(tmp_path / name)


def test_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    """Reading it would never end."""
    os.mkfifo(tmp_path / "a.tf")

    assert import_rules(str(tmp_path)).rules == ()


@pytest.mark.parametrize("end", ["", "]"], ids=["whole", "broken"])
def test_a_states_secrets_stay_in_it(end: str, tmp_path: Path) -> None:
    """A state holds secret values: neither rules nor problems nor errors show them."""
    state = json.loads((CASES / "terraform-statefile" / "terraform.tfstate").read_text())
    attributes = {"secret_string": PLANTED, "ecr_repository_prefix": None}
    rule = state["resources"][0]
    rule["instances"].append({"attributes": attributes})
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(state) + end)

    found = import_rules(path)

    assert found.problems
    assert PLANTED not in repr(found)
