"""A page whose parts are made to confuse, to overload or to be counted wrongly."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.archive import requisites
from factcheck.archive.extraction.links import Link, css_links, find
from factcheck.archive.requisites import Budget, Requisites, fetch_requisites
from tests import web
from tests.web import Page


@contextmanager
def fetched(site: web.Site, links: list[Link], *, count: int = 100) -> Iterator[Requisites]:
    with override_settings(ARCHIVE_ALLOW_LOOPBACK=[site.pair]):
        made = fetch_requisites(
            site.url("/"),
            "",
            links,
            budget=Budget(count, 10_000_000, 1_000_000, 20),
            user_agent="Test",
            read_links=lambda *_file: ("", []),
        )
    try:
        yield made
    finally:
        made.close()


def paths(made: Requisites, site: web.Site) -> list[str]:
    return [exchange.url.removeprefix(site.url("")) for exchange in made.exchanges]


def test_redirects_in_a_circle_are_no_copy_of_anything() -> None:
    pages: dict[str, Page] = {"/a": web.redirect("/b"), "/b": web.redirect("/a#x"), "/self": web.redirect("/self")}
    with web.serve(pages) as site, fetched(site, [("image", "/a"), ("image", "/b"), ("image", "/self")]) as made:
        assert (made.found, made.kept, made.missed) == (3, 0, {"refused": 3})
        assert sorted(paths(made, site)) == ["/a", "/b", "/self"]


def test_a_redirect_to_what_is_missing_counts_as_missing_for_all_who_lead_there() -> None:
    pages: dict[str, Page] = {"/a": web.redirect("/gone"), "/b": web.redirect("/gone")}
    with web.serve(pages) as site, fetched(site, [("image", "/a"), ("image", "/b")]) as made:
        assert (made.kept, made.missed) == (0, {"absent": 2})
        assert len(site.requests) == 3


@pytest.mark.parametrize("slow", ["/a", "/b"])
def test_what_two_parts_lead_to_stands_where_the_first_names_it_whoever_was_quicker(slow: str) -> None:
    def late(visit: web.Visit) -> None:
        visit.pause(0.2)
        visit.send(web.redirect("/shared"))

    pages: dict[str, Page] = {name: late if name == slow else web.redirect("/shared") for name in ("/a", "/b")}
    pages["/shared"] = web.page(b"x", media_type="image/png")
    with web.serve(pages) as site, fetched(site, [("image", "/a"), ("image", "/b")]) as made:
        assert paths(made, site) == ["/a", "/shared", "/b"]
        assert (made.found, made.kept) == (2, 2)


def test_styles_that_import_each_other_are_each_fetched_once() -> None:
    pages: dict[str, Page] = {
        "/a.css": web.page("@import '/b.css'; @import '/a.css';", media_type="text/css"),
        "/b.css": web.page("@import '/a.css'; p {background: url(/p.png)}", media_type="text/css"),
        "/p.png": web.page(b"x", media_type="image/png"),
    }
    with web.serve(pages) as site, fetched(site, [("style", "/a.css"), ("style", "/b.css")]) as made:
        assert paths(made, site) == ["/a.css", "/b.css", "/p.png"]
        assert len(site.requests) == 3


def test_a_host_that_asked_for_patience_is_not_asked_by_way_of_a_redirect() -> None:
    busy = web.page(b"", status="429 Too Many", headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})
    with web.serve({"/busy": busy}) as shop, web.serve({"/a": web.redirect(shop.url("/busy"))}) as site:
        with override_settings(ARCHIVE_ALLOW_LOOPBACK=[site.pair, shop.pair]):
            made = fetch_requisites(
                site.url("/"),
                "",
                [("style", shop.url("/busy?1")), *(("script", f"/a?{number}") for number in range(8))],
                budget=Budget(100, 10_000_000, 1_000_000, 20),
                user_agent="Test",
                read_links=lambda *_file: ("", []),
            )
        made.close()
        assert made.missed == {"asked_to_wait": 9}
        assert len(shop.requests) < 9


def test_style_sheets_without_end_are_not_counted_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requisites, "MAX_FOUND", 50)
    css = "".join(f"p {{background: url(/{number}.png)}}" for number in range(500))
    pages: dict[str, Page] = {"/a.css": web.page(css, media_type="text/css")}
    with web.serve(pages) as site, fetched(site, [("style", "/a.css")], count=1) as made:
        assert (made.found, made.kept, made.missed) == (50, 1, {"too_many": 49})


NAMES = [f"/{number}" for number in range(8)]
ANSWERS = st.one_of(
    st.sampled_from(NAMES).map(web.redirect),
    st.sampled_from(["http://[bad/", "ftp://x/", "http://10.0.0.1/", ""]).map(web.redirect),
    st.lists(st.sampled_from([*NAMES, "http://a..b/", "http://10.0.0.1/x", "http://[::1"]), max_size=4).map(
        lambda names: web.page("".join(f"@import '{name}';" for name in names), media_type="text/css")
    ),
    st.sampled_from(
        [
            web.page(b"", status="404 Not Found"),
            web.page(b"", status="503 Busy", headers={"Retry-After": "0"}),
            web.page(b"", status="429 Busy"),
            web.page(b"not packed", media_type="text/css", headers={"Content-Encoding": "gzip"}),
            b"nonsense\r\n\r\n",
            b"",
        ]
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    pages=st.fixed_dictionaries(dict.fromkeys(NAMES, ANSWERS)),
    links=st.lists(
        st.tuples(st.sampled_from(["style", "image", "frame", "script"]), st.sampled_from([*NAMES, "http://0/"])),
        max_size=8,
    ),
    count=st.integers(1, 9),
)
def test_what_was_found_is_what_was_kept_and_what_was_missed(
    pages: dict[str, bytes], links: list[Link], count: int
) -> None:
    with web.serve(pages) as site, fetched(site, links, count=count) as made:
        assert made.found == made.kept + sum(made.missed.values())
        assert made.kept >= 0
        assert (
            len({id(exchange) for exchange in made.exchanges})
            == len(made.exchanges)
            == len(site.requests)
            - sum(site.pages[request.target] in (b"", b"nonsense\r\n\r\n") for request in site.requests)
        )


def test_a_style_sheet_of_quotes_and_brackets_is_read_in_one_pass() -> None:
    # With another try from each of them, these would keep a test busy for hours.
    for hostile in (
        '"\\"' * 10,
        "\"'",
        "'\\'",
        '@import "\\"',
        'url("\\"',
        "url(",
        "url('\\'",
        "/*",
        "/* *",
        "@import ",
    ):
        text = hostile * (2_000_000 // len(hostile))
        assert len(css_links(text)) <= 5_000


def test_an_unclosed_string_hides_what_is_in_it_to_the_end_of_its_line() -> None:
    assert css_links('p { content: "url(a.png)\n} q { background: url(b.png) }') == [("image", "b.png")]


def test_a_set_of_sources_that_is_all_separators_is_read_in_one_pass() -> None:
    from lxml import html

    page = html.fromstring(
        "<body>" + '<img srcset="a,' + " ," * 24_000 + '">' * 1 + ("<img srcset='a.png, b.png 2x , '>")
    )
    many = html.fromstring("<body>" + ('<img srcset="' + " ," * 24_000 + '">') * 300)

    assert [address for _kind, address in find(page)[1]] == ["a", "a.png", "b.png"]
    assert find(many) == ("", [])


_OF_A_SHEET = (
    *("url(", "URL(", ")", "(", "format(", "\\(", "\\)", "@import", "@Import ", "@import url(c)", '@import "d"', "@"),
    *(
        '"',
        "'",
        'url("a")',
        "url('b')",
        "url( e )",
        "/*",
        "*/",
        "/",
        "\\",
        "\\22 ",
        "u",
        "-",
        "é",
        "a.png",
        " ",
        "\n",
        ";",
    ),
)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(_OF_A_SHEET), max_size=14).map("".join))
def test_a_sheet_without_image_sets_is_read_the_quick_way_as_it_would_be_the_other(sheet: str) -> None:
    """What a sheet names does not depend on words at its end, after all that it may have left open."""
    quickly = css_links(f"{sheet}\n*/\n")

    assert css_links(f"{sheet}\n*/\nimage-set") == quickly
