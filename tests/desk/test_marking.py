"""Marking, placing, changing and withdrawing claims from the desk."""

import json

import pytest
from django.urls import reverse

from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import place_of
from factcheck.claims.services import change_claim, revise_article
from factcheck.verdicts.selectors import current_verdict, is_stale
from tests import factories
from tests.desk.signed_in import HTMX, client_of

pytestmark = pytest.mark.django_db

TWICE = "Bridge\n\nThe bridge cost 40 million. The tunnel cost 40 million too, the city said on Tuesday.\n"


def mark(article, person=None, headers=None, **fields):
    values = {"kind": "number", "speaker": "", "revision": latest_revision(article).number} | fields
    address = reverse("desk:claim_mark", args=[article.slug])
    return client_of(person or factories.reporter()).post(address, values, headers=headers or {})


def spans(article, *words) -> str:
    return ",".join(f"{start}-{end}" for start, end in factories.spans_of(article, *words))


def words_of(claim) -> tuple[str, ...]:
    return place_of(claim, latest_revision(claim.article)).words


# --- by selection --------------------------------------------------------------------------------


def test_selected_words_become_a_claim():
    article = factories.article()

    answer = mark(article, spans=spans(article, "40 million euros"), speaker="The city", kind="number")

    claim = Claim.objects.get()
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"#claim-{claim.public_id}")
    assert (words_of(claim), claim.kind, claim.speaker) == (("40 million euros",), "number", "The city")
    assert claim.marked_by == factories.reporter()


def test_several_passages_make_one_claim():
    article = factories.article()

    mark(article, spans=spans(article, "twelve months", "18,000 people"))

    assert words_of(Claim.objects.get()) == ("twelve months", "18,000 people")


def test_offsets_count_code_points():
    article = factories.article("Brücke 🌉\n\nDie 🌉🌉 kostet 40 Millionen Euro, sagt die Stadt heute.\n")
    start = latest_revision(article).text.index("40 Millionen")

    mark(article, spans=f"{start}-{start + 12}")

    assert words_of(Claim.objects.get()) == ("40 Millionen",)


def test_a_selection_over_two_blocks_is_a_passage_in_each():
    article = factories.article()
    text = latest_revision(article).text
    start, end = text.index("the city said"), text.index("Repairs will cost") + 7

    mark(article, spans=f"{start}-{end}")

    assert words_of(Claim.objects.get()) == ("the city said.", "Repairs")


def test_htmx_gets_the_workspace_with_the_claim_and_a_sentence_to_read_aloud():
    article = factories.article()

    answer = mark(article, spans=spans(article, "40 million euros"), headers=HTMX)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.lstrip().startswith('<div id="workspace"')
    assert f'id="claim-{Claim.objects.get().public_id}"' in page
    assert "Claim 1 is marked." in page
    assert "<html" not in page


@pytest.mark.parametrize("selection", ["5-99999", "40-40", "9-3"])
def test_a_selection_outside_the_text_is_refused(selection):
    article = factories.article()

    answer = mark(article, spans=selection)

    assert answer.status_code == 422
    assert not Claim.objects.exists()


@pytest.mark.parametrize("selection", ["abc", "1-2-3", "1-2;3-4", "-4-9", "1-" + "9" * 5000])
def test_a_garbled_selection_is_refused(selection):
    answer = mark(factories.article(), spans=selection)

    assert answer.status_code == 422
    assert not Claim.objects.exists()


def test_a_selection_from_an_older_revision_is_refused_into_the_bar_with_all_that_was_typed():
    article = factories.article()
    chosen = spans(article, "40 million euros")
    revise_article(article, factories.TEXT.replace("3 March", "4 March").encode(), version=None, by=None)

    answer = mark(article, spans=chosen, revision=1, speaker="The city", headers=HTMX)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#marking-bar"
    assert answer["HX-Reswap"] == "outerHTML"
    assert "has a new revision (2)" in page
    assert 'value="The city"' in page
    assert f'value="{chosen}"' in page
    assert not Claim.objects.exists()


def test_without_javascript_a_refusal_comes_back_on_the_whole_page():
    article = factories.article()

    answer = mark(article, words="not in the text", speaker="The city")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<html" in page
    assert "is not in the article" in page
    assert "not in the text</textarea>" in page
    assert 'value="The city"' in page


