"""What a page is taken for, and that a page with words of its own is not taken for a wall."""

from typing import Any

import pytest

from factcheck.archive.classify import Received, classify
from factcheck.archive.media import declared, sniff

LONG = 5_000


def verdict(*, title: str = "", final_url: str = "https://example.org/news/dam", **facts: Any) -> tuple[str, str]:
    known = {"visible_chars": 100, "h1": "", "beginning": "", "scripts": 0, "walls": [], "password_fields": 0} | facts
    page = Received(
        status=200, headers={}, url="https://example.org/news/dam", final_url=final_url, title=title, facts=known
    )
    found = classify(page)
    return found.outcome.value, found.reason


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"title": "Page not found | Herald"}, ("gone", "soft404")),
        ({"h1": "404"}, ("gone", "soft404")),
        ({"h1": "Diese Seite wurde nicht gefunden"}, ("gone", "soft404")),
        ({"h1": "Page not found", "visible_chars": LONG}, ("captured", "")),
        ({"title": "404 dead in the flood"}, ("gone", "soft404")),
        ({"title": "404 dead in the flood", "visible_chars": LONG}, ("captured", "")),
        ({"title": "The page that could change the law"}, ("captured", "")),
        ({"password_fields": 1, "beginning": "Sign in to go on"}, ("blocked", "login")),
        ({"password_fields": 1, "beginning": "x" * 2_000, "visible_chars": LONG}, ("captured", "")),
        (
            {"final_url": "https://example.org/login?next=/news/dam", "beginning": "Log in with your account"},
            ("blocked", "login"),
        ),
        ({"beginning": "Subscribe to continue reading"}, ("blocked", "paywall")),
        ({"beginning": "Subscribe to continue reading", "visible_chars": LONG}, ("captured", "")),
        ({"beginning": "Already a subscriber? Hello.", "free_of_charge": True}, ("captured", "")),
        ({"title": "Just a moment...", "beginning": "Verifying you are human"}, ("blocked", "bot_wall")),
        ({"title": "Just a moment...", "visible_chars": LONG}, ("captured", "")),
        ({"walls": ["datadome"], "visible_chars": 20}, ("blocked", "bot_wall")),
        ({"walls": ["captcha"], "visible_chars": 1_000}, ("captured", "")),
        ({"visible_chars": 0, "scripts": 3, "empty_mount": True}, ("needs_browser", "")),
        ({"visible_chars": 30, "scripts": 1, "asks_for_script": True}, ("needs_browser", "")),
        ({"visible_chars": 0, "scripts": 3}, ("captured", "")),
        ({"visible_chars": LONG, "scripts": 3, "asks_for_script": True}, ("captured", "")),
    ],
)
def test_a_page_is_taken_for_what_it_is(page: dict[str, Any], expected: tuple[str, str]) -> None:
    assert verdict(**page) == expected


@pytest.mark.parametrize(
    ("head", "said", "media_type"),
    [
        (b"%PDF-1.7\n", "text/html", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "text/html", "image/png"),
        (b"<!DOCTYPE html><p>x", "application/pdf", "text/html"),
        (b"  <html>", "", "text/html"),
        (b"<p>not markup to a browser", "text/plain", "text/plain"),
        (b"no tag at all", "text/html", "text/html"),
        (b"\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00", "", "text/html"),
        (b"a,b\n1,2", "text/csv", "text/csv"),
        (b'{"a": 1}', "application/json", "application/json"),
        (b"\x00\x01\x02", "text/plain", "application/octet-stream"),
        (b'<?xml version="1.0"?><rss>', "application/rss+xml", "application/rss+xml"),
        (b'<?xml version="1.0"?><svg>', "text/xml", "image/svg+xml"),
        (b"PK\x03\x04", "", "application/zip"),
    ],
)
def test_the_bytes_say_what_kind_of_file_it_is(head: bytes, said: str, media_type: str) -> None:
    assert sniff(head, said) == media_type


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Text/HTML; Charset="UTF-8"', ("text/html", "utf-8")),
        ("text/plain", ("text/plain", "")),
        ("nonsense", ("", "")),
        (None, ("", "")),
    ],
)
def test_a_content_type_is_read_as_servers_write_it(header: str | None, expected: tuple[str, str]) -> None:
    assert declared(header) == expected
