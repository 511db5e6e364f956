import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import brotli
import pytest
from django.utils import translation

from factcheck.pages import rendering
from factcheck.pages.content import (
    ChangeNote,
    Citation,
    ClaimVersion,
    ContentError,
    Correction,
    NoticeView,
    PublicationView,
    Witness,
    parse,
    summary,
)
from tests.pages import sample
from tests.pages.markup import Page, read

# No test here has a database: pytest-django fails any that opens one.

RELEASE = "test"
LATER = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)


def publication(**changes: Any) -> PublicationView:
    return parse(sample.content(**changes))


def citations(shown: PublicationView) -> list[Citation]:
    return [Citation(shown, claim, item) for claim in shown.claims for item in claim.evidence if item.capture]


def every_page(shown: PublicationView) -> dict[str, bytes]:
    pages = {
        "article": rendering.render_article(shown, release=RELEASE),
        "superseded": rendering.render_article(
            shown, notices=[NoticeView("superseded", LATER, version=3)], release=RELEASE
        ),
        "index": rendering.render_index([summary(shown)], newer="/", older="/?page=3", release=RELEASE),
        "corrections": rendering.render_corrections(
            [
                Correction(
                    shown.article.slug,
                    shown.headline,
                    shown.article.language,
                    shown.version,
                    shown.published_at,
                    shown.change_note or ChangeNote("correction", "x"),
                )
            ],
            release=RELEASE,
        ),
        "ratings": rendering.render_ratings(shown.ratings, release=RELEASE),
        "methodology": rendering.render_methodology(release=RELEASE),
        "about": rendering.render_about(release=RELEASE),
    }
    if citations(shown):
        pages["capture"] = rendering.render_capture(citations(shown), release=RELEASE)
    for claim in shown.claims:
        history = [
            ClaimVersion(2, shown.published_at, claim, shown.change_note),
            ClaimVersion(1, shown.published_at, None),
        ]
        pages[f"claim {claim.number}"] = rendering.render_claim(shown, claim.id, history=history, release=RELEASE)
    return pages


HOSTILE = '"><script>alert(1)</script><p onclick=\'x\'>&amp; {{ 7 }} {% now "Y" %} \u202eevil\u202c'


