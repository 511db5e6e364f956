"""The product as its users speak of it. What leads to another page returns that page."""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect


class Site:
    """Somebody's browser at the running demo. Errors in a page's console fail the test that meets them."""

    def __init__(self, page: Page, demo: dict[str, Any]) -> None:
        self.page = page
        self.demo = demo
        self.complaints: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> None:
        self.page.goto(self.demo["app"] + path)

    def sign_in(self, person: str) -> None:
        self.open("/accounts/login/")
        self.page.get_by_label("Username").fill(person)
        self.page.get_by_label("Password").fill(self.demo["password"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/desk/")

    def paste_article(self, text: str) -> "ImportPreview":
        self.open("/desk/")
        self.page.get_by_role("link", name="Hand in an article").first.click()
        self.page.get_by_label("text", exact=False).first.fill(text)
        self.page.get_by_role("button", name="Read it").click()
        return ImportPreview(self)

    def desk_article(self, slug: str) -> "Workspace":
        self.open(f"/desk/articles/{slug}/")
        return Workspace(self)

    def desk_claim(self, claim_id: str) -> "ClaimPage":
        self.open(f"/desk/claims/{claim_id}/")
        return ClaimPage(self)

    def publishing(self, slug: str) -> "PublishPage":
        self.open(f"/desk/articles/{slug}/publish/")
        return PublishPage(self)

    def article(self, slug: str) -> "PublicArticle":
        self.open(f"/articles/{slug}/")
        return PublicArticle(self)


class ImportPreview:
    """What was read, before anything is saved."""

    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def offered(self) -> list[str]:
        return self.page.locator(".preview__offered .preview__line").all_inner_texts()

    @property
    def ticked(self) -> int:
        return self.page.locator("input[name=remove]:checked").count()

    @property
    def title(self) -> str:
        return self.page.get_by_label("Title").input_value()

    def save_without_offered_lines(self) -> "Workspace":
        self.page.get_by_role("button", name=re.compile("Remove (all|the offered)")).click()
        self.page.wait_for_url(re.compile(r"/desk/articles/(?!new/)[^/]+/$"))
        return Workspace(self.site)


class Workspace:
    """An article beside its claims."""

    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def slug(self) -> str:
        return urlsplit(self.page.url).path.rstrip("/").rpartition("/")[2]

    @property
    def text(self) -> Locator:
        return self.page.locator("[data-marker-text]")

    def select(self, words: str) -> None:
        """Drag the mouse over the words, as a person does."""
        box = self.page.evaluate(
            """words => {
                const root = document.querySelector("[data-marker-text]");
                const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
                while (walker.nextNode()) {
                    const at = walker.currentNode.data.indexOf(words);
                    if (at < 0) continue;
                    const range = document.createRange();
                    range.setStart(walker.currentNode, at);
                    range.setEnd(walker.currentNode, at + words.length);
                    walker.currentNode.parentElement.scrollIntoView({block: "center", behavior: "instant"});
                    const boxes = [...range.getClientRects()].filter(box => box.width > 0);
                    const [first, last] = [boxes[0], boxes[boxes.length - 1]];
                    return [first.left, first.top + first.height / 2, last.right, last.top + last.height / 2];
                }
                return null;
            }""",
            words,
        )
        assert box, f"{words!r} does not stand in one piece in the text"
        mouse = self.page.mouse
        mouse.move(box[0] + 0.5, box[1])
        mouse.down()
        mouse.move(box[2] - 0.5, box[3], steps=8)
        mouse.up()

    def mark(self, words: str, *, kind: str, speaker: str = "") -> "ClaimPage":
        """Select words, say what they are, and go to the claim."""
        self.select(words)
        bar = self.page.locator("[data-marker-form]")
        expect(bar).to_be_visible()
        bar.get_by_label("Sort").select_option(label=kind)
        bar.get_by_label("Whose").fill(speaker)
        bar.get_by_role("button", name="Mark", exact=True).click()
        card = self.claim(words)
        expect(card).to_be_visible()
        card.get_by_role("link", name=words).click()
        self.page.wait_for_url("**/desk/claims/*/")
        return ClaimPage(self.site)

    def claim(self, words: str) -> Locator:
        return self.page.locator(".claim-card", has_text=words)

    def claims_that_are(self, state: str) -> Locator:
        return self.page.locator(".claim-card", has=self.page.locator(".state", has_text=state))

    def replace(self, before: str, after: str) -> None:
        """Hand in a revision in which some words are others."""
        self.page.get_by_role("link", name="New revision").click()
        text = self.page.locator("textarea[name=text]")
        typed = text.input_value()
        assert typed.count(before) == 1
        text.fill(typed.replace(before, after))
        self.page.get_by_role("button", name="Read it").click()
        self.page.get_by_role("button", name="Save").first.click()
        self.page.wait_for_url(re.compile(r"/desk/articles/[^/]+/$"))


class ClaimPage:
    """A claim on the desk, with all that the check has brought."""

    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def claim_id(self) -> str:
        return urlsplit(self.page.url).path.rstrip("/").rpartition("/")[2]

    def attach_page(self, url: str, *, quote: str, stance: str, so: bool = True, said: bool = False) -> None:
        self.page.get_by_role("link", name="Page", exact=True).click()
        self.page.get_by_label("Address of the page").fill(url)
        self.page.get_by_label("The words of the page").fill(quote)
        self.page.get_by_label(stance).check()
        if said:
            self.page.get_by_label("It confirms that it was said").check()
        if so:
            self.page.get_by_label("It confirms that it is so").check()
        self.page.get_by_role("button", name="Attach").click()

    def evidence(self, words: str) -> Locator:
        return self.page.locator(".evidence-card", has_text=words)

    def decide(self, rating: str, reason: str) -> None:
        self.page.get_by_role("radio", name=re.compile(f"^{rating}")).check()
        self.page.get_by_label("reason", exact=False).last.fill(reason)
        self.page.get_by_role("button", name="File the verdict").click()

    def sign_off(self) -> None:
        self.page.get_by_role("button", name="Sign off").click()

    @property
    def sign_off_fields(self) -> dict[str, str]:
        """What the form that signs the verdict off carries: which verdict, and the claim's version."""
        form = self.page.locator(".sign-off form").filter(has=self.page.get_by_role("button", name="Sign off"))
        return {name: form.locator(f"[name={name}]").input_value() for name in ("version", "verdict")}

    @property
    def verdict(self) -> Locator:
        return self.page.get_by_role("region", name="Verdict")


class PublishPage:
    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def obstacles(self) -> list[str]:
        return self.page.locator(".obstacle").all_inner_texts()

    def publish(self) -> None:
        self.page.get_by_role("button", name=re.compile("^Publish version")).click()


class PublicArticle:
    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def notes(self) -> list[str]:
        """The notes after the claims, as a screen reader says them."""
        return [note.get_attribute("aria-label") or "" for note in self._notes.all()]

    @property
    def _notes(self) -> Locator:
        # By attribute: Playwright finds no roles of the publishing vocabulary.
        return self.page.locator("[role=doc-noteref]")

    def open_note(self, number: int) -> Locator:
        """Follow the note of a claim; its card is what the address now points at."""
        self._notes.nth(number - 1).click()
        return self.page.locator(":target")

    def open_claim(self, number: int) -> "PublicClaim":
        self.open_note(number).get_by_role("link", name=re.compile("evidence for claim")).click()
        self.page.wait_for_url("**/claims/*/")
        return PublicClaim(self.site)


class PublicClaim:
    def __init__(self, site: Site) -> None:
        self.site, self.page = site, site.page

    @property
    def passages(self) -> list[str]:
        return self.page.locator("mark").all_inner_texts()

    def open_copy(self) -> Locator:
        self.page.locator("a[href^='/captures/']").first.click()
        self.page.wait_for_url("**/captures/*/")
        return self.page.get_by_role("main")
