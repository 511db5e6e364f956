"""Markdown, .docx, .odt and PDF: what they become, what stays out of them, and what is refused."""

import zipfile
from io import BytesIO

import pytest

from factcheck.articles.canonical import canonical_text
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format, format_of
from factcheck.articles.importing import back_up_of, blocks_of, read_draft
from tests.articles.documents import W, docx, odt, paragraph, pdf, run, zipped


def blocks(raw: bytes, form: Format) -> list[tuple[str, str]]:
    draft = read_draft(raw, form)
    return [(block.kind.value, block.text) for block in blocks_of(draft, title=draft.title, remove=())]


def notes(raw: bytes, form: Format) -> list[tuple[str, str, str, str, str]]:
    """(kind, the words it is about, its text, author, address)"""
    draft = read_draft(raw, form)
    made = blocks_of(draft, title=draft.title, remove=())
    text = canonical_text(made)
    found = back_up_of(draft, made, remove=())
    return [(note.kind, text[note.start : note.end], note.text, note.author, note.url) for note in found]


# --- Markdown ------------------------------------------------------------------------------------

MARKDOWN = """---
author: "Rosa Ibarra"
date: 2025-03-04
subtitle: The city has no ferry.
---
# Bridge closes

Repairs cost *40 million* [euros](https://example.org/budget).[^1] The mayor
said so.

## What now

- Walk
- Swim

3. Wait

> We could have had this cheaper.

![The bridge in May](bridge.jpg)

| Year | Cost |
| ---- | ---- |
| 2024 | 40   |

[^1]: City budget, <https://example.org/b.pdf>
"""


def test_markdown_becomes_blocks_and_its_footnotes_backup():
    assert blocks(MARKDOWN.encode(), Format.MARKDOWN) == [
        ("headline", "Bridge closes"),
        ("deck", "The city has no ferry."),
        ("paragraph", "Repairs cost 40 million euros. The mayor said so."),
        ("heading", "What now"),
        ("item", "Walk"),
        ("item", "Swim"),
        ("item", "3. Wait"),
        ("quote", "We could have had this cheaper."),
        ("caption", "The bridge in May"),
        ("row", "Year | Cost"),
        ("row", "2024 | 40"),
    ]
    sentence = "Repairs cost 40 million euros."
    assert notes(MARKDOWN.encode(), Format.MARKDOWN) == [
        ("link", sentence, "", "", "https://example.org/budget"),
        ("footnote", sentence, "City budget, <https://example.org/b.pdf>", "", "https://example.org/b.pdf"),
    ]
    draft = read_draft(MARKDOWN.encode(), Format.MARKDOWN)
    assert (draft.byline, str(draft.published)) == ("Rosa Ibarra", "2025-03-04")


def test_html_in_markdown_is_shown_as_it_is_written():
    assert blocks(b"# Title\n\nBefore <script>alert(1)</script>\n\n<div>x</div>\n", Format.MARKDOWN) == [
        ("headline", "Title"),
        ("paragraph", "Before <script>alert(1)</script>"),
        ("paragraph", "<div>x</div>"),
    ]


# --- .docx ---------------------------------------------------------------------------------------

