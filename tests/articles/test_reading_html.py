"""HTML: a saved page, and what the clipboard holds of a browser, Google Docs or a word processor."""

import pytest

from factcheck.articles.canonical import BlockKind, canonical_text
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format
from factcheck.articles.importing import BackUp, Draft, back_up_of, blocks_of, read_draft

PAGE = """<!doctype html><html lang="en"><head><title>Bridge closes for a year - The Paper</title>
<meta name="author" content="Rosa Ibarra"><meta property="article:published_time" content="2025-03-04T08:00:00Z">
<style>p{color:red}</style><script>document.write("<p>written</p>")</script></head><body>
<nav><a href="/">Home</a></nav><p>Also today: herring.</p>
<article><p class="kicker">POLITICS</p><h1>Bridge closes<br>for a year</h1>
<p class="article-standfirst">The city has no <b>ferry</b>.</p>
<p>Repairs cost <a href="https://example.org/budget">40 million</a> euros.<sup><a href="#fn1" id="ref1">1</a></sup>
The mayor said so at a meeting.</p>
<h2>What now</h2>
<ul><li>Walk<li>Swim<ul><li>in summer</ul></ul><ol start="3"><li><p>Wait</p></li><li>Hope</li></ol>
<blockquote><p>We could have had this cheaper.</p></blockquote>
<figure><img src="https://example.org/x.jpg" alt="A bridge"><figcaption>The bridge in <i>May</i></figcaption></figure>
<table><tr><th>Year<th>Cost<tr><td>2024<td><p>40</p></table>
<ol><li id="fn1">City budget 2025, https://example.org/b.pdf. <a href="#ref1">↩</a></li></ol>
</article><footer>All rights reserved</footer></body></html>"""


def read(html: str) -> Draft:
    return read_draft(html.encode(), Format.HTML)


def blocks(html: str) -> list[tuple[BlockKind, str]]:
    draft = read(html)
    return [(block.kind, block.text) for block in blocks_of(draft, title=draft.title, remove=())]


def notes(html: str) -> list[tuple[BackUp, str]]:
    draft = read(html)
    made = blocks_of(draft, title=draft.title, remove=())
    text = canonical_text(made)
    return [(note, text[note.start : note.end]) for note in back_up_of(draft, made, remove=())]


def test_every_kind_of_block_survives_and_the_headline_comes_first():
    assert blocks(PAGE) == [
        ("headline", "Bridge closes\nfor a year"),
        ("paragraph", "POLITICS"),
        ("deck", "The city has no ferry."),
        ("paragraph", "Repairs cost 40 million euros. The mayor said so at a meeting."),
        ("heading", "What now"),
        ("item", "Walk"),
        ("item", "Swim"),
        ("item", "in summer"),
        ("item", "3. Wait"),
        ("item", "4. Hope"),
        ("quote", "We could have had this cheaper."),
        ("caption", "The bridge in May"),
        ("row", "Year | Cost"),
        ("row", "2024 | 40"),
    ]


def test_what_the_page_says_of_itself_is_found():
    draft = read(PAGE)

    assert (draft.title, draft.byline, str(draft.published)) == (
        "Bridge closes for a year",
        "Rosa Ibarra",
        "2025-03-04",
    )
    assert draft.left_out == {"around", "pictures"}


def test_a_footnote_and_a_link_are_the_backup_of_their_sentence():
    [link, footnote] = notes(PAGE)

    assert (link[0].kind, link[0].url, link[1]) == (
        "link",
        "https://example.org/budget",
        "Repairs cost 40 million euros.",
    )
    assert (footnote[0].kind, footnote[0].text, footnote[0].url, footnote[1]) == (
        "footnote",
        "City budget 2025, https://example.org/b.pdf.",
        "https://example.org/b.pdf",
        "Repairs cost 40 million euros.",
    )


def test_the_places_of_notes_move_with_lines_that_are_removed():
    page = PAGE.replace("POLITICS", "Advertisement")
    draft = read(page)
    [offered] = draft.offered
    made = blocks_of(draft, title=draft.title, remove={offered.number})
    text = canonical_text(made)

    [link, _footnote] = back_up_of(draft, made, remove={offered.number})

    assert "Advertisement" not in text
    assert text[link.start : link.end] == "Repairs cost 40 million euros."


GOOGLE_DOCS = """<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><h1 dir="ltr">
<span style="font-size:20pt">Bridge closes</span></h1><p dir="ltr"><span>Repairs cost </span>
<span style="font-weight:700">40&nbsp;million</span><span> euros.</span></p><br>
<ul style="margin-top:0"><li dir="ltr"><p dir="ltr" role="presentation"><span>Walk or swim</span></p></li></ul>
<div dir="ltr"><table><tbody><tr><td><p><span>Year</span></p></td><td><p><span>Cost</span></p><p>in euros</p></td></tr>
</tbody></table></div></b>"""


def test_what_google_docs_puts_on_the_clipboard_is_read():
    assert blocks(GOOGLE_DOCS) == [
        ("headline", "Bridge closes"),
        ("paragraph", "Repairs cost 40\u00a0million euros."),
        ("item", "Walk or swim"),
        ("row", "Year | Cost in euros"),
    ]


def test_of_a_page_full_of_links_the_first_come_along_and_every_footnote():
    links = "".join(f"<p>See <a href='https://example.org/{number}'>page {number}</a>.</p>" for number in range(1_200))
    page = f"<h1>Title</h1>{links}<p>Last.<a id=r href=#n>1</a></p><p id=n>A note. <a href=#r>^</a></p>"

    found = [note for note, _words in notes(page)]

    assert [note.kind for note in found].count("link") == 300
    assert (found[-1].kind, found[-1].text) == ("footnote", "A note.")
    assert "links" in read(page).left_out


