"""What differs between two wordings that are nearly alike, word by word.

Likeness cannot tell a near miss from a quotation: the dangerous differences are the small ones. So the
words are laid beside each other, and each difference is named: a number, a negation, a unit, a name.
The lists are of English, Spanish, German and French, with some Portuguese and Italian. A word too many
costs a person's look; a word too few lets a wrong quotation pass with one warning less, never as right.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from factcheck.lib.folding import MARKS

WARNINGS = ("number", "negation", "unit", "name")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCALES = _words("""
    hundred hundreds thousand thousands million millions billion billions trillion trillions quadrillion dozen
    dozens mn mln mio bn bln mrd tn trn lakh lakhs crore crores cien ciento mil miles millón millon millones
    millardo billón billones hundert tausend millionen milliarde milliarden billionen cent cents mille millier
    milliers milliard milliards milhão milhões bilhão bilhões milione milioni miliardo miliardi milyon milyar тысяча
    тысячи тысяч миллион миллиона миллионов миллиард миллиарда миллиардов ألف آلاف مليون ملايين مليار مليارات אלף
    אלפים מיליון מיליוני מיליארד मिलियन हज़ार लाख करोड़ 十 百 千 万 億 亿 兆
""")
NUMBERS = SCALES | _words("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety half halves third thirds
    quarter quarters fifth fifths tenth tenths first second fourth sixth seventh eighth ninth once twice thrice
    double triple doubled tripled halved both couple single cero dos tres cuatro cinco seis siete ocho nueve
    diez doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno treinta cuarenta
    cincuenta sesenta setenta ochenta noventa medio media tercio primero primera segundo segunda doble null zwei
    drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn
    neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig halb halbe hälfte drittel viertel
    doppelt zweimal dreimal zéro deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze
    seize vingt trente quarante cinquante soixante demi moitié tiers dois duas três quatro sete oito nove dez
    vinte due tre quattro sei sette otto dieci venti cento
""")
CURRENCY_CODES = _words("""
    usd eur gbp jpy cny chf inr mxn brl cad aud sek nok dkk pln zar rs svc crc ars clp cop
""")
# What a negation reaches over: "is not a crook", "was never really in danger", "does not have to pay".
SMALL_WORDS = _words("""
    a an the any be been being yet so such very all at to have need going really quite exactly entirely fully
    completely even ever necessarily longer more only just good un una el la los las del todo más muy ein eine einen
    mehr ganz sehr wirklich le une des de plus très vraiment es era fue son ist sind war est sont è är er είναι
""")
ARTICLES = _words("a an un una ein eine einen une")
# Before a name, these make it another: "vice president", "New York"; the second only in capitals.
OTHERS = _words("vice deputy former ex acting vize ehemaliger ehemalige ancien ancienne antiguo antigua")
PARTS_OF_NAMES = _words("New North South East West Northern Southern Eastern Western Saint St San Santa")
# "two point five": what comes before belongs to the number.
POINTS = _words("point comma coma komma virgule virgula")

# Negations that stand after their verb: "did not", "kommt nicht", "ne vient pas".
LATE_NEGATIONS = _words("""
    not no never none nothing nobody hardly barely scarcely nicht nichts nie niemals niemand kein keine keinen pas
    jamais rien nunca jamás nada nadie niet geen nooit inte aldrig ikke aldri değil नहीं
""")
NEGATIONS = _words("""
    no not none never nobody nothing nowhere neither nor without cannot non hardly barely scarcely lack lacks lacked
    lacking nunca jamás
    tampoco ninguno ninguna ningún nadie nada ni sin nicht nichts nie niemals niemand kein keine keinen keinem
    keiner keines weder ohne ne pas jamais aucun aucune rien personne sans não nem sem nenhum nenhuma mai
    nessuno nessuna senza né
    niet geen nooit zonder inte aldrig utan ikke aldri uten uden nie bez не ни нет без нельзя никогда немає δεν μην
    ούτε χωρίς değil yok nem tidak bukan tanpa không chẳng नहीं बिना لا ولا لم ولم لن ولن ليس وليس ليست غير بدون دون
    نیست 不 没 沒 未 لا לא ולא שלא אין ואין בלי ללא אינו אינה אינם
""")
# They turn what follows, yet a quotation may well begin after them.
_REFUSALS = _words("""
    refuse refuses refused deny denies denied fail fails failed false untrue negó niega rechazó bestreitet
    bestritt nia
""")
NEGATIVE_BEGINNINGS = _words("un in im il ir non dis mis anti counter des de a ab re")
_NEGATIVE_ENDINGS = (("less", "ful"), ("less", ""), ("los", "voll"), ("frei", ""))

