"""What is wrong inside a text itself, found without asking anybody: it contradicts the calendar, arithmetic or itself.

Each check reads the text alone (and the day that it bears) and says in one sentence what does not fit. It never says
which of two things is the wrong one. Months, weekdays and units are known in English and Spanish; the rest needs no
language.
"""

from __future__ import annotations

import datetime
import re
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
    born: str
    shifts: str
    shares: str
    totals: tuple[str, ...]
    joined: str


def _numbered(names: str, first: int = 1) -> dict[str, int]:
    return {name: number for number, group in enumerate(names.split(), first) for name in group.split("/")}


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
    ages=(r"(?P<age>\d{1,3})[- ]year[- ]old", r"\baged?\s+(?P<age>\d{1,3})\b", r"(?<=[a-z]), (?P<age>\d{2}),"),
    born=r"\bborn\b[^.;]{0,40}?\b(?P<year>1[89]\d\d|20\d\d)\b",
    shifts=(
        rf"from\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+to\s+[$€£]?(?P<after>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,60}}?)(?P<change>{_NUMBER})\s?(?P<sign>%|percent(?:age points?)?|per cent)"
    ),
    shares=(
        rf"(?P<part>{_NUMBER})\s+(?:out\s+)?of\s+(?:the\s+|all\s+|its\s+|their\s+)?(?P<whole>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,40}}?)[(,]\s*(?:or\s+|about\s+)?(?P<share>{_NUMBER})\s?(?:%|percent|per cent)"
    ),
    totals=(
        rf"total of\s+(?P<total>{_NUMBER})(?P<what>[^.;:\d]{{0,40}})[:,]\s*(?P<list>[^.;]{{3,200}})",
        rf"(?P<list>{_NUMBER}[^.;]{{3,200}}?),?\s+(?:for\s+)?a total of\s+(?P<total>{_NUMBER})",
    ),
    joined="and",
)
_SPANISH = _Words(
    months=_numbered(
        "enero/ene febrero/feb marzo/mar abril/abr mayo junio/jun julio/jul agosto/ago septiembre/setiembre/sept"
        " octubre/oct noviembre/nov diciembre/dic"
    ),
    weekdays=_numbered("lunes martes miércoles/miercoles jueves viernes sábado/sabado domingo", 0),
    scales={
        "mil": Decimal(10**3),
        "millón": Decimal(10**6),
        "millones": Decimal(10**6),
        "billón": Decimal(10**12),
        "billones": Decimal(10**12),
    },
    decimal_comma=True,
    percent=r"%|por ciento",
    points=r"puntos? porcentual(?:es)?",
    dates=(r"(?P<day>\d{{1,2}})\.?º?\s+de\s+(?P<month>{month})(?!\w)(?:\.?\s+(?:de|del)\s+(?P<year>\d{{4}}))?(?!\d)",),
    ages=(r"(?P<age>\d{1,3})\s+años(?=\s+de\s+edad|[,.)])",),
    born=r"\bnaci(?:ó|do|da)\b[^.;]{0,40}?\b(?P<year>1[89]\d\d|20\d\d)\b",
    shifts=(
        rf"de\s+[$€£]?(?P<before>{_NUMBER})(?P<unit>[^.;\d]{{0,25}}?)\s+a\s+[$€£]?(?P<after>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,60}}?)(?P<change>{_NUMBER})\s?(?P<sign>%|por ciento|puntos? porcentual(?:es)?)"
    ),
    shares=(
        rf"(?P<part>{_NUMBER})\s+de\s+(?:las?\s+|los\s+)?(?P<whole>{_NUMBER})"
        rf"(?P<between>[^.;\d]{{0,40}}?)[(,]\s*(?:o\s+|el\s+)?(?P<share>{_NUMBER})\s?(?:%|por ciento)"
    ),
    totals=(
        rf"total de\s+(?P<total>{_NUMBER})(?P<what>[^.;:\d]{{0,40}})[:,]\s*(?P<list>[^.;]{{3,200}})",
        rf"(?P<list>{_NUMBER}[^.;]{{3,200}}?),?\s+un total de\s+(?P<total>{_NUMBER})",
    ),
    joined="y",
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
                rf"\s*[(,]?\s*(?:a\s+|un\s+)?(?P<weekday>{weekdays})(?!\w)",
                reading.text[found.end() : found.end() + 20],
                re.IGNORECASE,
            )
            if before:
                at = max(0, found.start() - 20) + before.start()
                yield from _weekday(reading, before["weekday"], datetime.date(year, month, day), (at, found.end()))
            elif after:
                end = found.end() + after.end()
                yield from _weekday(reading, after["weekday"], datetime.date(year, month, day), (found.start(), end))


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
    if reading.published is None:
        return
    for born in reading.finditer(reading.words.born):
        start, end = reading.sentence_of(born.start())
        years = reading.published.year - int(born["year"])
        for form in reading.words.ages:
            for age in re.finditer(form, reading.text[start:end], re.IGNORECASE):
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
    for found in reading.finditer(reading.words.shifts):
        before, after, change = (reading.number(found[name]) for name in ("before", "after", "change"))
        if before is None or after is None or change is None or before.low <= 0:
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
    for found in reading.finditer(reading.words.shares):
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
    joined = reading.words.joined
    for form in reading.words.totals:
        for found in reading.finditer(form):
            total = reading.number(found["total"])
            parts = re.split(rf",\s+(?:{joined}\s+)?|\s+{joined}\s+", found["list"])
            amounts = []
            for part in parts:
                written = re.match(rf"\s*(?P<number>{_NUMBER})(?!\s?(?:%|percent))\s", part + " ")
                amounts.append(reading.number(written["number"]) if written else None)
            # A list of which one item is no number may leave something out.
            known = [amount for amount in amounts if amount is not None]
            if total is None or len(known) < 2 or len(known) < len(amounts):
                continue
            low, high = sum(amount.low for amount in known), sum(amount.high for amount in known)
            if any(amount.half < Decimal("0.5") for amount in known):
                fits = low - total.half <= total.value <= high + total.half
            else:
                fits = sum(amount.value for amount in known) == total.value
            if not fits:
                yield Finding(
                    "sum",
                    *found.span("total"),
                    _("The parts add up to %(sum)s, not to %(total)s.")
                    % {"sum": _plain(Decimal(sum(amount.value for amount in known))), "total": found["total"]},
                    found.span("list"),
                )


