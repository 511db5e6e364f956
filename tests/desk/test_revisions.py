"""Two revisions beside each other, and the claims that it touches."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from factcheck.articles.canonical import Block, place_blocks
from factcheck.claims.services import revise_article
from factcheck.desk.comparing import compare_blocks
from tests import factories
from tests.desk.signed_in import client_of


def placed(*texts: str):
    return place_blocks([Block(str(number), "paragraph", text) for number, text in enumerate(texts)])


def kinds(before, after):
    return [row.kind for row in compare_blocks(placed(*before), placed(*after))]


def test_an_edited_paragraph_stands_beside_its_old_self():
    rows = compare_blocks(placed("One.", "It cost 40 million in all."), placed("One.", "It cost 43 million in all."))

    assert [row.kind for row in rows] == ["same", "changed"]
    assert [(part.kind, part.text) for part in rows[1].inline if part.kind != "same"] == [("gone", "40"), ("new", "43")]


def test_a_paragraph_put_in_and_one_taken_out_stand_alone():
    assert kinds(["One.", "Two."], ["One.", "Something else entirely."]) == ["same", "gone", "new"]


def test_a_paragraph_that_moved_is_said_to_have_moved():
    one, two, three = "The first paragraph.", "A second, other one.", "And then the third."

    assert sorted(kinds([one, two, three], [two, three, one])) == ["moved", "moved", "same", "same"]


TEXTS = st.lists(st.text(alphabet="ab 4.", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=6)


@given(TEXTS, TEXTS)
def test_each_side_read_down_is_its_revision(before, after):
    rows = compare_blocks(placed(*before), placed(*after))

    assert [row.before.text for row in rows if row.before] == before
    assert [row.after.text for row in rows if row.after] == after
    for row in rows:
        if row.before and row.kind != "moved":
            assert "".join(part.text for part in row.left) == row.before.text
        if row.before and row.after:
            assert "".join(part.text for part in row.inline if part.kind != "new") == row.before.text
            assert "".join(part.text for part in row.inline if part.kind != "gone") == row.after.text


def page(article, person=None, **asked):
    return client_of(person or factories.reporter()).get(reverse("desk:article_compare", args=[article.slug]), asked)


@pytest.mark.django_db
def test_the_claims_that_an_edit_touches_are_named_with_what_changed():
    article = factories.article()
    factories.claim(article, "18,000 people")
    touched = factories.claim(article, "40 million euros")
    revise_article(article, factories.TEXT.replace("40 million", "43 million").encode(), version=None, by=None)

    pair = page(article).context["pair"]

    assert [(item.claim.pk, item.before, item.after) for item in pair.touched] == [
        (touched.pk, "40 million euros", "43 million euros")
    ]
    assert pair.untouched == 1
    for view in ("sides", "inline"):
        text = page(article, view=view).content.decode()
        assert "<del>40</del>" in text
        assert "<ins>43</ins>" in text


@pytest.mark.django_db
def test_it_begins_where_the_person_checked_last():
    article = factories.article()
    factories.signed_off(factories.claim(article, "18,000 people"))
    for number in ("41", "42"):
        revise_article(
            article, factories.TEXT.replace("40 million", f"{number} million").encode(), version=None, by=None
        )

    mine = page(article, factories.checker()).context["pair"]
    somebody = page(article, factories.reporter()).context["pair"]

    assert (mine.before.number, mine.after.number) == (1, 3)
    assert (somebody.before.number, somebody.after.number) == (2, 3)


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"from": "7"}, {"to": "99"}])
def test_a_revision_that_there_is_not_is_not_found(asked):
    assert page(factories.article(), **asked).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"from": "x"}, {"to": "-1"}, {"from": "9" * 40}, {"view": "<script>"}])
def test_odd_questions_are_answered_as_if_nothing_was_asked(asked):
    assert page(factories.article(), **asked).status_code == 200
