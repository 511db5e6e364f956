import pytest

from factcheck.accounts.permissions import NotPermitted
from factcheck.claims.services import revise_article
from factcheck.lib.errors import StaleVersion
from factcheck.verdicts.errors import SignOffRefused
from factcheck.verdicts.models import SignOff
from factcheck.verdicts.services import sign_off
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_second_person_signs_off():
    verdict = factories.verdict()

    assert sign_off(verdict, version=None, by=factories.editor()).signed_by == factories.editor()


def test_nobody_signs_off_their_own_verdict():
    verdict = factories.verdict()

    with pytest.raises(SignOffRefused, match="someone other than"):
        sign_off(verdict, version=None, by=verdict.decided_by)
    assert not SignOff.objects.exists()


def test_a_reporter_does_not_sign_off():
    with pytest.raises(NotPermitted):
        sign_off(factories.verdict(), version=None, by=factories.reporter())


def test_a_verdict_is_signed_off_once():
    verdict = factories.signed_off()

    with pytest.raises(SignOffRefused, match="already"):
        sign_off(verdict, version=None, by=factories.second_checker())


def test_a_verdict_that_was_followed_by_another_is_not_signed_off():
    first = factories.verdict()
    factories.verdict(first.claim, slug="mostly_accurate", evidence=False)

    with pytest.raises(SignOffRefused, match="newer verdict"):
        sign_off(first, version=None, by=factories.editor())


def test_a_stale_verdict_is_not_signed_off():
    article = factories.article()
    verdict = factories.verdict(factories.claim(article, "40 million euros"))
    revise_article(article, factories.TEXT.replace("40", "43").encode(), version=None, by=factories.reporter())

    with pytest.raises(SignOffRefused, match="words have changed"):
        sign_off(verdict, version=None, by=factories.editor())


def test_evidence_that_came_after_the_page_was_read_stops_the_sign_off():
    verdict = factories.verdict()
    verdict.claim.refresh_from_db()
    read_at = verdict.claim.version
    factories.interview(verdict.claim, stance="against")

    with pytest.raises(StaleVersion):
        sign_off(verdict, version=read_at, by=factories.editor())
