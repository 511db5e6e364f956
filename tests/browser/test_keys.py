"""Lists of claims by single keys, and how they are switched off."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.pages import Site

SLUG = "el-salvador-offers-its-prisons-to-washington-for-a-fee"


def focused_card(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('li.claim-card')?.dataset.claim ?? ''"))


def cards(page: Page) -> list[str]:
    return [
        str(card) for card in page.eval_on_selector_all("li.claim-card", "all => all.map(one => one.dataset.claim)")
    ]


def test_j_and_k_go_from_claim_to_claim_and_the_text_lights_up_with_them(site: Callable[..., Site]):
    chen = site("chen")
    chen.desk_article(SLUG)
    page = chen.page
    first, second, *_others = cards(page)

    page.keyboard.press("j")
    page.keyboard.press("j")
    assert focused_card(page) == second
    expect(page.locator(f"[data-claims~='{second}']").first).to_have_class(re.compile("claimed--lit"))
    expect(page.locator(f"[data-claims~='{first}']").first).not_to_have_class(re.compile("claimed--lit"))
    page.keyboard.press("k")
    assert focused_card(page) == first
    page.keyboard.press("k")
    assert focused_card(page) == first
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/claims/{first}/")
    assert chen.complaints == []


def test_a_question_mark_shows_the_keys_and_there_they_are_switched_off(site: Callable[..., Site]):
    chen = site("chen")
    chen.desk_article(SLUG)
    page = chen.page

    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    sheet.get_by_label("Use j, k and x on this computer").uncheck()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("j")
    assert focused_card(page) == ""
    page.reload()
    page.keyboard.press("j")
    assert focused_card(page) == ""
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("dialog", name="Keys").get_by_label("Use j, k and x on this computer").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert focused_card(page) == cards(page)[0]


def test_who_types_a_j_has_typed_a_j(site: Callable[..., Site]):
    chen = site("chen")
    chen.desk_article(SLUG)
    page = chen.page
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<textarea id=typed></textarea>')")

    page.locator("#typed").press_sequentially("jk?x")

    expect(page.locator("#typed")).to_have_value("jk?x")
    assert focused_card(page) == ""
