"""A page whose certificate is not valid: refused, and by an editor's act taken all the same, with a mark for ever."""

import json
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive.errors import CaptureNotPossible
from factcheck.archive.models import Capture
from factcheck.archive.outcomes import NextStep, next_steps
from factcheck.archive.services import request_capture, retry_capture
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from tests import factories, web
from tests.archive.conftest import attempt

pytestmark = pytest.mark.django_db(transaction=True)

ARTICLE = "<p>" + "The city counts its bridges every year. " * 20 + "</p>"


@pytest.fixture
def unproven(settings: Settings, tmp_path: Path):
    with web.serve(
        {
            "/": web.page(f"{ARTICLE}<img src=/a.png>"),
            "/a.png": web.page(b"\x89PNG\r\n\x1a\nxx", media_type="image/png"),
        },
        tls=web.certificate(tmp_path),
    ) as served:
        settings.ARCHIVE_ALLOW_LOOPBACK = [served.pair]
        yield served


def refused(site: web.Site) -> Capture:
    request = request_capture(site.url("/"), by=factories.editor(), patient=False)
    attempt(request)
    return Capture.objects.get(request=request)


def test_a_certificate_that_is_not_valid_ends_as_that_and_offers_the_editors_act(unproven: web.Site) -> None:
    sealed = refused(unproven)

    assert sealed.outcome == "tls_error"
    assert not unproven.requests
    assert NextStep.CAPTURE_DESPITE_TLS in next_steps(sealed.outcome)


def test_an_editor_has_it_taken_all_the_same_and_the_copy_says_so_for_ever(unproven: web.Site) -> None:
    first = refused(unproven)

    again = retry_capture(first.request, by=factories.editor(), despite_tls=True)
    attempt(again)

    sealed = Capture.objects.get(request=again)
    assert (sealed.outcome, sealed.unverified_tls, sealed.requisites_kept) == ("captured", True, 1)
    assert sealed.tls["verified"] is False
    assert "certificate" in sealed.tls["problem"]
    entry = Entry.objects.filter(action=Action.CAPTURE_REQUESTED, subject=again.subject).select_related("opening").get()
    assert json.loads(entry.opening.body)["facts"]["despite_tls"] is True


def test_the_leave_is_for_the_pages_own_site_and_no_other(
    unproven: web.Site, settings: Settings, tmp_path: Path
) -> None:
    with web.serve({"/b.png": web.page(b"x", media_type="image/png")}, tls=web.certificate(tmp_path)) as other:
        settings.ARCHIVE_ALLOW_LOOPBACK = [unproven.pair, other.pair]
        unproven.pages["/"] = web.page(f"{ARTICLE}<img src=/a.png><img src={other.url('/b.png')}>")
        first = refused(unproven)
        again = retry_capture(first.request, by=factories.editor(), despite_tls=True)
        attempt(again)

        sealed = Capture.objects.get(request=again)
        assert (sealed.requisites_kept, sealed.requisites_missed) == (1, {"unreachable": 1})
        assert not other.requests


@pytest.mark.parametrize("person", ["reporter", "checker"])
def test_only_an_editor_does_that(unproven: web.Site, person: str) -> None:
    first = refused(unproven)

    with pytest.raises(NotPermitted):
        retry_capture(first.request, by=getattr(factories, person)(), despite_tls=True)


def test_only_after_it_was_found_not_to_be_valid(site: web.Site) -> None:
    site.pages["/"] = web.page("gone", status="404 Not Found")
    request = request_capture(site.url("/"), by=factories.editor(), patient=False)
    attempt(request)

    with pytest.raises(CaptureNotPossible, match="certificate"):
        retry_capture(request, by=factories.editor(), despite_tls=True)


def test_a_copy_with_the_mark_never_answers_another_order(unproven: web.Site) -> None:
    first = refused(unproven)
    marked = retry_capture(first.request, by=factories.editor(), despite_tls=True)
    attempt(marked)

    another = request_capture(unproven.url("/"), by=factories.editor())

    assert another.pk != marked.pk
    assert not another.unverified_tls


def test_a_valid_certificate_leaves_no_mark_although_it_was_allowed_for(
    unproven: web.Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = refused(unproven)
    again = retry_capture(first.request, by=factories.editor(), despite_tls=True)
    # The site has mended its certificate: its authority is one that we trust now.
    monkeypatch.setattr("factcheck.outbound.recording.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "certificate.pem"))
    candidates = list(tmp_path.glob("*.pem")) + list(tmp_path.glob("*.crt"))
    monkeypatch.setattr("factcheck.outbound.recording.DEFAULT_CA_BUNDLE_PATH", str(candidates[0]))
    attempt(again)

    sealed = Capture.objects.get(request=again)
    assert (sealed.outcome, sealed.unverified_tls, sealed.tls["verified"]) == ("captured", False, True)
