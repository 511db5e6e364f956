"""What is wrong inside a text itself, found without asking anybody: it contradicts the calendar, arithmetic or itself.

Each check reads the text alone (and the day that it bears) and says in one sentence what does not fit. It never says
which of two things is the wrong one. Months, weekdays and units are known in English and Spanish; the rest needs no
language.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import combinations, islice, pairwise

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein

from factcheck.articles.anchoring import sentence_spans
from factcheck.lib.folding import fold

Span = tuple[int, int]

MOST_FINDINGS = 200
MOST_NAMES = 2_000
MOST_QUOTES = 200
# How far from a year of birth an age is looked for, in characters.
NEAR = 400
# A date that lies further ahead of the text's own day than this is taken for last year's.
AHEAD = datetime.timedelta(days=183)


@dataclass(frozen=True)
class Finding:
    """Half-open in code points; ``other`` is the second place where it takes two to disagree."""

    kind: str
    start: int
    end: int
    message: str
    other: Span | None = None


def check(text: str, language: str, published: datetime.date | None) -> list[Finding]:
    """What does not fit, in the order of the text; ``language`` is an ISO 639 code.

    Dates without a year are read as near ``published``; without that day they are left alone.
    """
    words = _LANGUAGES.get(language.partition("-")[0].lower(), _ENGLISH)
    reading = _Reading(text, words, published)
    found: list[Finding] = []
    for one in _CHECKS:
        found += islice(one(reading), MOST_FINDINGS)
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.start, finding.end, finding.kind))[:MOST_FINDINGS]


@dataclass(frozen=True)
class _Words:
    months: dict[str, int]
    weekdays: dict[str, int]
    # Scale words and what they multiply by.
    scales: dict[str, Decimal]
    decimal_comma: bool
    percent: str
    points: str
    dates: tuple[str, ...]
    ages: tuple[str, ...]
    # Behind an age: it was so at another time.
    then: str
    born: str
    lived: str
    # How a sentence goes on about whom the one before spoke of.
    goes_on: str
    falls: str
    shifts: tuple[str, ...]
    multiples: dict[str, Decimal]
    shares: tuple[str, ...]
    totals: tuple[str, ...]
    # "Of the 100 seats, 60 …": a list that may leave something out.
    of_all: str
    opposites: tuple[tuple[str, str], ...]
    joined: str
    digits: dict[str, str]


def _numbered(names: str, first: int = 1) -> dict[str, int]:
    return {name: number for number, group in enumerate(names.split(), first) for name in group.split("/")}


def _words(words: str) -> list[str]:
    return words.split()


_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
# Not begun in the middle of one: a row of fifty thousand digits would be tried from each.
_NUMBER = r"(?<![\d.,])(?:\d{1,3}(?:[.,\u00a0\u202f ’']\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
_ENGLISH = _Words(
    months=_numbered(
        "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep october/oct"
        " november/nov december/dec"
    ),
    weekdays=_numbered(
        "monday/mon tuesday/tues/tue wednesday/wed thursday/thurs/thur/thu friday/fri saturday/sat sunday/sun", 0
    ),
    scales={
        "m": Decimal(10**6),
        "mn": Decimal(10**6),
        "bn": Decimal(10**9),
        "tn": Decimal(10**12),
        "thousand": Decimal(10**3),
        "million": Decimal(10**6),
        "billion": Decimal(10**9),
        "trillion": Decimal(10**12),
    },
    decimal_comma=False,
    percent=r"%|percent|per cent",
    points=r"percentage points?",
    dates=(
        r"(?P<month>{month})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?(?!\d)",
        r"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{month})(?!\w)(?:\.?,?\s+(?P<year>\d{{4}}))?(?!\d)",
    ),
    ages=(
        r"(?P<age>\d{1,3})[- ]years?[- ]old",
        r"\baged?\s+(?P<age>\d{1,3})\b",
        r"(?<=[a-z]), (?P<age>\d{2}),",
        r"(?<=[a-z]) \((?P<age>\d{2})\)",
        r"\b(?:is|turned|turns|now)\s+(?P<age>\d{1,3})(?=[,.;)]|\s+(?:last|this|today|now|and|in)\b|$)",
    ),
    then=r"\s*,?\s*(?:when|at the time|at his|at her|at their|in \d{4}|then\b)",
    lived=(
        r"\((?:born\s+)?(?P<birth>1[5-9]\d\d|20\d\d)\s?[–—-]\s?(?P<death>1[5-9]\d\d|20\d\d)\)"
        r"[^.;]{0,60}?\b(?:died|dead)\b[^.;]{0,20}?(?:aged|at(?: the age of)?)\s+(?P<age>\d{1,3})\b"
    ),
    goes_on=r"(?:He|She|They|Today|Now)\b",
    falls=r"(?:\s+(?:was|is|fell on|falls on|will be))?",
    born=r"\bborn\b[^.;]{0,40}?\b(?P<year>1[89]\d\d|20\d\d)\b",
    shifts=(
        rf"from\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+to\s+[$€£]?(?P<after>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,60}}?)(?P<change>{_NUMBER})\s?(?P<sign>%|percent(?:age points?)?|per cent)",
        rf"(?P<change>{_NUMBER})\s?(?P<sign>%|percent(?:age points?)?|per cent)(?P<between>,?\s+(?:\w+\s+)?)"
        rf"from\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+to\s+[$€£]?(?P<after>{_NUMBER})",
        rf"\bto\s+[$€£]?(?P<after>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+from\s+[$€£]?(?P<before>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,60}}?)(?P<change>{_NUMBER})[\s-]?(?P<sign>%|percent(?:age points?)?|per cent)",
    ),
    multiples={
        "doubled": Decimal(2),
        "tripled": Decimal(3),
        "quadrupled": Decimal(4),
        "halved": Decimal("0.5"),
    },
    shares=(
        rf"(?P<part>{_NUMBER})\s+(?:out\s+)?of\s+(?:the\s+|all\s+|its\s+|their\s+)?(?P<whole>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,40}}?)[(,]\s*(?:or\s+|about\s+)?(?P<share>{_NUMBER})\s?(?:%|percent|per cent)",
        rf"\bof\s+(?:the\s+|all\s+|its\s+|their\s+)?(?P<whole>{_NUMBER})(?P<between>[^.;,\d]{{0,40}}),\s*(?P<part>{_NUMBER})"
        rf"(?:,?\s+or\s+|\s+\()(?:about\s+)?(?P<share>{_NUMBER})\s?(?:%|percent|per cent)",
        rf"(?P<share>{_NUMBER})\s?(?:%|percent|per cent)(?P<between>\s+)\((?P<part>{_NUMBER})\s+(?:out\s+)?of\s+"
        rf"(?:the\s+)?(?P<whole>{_NUMBER})",
    ),
    totals=(
        rf"total of\s+(?P<total>{_NUMBER})(?P<what>[^.;:\d]{{0,40}})[:,]\s*(?P<list>[^.;]{{3,200}})",
        rf"(?P<list>{_NUMBER}[^.;]{{3,200}}?),?\s+(?:for\s+)?a total of\s+(?P<total>{_NUMBER})",
    ),
    of_all=r"\b(?:of|out of)\s+(?:the|all|its|their)\s+",
    opposites=((r"\byes\b", r"\bno\b"), (r"\b(?:for|in favou?r)\b", r"\bagainst\b")),
    joined="and",
    digits={word: str(number) for number, word in enumerate(_words("two three four five six seven eight nine ten"), 2)},
)
_SPANISH = _Words(
    months=_numbered(
        "enero/ene febrero/feb marzo/mar abril/abr mayo junio/jun julio/jul agosto/ago septiembre/setiembre/sept"
        " octubre/oct noviembre/nov diciembre/dic"
    ),
    weekdays=_numbered("lunes martes miércoles/miercoles jueves viernes sábado/sabado domingo", 0),
    scales={
        "mil": Decimal(10**3),
        "mil millones": Decimal(10**9),
        "millón": Decimal(10**6),
        "millones": Decimal(10**6),
        "billón": Decimal(10**12),
        "billones": Decimal(10**12),
    },
    decimal_comma=True,
    percent=r"%|por ciento",
    points=r"puntos? porcentual(?:es)?",
    dates=(r"(?P<day>\d{{1,2}})\.?º?\s+de\s+(?P<month>{month})(?!\w)(?:\.?\s+(?:de|del)\s+(?P<year>\d{{4}}))?(?!\d)",),
    ages=(
        r"(?P<age>\d{1,3})\s+años(?=\s+de\s+edad|[,.)])",
        r"\b(?:tiene|cumplió|cumple)\s+(?P<age>\d{1,3})\b",
        r"(?<=[a-zñáéíóú]) \((?P<age>\d{2})\)",
    ),
    then=r"(?:\s+años)?\s*,?\s*(?:cuando|entonces|en \d{4})",
    lived=(
        r"\((?P<birth>1[5-9]\d\d|20\d\d)\s?[–—-]\s?(?P<death>1[5-9]\d\d|20\d\d)\)"
        r"[^.;]{0,60}?\b(?:murió|falleció)\b[^.;]{0,20}?\ba\s+los\s+(?P<age>\d{1,3})\b"
    ),
    goes_on=r"(?:Él|Ella|Hoy|Ahora|Tiene)\b",
    falls=r"(?:\s+(?:fue|era|es|será|cayó en|cae en))?",
    born=r"\bnaci(?:ó|do|da)\b[^.;]{0,40}?\b(?P<year>1[89]\d\d|20\d\d)\b",
    shifts=(
        rf"del?\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+al?\s+[$€£]?(?P<after>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,60}}?)(?P<change>{_NUMBER})\s?(?P<sign>%|por ciento|puntos? porcentual(?:es)?)",
        rf"(?P<change>{_NUMBER})\s?(?P<sign>%|por ciento|puntos? porcentual(?:es)?)(?P<between>,?\s+)"
        rf"del?\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+al?\s+[$€£]?(?P<after>{_NUMBER})",
    ),
    multiples={
        "duplicó": Decimal(2),
        "duplicaron": Decimal(2),
        "triplicó": Decimal(3),
        "triplicaron": Decimal(3),
    },
    shares=(
        rf"(?P<part>{_NUMBER})\s+de\s+(?:las?\s+|los\s+)?(?P<whole>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,40}}?)[(,]\s*(?:o\s+|el\s+)?(?P<share>{_NUMBER})\s?(?:%|por ciento)",
        rf"(?P<share>{_NUMBER})\s?(?:%|por ciento)(?P<between>\s+)\((?P<part>{_NUMBER})\s+de\s+(?:l[ao]s\s+)?"
        rf"(?P<whole>{_NUMBER})",
    ),
    totals=(
        rf"total de\s+(?P<total>{_NUMBER})(?P<what>[^.;:\d]{{0,40}})[:,]\s*(?P<list>[^.;]{{3,200}})",
        rf"(?P<list>{_NUMBER}[^.;]{{3,200}}?),?\s+un total de\s+(?P<total>{_NUMBER})",
    ),
    of_all=r"\bde\s+(?:los|las|sus)\s+",
    opposites=((r"\bsí\b", r"\bno\b"), (r"\ba favor\b", r"\ben contra\b")),
    joined="y",
    digits={
        word: str(number) for number, word in enumerate(_words("dos tres cuatro cinco seis siete ocho nueve diez"), 2)
    },
)
_LANGUAGES = {"en": _ENGLISH, "es": _SPANISH}


@dataclass(frozen=True)
class _Amount:
    """A number as it is written, with what its rounding leaves open on either side."""

    value: Decimal
    half: Decimal

    @property
    def low(self) -> Decimal:
        return self.value - self.half

    @property
    def high(self) -> Decimal:
        return self.value + self.half


class _Reading:
    def __init__(self, text: str, words: _Words, published: datetime.date | None) -> None:
        self.text = text
        self.words = words
        self.published = published
        self.blocks = [found.span() for found in re.finditer(r"\S(?:[^\n]|\n(?!\n))*", text)]
        self.sentences = sentence_spans(text)
        self._starts = [start for start, _end in self.sentences]

    def sentence_of(self, at: int) -> Span:
        return self.sentences[max(bisect_right(self._starts, at) - 1, 0)]

    def finditer(self, pattern: str) -> Iterator[re.Match[str]]:
        return re.finditer(pattern, self.text, re.IGNORECASE)

    def number(self, written: str) -> _Amount | None:
        """Thousands and decimals as the language writes them; None for what can be read in two ways."""
        plain = re.sub(r"[\u00a0\u202f ’']", "", written)
        point, comma = (",", ".") if self.words.decimal_comma else (".", ",")
        if re.fullmatch(
            rf"\d{{1,3}}(?:{re.escape(comma)}\d{{3}})+(?:{re.escape(point)}\d+)?|\d+(?:{re.escape(point)}\d+)?", plain
        ):
            plain = plain.replace(comma, "").replace(point, ".")
        elif re.fullmatch(r"\d+[.,]\d{1,2}", plain):
            plain = plain.replace(",", ".")
        else:
            return None
        try:
            value = Decimal(plain)
        except InvalidOperation:
            return None
        places = len(plain.partition(".")[2])
        return _Amount(value, Decimal(5) / Decimal(10) ** (places + 1))

    def year(self, month: int, day: int) -> int | None:
        """The year of a date that names none."""
        if self.published is None:
            return None
        try:
            near = datetime.date(self.published.year, month, day)
        except ValueError:
            return self.published.year
        return near.year - 1 if near - self.published > AHEAD else near.year


# --- the calendar ----------------------------------------------------------------------------------


def _dates(reading: _Reading) -> Iterator[Finding]:
    months = "|".join(sorted(reading.words.months, key=len, reverse=True))
    weekdays = "|".join(sorted(reading.words.weekdays, key=len, reverse=True))
    for form in reading.words.dates:
        date = form.format(month=months)
        for found in reading.finditer(rf"(?<!\w){date}"):
            month, day = reading.words.months[found["month"].lower()], int(found["day"])
            year = int(found["year"]) if found["year"] else reading.year(month, day)
            # Of 29 February without a year nobody can tell.
            days = _days_of(month, year if year else 2024)
            if not 1 <= day <= days:
                yield Finding(
                    "impossible_date",
                    *found.span(),
                    _("There is no such day: that month has %(days)d days.") % {"days": days},
                )
                continue
            if year is None:
                continue
            before = re.search(
                rf"(?<!\w)(?P<weekday>{weekdays})\.?,?\s*(?:the\s+|el\s+)?[(,]?\s*$",
                reading.text[max(0, found.start() - 20) : found.start()],
                re.IGNORECASE,
            )
            after = re.match(
                rf"{reading.words.falls}\s*[(,]?\s*(?:a\s+|un\s+)?(?P<weekday>{weekdays})(?![\w'’])",
                reading.text[found.end() : found.end() + 20],
                re.IGNORECASE,
            )
            if before:
                at = max(0, found.start() - 20) + before.start()
                yield from _weekday(reading, before["weekday"], datetime.date(year, month, day), (at, found.end()))
            elif after:
                end = found.end() + after.end()
                yield from _weekday(reading, after["weekday"], datetime.date(year, month, day), (found.start(), end))


def _dates_in_digits(reading: _Reading) -> Iterator[Finding]:
    """2025-02-30; and 31/04/2024, whichever of the two is the month."""
    weekdays = "|".join(sorted(reading.words.weekdays, key=len, reverse=True))
    form = r"(?<![\d/.-])(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<a>\d\d?)/(?P<b>\d\d?)/(?P<c>\d{4}))(?![\d/-])"
    for found in reading.finditer(form):
        if found["y"]:
            readings = [(int(found["y"]), int(found["m"]), int(found["d"]))]
        else:
            one, other, year = int(found["a"]), int(found["b"]), int(found["c"])
            readings = [(year, one, other), (year, other, one)]
        days = [day for day in map(_day, readings) if day]
        if not days:
            yield Finding("impossible_date", *found.span(), _("There is no such day in the calendar."))
            continue
        before = re.search(
            rf"(?<!\w)(?P<weekday>{weekdays})\.?,?\s*[(,]?\s*$",
            reading.text[max(0, found.start() - 20) : found.start()],
            re.IGNORECASE,
        )
        if before and not any(reading.words.weekdays[before["weekday"].lower()] == day.weekday() for day in days):
            at = max(0, found.start() - 20) + before.start()
            yield from _weekday(reading, before["weekday"], days[0], (at, found.end()))


def _day(written: tuple[int, int, int]) -> datetime.date | None:
    try:
        return datetime.date(*written)
    except ValueError:
        return None


def _weekday(reading: _Reading, written: str, date: datetime.date, span: Span) -> Iterator[Finding]:
    if reading.words.weekdays[written.lower()] != date.weekday():
        yield Finding(
            "weekday",
            *span,
            _("%(date)s falls on a %(weekday)s, not on a %(written)s.")
            % {
                "date": date_format(date, "j F Y"),
                "weekday": date_format(date, "l"),
                "written": written,
            },
        )


def _days_of(month: int, year: int) -> int:
    following = datetime.date(year + month // 12, month % 12 + 1, 1) if year < 9999 else datetime.date(2024, 1, 1)
    return (following - datetime.timedelta(days=1)).day


def _ages(reading: _Reading) -> Iterator[Finding]:
    for lived in reading.finditer(reading.words.lived):
        years = int(lived["death"]) - int(lived["birth"])
        if int(lived["age"]) not in (years, years - 1) and years >= 0:
            yield Finding(
                "age",
                *lived.span("age"),
                _("Somebody who lived from %(birth)s to %(death)s died at %(younger)d or %(older)d.")
                % {
                    "birth": lived["birth"],
                    "death": lived["death"],
                    "younger": max(years - 1, 0),
                    "older": years,
                },
                (lived.start("birth"), lived.end("death")),
            )
    if reading.published is None:
        return
    for born in reading.finditer(reading.words.born):
        start, end = reading.sentence_of(born.start())
        if re.match(rf"\s{reading.words.goes_on}", reading.text[end : end + 20]):
            end = reading.sentence_of(end + 1)[1]
        start, end = max(start, born.start() - NEAR), min(end, born.end() + NEAR)
        years = reading.published.year - int(born["year"])
        said = set()
        for form in reading.words.ages:
            for age in re.finditer(form, reading.text[start:end], re.IGNORECASE):
                at = start + age.start("age")
                if at in said or re.match(reading.words.then, reading.text[start + age.end() :], re.IGNORECASE):
                    continue
                said.add(at)
                if int(age["age"]) not in (years, years - 1) and years >= 0:
                    yield Finding(
                        "age",
                        start + age.start(),
                        start + age.end(),
                        _("Somebody born in %(year)s is %(younger)d or %(older)d in %(now)d.")
                        % {
                            "year": born["year"],
                            "younger": max(years - 1, 0),
                            "older": years,
                            "now": reading.published.year,
                        },
                        born.span(),
                    )


# --- arithmetic ------------------------------------------------------------------------------------


def _shifts(reading: _Reading) -> Iterator[Finding]:
    """ "From 40 to 50, a rise of 20 percent"."""
    for found in (found for form in reading.words.shifts for found in reading.finditer(form)):
        before, after, change = (reading.number(found[name]) for name in ("before", "after", "change"))
        if before is None or after is None or change is None or before.low <= 0 or _are_years(found):
            continue
        shares = bool(re.search(reading.words.percent, found["unit"] + found["between"][:12], re.IGNORECASE))
        in_points = bool(re.fullmatch(reading.words.points, found["sign"], re.IGNORECASE))
        least, most = _between(after.low - before.high, after.high - before.low)
        if in_points:
            if shares and not _meets(change, least, most):
                yield _wrong_change(found, after.value - before.value, _("percentage points"))
            continue
        relative = _between(*_ratios(before, after))
        if _meets(change, *relative):
            continue
        if shares and _meets(change, least, most):
            yield Finding(
                "percentage_points",
                *found.span("change"),
                _("From %(before)s to %(after)s percent is %(change)s percentage points, not percent.")
                % {"before": found["before"], "after": found["after"], "change": found["change"]},
            )
        else:
            yield _wrong_change(found, 100 * (after.value - before.value) / before.value, _("percent"))


def _are_years(found: re.Match[str]) -> bool:
    return all(_YEAR.fullmatch(found[name]) for name in ("before", "after"))


def _multiples(reading: _Reading) -> Iterator[Finding]:
    """ "Doubled from 100 to 150"."""
    verbs = "|".join(reading.words.multiples)
    turn = r"del?|al?" if reading.words is _SPANISH else r"from|to"
    first, second = turn.split("|")
    for found in reading.finditer(
        rf"\b(?P<verb>{verbs})\b[^.;\d]{{0,40}}?\b(?:{first})\s+[$€£]?(?P<before>{_NUMBER})[^.;\d]{{0,25}}?\s+(?:{second})\s+"
        rf"[$€£]?(?P<after>{_NUMBER})"
    ):
        before, after = reading.number(found["before"]), reading.number(found["after"])
        if before is None or after is None or before.low <= 0 or _are_years(found):
            continue
        factor = reading.words.multiples[found["verb"].lower()]
        if not before.low * factor * Decimal("0.85") <= after.value <= before.high * factor * Decimal("1.15"):
            yield Finding(
                "percentage",
                *found.span("verb"),
                _("From %(before)s to %(after)s is %(times)s times as much.")
                % {
                    "before": found["before"],
                    "after": found["after"],
                    "times": _plain(after.value / before.value),
                },
                (found.start("before"), found.end("after")),
            )


def _answers(reading: _Reading) -> Iterator[Finding]:
    """ "45 percent said yes, 35 percent no and 30 percent did not know"."""
    for start, end in reading.sentences:
        sentence = reading.text[start:end]
        if not any(
            all(re.search(side, sentence, re.IGNORECASE) for side in sides) for sides in reading.words.opposites
        ):
            continue
        shares = list(re.finditer(rf"(?P<share>{_NUMBER})\s?(?:{reading.words.percent})", sentence, re.IGNORECASE))
        amounts = [amount for share in shares if (amount := reading.number(share["share"]))]
        low = sum(amount.low for amount in amounts)
        if len(amounts) >= 2 and len(amounts) == len(shares) and low > 101 and max(a.value for a in amounts) <= 100:
            yield Finding(
                "sum",
                start + shares[0].start(),
                start + shares[-1].end(),
                _("These shares add up to %(sum)s percent, more than there is.")
                % {"sum": _plain(Decimal(sum(amount.value for amount in amounts)))},
            )


def _ratios(before: _Amount, after: _Amount) -> tuple[Decimal, Decimal]:
    least = 100 * (after.low - before.high) / before.high
    most = 100 * (after.high - before.low) / before.low
    return least, most


def _between(least: Decimal, most: Decimal) -> tuple[Decimal, Decimal]:
    """The sizes of a change between these two, whichever way it went."""
    if least <= 0 <= most:
        return Decimal(0), max(-least, most)
    return min(abs(least), abs(most)), max(abs(least), abs(most))


def _meets(amount: _Amount, least: Decimal, most: Decimal) -> bool:
    # "Around 25 percent" for 24.4 is no mistake.
    slack = max(amount.half, Decimal("0.5"), most * Decimal("0.02"))
    return least - slack <= amount.value <= most + slack


def _wrong_change(found: re.Match[str], right: Decimal, what: str) -> Finding:
    return Finding(
        "percentage",
        *found.span("change"),
        _("From %(before)s to %(after)s is about %(right)s %(what)s, not %(written)s.")
        % {
            "before": found["before"],
            "after": found["after"],
            "right": _plain(abs(right)),
            "what": what,
            "written": found["change"],
        },
        found.span("before"),
    )


def _plain(value: Decimal) -> str:
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def _shares(reading: _Reading) -> Iterator[Finding]:
    """ "12 of 48 (20 percent)"."""
    for found in (found for form in reading.words.shares for found in reading.finditer(form)):
        part, whole, share = (reading.number(found[name]) for name in ("part", "whole", "share"))
        if part is None or whole is None or share is None or whole.low <= 0:
            continue
        if not _meets(share, 100 * part.low / whole.high, 100 * part.high / whole.low):
            yield Finding(
                "percentage",
                *found.span("share"),
                _("%(part)s of %(whole)s is about %(right)s percent, not %(written)s.")
                % {
                    "part": found["part"],
                    "whole": found["whole"],
                    "right": _plain(100 * part.value / whole.value),
                    "written": found["share"],
                },
                found.span("part"),
            )


def _totals(reading: _Reading) -> Iterator[Finding]:
    """ "A total of 100: 40 from A, 30 from B and 20 from C"."""
    for form in reading.words.totals:
        for found in reading.finditer(form):
            yield from _added(reading, found, found["list"], found.span("list"))
    listed = (
        rf"(?P<total>{_NUMBER})(?P<what>\s+[^.;:,\d()—–]{{1,40}}?)\s*"
        rf"(?:\((?P<one>{_NUMBER}\s[^.;()]{{3,200}})\)|[:—–]\s*(?P<two>{_NUMBER}\s[^.;()—–]{{3,200}}))"
    )
    for found in reading.finditer(listed):
        name = "one" if found["one"] else "two"
        if not _YEAR.fullmatch(found["total"]):
            yield from _added(reading, found, found[name], found.span(name), guessed=True)
    partly = (
        rf"{reading.words.of_all}(?P<total>{_NUMBER})(?P<what>\s+[^.;:,\d()]{{1,40}}),\s*"
        rf"(?P<list>{_NUMBER}\s[^.;]{{3,200}})"
    )
    for found in reading.finditer(partly):
        yield from _added(reading, found, found["list"], found.span("list"), guessed=True, partly=True)


def _added(
    reading: _Reading,
    found: re.Match[str],
    listed: str,
    span: Span,
    *,
    guessed: bool = False,
    partly: bool = False,
) -> Iterator[Finding]:
    """``guessed``: that these are its parts is said by nothing but their looks; ``partly``: some may be left out."""
    joined = reading.words.joined
    total = reading.number(found["total"])
    amounts = []
    for part in re.split(rf",\s+(?:{joined}\s+)?|\s+{joined}\s+", listed):
        written = re.match(rf"\s*(?P<number>{_NUMBER})(?!\s?(?:%|{reading.words.percent}))\s", part + " ")
        amounts.append(reading.number(written["number"]) if written else None)
    # A list of which one item is no number may leave something out.
    known = [amount for amount in amounts if amount is not None]
    if total is None or len(known) < 2 or len(known) < len(amounts):
        return
    low, high = sum(amount.low for amount in known), sum(amount.high for amount in known)
    added = Decimal(sum(amount.value for amount in known))
    if any(amount.half < Decimal("0.5") for amount in known):
        fits = low - total.half <= total.value <= high + total.half
    else:
        fits = added == total.value
    looks_so = all(amount.value < total.value for amount in known) and total.value / 2 <= added <= total.value * 2
    if fits or (guessed and not looks_so) or (partly and added < total.value):
        return
    yield Finding(
        "sum",
        *found.span("total"),
        _("The parts add up to %(sum)s, not to %(total)s.") % {"sum": _plain(added), "total": found["total"]},
        span,
    )


_CURRENCY_WORDS = {
    "dollar": "$",
    "dollars": "$",
    "dólares": "$",
    "euro": "€",
    "euros": "€",
    "pound": "£",
    "pounds": "£",
    "libras": "£",
}


def _scales(reading: _Reading) -> Iterator[Finding]:
    """ "5.4 million dollars" here and "$5.4bn" there."""
    scales = "|".join(sorted(reading.words.scales, key=len, reverse=True))
    digits = reading.words.digits
    seen: dict[tuple[str, str], list[tuple[Decimal, Span, str]]] = defaultdict(list)
    form = (
        rf"(?P<sign>[$€£]\s?|)(?<![\w.,])(?P<number>\d+(?:[.,]\d+)?|{'|'.join(digits)})[\s-]?(?P<scale>{scales})(?!\w)"
        r"(?:[\s-](?:de\s+)?(?P<what>[^\W\d_]{3,}))?"
    )
    for found in reading.finditer(form):
        what = found["sign"].strip() or (found["what"] or "").casefold()
        what = _CURRENCY_WORDS.get(what, what)
        if not what:
            continue
        scale = reading.words.scales[re.sub(r"\s+", " ", found["scale"].lower())]
        number = digits.get(found["number"].lower(), found["number"])
        seen[(number, what)].append((scale, found.span(), found["scale"]))
    for (number, _what), places in seen.items():
        first = places[0]
        for scale, span, word in places[1:]:
            if scale != first[0]:
                yield Finding(
                    "scale",
                    *span,
                    _("It says “%(number)s %(one)s” here and “%(number)s %(other)s” before.")
                    % {"number": number, "one": word, "other": first[2]},
                    first[1],
                )


_UNITS: dict[str, tuple[str, Decimal]] = {
    name: (kind, Decimal(factor))
    for kind, factor, names in (
        ("length", "1", "metre metres meter meters m metro metros"),
        ("length", "1000", "kilometre kilometres kilometer kilometers km kilómetro kilómetros"),
        ("length", "0.01", "centimetre centimetres centimeter centimeters cm centímetro centímetros"),
        ("length", "1609.344", "mile miles mi milla millas"),
        ("length", "0.3048", "foot feet ft pie pies"),
        ("length", "0.0254", "inch inches in pulgada pulgadas"),
        ("length", "0.9144", "yard yards yd"),
        ("mass", "1", "kilogram kilograms kilogramme kilogrammes kg kilos kilo kilogramo kilogramos"),
        ("mass", "1000", "tonne tonnes tonelada toneladas"),
        ("mass", "0.45359237", "pound pounds lb lbs libra libras"),
        ("mass", "0.028349523", "ounce ounces oz onza onzas"),
        ("area", "10000", "hectare hectares ha hectárea hectáreas"),
        ("area", "4046.8564", "acre acres"),
        ("area", "1000000", "square_kilometres square_kilometers sq_km km²"),
        ("area", "2589988.11", "square_miles sq_miles"),
        ("volume", "1", "litre litres liter liters l litro litros"),
        ("volume", "3.785411784", "gallon gallons galón galones"),
        ("speed", "1", "km/h kph kmh"),
        ("speed", "1.609344", "mph"),
    )
    for name in (one.replace("_", " ") for one in names.split())
    for factor in (factor,)
}


def _conversions(reading: _Reading) -> Iterator[Finding]:
    """ "10 miles (20 kilometres)"."""
    units = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))
    form = (
        rf"(?<![\d.,])(?P<one>{_NUMBER})[-\s]?(?P<unit>{units})\s*(?:\(|,?\s+or\s+|,?\s+o\s+)(?:about\s+|around\s+|unos\s+)?"
        rf"(?P<other>{_NUMBER})[-\s]?(?P<second>{units})(?!\w|\s+(?:and|y)\s+\d)"
    )
    for found in reading.finditer(form):
        one, other = reading.number(found["one"]), reading.number(found["other"])
        (kind, factor), (same, second) = _UNITS[found["unit"].lower()], _UNITS[found["second"].lower()]
        if one is None or other is None or kind != same or factor == second:
            continue
        right = one.value * factor / second
        yield from _converted(found, right, other, one.half * factor / second)
    degree = r"\s?(?:°|degrees?|grados)?\s?"
    degrees = (
        rf"(?P<one>-?{_NUMBER})(?=\s?(?:°|degrees?|grados)){degree}(?P<unit>[CF])(?:elsius|entígrados|ahrenheit)?\s*"
        rf"(?:\(|,?\s+or\s+|,?\s+o\s+)(?P<other>-?{_NUMBER}){degree}(?P<second>[CF])(?:elsius|ahrenheit)?(?!\w)"
    )
    for found in reading.finditer(degrees):
        one, other = reading.number(found["one"].lstrip("-")), reading.number(found["other"].lstrip("-"))
        if one is None or other is None or found["unit"].upper() == found["second"].upper():
            continue
        value = -one.value if found["one"].startswith("-") else one.value
        right = value * 9 / 5 + 32 if found["unit"].upper() == "C" else (value - 32) * 5 / 9
        signed = _Amount(-other.value if found["other"].startswith("-") else other.value, other.half)
        yield from _converted(found, right, signed, Decimal(1))


def _converted(found: re.Match[str], right: Decimal, other: _Amount, open_: Decimal) -> Iterator[Finding]:
    # Round figures are meant to be round: "100 miles (160 kilometres)".
    slack = max(other.half, open_, abs(right) * Decimal("0.05"))
    if abs(right - other.value) > slack:
        yield Finding(
            "conversion",
            *found.span(),
            _("%(one)s %(unit)s is about %(right)s %(second)s.")
            % {"one": found["one"], "unit": found["unit"], "right": _plain(right), "second": found["second"]},
        )


# --- the text against itself -----------------------------------------------------------------------

_PAIRS = {"“": "”", "«": "»", "„": "“"}


def _quotation_marks(reading: _Reading) -> Iterator[Finding]:
    for number, (start, end) in enumerate(reading.blocks):
        block = reading.text[start:end]
        following = reading.blocks[number + 1][0] if number + 1 < len(reading.blocks) else None
        # A long quotation opens every paragraph and closes the last alone.
        continues = following is not None and reading.text[following] in _PAIRS
        opened: list[int] = []
        german = "„" in block
        for at, char in enumerate(block):
            if char == "“" and german:
                if opened:
                    opened.pop()
            elif char in _PAIRS:
                opened.append(at)
            elif char in "”»":
                if opened:
                    opened.pop()
                elif not german:
                    yield Finding(
                        "quotation_marks", start + at, start + at + 1, _("This quotation ends without having begun.")
                    )
        for at in opened:
            if not (continues and at == opened[-1]):
                yield Finding(
                    "quotation_marks",
                    start + at,
                    start + at + 1,
                    _("This quotation begins and does not end in its paragraph."),
                )
        # ’ is an apostrophe too, so only what was opened is looked at; ‘90s and ‘em open nothing.
        for found in re.finditer(r"(?<!\w)‘(?=[^\W\d_])(?!(?:em|tis|twas|til|n|cause)\b)", block):
            if "’" not in block[found.end() :] and "‘" not in block[found.end() :] and not continues:
                yield Finding(
                    "quotation_marks",
                    start + found.start(),
                    start + found.end(),
                    _("This quotation begins and does not end in its paragraph."),
                )
        straight: list[int] = []
        for found in re.finditer('"', block):
            # 5" inside no quotation is five inches.
            if len(straight) % 2 or not block[found.start() - 1 : found.start()].isdigit():
                straight.append(found.start())
        if len(straight) % 2:
            at = start + straight[-1]
            yield Finding("quotation_marks", at, at + 1, _("The quotation marks of this paragraph do not pair up."))
        # "in his jails,Rubio said": where a mark went, the space mostly went with it.
        for found in re.finditer(r"(?<=[^\W\d_])[,.](?=[^\W\d_]{3,}\s+[^\W\d_]+)", block):
            word = re.match(r"[\w-]+", block[found.end() :])
            if (
                word
                and not re.search(r"(?:\w\.){2,}$|[@/:]\S*$", block[max(0, found.end() - 60) : found.end()])
                and "." not in found.group()
            ):
                yield Finding(
                    "quotation_marks",
                    start + found.start(),
                    start + found.end() + word.end(),
                    _("Two words stick together here: a closing quotation mark may be lost."),
                )


_NAME = re.compile(r"(?<![\w’'])[^\W\d_a-zß-öø-ÿ][^\W\d_]{3,}(?:[-’'][^\W\d_]+)*")


def _names(reading: _Reading) -> Iterator[Finding]:
    """Two spellings of one name: alike, and either in the same company or one of them far rarer."""
    places: dict[str, list[Span]] = defaultdict(list)
    company: dict[str, set[str]] = defaultdict(set)
    before: re.Match[str] | None = None
    for found in islice(_NAME.finditer(reading.text), MOST_NAMES):
        name = re.sub(r"[’']s?$", "", found.group())
        places[name].append((found.start(), found.start() + len(name)))
        if before is not None and reading.text[before.end() : found.start()] == " ":
            company[name].add(f"before {before.group()}")
            company[before.group()].add(f"after {name}")
        before = found
    lower = Counter(re.findall(r"[^\W\d_]+", reading.text))
    names = [name for name in places if not lower[name.lower()]]
    by_length: dict[int, list[str]] = defaultdict(list)
    for name in names:
        by_length[len(name)].append(name)
    for name in names:
        for other in by_length[len(name)] + by_length[len(name) + 1]:
            # Of two as long as each other, only once.
            if len(other) > len(name) or other > name:
                yield from _spellings(name, other, places, company)


def _spellings(name: str, other: str, places: dict[str, list[Span]], company: dict[str, set[str]]) -> Iterator[Finding]:
    if name == other or _is_inflected(name.lower(), other.lower()):
        return
    together = bool(company[name] & company[other])
    shortest = min(len(name), len(other))
    apart = DamerauLevenshtein.distance(name.lower(), other.lower(), score_cutoff=2)
    accents = apart and _bare(name) == _bare(other)
    if not accents and (
        (shortest < 5 and not together) or not 0 < apart <= (2 if shortest >= (7 if together else 9) else 1)
    ):
        return
    often, seldom = sorted((name, other), key=lambda one: (len(places[one]), -places[one][0][0]), reverse=True)
    if accents or together or len(places[often]) >= 2 * len(places[seldom]) >= 2:
        yield Finding(
            "spelling",
            *places[seldom][0],
            _("“%(one)s” here and “%(other)s” elsewhere: is it one name in two spellings?")
            % {"one": seldom, "other": often},
            places[often][0],
        )


def _bare(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(char))


def _is_inflected(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if long.startswith(short) and long[len(short) :] in ("s", "n", "i", "a", "e", "an", "es", "ns"):
        return True
    # Adam and Adan are two; Salvadorian and Salvadorean, Canadian and Canadien too, but Mexicano and Mexicana one.
    return one[:-1] == other[:-1] and {one[-1], other[-1]} == {"o", "a"}


_QUOTED = re.compile(
    r"“([^“”]{25,600})”|\"([^\"\n]{25,600})\"|«([^«»]{25,600})»|(?<!\w)‘((?:[^‘’\n]|’(?=\w)){25,600})’"
)


def _twins(reading: _Reading) -> Iterator[Finding]:
    """One quotation twice, in other words the second time."""
    quotes = []
    for found in islice(_QUOTED.finditer(reading.text), MOST_QUOTES):
        group = next(number for number in (1, 2, 3, 4) if found[number] is not None)
        words = fold(found[group]).text.strip(" .,")
        quotes.append((words, found.span(group)))
    for (one, first), (other, second) in combinations(quotes, 2):
        if one in other or other in one or len(one.split()) < 5:
            continue
        if fuzz.ratio(one, other, score_cutoff=82) or (
            min(len(one), len(other)) > 40 and fuzz.partial_ratio(one, other, score_cutoff=92)
        ):
            yield Finding(
                "twin_quote",
                *second,
                _("This quotation and one before it are nearly the same, but not in every word."),
                first,
            )


def _doubled(reading: _Reading) -> Iterator[Finding]:
    for one, other in pairwise(re.finditer(r"[^\W\d_]+", reading.text)):
        same = one.group().casefold() == other.group().casefold()
        if same and reading.text[one.end() : other.start()] == " " and one.group().casefold() in _SELDOM_TWICE:
            yield Finding("doubled_word", one.start(), other.end(), _("This word stands twice."))


# "had had" and "that that" are good English.
_SELDOM_TWICE = frozenset(
    ("the", "a", "an", "of", "to", "and", "with", "at", "from", "is", "was", "el", "los", "las", "de", "un", "una")
)

_CHECKS: tuple[Callable[[_Reading], Iterator[Finding]], ...] = (
    _dates,
    _dates_in_digits,
    _ages,
    _shifts,
    _multiples,
    _shares,
    _answers,
    _totals,
    _scales,
    _conversions,
    _quotation_marks,
    _names,
    _twins,
    _doubled,
)
