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

# A notice that stands in the place of a page.
NOTICE = 600

_CHALLENGE_TITLES = re.compile(
    r"^\s*(?:just a moment|attention required|access denied|access to this page has been denied|are you a robot"
    r"|robot or human|pardon our interruption|please verify (?:that )?you are (?:a )?human|verify you are (?:a )?human"
    r"|human verification|security check(?:point)?|ddos-guard|checking your browser|one more step|request unsuccessful"
    r"|bot verification|client challenge|einen moment)"
    # Words that an article may begin with, too: here they are all of the title.
    r"|^\W*(?:nur einen moment|un instant|un momento|um momento|een moment(?: geduld)?|ett ögonblick|jeszcze chwila"
    r"|один момент|bir dakika(?: lütfen)?|しばらくお待ちください|请稍候|請稍候)\W*$",
    re.IGNORECASE,
)
_CHALLENGE_WORDS = re.compile(
    r"verify(?:ing)? (?:that )?you are (?:a )?human|checking (?:if the site connection is secure|your browser)"
    r"|prove (?:that )?you(?:'|’| a)re (?:not a robot|human)|unusual traffic from your"
    r"|enable (?:javascript and )?cookies to continue|complete the (?:captcha|security check)|i(?:'|’)?m not a robot"
    r"|press (?:and|&) hold|bestätigen sie,? dass sie ein mensch sind|vérifi\w+ que vous êtes (?:un )?humain"
    r"|verifi\w+ que (?:usted )?(?:es|eres) (?:un )?(?:ser )?humano|verifi\w+ che (?:lei |tu )?sia un essere umano",
    re.IGNORECASE,
)
# By language: what is not there, up to forty characters, and that it is not there.
_MISSING = {
    "en": (
        r"(?:page|article|document|content|story)",
        r"(?:not found|does(?: not|n.t) exist|(?:is )?no longer (?:available|exists)"
        r"|(?:can(?: ?not|.t)|could(?: not|n.t)) be found)",
    ),
    "de": (
        r"(?:seite|artikel|beitrag|inhalt|dokument)",
        r"(?:nicht gefunden|existiert nicht|nicht (?:mehr )?(?:vorhanden|verfügbar)|gibt es nicht)",
    ),
    "fr": (r"(?:page|article|contenu|document)", r"(?:introuvable|non trouvée?|n.existe (?:pas|plus))"),
    "es": (
        r"(?:página|artículo|contenido|documento)",
        r"(?:no (?:se ha |ha sido |fue )?encontrad[ao]|(?:ya )?no existe|no se (?:encuentra|encontró))",
    ),
    "pt": (r"(?:página|artigo|conteúdo|documento)", r"(?:não (?:foi )?encontrad[ao]|não existe|inexistente)"),
    "it": (
        r"(?:pagina|articolo|contenuto|documento)",
        r"(?:non (?:è stat[ao] )?trovat[ao]|non esiste|inesistente)",
    ),
    "nl": (r"(?:pagina|artikel|document)", r"(?:niet gevonden|bestaat niet)"),
    "sv": (r"(?:sidan?|artikeln)", r"(?:hittades inte|(?:kan|kunde) inte hittas|inte hittas|finns inte)"),
    "da": (r"(?:siden?|artiklen)", r"(?:ikke fundet|findes ikke)"),
    "no": (r"(?:siden?|artikkelen)", r"(?:ikke funnet|finnes ikke)"),
    "fi": (r"(?:sivua?|artikkelia?)", r"(?:ei löy(?:dy|tynyt|detty)|ei ole olemassa)"),
    "pl": (r"(?:stron[ay]|artykułu?)", r"(?:nie (?:została |został )?znalezion[ay]|nie istnieje)"),
    "cs": (r"(?:stránka|článek)", r"(?:nenalezen[aáoý]?|nebyl[ao]? nalezen[ao]?|neexistuje|nenájdená)"),
    "hu": (r"(?:(?:az? )?(?:keresett )?oldal|cikk)", r"nem (?:található|létezik)"),
    "ro": (r"(?:pagina|articolul)", r"nu (?:a fost găsit[ă]?|există)"),
    "tr": (r"(?:sayfa|makale|haber)", r"(?:bulunamadı|mevcut değil)"),
    "ru": (r"(?:страница|статья|документ)", r"не (?:найден[ао]?|существует)"),
    "uk": (r"(?:сторінк[ау]|статт[юя])", r"не (?:знайден[оа]|існує)"),
    "el": (r"(?:η )?σελίδα", r"δεν (?:βρέθηκε|υπάρχει)"),
    "ja": (r"(?:お探しの)?(?:ページ|記事)", r"(?:見つかりません|存在しません|ありません)"),
    "zh": (r"(?:您访问的|您要查看的)?(?:页面|頁面|网页|文章)", r"(?:不存在|未找到|找不到)"),
    "ko": (r"(?:요청하신 )?페이지", r"(?:찾을 수 없|존재하지 않)"),
}
_BEFORE = (
    r"(?:(?:sorry|oops|leider|ups|désolé|lo sentimos|spiacenti)\W+)?"
    r"(?:(?:the|this|that|your|die|der|diese|dieser|cette|la|le|l.|esta|el|a|o|questa|il|de|deze|den|det"
    r"|(?:die|der) (?:von ihnen )?(?:gesuchte|angeforderte)|requested|gesuchte|angeforderte)\s*){0,2}"
)
# Where words are not parted by spaces, none ends.
_WORD_ENDS = r"(?:\b|(?<=[\u3000-\ud7af]))"
_NOT_FOUND = re.compile(
    r"^\W*(?:(?:error|fehler|erreur|errore?|fout|fel|błąd|ошибка|エラー)\W{0,3})?(?:404\b|410\b)"
    rf"|^\W*{_BEFORE}(?:" + "|".join(rf"{thing}{_WORD_ENDS}.{{0,40}}?{gone}" for thing, gone in _MISSING.values()) + ")"
    r"|^\W*(?:not found|nicht gefunden|introuvable|no encontrad[ao]|non trovat[ao]|nie znaleziono|niet gevonden)\W*$"
    r"|^\W*(?:we )?(?:can(?: ?not|.t)|could(?: not|n.t)|unable to) find (?:the|this|that|your) (?:page|article)\b"
    r"|^\W*nie znaleziono (?:strony|artykułu)|^\W*(?:找不到|未找到)(?:页面|頁面|网页)",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|signon|sso|auth|authenticate|anmelden|anmeldung|accounts?/login|users?/sign_in"
    r"|connexion|se-connecter|iniciar-sesion|accedi|inloggen|logga-in|logowanie|zaloguj)"
    r"(?:[/?.]|$)",
    re.IGNORECASE,
)
_LOGIN_WORDS = re.compile(
    r"\b(?:log ?in|sign ?in|anmelden|einloggen|se connecter|connectez-vous|identifiez-vous|iniciar sesión|inicia sesión"
    r"|accedi|iniciar sessão|inloggen|logga in|log ind|logg inn|kirjaudu|zaloguj|přihlásit|войти|войдите|увійти"
    r"|giriş yap)\b|ログイン|登录|登入|로그인",
    re.IGNORECASE,
)
_PAYWALL_WORDS = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read|unlock)|to (?:continue|keep) reading|already a (?:subscriber|member)"
    r"|this (?:article|story|content) is (?:only |exclusively )?(?:for|available to) (?:our )?(?:subscribers|members)"
    r"|start your (?:free )?(?:trial|subscription)|weiterlesen mit|jetzt abonnieren|(?:mit abo|im abo) (?:weiter)?lesen"
    r"|(?:exklusiv|nur) für (?:abonnent|abonnierende)|réservée?s? (?:à nos|aux) abonnée?s|déjà abonnée?\b"
    r"|abonnez-vous pour (?:lire|continuer)|(?:solo|exclusivo) para (?:los )?sub?scriptores"
    r"|suscríbete para (?:seguir|continuar|leer)|(?:exclusivo|só) para assinantes|assine para (?:ler|continuar)"
    r"|(?:solo|riservato) (?:per gli|agli) abbonati|abbonati per (?:leggere|continuare)"
    r"|(?:alleen|exclusief) voor abonnees|(?:bara|endast) för prenumeranter|kun for abonnenter"
    r"|(?:dostęp|artykuł) (?:tylko )?dla (?:pre|su)numeratorów"
    r"|только для подписчиков|лише для передплатників|有料会員限定|この記事は有料",
    re.IGNORECASE,
)
_GEO_WORDS = re.compile(
    r"(?:un|not )(?:currently )?available in your (?:country|region|location|area|territory)"
    r"|not (?:be )?(?:accessed|accessible) (?:from|in) your (?:country|region|location)"
    r"|(?:un|not )available (?:due to|for) legal reasons|a country belonging to the european economic area"
    r"|(?:un|not )available (?:to (?:visitors|users|readers) )?(?:in|from) (?:most |the )?europe(?:an)?\b"
    r"|in (?:ihrem|deinem) (?:land|gebiet) nicht (?:verfügbar|abrufbar|zugänglich)|nicht in (?:ihrem|deinem) land"
    r"|(?:pas|plus) (?:disponible|accessible) (?:dans|depuis) votre (?:pays|région)"
    r"|no (?:está )?disponible en (?:su|tu) (?:país|región)|non (?:è )?disponibile nel (?:tuo|suo|vostro) paese"
    r"|não (?:está )?disponível (?:no seu país|na sua região)|niet beschikbaar in (?:uw|jouw|je) (?:land|regio)"
    r"|недоступ\w+ в ваше\w+ (?:стране|регионе)",
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
    if _is_for_other_countries(page):
        return Verdict(Outcome.BLOCKED, "geo")
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


def _is_for_other_countries(page: Received) -> bool:
    # 451 is "for legal reasons"; what a law forbids it forbids somewhere.
    if page.status == 451:
        return True
    # Among the words of a page, it may be said of a film in it.
    most = LITTLE_TEXT if page.status == 403 else NOTICE
    if not (page.status == 403 or 200 <= page.status < 300) or int(page.facts.get("visible_chars", most)) >= most:
        return False
    return any(_GEO_WORDS.search(str(said)) for said in (page.title, page.facts.get("beginning", "")))


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
