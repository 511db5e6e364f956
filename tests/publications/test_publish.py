import hashlib
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factcheck.accounts.permissions import NotPermitted
from factcheck.claims.services import place_claim, revise_article, withdraw_claim
from factcheck.evidence.models import Visibility
from factcheck.evidence.services import Argument, attach_page, set_visibility, withdraw_evidence
from factcheck.ledger.models import Entry
from factcheck.lib.errors import StaleVersion
from factcheck.publications.errors import ChangeNoteMissing, GateClosed, OverrideRefused
from factcheck.publications.models import Front, Notice, Publication
from factcheck.publications.selectors import claim_history, gate_of, latest, version
from factcheck.publications.services import override_blocker, publish
from factcheck.verdicts.services import decide_claim
from tests import factories

pytestmark = pytest.mark.django_db


def kinds(article) -> list[str]:
    return [blocker.kind.value for blocker in gate_of(article).blockers]


def ready():
    """An article that the gate lets through."""
    article = factories.article()
    factories.signed_off(factories.claim(article))
    return article


def test_an_article_whose_claims_are_checked_and_signed_off_goes_out():
    article = ready()

    publication = publish(article, by=factories.editor())

    body = publication.content_row.body
    assert publication.version == 1
    assert publication.sha256 == hashlib.sha256(body.encode()).hexdigest()
    assert json.loads(body)["claims"][0]["rating"]["slug"] == "accurate"
    assert latest(article.slug) == publication


def test_an_article_without_a_claim_does_not_go_out():
    assert kinds(factories.article()) == ["no_claims"]


def test_an_open_claim_is_in_the_way():
    article = ready()
    factories.claim(article, "18,000 people")

    assert kinds(article) == ["open"]
    with pytest.raises(GateClosed) as refusal:
        publish(article, by=factories.editor())
    assert len(refusal.value.blockers) == 1
    assert not Publication.objects.exists()


def test_a_verdict_nobody_signed_is_in_the_way():
    article = factories.article()
    factories.verdict(factories.claim(article))

    assert kinds(article) == ["unsigned"]


def test_changed_words_are_in_the_way_until_they_are_decided_again():
    article = ready()
    claim = article.claims.get()
    revise_article(article, factories.TEXT.replace("40", "43").encode(), version=None, by=factories.reporter())
    assert kinds(article) == ["stale"]

    factories.signed_off(claim)
    assert kinds(article) == []


def test_a_claim_without_a_place_is_in_the_way_until_a_person_places_it():
    article = factories.article()
    claim = factories.signed_off(factories.claim(article, "18,000 people")).claim
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=factories.reporter())
    assert kinds(article) == ["no_place"]

    place_claim(claim, passages=factories.spans_of(article, "19,000 people"), version=None, by=factories.reporter())
    assert kinds(article) == ["stale"]


def test_a_claim_of_ours_whose_rating_does_not_release_is_in_the_way():
    article = factories.article()
    factories.signed_off(factories.claim(article), slug="inaccurate")

    assert kinds(article) == ["not_releasing"]


def test_what_somebody_else_said_may_be_wrong_and_still_go_out():
    article = factories.article()
    factories.signed_off(factories.claim(article, speaker="Marta Lindqvist"), slug="inaccurate")

    assert kinds(article) == []


@pytest.mark.parametrize("answer", ["not_said", "cannot_confirm"])
def test_an_unconfirmed_attribution_is_in_the_way(answer):
    article = factories.article()
    claim = factories.claim(article, speaker="Marta Lindqvist")
    factories.interview(claim)
    decide_claim(
        claim, rating=factories.rating(), attribution=answer, reason="No trace.", version=None, by=factories.checker()
    )

    assert "attribution" in kinds(article)


def test_evidence_that_was_taken_back_since_is_in_the_way():
    article = ready()
    withdraw_evidence(article.claims.get().evidence.get(), reason="A mistake.", version=None, by=factories.reporter())

    assert kinds(article) == ["unsecured"]


