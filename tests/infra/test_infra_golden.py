"""Generated infrastructure against golden files, and what real tools say about it."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest

from imageshift.aws import load_rules
from imageshift.cache import ARTICLE_RULES, Registry, Rule
from imageshift.infra import (
    InfraOptions,
    SecretMode,
    plan_infra,
    render_cloudformation,
    render_terraform,
    write_files,
)

FIXTURES = Path(__file__).parent.parent / "fixtures" / "infra"
REGISTRY = Registry.of("111122223333", "eu-west-2")

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")

# Facts section 10, from the AWS provider's own documentation.
ARGUMENTS = {
    "aws_ecr_pull_through_cache_rule": {
        "ecr_repository_prefix",
        "upstream_registry_url",
        "credential_arn",
        "custom_role_arn",
        "upstream_repository_prefix",
        "region",
    },
    "aws_ecr_repository_creation_template": {
        "prefix",
        "applied_for",
        "custom_role_arn",
        "description",
        "encryption_configuration",
        "image_tag_mutability",
        "image_tag_mutability_exclusion_filter",
        "lifecycle_policy",
        "repository_policy",
        "resource_tags",
        "region",
    },
    "aws_secretsmanager_secret": {"name", "description", "policy", "recovery_window_in_days"},
    "aws_secretsmanager_secret_version": {
        "secret_id",
        "secret_string",
        "secret_string_wo",
        "secret_string_wo_version",
        "version_stages",
        "region",
    },
}
META = {"__comments__", "__is_block__", "count", "depends_on", "for_each", "lifecycle", "provider"}


@dataclass(frozen=True)
class Case:
    """One folder of fixtures: rules and options, with the files they yield."""

    folder: Path
    rules: tuple[Rule, ...]
    options: InfraOptions

    def terraform(self) -> dict[str, str]:
        """Return the module's files."""
        planned = plan_infra(self.rules, REGISTRY, self.options)
        return render_terraform(planned, self.options)

    def cloudformation(self) -> dict[str, str]:
        """Return the template."""
        planned = plan_infra(self.rules, REGISTRY, self.options)
        return render_cloudformation(planned, self.options)


def read_case(folder: Path) -> Case:
    """Return the case of a folder."""
    data = json.loads((folder / "case.json").read_text())
    rules = tuple(Rule(*row) for row in data.pop("rules"))
    data["secrets"] = SecretMode(data.get("secrets", "write-only"))
    return Case(folder, rules, InfraOptions(**data))


CASES = [read_case(folder) for folder in sorted(FIXTURES.iterdir())]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)


def read_folder(folder: Path) -> dict[str, str]:
    """Return the texts of a folder by name."""
    return {path.name: path.read_bytes().decode() for path in folder.iterdir()}


@every_case
def test_terraform_golden(case: Case) -> None:
    """The module is the golden one, byte for byte."""
    assert case.terraform() == read_folder(case.folder / "terraform")


@every_case
def test_cloudformation_golden(case: Case) -> None:
    """The template is the golden one, byte for byte."""
    assert case.cloudformation() == read_folder(case.folder / "cloudformation")


@needs_terraform
@every_case
def test_terraform_fmt(case: Case) -> None:
    """`terraform fmt` has nothing to change."""
    folder = case.folder / "terraform"

    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", folder], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@every_case
def test_cfn_lint(case: Case) -> None:
    """cfn-lint finds nothing, informational rules included."""
    template = case.folder / "cloudformation" / "pull-through-cache.yaml"

    done = subprocess.run(
        ["cfn-lint", "--include-checks", "I", "--regions", "eu-west-2", "--", template],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


@every_case
@pytest.mark.parametrize("kind", ["terraform", "cloudformation"])
def test_rules_come_back(case: Case, kind: str) -> None:
    """Reading the generated files as a source of rules yields the rules they were made from."""
    source = case.folder / kind

    rules = load_rules(source if kind == "terraform" else next(source.iterdir()))

    assert set(rules) == set(case.rules)


@every_case
def test_provider_schema(case: Case) -> None:
    """Every argument is one that the AWS provider documents."""
    unknown = {
        (kind, name)
        for path in (case.folder / "terraform").glob("*.tf")
        for kind, body in resources(path)
        for name in body.keys() - META
        if kind in ARGUMENTS and name not in ARGUMENTS[kind]
    }

    assert unknown == set()


def resources(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the resources of a file, read with python-hcl2."""
    data = hcl2.loads(path.read_text())
    return [
        (kind.strip('"'), body)
        for one in data.get("resource", [])
        for kind, named in one.items()
        if isinstance(named, dict)
        for body in named.values()
    ]


def test_the_article_is_complete() -> None:
    """The golden module has the article's five rules, two secrets, and what they need."""
    kinds = [
        kind
        for path in (FIXTURES / "article" / "terraform").glob("*.tf")
        for kind, _ in resources(path)
    ]

    assert kinds.count("aws_ecr_pull_through_cache_rule") == 5
    assert kinds.count("aws_ecr_repository_creation_template") == 5
    assert kinds.count("aws_secretsmanager_secret_version") == 2
    assert {"aws_iam_policy", "aws_ecr_registry_policy", "aws_ecr_replication_configuration"} <= {
        *kinds
    }
    assert load_rules(FIXTURES / "article" / "terraform") == ARTICLE_RULES


def test_no_value_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential in the environment gets into no generated file."""
    monkeypatch.setenv("TF_VAR_docker_hub_credentials", "planted-secret-value")
    case = CASES[0]

    texts = [*case.terraform().values(), *case.cloudformation().values()]

    assert not any("planted-secret-value" in text for text in texts)


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    """A second run touches no file, a change rewrites only what differs."""
    files = CASES[0].terraform()
    first = write_files(files, tmp_path / "module")
    before = {path: path.stat().st_mtime_ns for path in first}

    second = write_files(files, tmp_path / "module")
    third = write_files(files | {"rules.tf": files["rules.tf"] + "\n"}, tmp_path / "module")

    assert len(first) == len(files)
    assert second == []
    assert [path.name for path in third] == ["rules.tf"]
    assert all(path.stat().st_mtime_ns == at for path, at in before.items() if path not in third)
