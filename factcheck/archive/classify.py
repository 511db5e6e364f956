"""What a received page is: the page that was asked for, or a wall, a sign-in, an empty frame, a "not found".

Everything here reads small facts that the extraction child or the transport found; nothing opens the page again.
A long page that happens to use such words is a page: each phrase counts only where there is little else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from factcheck.archive.outcomes import Outcome

# Shorter than this, a text is no article.
LITTLE_TEXT = 1_500
ALMOST_NO_TEXT = 250

_CHALLENGE_TITLES = re.compile(
    r"^\s*(?:just a moment|attention required|access denied|access to this page has been denied|are you a robot"
    r"|robot or human|pardon our interruption|please verify (?:that )?you are (?:a )?human|verify you are (?:a )?human"
    r"|human verification|security check(?:point)?|ddos-guard|checking your browser|one more step|request unsuccessful"
    r"|bot verification|client challenge|einen moment)",
    re.IGNORECASE,
)
_CHALLENGE_WORDS = re.compile(
    r"verify(?:ing)? (?:that )?you are (?:a )?human|checking (?:if the site connection is secure|your browser)"
    r"|prove (?:that )?you(?:'|’| a)re (?:not a robot|human)|unusual traffic from your"
    r"|enable (?:javascript and )?cookies to continue|complete the (?:captcha|security check)|i(?:'|’)?m not a robot"
    r"|press (?:and|&) hold",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"^\W*(?:(?:error|fehler|erreur)\W{0,3})?(?:404\b|410\b)|^\W*(?:sorry\W+)?(?:the |this |that |diese |cette )?"
    r"(?:page|article|document|content|seite|artikel|página|pagina)\b.{0,20}?"
    r"(?:not found|does(?: not|n.t) exist|(?:is )?no longer (?:available|exists)|cannot be found|can.t be found"
    r"|could not be found|couldn.t be found|nicht gefunden|existiert nicht|introuvable|no encontrada|no existe"
    r"|non trovata|niet gevonden)|^\W*not found\W*$|^\W*nicht gefunden\W*$",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|signon|sso|auth|authenticate|anmelden|anmeldung|accounts?/login|users?/sign_in)"
    r"(?:[/?.]|$)",
    re.IGNORECASE,
)
_LOGIN_WORDS = re.compile(
    r"\b(?:log ?in|sign ?in|anmelden|einloggen|se connecter|iniciar sesión|accedi)\b", re.IGNORECASE
)
_PAYWALL_WORDS = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read|unlock)|to (?:continue|keep) reading|already a (?:subscriber|member)"
    r"|this (?:article|story|content) is (?:only |exclusively )?(?:for|available to) (?:our )?(?:subscribers|members)"
    r"|start your (?:free )?(?:trial|subscription)|weiterlesen mit|jetzt abonnieren|réservé (?:à nos|aux) abonnés"
    r"|solo para suscriptores",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Received:
    """A final answer, as far as a verdict needs it."""

    status: int
    # Names in small letters.
    headers: Mapping[str, str]
    url: str
    final_url: str
    title: str = ""
    # What markup.read() found; empty where the file is no HTML or could not be read.
    facts: Mapping[str, Any] = field(default_factory=dict)
    # "length", "time" or "disconnect" from the wire, "decoded" where unpacking was stopped; else empty.
    truncated: str = ""


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    reason: str = ""


def classify(page: Received) -> Verdict:
    if wall := _wall(page):
        return wall
    if page.status >= 400:
        return _by_status(page.status)
    if not 200 <= page.status < 300:
        return Verdict(Outcome.UNREACHABLE, "protocol")
    if page.facts and (instead := _instead_of_the_page(page)):
        return instead
    if page.truncated:
        return Verdict(Outcome.CAPTURED_PARTIAL, page.truncated)
    return Verdict(Outcome.CAPTURED)


def _by_status(status: int) -> Verdict:
    match status:
        case 404 | 410:
            return Verdict(Outcome.GONE, str(status))
        case 401 | 407:
            return Verdict(Outcome.BLOCKED, "login")
        case 402:
            return Verdict(Outcome.BLOCKED, "paywall")
        case 408:
            return Verdict(Outcome.UNREACHABLE, "timeout")
        case 429:
            return Verdict(Outcome.BLOCKED, "rate")
        case _ if status >= 500:
            return Verdict(Outcome.UNREACHABLE, "server")
        case _:
            return Verdict(Outcome.BLOCKED, "status")


def _little_text(page: Received) -> bool:
    return int(page.facts.get("visible_chars", 0)) < LITTLE_TEXT


def _wall(page: Received) -> Verdict | None:
    if page.headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return Verdict(Outcome.BLOCKED, "bot_wall")
    if not page.facts or not _little_text(page):
        return None
    refuses = page.status in (401, 403, 405, 429, 503)
    asks = bool(_CHALLENGE_TITLES.match(page.title) or _CHALLENGE_WORDS.search(str(page.facts.get("beginning", ""))))
    marks = [mark for mark in page.facts.get("walls", []) if mark != "captcha"]
    # A captcha may also stand in the comment form of a short page, so that alone it says nothing.
    if (refuses and (asks or page.facts.get("walls"))) or (asks and _almost_no_text(page)) or (asks and marks):
        return Verdict(Outcome.BLOCKED, "bot_wall")
    if marks and _almost_no_text(page):
        return Verdict(Outcome.BLOCKED, "bot_wall")
    return None


def _almost_no_text(page: Received) -> bool:
    return int(page.facts.get("visible_chars", 0)) < ALMOST_NO_TEXT


def _instead_of_the_page(page: Received) -> Verdict | None:
    facts = page.facts
    beginning = str(facts.get("beginning", ""))
    if _little_text(page):
        if _NOT_FOUND.search(page.title) or _NOT_FOUND.search(str(facts.get("h1", ""))):
            return Verdict(Outcome.GONE, "soft404")
        if _asks_to_sign_in(page, beginning):
            return Verdict(Outcome.BLOCKED, "login")
        if _PAYWALL_WORDS.search(beginning) and facts.get("free_of_charge") is not True:
            return Verdict(Outcome.BLOCKED, "paywall")
    if _almost_no_text(page) and facts.get("scripts") and (facts.get("empty_mount") or facts.get("asks_for_script")):
        return Verdict(Outcome.NEEDS_BROWSER)
    return None


def _asks_to_sign_in(page: Received, beginning: str) -> bool:
    was_sent_there = _LOGIN_PATH.search(urlsplit(page.final_url).path) and not _LOGIN_PATH.search(
        urlsplit(page.url).path
    )
    if was_sent_there and (page.facts.get("password_fields") or _LOGIN_WORDS.search(beginning)):
        return True
    # A form in the corner of a page with words of its own does not make it a sign-in page.
    return bool(page.facts.get("password_fields")) and len(beginning) < 600
