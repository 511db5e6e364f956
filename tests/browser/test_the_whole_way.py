"""From a pasted article to a page that a stranger reads, in a real browser against the running demo."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.pages import ClaimPage, Site, Workspace

ARTICLE = """Delegations to settle the price of prison places

By Rosa Delgado

Published: 5 February 2025

El Salvador would hold people convicted in the United States, but what that costs is open.

Advertisment

The amount of the fee has not been agreed, and no text has been signed, the presidency's press unit said. 🙂

Also read: What a night in the capital costs

Delegations of both sides meet to settle the details.
"""
CLAIM = "The amount of the fee has not been agreed, and no text has been signed"
QUOTE = "The amount of the fee has not been agreed. No text has been signed."


def test_an_article_goes_the_whole_way_from_the_reporter_to_a_reader(site: Callable[..., Site]):
    rosa = site("rosa")
    preview = rosa.paste_article(ARTICLE)
    assert preview.title == "Delegations to settle the price of prison places"
    assert "Advertisment" in preview.offered
    assert preview.ticked == 0
    workspace = preview.save_without_offered_lines()
    expect(workspace.text).not_to_contain_text("Advertisment")
    slug = workspace.slug

    claim = workspace.mark(CLAIM, kind="Event")
    claim.attach_page(f"{rosa.demo['sources']}/statement", quote=QUOTE, stance="Speaks for it")
    card = claim.evidence(QUOTE)
    expect(card.locator("mark")).to_have_text(QUOTE, timeout=30_000)
    expect(card).to_contain_text("stand in the copy exactly")

    chen = site("chen")
    checking = chen.desk_claim(claim.claim_id)
    checking.decide("Accurate", "The statement of the presidency says both.")
    expect(checking.verdict).to_contain_text("The statement of the presidency says both.")
    expect(checking.verdict).to_contain_text("That is not you")
    expect(chen.page.get_by_role("button", name="Sign off")).to_have_count(0)

    erik = site("erik")
    offered = erik.desk_claim(claim.claim_id).sign_off_fields
    assert send_sign_off(checking, offered) == 422
    expect(chen.page.get_by_role("main")).to_contain_text("someone other than the person who decided it")
    gate = erik.publishing(slug)
    assert len(gate.obstacles) == 1
    assert "signed off by a second person" in gate.obstacles[0]
    signing = erik.desk_claim(claim.claim_id)
    signing.sign_off()
    expect(signing.verdict).to_contain_text("Erik Lindqvist")
    gate = erik.publishing(slug)
    gate.publish()
    expect(erik.page.get_by_role("link", name=re.compile("version 1", re.IGNORECASE)).first).to_be_visible()

    reader = site(java_script_enabled=False)
    article = reader.article(slug)
    [note] = article.notes
    assert note.startswith("Claim 1: Accurate")
    expect(article.open_note(1)).to_contain_text("The statement of the presidency says both.")
    public_claim = article.open_claim(1)
    assert QUOTE in public_claim.passages
    copy = public_claim.open_copy()
    expect(copy).to_contain_text("The page is archived as it was sent.")
    expect(copy).to_contain_text("SHA-256")
    assert reader.page.context.cookies() == []
    assert [visit.complaints for visit in (rosa, erik, reader)] == [[], [], []]


def send_sign_off(page: ClaimPage, fields: dict[str, str]) -> int:
    """Send the form that the page does not offer to whoever decided; the status of the answer."""
    with page.page.expect_navigation() as answer:
        page.page.evaluate(
            """([action, fields]) => {
                const form = document.createElement("form");
                form.method = "post";
                form.action = action;
                form.append(document.querySelector("[name=csrfmiddlewaretoken]").cloneNode());
                for (const [name, value] of Object.entries(fields)) {
                    const input = document.createElement("input");
                    [input.name, input.value] = [name, value];
                    form.append(input);
                }
                document.body.append(form);
                form.submit();
            }""",
            [f"/desk/claims/{page.claim_id}/sign-off/", fields],
        )
    return answer.value.status


def test_a_number_edited_in_a_signed_off_sentence_reopens_exactly_that_claim_and_is_named(site: Callable[..., Site]):
    rosa = site("rosa")
    rosa.open("/desk/")
    rosa.page.get_by_role("link", name="El Salvador offers its prisons").click()
    workspace = Workspace(rosa)
    signed_off = workspace.claims_that_are("Signed off")
    before = signed_off.count()
    assert before > 5
    expect(workspace.claims_that_are("Stale")).to_have_count(0)

    workspace.replace("83,000", "84,000")

    stale = workspace.claims_that_are("Stale")
    expect(stale).to_have_count(1)
    expect(stale).to_contain_text("83,000 → 84,000")
    expect(signed_off).to_have_count(before - 1)


def test_the_keyboard_alone_marks_a_claim(site: Callable[..., Site]):
    rosa = site("rosa")
    workspace = rosa.paste_article(ARTICLE.replace("Delegations to", "Two delegations to")).save_without_offered_lines()
    keyboard = rosa.page.keyboard

    workspace.text.focus()
    for _ in range(3):
        keyboard.press("ArrowRight")
    for _ in range(2):
        keyboard.press("Shift+ArrowRight")
    keyboard.press("m")
    bar = rosa.page.locator("[data-marker-form]")
    expect(bar).to_be_visible()
    expect(bar.get_by_label("Sort")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")

    expect(rosa.page.locator(".claim-card")).to_have_count(1)
    assert rosa.complaints == []


def test_a_lost_network_is_said_and_nothing_typed_is_lost(site: Callable[..., Site]):
    rosa = site("rosa")
    workspace = rosa.paste_article(
        ARTICLE.replace("Delegations to", "Three delegations to")
    ).save_without_offered_lines()
    trouble = rosa.page.get_by_role("alert")
    workspace.select("Delegations of both sides")
    bar = rosa.page.locator("[data-marker-form]")
    bar.get_by_label("Whose").fill("The press unit")

    rosa.page.context.set_offline(True)
    bar.get_by_role("button", name="Mark", exact=True).click()
    expect(trouble).to_contain_text("The network did not answer")
    expect(bar.get_by_label("Whose")).to_have_value("The press unit")

    rosa.page.context.set_offline(False)
    bar.get_by_role("button", name="Mark", exact=True).click()
    expect(workspace.claim("Delegations of both sides")).to_be_visible()
    expect(trouble).to_be_hidden()
