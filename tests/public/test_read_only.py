import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern

from factcheck.accounts.models import User
from factcheck.public.answers import public_page
from factcheck.public.read_only import WriteRefused, is_plain_select, reading_only
from factcheck.public.urls import urlpatterns
from factcheck.verdicts.models import Rating
from tests import factories

LETS_PASS = [
    "SELECT 1",
    '  select "into", "update" FROM "claims_claim" WHERE "title" = \'DELETE FROM x; INTO\'',
    "SELECT COUNT(*) FROM (SELECT 1) AS sub",
    'SELECT "updated_at" FROM "t" -- FOR UPDATE',
]
REFUSES = [
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "SELECT * INTO t2 FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR NO KEY UPDATE",
    "SELECT * FROM t FOR SHARE",
    "SELECT 1; DELETE FROM t",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "SELECT nextval('s')",
    "SELECT pg_advisory_lock(1)",
    "SELECT \"nextval\" ('s')",
    "SELECT nextval/* */('s')",
    'SELECT "pg_terminate_backend"/* */(1)',
    "SELECT E'\\''; DELETE FROM t --'",
    "SELECT $$a'$$; DELETE FROM t; SELECT $$'$$",
    "SELECT 1 /* /* */ ' */; DELETE FROM t --'",
    "PRAGMA writable_schema = 1",
    "SAVEPOINT x",
    "SELECTED",
    "",
]


@pytest.mark.parametrize("sql", LETS_PASS)
def test_a_plain_select_passes(sql):
    assert is_plain_select(sql)


@pytest.mark.parametrize("sql", REFUSES)
def test_what_can_write_is_refused(sql):
    assert not is_plain_select(sql)


def change_a_name(_request: HttpRequest) -> HttpResponse:
    User.objects.update(name="changed by a reader")
    return HttpResponse()


@pytest.mark.django_db
def test_a_public_view_that_tries_to_write_is_stopped_before_the_database():
    factories.editor()

    with pytest.raises(WriteRefused, match="only read"), transaction.atomic():
        public_page(change_a_name)(RequestFactory().get("/"))

    assert User.objects.get().name == "Erik"


@pytest.mark.django_db
def test_raw_sql_is_stopped_as_well():
    with reading_only(), connection.cursor() as cursor, pytest.raises(WriteRefused):
        cursor.execute("DELETE FROM accounts_user")


@pytest.mark.django_db
def test_a_public_view_may_read():
    with reading_only():
        assert Rating.objects.current().exists()


@pytest.mark.django_db
def test_writing_works_again_afterwards():
    with reading_only():
        pass

    assert factories.editor().pk


def test_every_public_address_is_behind_the_guard():
    unguarded = {"healthz", "readyz"}

    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name in unguarded:
            continue
        view, modules = pattern.callback, []
        while view is not None:
            modules.append(
                view.__code__.co_qualname if hasattr(view.__code__, "co_qualname") else view.__code__.co_name
            )
            view = getattr(view, "__wrapped__", None)
        assert any("reading" in name for name in modules), pattern.name