CURRENCIES = _words("""
    dollar dollars euro euros pound pounds sterling yen yuan renminbi rupee rupees peso pesos real reais franc
    francs krona kronor krone kroner rouble roubles ruble rubles lira liras zloty won rand shekel shekels dirham
    dirhams colón colones bolívar bolívares quetzal quetzales lempira lempiras córdoba córdobas sol soles dólar
    dólares libra libras pfund franken rubel bitcoin bitcoins usd eur gbp jpy cny chf inr mxn brl cad aud rub
    try sek nok dkk pln zar krw clp cop ars svc rmb us$ c$ a$ r$ rs kr dolar avro рубль рубля рублей доллар доллара
    долларов евро гривна гривен دولار دولارات يورو جنيه ريال درهم ليرة שקל שקלים דולר דולרים אירו
""")
# Symbols, where a capital makes another unit: mW and MW, Mb and MB.
UNIT_SYMBOLS = _words("""
    nm µm μm mm cm dm m km in ft yd mi nmi mm² cm² m² km² m³ ha ac µg μg mg g dag kg t kt Mt Gt lb lbs oz st ml mL
    cl dl l L hl gal pt bbl s ms µs μs ns min h hr hrs d a Hz kHz MHz GHz THz W mW kW MW GW TW Wh kWh MWh GWh TWh V
    mV kV A mA Ah mAh J kJ MJ GJ cal kcal N kN Pa hPa kPa MPa bar mbar psi K C F °C °F dB dBA b B kb kB Kb KB Mb MB
    Gb GB Tb TB Mbps MBps Gbps GBps kbps Mbit Gbit kbit bit bits bytes mol mmol ppm ppb Bq kBq Sv mSv µSv μSv Gy rpm
    mph kph kmh kn bp bps pp px dpi c p k M G T CO2e
""")
UNIT_WORDS = CURRENCIES | _words("""
    percent per-cent percentage pct point points basis prozent prozentpunkt prozentpunkte pourcent porcentaje
    porciento puntos punkte procent metre metres meter meters kilometre kilometres kilometer kilometers
    centimetre centimetres centimeter centimeters millimetre millimetres millimeter millimeters mile miles foot
    feet inch inches yard yards acre acres hectare hectares gram grams gramme grammes kilogram kilograms kilo
    kilos tonne tonnes ton tons pound pounds ounce ounces litre litres liter liters gallon gallons barrel
    barrels pint pints second seconds minute minutes hour hours day days night nights week weeks weekly
    fortnight month months monthly year years yearly annual annually daily hourly decade decades century
    centuries watt watts kilowatt kilowatts megawatt megawatts gigawatt gigawatts kilowatt-hour kilowatt-hours
    volt volts degree degrees celsius fahrenheit kelvin byte bytes kilobyte kilobytes megabyte megabytes
    gigabyte gigabytes terabyte terabytes hertz joule joules calorie calories decibel decibels metro metros
    kilómetro kilómetros centímetro centímetros milla millas hectárea hectáreas gramo gramos kilogramo
    kilogramos tonelada toneladas libra libras litro litros galón galones barril barriles segundo segundos
    minuto minutos hora horas día días semana semanas mes meses año años década décadas siglo siglos grado
    grados vatio vatios kilovatio kilovatios megavatio megavatios kilometern metern meilen hektar gramm
    kilogramm tonnen sekunde sekunden minuten stunde stunden tag tage tagen woche wochen monat monate monaten
    jahr jahre jahren grad mètre mètres kilomètre kilomètres heure heures jour jours semaine semaines mois an
    ans année années degré degrés head person hr kopf tête cabeza yüzde процент процента процентов بالمئة المئة אחוז
    אחוזים
""")
PER = _words("per pro por par je a an al im am la le each every cada")
_UNIT_SIGNS = frozenset("%‰‱°€$£¥¢′″")
# What stands before a number and changes it.
COMPARISONS = frozenset("<>≤≥±~≈∼≃≠=^×√+/⁄")

