"""Whether quoted words stand in a text, where, and how exactly.

Likeness alone verifies nothing: "6.4 million" is very like "5.4 million". So words pass only when they
stand there whole: the same but for spelling that carries no meaning (see ``folding``), not cut out of a
longer number, word or negation, and in the same capitals where capitals mean something. Whatever is
merely alike is "fuzzy", with warnings that name what differs (see ``wording``), and asks a person.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Literal, Protocol

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from factcheck.lib.bare import MARKS, Bare, without_marks
from factcheck.lib.folding import Folded, fold
from factcheck.lib.wording import (
    ARTICLES,
    COMPARISONS,
    CURRENCY_CODES,
    LATE_NEGATIONS,
    NEGATIVE_BEGINNINGS,
    NUMBERS,
    OTHERS,
    PARTS_OF_NAMES,
    PER,
    POINTS,
    SCALES,
    SMALL_WORDS,
    UNIT_WORDS,
    WARNINGS,
    YEAR,
    Word,
    counts,
    critical,
    differences,
    is_money,
    words,
)

Outcome = Literal["exact", "normalised", "fuzzy", "ambiguous", "absent"]
Span = tuple[int, int]

# How much of the text an elision may stand for, in characters. Between parts of a word or two, which
# are found in many places by chance, it is less.
ELISION_REACH = 2000
SHORT_ELISION_REACH = 400
# How many words may stand where the quote has "[the president]".
BRACKET_WORDS = 8

# Below this likeness, out of 100, or this many characters, a near match is chance.
NEAR_ENOUGH = 82.0
# The scan compares as many characters as the quote has; words put in ("did not fall") push others out.
SCAN_ENOUGH = 70.0
SHORTEST_NEAR = 20
# The whole text is compared with quotes up to here; longer ones are looked for by groups of their words.
LONGEST_SCAN = 300
# Nobody quotes more; without a limit, one request could occupy a core for minutes.
LONGEST_NEAR = 20_000
MOST_PIECES = 60
# Before a piece's first word and around its marks, as many marks as this are read over.
MOST_MARKS = 40
# What one search may cost, in characters compared: each find of a piece is as dear as the piece is long, and to judge a
# place, which folds what stands around it, as dear as some thousand.
MOST_WORK = 30_000_000
FIND_COST = 100
JUDGE_COST = 3_000
MOST_SEEN = 50_000
MOST_JUDGED = 500
MOST_BESIDE = 20
MOST_AMBIGUOUS = 20
# Of prefix and suffix, this much is compared.
CONTEXT_LENGTH = 200
# A context decides if it is this much alike, and by this much more than any other, out of 1.
GOOD_CONTEXT = 0.7
CLEARLY_BETTER = 0.15
# How far around a place its borders are looked at.
AROUND = 64


@dataclass(frozen=True)
class Match:
    """Spans are half-open and count Unicode code points of the text as given.

    An ambiguous match has the span of each place, at most twenty; any other has one for
    each part of the quote between elisions. Score: 100 for the same words, less for alike.
    Not ``complete``: the search was given up, for a quote and a text that repeat themselves
    too often; "absent" is no finding then.
    """

    outcome: Outcome
    spans: tuple[Span, ...] = ()
    score: float = 0.0
    warnings: tuple[str, ...] = ()
    complete: bool = True

    @property
    def start(self) -> int | None:
        return self.spans[0][0] if self.spans else None

    @property
    def end(self) -> int | None:
        return self.spans[-1][1] if self.spans else None


def locate(quote: str, text: str | Folded, *, prefix: str = "", suffix: str = "") -> Match:
    """Find the words of ``quote`` in ``text`` and say how exactly they stand there.

    An elision ("…", "[...]") stands for up to some paragraphs, an editor's brackets ("[the
    president]") for a few words. Where several places are as good, ``prefix`` and ``suffix``,
    the words before and after, decide. Who asks often about one long text folds it once.

    Never raises for what it cannot find: the outcome is "absent", or "ambiguous" where
    several places are as good and prefix and suffix do not decide.
    """
    folded_quote = fold(quote, keep_case=True)
    if not folded_quote.text.strip():
        return Match("absent")
    search = _Search(_fold_once(text) if isinstance(text, str) else text, prefix, suffix)
    near: list[_Place] = []
    readings = _readings(folded_quote)
    for reading in readings:
        places = search.places(reading)
        passing = [place for place in places if place.passes]
        if passing:
            return search.decide(passing)
        near += places
    if near:
        return _as_fuzzy(min(near, key=lambda place: (len(place.warnings), -sum(search.likeness(place)), place.start)))
    place = search.near(readings[-1])
    if place:
        return _as_fuzzy(place)
    # Of more elisions than that, none was looked for as one.
    understood = sum(1 for _each in _GAP.finditer(folded_quote.text)) <= MOST_PIECES
    return Match("absent", complete=understood and search.complete)


_fold_once = lru_cache(maxsize=4)(fold)


@lru_cache(maxsize=4)
def _bare(folded: Folded) -> Bare:
    return Bare(folded.text)


# --- the quote -------------------------------------------------------------------------------------

# In the folded quote, where "…" and ". . ." have become "..." already. Brackets at a digit are not an
# editor's: "5[0]" leaves no number to compare.
_GAP = re.compile(
    r"(?P<elision>[\[(] ?\.{3,} ?[\])]|\.{3,})"
    r"|(?<=[^\W\d_])\[(?P<ending>[^\W\d_]{1,4})\](?!\w)"
    r"|(?<![\d.,])\[(?!\w\][^\W\d_])(?P<bracket>[^\[\]]{0,120})\](?!\d)"
)
_FIRST_LETTER = re.compile(r"(?<!\w)\[([^\W\d_])\](?=[^\W\d_])")
_QUOTATION_MARKS = " \"'"


@dataclass(frozen=True)
class _Piece:
    """Words of the quote that stand together: as typed, and folded with their case kept."""

    raw: str
    kept: str
    joins: frozenset[int] = frozenset()
    # Letters given in brackets, "[t]he": the editor says that their case was changed.
    free: frozenset[int] = frozenset()
    # Beside an editor's brackets the text's words may be others.
    open_left: bool = False
    open_right: bool = False
    # "resign[ed]": the text's word may end otherwise.
    ending: str = ""

    @cached_property
    def folded(self) -> str:
        return fold(self.kept).text

    @cached_property
    def words(self) -> list[Word]:
        return words(self.kept)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        # The joins are places in the text that kept its case; they hold while folding it changes no lengths.
        same_length = len(self.folded) == len(self.kept)
        return re.compile(_spelled_otherwise(self.folded, self.joins if same_length else frozenset()))


@dataclass(frozen=True)
class _Gap:
    kind: Literal["elision", "bracket", "ending"]
    content: str = ""


@dataclass(frozen=True)
class _Reading:
    """One way to read a quote: pieces, the gaps between them, and what stood in brackets at its ends."""

    pieces: tuple[_Piece, ...]
    gaps: tuple[_Gap, ...] = ()
    before: str = ""
    after: str = ""
    # Without its last full stop or comma: where the text has a question mark, it is another sentence.
    tidied: bool = False

    @property
    def is_literal(self) -> bool:
        """Whether all that the quote has but elisions is looked for as it is."""
        brackets = any(gap.kind != "elision" for gap in self.gaps) or self.before or self.after
        return not brackets and not self.tidied

    @property
    def longest(self) -> int:
        return max(range(len(self.pieces)), key=lambda index: len(self.pieces[index].folded))

    def without_brackets(self) -> "_Reading":
        pieces: list[_Piece] = []
        gaps: list[_Gap] = []
        for index, piece in enumerate(self.pieces):
            word = piece.kept + piece.ending
            if index and self.gaps[index - 1].kind != "elision":
                word = f"{pieces.pop().kept} {word}"
            elif index:
                gaps.append(self.gaps[index - 1])
            pieces.append(_Piece(word, word))
        return _Reading(tuple(pieces), tuple(gaps), tidied=self.tidied)


def _readings(quote: Folded) -> list[_Reading]:
    text = quote.text
    start, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    # Taken literally first: the text may itself be one that quotes with an elision.
    readings = [_Reading((_piece(quote, start, end),))]
    if any(mark in text for mark in ("...", "[")):
        readings += _interpreted(quote, start, end)
    tidy_start, tidy_end = start, end
    while tidy_start < tidy_end and text[tidy_start] in _QUOTATION_MARKS:
        tidy_start += 1
    while tidy_start < tidy_end and text[tidy_end - 1] in _QUOTATION_MARKS + ".,;":
        if text[tidy_end - 1] in "'\"" and text[tidy_end - 2].isdecimal():
            break  # feet, inches, minutes
        tidy_end -= 1
    if (tidy_start, tidy_end) != (start, end):
        readings += _interpreted(quote, tidy_start, tidy_end, tidied=True)
    return readings


def _piece(quote: Folded, start: int, end: int) -> _Piece:
    first, last = quote.original_span(start, end)
    joins = frozenset(join - start for join in quote.joins if start < join < end)
    return _Piece(quote.original[first:last], quote.text[start:end], joins)


def _interpreted(quote: Folded, start: int, end: int, *, tidied: bool = False) -> list[_Reading]:
    """The quote with its elisions and brackets understood; none where there are no words."""
    pieces: list[_Piece] = []
    gaps: list[_Gap] = []
    waiting: list[_Gap] = []
    before = ""
    at = start
    for found in [*_GAP.finditer(quote.text, start, end), None]:
        piece = _trimmed(quote, at, found.start() if found else end, first=not pieces and not waiting, last=not found)
        if piece:
            brackets = " ".join(gap.content for gap in waiting)
            # Of an elision beside a bracket, the elision reaches further.
            gap = max(waiting, key=lambda gap: gap.kind == "elision", default=None)
            if gap and pieces:
                gaps.append(_Gap(gap.kind, brackets))
            elif gap:
                before = brackets
            pieces.append(replace(piece, open_left=gap is not None and gap.kind != "elision"))
            waiting = []
        if found:
            at = found.end()
            content = found["ending"] or found["bracket"] or ""
            if content.casefold() in NEGATIVE_BEGINNINGS and quote.text[at : at + 1].isalpha():
                content = "not"  # "[un]fair"
            waiting.append(_Gap(_kind(found), content))
            if piece and waiting[0].kind != "elision":
                pieces[-1] = replace(pieces[-1], open_right=True, ending=found["ending"] or "")
    if not 1 <= len(pieces) <= MOST_PIECES:
        return []
    after = " ".join(gap.content for gap in waiting if gap.kind == "bracket")
    return [_Reading(tuple(pieces), tuple(gaps), before, after, tidied)]


def _kind(found: re.Match[str]) -> Literal["elision", "bracket", "ending"]:
    if found["elision"]:
        return "elision"
    return "ending" if found["ending"] else "bracket"


def _trimmed(quote: Folded, start: int, end: int, *, first: bool, last: bool) -> _Piece | None:
    """A piece without the spaces and lesser punctuation that stand beside a gap."""
    text = quote.text
    while start < end and text[start] in (" " if first else " ,;:."):
        start += 1
    while start < end and text[end - 1] in (" " if last else " ,;:"):
        end -= 1
    if not any(char.isalnum() for char in text[start:end]):
        return None
    kept, free, at = "", set[int](), start
    for letter in _FIRST_LETTER.finditer(text, start, end):
        kept += text[at : letter.start()]
        free.add(len(kept))
        kept += letter[1]
        at = letter.end()
    if not free:
        return _piece(quote, start, end)
    kept += text[at:end]
    return _Piece(kept, kept, free=frozenset(free))


_LOOSE = re.compile(r" ?\.\.\. ?| ?- ?| ?[\"'] ?| ?[%‰!?;:]| ?[$€£¥] ?")


def _spelled_otherwise(folded: str, joins: frozenset[int]) -> str:
    """A pattern for the words with other spacing of marks and dashes, and other quotation marks.

    Each hyphen that the text may lack is a pair of groups, the second for its place.
    """
    parts: list[str] = []

    def literally(start: int, end: int) -> None:
        for join in sorted(join for join in joins if start < join < end):
            parts.append(re.escape(folded[start:join]) + "-?")
            start = join
        parts.append(re.escape(folded[start:end]))

    at = 0
    for found in _LOOSE.finditer(folded):
        before, after = folded[: found.start()][-1:], folded[found.end() :][:1]
        literally(at, found.start())
        parts.append(_loosely(found.group(), before, after) or re.escape(found.group()))
        at = found.end()
    literally(at, len(folded))
    return "".join(parts)


def _loosely(mark: str, before: str, after: str) -> str:
    """How a mark between these characters may also be written; empty if only like this."""
    sign = mark.strip()
    if sign == "-":
        if before.isalpha() and after.isalpha():
            return "( ?- ?)?()" if mark == "-" else " ?- ?"
        if before.isdecimal() and after.isdecimal() and mark != " -":
            return "(?:-| - )"
        # Before a number or an amount it may be a minus.
        return "" if after.isdecimal() or is_money(after) else " ?- ?"
    if sign in ("'", '"'):
        apostrophe = mark == "'" and before.isalnum() and after.isalnum()
        return "" if apostrophe or before.isdecimal() else " ?[\"'] ?"
    if sign in ("%", "‰", "!", "?", ";", ":"):
        return "" if sign == ":" and after.isdecimal() else " ?" + re.escape(sign)
    # "-$5" is less than nothing, " - $5" is five dollars after a dash.
    return f"{'' if before == '-' else ' ?'}{re.escape(sign)} ?"


# --- the text --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where a reading may stand: a span of the folded text, those of the text, and what speaks against it."""

    start: int
    end: int
    spans: tuple[Span, ...]
    warnings: frozenset[str] = frozenset()
    cut: bool = False
    exact: bool = False
    score: float = 100.0

    @property
    def passes(self) -> bool:
        return not self.cut and not self.warnings


