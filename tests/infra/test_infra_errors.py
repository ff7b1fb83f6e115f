"""What infrastructure can't be made of, said before anything is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imageshift.cache import Registry, Rule
from imageshift.errors import ConfigError
from imageshift.infra import InfraOptions, plan_infra, write_files
from imageshift.infra.cloudformation import render_cloudformation
from imageshift.infra.render import HEADER
from imageshift.infra.terraform import render_terraform

REGISTRY = Registry.of("111122223333", "eu-west-2")
HUB = Rule("docker.io", "docker-hub")


@pytest.mark.parametrize(
    ("rules", "options", "message"),
    [
        pytest.param((), {}, "no rule to write", id="no rules"),
        pytest.param((Rule("gcr.io", "gcr"),), {}, "can't cache gcr.io", id="upstream"),
        pytest.param((HUB,), {"name": "a b"}, "'a b' can't begin", id="name"),
        pytest.param(
            (HUB,), {"secret_names": {"docker-hub": "hub"}}, "no secret named 'hub'", id="secret"
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

    assert [one.name for one in planned] == ["a_b", "a_b_2", "a_b_3", "cache_1a", "root"]
    assert [one.logical for one in planned] == ["AB", "AB2", "AB3", "Cache1a", "Root"]


@pytest.mark.parametrize("render", [render_terraform, render_cloudformation])
def test_root_is_replicated_too(render: Callable[..., dict[str, str]]) -> None:
    """A filter for the other prefixes would keep what the rule at the root caches at home."""
    rules = (Rule("quay.io", "quay"), Rule("registry.k8s.io", "ROOT"))

    alone, both = (
        "".join(render(plan_infra(some, REGISTRY, InfraOptions()), InfraOptions()).values())
        for some in (rules[:1], rules)
    )

    assert "PREFIX_MATCH" in alone
    assert "PREFIX_MATCH" not in both


def test_files_of_others_stay(tmp_path: Path) -> None:
    """A file that imageshift didn't write is replaced only by force."""
    (tmp_path / "main.tf").write_text("# mine\n")
    files = {"main.tf": f"{HEADER}\n", "other.tf": f"{HEADER}\n"}

    with pytest.raises(ConfigError, match=r"main\.tf:1:1: this file isn't imageshift's own"):
        write_files(files, tmp_path)

    assert not (tmp_path / "other.tf").exists()
    assert len(write_files(files, tmp_path, force=True)) == 2


def test_unwritable_folder(tmp_path: Path) -> None:
    """A folder that can't be made is said, not a traceback."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="can't be written"):
        write_files({"a.tf": HEADER}, tmp_path / "file" / "module")