def test_evidence_that_came_after_the_sign_off_is_in_the_way_until_two_people_have_weighed_it():
    article = ready()
    claim = article.claims.get()
    factories.interview(claim, stance="against", note="She takes it back.")

    assert kinds(article) == ["later_evidence"]
    factories.signed_off(claim, slug="mostly_accurate", evidence=False)
    assert kinds(article) == []


def test_a_withdrawn_claim_is_not_in_the_way():
    article = ready()
    extra = factories.claim(article, "18,000 people")
    withdraw_claim(extra, reason="Cut.", version=None, by=factories.checker())

    assert kinds(article) == []


def test_an_override_passes_one_named_blocker_with_a_reason_that_is_published():
    article = ready()
    factories.claim(article, "18,000 people")
    [blocker] = gate_of(article).blockers

    with pytest.raises(OverrideRefused, match="Write why"):
        override_blocker(article, blocker.key, reason=" ", by=factories.editor())
    override_blocker(article, blocker.key, reason="The office answers on Monday.", by=factories.editor())
    publication = publish(article, by=factories.editor())

    [override] = publication.content["overrides"]
    assert override["reason"] == "The office answers on Monday."
    assert override["claim"] == blocker.claim.public_id
    assert [claim["rating"] for claim in publication.content["claims"]][1] is None


def test_an_override_of_one_revision_does_not_pass_the_next():
    article = ready()
    factories.claim(article, "18,000 people")
    [blocker] = gate_of(article).blockers
    override_blocker(article, blocker.key, reason="Soon.", by=factories.editor())
    assert kinds(article) == []

    revise_article(article, factories.TEXT.replace("harbour closes", "harbour shuts").encode(), version=None, by=None)

    assert kinds(article) == ["open"]


def test_an_editor_does_not_pass_the_unsigned_verdict_that_is_their_own():
    article = factories.article()
    claim = factories.claim(article)
    factories.interview(claim)
    decide_claim(claim, rating=factories.rating(), reason="Yes.", version=None, by=factories.editor())
    [blocker] = gate_of(article).blockers

    with pytest.raises(OverrideRefused, match="somebody else"):
        override_blocker(article, blocker.key, reason="I am sure.", by=factories.editor())
    assert override_blocker(article, blocker.key, reason="I looked.", by=factories.admin())


def test_what_is_not_in_the_way_cannot_be_passed():
    with pytest.raises(OverrideRefused, match="not in the way"):
        override_blocker(ready(), "open:claim/22222222", reason="So.", by=factories.editor())


def test_a_checker_neither_publishes_nor_overrides():
    article = ready()

    with pytest.raises(NotPermitted):
        publish(article, by=factories.checker())
    with pytest.raises(NotPermitted):
        override_blocker(article, "x", reason="y", by=factories.checker())


def test_a_second_version_says_why_and_the_first_keeps_its_content():
    article = ready()
    first = publish(article, by=factories.editor())
    revise_article(article, factories.TEXT.replace("harbour closes", "harbour shuts").encode(), version=None, by=None)

    with pytest.raises(ChangeNoteMissing):
        publish(article, by=factories.editor())
    second = publish(article, note_kind="correction", note="A better word.", by=factories.editor())

    assert (second.version, second.content["change_note"]) == (2, {"kind": "correction", "text": "A better word."})
    assert "harbour closes" in version(article.slug, 1).content_row.body
    assert Notice.objects.get(publication=first).facts == {"version": 2}
    assert Front.objects.get(article=article).publication == second
    assert claim_history(article.claims.get().public_id) == [second, first]


def test_publishing_from_an_old_page_is_refused():
    article = ready()
    revise_article(article, factories.TEXT.replace("harbour closes", "harbour shuts").encode(), version=None, by=None)

    with pytest.raises(StaleVersion):
        publish(article, version=1, by=factories.editor())