# Words that no name begins with, so that a sentence may begin with them in one copy and go on with them in the other.
_NO_NAMES = _words("""
    a an the this that these those there here it its i you he she we they me him her us them my your his our
    their mine one's who whom whose which what when where why how and or but nor so yet for if as at by from in
    into of off on onto out over to up with within about above across after against along among around before
    behind below beneath beside between beyond despite during except inside like near outside past since through
    throughout toward towards under until upon via because although though while whereas unless whether than
    then thus therefore however also even just only still already again always often sometimes now today
    yesterday tomorrow is are was were be been being am has have had do does did can could shall should would
    might must let let's it's that's there's we're they're you're i'm he's she's we've they've i've you've all
    any both each every either few many more most much other another some several such same own no not none
    never nothing nobody neither yes well too very according earlier later meanwhile moreover nevertheless
    perhaps maybe instead rather officials people experts authorities residents witnesses researchers scientists
    critics opponents supporters lawmakers prosecutors el la los las lo un una unos unas y o u e pero ni que si
    como cuando donde porque aunque en de del al por para con sin sobre entre hasta desde hacia según este esta
    esto estos estas ese esa eso esos esas aquel aquella yo tú él ella nosotros ellos ellas nos se le les te mi
    tu su sus es era eran fue fueron ser está están han sí ya también más muy todo toda todos todas der die das
    den dem des ein eine einen einem einer eines und oder aber denn wenn weil dass ob als wie wo wer warum im
    auf aus bei mit nach von vom vor zu zum zur über unter für gegen durch ohne um er sie wir ihr ich du man ist
    sind war waren hat haben hatte wird werden wurde nicht kein keine auch nur noch schon sehr mehr diese dieser
    dieses jeder jede jedes alle l une et ou mais donc car qui quoi dont où comme quand à au aux dans par pour
    avec sans sur sous vers chez ce cet cette ces il elle nous vous ils elles je ne pas est sont était ont os
    uma da dos na nas gli uno di per tra fra non è sono
""")
# "Twelve bridges were closed" goes on as "and twelve bridges were closed".
_SMALL_IN_A_SENTENCE = _NO_NAMES | NEGATIONS | (NUMBERS - {"miles"})
_DAYS_AND_MONTHS = _words("""
    lunes martes miércoles jueves viernes sábado domingo enero febrero marzo abril mayo junio julio agosto
    septiembre setiembre octubre noviembre diciembre lundi mardi mercredi jeudi vendredi samedi dimanche janvier
    février mars avril mai juin juillet août septembre octobre novembre décembre
""")
_GERMAN_NUMBER = re.compile(
    r"(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und)?(?:zwan|drei|vier|fünf|sech|sieb|acht|neun)[zß]ig"
    r"|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)?(?:hundert|tausend)\w*"
)
# "Louis XIV" and "Louis XV": one who is numbered.
_ROMAN = re.compile(r"(?=[IVX])(?:X{0,3})(?:IX|IV|V?I{0,3})")
# What may change a number near it: "at least 5", "more than 5".
_LIMITING = _words("least most more less fewer under over between menos más mayor menor weniger mehr moins plus")
# In capitals throughout, these would be a name or a common word: nobody can tell which.
_NAME_OR_WORD = _words("""
    us it who may march august april june will mark bill grant rose grace hope faith joy frank jack rob sue pat
    art dick drew chuck nick rich max guy ray dean earl duke king bishop pope turkey china polish chile guinea
    jordan chad mali nice reading bath cork mobile apple amazon shell target meta orange oracle gap visa ford
    dodge fox sky sun mirror times post guardian aids un
""")

