"""`reconcile`: one scalar that is a part of several sites changes only as all of them want."""

import pytest

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.rewrite import Change, Forward, Kept, plan_site, reconcile
from imageshift.sites import FinderContext, SkipReason, find_images
from imageshift.source import SourceText, apply_edits, split_documents

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
OTHER = RuleSet(Registry.of("999999999999", "eu-west-2"), ARTICLE_RULES)
NGINX = f"{RULES.registry.host}/docker-hub/library/nginx"
HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
TWO_USES = "  - {name: a, image: &i nginx}\n  - {name: b, image: *i}\n"
ONE_USE_SEEN = "  - {name: a, image: &i nginx, env: [{name: X, value: *i}]}\n"


def planned(text: str, *rules: RuleSet) -> list[Change | Kept]:
    """Return the results of a text's sites, once for each registry."""
    sites = [
        site
        for chunk in split_documents(SourceText(text))
        for document in chunk.documents()
        for site in find_images(document, FinderContext())
    ]
    return [plan_site(site, Forward(each)) for each in rules for site in sites]


def test_two_wishes_for_one_text() -> None:
    """Neither is written when two results want different texts in one place."""
    results = planned(HEAD + "  - {name: a, image: nginx}\n", RULES, OTHER)
    assert [type(result) for result in results] == [Change, Change]

    made = reconcile(results)

    reasons = [result.reason for result in made if isinstance(result, Kept)]
    assert reasons == [SkipReason.CONFLICT, SkipReason.CONFLICT]


def test_two_wishes_of_two_readers() -> None:
    """It is the place that counts: a file that is read twice has two trees and one text."""
    text = HEAD + "  - {name: a, image: nginx}\n"

    made = reconcile([*planned(text, RULES), *planned(text, OTHER)])

    assert [result.reason for result in made if isinstance(result, Kept)] == [
        SkipReason.CONFLICT,
        SkipReason.CONFLICT,
    ]


def test_one_wish_twice() -> None:
    """Two results that want the same are one change, made once."""
    made = reconcile(planned(HEAD + "  - {name: a, image: nginx}\n", RULES, RULES))

    edits = {edit for result in made if isinstance(result, Change) for edit in result.edits}
    assert len(made) == 2
    assert len(edits) == 1


@pytest.mark.parametrize(
    ("body", "after"),
    [
        pytest.param(TWO_USES, TWO_USES.replace("nginx", NGINX), id="every use is an image"),
        pytest.param(ONE_USE_SEEN, ONE_USE_SEEN, id="one use is no image"),
    ],
)
def test_anchors(body: str, after: str) -> None:
    """A text behind an anchor changes when every use of it is a site that wants that."""
    made = reconcile(planned(HEAD + body, RULES))

    edits = {edit for result in made if isinstance(result, Change) for edit in result.edits}
    assert apply_edits(HEAD + body, sorted(edits, key=lambda edit: edit.span.start)) == HEAD + after
