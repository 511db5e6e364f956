"""Archived pages and style sheets made harmless, each address led into the package or nowhere."""

import os

import pytest

from factcheck.archive.extraction.rewriting import key, rewrite
from factcheck.archive.rewriting import rewritten

PLACES = {
    "http://news.example/a.png": (1, "image"),
    "http://news.example/b,c.png": (2, "image"),
    "http://news.example/style.css": (3, "style"),
    "http://news.example/frame": (4, "page"),
    "http://news.example/f.woff2": (5, "font"),
    "http://news.example/deep/a.png": (6, "image"),
}
ORDER = {
    "kind": "page",
    "base": "http://news.example/costs",
    "charset": "utf-8",
    "prefix": "r/",
    "left_out": "not in the copy",
    "frames": True,
    "places": {key(address): place for address, place in PLACES.items()},
}


def page(markup: str, **changed) -> str:
    return rewrite(markup.encode(), ORDER | changed)


def css(text: str) -> str:
    return rewrite(text.encode(), ORDER | {"kind": "style", "prefix": ""})


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("HTTP://News.Example:80/a", "http://news.example/a"),
        ("https://news.example", "https://news.example:443/#part"),
        ("http://news.example/%7Ea", "http://news.example/~a"),
        ("http://news.example/ä?ö", "http://news.example/%c3%a4?%C3%B6"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ],
)
def test_addresses_that_mean_the_same_are_found_by_one_key(address, same):
    assert key(address) == key(same) != ""


@pytest.mark.parametrize("address", ["data:,x", "javascript:1", "http://", "http://[::1", "http://x:y/", "//x", ""])
def test_what_is_no_address_of_the_web_has_no_key(address):
    assert key(address) == ""


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<img src="a.png">', 'src="r/1"'),
        ('<img srcset="b,c.png 2x, a.png, gone.png 3x">', 'srcset="r/2 2x, r/1"'),
        ('<img src="gone.png" srcset="a.png 300w">', 'src="r/1"'),
        ('<img data-src="a.png">', 'src="r/1"'),
        ('<img data-hi-res-src="a.png">', 'src="r/1"'),
        ('<picture><source srcset="a.png"><img src="gone.png" id="in"></picture>', '<source srcset="r/1">'),
        ('<video poster="a.png" src="gone.mp4"></video>', 'poster="r/1"'),
        ('<input type="IMAGE" src="a.png">', 'src="r/1"'),
        ('<svg><image xlink:href="a.png"/></svg>', 'href="r/1"'),
        ('<table background="a.png"></table>', 'background="r/1"'),
        ("<p style=\"background: URL( 'a.png' )\">", 'url("r/1")'),
        ("<style>p { background: url(a.png) }</style>", 'url("r/1")'),
        ('<LINK REL="StyleSheet" HREF="style.css" media="print">', '<style media="print">@import "r/3";</style>'),
        ('<iframe src="frame">x</iframe>', 'src="r/4"'),
        ('<base href="/deep/"><img src="a.png">', 'src="r/6"'),
        ('<a href="#below">', 'href="#below"'),
        ('<svg><rect fill="url(#g)"/></svg>', "fill='url(\"#g\")'"),
    ],
)
def test_what_is_in_the_package_is_led_there(markup, expected):
    assert expected in page(markup)


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="//evil.example/x">',
        '<img src="style.css">',
        '<link rel="stylesheet" href="a.png">',
        '<iframe src="a.png"></iframe>',
        '<iframe srcdoc="evil.example"></iframe>',
        '<link rel="preconnect" href="//evil.example">',
        '<style><!-- </style><link rel=preconnect href="//evil.example"> --></style>',
        '<meta http-equiv="refresh" content="0;url=//evil.example">',
        '<object data="//evil.example"></object><embed src="//evil.example">',
        '<applet codebase="//evil.example"></applet>',
        '<form action="//evil.example"><button formaction="//evil.example">x</button></form>',
        '<svg><use href="//evil.example#x"/><set attributeName="href" to="//evil.example"/></svg>',
        '<p onclick="evil.example" ONLOAD="evil.example">',
        "<script>evil.example</script><template>evil.example</template><noembed>evil.example</noembed>",
        '<body background="//evil.example">',
        "<p style=\"background: url('//evil.example')\">",
        '<style>@import "//evil.example"; @import url(//evil.example); p { cursor: url("//evil.example") }</style>',
        '<svg><rect filter="url(//evil.example#x)"/></svg>',
        '<html manifest="//evil.example"><base href="//evil.example"><base target="_blank">',
    ],
)
def test_what_is_not_in_the_package_is_left_out(markup):
    made = page(markup)

    assert "evil.example" not in made
    assert "r/" not in made
    assert "<link" not in made