def _as_fuzzy(place: _Place) -> Match:
    warnings = tuple(warning for warning in WARNINGS if warning in place.warnings)
    return Match("fuzzy", place.spans, min(round(place.score, 1), 99.0), warnings)


class _Search:
    def __init__(self, folded: Folded, prefix: str, suffix: str) -> None:
        self.folded = folded
        self.text = folded.text
        self.prefix = fold(prefix[-CONTEXT_LENGTH:]).text.strip()
        self.suffix = fold(suffix[:CONTEXT_LENGTH]).text.strip()
        self.work = 0
        # Whether all places were looked at that could pass.
        self.complete = True
        # Words that were looked for in a stretch of the text and do not stand there.
        self._missing: set[tuple[str, int, int]] = set()

    # --- one piece

    def places(self, reading: _Reading) -> list[_Place]:
        """Where the pieces stand in order. Those that do not pass only if none does."""
        places = []
        for anchor in self._places(reading.pieces[reading.longest], 0, len(self.text)):
            chain = self._chain(reading, anchor)
            if chain:
                places.append(self._with_ends(chain, reading))
        passing = [place for place in places if place.passes]
        return _tightest(passing or places) if reading.gaps else passing or places

    def _places(self, piece: _Piece, start: int, end: int, border: int | None = None) -> list[_Place]:
        """Where a piece stands, or stands but for a cut border or other capitals.

        With a ``border``, only the nearest that pass, or some of the nearest if none does.
        """
        places: list[_Place] = []
        sought = (piece.kept + piece.ending, start, end)
        if sought in self._missing:
            return places
        for finds in (self._literal, self._loose):
            spans = list(islice(finds(piece, start, end), MOST_SEEN))
            if border is not None:
                spans = sorted(spans, key=lambda span: min(abs(span[0] - border), abs(span[1] - border)))[:MOST_BESIDE]
            elif len(spans) > MOST_JUDGED and (self.prefix or self.suffix):
                spans.sort(key=self._stands_in_context, reverse=True)
            for span in spans[:MOST_JUDGED]:
                if self.work >= MOST_WORK:
                    self.complete = False
                    break
                place = self._judge(piece, *span)
                if place:
                    places.append(place)
                    if place.passes and border is not None:
                        return places
            if any(place.passes for place in places):
                break
            self.complete = self.complete and len(spans) <= MOST_JUDGED
        if not places:
            self._missing.add(sought)
        return places

    def _literal(self, piece: _Piece, start: int, end: int) -> Iterator[Span]:
        at = self.text.find(piece.folded, start, end)
        most = self._most_for_finds()
        while at >= 0 and self._may_go_on(piece, most):
            # Most finds of a short quote are inside longer words, and this is quicker than to judge them.
            last = at + len(piece.folded)
            if not self._cuts(at) and (piece.ending or not self._cuts(last)):
                yield at, last
            at = self.text.find(piece.folded, at + 1, end)

    def _loose(self, piece: _Piece, start: int, end: int) -> Iterator[Span]:
        sought = without_marks(piece.folded)
        if not sought:
            return
        bare = _bare(self.folded)
        last = bare.position(end)
        at = bare.text.find(sought, bare.position(start), last)
        before = -1
        most = self._most_for_finds()
        while at >= 0 and self._may_go_on(piece, most):
            found = self._spelled(piece, bare.origin(at), start, end)
            if found and found[0] > before:
                before = found[0]
                yield found
            at = bare.text.find(sought, at + 1, last)

    def _spelled(self, piece: _Piece, at: int, start: int, end: int) -> Span | None:
        """The piece with its marks written otherwise, where its first character but marks stands ``at``."""
        first = at
        while first > max(start, at - MOST_MARKS) and self.text[first - 1] in MARKS:
            first -= 1
        hyphens = range(1, piece.pattern.groups + 1, 2)
        end = min(end, at + 2 * len(piece.folded) + MOST_MARKS)
        for begin in range(first, at + 1):
            found = piece.pattern.match(self.text, begin, end)
            # A hyphen may be missing only where the end of a line hid it.
            if found and all(
                found[group] is not None or found.start(group + 1) in self.folded.joins for group in hyphens
            ):
                there = found.group()
                return found.end() - len(there.lstrip(" ")), found.start() + len(there.rstrip(" "))
        return None

    def _may_go_on(self, piece: _Piece, most: int) -> bool:
        self.work += len(piece.folded) + FIND_COST
        if self.work >= most:
            self.complete = False
        return self.work < most

    def _most_for_finds(self) -> int:
        """Of the work left, a third: the places found must be judged, too."""
        return self.work + (MOST_WORK - self.work) // 3

    def _cuts(self, at: int) -> bool:
        """Whether a border here would cut a word, a number's digits, or a character of several parts."""
        if at <= 0 or at >= len(self.text):
            return False
        before, after = self.text[at - 1], self.text[at]
        if _is_attached(after) or before == "\u200d":
            return True
        if not (_is_wordlike(before) and _is_wordlike(after)):
            return False
        # Chinese and its neighbours write words without spaces; but a number is one there too.
        if _UNSPACED.match(before) or _UNSPACED.match(after):
            return before.isnumeric() and after.isnumeric()
        return True

    def _judge(self, piece: _Piece, start: int, end: int) -> _Place | None:
        """What speaks against this place; None if it cuts a word or a number."""
        self.work += JUDGE_COST
        warnings = set[str]()
        if piece.ending:
            found = _ENDING.match(self.text, end)
            ending = found.group() if found else ""
            said, stands = (words(piece.folded + tail)[-1:] for tail in (piece.ending.casefold(), ending))
            warnings |= differences(said, stands) & {"negation", "number"}
            end += len(ending)
        if self._cuts(start) or self._cuts(end):
            return None
        first, last = self.folded.original_span(start, end)
        borders = self._borders(start, end, piece)
        if borders is None:
            return None
        raw = self.folded.original[first:last]
        exact = raw == piece.raw and not piece.ending
        score = 100.0
        if not exact:
            kept = fold(raw, keep_case=True).text
            kept = kept[: len(piece.kept)] if piece.ending else kept
            warnings |= _case_differences(piece, kept)
            score = fuzz.ratio(piece.folded, kept.casefold())
            if _NUMBER_OVER_CELLS.search(raw) and not _NUMBER_OVER_CELLS.search(piece.raw):
                warnings.add("number")
        cut, lost = borders
        return _Place(start, end, ((first, last),), frozenset(warnings | lost), cut, exact, score)

    def _borders(self, start: int, end: int, piece: _Piece) -> tuple[bool, set[str]] | None:
        """Whether a place cuts a compound, and what its borders take away; None if they cut a number."""
        left, right = self.text[max(0, start - AROUND) : start], self.text[end : end + AROUND]
        head, tail = self.text[start : min(end, start + 16)], self.text[max(start, end - 16) : end]
        if _number_goes_on(left, head) or _number_goes_on(tail, right):
            return None
        cut, lost = False, set[str]()
        first, last = self.folded.original_span(start, end)
        if not piece.open_left:
            before = fold(self.folded.original[max(0, first - AROUND) : first], keep_case=True)
            cut = _cut_left(left, head, before, lost)
            _lost_left(before.text, piece.words, lost)
        if not piece.open_right:
            after = fold(self.folded.original[last : last + AROUND], keep_case=True)
            named = bool(piece.words) and piece.words[-1].is_name
            cut = _cut_right(tail, right, after, lost, named=named) or cut
            ended = bool(re.search(r"[.!?][\"') ]*$", tail))
            _lost_right(after.text, piece.words, lost, ended=ended)
        return cut, lost

    # --- several pieces

    def _chain(self, reading: _Reading, anchor: _Place) -> _Place | None:
        """The longest piece with the others beside it, each at the nearest place."""
        places = [anchor]
        for index in range(reading.longest + 1, len(reading.pieces)):
            place = self._beside(reading, index, index - 1, places[-1].end, self._places)
            if not place:
                return None
            places.append(place)
        for index in range(reading.longest - 1, -1, -1):
            place = self._beside(reading, index, index, places[0].start, self._places)
            if not place:
                return None
            places.insert(0, place)
        return self._joined(reading, places)

    def _beside(self, reading: _Reading, index: int, gap_index: int, border: int, find: "_Finder") -> _Place | None:
        """The nearest place of a piece after (or before) ``border``; one that passes, if there is any."""
        gap = reading.gaps[gap_index]
        forward = gap_index < index
        piece = reading.pieces[index]
        reach = _reach(gap, reading.pieces[gap_index], reading.pieces[gap_index + 1])
        # A piece can stand a little longer in the text than in the quote.
        length = len(piece.folded) * 5 // 4 + 40
        if forward:
            places = find(piece, border, min(len(self.text), border + reach + length), border)
        else:
            places = find(piece, max(0, border - reach - length), border, border)
        near = []
        for place in places:
            between = self.text[border : place.start] if forward else self.text[place.end : border]
            if len(between) <= reach and (gap.kind == "elision" or len(between.split()) <= _words_for(gap)):
                near.append((not place.passes, len(between), place))
        return min(near, key=lambda found: found[:2])[-1] if near else None

    def _joined(self, reading: _Reading, places: list[_Place]) -> _Place:
        warnings = set[str]()
        spans: list[Span] = []
        for index, place in enumerate(places):
            warnings |= place.warnings
            first, last = place.spans[0]
            if index:
                gap = reading.gaps[index - 1]
                warnings |= _swallowed(gap, self.text, places[index - 1].end, place.start)
                if gap.kind != "elision":
                    first = spans.pop()[0]
            spans.append((first, last))
        return _Place(
            places[0].start,
            places[-1].end,
            tuple(spans),
            frozenset(warnings),
            cut=any(place.cut for place in places),
            exact=reading.is_literal and all(place.exact for place in places),
            score=min(place.score for place in places),
        )

    def _with_ends(self, place: _Place, reading: _Reading) -> _Place:
        """With what the brackets at the quote's ends, and its last mark, say."""
        lost = set[str]()
        if reading.before:
            beside = self.text[max(0, place.start - AROUND) : place.start].split()[-BRACKET_WORDS:]
            lost |= _only_in(reading.before, " ".join(beside))
        if reading.after:
            beside = self.text[place.end : place.end + AROUND].split()[:BRACKET_WORDS]
            lost |= _only_in(reading.after, " ".join(beside))
        question = reading.tidied and self.text[place.end : place.end + 3].lstrip(_QUOTATION_MARKS)[:1] == "?"
        return replace(place, warnings=place.warnings | lost, cut=place.cut or question)

    # --- which of several places

    def decide(self, places: list[_Place]) -> Match:
        places = [place for place in places if place.exact] or places
        outcome: Outcome = "exact" if places[0].exact else "normalised"
        if len(places) > 1:
            best = self._best_in_context(places)
            if best is None:
                hulls = sorted((place.spans[0][0], place.spans[-1][1]) for place in places)
                return Match("ambiguous", tuple(hulls[:MOST_AMBIGUOUS]), 100.0)
            places = [best]
        return Match(outcome, places[0].spans, 100.0)

    def _stands_in_context(self, span: Span) -> int:
        left = self.text[max(0, span[0] - len(self.prefix) - 3) : span[0]].rstrip()
        right = self.text[span[1] : span[1] + len(self.suffix) + 3].lstrip()
        return (bool(self.prefix) and left.endswith(self.prefix)) + (
            bool(self.suffix) and right.startswith(self.suffix)
        )

    def likeness(self, place: _Place) -> tuple[float, float]:
        """How like prefix and suffix are what stands before and after; nothing, where none is known."""
        left = self.text[max(0, place.start - len(self.prefix) - 3) : place.start].rstrip()[-len(self.prefix) :]
        right = self.text[place.end : place.end + len(self.suffix) + 3].lstrip()[: len(self.suffix)]
        return (
            fuzz.ratio(self.prefix, left) / 100 if self.prefix else 0.0,
            fuzz.ratio(self.suffix, right) / 100 if self.suffix else 0.0,
        )

    def _best_in_context(self, places: list[_Place]) -> _Place | None:
        """The one place that its context singles out, or None."""
        sides = bool(self.prefix) + bool(self.suffix)
        if not sides:
            return None
        likeness = [self.likeness(place) for place in places]
        best = max(range(len(places)), key=lambda index: (likeness[index].count(1.0), sum(likeness[index])))
        left, right = likeness[best]
        others = [likeness[index] for index in range(len(places)) if index != best]
        # A whole context that no other place has decides, if nothing on the other side speaks for another
        # place. Else it must be clearly more alike than any other: next year's report has nearly the same words.
        if all(
            likeness[best].count(1.0) > other.count(1.0) and left >= other[0] and right >= other[1] for other in others
        ):
            return places[best]
        clearly = all((left + right - sum(other)) / sides >= CLEARLY_BETTER for other in others)
        return places[best] if clearly and (left + right) / sides >= GOOD_CONTEXT else None

    # --- alike

    def near(self, reading: _Reading) -> _Place | None:
        """Where the words stand nearly, with what differs named; None where nothing is alike."""
        reading = reading.without_brackets()
        places: list[_Place] = []
        found = self._near_places(reading.pieces[reading.longest], 0, len(self.text))
        if not found:
            return None
        places.append(found[0])
        for index in range(reading.longest + 1, len(reading.pieces)):
            place = self._beside(reading, index, index - 1, places[-1].end, self._near_places)
            if not place:
                return None
            places.append(place)
        for index in range(reading.longest - 1, -1, -1):
            place = self._beside(reading, index, index, places[0].start, self._near_places)
            if not place:
                return None
            places.insert(0, place)
        return self._joined(reading, places)

    def _near_places(self, piece: _Piece, start: int, end: int, border: int | None = None) -> list[_Place]:
        places = self._places(piece, start, end, border)
        if places:
            return sorted(places, key=lambda place: (not place.passes, len(place.warnings)))
        if not SHORTEST_NEAR <= len(piece.folded) <= LONGEST_NEAR:
            return []
        aligned = [self._aligned(piece, *window) for window in self._windows(piece.folded, start, end)]
        return sorted(filter(None, aligned), key=lambda place: -place.score)[:1]

    def _windows(self, quote: str, start: int, end: int) -> list[Span]:
        """Where in the text to look word by word."""
        if len(quote) <= LONGEST_SCAN and end - start > len(quote):
            best = fuzz.partial_ratio_alignment(quote, self.text[start:end], score_cutoff=SCAN_ENOUGH)
            if not best:
                return []
            more = len(quote) // 3
            return [(max(start, start + best.dest_start - more), min(end, start + best.dest_end + more))]
        # Of a quote this long and this much alike, some groups of three words stand unchanged: they tell
        # where it would begin.
        starts = [found.start() for found in re.finditer(r"\S+", quote)]
        chosen = starts[:: max(1, len(starts) // 40)]
        votes: Counter[int] = Counter()
        wide = max(40, len(quote) // 5)
        for offset in chosen:
            group = " ".join(quote[offset : offset + 60].split(" ")[:3])
            at, seen = self.text.find(group, start, end), 0
            while at >= 0 and seen < 40:
                votes[(at - offset) // wide] += 1
                at, seen = self.text.find(group, at + 1, end), seen + 1
        windows = []
        for bucket, _ in sorted(votes.items(), key=lambda vote: -(vote[1] + votes.get(vote[0] + 1, 0)))[:3]:
            windows.append((max(start, (bucket - 1) * wide), min(end, (bucket + 2) * wide + len(quote) * 6 // 5)))
        return windows

    def _aligned(self, piece: _Piece, start: int, end: int) -> _Place | None:
        """The quote laid beside the words of a window, and the differences named."""
        first, last = max(0, start - AROUND), min(len(self.text), end + AROUND)
        while start > first and not self.text[start - 1].isspace():
            start -= 1
        while end < last and not self.text[end].isspace():
            end += 1
        base, stop = self.folded.original_span(start, end)
        if stop - base > 8 * (end - start) + AROUND:
            return None  # one letter with thousands of marks
        window = fold(self.folded.original[base:stop], keep_case=True)
        there = words(window.text)
        span = _laid_beside(piece.words, there)
        if not span:
            return None
        there = there[span[0] : span[1]]
        score = fuzz.ratio(piece.folded, window.text[there[0].start : there[-1].end].casefold())
        if score < NEAR_ENOUGH:
            return None
        first, last = window.original_span(there[0].start, there[-1].end)
        # Back from the window to the whole folded text, whose places the borders are judged by.
        start = self.folded.folded_position(base + first)
        end = self.folded.folded_position(base + last)
        warnings = set(differences(piece.words, there))
        if start >= end:
            return None
        _, lost = self._borders(start, end, piece) or (True, {"number"})
        return _Place(start, end, ((base + first, base + last),), frozenset(warnings | lost), True, False, score)


class _Finder(Protocol):
    def __call__(self, piece: _Piece, start: int, end: int, border: int, /) -> list[_Place]: ...


def _laid_beside(quote: Sequence[Word], window: Sequence[Word]) -> tuple[int, int] | None:
    """Which words of the window the quote's words lie beside."""
    pairs: list[tuple[int, int]] = []
    for step in Levenshtein.opcodes([word.key for word in quote], [word.key for word in window]):
        if step.tag == "equal":
            pairs += zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
    if not pairs:
        return None
    # A word of the quote that is repeated before the passage may have been paired with the wrong one:
    # pairs at either end move towards the middle.
    middle = len(pairs) // 2
    for at in range(middle - 1, -1, -1):
        for index in range(pairs[at + 1][1] - 1, pairs[at][1], -1):
            if window[index].key == quote[pairs[at][0]].key:
                pairs[at] = (pairs[at][0], index)
                break
    for at in range(middle + 1, len(pairs)):
        for index in range(pairs[at - 1][1] + 1, pairs[at][1]):
            if window[index].key == quote[pairs[at][0]].key:
                pairs[at] = (pairs[at][0], index)
                break
    (first_quoted, first), (last_quoted, last) = pairs[0], pairs[-1]
    # Words that differ at the quote's ends lie beside as many of the text's.
    return max(0, first - first_quoted), min(len(window), last + len(quote) - last_quoted)


def _tightest(places: list[_Place]) -> list[_Place]:
    """Of places that share a part, the shortest: "we ... won" means the last "we" before "won"."""
    kept: list[_Place] = []
    taken: set[Span] = set()
    for place in sorted(places, key=lambda place: (place.end - place.start, place.start)):
        if taken.isdisjoint(place.spans):
            kept.append(place)
            taken.update(place.spans)
    return sorted(kept, key=lambda place: place.start)


def _reach(gap: _Gap, before: _Piece, after: _Piece) -> int:
    if gap.kind == "ending":
        return 3
    if gap.kind == "bracket":
        return BRACKET_WORDS * 16
    return ELISION_REACH if min(len(before.words), len(after.words)) >= 3 else SHORT_ELISION_REACH


def _words_for(gap: _Gap) -> int:
    return 0 if gap.kind == "ending" else BRACKET_WORDS


_SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?= |$)")


def _swallowed(gap: _Gap, text: str, start: int, end: int) -> set[str]:
    """What an elision or bracket hides that it must not."""
    between = text[start:end]
    if gap.kind == "elision":
        between = text[max(0, start - 2) : end]  # with the full stop of the part before
        # "We will ... sign" for "We will not sign" quotes falsely. What is left out with whole sentences may say no.
        ends = [found.end() for found in _SENTENCE_END.finditer(between)]
        beside = between[: ends[0]] + " " + between[ends[-1] :] if ends else between
        denied = any(word.is_negation for word in words(beside)) or _TURNS.search(beside)
        return {"negation"} if denied else set()
    there, said = critical(words(between)), critical(words(gap.content.casefold()))
    return {warning for warning in said if there[warning] != said[warning]}


def _only_in(said: str, beside: str) -> set[str]:
    there, claimed = critical(words(beside)), critical(words(said.casefold()))
    return {warning for warning in claimed if not claimed[warning] <= there[warning]}


def _case_differences(piece: _Piece, kept: str) -> set[str]:
    quoted = piece.kept
    if len(kept) == len(quoted):
        for at in piece.free:
            quoted = quoted[:at] + kept[at] + quoted[at + 1 :]
    here, there = words(quoted), words(kept)
    if [word.key for word in here] == [word.key for word in there]:
        return set(differences(here, there))
    # Hyphens and spacing may make other words of the same letters.
    same = "".join(filter(str.isalnum, quoted)) == "".join(filter(str.isalnum, kept))
    return set() if same else {"name"}


# --- borders ---------------------------------------------------------------------------------------

_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_ENDING = re.compile(r"[^\W\d_]{0,8}")
_SEPARATOR = r"[.,:'/⁄]"
_NUMBER_BORDER = re.compile(rf"(?:\d{_SEPARATOR}?\0\d|\d\0{_SEPARATOR}\d|(?:^|[ (\"'])[.,]\0\d)")
_GROUP_BORDER = re.compile(r"(?<!\d)\d{1,3}(?: \0|\0 )\d{3}(?!\d)")
# "12" above "500" in a table is not 12 500.
_NUMBER_OVER_CELLS = re.compile(r"\d[^\S\n\r\t]*[\n\r\t\v\f\u2028\u2029]\s*\d")
_HYPHENS = frozenset("-\u2010\u2011\ufe63\uff0d")
_LONG_DASHES = frozenset("\u2014\u2015\u2e3a\u2e3b")
_NEGATIVE_PREFIXES = frozenset({"non", "un", "anti", "not", "no", "never", "pseudo", "nicht"})
# "l'État", "d'accord", "dell'arte": the word begins after the apostrophe.
_ELIDED = frozenset(
    ["l", "d", "j", "m", "s", "t", "c", "qu", "jusqu", "lorsqu", "un", "dell", "nell", "all", "sull", "dall"]
)
_BETWEEN = " \"'("


def _is_attached(char: str) -> bool:
    """Part of the character before: a mark, a joiner, an emoji's skin, whatever turns the direction."""
    return not char.isascii() and (
        unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf") or 0x1F3FB <= ord(char) <= 0x1F3FF
    )


def _is_wordlike(char: str) -> bool:
    return char.isalnum() or char == "_" or _is_attached(char)


def _number_goes_on(before: str, after: str) -> bool:
    """Whether the border between cuts a number: 2.|5, 1,|000, 12 |500, |.5"""
    around = f"{before[-8:]}\0{after[:8]}"
    return bool(_NUMBER_BORDER.search(around) or _GROUP_BORDER.search(around))


def _written(folded: Folded, at: int) -> str:
    """The character of the original behind one of the folded text."""
    first, last = folded.original_span(at, at + 1)
    return folded.original[first:last]


def _cut_left(left: str, head: str, before: Folded, lost: set[str]) -> bool:
    """Whether a compound is cut in front; adds what the number behind the border loses."""
    stripped = left.rstrip(" ")
    if not stripped or not before.text.strip():
        return False
    last = stripped[-1]
    dash = _written(before, len(before.text.rstrip(" ")) - 1) if last == "-" else ""
    adjacent = left[-1] == last
    if head[0].isdecimal() or is_money(head[0]):
        if re.search(r"\d ?- ?$", left) or last in COMPARISONS:
            lost.add("number")
        elif dash == "\u2212" or (adjacent and dash and dash not in _LONG_DASHES and len(dash) == 1):
            lost.add("number")  # a minus, or the end of a compound: Covid-19
        if is_money(last) or (is_money(head[0]) and adjacent and last.isalpha()):
            lost.add("unit")
    if last.isdecimal() and (head[0] in "%‰°" or is_money(head[0])):
        lost.add("number")
    if not head[0].isalnum() or not adjacent or head[0].isdecimal():
        return False
    if last == "]":
        beginning = re.search(r"\[(\w+)\]$", before.text)
        if beginning and beginning[1].casefold() in NEGATIVE_BEGINNINGS:
            lost.add("negation")
        return beginning is not None
    compound = re.search(r"(\w+)['-]$", before.text)
    if not compound:
        return False
    word = compound[1].casefold()
    if last == "'" and word in _ELIDED and not compound[1].isupper():
        return False
    if last == "-" and dash not in _HYPHENS:
        return False
    if word in _NEGATIVE_PREFIXES or (last == "'" and word == "n"):
        lost.add("negation")
    elif word[-1].isdecimal() or word in NUMBERS:
        lost.add("number")
    elif compound[1][0].isupper() or word in OTHERS:
        lost.add("name")
    return True


def _cut_right(tail: str, right: str, after: Folded, lost: set[str], *, named: bool) -> bool:
    """Whether a compound is cut behind; adds what the number or the name (``named``) before the border loses."""
    if not right or not after.text:
        return False
    sign = _written(after, 0)
    if tail[-1].isdecimal():
        if re.match(r" ?- ?\d| ?[×^√+±]", right) or (re.match(r"-\w", right) and sign in _HYPHENS):
            lost.add("number")
        if sign in ("′", "″"):
            lost.add("unit")
        return False
    if not tail[-1].isalnum():
        return False
    if re.match(r"'t\b", right):
        lost.add("negation")
    compound = re.match(r"-\w", right) and sign in _HYPHENS
    if compound and re.split(r"\W", tail)[-1] in NUMBERS:
        lost.add("number")
    cut = bool(compound or re.match(r"'\w", right))
    if cut and named:
        lost.add("name")
    return cut


# Words apart that take a number or a statement back, as they stand directly before a place.
_LIMITS = re.compile(
    r"(?<!\w)(?:(?:less|fewer|more) than|at (?:least|most)|up to|menos de|m[aá]s de|al menos|por lo menos"
    r"|como m[aá]ximo|weniger als|mehr als|mindestens|höchstens|bis zu|moins de|plus de|au moins|au plus|jusqu'à) ?$",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?<!\w)(?:half|thirds?|quarters?|fifths?|tenths?|medi[oa]|mitad|halbe) (?:(?:of|de) )?(?:an? |una? |einen? )?$",
    re.IGNORECASE,
)
_RANGE_LEFT = re.compile(
    r"(?:\d[%°]? (?:a|o)|(?:\d[%°]?|(?<!\w)(?P<word>[^\W\d_]+)) (?:to|or|bis|oder|à|ou)) ?$"
    r"|(?<!\w)(?:between|entre|zwischen) \S+ (?:and|y|und|et) ?$",
    re.IGNORECASE,
)
_RANGE_RIGHT = re.compile(
    r" ?(?:(?:to|or|bis|oder|à|ou) (?:[$€£¥]? ?\d|(?P<word>[^\W\d_]+))|(?P<letter>[ao]) \d)", re.IGNORECASE
)
_TURNS = re.compile(
    r"(?<!\w)(?:anything but|far from|by no means|todo menos|lejos de|alles andere als|tout sauf|loin d[e'])"
    r"(?: (?:an?|the))? ?$",
    re.IGNORECASE,
)
# In scripts that write no spaces, what stands directly before or behind says no, or begins a number.
_UNSPACED_NO = re.compile(r"(?:[不没沒未非无無莫]|没有|沒有|ไม่|ไม่ได้|มิ|มิได้|ไม่มี)$")
_UNSPACED_LATE_NO = re.compile(r"(?:し|は|では|じゃ|に|わ|ら|れ)?(?:ない|なかった|ません|ぬ(?!\w)|ず(?!\w))")
_THAI_NUMBER = re.compile(r"(?:หนึ่ง|ยี่|สอง|สาม|สี่|ห้า|หก|เจ็ด|แปด|เก้า|สิบ|ร้อย|พัน|หมื่น|แสน|ล้าน)")


def _says_range(found: re.Match[str] | None) -> bool:
    return found is not None and (not found["word"] or found["word"].casefold() in NUMBERS)


def _lost_left(before: str, quoted: Sequence[Word], lost: set[str]) -> None:
    """What the words before the place take back: a negation, a number's beginning, a currency."""
    if _UNSPACED_NO.search(before) or _TURNS.search(before):
        lost.add("negation")
    preceding = words(before)[-8:]
    if not preceding or before[preceding[-1].end :].strip(_BETWEEN):
        # "twenty-|five" is cut as a compound; here only words apart matter
        return
    last = preceding[-1]
    second = preceding[-2] if len(preceding) > 1 and not before[preceding[-2].end : last.start].strip() else None
    if _is_denied(before, preceding):
        lost.add("negation")
    if not quoted or quoted[0].start > 0:
        return
    first = quoted[0]
    if last.key in OTHERS or (last.text in PARTS_OF_NAMES and first.text[0].isupper()):
        lost.add("name")
    counted = quoted[1] if len(quoted) > 1 and (first.key in ARTICLES or is_money(first.text)) else first
    if counted.is_number and (
        _LIMITS.search(before) or _PARTS.search(before) or _says_range(_RANGE_LEFT.search(before))
    ):
        lost.add("number")
    if _THAI_NUMBER.match(first.text) and re.search(_THAI_NUMBER.pattern + "$", before):
        lost.add("number")
    if first.text[0].isdecimal() and last.key in CURRENCY_CODES:
        lost.add("unit")
    spelled = first.text[0].isalpha() or last.text[0].isalpha()
    if last.is_number and ((first.is_number and spelled) or counts(first, last)):
        lost.add("number")
    if first.is_number and second and last.key in POINTS and second.is_number:
        lost.add("number")
    # "a hundred and |five", "two and |a half", "treinta y |dos"; but "in two and |five other cases"
    if counted.is_number and second and last.key in ("and", "y", "und", "et"):
        joined = last.key == "y" or counted.key in ("half", "quarter", "halb", "demi")
        if second.key in SCALES or (joined and second.key in NUMBERS):
            lost.add("number")


def _is_denied(before: str, preceding: Sequence[Word]) -> bool:
    """Whether the last of some words is a negation, or reaches over small words up to the border."""
    border = len(before)
    for word in reversed(preceding):
        if before[word.end : border].strip(_BETWEEN if border == len(before) else " "):
            return False
        if word.is_negation:
            return True
        if word.key not in SMALL_WORDS:
            # "a few people knew" is no denial, "few people knew" nearly one
            return word.key in ("few", "little") and not re.search(
                r"(?<!\w)(?:an?|the|these|those) $", before[: word.start]
            )
        border = word.start
    return False


def _lost_right(after: str, quoted: Sequence[Word], lost: set[str], *, ended: bool) -> None:
    """What the words after the place take back: a negation, a number's scale or unit.

    ``ended``: the quote ends a sentence, so that the next one's "Nobody" is not its own.
    """
    following = words(after)[:3]
    if _UNSPACED_LATE_NO.match(after):
        lost.add("negation")
    if not quoted:
        return
    last = quoted[-1]
    unit = len(quoted) > 1 and quoted[-2].is_number and counts(last, quoted[-2])
    if unit and re.match(r" ?/ ?\w", after):
        lost.add("unit")
    if not following or after[: following[0].start].strip(_BETWEEN):
        return
    first = following[0]
    if first.key in LATE_NEGATIONS and not ended:
        lost.add("negation")
    if last.is_number:
        spelled = first.text[0].isalpha() or last.text[0].isalpha()
        if first.key in SCALES or (first.is_number and spelled):
            lost.add("number")
        elif counts(first, last):
            lost.add("unit")
    more = _RANGE_RIGHT.match(after)
    # "40 a 50" is Spanish, "in 2019 a 5-year plan" is not
    if last.is_number and _says_range(more) and not (more and more["letter"] and YEAR.fullmatch(last.text)):
        lost.add("number")
    counted = len(quoted) > 1 and quoted[-2].is_number
    rate = len(following) > 1 and following[1].key in UNIT_WORDS
    if (unit and first.key in PER and rate) or (counted and first.key in ("per", "each", "apiece")):
        lost.add("unit")
