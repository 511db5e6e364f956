"""What a page is taken for, and that a page with words of its own is not taken for a wall."""

from typing import Any

import pytest

from factcheck.archive.classify import Received, classify
from factcheck.archive.media import declared, sniff

LONG = 5_000


def verdict(
    *, title: str = "", final_url: str = "https://example.org/news/dam", status: int = 200, **facts: Any
) -> tuple[str, str]:
    known = {"visible_chars": 100, "h1": "", "beginning": "", "scripts": 0, "walls": [], "password_fields": 0} | facts
    page = Received(
        status=status, headers={}, url="https://example.org/news/dam", final_url=final_url, title=title, facts=known
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
    "said",
    [
        "Sorry, the page you are looking for could not be found",
        "We can't find that page",
        "Die von Ihnen gesuchte Seite wurde nicht gefunden",
        "Artikel nicht mehr verfügbar | Anzeiger",
        "Page non trouvée - Le Journal",
        "La page demandée n'existe pas",
        "Página no encontrada",
        "La página solicitada no existe",
        "Página não encontrada",
        "Pagina non trovata",
        "Pagina niet gevonden | Courant",
        "Sidan kunde inte hittas",
        "Siden blev ikke fundet",
        "Siden finnes ikke",
        "Sivua ei löytynyt",
        "Strona nie została znaleziona",
        "Nie znaleziono strony",
        "Stránka nenalezena",
        "Az oldal nem található",
        "Pagina nu a fost găsită",
        "Sayfa bulunamadı",
        "Страница не найдена",
        "Ошибка 404",
        "Сторінку не знайдено",
        "Η σελίδα δεν βρέθηκε",
        "ページが見つかりません",
        "页面不存在",
        "페이지를 찾을 수 없습니다",
    ],
)
def test_a_page_that_is_not_there_says_so_in_many_languages(said: str) -> None:
    assert verdict(title=said) == ("gone", "soft404")
    assert verdict(h1=said) == ("gone", "soft404")
    assert verdict(title=said, visible_chars=LONG) == ("captured", "")


@pytest.mark.parametrize(
    "title",
    [
        "Die Seite der Opfer",
        "Der Artikel 5 des Grundgesetzes",
        "La page blanche de l'écrivain",
        "Una página de la historia",
        "Un momento de silencio por las víctimas",
        "Страница истории закрыта",
        "The article that the court struck down",
        "This page of history is closed",
        "Siden sist: hva har skjedd",
    ],
)
def test_a_short_page_with_such_a_word_in_its_title_is_a_page(title: str) -> None:
    assert verdict(title=title) == ("captured", "")


@pytest.mark.parametrize(
    "said",
    [
        "Cet article est réservé aux abonnés",
        "La suite est réservée à nos abonnés",
        "Exklusiv für Abonnenten",
        "Contenido exclusivo para suscriptores",
        "Conteúdo exclusivo para assinantes",
        "Contenuto riservato agli abbonati",
        "Alleen voor abonnees",
        "Статья доступна только для подписчиков",
    ],
)
def test_a_wall_of_payment_says_so_in_many_languages(said: str) -> None:
    assert verdict(beginning=said) == ("blocked", "paywall")
    assert verdict(beginning=said, visible_chars=LONG) == ("captured", "")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"status": 451}, ("blocked", "geo")),
        ({"status": 451, "visible_chars": LONG}, ("blocked", "geo")),
        ({"status": 403, "beginning": "This content is not available in your region."}, ("blocked", "geo")),
        ({"status": 403, "beginning": "Forbidden"}, ("blocked", "status")),
        (
            {"beginning": "We recognize you are from a country belonging to the European Economic Area"},
            ("blocked", "geo"),
        ),
        ({"beginning": "Dieser Inhalt ist in Ihrem Land nicht verfügbar."}, ("blocked", "geo")),
        ({"beginning": "Contenu pas disponible dans votre pays"}, ("blocked", "geo")),
        ({"title": "Contenido no disponible en su país"}, ("blocked", "geo")),
        ({"beginning": "This film is not available in your country.", "visible_chars": 900}, ("captured", "")),
        ({"status": 404, "beginning": "Not available in your country"}, ("gone", "404")),
        ({"beginning": "The law for the European Economic Area was passed."}, ("captured", "")),
    ],
)
def test_a_page_for_other_countries_only_is_named_so(page: dict[str, Any], expected: tuple[str, str]) -> None:
    assert verdict(**page) == expected


def test_a_wall_is_known_by_a_title_that_says_nothing_else() -> None:
    assert verdict(title="Un instant…") == ("blocked", "bot_wall")


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
