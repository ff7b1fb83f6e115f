"""Rules from Terraform, CloudFormation, ACK objects and saved answers: one folder a case."""

import json
from pathlib import Path
from typing import Any

import pytest

from imageshift.aws import RuleImport, import_rules, load_rules
from imageshift.cache import Rule, RuleOrigin
from imageshift.errors import ConfigError

CASES = Path(__file__).parent.parent / "fixtures" / "aws" / "rules"


def as_data(found: RuleImport) -> dict[str, Any]:
    """Return an import as the fixtures spell it."""
    return {
        "rules": [
            [str(one.rule), one.has_credential, one.account, one.place] for one in found.rules
        ],
        "problems": [str(problem) for problem in found.problems],
    }


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_import(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every source yields the rules, places and problems that its folder expects."""
    expected = json.loads((case / "expected.json").read_text())
    monkeypatch.chdir(case)

    found = import_rules(expected.pop("source"))

    assert as_data(found) == expected


def test_load_gives_imported_rules() -> None:
    """`load_rules` gives plain rules, marked as imported."""
    rules = load_rules(CASES / "terraform-article")

    assert rules[0] == Rule("docker.io", "docker-hub")
    assert {rule.origin for rule in rules} == {RuleOrigin.IMPORTED}


@pytest.mark.parametrize("name", ["rules.yaml", "rules.yml"])
def test_flow_mapping_in_yaml(name: str, tmp_path: Path) -> None:
    """A YAML file that begins with a brace is YAML all the same."""
    path = tmp_path / name
    path.write_text(
        "{pullThroughCacheRules: [{ecrRepositoryPrefix: quay, upstreamRegistryUrl: quay.io}]}\n"
    )

    assert load_rules(path) == (Rule("quay.io", "quay"),)


def test_load_names_all_problems() -> None:
    """A source with rules that can't be read is refused, with every place and a hint."""
    with pytest.raises(ConfigError) as caught:
        load_rules(CASES / "terraform-unknown")

    assert str(caught.value).count("main.tf:") == 5
    assert "terraform show -json" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param("absent.json", None, "there is no such file", id="no file"),
        pytest.param("a.yaml", "a: b\n", "not a known source of rules", id="other yaml"),
        pytest.param("a.json", "[]", "no pull through cache rule in it", id="empty list"),
        pytest.param("a.txt", "hello", "not a known source of rules", id="text"),
    ],
)
def test_load_refuses(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    """A source that holds no rules is refused with the list of what is known."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigError, match=message) as caught:
        load_rules(path)

    assert "describe-pull-through-cache-rules" in (caught.value.hint or "")


def test_folder_without_rules(tmp_path: Path) -> None:
    """A folder with neither Terraform nor rule objects says so."""
    (tmp_path / "a.yaml").write_text("kind: ConfigMap\n")

    with pytest.raises(ConfigError, match="no pull through cache rule"):
        load_rules(tmp_path)
