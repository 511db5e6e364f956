"""What a person copies in one page and pastes into the desk keeps what it is."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.pages import Site

ARTICLE = """<h1>The quay is sold</h1><p>The city sold the quay for <a href="https://example.org/deed">3 million
euros</a>.</p><h2>What comes next</h2><ul><li>Flats</li><li>A market</li></ul><blockquote>“Too cheap,” she
said.</blockquote><table><tr><td>2024</td><td>3 million</td></tr></table><script>document.title = "run"</script>"""


def copy(page: Page, markup: str) -> None:
    page.set_content(markup)
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+C")


def pasted(site: Site, markup: str = ARTICLE) -> Page:
    other = site.page.context.new_page()
    copy(other, markup)
    other.close()
    site.open("/desk/articles/new/")
    page = site.page
    page.get_by_label("The text").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_role("status").filter(has_text="taken along")).to_be_visible()
    return page


def test_a_text_copied_from_a_web_page_keeps_its_headings_lists_quotes_tables_and_links(site: Callable[..., Site]):
    rosa = site("rosa")
    page = pasted(rosa)

    page.get_by_role("button", name="Read it").click()

    expect(page.locator(".preview .block--headline")).to_have_text("Headline: The quay is sold")
    expect(page.locator(".preview .block--item")).to_have_text(["List item: Flats", "List item: A market"])
    expect(page.get_by_text("https://example.org/deed")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".marked-text__heading")).to_have_text("What comes next")
    expect(page.locator(".marked-text__quote")).to_have_text("“Too cheap,” she said.")
    expect(page.locator(".marked-text__row")).to_have_text("2024 | 3 million")
    page.get_by_role("link", name="The author’s back-up").click()
    page.get_by_role("button", name="Mark the words as a claim").click()
    expect(page.get_by_label("The exact words")).to_have_value("The city sold the quay for 3 million euros.")
    assert rosa.complaints == []


def test_a_pasted_text_that_is_edited_is_read_as_the_plain_text_that_it_is_now(site: Callable[..., Site]):
    page = pasted(site("rosa"))
    page.get_by_label("The text").fill("The quay is sold\n\nThe city sold the quay for 4 million euros.")
    expect(page.get_by_role("status").filter(has_text="plain text")).to_be_visible()

    page.get_by_role("button", name="Read it").click()

    expect(page.locator(".preview")).to_contain_text("4 million euros")
    expect(page.locator(".preview")).not_to_contain_text("What comes next")


def test_the_plain_text_alone_can_be_taken(site: Callable[..., Site]):
    page = pasted(site("rosa"))
    page.get_by_role("button", name="Take the plain text alone").click()

    page.get_by_role("button", name="Read it").click()

    expect(page.locator(".preview")).to_contain_text("Too cheap")
    expect(page.locator(".preview .block--headline")).to_have_count(0)