def test_a_claim_needs_a_kind():
    article = factories.article()

    assert mark(article, spans=spans(article, "40 million"), kind="").status_code == 422
    assert mark(article, spans=spans(article, "40 million"), kind="rumour").status_code == 422
    assert not Claim.objects.exists()


# --- by words ------------------------------------------------------------------------------------


def test_words_that_stand_once_become_a_claim():
    article = factories.article()

    mark(article, words="  40 million euros ")

    assert words_of(Claim.objects.get()) == ("40 million euros",)


def test_a_blank_line_parts_passages():
    article = factories.article()

    mark(article, words="twelve months\r\n\r\n18,000 people")

    assert words_of(Claim.objects.get()) == ("twelve months", "18,000 people")


def test_words_that_are_not_in_the_article_are_refused_by_htmx_into_their_form():
    answer = mark(factories.article(), words="50 million euros", headers=HTMX)

    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#marking-words"
    assert answer.content.decode().lstrip().startswith("<details")
    assert "Copy the words from the text" in answer.content.decode()


def test_words_with_other_signs_are_refused_with_what_the_article_has():
    article = factories.article()

    answer = mark(article, words='"We could have had this cheaper,"')

    assert answer.status_code == 422
    assert "It has them as ““We could have had this cheaper,””" in answer.content.decode()


def test_words_that_stand_twice_need_a_place():
    article = factories.article(TWICE)
    text = latest_revision(article).text

    refused = mark(article, words="40 million")
    assert refused.status_code == 422
    assert "stands in 2 places" in refused.content.decode()

    mark(article, words="40 million", place=2)
    [anchor] = Claim.objects.get().anchors.all()
    assert anchor.start == text.rindex("40 million")


def test_a_place_that_there_is_not_is_refused():
    assert mark(factories.article(TWICE), words="40 million", place=3).status_code == 422
    assert not Claim.objects.exists()


def test_a_place_for_several_passages_is_refused():
    answer = mark(factories.article(TWICE), words="The bridge\n\n40 million", place=2)

    assert answer.status_code == 422
    assert "for one passage only" in answer.content.decode()


def test_nothing_selected_and_nothing_written_is_refused():
    assert mark(factories.article()).status_code == 422


# --- placing again -------------------------------------------------------------------------------


def unplaced_claim(**kwargs) -> Claim:
    article = factories.article()
    claim = factories.claim(article, "18,000 people", **kwargs)
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=None)
    return Claim.objects.get(pk=claim.pk)


def place(claim, **fields):
    values = {"revision": latest_revision(claim.article).number, "version": claim.version} | fields
    return client_of(factories.reporter()).post(reverse("desk:claim_place", args=[claim.public_id]), values)


def test_the_page_for_placing_shows_the_words_of_before():
    claim = unplaced_claim()

    page = client_of(factories.reporter()).get(reverse("desk:claim_place", args=[claim.public_id]))

    assert "18,000 people</blockquote>" in page.content.decode()


def test_a_likely_place_is_offered_and_taken_only_by_a_person():
    article = factories.article()
    claim = factories.claim(article, "40 million euros")
    denied = factories.TEXT.replace("Repairs will cost", "Repairs will never cost")
    revise_article(article, denied.encode(), version=None, by=None)
    assert words_of(claim) == ()

    page = client_of(factories.reporter()).get(reverse("desk:claim_place", args=[claim.public_id]))

    likely = page.context["likely"]
    assert (likely.words, likely.changes) == ("40 million euros", ("+ “never”",))
    assert place(claim, spans=likely.spans).status_code == 302
    assert words_of(claim) == ("40 million euros",)


def test_a_claim_is_placed_by_selection_and_by_words():
    claim = unplaced_claim()
    assert place(claim, spans=spans(claim.article, "19,000 people")).status_code == 302
    assert words_of(claim) == ("19,000 people",)

    claim.refresh_from_db()
    assert place(claim, words="of 19,000 people").status_code == 302
    assert words_of(claim) == ("of 19,000 people",)


def test_a_stale_placing_is_refused_and_goes_through_the_second_time():
    claim = unplaced_claim()
    read_at = claim.version
    change_claim(claim, kind="other", speaker="", version=None, by=factories.reporter())

    refused = place(claim, words="19,000 people", version=read_at)
    assert refused.status_code == 422
    assert "19,000 people</textarea>" in refused.content.decode()
    assert words_of(claim) == ()

    knowingly = refused.context["form"]["version"].value()
    assert place(claim, words="19,000 people", version=knowingly).status_code == 302
    assert words_of(claim) == ("19,000 people",)


