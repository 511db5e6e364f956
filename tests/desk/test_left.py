"""What is left on an article: the share that is checked, sentences without a claim, the text against itself."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factcheck.articles.selectors import latest_revision
from factcheck.claims.coverage import Cover
from factcheck.claims.models import SetAside
from factcheck.claims.services import revise_article
from factcheck.desk.selectors_left import left_on
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

PEOPLE = "About 18,000 people cross the bridge every day."


def page(article, person=None):
    return client_of(person or factories.reporter()).get(reverse("desk:article_left", args=[article.slug]))


def left(article):
    return left_on(article, factories.reporter())


def set_aside(article, person=None, **fields):
    values = {"revision": latest_revision(article).number, "act": "sentence", "kind": "out_of_scope"} | fields
    address = reverse("desk:set_aside", args=[article.slug])
    return client_of(person or factories.reporter()).post(address, values)


def key_of(article, text=PEOPLE):
    found = left(article)
    return next(one.key for one in [*found.wanted, *found.plain] if one.text == text)


def test_the_share_of_words_is_shown_by_how_far_they_are():
    article = factories.article()
    factories.signed_off(factories.claim(article, "Repairs will cost 40 million euros"))
    factories.claim(article, "18,000 people")

    counts = {part.cover: part.words for part in left(article).parts}
    assert counts[Cover.SIGNED_OFF] == 6
    assert counts[Cover.OPEN] == 2
    text = page(article).content.decode()
    assert "Signed off" in text
    assert "percent of the words that can be checked are signed off" in text


def test_unmarked_sentences_with_numbers_and_names_come_first_with_their_reasons():
    article = factories.article()

    found = left(article)

    assert found.wanted[0].reasons
    assert PEOPLE in [sentence.text for sentence in found.wanted]
    assert "It holds a number." in page(article).content.decode()


def test_a_short_sentence_with_a_date_comes_before_one_that_says_nothing():
    article = factories.article("News\n\nThe room was dark and cold.\n\nThey met on 4 May.\n")

    found = left(article)

    assert [one.text for one in found.wanted] == ["They met on 4 May."]
    assert "The room was dark and cold." in [one.text for one in found.plain]


def test_a_sentence_with_a_claim_is_not_on_the_list():
    article = factories.article()
    factories.claim(article, "18,000 people")

    found = left(article)

    assert PEOPLE not in [one.text for one in [*found.wanted, *found.plain]]


def test_a_sentence_leads_to_the_form_that_marks_it():
    article = factories.article()

    answer = client_of(factories.reporter()).get(reverse("desk:article", args=[article.slug]), {"words": PEOPLE})

    assert f"{PEOPLE}</textarea>" in answer.content.decode()


def test_a_sentence_is_set_aside_with_a_reason_and_stays_so_in_the_next_revision():
    article = factories.article()
    key = key_of(article)

    assert set_aside(article, key=key, reason="The city counts them.").status_code == 302
    revise_article(article, factories.TEXT.replace("40 million", "41 million").encode(), version=None, by=None)

    found = left(article)
    assert [one.text for one in found.aside] == [PEOPLE]
    assert {part.cover: part.words for part in found.parts}[Cover.OUT_OF_SCOPE] == 8
    assert Entry.objects.filter(action=Action.SENTENCE_SET_ASIDE).count() == 1


def test_a_sentence_whose_number_changed_is_back_on_the_list():
    article = factories.article()
    set_aside(article, key=key_of(article), reason="The city counts them.")

    revise_article(article, factories.TEXT.replace("18,000", "19,000").encode(), version=None, by=None)

    assert PEOPLE.replace("18,000", "19,000") in [one.text for one in left(article).wanted]


@pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
def test_without_a_reason_nothing_is_set_aside_and_what_was_typed_stays(reason):
    article = factories.article()

    answer = set_aside(article, key=key_of(article), reason=reason, kind="not_checkable")

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Say why in a few words" in text
    assert '<option value="not_checkable" selected>' in text
    assert not SetAside.objects.exists()


def test_a_sentence_that_is_not_in_the_article_is_not_set_aside():
    article = factories.article()

    answer = set_aside(article, key="0" * 64, reason="No.")

    assert answer.status_code == 422
    assert "not in the article" in answer.content.decode()


def test_setting_aside_twice_does_it_once_and_it_can_be_put_back():
    article = factories.article()
    key = key_of(article)
    set_aside(article, key=key, reason="One.")
    set_aside(article, key=key, reason="Two.")
    assert SetAside.objects.get().reason == "One."

    assert set_aside(article, act="back", key=key).status_code == 302
    assert key_of(article) == key
    assert Entry.objects.filter(action=Action.ASIDE_TAKEN_BACK).count() == 1


WRONG = "Bridge news\n\nIt closes on Monday, 4 March 2025. It rose from 40 to 50, a rise of 20 percent.\n"


def test_what_the_text_gets_wrong_is_shown_and_dismissed_with_a_reason():
    article = factories.article(WRONG)
    first = left(article).faults[0]
    assert "Tuesday" in first.message
    assert "falls on a Tuesday" in page(article).content.decode()

    assert set_aside(article, act="finding", key=first.key, reason="Quoted as it was said.").status_code == 302

    found = left(article)
    assert first.message not in [fault.message for fault in found.faults]
    assert [fault.aside.reason for fault in found.dismissed] == ["Quoted as it was said."]


def test_a_dismissal_does_not_reach_over_what_the_other_place_says_later():
    text = "Bridge news\n\nIt cost 5.4 million dollars.\n\nLater it cost 5.4 billion dollars.\n"
    article = factories.article(text)
    set_aside(article, act="finding", key=left(article).faults[0].key, reason="Two bridges.")
    assert not left(article).faults

    revise_article(article, text.replace("5.4 million", "5.4 trillion").encode(), version=None, by=None)

    assert [fault.words for fault in left(article).faults] == ["5.4 billion dollars"]


def test_hostile_words_stay_words():
    article = factories.article("Title\n\nHe paid <script>alert(1)</script> 40 million, 31 April, “so.\n")

    assert "<script>alert" not in page(article).content.decode()


def test_the_page_costs_the_same_however_many_claims():
    article = factories.article()
    factories.claim(article, "18,000 people")
    client = client_of(factories.reporter())
    address = reverse("desk:article_left", args=[article.slug])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for words in ("twelve months", "3 March 2025", "harbour", "40 million euros"):
        factories.claim(article, words)

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few)
