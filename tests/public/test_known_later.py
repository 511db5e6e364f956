"""What became known of a copy after an article had been frozen: witnesses' copies and the newsroom's signature."""

import html
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from factcheck.archive import signing
from factcheck.archive.models import Capture, WaczSignature, WitnessReport, WitnessRequest
from factcheck.archive.signing import sign_packages
from factcheck.archive.wacz import open_package
from factcheck.archive.witnesses import ask_witness
from factcheck.claims.models import Claim
from factcheck.evidence.models import Stance, Visibility
from factcheck.evidence.services import Argument, attach_page
from factcheck.ledger import keys
from factcheck.ledger.services import erase_text, keep_text
from factcheck.pages import addresses
from factcheck.publications.services import publish
from tests import factories, spn2_stand_in, web
from tests.newsroom_web import do_due_work, site
from tests.pages.markup import read

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Repairs will cost 40 million euros"
PAGE = f"<title>Budget</title><p>{WORDS}.</p>".encode()
EARLY, LATE = "20261124120102", "20261125093000"


@pytest.fixture
def holder(settings, tmp_path) -> Iterator[None]:
    settings.KEYS_DIR = tmp_path / "first"
    signing._complain.cache_clear()
    keys.hold()
    yield
    keys.let_go()


def published() -> Capture:
    """The copy that a published claim rests on."""
    claim = factories.claim()
    with site({"/budget": web.page(PAGE)}) as served:
        evidence = attach_page(
            claim,
            url=served.url("/budget"),
            argument=Argument(stance=Stance.FOR, quote=WORDS, confirms_so=True, primary=True),
            by=factories.reporter(),
        )
        do_due_work()
    factories.signed_off(claim)
    publish(claim.article, by=factories.editor())
    assert evidence.source.visibility == Visibility.PASSAGE
    return Capture.objects.get(request=evidence.capture_request)


def looked_up(capture: Capture, *copies: tuple[str, bytes]) -> None:
    with spn2_stand_in.serve() as archive:
        for timestamp, page in copies:
            archive.holds(capture.url, page, timestamp)
        ask_witness(capture, act="look-up", by=None)
        do_due_work()


def page_of(capture: Capture):
    answer = Client().get(addresses.capture(capture.public_id))
    assert answer.status_code == 200
    return answer


def claim_page(capture: Capture) -> str:
    return Client().get(addresses.claim(Claim.objects.get().public_id)).content.decode()


# --- witnesses ---------------------------------------------------------------------------------


def test_readers_see_what_a_witness_holds_with_its_time_its_link_and_how_it_compares():
    capture = published()
    assert "Internet Archive" not in page_of(capture).content.decode()
    before = page_of(capture)["ETag"]

    looked_up(capture, (EARLY, PAGE))

    answer = page_of(capture)
    (link,) = [a for a in read(answer.content).find("a") if a.text == "Look at their copy"]
    assert link.attributes["href"] == WitnessReport.objects.get().words.memento
    assert {"noopener", "nofollow"} <= {*link.attributes["rel"].split()}
    for page in (answer.content.decode(), claim_page(capture)):
        assert "The Internet Archive holds a copy taken on" in page
        assert 'datetime="2026-11-24T12:01:02Z"' in page
        assert "the same bytes as ours" in page
    assert answer["ETag"] != before


def test_other_bytes_are_said_to_be_other_bytes_and_not_to_speak_against_us():
    capture = published()
    looked_up(capture, (EARLY, PAGE + b"<p>42 visitors</p>"))

    page = page_of(capture).content.decode()
    assert "other bytes than ours" in page
    assert "speaks against neither" in page


def test_bytes_that_nobody_has_whole_are_not_compared():
    capture = published()
    looked_up(capture, (EARLY, b""))

    assert "cannot be compared" in page_of(capture).content.decode()


def test_where_a_witness_holds_nothing_readers_are_told_nothing():
    capture = published()
    looked_up(capture)

    assert WitnessReport.objects.get().outcome == "none"
    assert "Internet Archive" not in page_of(capture).content.decode()
    assert "Internet Archive" not in claim_page(capture)


def test_the_copy_that_agrees_best_stands_first_and_each_copy_once():
    capture = published()
    looked_up(capture, (EARLY, b"<p>Other</p>"))
    looked_up(capture, (EARLY, b"<p>Other</p>"))
    looked_up(capture, (LATE, PAGE))

    page = page_of(capture).content.decode()
    assert WitnessReport.objects.count() == 3
    assert page.count("holds a copy taken on") == 2
    assert page.index("2026-11-25T09:30:00Z") < page.index("2026-11-24T12:01:02Z")
    assert claim_page(capture).count("holds a copy taken on") == 1