def test_a_picture_that_is_not_there_says_so_and_one_of_the_page_itself_stays():
    made = page('<img src="gone.png" alt="A bridge"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')

    assert 'alt="A bridge (not in the copy)"' in made
    assert 'src="data:image/gif;base64,R0lGODlhAQABAAAAACw="' in made


def test_a_link_keeps_its_looks_and_its_address_to_read_and_leads_nowhere():
    made = page('<a href="/other">Other</a><a href="javascript:alert(1)">Run</a>')

    assert '<a href="#not-in-copy" title="http://news.example/other">Other</a>' in made
    assert "javascript" not in made


def test_frames_inside_frames_are_left_out():
    assert "r/4" not in page('<iframe src="frame"></iframe>', frames=False)


def test_the_way_of_laying_out_stays_with_the_pages_own_doctype():
    assert page("<!DOCTYPE html><p>x").startswith("<!DOCTYPE html>\n<html")
    assert page("<p>x").startswith("<html")


SYMBOLS = (
    '<?xml version="1.0" encoding="latin-1"?><svg xmlns="http://www.w3.org/2000/svg"'
    ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:h="http://www.w3.org/1999/xhtml">'
    '<defs><linearGradient id="g"><stop/></linearGradient></defs><style>p { display: none }</style>'
    '<symbol id="bell" viewBox="0 0 9 9" class="sneaky" onload="run()"><script>run()</script><h:iframe src="/x"/>'
    '<path d="M0" fill="url(#g)"/><use xlink:href="#ring"/><use href="http://canary.example/x.svg#y"/>'
    '<image href="http://canary.example/x.png"/><foreignObject><h:p>x</h:p></foreignObject></symbol>'
    '<g id="ring"><animate attributeName="href" to="javascript:run()"/></g></svg>'
)
DRAWINGS = {"drawings": {key("http://news.example/icons.svg"): SYMBOLS}}


def test_a_symbol_of_a_drawing_in_the_package_comes_into_the_page_under_names_of_its_own():
    made = page(
        '<svg id="bell"><use xlink:href="icons.svg#bell"/></svg><svg><use href="/icons.svg#ring"/></svg>', **DRAWINGS
    )

    assert made.count('<symbol id="drawing-0-bell" viewBox="0 0 9 9"') == 1
    assert 'href="#drawing-0-bell"' in made
    assert made.count('href="#drawing-0-ring"') == 2
    assert 'url("#drawing-0-g")' in made


def test_of_a_drawing_nothing_comes_into_the_page_that_runs_or_fetches_or_styles_it():
    made = page('<svg><use href="icons.svg#bell"/></svg>', **DRAWINGS)

    for thing in ("run()", "canary", "display: none", "sneaky", "<iframe", "oreign", "<animate"):
        assert thing not in made, thing


@pytest.mark.parametrize(
    "text", ["", "no drawing", "<html xmlns='x'/>", SYMBOLS[:-30], "<!DOCTYPE svg [<!ENTITY a 'b'>]>"]
)
def test_a_drawing_that_cannot_be_read_is_left_out(text):
    made = page('<svg><use href="icons.svg#bell"/></svg>', drawings={key("http://news.example/icons.svg"): text})

    assert "drawing-0" not in made
    assert "icons.svg" not in made


