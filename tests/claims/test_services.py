import json

import pytest

from factcheck.accounts.permissions import NotPermitted
from factcheck.articles.selectors import latest_revision
from factcheck.claims.errors import ClaimError, ClaimWithdrawn, PassageRefused
from factcheck.claims.models import ClaimKind
from factcheck.claims.selectors import claims_in, last_words, place_of
from factcheck.claims.services import change_claim, mark_claim, place_claim, revise_article, withdraw_claim
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.lib.errors import StaleVersion
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_claim_of_several_passages_keeps_their_words_in_the_order_of_the_text():
    article = factories.article()

    claim = factories.claim(article, "18,000 people", "closes on 3 March 2025")

    assert place_of(claim, latest_revision(article)).words == ("closes on 3 March 2025", "18,000 people")


def test_claims_may_overlap():
    article = factories.article()
    factories.claim(article, "Repairs will cost 40 million euros")
    factories.claim(article, "40 million euros")

    assert len(claims_in(latest_revision(article))) == 2


def test_passages_of_one_claim_that_overlap_become_one():
    article = factories.article()
    [(start, end)] = factories.spans_of(article, "Repairs will cost 40 million euros")

    claim = mark_claim(article, passages=[(start, end - 6), (start + 8, end)], kind="number", by=factories.reporter())

    assert place_of(claim, latest_revision(article)).spans == ((start, end),)


@pytest.mark.parametrize("passages", [[], [(5, 5)], [(-1, 4)], [(0, 10_000)], [(9, 4)]])
def test_what_is_no_passage_of_the_text_is_refused(passages: list[tuple[int, int]]):
    with pytest.raises(PassageRefused):
        mark_claim(factories.article(), passages=passages, kind="number", by=factories.reporter())


def test_white_space_alone_is_no_passage():
    article = factories.article()
    start = latest_revision(article).text.index("\n\n")

    with pytest.raises(PassageRefused, match="Select some words"):
        mark_claim(article, passages=[(start, start + 2)], kind="number", by=factories.reporter())


def test_words_of_an_old_revision_are_not_marked_in_the_new_one():
    article = factories.article()
    revise_article(article, factories.TEXT.replace("40", "43").encode(), version=None, by=factories.reporter())

    with pytest.raises(StaleVersion, match="new revision"):
        mark_claim(article, passages=[(0, 7)], kind="number", revision_number=1, by=factories.reporter())


def test_a_new_revision_finds_claims_again_and_says_which_words_are_others():
    article = factories.article()
    kept = factories.claim(article, "18,000 people")
    edited = factories.claim(article, "40 million euros")

    revision = revise_article(
        article, factories.TEXT.replace("40 million", "43 million").encode(), version=None, by=factories.reporter()
    )

    placed = {item.claim.pk: item for item in claims_in(revision)}
    assert (placed[kept.pk].words, placed[kept.pk].changes) == (("18,000 people",), ())
    assert (placed[edited.pk].words, placed[edited.pk].changes) == (("43 million euros",), ("40 → 43",))


def test_a_claim_whose_sentence_is_gone_is_left_for_a_person():
    article = factories.article()
    claim = factories.claim(article, "18,000 people")

    revision = revise_article(article, factories.REWRITTEN.encode(), version=None, by=factories.reporter())

    assert not place_of(claim, revision).is_placed
    assert last_words(claim) == ("18,000 people",)


def test_what_became_of_a_claims_words_stands_in_the_ledger():
    article = factories.article()
    claim = factories.claim(article, "40 million euros")

    revise_article(article, factories.TEXT.replace("40 million", "43 million").encode(), version=None, by=None)

    entry = Entry.objects.filter(subject=claim.subject, action=Action.CLAIM_PLACED).select_related("opening").get()
    assert json.loads(entry.opening.body)["facts"]["changes"] == ["40 → 43"]


def test_a_person_places_a_claim_at_changed_words():
    article = factories.article()
    claim = factories.claim(article, "40 million euros")
    revise_article(article, factories.TEXT.replace("cost 40", "cost 43").encode(), version=None, by=None)

    place_claim(
        claim, passages=factories.spans_of(article, "43 million euros"), version=claim.version, by=factories.checker()
    )

    assert place_of(claim, latest_revision(article)).words == ("43 million euros",)


def test_a_withdrawn_claim_needs_a_reason_and_is_not_changed_any_more():
    claim = factories.claim()

    with pytest.raises(ClaimError, match="Say why"):
        withdraw_claim(claim, reason=" ", version=None, by=factories.checker())
    withdraw_claim(claim, reason="Cut from the text.", version=None, by=factories.checker())
    with pytest.raises(ClaimWithdrawn):
        change_claim(claim, kind=ClaimKind.DATE, speaker="", version=None, by=factories.checker())


def test_a_reporter_does_not_withdraw_claims():
    with pytest.raises(NotPermitted):
        withdraw_claim(factories.claim(), reason="No.", version=None, by=factories.reporter())


def test_a_change_from_an_old_page_is_refused():
    claim = factories.claim()
    change_claim(claim, kind=ClaimKind.DATE, speaker="", version=1, by=factories.checker())

    with pytest.raises(StaleVersion):
        change_claim(claim, kind=ClaimKind.NAME, speaker="", version=1, by=factories.checker())


@pytest.mark.parametrize("speaker", ["\u200b", "\u2060 \u200e", "–"])
def test_a_speaker_whom_nobody_can_read_does_not_make_a_claim_of_ours_somebody_elses(speaker):
    claim = factories.claim()

    with pytest.raises(ClaimError, match="Give the name"):
        change_claim(claim, kind="number", speaker=speaker, version=None, by=factories.reporter())
    with pytest.raises(ClaimError, match="Give the name"):
        factories.claim(claim.article, "18,000 people", speaker=speaker)

    claim.refresh_from_db()
    assert claim.is_ours


def test_one_selection_over_more_blocks_than_a_claim_has_passages_is_refused():
    article = factories.article("A list\n\n" + "\n\n".join(f"Line number {number} of it." for number in range(21)))
    length = len(latest_revision(article).text)

    with pytest.raises(PassageRefused, match="more than 20 passages"):
        mark_claim(article, passages=[(0, length)], kind="number", by=factories.reporter())
