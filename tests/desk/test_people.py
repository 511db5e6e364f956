"""Who is who, and who gives roles."""

import pytest
from django.urls import reverse

from factcheck.accounts.errors import RoleRefused
from factcheck.accounts.models import Role, User
from factcheck.accounts.permissions import NotPermitted
from factcheck.accounts.services import change_role
from factcheck.ledger.models import Entry
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db


def give(person: User, role: str, by: User):
    return client_of(by).post(reverse("desk:people"), {"person": person.actor_id, "role": role})


def test_an_administrator_gives_a_role_and_the_log_knows():
    rosa = factories.reporter()

    answer = give(rosa, Role.CHECKER, factories.admin())

    rosa.refresh_from_db()
    assert answer.status_code == 302
    assert rosa.role == Role.CHECKER
    assert Entry.objects.filter(action="person.role_changed", subject=f"person/{rosa.actor_id}").count() == 1


def test_the_last_administrator_keeps_the_role():
    ada = factories.admin()

    answer = give(ada, Role.EDITOR, ada)

    ada.refresh_from_db()
    assert answer.status_code == 422
    assert "the last administrator" in answer.content.decode()
    assert ada.role == Role.ADMIN


def test_an_administrator_may_go_once_there_is_another():
    ada = factories.admin()
    factories.person("bo", Role.ADMIN)

    answer = give(ada, Role.EDITOR, ada)

    ada.refresh_from_db()
    assert answer["Location"] == reverse("desk:articles")
    assert ada.role == Role.EDITOR


def test_an_administrator_whose_account_is_closed_does_not_count():
    ada = factories.admin()
    closed = factories.person("bo", Role.ADMIN)
    closed.is_active = False
    closed.save()

    with pytest.raises(RoleRefused, match="the last administrator"):
        change_role(ada, Role.EDITOR, by=ada)


def test_an_editor_gives_no_roles():
    rosa, erik = factories.reporter(), factories.editor()

    assert give(rosa, Role.ADMIN, erik).status_code == 403
    with pytest.raises(NotPermitted):
        change_role(rosa, Role.ADMIN, by=erik)


def test_a_role_that_does_not_exist_is_refused():
    answer = give(factories.reporter(), "owner", factories.admin())

    assert answer.status_code == 422
    assert User.objects.get(username="rosa").role == Role.REPORTER


def test_the_page_names_everybody_with_their_role():
    factories.reporter()

    page = client_of(factories.admin()).get(reverse("desk:people")).content.decode()

    assert "Rosa" in page
    assert '<option value="reporter" selected>' in page