def test_a_drawing_that_unpacks_itself_is_left_out():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 9}">' for n in range(1, 12))
    drawn = '<svg xmlns="http://www.w3.org/2000/svg"><g id="bell">&e11;</g></svg>'
    text = f'<!DOCTYPE svg [<!ENTITY e0 "x">{entities}]>{drawn}'

    assert (
        len(page('<svg><use href="icons.svg#bell"/></svg>', drawings={key("http://news.example/icons.svg"): text}))
        < 2_000
    )


def test_text_behind_a_tag_without_content_stays():
    made = page('<p>One<wbr>two<picture><source srcset="gone"><img src="a.png"></picture> three<script>1</script> four')

    assert "One<wbr>two" in made.replace("</wbr>", "")
    assert made.index("two") < made.index('src="r/1"') < made.index("three") < made.index("four")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('@import "style.css" screen;', '@import "3" screen;'),
        ("@import url(style.css);", '@import url("3");'),
        ("a { src: url(f.woff2) format('woff2'), url(gone.ttf) }", 'url("5") format(\'woff2\'), url("data:,")'),
        (r"a { background: url(a\.png) }", 'url("1")'),
        ("/* url(a.png) */ a { content: 'url(a.png)' }", "/* url(a.png) */ a { content: 'url(a.png)' }"),
        ("a { background: url( data:image/png;base64,AA== ) }", 'url("data:image/png;base64,AA==")'),
        (
            """a { background: image-set("a.png" type("image/png") 1x, 'gone.png' 2x) }""",
            'image-set("1" type("image/png") 1x, "data:," 2x)',
        ),
        ("a { background: -WEBKIT-IMAGE-SET(url(a.png) 1x, 'b,c.png' 2x) }", '(url("1") 1x, "2" 2x)'),
        ("a { background: image-set('data:image/png;base64,AA==' 1x) }", '"data:image/png;base64,AA=="'),
        ("a { background: image-set(linear-gradient(red, blue) 1x); content: 'a.png' }", "content: 'a.png'"),
        (r".w-\[calc\(1\)\] { background: image-set('a.png' 1x) } b { content: 'a.png' }", "content: 'a.png'"),
        (r'a { background: url("data:image/png,\"); } b { background: url(x)") }', r"\22 "),
    ],
)
def test_a_style_sheet_leads_into_the_package_too(given, expected):
    assert expected in css(given)


def test_a_style_cannot_end_its_element_from_within_an_address():
    made = page("<style>p { background: url('data:image/png,</sty\\6ce><p id=out>') }</style>")

    assert "<p id" not in made


@pytest.mark.parametrize(
    "content",
    [
        "<style>" + "url(" * 200_000,
        "<style>" + "/*" * 200_000,
        "<style>" + "@import '" * 100_000,
        "<style>" + "url('" * 100_000 + "\n",
        "<style>" + "image-set(" * 200_000 + "'a.png'",
        "<style>" + "\\'" * 200_000,
        "<style>" + "a-" * 400_000,
        '<img srcset="' + ", " * 200_000 + '">',
        '<img srcset="' + "a, " * 200_000 + '">',
        ('<img srcset="' + "\u00a0" * 50_000 + '">') * 20,
        "<p>" + "<i>" * 1_900,
        "<source>" * 1_900,
    ],
)
def test_hostile_content_costs_no_more_than_the_child_may_spend(settings, tmp_path, content):
    settings.DERIVED_DIR = tmp_path

    assert rewritten("hostile", [content.encode()], ORDER).problem == ""


def test_a_page_beyond_the_limits_has_a_result_and_is_not_read_again(settings, tmp_path, monkeypatch):
    settings.DERIVED_DIR = tmp_path
    deep = b"<div>" * 3_000

    assert rewritten("deep", [deep], ORDER).problem == "limit"
    monkeypatch.setattr("factcheck.archive.rewriting.run_child", None)

    assert rewritten("deep", [deep], ORDER).problem == "limit"
    assert len(os.listdir(tmp_path)) == 1