def _scales(reading: _Reading) -> Iterator[Finding]:
    """ "5.4 million dollars" here and "5.4 billion dollars" there."""
    scales = "|".join(sorted(reading.words.scales, key=len, reverse=True))
    seen: dict[tuple[str, str], list[tuple[Decimal, Span, str]]] = defaultdict(list)
    form = (
        rf"(?P<sign>[$€£]\s?|)(?<![\d.,])(?P<number>\d+(?:[.,]\d+)?)\s+(?P<scale>{scales})"
        r"\s+(?:de\s+)?(?P<what>[^\W\d_]{3,})"
    )
    for found in reading.finditer(form):
        what = found["sign"].strip() or found["what"].casefold()
        scale = reading.words.scales[found["scale"].lower()]
        seen[(found["number"], what)].append((scale, found.span(), found["scale"]))
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
        rf"(?P<other>{_NUMBER})[-\s]?(?P<second>{units})(?!\w)"
    )
    for found in reading.finditer(form):
        one, other = reading.number(found["one"]), reading.number(found["other"])
        (kind, factor), (same, second) = _UNITS[found["unit"].lower()], _UNITS[found["second"].lower()]
        if one is None or other is None or kind != same or factor == second:
            continue
        right = one.value * factor / second
        yield from _converted(found, right, other, one.half * factor / second)
    degrees = (
        rf"(?P<one>-?{_NUMBER})\s?°\s?(?P<unit>[CF])\s*(?:\(|,?\s+or\s+)(?P<other>-?{_NUMBER})\s?°\s?(?P<second>[CF])"
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
    names = [name for name in places if len(name) >= 5 and not lower[name.lower()]]
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
    apart = DamerauLevenshtein.distance(name.lower(), other.lower(), score_cutoff=2)
    if not 0 < apart <= (2 if min(len(name), len(other)) >= 9 else 1):
        return
    often, seldom = sorted((name, other), key=lambda one: len(places[one]), reverse=True)
    if company[name] & company[other] or len(places[often]) >= 2 * len(places[seldom]) >= 2:
        yield Finding(
            "spelling",
            *places[seldom][0],
            _("“%(one)s” here and “%(other)s” elsewhere: is it one name in two spellings?")
            % {"one": seldom, "other": often},
            places[often][0],
        )


def _is_inflected(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if long.startswith(short) and long[len(short) :] in ("s", "n", "i", "a", "e", "an", "es", "ns"):
        return True
    # Adam and Adan are two; Salvadorian and Salvadorean, Canadian and Canadien too, but Mexicano and Mexicana one.
    return one[:-1] == other[:-1] and {one[-1], other[-1]} == {"o", "a"}


_QUOTED = re.compile(r"“([^“”]{25,600})”|\"([^\"\n]{25,600})\"|«([^«»]{25,600})»")


def _twins(reading: _Reading) -> Iterator[Finding]:
    """One quotation twice, in other words the second time."""
    quotes = []
    for found in islice(_QUOTED.finditer(reading.text), MOST_QUOTES):
        group = next(number for number in (1, 2, 3) if found[number] is not None)
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
    _ages,
    _shifts,
    _shares,
    _totals,
    _scales,
    _conversions,
    _quotation_marks,
    _names,
    _twins,
    _doubled,
)
