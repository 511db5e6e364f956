"""Addresses that captures never open: the desk says which and why."""

import socket

import pytest
from django.test import override_settings
from django.urls import reverse

from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, attach_page
from tests import factories, web
from tests.desk.signed_in import client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)


def desk_says_of(url: str) -> str:
    """Attach the page, let the worker try, and read the evidence's page."""
    evidence = attach_page(
        factories.claim(), url=url, argument=Argument(stance="for", quote="Some words."), by=factories.reporter()
    )
    do_due_work()
    assert evidence.capture_request.sealed_capture.outcome == "refused"
    page = client_of(factories.checker()).get(reverse("desk:evidence", args=[evidence.public_id]))
    return page.content.decode()


@pytest.fixture
def names(monkeypatch):
    """What the outer world's name service answers, each time a name is asked for."""
    answers: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def ask(host, *args, **kwargs):
        if host not in answers:
            return real(host, *args, **kwargs)
        address = answers[host].pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return answers


def test_a_private_address_is_refused_in_the_form():
    claim = factories.claim()

    page = client_of(factories.reporter()).post(
        reverse("desk:evidence_new", args=[claim.public_id, "page"]),
        {"url": "http://192.168.7.7/budget", "quote": "Typed words.", "stance": "for", "visibility": "passage"},
    )

    assert page.status_code == 422
    assert "192.168.7.7" in page.content.decode()
    assert "Typed words." in page.content.decode()
    assert not Evidence.objects.exists()


def test_a_redirect_to_a_private_address_is_named():
    with site({"/budget": web.redirect("http://10.11.12.13/inside")}) as served:
        page = desk_says_of(served.url("/budget"))

    assert "10.11.12.13" in page


def test_a_name_that_resolves_to_a_private_address_is_named(names):
    names["inside.example"] = ["10.0.0.7"] * 3

    assert "inside.example" in desk_says_of("http://inside.example/budget")


def test_a_name_that_resolves_to_a_private_address_the_second_time_is_named(names):
    names["news.example"] = ["127.0.0.1", "10.0.0.7"]
    with site({"/budget": web.redirect("/moved"), "/moved": web.page("inside")}) as served:
        with override_settings(ARCHIVE_ALLOW_LOOPBACK=[f"news.example:{served.port}"]):
            page = desk_says_of(served.url("/budget", host="news.example"))
        assert [request.path for request in served.requests] == ["/budget"]

    assert names["news.example"] == []
    assert "news.example" in page