def test_nothing_off_the_record_or_for_the_desk_only_is_in_what_is_published():
    article = factories.article()
    claim = factories.claim(article)
    factories.interview(claim, off_record=True, note="SECRET-OFF-RECORD")
    desk_only = factories.interview(claim, note="SECRET-DESK")
    set_visibility(desk_only.source, Visibility.DESK, reason="", by=factories.editor())
    factories.interview(claim, note="This may be shown.")
    factories.verdict(claim, evidence=False)
    from factcheck.verdicts.selectors import current_verdict
    from factcheck.verdicts.services import sign_off

    sign_off(current_verdict(claim), version=None, by=factories.editor())

    body = publish(article, by=factories.editor()).content_row.body

    assert "SECRET" not in body
    assert "This may be shown." in body


def test_the_entry_of_a_publication_holds_the_hash_of_its_content():
    publication = publish(ready(), by=factories.editor())

    opening = json.loads(Entry.objects.get(action="publication.published").opening.body)
    assert opening["facts"]["sha256"] == publication.sha256


def test_the_gate_costs_the_same_queries_for_one_claim_as_for_many(django_assert_num_queries):
    article = factories.article()
    for words in ("40 million euros", "18,000 people", "twelve months"):
        factories.signed_off(factories.claim(article, words))

    with django_assert_num_queries(6):
        gate_of(article)


@pytest.mark.parametrize("desk_only", [False, True], ids=["off the record", "for the desk only"])
def test_an_override_tells_readers_nothing_of_a_source_that_they_may_not_know_of(desk_only):
    article = factories.article()
    claim = factories.claim(article)
    attach_page(
        claim,
        url="https://source.example/",
        title="SECRET-SOURCE",
        argument=Argument(stance="for", off_record=not desk_only),
        visibility=Visibility.DESK if desk_only else Visibility.PASSAGE,
        by=factories.reporter(),
    )
    factories.signed_off(claim)
    [blocker] = gate_of(article).blockers

    override_blocker(article, blocker.key, reason="It stands without it.", by=factories.editor())
    [override] = publish(article, by=factories.editor()).content["overrides"]

    assert override["sentence"] == "Not all of its evidence is secured."


def test_an_override_of_what_its_evidence_lacks_does_not_pass_what_it_lacks_later():
    article = factories.article()
    claim = factories.claim(article)
    loose = Argument(stance="context")
    attach_page(claim, url="https://source.example/", argument=loose, by=factories.reporter())
    factories.signed_off(claim)
    [blocker] = gate_of(article).blockers
    override_blocker(article, blocker.key, reason="It is only background.", by=factories.editor())
    assert kinds(article) == []

    attach_page(claim, url="https://another.example/", argument=loose, by=factories.reporter())
    assert kinds(article) == ["later_evidence", "unsecured"]


def test_an_override_of_loose_evidence_does_not_pass_a_verdict_that_then_rests_on_none():
    article = factories.article()
    claim = factories.claim(article)
    attach_page(claim, url="https://source.example/", argument=Argument(stance="context"), by=factories.reporter())
    factories.signed_off(claim)
    [blocker] = gate_of(article).blockers
    override_blocker(article, blocker.key, reason="It is only background.", by=factories.editor())

    interview = claim.evidence.get(source__kind="interview")
    withdraw_evidence(interview, reason="She took it back.", version=None, by=factories.reporter())

    assert kinds(article) == ["unsecured"]
    assert "rests on no secured evidence" in gate_of(article).blockers[0].sentence


def test_what_is_frozen_is_what_the_gate_has_looked_at():
    article = ready()

    with CaptureQueriesContext(connection) as queries:
        publish(article, by=factories.editor())

    verdicts = [query["sql"] for query in queries if 'FROM "verdicts_verdict"' in query["sql"]]
    assert len(verdicts) == 1
