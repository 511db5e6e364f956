"""The scale and its versions, as editors change it."""

import pytest
from django.urls import reverse

from factcheck.desk.forms.ratings import rating_initial
from factcheck.verdicts.models import Rating
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db


def fields(slug: str = "accurate", **changes):
    values = rating_initial(factories.rating(slug)) | changes
    return {name: value for name, value in values.items() if value not in (None, False)}


def save(slug: str, person=None, **changes):
    return client_of(person or factories.editor()).post(reverse("desk:rating", args=[slug]), fields(slug, **changes))


def test_the_scale_stands_with_its_shapes_and_meanings():
    page = client_of(factories.reporter()).get(reverse("desk:ratings")).content.decode()

    for rating in Rating.objects.current():
        assert rating.label in page
        assert f"#shape-{rating.shape}" in page
    assert reverse("desk:rating_new") not in page


def test_every_shape_of_the_scale_is_drawn():
    page = client_of(factories.editor()).get(reverse("desk:rating_new")).content.decode()

    for shape in Rating._meta.get_field("shape").choices:
        assert f'id="shape-{shape[0]}"' in page


def test_a_change_is_a_new_version():
    answer = save("accurate", meaning="All of it is right.")

    assert answer.status_code == 302
    assert [rating.meaning for rating in Rating.objects.filter(slug="accurate").order_by("version")] == [
        "Everything in these words is right, and the sources show it.",
        "All of it is right.",
    ]


def test_a_new_rating_joins_the_scale():
    data = fields(label="Outdated", meaning="It was right once.", order=7)
    del data["version"]

    answer = client_of(factories.editor()).post(reverse("desk:rating_new"), data)

    assert answer.status_code == 302
    assert Rating.objects.current().get(label="Outdated").version == 1


def test_a_refused_rating_keeps_what_was_typed():
    answer = save("accurate", label="Inaccurate", meaning="My careful words.")

    assert answer.status_code == 422
    assert "There is a rating called" in answer.content.decode()
    assert "My careful words." in answer.content.decode()


def test_a_stale_save_shows_both_and_the_second_is_a_conscious_one():
    save("accurate", meaning="Theirs.")

    stale = save("accurate", meaning="Mine.", version=1)

    page = stale.content.decode()
    assert stale.status_code == 422
    assert "Mine." in page
    assert "Theirs." in page
    assert 'name="version" value="2"' in page
    assert save("accurate", meaning="Mine.", version=2).status_code == 302


def test_a_retired_rating_leaves_the_scale_and_may_come_back():
    save("unproven", retired=True)
    page = client_of(factories.editor()).get(reverse("desk:ratings")).content.decode()

    assert not Rating.objects.current().filter(slug="unproven").exists()
    assert "Out of use" in page
    newest = Rating.objects.get(slug="unproven", version=2)
    data = {name: value for name, value in rating_initial(newest).items() if value not in (None, False)}
    del data["retired"]
    client_of(factories.editor()).post(reverse("desk:rating", args=["unproven"]), data)
    assert Rating.objects.current().filter(slug="unproven").exists()


def test_a_checker_does_not_edit_the_scale():
    assert save("accurate", factories.checker(), meaning="Mine.").status_code == 403
    assert Rating.objects.filter(slug="accurate").count() == 1


def test_a_rating_that_is_not_there_is_not_found():
    assert client_of(factories.editor()).get(reverse("desk:rating", args=["nowhere"])).status_code == 404
