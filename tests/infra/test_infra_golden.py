"""Generated infrastructure against golden files, and what real tools say about it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
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
    render_example,
    render_terraform,
    write_files,
)

pytestmark = pytest.mark.once

FIXTURES = Path(__file__).parent.parent / "fixtures" / "infra"
REGISTRY = Registry.of("111122223333", "eu-west-2")

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")

# The names that the provider takes, from its own schema by way of CDK's bindings for it.
SCHEMA = json.loads((FIXTURES.parent / "providers" / "aws-6.25.0.json").read_text())
META = {"count", "depends_on", "for_each", "lifecycle", "provider"}


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

    def example(self) -> dict[str, str]:
        """Return the root module's files."""
        planned = plan_infra(self.rules, REGISTRY, self.options)
        return render_example(planned, self.options)

    def cloudformation(self) -> dict[str, str]:
        """Return the template."""
        planned = plan_infra(self.rules, REGISTRY, self.options)
        return render_cloudformation(planned, self.options)


def read_case(folder: Path) -> Case:
    """Return the case of a folder."""
    data = json.loads((folder / "case.json").read_text())
    rules = tuple(Rule(*row) for row in data.pop("rules"))
    data["secrets"] = SecretMode(data.get("secrets", "write-only"))
    data["pinned"] = frozenset(data["pinned"]) if "pinned" in data else None
    data["existing"] = {Rule(*row): arn for *row, arn in data.get("existing", ())}
    data |= {"account": REGISTRY.account, "region": REGISTRY.region}
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
    assert case.example() == read_folder(case.folder / "example")


@every_case
def test_cloudformation_golden(case: Case) -> None:
    """The template is the golden one, byte for byte."""
    assert case.cloudformation() == read_folder(case.folder / "cloudformation")


@needs_terraform
@every_case
def test_terraform_fmt(case: Case) -> None:
    """`terraform fmt` has nothing to change."""
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", case.folder],
        capture_output=True,
        text=True,
        check=False,
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
@pytest.mark.parametrize("part", ["resource", "data"])
def test_provider_schema(case: Case, part: str) -> None:
    """Every argument and block is one that the provider has, and none that it needs is left out."""
    known = SCHEMA["resources" if part == "resource" else "data"]
    for path in (case.folder / "terraform").glob("*.tf"):
        for kind, body in blocks_of(path, part):
            assert kind in known, f"{path}: {kind}"
            assert list(odd_arguments(body, known[kind], kind)) == []


def odd_arguments(body: dict[str, Any], known: dict[str, Any], where: str) -> Iterator[str]:
    """Yield what a block has that its schema hasn't, and what it lacks."""
    given = {name: value for name, value in body.items() if not name.startswith("__")}
    dynamic = {
        name.strip('"'): content
        for one in given.pop("dynamic", [])
        for name, content in one.items()
        if isinstance(content, dict)
    }
    for name in given.keys() - known.keys() - META:
        yield f"{where} takes no {name}"
    for name, schema in known.items():
        if schema["required"] and name not in given and name not in dynamic:
            yield f"{where} needs {name}"
        inner = [one for one in given.get(name, []) if isinstance(one, dict)]
        inner += [one for one in dynamic.get(name, {}).get("content", []) if isinstance(one, dict)]
        if "block" in schema:
            for one in inner:
                yield from odd_arguments(one, schema["block"], f"{where}.{name}")


def blocks_of(path: Path, part: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the resources (or data sources) of a file, read with python-hcl2."""
    data = hcl2.loads(path.read_text())
    return [
        (kind.strip('"'), body)
        for one in data.get(part, [])
        for kind, named in one.items()
        if isinstance(named, dict)
        for body in named.values()
    ]


@pytest.mark.checkov
@every_case
def test_checkov(case: Case) -> None:
    """Nothing is found but the two that ECR itself rules out, which are skipped with reasons."""
    done = subprocess.run(
        ["checkov", "--directory", case.folder / "terraform", "--framework", "terraform",
         "--output", "json", "--compact", "--skip-download"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    skipped = {one["check_id"] for one in found["results"]["skipped_checks"]}

    assert [one["check_id"] for one in found["results"]["failed_checks"]] == []
    has_secrets = any(one.secret_name for one in plan_infra(case.rules, REGISTRY, case.options))
    assert skipped == ({"CKV_AWS_149", "CKV2_AWS_57"} if has_secrets else set())


def test_the_article_is_complete() -> None:
    """The golden module has one resource for each kind of thing, and the article's five rules."""
    kinds = [
        kind
        for path in (FIXTURES / "article" / "terraform").glob("*.tf")
        for kind, _ in blocks_of(path, "resource")
    ]

    assert kinds.count("aws_ecr_pull_through_cache_rule") == 1
    assert {"aws_iam_policy", "aws_ecr_registry_policy", "aws_ecr_replication_configuration"} <= {
        *kinds
    }
    assert load_rules(FIXTURES / "article" / "terraform") == ARTICLE_RULES


def test_no_value_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential in the environment gets into no generated file."""
    monkeypatch.setenv("TF_VAR_credentials", "planted-secret-value")
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