DOCX = docx(
    paragraph("Bridge closes", "Titel")
    + paragraph("The city has no ferry.", "Untertitel")
    + paragraph(
        run("Repairs cost ")
        + '<w:commentRangeStart w:id="7"/>'
        + run("40 ")
        + run("million")
        + '<w:commentRangeEnd w:id="7"/><w:r><w:commentReference w:id="7"/></w:r>'
        + run(" euros.")
        + '<w:r><w:footnoteReference w:id="2"/></w:r>'
        + run(" The ")
        + f'<w:hyperlink r:id="h1">{run("mayor")}</w:hyperlink>'
        + run(" said so.")
        + '<w:r><w:endnoteReference w:id="4"/></w:r>'
    )
    + paragraph("What now", "berschrift2")
    + paragraph("Walk", numbering=5)
    + paragraph("Wait", numbering=6)
    + paragraph("Hope", numbering=6)
    + paragraph("We could have had this cheaper.", "Hauszitat")
    + paragraph("The bridge in May", "Beschriftung")
    + f"<w:tbl><w:tr><w:tc>{paragraph('Year')}</w:tc><w:tc>{paragraph('Cost')}{paragraph('in euros')}</w:tc></w:tr>"
    f"<w:tr><w:tc>{paragraph('2024')}</w:tc><w:tc>{paragraph('40')}</w:tc></w:tr></w:tbl>",
    links={"h1": "https://example.org/mayor"},
    comments='<w:comment w:id="7" w:author="Rosa"><w:p w14:paraId="A1"><w:r><w:t>Budget, page 3: '
    "https://example.org/b.pdf.</w:t></w:r></w:p></w:comment>"
    '<w:comment w:id="8" w:author="Erik"><w:p w14:paraId="A2"><w:r><w:t>Seen.</w:t></w:r></w:p></w:comment>',
    commentsExtended='<w15:commentEx w15:paraId="A2" w15:paraIdParent="A1"/>',
    footnotes='<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
    '<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>Council minutes of 3 May.</w:t></w:r></w:p>'
    "</w:footnote>",
    endnotes='<w:endnote w:id="4"><w:p><w:r><w:t>By telephone.</w:t></w:r></w:p></w:endnote>',
)


def test_a_word_document_becomes_blocks_by_the_names_of_its_styles():
    assert blocks(DOCX, Format.DOCX) == [
        ("headline", "Bridge closes"),
        ("deck", "The city has no ferry."),
        ("paragraph", "Repairs cost 40 million euros. The mayor said so."),
        ("heading", "What now"),
        ("item", "Walk"),
        ("item", "3. Wait"),
        ("item", "4. Hope"),
        ("quote", "We could have had this cheaper."),
        ("caption", "The bridge in May"),
        ("row", "Year | Cost in euros"),
        ("row", "2024 | 40"),
    ]


def test_comments_footnotes_and_links_of_a_word_document_are_backup():
    assert notes(DOCX, Format.DOCX) == [
        (
            "comment",
            "40 million",
            "Budget, page 3: https://example.org/b.pdf.\nErik: Seen.",
            "Rosa",
            "https://example.org/b.pdf",
        ),
        ("footnote", "Repairs cost 40 million euros.", "Council minutes of 3 May.", "", ""),
        ("link", "The mayor said so.", "", "", "https://example.org/mayor"),
        ("footnote", "The mayor said so.", "By telephone.", "", ""),
    ]


def test_of_tracked_changes_the_inserted_comes_in_and_the_deleted_does_not():
    deleted_end = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" + run("First half, ") + "</w:p>"
    raw = docx(
        paragraph("Title", "Titel")
        + paragraph(
            run("Repairs cost ")
            + "<w:del><w:r><w:delText>50</w:delText></w:r></w:del>"
            + f"<w:ins>{run('40')}</w:ins>"
            + run(" million.")
        )
        + f"<w:p><w:moveFrom>{run('moved away')}</w:moveFrom><w:moveTo>{run('moved here')}</w:moveTo></w:p>"
        + deleted_end
        + paragraph("second half.")
        + f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph('gone')}</w:tc></w:tr></w:tbl>"
    )

    assert blocks(raw, Format.DOCX) == [
        ("headline", "Title"),
        ("paragraph", "Repairs cost 40 million."),
        ("paragraph", "moved here"),
        ("paragraph", "First half, second half."),
    ]


def test_what_no_reader_of_a_word_document_sees_is_no_text():
    raw = docx(
        paragraph("Title", "Titel")
        + paragraph("Contents 1", "TOC1")
        + paragraph(
            run("Seen.")
            + "<w:r><w:rPr><w:vanish/></w:rPr><w:t> Hidden.</w:t></w:r>"
            + '<w:r><w:rPr><w:rStyle w:val="Versteckt"/></w:rPr><w:t> By style.</w:t></w:r>'
        )
    )

    assert blocks(raw, Format.DOCX) == [("headline", "Title"), ("paragraph", "Seen.")]