def test_the_no_break_space_that_browsers_write_beside_an_element_is_a_plain_one():
    copied = (
        "<h1>Title</h1><p>It costs&nbsp;<a href='https://example.org/x'>40&nbsp;% more</a><span>&nbsp;</span>now.</p>"
    )

    assert blocks(copied)[1] == ("paragraph", "It costs 40\u00a0% more now.")


def test_comments_of_a_google_docs_export_are_backup_and_no_text():
    exported = """<h1>Bridge closes</h1><p>Repairs cost 40 million<sup><a href="#cmnt1" id="cmnt_ref1">[a]</a></sup>
    euros. Nobody doubts it.</p><div><p><a href="#cmnt_ref1" id="cmnt1">[a]</a><span>See the budget,
    <a href="https://www.google.com/url?q=https://example.org/b&amp;sa=D">here</a></span></p></div>"""

    [(comment, words)] = notes(exported)

    assert (comment.kind, comment.text, comment.url, words) == (
        "comment",
        "See the budget, here",
        "https://example.org/b",
        "Repairs cost 40 million euros.",
    )
    assert ("paragraph", "Repairs cost 40 million euros. Nobody doubts it.") in blocks(exported)
    assert len(blocks(exported)) == 2


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display: none'>secret</p>",
        "<p hidden>secret</p>",
        "<p><span style='font-size:0'>secret</span></p>",
        "<p class='sr-only'>secret</p>",
        "<template><p>secret</p></template>",
        "<script>secret</script>",
        "<style>secret{}</style>",
        "<noscript>secret</noscript>",
        "<p><del>secret</del></p>",
        "<svg><text>secret</text></svg>",
        "<iframe srcdoc='<p>secret</p>'>secret</iframe>",
        "<!-- secret -->",
        "<form><p>secret</p></form>",
        "<textarea>secret</textarea>",
    ],
)
def test_what_no_reader_sees_is_no_text(hidden: str):
    assert blocks(f"<h1>Title</h1><p>Before it.</p>{hidden}<p>After it.</p>") == [
        ("headline", "Title"),
        ("paragraph", "Before it."),
        ("paragraph", "After it."),
    ]


def test_markup_in_the_text_stays_text():
    assert ("paragraph", "<img src=x onerror=alert(1)> & more") in blocks(
        "<h1>Title</h1><p>&lt;img src=x onerror=alert(1)&gt; &amp; more</p>"
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//example.org/x", "mailto:a@b.org", "#x"])
def test_only_an_address_of_the_web_is_backup(url: str):
    assert notes(f"<h1>Title</h1><p>Read <a href='{url}'>this</a> now.</p>") == []


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        ("<div>" * 100_000 + "deep", "more in this document"),
        ("<p>a</p>" * 100_000, "more in this document"),
        ("<p>" + "a " * 1_500_000 + "</p>", "more in this document"),
        ("<p " + "a=1 " * 200_000 + ">x</p>", "more in this document"),
        ("<p><script>nothing else</script></p>", "no text"),
        ("", "no text"),
        ("<p>" * 2_000_000, "too large for an article"),
    ],
)
def test_a_hostile_page_is_one_sentence(hostile: str, words: str):
    with pytest.raises(UnreadableText, match=words):
        read(hostile)


def test_a_raised_number_stays_raised():
    html = "<p>Ten: 10<sup>2</sup> km<sup>-1</sup>, the 1<sup>st</sup>, as said in 2020<sup><a href='https://e.org/'>7</a></sup>.</p>"

    assert blocks(html) == [("paragraph", "Ten: 10² km⁻¹, the 1st, as said in 2020⁷.")]
    assert [note.url for note, _words in notes(html)] == ["https://e.org/"]


def test_the_marks_that_a_browser_draws_around_a_quotation_are_text():
    html = "<p>She said <q>we lost <q>five</q> men</q>, and <q>“yes”</q>.</p>"

    assert blocks(html) == [("paragraph", "She said “we lost ‘five’ men”, and “yes”.")]


def test_what_is_struck_out_is_left_out_and_said_so():
    html = (
        "<p>It was <s>5</s> <strike>6</strike> <span style='color:red;text-decoration:line-through'>7</span> eight.</p>"
    )

    assert blocks(html) == [("paragraph", "It was eight.")]
    assert read(html).left_out == {"deleted"}


def test_who_said_a_quote_stands_below_it():
    html = (
        "<p>Intro.</p><blockquote><p>We lost five.</p><footer>— Jane Roe</footer></blockquote><footer>Imprint</footer>"
    )

    assert blocks(html) == [("paragraph", "Intro."), ("quote", "We lost five."), ("quote", "— Jane Roe")]


def test_a_bullet_that_word_draws_is_no_word_and_its_number_is():
    item = "<p class=MsoListParagraph>{}</p>"
    drawn = "<span style='mso-list:Ignore'>{}<span style='font:7pt'>&nbsp;&nbsp; </span></span>{}"
    html = "<p>Intro.</p>" + "".join(
        item.format(drawn.format(*one)) for one in (("·", "Dot"), ("o", "Ring"), ("2.", "Two"))
    )

    assert blocks(html) == [("paragraph", "Intro."), ("item", "Dot"), ("item", "Ring"), ("item", "2. Two")]


def test_an_item_has_the_number_that_the_page_gives_it():
    assert blocks("<p>Intro.</p><ol><li>One<li value=9>Nine<li>Ten</ol>")[1:] == [
        ("item", "1. One"),
        ("item", "9. Nine"),
        ("item", "10. Ten"),
    ]