def hostile_content() -> dict[str, Any]:
    """Every string that a person or an archived page can bring in, at its worst."""

    def worse(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: worse(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [worse(item, key) for item in value]
        plain = {
            *("id", "slug", "language", "visibility", "stance", "kind", "shape", "tone", "answer", "outcome"),
            *("published_at", "sealed_at", "decided_at", "signed_off_at", "sha256", "warc_sha256"),
        }
        return value + HOSTILE if isinstance(value, str) and key not in plain else value

    content = worse(sample.content(blocks=[], claims=[]))
    blocks = sample.placed([("headline", "A headline " + HOSTILE), ("paragraph", "Long" * 80 + " " + HOSTILE)])
    claims = [
        worse(
            sample.claim(
                1, [], "inaccurate", speaker="S", attribution={"answer": "said"}, evidence=[sample.page(), sample.WORK]
            )
        ),
        worse(sample.claim(2, [], None, not_rated_reason="no", evidence=[sample.INTERVIEW])),
    ]
    claims[0]["passages"] = [sample.passage(blocks, "<script>alert(1)</script>")]
    claims[1]["passages"] = [sample.passage(blocks, "Long" * 80)]
    return {**content, "blocks": blocks, "claims": claims}


@pytest.mark.parametrize("content", [sample.content(), hostile_content()], ids=["ordinary", "hostile"])
def test_pages_nest_as_written_and_carry_no_script_no_style_and_no_handler(content):
    for name, page in every_page(parse(content)).items():
        found = read(page)
        assert len(found.ids) == len(set(found.ids)), name
        assert not found.find("script"), name
        assert not found.find("style"), name
        for element in found.elements:
            assert not [key for key in element.attributes if key == "style" or key.startswith("on")], name
            assert not element.attributes.get("href", "").lower().startswith(("javascript:", "data:")), name


@pytest.mark.parametrize("content", [sample.content(), hostile_content()], ids=["ordinary", "hostile"])
def test_what_a_page_points_to_within_itself_is_there(content):
    for name, page in every_page(parse(content)).items():
        found = read(page)
        targets = [element.attributes.get("href", "") for element in found.elements]
        labels = [
            element.attributes["aria-labelledby"]
            for element in found.elements
            if "aria-labelledby" in element.attributes
        ]
        missing = {target[1:] for target in targets if target.startswith("#")} | set(labels)
        assert missing <= set(found.ids), name


def test_hostile_words_are_shown_as_words():
    page = rendering.render_article(parse(hostile_content()), release=RELEASE)

    text = read(page).find("main")[0].text
    assert "<script>alert(1)</script>" in text
    assert '{{ 7 }} {% now "Y" %}' in text


def notes(page: Page) -> dict[str, str]:
    return {
        element.attributes["href"]: element.attributes["aria-label"] for element in page.find("a", role="doc-noteref")
    }


def test_each_claim_has_one_note_that_says_its_rating():
    shown = publication()
    page = read(rendering.render_article(shown, release=RELEASE))

    assert len(page.find("a", role="doc-noteref")) == len(shown.claims)
    for claim in shown.claims:
        name = notes(page)[f"#claim-{claim.id}"]
        assert name.startswith(f"Claim {claim.number}")
        assert claim.badge.label in name


def test_the_note_on_somebody_elses_claim_says_both_whether_it_was_said_and_whether_it_is_so():
    page = read(rendering.render_article(publication(), release=RELEASE))

    assert notes(page)["#claim-claim003"] == (
        "Claim 3, by Hanna Liebig: Inaccurate. We confirmed that Hanna Liebig said this."
    )


def test_the_words_of_the_article_stand_on_its_page_unchanged():
    shown = publication()
    page = read(rendering.render_article(shown, release=RELEASE))

    body = re.sub("\u2060[0-9]+", "", page.find("main")[0].text)
    for block in shown.blocks:
        assert block.text in body


def test_a_rating_is_told_by_shape_and_word_and_not_by_colour_alone():
    page = read(rendering.render_ratings(publication().ratings, release=RELEASE))
    shapes = [
        page.elements[page.elements.index(badge) + 2].attributes["href"] for badge in page.with_class("rating")[:7]
    ]

    assert len(set(shapes)) == 7
    assert all(badge.text.strip() for badge in page.with_class("rating"))


def test_the_same_publication_is_the_same_bytes_whoever_asks_in_whatever_language():
    first = every_page(publication())
    with translation.override("de"):
        second = every_page(publication())

    assert first == second


def test_another_release_is_another_page():
    shown = publication()

    assert rendering.render_article(shown, release="a") != rendering.render_article(shown, release="b")


def test_a_superseded_version_says_so_and_leads_to_the_latest():
    page = read(
        rendering.render_article(
            publication(version=1, change_note=None),
            notices=[NoticeView("superseded", LATER, version=3)],
            release=RELEASE,
        )
    )

    assert "This is version 1" in page.find("main")[0].text
    assert [link for link in page.find("a", href="/articles/water-uphill/") if "version 3" in link.text]


def test_a_correction_stays_over_the_article_after_a_later_update():
    page = rendering.render_article(
        publication(version=3, change_note={"kind": "update", "text": "Prices added."}),
        notices=[NoticeView("change", LATER, version=2, change=ChangeNote("correction", "The year was wrong."))],
        release=RELEASE,
    )

    assert "The year was wrong." in page.decode()


def test_an_override_is_published_with_its_reason_and_names_its_claim():
    page = rendering.render_article(publication(), release=RELEASE).decode()

    assert "the sentence harms nobody" in page
    assert '<a href="#claim-claim008">Claim 8</a>: It is our own claim' in page


def test_an_override_of_a_claim_that_this_version_does_not_have_leads_nowhere():
    override = {"claim": "gone2222", "sentence": "It has no place.", "reason": "It was cut.", "by": "Erik"}
    page = rendering.render_article(parse(sample.content(overrides=[override])), release=RELEASE).decode()

    assert "<li><p>It has no place.</p>" in page
    assert "gone2222" not in page


def test_the_claims_page_marks_its_words_in_the_article_and_in_our_copy():
    page = read(rendering.render_claim(publication(), "claim002", release=RELEASE))

    assert [mark.text for mark in page.find("mark")] == [
        "lifts 2.3 million litres of water every day",
        "lifts 2.3 million litres a day",
    ]


def test_the_claims_page_shows_what_speaks_against_it_too():
    page = read(rendering.render_claim(publication(), "claim003", release=RELEASE))

    labels = [label.text.split()[1] for label in page.with_class("stance-label")]
    assert labels == ["for", "against"]


def test_evidence_that_could_not_be_secured_says_so():
    content = sample.content()
    content["claims"][0]["evidence"] = [sample.page(secured=False, passage=None, capture=None)]

    page = rendering.render_claim(parse(content), "claim001", release=RELEASE).decode()

    assert "Not secured:" in page
    assert "Not secured:" not in rendering.render_claim(publication(), "claim001", release=RELEASE).decode()


def test_a_claim_that_a_later_version_dropped_says_so():
    shown = publication()
    history = [ClaimVersion(3, LATER, None), ClaimVersion(2, shown.published_at, shown.claims[0])]

    page = rendering.render_claim(shown, "claim001", history=history, release=RELEASE).decode()

    assert "no longer in version 3" in page


def test_a_claim_that_is_not_in_the_publication_has_no_page():
    with pytest.raises(ContentError):
        rendering.render_claim(publication(), "nothere0", release=RELEASE)


def with_capture(**changes: Any) -> PublicationView:
    evidence = [sample.page(visibility=changes.get("visibility", "passage"), capture=sample.capture(**changes))]
    content = sample.content()
    for claim in content["claims"]:
        claim["evidence"] = []
    content["claims"][0]["evidence"] = evidence
    return parse(content)


def test_a_copy_that_is_not_public_is_not_offered_for_download():
    page = read(rendering.render_capture(citations(with_capture(visibility="passage")), release=RELEASE))

    assert not [link for link in page.find("a") if link.attributes["href"].endswith((".gz", ".txt"))]


def test_a_public_copy_is_offered_for_download_with_its_hash():
    page = read(rendering.render_capture(citations(with_capture(visibility="public")), release=RELEASE))

    assert page.find("a", href="/captures/cpt2cpt2/capture.warc.gz")
    assert page.find("a", href="/captures/cpt2cpt2/text.txt")
    assert "a7" * 32 in page.find("main")[0].text


def test_one_passage_only_closes_the_copy_wherever_else_it_is_public():
    shown = citations(with_capture(visibility="public")) + citations(with_capture(visibility="passage"))

    page = read(rendering.render_capture(shown, release=RELEASE))

    assert not page.find("a", href="/captures/cpt2cpt2/capture.warc.gz")


def test_the_page_of_a_copy_is_not_for_search_engines():
    page = read(rendering.render_capture(citations(publication()), release=RELEASE))

    assert "noindex" in page.find("meta", name="robots")[0].attributes["content"]


def test_withheld_evidence_leaves_its_words_nowhere():
    shown = with_capture()
    notice = NoticeView("withheld", LATER, text="Withheld on the witness's request.", subject="evidence/ev2ev2ev")
    claim_id = shown.claims[0].id

    pages = [
        rendering.render_article(shown, notices=[notice], release=RELEASE).decode(),
        rendering.render_claim(shown, claim_id, notices=[notice], release=RELEASE).decode(),
    ]

    assert all("lifts 2.3 million litres a day" not in page for page in pages)
    assert "Withheld on the witness" in pages[1]
    with pytest.raises(ContentError):
        rendering.render_capture(citations(shown), notices=[notice], release=RELEASE)


def test_of_a_withheld_source_no_witness_is_named_either():
    shown = with_capture()
    (capture_id,) = {citation.evidence.capture.id for citation in citations(shown) if citation.evidence.capture}
    witness = Witness("internet-archive", LATER, "https://web.archive.org/web/2026/https://a.example/", "same-received")
    seen = NoticeView("witnessed", LATER, subject=f"capture/{capture_id}", witness=witness)
    of_another = replace(seen, subject="capture/nqnqnqnq")
    withheld = NoticeView("withheld", LATER, text="Withheld.", subject=f"capture/{capture_id}")
    claim_id = shown.claims[0].id

    def pages(*notices: NoticeView) -> list[str]:
        return [rendering.render_claim(shown, claim_id, notices=notices, release=RELEASE).decode()]

    assert "holds a copy taken on" in pages(seen)[0]
    assert "holds a copy taken on" not in pages(of_another)[0]
    assert "web.archive.org" not in pages(seen, withheld)[0]


def test_a_right_to_left_article_is_set_from_right_to_left():
    blocks = sample.placed(
        [("headline", "محطة ضخ المياه"), ("paragraph", "تعمل المحطة منذ عام 1984 وترفع الماء كل يوم.")]
    )
    content = sample.content(
        blocks=blocks, claims=[sample.claim(1, [sample.passage(blocks, "منذ عام 1984")], "accurate")]
    )
    content["article"]["language"] = "ar"

    page = read(rendering.render_article(parse(content), release=RELEASE))

    assert page.find("h1", lang="ar", dir="rtl")
    assert page.find("div", lang="ar", dir="rtl")


def test_dates_are_shown_in_the_newsrooms_zone_with_the_offset_and_for_machines_in_utc(settings):
    settings.TIME_ZONE = "Europe/Madrid"
    page = read(rendering.render_article(publication(), release=RELEASE))

    (published,) = page.find("time", datetime="2026-03-21T05:00:00Z")
    assert published.text == "21 March 2026, 06:00 UTC+01:00"


def test_an_article_of_a_thousand_words_with_forty_claims_is_at_most_30_kb_over_the_wire():
    words = [f"word{number} and other words that stand in line" for number in range(125)]
    blocks = sample.placed([("paragraph", " ".join(words[start : start + 5])) for start in range(0, 125, 5)])
    claims = []
    for number in range(1, 41):
        evidence = [
            sample.page(f"evid{number:02}{copy:02}", title=f"Source {number * 7919 % 1000} of {copy}")
            for copy in (1, 2)
        ]
        reason = f"The office's table for quarter {number * 104729 % 997} gives it, and a second page agrees."
        claims.append(
            sample.claim(
                number, [sample.passage(blocks, words[number * 3])], "accurate", evidence=evidence, reason=reason
            )
        )
    page = rendering.render_article(parse(sample.content(blocks=blocks, claims=claims)), release=RELEASE)

    assert len(brotli.compress(page, quality=5)) <= 30_000
    assert len(gzip.compress(page, 6)) <= 30_000


def test_a_block_of_one_endless_word_and_an_empty_list_of_claims_still_make_a_page():
    blocks = sample.placed([("paragraph", "x" * 3000)])

    page = rendering.render_article(parse(sample.content(blocks=blocks, claims=[], overrides=[])), release=RELEASE)

    assert "x" * 3000 in read(page).find("main")[0].text


def test_long_context_is_cut_around_the_claim_and_never_in_it():
    words = "middle of everything"
    blocks = sample.placed([("paragraph", "before " * 300 + words + " after" * 300)])
    shown = parse(sample.content(blocks=blocks, claims=[sample.claim(1, [sample.passage(blocks, words)], "accurate")]))

    piece = rendering.excerpt(shown.blocks[0], shown.claims[0])

    text = "".join(segment.text for segment in piece.segments)
    assert words in text
    assert len(text) < 1000
    assert text.startswith("… before")
    assert text.endswith("after …")


def test_the_scale_is_explained_in_its_order():
    shown = publication()
    page = read(
        rendering.render_ratings([replace(rating, order=-rating.order) for rating in shown.ratings], release=RELEASE)
    )

    labels = [badge.text for badge in page.with_class("rating")]
    assert labels[:6] == [rating.label for rating in reversed(shown.ratings)]


def test_words_that_only_a_browser_showed_are_said_to_be_that():
    passage = {"before": "", "exact": "2.3 million", "after": "", "outcome": "exact", "layer": "render"}
    content = sample.content()
    for claim in content["claims"]:
        claim["evidence"] = []
    content["claims"][0]["evidence"] = [sample.page(passage=passage, capture=sample.capture(engine="browser"))]
    shown = parse(content)

    of_claim = rendering.render_claim(shown, "claim001", release=RELEASE).decode()
    of_copy = rendering.render_capture(citations(shown), release=RELEASE).decode()

    for page in (of_claim, of_copy):
        assert "These words stand in our copy of what a browser showed" in page
        assert "letter for letter" not in page
    assert "a browser that opened the page and ran its scripts" in of_copy
