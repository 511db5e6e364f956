from datetime import date

import pytest

from factcheck.evidence.errors import EvidenceError, EvidenceIncomplete
from factcheck.evidence.models import Evidence
from factcheck.evidence.selectors import evidence_by_claim, evidence_shown, standing_of
from factcheck.evidence.services import Argument, attach_interview, attach_work
from tests import factories

pytestmark = pytest.mark.django_db

ARGUMENT = Argument(stance="for", note="She confirmed it.")
INTERVIEW = {"contact": "Marta", "spoken_on": date(2025, 2, 20), "spoken_how": "telephone", "heard_by": "Rosa"}
WORK = {"title": "Bridges", "edition": "2nd, 2019", "page": "14", "transcription": "The bridge is old."}


def test_an_interview_with_who_when_how_and_heard_by_is_secured():
    assert standing_of(factories.interview(factories.claim())).secured


@pytest.mark.parametrize("missing", ["contact", "spoken_on", "spoken_how", "heard_by"])
def test_an_interview_without_one_of_the_four_is_refused(missing: str):
    values = INTERVIEW | {missing: None if missing == "spoken_on" else " "}

    with pytest.raises(EvidenceIncomplete):
        attach_interview(factories.claim(), argument=ARGUMENT, by=factories.reporter(), **values)


def test_a_work_with_edition_page_and_transcription_is_secured():
    evidence = attach_work(factories.claim(), argument=ARGUMENT, by=factories.reporter(), **WORK)

    assert standing_of(evidence).secured


@pytest.mark.parametrize("missing", ["title", "edition", "page", "transcription"])
def test_a_work_that_a_stranger_could_not_open_at_the_place_is_refused(missing: str):
    with pytest.raises(EvidenceIncomplete):
        attach_work(factories.claim(), argument=ARGUMENT, by=factories.reporter(), **(WORK | {missing: ""}))


def test_evidence_takes_a_stance():
    with pytest.raises(EvidenceError, match="speaks for"):
        factories.interview(factories.claim(), stance="")


def test_off_record_evidence_is_for_whoever_added_it_and_the_people_they_named():
    claim = factories.claim()
    factories.interview(claim, off_record=True, shown_to=[factories.checker()])

    def sees(person: object) -> bool:
        return Evidence.objects.visible_to(person).exists()

    assert sees(factories.reporter())
    assert sees(factories.checker())
    assert not sees(factories.editor())
    assert not sees(factories.admin())
    assert not evidence_shown([claim], factories.editor())


def test_the_gate_counts_off_record_evidence_that_the_editor_may_not_see():
    claim = factories.claim()
    factories.interview(claim, off_record=True)

    assert [item.secured for item in evidence_by_claim([claim])[claim.pk]] == [True]


def test_evidence_of_many_claims_costs_as_many_queries_as_of_one(django_assert_num_queries):
    article = factories.article()
    claims = [factories.claim(article, words) for words in ("40 million euros", "18,000 people", "twelve months")]
    for claim in claims:
        factories.interview(claim)
        factories.interview(claim)

    with django_assert_num_queries(2):
        evidence_by_claim(claims[:1])
    with django_assert_num_queries(2):
        assert sum(len(items) for items in evidence_by_claim(claims).values()) == 6