def test_of_a_field_the_result_is_text_and_its_address_backup():
    raw = docx(
        paragraph("Title", "Titel")
        + paragraph(
            run("See ")
            + '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            + '<w:r><w:instrText> HYPERLINK "https://example.org/f" </w:instrText></w:r>'
            + '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            + run("the file")
            + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
            + run(" now.")
        )
    )

    assert blocks(raw, Format.DOCX)[1] == ("paragraph", "See the file now.")
    assert notes(raw, Format.DOCX) == [("link", "See the file now.", "", "", "https://example.org/f")]


def test_a_text_box_stands_once_behind_its_paragraph():
    box = f"<w:txbxContent>{paragraph('Cheaper, she says.', 'Zitat')}</w:txbxContent>"
    both = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice><w:drawing>{box}</w:drawing></mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    raw = docx(paragraph("Title", "Titel") + paragraph(f"<w:r>{both}</w:r>" + run("Around it.")))

    assert blocks(raw, Format.DOCX) == [
        ("headline", "Title"),
        ("paragraph", "Around it."),
        ("quote", "Cheaper, she says."),
    ]


# --- .odt ----------------------------------------------------------------------------------------

ODT = odt(
    "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted words</text:p></text:deletion>"
    "</text:changed-region></text:tracked-changes>"
    '<text:p text:style-name="P1">Bridge closes</text:p>'
    '<text:p text:style-name="Subtitle">The city has no ferry.</text:p>'
    '<text:p>Repairs<text:s text:c="3"/>cost <office:annotation office:name="c1"><dc:creator>Rosa</dc:creator>'
    "<text:p>Budget, https://example.org/b.pdf</text:p></office:annotation>40 million"
    '<office:annotation-end office:name="c1"/> euros.<text:note text:note-class="footnote"><text:note-citation>1'
    "</text:note-citation><text:note-body><text:p>Council minutes.</text:p></text:note-body></text:note> The "
    '<text:a xlink:href="https://example.org/mayor">mayor</text:a> said so.'
    '<text:span text:style-name="Hid">no</text:span>'
    "</text:p>"
    '<text:h text:outline-level="2">What now</text:h>'
    '<text:list text:style-name="L1"><text:list-item><text:p>Walk</text:p></text:list-item></text:list>'
    '<text:list text:style-name="L2"><text:list-item><text:p>Wait</text:p></text:list-item>'
    "<text:list-item><text:p>Hope</text:p></text:list-item></text:list>"
    '<text:p text:style-name="Quotations">We could have had this cheaper.</text:p>'
    '<text:p><draw:frame><draw:text-box><text:p text:style-name="Caption">The bridge in May</text:p></draw:text-box>'
    "</draw:frame></text:p>"
    "<table:table><table:table-row><table:table-cell><text:p>Year</text:p></table:table-cell>"
    "<table:table-cell><text:p>Cost</text:p></table:table-cell></table:table-row>"
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell><text:p>2024</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="1000000"><text:p>40</text:p></table:table-cell></table:table-row>'
    "</table:table>"
)


def test_an_opendocument_text_becomes_blocks():
    assert blocks(ODT, Format.ODT) == [
        ("headline", "Bridge closes"),
        ("deck", "The city has no ferry."),
        ("paragraph", "Repairs cost 40 million euros. The mayor said so."),
        ("heading", "What now"),
        ("item", "Walk"),
        ("item", "1. Wait"),
        ("item", "2. Hope"),
        ("quote", "We could have had this cheaper."),
        ("caption", "The bridge in May"),
        ("row", "Year | Cost"),
        ("row", "2024 | 40"),
    ]


def test_annotations_footnotes_and_links_of_an_opendocument_text_are_backup():
    assert notes(ODT, Format.ODT) == [
        ("comment", "40 million", "Budget, https://example.org/b.pdf", "Rosa", "https://example.org/b.pdf"),
        ("footnote", "Repairs cost 40 million euros.", "Council minutes.", "", ""),
        ("link", "The mayor said so.", "", "", "https://example.org/mayor"),
    ]


