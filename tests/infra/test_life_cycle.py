"""What the templates' life cycles may take away: nothing that some file still asks for."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageshift.aws.compare import pinned_prefixes
from imageshift.aws.documents import read_documents
from imageshift.aws.used import used_image
from imageshift.cache import Registry, Rule, RuleSet
from imageshift.infra import InfraOptions, plan_infra, render_cloudformation, render_terraform
from imageshift.reference import parse_reference

REGISTRY = Registry.of("111122223333", "eu-west-2")
RULES = (
    Rule("docker.io", "docker-hub"),
    Rule("quay.io", "quay"),
    Rule("quay.io", "quay-team", "team"),
    Rule("registry.k8s.io", "ROOT"),
)
ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


def policies(references: list[str], rules: tuple[Rule, ...]) -> dict[str, Any]:
    """Return the life-cycle policy of each prefix's template, None where it has none."""
    chosen = RuleSet(REGISTRY, rules)
    used = [used_image(parse_reference(one), chosen) for one in references]
    options = InfraOptions(pinned=pinned_prefixes(chosen, used))
    planned = plan_infra(rules, REGISTRY, options)
    [template] = read_documents(render_cloudformation(planned, options).popitem()[1], is_json=False)
    properties = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::ECR::RepositoryCreationTemplate"
    ]
    module = render_terraform(planned, options)["locals.tf"]
    assert module.count("is_pinned       = true") == len(options.pinned or ())
    return {
        one["Prefix"]: json.loads(
            one["LifecyclePolicy"]["Fn::If"][1]["Fn::Sub"].replace(
                "${ArchiveUntaggedAfterDays}", "90"
            )
        )
        if "LifecyclePolicy" in one
        else None
        for one in properties
    }


def outcome(policy: Any, *, tagged: bool, days: int) -> str:
    """Return what a policy does with an image that nobody has pulled for some days."""
    for rule in [] if policy is None else policy["rules"]:
        selection = rule["selection"]
        fits = selection["tagStatus"] in {"any", "tagged" if tagged else "untagged"}
        if fits and days >= selection["countNumber"]:
            return "deleted" if rule["action"]["type"] == "expire" else "archived"
    return "stays"


@pytest.mark.parametrize(
    ("references", "left"),
    [
        pytest.param(["nginx:1.27", "quay.io/a/b:1"], {}, id="tags alone"),
        pytest.param([f"nginx@{ONE}"], {"docker-hub"}, id="a digest"),
        pytest.param([f"nginx:1.27@{ONE}", "quay.io/a/b:1"], {"docker-hub"}, id="tag and digest"),
        pytest.param([f"quay.io/team/b@{ONE}"], {"quay-team"}, id="the longer upstream prefix"),
        pytest.param([f"quay.io/a/b@{TWO}"], {"quay"}, id="the shorter one"),
        pytest.param([f"registry.k8s.io/pause@{ONE}"], {"ROOT"}, id="the root"),
        pytest.param(
            [f"111122223333.dkr.ecr.eu-west-2.amazonaws.com/quay/a/b@{ONE}"], {"quay"}, id="moved"
        ),
        pytest.param([f"gcr.io/a/b@{ONE}"], {}, id="no rule"),
    ],
)
def test_pinned_rules_have_no_life_cycle(references: list[str], left: set[str]) -> None:
    """Images under a rule stay when a reference under it has a digest, else go to the archive."""
    found = policies(references, RULES)

    assert {prefix for prefix, policy in found.items() if policy is None} == set(left)
    for prefix, policy in found.items():
        expected = "stays" if prefix in left else "archived"
        assert outcome(policy, tagged=False, days=400) == expected
        assert outcome(policy, tagged=False, days=10) == "stays"
        assert outcome(policy, tagged=True, days=400) == "stays"


NAMES = st.sampled_from(
    ["nginx", "a/b", "quay.io/a/b", "quay.io/team/x", "registry.k8s.io/pause", "gcr.io/x/y"]
)
REFERENCES = st.lists(
    st.tuples(NAMES, st.sampled_from([":1", "", f"@{ONE}", f":2@{TWO}"])).map("".join), max_size=5
)


@pytest.mark.once
@settings(max_examples=25, deadline=None)
@given(references=REFERENCES)
def test_a_pinned_digest_never(references: list[str]) -> None:
    """No template deletes anything, and none archives an image whose digest is asked for."""
    found = policies(references, RULES)
    rules = RuleSet(REGISTRY, RULES)

    assert not any(
        outcome(policy, tagged=False, days=9999) == "deleted" for policy in found.values()
    )
    for one in references:
        target = used_image(parse_reference(one), rules).target
        if target is not None and target.digest is not None:
            rule = rules.rule_of(target)
            assert rule is not None
            assert outcome(found[rule.prefix], tagged=False, days=9999) == "stays"


def test_nobody_has_looked() -> None:
    """Without paths it isn't known what is pinned, so nothing has a life cycle."""
    planned = plan_infra(RULES, REGISTRY, InfraOptions())

    assert all(one.is_pinned for one in planned)