def test_a_selection_from_an_older_revision_places_nothing():
    claim = unplaced_claim()
    chosen = spans(claim.article, "19,000 people")
    revise_article(claim.article, factories.REWRITTEN.replace("19,000", "20,000").encode(), version=None, by=None)

    refused = place(claim, spans=chosen, revision=2)

    assert refused.status_code == 422
    # The numbers of the selection would mean other words now.
    assert refused.context["form"]["spans"].value() == ""
    assert refused.context["form"]["revision"].value() == "3"
    assert words_of(claim) == ()


# --- changing ------------------------------------------------------------------------------------


def change(claim, **fields):
    values = {"kind": claim.kind, "speaker": claim.speaker, "version": claim.version} | fields
    return client_of(factories.reporter()).post(reverse("desk:claim_change", args=[claim.public_id]), values)


def test_kind_and_speaker_are_changed_and_another_speaker_makes_the_verdict_stale():
    claim = factories.verdict().claim
    claim.refresh_from_db()

    answer = change(claim, kind="quote", speaker="The city")

    claim.refresh_from_db()
    assert answer["Location"] == reverse("desk:claim", args=[claim.public_id])
    assert (claim.kind, claim.speaker) == ("quote", "The city")
    assert is_stale(current_verdict(claim), place_of(claim, latest_revision(claim.article)))


def test_a_stale_change_shows_both_and_overwrites_only_the_second_time():
    claim = factories.claim()
    read_at = claim.version
    change_claim(claim, kind="number", speaker="First Speaker", version=None, by=factories.reporter())

    refused = change(claim, speaker="Second Speaker", version=read_at)

    page = refused.content.decode()
    assert refused.status_code == 422
    assert "<ins>Second Speaker</ins>" in page
    assert ">First Speaker<" in page
    claim.refresh_from_db()
    assert claim.speaker == "First Speaker"

    assert (
        change(claim, speaker="Second Speaker", version=refused.context["form"]["version"].value()).status_code == 302
    )
    claim.refresh_from_db()
    assert claim.speaker == "Second Speaker"


# --- withdrawing ---------------------------------------------------------------------------------


def withdraw(claim, person=None, **fields):
    values = {"version": claim.version, "reason": "Said twice."} | fields
    address = reverse("desk:claim_withdraw", args=[claim.public_id])
    return client_of(person or factories.checker()).post(address, values)


def test_a_claim_is_withdrawn_with_its_reason():
    claim = factories.claim()

    assert withdraw(claim).status_code == 302

    claim.refresh_from_db()
    assert claim.withdrawn_reason == "Said twice."
    page = client_of(factories.reporter()).get(reverse("desk:article", args=[claim.article.slug]))
    assert claim.public_id not in page.content.decode()


def test_withdrawing_without_a_reason_is_refused():
    claim = factories.claim()

    answer = withdraw(claim, reason=" ")

    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    claim.refresh_from_db()
    assert claim.withdrawn_at is None


def test_a_reporter_cannot_withdraw():
    claim = factories.claim()

    assert withdraw(claim, factories.reporter()).status_code == 403
    claim.refresh_from_db()
    assert claim.withdrawn_at is None


def test_a_stale_withdrawal_keeps_the_reason():
    claim = factories.claim()
    read_at = claim.version
    change_claim(claim, kind="other", speaker="", version=None, by=factories.reporter())

    refused = withdraw(claim, version=read_at)

    assert refused.status_code == 422
    assert "Said twice.</textarea>" in refused.content.decode()
    assert withdraw(claim, version=refused.context["form"]["version"].value()).status_code == 302


def test_a_withdrawn_claim_is_not_changed_or_placed_any_more():
    claim = factories.claim()
    withdraw(claim)
    claim.refresh_from_db()

    assert change(claim, speaker="The city").status_code == 422
    assert place(claim, words="40 million euros").status_code == 422


# --- what htmx may do ----------------------------------------------------------------------------


def test_htmx_evaluates_nothing_and_writes_no_style():
    page = client_of(factories.reporter()).get(reverse("desk:articles")).content.decode()

    config = json.loads(page.split('name="htmx-config" content=\'')[1].split("'")[0])
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    assert {"code": "422", "swap": True} in config["responseHandling"]
