"""Which sentences of a text most want a check, with the reasons in words.

No model and no network: each sentence is searched for what can be looked up (numbers, money, dates, names,
comparisons, other people's words) and for what cannot (questions, wishes, opinions, promises). Every sign found is one
reason and adds its weight, so that a person can see why a sentence is on the list, and why another is not. The words
are those of English and Spanish; numbers, names and quotation marks are found in any language.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from factcheck.articles.anchoring import sentence_spans

# A sentence below this is not offered.
LEAST_SCORE = 0.35
# Shorter sentences ("Thank you.") state nothing that could be looked up.
SHORTEST_WORDS = 4
LONGEST_CHARS = 2_000


@dataclass(frozen=True)
class Suggestion:
    """A sentence, half-open in code points; ``score`` from 0 to 1 ranks and means nothing else."""

    start: int
    end: int
    score: float
    reasons: tuple[str, ...]


def suggest(text: str, language: str) -> list[Suggestion]:
    """The sentences that want a check, the most urgent first; ``language`` is an ISO 639 code.

    In a language whose words are not known here, only the signs count that need none.
    """
    signs = _signs(language.partition("-")[0].lower())
    found = []
    for start, end in sentence_spans(text):
        score, reasons = _judged(text[start : min(end, start + LONGEST_CHARS)], signs)
        if score >= LEAST_SCORE:
            found.append(Suggestion(start, end, round(score, 3), reasons))
    return sorted(found, key=lambda one: (-one.score, one.start))


def to_look_up(sentence: str, language: str) -> tuple[str, ...]:
    """What a sentence, however short, has that could be looked up: numbers, dates, names, quotations, extremes."""
    signs = _signs(language.partition("-")[0].lower())
    found = (str(sign.reason) for sign in signs if sign.is_fact and sign.pattern.search(sentence[:LONGEST_CHARS]))
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class _Sign:
    pattern: re.Pattern[str]
    weight: float
    # What a person reads; empty for what speaks against a check.
    reason: str | Promise = ""
    # A second and third find add less and less; others count once.
    counts: bool = False
    # Something that stands recorded elsewhere, whatever is said of it.
    is_fact: bool = False


def _judged(sentence: str, signs: tuple[_Sign, ...]) -> tuple[float, tuple[str, ...]]:
    words = len(re.findall(r"\w+", sentence))
    total = 0.0
    reasons: list[tuple[float, str]] = []
    for sign in signs:
        finds = sum(1 for _each in sign.pattern.finditer(sentence))
        if not finds:
            continue
        weight = sign.weight * (1 + 0.5 * math.log(finds) if sign.counts else 1)
        total += weight
        if sign.reason:
            reasons.append((weight, str(sign.reason)))
    if words < SHORTEST_WORDS and total < 2:
        return 0.0, ()
    # More words say more that can be wrong, up to a point.
    total += 0.45 * min(math.log2(max(words, 1) / 8), 1.6) if words > 8 else -0.25
    reasons.sort(key=lambda one: -one[0])
    return 1 / (1 + math.exp(1.6 - total)), tuple(dict.fromkeys(reason for _weight, reason in reasons))


def _words(words: str, *, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words.split())})(?!\w)".replace("_", r"\s+"), flags)


@lru_cache(maxsize=8)
def _signs(language: str) -> tuple[_Sign, ...]:
    return (*_ANYWHERE, *_BY_LANGUAGE.get(language, ()))


_ANYWHERE = (
    _Sign(re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])"), 1.3, _("It holds a number."), counts=True, is_fact=True),
    _Sign(
        re.compile(r"\d\s?(?:%|‰)|[$€£¥]\s?\d|\d\s?[€£$]"), 0.8, _("It holds a share or a sum of money."), is_fact=True
    ),
    _Sign(re.compile(r"(?<!\d)(?:1[5-9]\d\d|20\d\d)(?!\d)"), 0.3, _("It names a year."), is_fact=True),
    _Sign(
        re.compile(
            r"(?<=[\w,;’'”)]\s)(?:\w+[-’'])?[A-ZÁÉÍÓÚÑÄÖÜ][\w’'-]+(?:\s(?:of|de|del|la|the|van|von)?\s?[A-ZÁÉÍÓÚÑÄÖÜ][\w’'-]+)*"
        ),
        0.35,
        _("It names somebody or something."),
        counts=True,
        is_fact=True,
    ),
    _Sign(re.compile(r"[“”„«»]|\"[^\"]{3,}\""), 0.35, _("It quotes somebody."), is_fact=True),
    _Sign(re.compile(r"[?¿]\s*[”\"]?$"), -1.3),
    _Sign(re.compile(r"[!¡]\s*[”\"]?$"), -0.4),
)

_BY_LANGUAGE = {
    "en": (
        _Sign(
            _words(
                "million millions billion billions trillion trillions thousand thousands hundred hundreds dozen dozens"
                " percent per_cent percentage half third quarter twice double triple tenfold two three four five six"
                " seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy eighty ninety"
            ),
            1.1,
            _("It holds a number in words."),
            counts=True,
            is_fact=True,
        ),
        _Sign(
            _words(
                "most fewest least highest lowest largest biggest greatest smallest worst best longest oldest youngest"
                " first last only ever never all every none nobody everyone always record unprecedented"
            ),
            0.55,
            _("It claims an extreme or an absolute."),
            is_fact=True,
        ),
        _Sign(
            _words("more_than less_than fewer_than higher lower larger bigger smaller faster than average median rate"),
            0.5,
            _("It compares or measures."),
        ),
        _Sign(
            _words(
                "increased increase increases increasing decreased decrease rose risen rise fell fallen dropped drop"
                " grew grown growth doubled tripled halved cut cuts raised declined decline lost gained deficit debt"
                " unemployment inflation budget tax taxes jobs spending exports imports crime murder murders arrested"
                " killed died deaths"
            ),
            0.6,
            _("It speaks of a change or a quantity that is recorded somewhere."),
        ),
        _Sign(
            _words(
                "voted vote votes signed passed law laws bill act treaty agreement court ruled report reported study"
                " according announced confirmed created built sent sold bought paid spent supported opposed vetoed"
            ),
            0.45,
            _("It speaks of an act that left a record."),
        ),
        _Sign(
            _words(
                "since ago last_year last_month this_year yesterday monday tuesday wednesday thursday friday saturday"
                " sunday january february march april june july august september october november december"
            ),
            0.3,
            _("It says when."),
            is_fact=True,
        ),
        _Sign(_words("because caused led_to resulted due_to therefore"), 0.25, _("It names a cause.")),
        _Sign(_words("was were had has have been is are did"), 0.15),
        _Sign(
            _words(
                "i_think i_believe i_hope i_feel i_want i'd_like i'm_going we_should should ought must let's would"
                " could might may believe think hope want going_to will i'll we'll shall wish opinion"
            ),
            -0.75,
        ),
        _Sign(_words("thank thanks welcome please good_evening mr mrs gentlemen question answer sorry minutes"), -0.7),
        _Sign(_words("good bad great wonderful terrible important beautiful right wrong better fair honest"), -0.2),
    ),
    "es": (
        _Sign(
            _words(
                "millón millones mil miles billón billones cien cientos docena docenas por_ciento porcentaje mitad"
                " tercio cuarto doble triple dos tres cuatro cinco seis siete ocho nueve diez once doce quince"
                " veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"
            ),
            1.1,
            _("It holds a number in words."),
            counts=True,
            is_fact=True,
        ),
        _Sign(
            _words(
                "mayor menor mejor peor máximo mínimo primero primera último última único única nunca jamás siempre"
                " todos todas ningún ninguno ninguna nadie récord"
            ),
            0.55,
            _("It claims an extreme or an absolute."),
            is_fact=True,
        ),
        _Sign(
            _words("más_de menos_de más_que menos_que más menos promedio media tasa superior inferior"),
            0.5,
            _("It compares or measures."),
        ),
        _Sign(
            _words(
                "aumentó aumentaron aumento subió subieron bajó bajaron cayó cayeron creció crecimiento redujo"
                " reducción duplicó déficit deuda desempleo inflación presupuesto impuesto impuestos empleos gasto"
                " exportaciones homicidios asesinatos detenidos muertos murieron"
            ),
            0.6,
            _("It speaks of a change or a quantity that is recorded somewhere."),
        ),
        _Sign(
            _words(
                "votó firmó aprobó ley leyes decreto tratado acuerdo tribunal informe estudio según anunció confirmó"
                " construyó envió vendió compró pagó gastó apoyó vetó"
            ),
            0.45,
            _("It speaks of an act that left a record."),
        ),
        _Sign(
            _words(
                "desde hace ayer el_año_pasado lunes martes miércoles jueves viernes sábado domingo enero febrero marzo"
                " abril mayo junio julio agosto septiembre octubre noviembre diciembre"
            ),
            0.3,
            _("It says when."),
            is_fact=True,
        ),
        _Sign(_words("porque debido causó provocó por_eso"), 0.25, _("It names a cause.")),
        _Sign(_words("fue fueron era eran ha han había es son"), 0.15),
        _Sign(
            _words("creo pienso espero quiero debemos debería deberían podría vamos_a ojalá opino quisiera"),
            -0.75,
        ),
        _Sign(_words("gracias bienvenidos por_favor buenas_noches señor señora pregunta"), -0.7),
    ),
}