# --- PDF -----------------------------------------------------------------------------------------

PDF = pdf(
    [
        [
            (50, 800, 8, "The Paper, page 1 of 2"),
            (50, 750, 24, "Bridge closes"),
            (50, 700, 11, "Repairs of the bridge over the harbour will cost 40 million euros,"),
            (50, 686, 11, "the mayor said at a meeting with residents on Friday."),
            (50, 660, 11, "About 18,000 people cross the bridge every day, which most of them"),
            (50, 646, 11, "do on foot, as a count of the city has shown, and nobody knows"),
        ],
        [
            (50, 800, 8, "The Paper, page 2 of 2"),
            (50, 750, 11, "how they will come to work."),
            (50, 720, 14, "What now"),
            (50, 690, 11, "• Walk"),
            (50, 676, 11, "• Swim"),
        ],
    ]
)


def test_lines_of_a_pdf_become_paragraphs_across_pages_without_running_heads():
    assert blocks(PDF, Format.PDF) == [
        ("headline", "Bridge closes"),
        (
            "paragraph",
            "Repairs of the bridge over the harbour will cost 40 million euros, "
            "the mayor said at a meeting with residents on Friday.",
        ),
        (
            "paragraph",
            "About 18,000 people cross the bridge every day, which most of them "
            "do on foot, as a count of the city has shown, and nobody knows how they will come to work.",
        ),
        ("heading", "What now"),
        ("item", "Walk"),
        ("item", "Swim"),
    ]
    assert read_draft(PDF, Format.PDF).left_out == {"around"}


# --- what kind it is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "name", "form"),
    [
        (DOCX, "article.docx", Format.DOCX),
        (DOCX, "", Format.DOCX),
        (ODT, "article.zip", Format.ODT),
        (PDF, "article", Format.PDF),
        (b"<!doctype html><p>x", "article.txt", Format.HTML),
        (b"\xef\xbb\xbf<html><p>x", "", Format.HTML),
        (b"<p>x", "article.html", Format.HTML),
        (b"# x", "article.md", Format.MARKDOWN),
        (b"# x", "article.txt", Format.TEXT),
        (b"# x", "", Format.TEXT),
    ],
)
def test_the_bytes_say_what_kind_of_document_they_are_and_else_their_name(raw: bytes, name: str, form: Format):
    assert format_of(raw, name) is form


@pytest.mark.parametrize(
    ("raw", "name", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old.doc", "old Word"),
        (b"{\\rtf1 x}", "a.rtf", "rich text"),
        (b"plain words", "a.docx", "not the kind"),
    ],
)
def test_what_is_known_and_cannot_be_read_is_one_sentence(raw: bytes, name: str, words: str):
    with pytest.raises(UnreadableText, match=words):
        format_of(raw, name)


# --- hostile -------------------------------------------------------------------------------------

LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>"


def bomb() -> bytes:
    return zipped({"word/document.xml": f"<w:document {W}><w:body>" + " " * (60 * 1024 * 1024)})


def encrypted() -> bytes:
    raw = bytearray(docx(paragraph("Title")))
    # Bit 0 of the flags, in each local and each central header.
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(mark, at + 4)
    return bytes(raw)


def deep(tag: str, depth: int) -> str:
    return f"<{tag}>" * depth + f"</{tag}>" * depth