_LETTER = rf"(?:[^\W\d_]|[{MARKS}])"
_TOKEN = re.compile(
    r"(?P<number>(?<![^\W_])(?:-(?=\d))?(?:\d{1,3}(?: \d{3})+(?![\d.,]?\d)|\d+(?:[.,:'/⁄]\d+)*)|\d+)"
    r"|(?P<character>[\u3040-\u30ff\u3400-\u9fff])"
    rf"|(?P<word>(?:(?![\u3040-\u30ff\u3400-\u9fff]){_LETTER})+(?:'{_LETTER}+)*)"
    r"|(?P<sign>[^\w\s])"
)
_CONTRACTIONS = {
    "won't": ("will", "not"),
    "can't": ("can", "not"),
    "shan't": ("shall", "not"),
    "cannot": ("can", "not"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or meaningful sign of a folded text that kept its case; ``key`` is without case."""

    text: str
    key: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        return (
            any(unicodedata.category(char)[0] == "N" for char in self.text)
            or self.key in NUMBERS
            or (len(self.text) == 1 and self.text.isnumeric())
            or bool(_GERMAN_NUMBER.fullmatch(self.key))
        )

    @property
    def is_negation(self) -> bool:
        return self.key in NEGATIONS or self.key.endswith("n't")

    @property
    def is_unit(self) -> bool:
        return self.text in _UNIT_SIGNS or self.key in UNIT_WORDS or is_money(self.text)

    @property
    def is_name(self) -> bool:
        return (
            (self.text[0].isupper() and self.key not in _NO_NAMES)
            or self.key in _DAYS_AND_MONTHS
            or _acronym(self.text)
        )


def is_money(text: str) -> bool:
    return len(text) == 1 and unicodedata.category(text) == "Sc"


def counts(word: Word, number: Word) -> bool:
    """Whether ``word``, directly after ``number``, says what is counted, or how many times."""
    if (
        word.key in SCALES
        or word.text in _UNIT_SIGNS
        or is_money(word.text)
        or word.key == "per"
        or word.key.startswith("percent")
    ):
        return True
    if YEAR.fullmatch(number.text) or word.text in _COMMON_WORDS:
        return False
    return word.is_unit or word.text in UNIT_SYMBOLS or word.key in _UNIT_KEYS


# "In 2019 a deal" and "In 2019 won by" count nothing.
YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_COMMON_WORDS = frozenset({"a", "A", "in", "d", "s", "c", "p", "l", "st"})
_UNIT_KEYS = frozenset(symbol.casefold() for symbol in UNIT_SYMBOLS if len(symbol) > 1) - {"in"}


def words(folded: str) -> list[Word]:
    """The words of a text that was folded with its case kept; punctuation is left out."""
    found: list[Word] = []
    for token in _TOKEN.finditer(folded):
        text, start, end = token.group(), token.start(), token.end()
        if token.lastgroup == "sign":
            category = unicodedata.category(text)
            if not (text in _UNIT_SIGNS or text in COMPARISONS or category[0] in "NS"):
                continue
        key = text.casefold()
        if key.endswith("n't") or key == "cannot":
            first, second = _CONTRACTIONS.get(key, (key[:-3], "not"))
            middle = end - 3
            if first:
                found.append(Word(text[:-3], first, start, middle))
            found.append(Word("not", second, middle, end))
            continue
        found.append(Word(text, key, start, end))
    return found


def differences(one: Sequence[Word], other: Sequence[Word], *, case: bool = True) -> frozenset[str]:
    """Which of WARNINGS apply to the difference between two wordings of a passage.

    With ``case``, a difference only in capitals counts where capitals carry meaning.
    """
    warnings: set[str] = set()
    loud = case and _in_capitals(one) != _in_capitals(other)
    for step in Levenshtein.opcodes([word.key for word in one], [word.key for word in other]):
        if step.tag != "equal":
            warnings |= _named(one, step.src_start, step.src_end) | _named(other, step.dest_start, step.dest_end)
            warnings |= _turned(one[step.src_start : step.src_end], other[step.dest_start : step.dest_end])
        elif case:
            for at in range(step.src_start, step.src_end):
                here, there = one[at], other[step.dest_start + at - step.src_start]
                if here.text != there.text:
                    warnings |= _case_warning(here, there, at > 0 and one[at - 1].is_number, loud)
    return frozenset(warnings)


def critical(passage: Iterable[Word]) -> dict[str, set[str]]:
    """The numbers, negations and units among some words, by kind."""
    found: dict[str, set[str]] = {"number": set(), "negation": set(), "unit": set()}
    before: Word | None = None
    for word in passage:
        if word.is_number:
            found["number"].add(word.key)
        if word.is_negation:
            found["negation"].add("not")
        if word.is_unit or (before and before.is_number and counts(word, before)):
            found["unit"].add(word.key)
        before = word
    return found


def _named(passage: Sequence[Word], start: int, end: int) -> set[str]:
    warnings: set[str] = set()
    for index in range(start, end):
        word = passage[index]
        before = passage[index - 1] if index else None
        if word.is_number or word.text in COMPARISONS or word.text == "-":
            warnings.add("number")
        if before and (
            (before.is_name and _ROMAN.fullmatch(word.text)) or (before.is_number and before.end == word.start)
        ):
            warnings.add("number")  # "1980s"
        between = before and before.is_number and index + 1 < len(passage) and passage[index + 1].is_unit
        squared = before and before.key in ("sq", "square", "cubic") and word.text in UNIT_SYMBOLS
        if between or squared:
            warnings.add("unit")  # "300 Canadian dollars"
        if word.key in _LIMITING and any(one.is_number for one in passage[index + 1 : index + 3]):
            warnings.add("number")
        if word.is_negation or word.key in _REFUSALS:
            warnings.add("negation")
        if word.is_unit or (index > 0 and passage[index - 1].is_number and counts(word, passage[index - 1])):
            warnings.add("number" if word.key in SCALES else "unit")
        elif word.is_name or (not word.is_number and unicodedata.category(word.text[0]) == "Lo"):
            # Where there are no capitals, any word may be a name.
            warnings.add("name")
    return warnings


def _turned(removed: Sequence[Word], added: Sequence[Word]) -> set[str]:
    """Whether a word became its own contrary: able and unable, legal and illegal, harmful and harmless."""
    for one in removed:
        for other in added:
            for short, long in ((one.key, other.key), (other.key, one.key)):
                if len(short) >= 3 and any(long == beginning + short for beginning in NEGATIVE_BEGINNINGS):
                    return {"negation"}
                for negative, positive in _NEGATIVE_ENDINGS:
                    stem = short.removesuffix(positive)
                    if len(stem) >= 3 and short.endswith(positive) and long == stem + negative:
                        return {"negation"}
    return set()


def _case_warning(one: Word, other: Word, after_number: bool, loud: bool) -> set[str]:
    key = one.key
    if after_number and len(key) > 3 and (key in SCALES or key in UNIT_WORDS):
        return set()
    if after_number and (key in SCALES or key in _UNIT_KEYS or len(key) <= 2 or {one.text, other.text} & UNIT_SYMBOLS):
        return {"unit"}
    if loud:
        return {"name"} if key in _NAME_OR_WORD else set()
    if key in _SMALL_IN_A_SENTENCE and not _acronym(one.text) and not _acronym(other.text):
        return set()
    return {"name"}


def _acronym(text: str) -> bool:
    return len(text) > 1 and text.isupper()


def _in_capitals(passage: Sequence[Word]) -> bool:
    """Whether the passage shouts, so that its capitals say nothing."""
    cased = [word.text for word in passage if len(word.text) > 1 and word.text.lower() != word.text.upper()]
    return len(cased) >= 3 and all(text.isupper() for text in cased)