def test_an_erased_address_leaves_the_fact_without_its_link():
    capture = published()
    looked_up(capture, (EARLY, PAGE))
    erase_text(WitnessReport.objects.get().words_row, erasure="erasure-1")

    page = page_of(capture).content.decode()
    assert "holds a copy taken on" in page
    assert "Look at their copy" not in page


def test_an_address_that_is_no_web_address_is_no_link():
    capture = published()
    looked_up(capture, (EARLY, PAGE))
    report = WitnessReport.objects.get()
    WitnessReport.objects.create(
        request=WitnessRequest.objects.create(capture=capture, act="look-up", state="ended"),
        capture=capture,
        outcome="seen",
        taken_at=report.taken_at - timedelta(days=1),
        words_row=keep_text('{"memento": "javascript:alert(1)"}'),
        agreement="different",
    )

    page = page_of(capture).content.decode()
    assert page.count("holds a copy taken on") == 2
    assert "javascript:" not in page


def test_what_witnesses_hold_costs_one_query_however_much_it_is():
    capture = published()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            claim_page(capture)
            page_of(capture)
        return len(queries)

    looked_up(capture, (EARLY, PAGE))
    one = cost()
    looked_up(capture, (LATE, PAGE))
    looked_up(capture, (LATE, b"<p>Other</p>"))
    assert cost() == one


# --- signatures --------------------------------------------------------------------------------


@pytest.mark.usefixtures("holder")
def test_the_page_of_a_copy_names_the_key_that_signed_and_leads_to_the_newsroom_s_keys():
    capture = published()
    assert "Our package of it" not in page_of(capture).content.decode()

    sign_packages()

    page = page_of(capture).content
    signature = WaczSignature.objects.get()
    assert signature.fingerprint in page.decode()
    (link,) = [a for a in read(page).find("a") if a.attributes["href"].endswith("#keys")]
    assert link.attributes["href"] == addresses.ABOUT + "#keys"
    about = Client().get(addresses.ABOUT).content
    assert signature.fingerprint in about.decode()
    assert [element.text for element in read(about).find("h2") if element.attributes.get("id") == "keys"]


@pytest.mark.usefixtures("holder")
def test_an_old_key_stays_listed_with_its_time_behind_the_one_that_signs_now(settings, tmp_path):
    first = published()
    sign_packages()
    settings.KEYS_DIR = tmp_path / "second"
    second = published()
    sign_packages()
    old = WaczSignature.objects.get(capture=first)
    new = WaczSignature.objects.get(capture=second)
    assert old.fingerprint != new.fingerprint

    about = Client().get(addresses.ABOUT).content.decode()

    assert about.index(new.fingerprint) < about.index(old.fingerprint)
    assert about.count("The key that signs now") == 1
    assert about.index("The key that signs now") < about.index(new.fingerprint) < about.index("An earlier key")


@pytest.mark.usefixtures("holder")
def test_a_key_that_the_log_does_not_know_is_not_listed_as_ours():
    capture = published()
    WaczSignature.objects.create(
        capture=capture, hash=capture.wacz_hash, created="x", software="x", signature="x", public_key="AAAA"
    )

    about = Client().get(addresses.ABOUT).content.decode()
    assert WaczSignature.objects.get().fingerprint not in about
    assert "signing keys" not in about


@pytest.mark.usefixtures("holder")
def test_no_private_key_is_opened_for_a_reader(tmp_path):
    published()
    sign_packages()
    keys.let_go()
    for key in (tmp_path / "first").iterdir():
        key.unlink()
    known = WaczSignature.objects.get().fingerprint

    assert known in Client().get(addresses.ABOUT).content.decode()


@pytest.mark.usefixtures("holder")
def test_the_recipe_on_the_page_gives_the_fingerprint_that_stands_there(tmp_path):
    if not (shutil.which("unzip") and shutil.which("jq")):
        pytest.skip("no unzip or no jq here")
    capture = published()
    sign_packages()
    (tmp_path / "capture.wacz").write_bytes(b"".join(open_package(Capture.objects.get(pk=capture.pk))))
    (recipe,) = read(Client().get(addresses.ABOUT).content).find("pre")

    said = subprocess.run(["sh", "-c", html.unescape(recipe.text)], cwd=tmp_path, capture_output=True, text=True)

    assert said.stdout.strip() == WaczSignature.objects.get().fingerprint, said.stderr