@pytest.mark.parametrize(
    ("raw", "form", "words"),
    [
        (bomb(), Format.DOCX, "more in this document"),
        (DOCX[:-200], Format.DOCX, "damaged"),
        (DOCX[:100], Format.DOCX, "damaged"),
        (zipped({"x": "y"}), Format.DOCX, "not the kind"),
        (zipped({"x": "y"}), Format.ODT, "not the kind"),
        (encrypted(), Format.DOCX, "password"),
        (odt("<text:p>x</text:p>", manifest="<manifest:encryption-data/>"), Format.ODT, "password"),
        (odt("<text:p>&b;</text:p>", doctype=LAUGHS), Format.ODT, "damaged"),
        (odt(deep("text:section", 3_000)), Format.ODT, "damaged"),
        (docx(deep("w:sdt", 3_000)), Format.DOCX, "damaged"),
        (docx(paragraph("x") * 5_001), Format.DOCX, "more in this document"),
        (docx(paragraph("x" * 2_000_001)), Format.DOCX, "more in this document"),
        (docx("<w:p/>"), Format.DOCX, "no text"),
        (zipped({f"part{number}": "" for number in range(10_001)}), Format.DOCX, "more in this document"),
        (b"%PDF-1.4 rubbish", Format.PDF, "damaged"),
        (pdf([[]]), Format.PDF, "damaged"),
        (("> " * 200_000 + "x").encode(), Format.MARKDOWN, "."),
    ],
)
def test_a_hostile_document_is_one_sentence(raw: bytes, form: Format, words: str):
    with pytest.raises(UnreadableText, match=words):
        read_draft(raw, form)


def test_nothing_that_a_document_points_at_outside_is_asked_for():
    doctype = "<!DOCTYPE x SYSTEM 'file:///etc/passwd' [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"

    with pytest.raises(UnreadableText, match="damaged"):
        read_draft(odt("<text:p>&e;</text:p>", doctype=doctype), Format.ODT)


def test_macros_and_embedded_files_of_a_document_stay_in_it():
    raw = docx(paragraph("Title", "Titel") + paragraph("Text."))
    with zipfile.ZipFile(grown := BytesIO(raw), "a") as package:
        package.writestr("word/vbaProject.bin", b"Sub AutoOpen")
        package.writestr("word/embeddings/oleObject1.bin", b"\xd0\xcf")

    assert blocks(grown.getvalue(), Format.DOCX) == [("headline", "Title"), ("paragraph", "Text.")]


def test_a_raised_number_of_a_word_document_stays_raised_and_what_is_struck_out_is_left_out():
    made = run("Ten is 10") + "".join(
        f"<w:r><w:rPr>{how}</w:rPr><w:t xml:space='preserve'>{words}</w:t></w:r>"
        for how, words in (
            ('<w:vertAlign w:val="superscript"/>', "2"),
            ("<w:strike/>", " or 9"),
            ('<w:strike w:val="0"/>', " at least."),
        )
    )

    assert blocks(docx(paragraph(made)), Format.DOCX) == [("paragraph", "Ten is 10² at least.")]


def test_the_second_paragraph_of_a_footnote_in_markdown_is_no_paragraph_of_the_article():
    raw = b"Title.\n\nA fact.[^1]\n\n[^1]: The source.\n\n    More of it.\n\nThe end.\n"

    assert blocks(raw, Format.MARKDOWN) == [
        ("paragraph", "Title."),
        ("paragraph", "A fact."),
        ("paragraph", "The end."),
    ]
    assert notes(raw, Format.MARKDOWN) == [("footnote", "A fact.", "The source. More of it.", "", "")]


def test_a_raised_number_of_an_opendocument_text_stays_raised_and_what_is_struck_out_is_left_out():
    styles = (
        '<style:style style:name="T1" style:family="text"><style:text-properties style:text-position="super 58%"/>'
        '</style:style><style:style style:name="T2" style:family="text">'
        '<style:text-properties style:text-line-through-style="solid"/></style:style>'
    )
    body = (
        '<text:p>Ten is 10<text:span text:style-name="T1">2</text:span>'
        '<text:span text:style-name="T2"> or 9</text:span> at least.</text:p>'
    )

    assert blocks(odt(body, styles=styles), Format.ODT) == [("paragraph", "Ten is 10² at least.")]


def test_a_style_that_is_named_and_not_described_is_known_by_its_name() -> None:
    body = "<text:p>The bridge.</text:p>" + '<text:p text:style-name="Drawing">Seen from the west.</text:p>'

    assert blocks(odt(body), Format.ODT) == [("paragraph", "The bridge."), ("caption", "Seen from the west.")]
