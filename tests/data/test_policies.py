"""The table of policy kinds that match images by name."""

import re

import pytest

from imageshift.data.custom_resources import CUSTOM_RESOURCES
from imageshift.data.policies import (
    POLICIES,
    POLICY_GROUPS,
    PolicyField,
    PolicyMatch,
)

_SOURCE = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+ [A-Za-z0-9._/-]+[A-Za-z0-9]")
_STEP = re.compile(r"[A-Za-z][A-Za-z0-9]*(\[\])?")


@pytest.mark.parametrize("row", POLICIES, ids=lambda row: f"{row.kind}:{row.path}")
def test_row_is_well_formed(row: PolicyField) -> None:
    """Kind, group, path and source of a row have the form that they must have."""
    assert row.kind == "*" or re.fullmatch(r"[A-Z][A-Za-z0-9]*", row.kind)
    assert re.fullmatch(r"[a-z0-9]+(\.[a-z0-9]+)+", row.group)
    assert all(_STEP.fullmatch(step) for step in row.path.split("."))
    assert _SOURCE.fullmatch(row.source)


def test_rows_are_sorted_and_without_doubles() -> None:
    """A path may be matched and hold code, but each of both once."""
    keys = [(row.group, row.kind, row.path) for row in POLICIES]
    assert keys == sorted(set(keys))


def test_kinds_without_a_name_have_a_group_of_their_own() -> None:
    """Where each policy is a kind of its own, the group alone says that it is one."""
    assert {row.group for row in POLICIES if row.kind == "*"} == POLICY_GROUPS


@pytest.mark.parametrize(
    ("kind", "group", "path", "match"),
    [
        ("ClusterPolicy", "kyverno.io", "spec.rules[].verifyImages[].image", PolicyMatch.GLOB),
        ("ClusterImagePolicy", "policy.sigstore.dev", "spec.images[].glob", PolicyMatch.GLOB),
        (
            "K8sAllowedRepos",
            "constraints.gatekeeper.sh",
            "spec.parameters.repos[]",
            PolicyMatch.PREFIX,
        ),
        (
            "ValidatingAdmissionPolicy",
            "admissionregistration.k8s.io",
            "spec",
            PolicyMatch.CODE,
        ),
    ],
)
def test_policy_of_the_facts_is_there(kind: str, group: str, path: str, match: PolicyMatch) -> None:
    """The kinds that fact X13 names are known, with the way they match."""
    found = [
        row.match for row in POLICIES if (row.kind, row.group, row.path) == (kind, group, path)
    ]
    assert found == [match]


def test_kinds_with_images_are_no_policies() -> None:
    """A kind whose images are rewritten is never taken for a policy, though names are shared."""
    policies = {(row.group, row.kind) for row in POLICIES}
    rows = {(row.group, row.kind) for row in CUSTOM_RESOURCES}

    assert policies.isdisjoint(rows)
    assert {kind for _, kind in policies} & {k for _, k in rows} >= {
        "ClusterPolicy",
        "Executor",
    }
