"""Documents for the tests, written by hand: the parts that a word processor would write, and no more."""

import io
import zipfile

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
W14 = 'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
W15 = 'xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"'
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

STYLES = f"""<w:styles {W}>
<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="Untertitel"><w:name w:val="Subtitle"/></w:style>
<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>
<w:style w:type="paragraph" w:styleId="Zitat"><w:name w:val="Quote"/></w:style>
<w:style w:type="paragraph" w:styleId="Hauszitat"><w:name w:val="House quote"/><w:basedOn w:val="Zitat"/></w:style>
<w:style w:type="paragraph" w:styleId="Beschriftung"><w:name w:val="caption"/></w:style>
<w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="character" w:styleId="Versteckt"><w:name w:val="Hid"/><w:rPr><w:vanish/></w:rPr></w:style>
</w:styles>"""

NUMBERING = f"""<w:numbering {W}>
<w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="2">
<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>
<w:num w:numId="5"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="6"><w:abstractNumId w:val="2"/></w:num>
</w:numbering>"""


def zipped(parts: dict[str, str | bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            how = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            package.writestr(zipfile.ZipInfo(name), content, compress_type=how)
    return file.getvalue()


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, style: str = "", numbering: int = 0) -> str:
    inner = inner if inner.startswith("<") else run(inner)
    number = f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{numbering}"/></w:numPr>' if numbering else ""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{number}</w:pPr>{inner}</w:p>"


def docx(body: str, *, links: dict[str, str] | None = None, **parts: str) -> bytes:
    """``parts`` are the insides of comments, footnotes, endnotes and commentsExtended."""
    kinds = {"styles": "styles", "numbering": "numbering"} | {name: name for name in parts}
    relations = "".join(
        f'<Relationship Id="p{number}" Type="{_KIND}/{kind}" Target="{name}.xml"/>'
        for number, (name, kind) in enumerate(kinds.items())
    ) + "".join(
        f'<Relationship Id="{key}" Type="{_KIND}/hyperlink" Target="{url}" TargetMode="External"/>'
        for key, url in (links or {}).items()
    )
    package: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships><Relationship Id="d" Type="{_KIND}/officeDocument" Target="word/document.xml"/>'
        "</Relationships>",
        "word/_rels/document.xml.rels": f"<Relationships>{relations}</Relationships>",
        "word/document.xml": f"<w:document {W} {R}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": STYLES,
        "word/numbering.xml": NUMBERING,
    }
    for name, inner in parts.items():
        package[f"word/{name}.xml"] = f"<w:{name} {W} {R} {W14} {W15}>{inner}</w:{name}>"
    return zipped(package)


_ODT_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
        ("fo", "xsl-fo-compatible"), ("manifest", "manifest"),
    )
) + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip

ODT_STYLES = """<style:style style:name="P1" style:parent-style-name="Title"/>
<style:style style:name="Hid" style:family="text"><style:text-properties text:display="none"/></style:style>
<text:list-style style:name="L1"><text:list-level-style-bullet text:level="1"/></text:list-style>
<text:list-style style:name="L2">
<text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style>"""


def odt(body: str, *, manifest: str = "", doctype: str = "", styles: str = "") -> bytes:
    named = "".join(f'<style:style style:name="{name}"/>' for name in ("Title", "Subtitle", "Quotations", "Caption"))
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": f"<manifest:manifest {_ODT_NAMES}>{manifest}</manifest:manifest>",
            "styles.xml": f"<office:document-styles {_ODT_NAMES}><office:styles>{named}</office:styles>"
            "</office:document-styles>",
            "content.xml": f"<?xml version='1.0'?>{doctype}<office:document-content {_ODT_NAMES}>"
            f"<office:automatic-styles>{ODT_STYLES}{styles}</office:automatic-styles>"
            f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        },
        stored=("mimetype",),
    )


def pdf(pages: list[list[tuple[float, float, float, str]]]) -> bytes:
    """Each page is lines of (left, bottom, size, words), set in Helvetica."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    kids = []
    for lines in pages:
        drawn = "".join(
            "BT /F1 {} Tf 1 0 0 1 {} {} Tm ({}) Tj ET\n".format(
                size, left, bottom, words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            )
            for left, bottom, size, words in lines
        )
        objects.append(f"<</Length {len(drawn.encode('cp1252'))}>>stream\n{drawn}endstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
    written = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        written
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n"
            f"startxref\n{len(written)}\n%%EOF"
        ).encode()
    )
