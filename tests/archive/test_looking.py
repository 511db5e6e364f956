"""A light look: the outcome and the words that a capture would have had, and nothing that stays."""

import pytest
from django.test import override_settings

from factcheck.archive import blobs
from factcheck.archive.looking import LOOK_SECONDS, look_at
from factcheck.archive.models import CaptureRequest
from tests import web
from tests.newsroom_web import site

pytestmark = pytest.mark.django_db


def look(page: web.Page, **options):
    with site({"/": page}) as served:
        found = look_at(served.url("/"), seconds=LOOK_SECONDS, **{"discreet": False, **options})
        return found, served.requests


def test_it_reads_the_words_and_keeps_nothing():
    before = set(blobs.all_paths())

    found, _requests = look(web.page("<title>Budget</title><p>It costs 40 million.</p>"))

    assert (found.outcome, found.texts["visible"]) == ("captured", "It costs 40 million.")
    assert b"40 million" in found.body
    assert set(blobs.all_paths()) == before
    assert not CaptureRequest.objects.exists()


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (web.page("<p>Not here.</p>", status="404 Not Found"), ("gone", "404")),
        (web.page('<div id="root"></div><script src="/a.js"></script>'), ("needs_browser", "")),
        (web.page("<p>Busy.</p>", status="503 Service Unavailable"), ("unreachable", "server")),
    ],
)
def test_what_a_capture_would_say_it_says(page: web.Page, outcome: tuple[str, str]):
    found, _requests = look(page)

    assert (found.outcome, found.reason) == outcome


def test_an_address_inside_a_network_is_not_opened():
    with site({"/": web.page("<p>Secret.</p>")}) as served, override_settings(ARCHIVE_ALLOW_LOOPBACK=[]):
        found = look_at(served.url("/"), discreet=False, seconds=LOOK_SECONDS)

    assert (found.outcome, found.body, served.requests) == ("refused", b"", [])


@pytest.mark.parametrize(("discreet", "agent"), [(False, "Factcheck"), (True, "Mozilla")])
def test_a_discreet_look_does_not_name_us(discreet: bool, agent: str):
    _found, requests = look(web.page("<p>Words.</p>"), discreet=discreet)

    assert requests[0].headers["user-agent"].startswith(agent)
