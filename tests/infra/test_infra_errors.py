"""What infrastructure can't be made of, said before anything is written."""

from pathlib import Path
from typing import Any

import pytest

from imageshift.cache import Registry, Rule
from imageshift.errors import ConfigError
from imageshift.infra import InfraOptions, plan_infra, write_files
from imageshift.infra.cloudformation import render_cloudformation
from imageshift.infra.render import HEADER
from imageshift.infra.terraform import render_example, render_terraform

REGISTRY = Registry.of("111122223333", "eu-west-2")
HUB = Rule("docker.io", "docker-hub")


@pytest.mark.parametrize(
    ("rules", "options", "message"),
    [
        pytest.param((), {}, "no rule to write", id="no rules"),
        pytest.param((Rule("gcr.io", "gcr"),), {}, "can't cache gcr.io", id="upstream"),
        pytest.param((HUB,), {"name": "a b"}, "'a b' can't begin", id="name"),
        pytest.param(
            (HUB,), {"secret_names": {"docker-hub": "hub"}}, "a secret named 'hub'", id="secret"
        ),
        pytest.param(
            (Rule("quay.io", "quay"),),
            {"secret_names": {"quay": "ecr-pullthroughcache/quay"}},
            "no rule with a secret has the prefix quay",
            id="secret of a rule without one",
        ),
    ],
)
def test_refused(rules: tuple[Rule, ...], options: dict[str, Any], message: str) -> None:
    """Each impossible wish is refused in words."""
    with pytest.raises(ConfigError, match=message):
        plan_infra(rules, REGISTRY, InfraOptions(**options))


def test_names_never_clash() -> None:
    """Prefixes that look alike get resources of different names."""
    prefixes = ("a-b", "a_b", "a/b", "1a", "ROOT")
    rules = [Rule(f"r{number}.azurecr.io", prefix) for number, prefix in enumerate(prefixes)]

    planned = plan_infra(rules, REGISTRY, InfraOptions())

    assert [one.logical for one in planned] == ["AB", "AB2", "AB3", "Cache1a", "Root"]


def test_root_is_replicated_too() -> None:
    """A filter for the other prefixes would keep what the rule at the root caches at home."""
    rules = (Rule("quay.io", "quay"), Rule("registry.k8s.io", "ROOT"))

    alone, both = (
        "".join(
            render_cloudformation(
                plan_infra(some, REGISTRY, InfraOptions()), InfraOptions()
            ).values()
        )
        for some in (rules[:1], rules)
    )

    assert "PREFIX_MATCH" in alone
    assert "PREFIX_MATCH" not in both


@pytest.mark.parametrize("prefix", ["a--b", "a__b", "mirror/a--b"])
def test_prefixes_that_the_provider_refuses(prefix: str) -> None:
    """ECR takes them and CloudFormation too; Terraform's provider doesn't, so it is said here."""
    planned = plan_infra((Rule("quay.io", prefix),), REGISTRY, InfraOptions())

    with pytest.raises(ConfigError, match=f"refuses the prefix {prefix}"):
        render_terraform(planned, InfraOptions())
    assert prefix in render_cloudformation(planned, InfraOptions()).popitem()[1]


def test_a_prefix_of_another_upstream() -> None:
    """A rule that exists with another upstream can't be taken over, and its prefix is taken."""
    options = InfraOptions(existing={Rule("ghcr.io", "hub"): None})

    with pytest.raises(ConfigError, match=r"the account has ghcr\.io → hub"):
        plan_infra((Rule("docker.io", "hub"),), REGISTRY, options)


def test_files_of_others_stay(tmp_path: Path) -> None:
    """A file that imageshift didn't write is replaced only by force."""
    (tmp_path / "main.tf").write_text("# mine\n")
    files = {"main.tf": f"{HEADER}\n", "other.tf": f"{HEADER}\n"}

    with pytest.raises(ConfigError, match=r"main\.tf:1:1: imageshift didn't write this file"):
        write_files(files, tmp_path)

    assert not (tmp_path / "other.tf").exists()
    assert len(write_files(files, tmp_path, force=True)) == 2


def test_files_of_others_beside_the_module_stay(tmp_path: Path) -> None:
    """A later run removes a file of an earlier one, not a person's that quotes its first line."""
    (tmp_path / "mine.tf").write_text(f"# Not one of those with:\n{HEADER}\n")
    (tmp_path / "old.tf").write_text(f"{HEADER}\n")

    written = write_files({"main.tf": f"{HEADER}\n"}, tmp_path)

    assert [path.name for path in written] == ["main.tf", "old.tf"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.tf", "mine.tf"]


def test_example_without_a_region() -> None:
    """Where only a host is known, the provider takes the Region of its environment."""
    planned = plan_infra((HUB,), Registry.of(None, None, "cache.example.com"), InfraOptions())

    assert 'provider "aws" {}\n' in render_example(planned, InfraOptions())["main.tf"]


def test_unwritable_folder(tmp_path: Path) -> None:
    """A folder that can't be made is said, not a traceback."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="can't be written"):
        write_files({"a.tf": HEADER}, tmp_path / "file" / "module")
