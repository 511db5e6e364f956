from dataclasses import replace

import pytest

from factcheck.accounts.permissions import NotPermitted
from factcheck.lib.errors import StaleVersion
from factcheck.verdicts.errors import RatingRefused, VerdictRefused
from factcheck.verdicts.models import Rating
from factcheck.verdicts.services import RatingDraft, decide_claim, save_rating
from tests import factories

pytestmark = pytest.mark.django_db

DRAFT = RatingDraft(
    label="Exaggerated",
    meaning="There is a core of truth, blown up.",
    order=4,
    truth_value=2,
    needs_evidence=True,
    releases=False,
    shape="quarter",
    tone="mixed",
)


def test_a_newsroom_begins_with_a_scale():
    assert [rating.slug for rating in Rating.objects.current()] == [
        "accurate",
        "mostly_accurate",
        "needs_context",
        "unproven",
        "inaccurate",
        "opinion",
    ]


def test_a_new_rating_joins_the_scale():
    assert save_rating("", DRAFT, version=None, by=factories.editor()).slug == "exaggerated"
    assert Rating.objects.current().filter(label="Exaggerated").exists()


def test_a_verdict_keeps_the_meaning_under_which_it_was_given():
    verdict = factories.verdict()
    save_rating("accurate", replace(DRAFT, label="Right"), version=1, by=factories.editor())

    verdict.refresh_from_db()
    assert verdict.rating.label == "Accurate"
    assert Rating.objects.current().get(slug="accurate").label == "Right"


def test_a_rating_of_an_old_page_is_not_given_any_more():
    old = factories.rating("opinion")
    save_rating("opinion", replace(DRAFT, needs_evidence=True), version=1, by=factories.editor())

    with pytest.raises(VerdictRefused, match="has changed"):
        decide_claim(factories.claim(), rating=old, reason="x", version=None, by=factories.checker())


def test_a_retired_rating_leaves_the_scale():
    save_rating("opinion", replace(DRAFT, retired=True), version=1, by=factories.editor())

    assert not Rating.objects.current().filter(slug="opinion").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"label": " "}, {"meaning": ""}, {"truth_value": 6}, {"shape": "star"}, {"tone": "loud"}, {"label": "ACCURATE"}],
)
def test_a_rating_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(RatingRefused):
        save_rating("", replace(DRAFT, **wrong), version=None, by=factories.editor())


def test_a_change_from_an_old_page_is_refused():
    save_rating("accurate", DRAFT, version=1, by=factories.editor())

    with pytest.raises(StaleVersion):
        save_rating("accurate", replace(DRAFT, label="Fine"), version=1, by=factories.editor())


def test_a_checker_does_not_change_the_scale():
    with pytest.raises(NotPermitted):
        save_rating("", DRAFT, version=None, by=factories.checker())
