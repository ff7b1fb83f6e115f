"""What must hold for every reference under every rule set that can be made."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from imageshift.cache import Cached, Mapped, RuleSet, Unmapped
from imageshift.ecr import MAX_REPOSITORY
from imageshift.reference import ImageReference

from .strategies import rule_sets, texts_for

pytestmark = pytest.mark.property

# Most references stay where they are, under most rules; the machine may be busy.
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[RuleSet, ImageReference]:
    """Return a rule set and a reference, upstream or on the target host."""
    rules = draw(rule_sets())
    return rules, rules.parse(draw(texts_for(rules)))


def mapped(rules: RuleSet, reference: ImageReference) -> Mapped:
    """Return the outcome for a reference that moves; others are no example."""
    outcome = rules.map(reference)
    assume(isinstance(outcome, Mapped))
    assert isinstance(outcome, Mapped)
    return outcome


@patient
@given(cases())
def test_every_reference_has_an_outcome(case: tuple[RuleSet, ImageReference]) -> None:
    """Mapping never fails, and what stays has a sentence that says why."""
    rules, reference = case
    outcome = rules.map(reference)
    assert not isinstance(outcome, Unmapped) or outcome.detail


@patient
@given(cases())
def test_unmap_undoes_map(case: tuple[RuleSet, ImageReference]) -> None:
    """The way back from a target gives the normalised upstream reference."""
    rules, reference = case
    outcome = mapped(rules, reference)
    upstream = rules.unmap(reference) if outcome.mended else rules.normalize(reference)
    assert rules.unmap(outcome.target) == upstream


@patient
@given(cases())
def test_mapped_is_cached(case: tuple[RuleSet, ImageReference]) -> None:
    """A second run changes nothing: a target, written and read again, is cached."""
    rules, reference = case
    outcome = mapped(rules, reference)
    again = rules.map(rules.parse(outcome.target.normalized))
    assert isinstance(again, Cached)
    assert again.rule == outcome.rule
    assert again.upstream == rules.unmap(outcome.target)


@patient
@given(cases())
def test_cached_is_what_the_rules_give(case: tuple[RuleSet, ImageReference]) -> None:
    """What counts as cached is below its rule's prefix, and names that upstream."""
    rules, reference = case
    outcome = rules.map(reference)
    assume(isinstance(outcome, Cached))
    assert isinstance(outcome, Cached)
    assert outcome.upstream == rules.unmap(reference)
    assert outcome.upstream.registry == outcome.rule.upstream
    assert outcome.rule.to_cache(outcome.upstream.repository) == reference.repository


@patient
@given(cases())
def test_target_is_a_place_in_the_cache(case: tuple[RuleSet, ImageReference]) -> None:
    """A target lies on the target host below its rule's prefix, with the tag and digest it had."""
    rules, reference = case
    outcome = mapped(rules, reference)
    target = outcome.target
    assert target.registry == rules.registry.host
    assert rules.rule_of(target) == outcome.rule
    assert len(target.repository) <= MAX_REPOSITORY
    assert target.identifier == reference.identifier


@patient
@given(cases())
def test_order_of_rules_is_nothing(case: tuple[RuleSet, ImageReference]) -> None:
    """The order in which rules are given decides nothing."""
    rules, reference = case
    turned = RuleSet(rules.registry, rules.rules[::-1], rules.aliases)
    assert turned.map(reference) == rules.map(reference)


@patient
@given(cases())
def test_normalizing_keeps_tag_and_digest(case: tuple[RuleSet, ImageReference]) -> None:
    """Normalising changes the name alone."""
    rules, reference = case
    assert rules.normalize(reference).identifier == reference.identifier
