"""What the desk says of a page that is out of reach and will be tried again."""

import pytest
from django.urls import reverse
from lxml import html

from factcheck.archive.browser.driving import browser_available
from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, attach_page
from factcheck.jobs.models import Job
from factcheck.pages.templatetags.pages import moment
from tests import factories, newsroom_web, web
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db(transaction=True)

WALL = "<title>Just a moment...</title><p>Verify you are human</p><script>window._cf_chl_opt={}</script>"


STEPS = [
    "Try again now",
    "Upload my own copy",
    "Find another page that says it",
    "Enter it as a work, with its edition and page",
]


def met(page: bytes) -> Evidence:
    """Evidence whose page answered like this at the first try."""
    with newsroom_web.site({"/": page}) as site:
        words = Argument(stance="for", quote="40 million")
        evidence = attach_page(factories.claim(), url=site.url("/"), argument=words, by=factories.reporter())
        newsroom_web.do_due_work()
    return evidence


@pytest.mark.parametrize(
    ("page", "sentence", "steps"),
    [
        (
            web.page("<p>Busy</p>", status="503 Busy"),
            "The site itself reports a fault on its side.",
            STEPS,
        ),
        (
            web.page(WALL),
            "The site asks visitors to prove that they are human, and sent no article.",
            [*(["Open it in a browser and archive what it shows"] if browser_available() else []), *STEPS],
        ),
    ],
    ids=["fault", "wall"],
)
def test_a_page_that_is_tried_again_says_what_was_met_when_it_is_tried_and_what_can_be_done_meanwhile(
    page: bytes, sentence: str, steps: list[str]
):
    evidence = met(page)
    address = reverse("desk:evidence", args=[evidence.public_id])

    shown = html.fromstring(client_of(factories.reporter()).get(address).content)

    due = html.fromstring(moment(Job.objects.get(kind="capture").due_at)).text
    [standing] = shown.xpath("//*[@id='standing']")
    words = " ".join(standing.text_content().split())
    assert f"{sentence} It is tried again by itself: {due}." in words
    done = [" ".join(item.text_content().split()) for item in standing.xpath(".//*[@class='next-steps']//li")]
    assert done == ["Wait: it is tried again by itself", *steps]
    assert standing.get("hx-trigger") == "every 1s"


def test_trying_again_now_brings_the_waiting_copy_forward():
    evidence = met(web.page("<p>Busy</p>", status="503 Busy"))
    before = Job.objects.get(kind="capture").due_at

    client_of(factories.reporter()).post(reverse("desk:evidence_archive_again", args=[evidence.public_id]))

    job = Job.objects.get(kind="capture")
    assert job.due_at < before
    assert Evidence.objects.get().capture_request.job == job
