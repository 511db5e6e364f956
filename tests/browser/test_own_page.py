"""An article that is handed in by its address, and whose page on our own site is edited behind the desk's back."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Site, Workspace

TEXT = """Harbour bridge to close for a year

By Rosa Delgado

The bridge over the harbour closes on 3 March 2025 and stays closed for twelve months, the city said.

Advertisment

Repairs will cost 40 million euros, and nobody has said yet where the money is to come from.

About 18,000 people cross the bridge every day, most of them on foot.
"""


@pytest.fixture
def our_text(demo: dict[str, Any]) -> Iterator[Path]:
    """The file that our own page shows in the demo."""
    path = Path(demo["our_text"])
    before = path.read_bytes()
    path.write_text(TEXT)
    yield path
    path.write_bytes(before)


def test_a_number_edited_on_our_own_page_is_noticed_and_taking_it_reopens_exactly_its_claim(
    site: Callable[..., Site], our_text: Path
):
    rosa = site("rosa")
    rosa.open("/desk/articles/new/")
    rosa.page.get_by_role("link", name=re.compile("give its address")).click()
    rosa.page.get_by_label("Address of the article").fill(f"{rosa.demo['sources']}/our-page")
    rosa.page.get_by_role("button", name="Archive and read it").click()
    rosa.page.get_by_role("button", name=re.compile("Remove (all|the offered)")).click()
    rosa.page.wait_for_url(re.compile(r"/desk/articles/(?!from-page)[^/]+/$"))
    workspace = Workspace(rosa)
    expect(workspace.text).not_to_contain_text("Advertisment")
    slug, claims = workspace.slug, []
    for words in ("Repairs will cost 40 million euros", "About 18,000 people cross the bridge"):
        claims.append(workspace.mark(words, kind="Number").claim_id)
        rosa.desk_article(slug)
    chen, erik = site("chen"), site("erik")
    for claim in claims:
        checking = chen.desk_claim(claim)
        checking.decide("Opinion", "So far only a forecast.")
        expect(checking.verdict).to_contain_text("So far only a forecast.")
        signing = erik.desk_claim(claim)
        signing.sign_off()
        expect(signing.verdict).to_contain_text("Erik Lindqvist")
    erik.publishing(slug).publish()

    erik.open(f"/desk/articles/{slug}/own-page/")
    page = erik.page.locator("#own-page")
    expect(page).to_contain_text("Our page says what was published here.", timeout=60_000)
    our_text.write_text(TEXT.replace("40 million", "43 million"))
    erik.page.get_by_role("button", name="Read it now").click()
    expect(page).to_contain_text("Our page differs in 1 paragraph.", timeout=60_000)
    expect(page.locator("del")).to_have_text("40")
    expect(page.locator("ins")).to_have_text("43")
    erik.page.get_by_role("button", name="Take the ticked ones").click()
    erik.page.wait_for_url(f"**/desk/articles/{slug}/")

    reopened = Workspace(erik).claims_that_are("Stale")
    expect(reopened).to_have_count(1)
    expect(reopened).to_contain_text("40 → 43")
    expect(Workspace(erik).claims_that_are("Signed off")).to_have_count(1)
    assert [visit.complaints for visit in (rosa, chen, erik)] == [[], [], []]
