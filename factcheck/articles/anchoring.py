"""Where words of one wording of an article stand in another wording of it, and whether they are still the same words.

How alike two passages are says nothing about whether they mean the same: "6.4 million" is very like "5.4 million". So
likeness alone decides nothing here. Sentences that were not touched are found first, wherever they went. An edited one
is looked for only among the new sentences that no untouched one accounts for, so that a sentence which resembles it and
was there before cannot take its claim. Words count as the same only when nothing but their spelling differs (see
``lib.folding``); whatever is not certain is left to a person.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from rapidfuzz.distance import Indel, Levenshtein

from factcheck.lib.folding import fold
from factcheck.lib.wording import differences, words

Outcome = Literal["same", "changed", "ambiguous", "orphan"]
Span = tuple[int, int]

# Shorter words are found by chance.
SHORTEST_ALONE = 12
# A sentence of fewer characters ("He denied it.") means what its neighbours make of it.
SHORTEST_MOVED = 25
# How alike, out of 1, an edited sentence must be to its old self: between the same neighbours, and anywhere else.
ALIKE_IN_PLACE = 0.4
ALIKE_ELSEWHERE = 0.7
# Of two candidates, one is the better one if it is by so much more alike.
CLEARLY_BETTER = 0.1
# A passage with less of its old words left is another passage.
WORDS_LEFT = 0.3
# One that has lost many of its words and grown to more than so many times as many has swallowed others.
MOSTLY_KEPT = 0.7
MOST_GROWN = 1.5
# An edit may make three sentences of one; more is a rewrite.
MOST_JOINED = 3
MOST_CANDIDATES = 400
MOST_CHANGES = 12

_SENTENCE_END = re.compile(r"[.!?。！？؟…][\"'”’»)\]]*(?=\s)")
_TOKEN = re.compile(r"\d+(?:[.,:'’/⁄]\d+)*|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+(?:['’][^\W\d_]+)*|\S")


@dataclass(frozen=True)
class Anchor:
    """Where the words stand now, half-open and in code points; None and None for an orphan.

    Of "ambiguous", start and end are the likeliest place, for a person to confirm. ``changes`` says what became
    of the passage: "5.4 → 6.4", "+ “not”", "− “years”"; signs alone, so that they read the same in every language.
    """

    outcome: Outcome
    start: int | None = None
    end: int | None = None
    changes: tuple[str, ...] = ()


def transport(old: str, new: str, start: int, end: int) -> Anchor:
    """Find the words ``old[start:end]`` again in ``new``.

    "same": these words, and no doubt where; "changed": the same passage in other words; "ambiguous": several places,
    or the words without the sentence that they stood in; "orphan": not there any more. Raises ValueError for a span
    that is not in ``old``.
    """
    if not 0 <= start < end <= len(old):
        raise ValueError("The span must hold at least one character of the old text.")
    return _aligned(old, new).transport(start, end)


def sentence_spans(text: str) -> list[Span]:
    """The sentences of a canonical text; none crosses a block."""
    return [(sentence.start, sentence.end) for sentence in _Text(text).sentences]


@lru_cache(maxsize=8)
def _aligned(old: str, new: str) -> "_Alignment":
    return _Alignment(_Text(old), _Text(new))


@dataclass(frozen=True)
class _Sentence:
    start: int
    end: int
    key: str
    block: int


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.sentences = list(self._split())
        self._starts = [sentence.start for sentence in self.sentences]

    def _split(self) -> Iterator[_Sentence]:
        for number, block in enumerate(re.finditer(r"\S(?:[^\n]|\n(?!\n))*", self.text)):
            at = block.start()
            ends = [found.end() for found in _SENTENCE_END.finditer(self.text, *block.span())]
            for stop in [*ends, block.end()]:
                piece = self.text[at:stop]
                first, last = at + len(piece) - len(piece.lstrip()), at + len(piece.rstrip())
                if first < last:
                    yield _Sentence(first, last, fold(self.text[first:last], keep_case=True).text, number)
                at = stop

    def holding(self, start: int, end: int) -> range:
        """The numbers of the sentences that hold some of the span; empty for a span of blanks."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        if self.sentences and self.sentences[first].end <= start:
            first += 1
        last = bisect_right(self._starts, end - 1)
        return range(first, max(first, last))

    def span(self, numbers: Sequence[int]) -> Span:
        return self.sentences[numbers[0]].start, self.sentences[numbers[-1]].end


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    key: str


def _tokens(text: str, span: Span) -> list[_Token]:
    return [
        _Token(found.start(), found.end(), fold(found.group(), keep_case=True).text)
        for found in _TOKEN.finditer(text, *span)
    ]


@dataclass(frozen=True)
class _Candidate:
    """Sentences of the new text that an edited sentence may have become."""

    numbers: range
    likeness: float
    in_place: bool

    @property
    def rank(self) -> float:
        return self.likeness + (CLEARLY_BETTER if self.in_place else 0.0)


class _Alignment:
    def __init__(self, old: _Text, new: _Text) -> None:
        self.old = old
        self.new = new
        # Of each old sentence that stands untouched in the new text, where; and of some, where they might stand.
        self.place: dict[int, int] = {}
        self.doubtful: dict[int, list[int]] = {}
        self._align()
        self.taken = set(self.place.values()) | {place for places in self.doubtful.values() for place in places}
        self._free = [number for number in range(len(new.sentences)) if number not in self.taken]

    @cached_property
    def _sizes(self) -> list[int]:
        """How many tokens the new sentences before each number have together."""
        return [0, *accumulate(len(tokens) for tokens in self._new_keys)]

    @cached_property
    def _new_keys(self) -> list[tuple[int, ...]]:
        return [_keys(self.new.text, (sentence.start, sentence.end)) for sentence in self.new.sentences]

    @cached_property
    def _sentences_with(self) -> dict[int, Counter[int]]:
        """For each token the new sentences that have it, with how many times."""
        found: dict[int, Counter[int]] = defaultdict(Counter)
        for number, tokens in enumerate(self._new_keys):
            for token in tokens:
                found[token][number] += 1
        return found

    def _align(self) -> None:
        there: dict[str, list[int]] = defaultdict(list)
        for number, sentence in enumerate(self.new.sentences):
            there[sentence.key].append(number)
        here = Counter(sentence.key for sentence in self.old.sentences)
        repeated = []
        for number, sentence in enumerate(self.old.sentences):
            places = there.get(sentence.key, [])
            if len(places) == 1 and here[sentence.key] == 1:
                self.place[number] = places[0]
            elif places:
                repeated.append(number)
        for number in repeated:
            places = there[self.old.sentences[number].key]
            # Where one of several is gone, it may be this one: then one neighbour alone tells nothing.
            fewer = len(places) < here[self.old.sentences[number].key]
            best = self._by_neighbours(number, places, least=2 if fewer else 1)
            if best is None:
                self.doubtful[number] = places
            else:
                self.place[number] = best
        self._undo_what_two_claim()

    def _by_neighbours(self, number: int, places: Sequence[int], *, least: int) -> int | None:
        """The one place of which at least so many neighbours are the old sentence's; None if several are, or none."""
        ranked = sorted(((self._same_neighbours(number, place), place) for place in places), reverse=True)
        if ranked[0][0] < least or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return ranked[0][1]

    def _same_neighbours(self, number: int, place: int) -> int:
        same = 0
        for step in (-1, 1):
            one, other = number + step, place + step
            if not 0 <= one < len(self.old.sentences) or not 0 <= other < len(self.new.sentences):
                # The first and the last have an edge for a neighbour.
                same += not 0 <= one < len(self.old.sentences) and not 0 <= other < len(self.new.sentences)
            else:
                same += self.old.sentences[one].key == self.new.sentences[other].key
        return same

    def _undo_what_two_claim(self) -> None:
        claims = Counter(self.place.values())
        for number, place in list(self.place.items()):
            if claims[place] > 1:
                del self.place[number]
                self.doubtful[number] = [place]

    # --- one passage

    def transport(self, start: int, end: int) -> Anchor:
        numbers = self.old.holding(start, end)
        if not numbers:
            return Anchor("orphan")
        places = [self.place.get(number) for number in numbers]
        if all(place is not None for place in places) and self._are_consecutive(places):
            return self._untouched(numbers, [place for place in places if place is not None], start, end)
        if len(numbers) == 1 and numbers[0] in self.doubtful:
            there = [self.doubtful[numbers[0]][0]]
            found = self._moved(self.old.span(numbers), self.new.span(there), start, end)
            return Anchor("ambiguous", *found)
        candidates = self._candidates(numbers)
        if not candidates:
            return self._words_alone(start, end)
        best = candidates[0]
        anchor = self._edited(numbers, best.numbers, start, end)
        rivals = [other for other in candidates[1:] if not set(other.numbers) & set(best.numbers)]
        if anchor.outcome in ("same", "changed") and rivals and best.rank - rivals[0].rank < CLEARLY_BETTER:
            return Anchor("ambiguous", anchor.start, anchor.end, anchor.changes)
        if anchor.outcome == "orphan":
            return self._words_alone(start, end)
        return anchor

    @staticmethod
    def _are_consecutive(places: Sequence[int | None]) -> bool:
        return all(one is not None and other is not None and other == one + 1 for one, other in pairwise(places))

    def _untouched(self, numbers: range, places: Sequence[int], start: int, end: int) -> Anchor:
        found = self._moved(self.old.span(numbers), self.new.span(places), start, end)
        length = self.old.span(numbers)[1] - self.old.span(numbers)[0]
        lonely = not self._same_neighbours(numbers[0], places[0]) and not self._same_neighbours(numbers[-1], places[-1])
        if length < SHORTEST_MOVED and lonely and not self._is_in_order(numbers, places):
            return Anchor("ambiguous", *found)
        return Anchor("same", *found)

    def _is_in_order(self, numbers: Sequence[int], places: Sequence[int]) -> bool:
        """Whether the nearest sentences that stand untouched on either side are still on that side."""
        before = next((self.place[at] for at in range(numbers[0] - 1, -1, -1) if at in self.place), -1)
        after = next(
            (self.place[at] for at in range(numbers[-1] + 1, len(self.old.sentences)) if at in self.place),
            len(self.new.sentences),
        )
        return before < places[0] and places[-1] < after

    def _moved(self, there: Span, here: Span, start: int, end: int) -> Span:
        """The same part of two sentences that differ at most in their spelling."""
        old, new = self.old.text[slice(*there)], self.new.text[slice(*here)]
        start, end = max(start, there[0]) - there[0], min(end, there[1]) - there[0]
        if old == new:
            return here[0] + start, here[0] + end
        folded_old, folded_new = fold(old, keep_case=True), fold(new, keep_case=True)
        first = min(folded_old.folded_position(start), len(folded_new.text) - 1)
        last = min(max(folded_old.folded_position(end), first + 1), len(folded_new.text))
        found = folded_new.original_span(first, last)
        return here[0] + found[0], here[0] + found[1]

    def _candidates(self, numbers: range) -> list[_Candidate]:
        """What the sentences may have become, the likeliest first."""
        gap = self._gap(numbers)
        # A passage may run from an untouched sentence into an edited one.
        kept = {self.place[number] for number in numbers if number in self.place}
        before = _keys(self.old.text, self.old.span(numbers))
        shared = self._shared(before)
        found = []
        starts = [*gap, *self._free] if len(self._free) > MOST_CANDIDATES else self._free
        free = dict.fromkeys(number for number in starts if number not in self.taken)
        for first in sorted({*list(free)[:MOST_CANDIDATES], *kept}):
            for length in range(1, max(MOST_JOINED, len(numbers) + 1) + 1):
                run = range(first, first + length)
                last = run[-1]
                if last >= len(self.new.sentences) or (last in self.taken and last not in kept):
                    break
                if kept and not all(number in run for number in kept):
                    continue
                in_place = first in gap and last in gap
                least = ALIKE_IN_PLACE if in_place else ALIKE_ELSEWHERE
                size = self._sizes[last + 1] - self._sizes[first]
                if 2 * (shared[last + 1] - shared[first]) < least * (size + len(before)):
                    continue
                after = _keys(self.new.text, self.new.span(run))
                likeness = Indel.normalized_similarity(before, after, score_cutoff=least)
                if likeness >= least:
                    found.append(_Candidate(run, likeness, in_place))
        return sorted(found, key=lambda candidate: (-candidate.rank, candidate.numbers.start, len(candidate.numbers)))

    def _shared(self, tokens: Sequence[int]) -> list[int]:
        """How many of the tokens the new sentences before each number can have in common with these, at most."""
        shares = [0] * len(self.new.sentences)
        for token, count in Counter(tokens).items():
            for number, times in self._sentences_with.get(token, {}).items():
                shares[number] += min(count, times)
        return [0, *accumulate(shares)]

    def _gap(self, numbers: range) -> range:
        """The new sentences between what stands untouched before and behind the old ones."""
        before = next((self.place[at] for at in range(numbers[0] - 1, -1, -1) if at in self.place), -1)
        after = next(
            (self.place[at] for at in range(numbers[-1] + 1, len(self.old.sentences)) if at in self.place),
            len(self.new.sentences),
        )
        return range(before + 1, after) if before < after else range(0)

    def _edited(self, numbers: range, run: range, start: int, end: int) -> Anchor:
        one, other = _tokens(self.old.text, self.old.span(numbers)), _tokens(self.new.text, self.new.span(run))
        edit = _Edit(one, other)
        inside = [index for index, token in enumerate(one) if token.start < end and token.end > start]
        if not inside:
            return Anchor("orphan")
        first, last = edit.translated(inside[0], inside[-1] + 1)
        if first >= last:
            return Anchor("orphan")
        found = self._between(one, other, edit, (inside[0], inside[-1] + 1), (first, last), start, end)
        before = fold(self.old.text[start:end].strip(), keep_case=True).text
        after = fold(self.new.text[slice(*found)].strip(), keep_case=True).text
        if before != after:
            # A full stop that is left says nothing of the words before it.
            said = [index for index in inside if one[index].key[0].isalnum()] or inside
            kept = sum(edit.kept(index, index + 1) for index in said)
            if kept < WORDS_LEFT * len(said):
                return Anchor("orphan")
            there = sum(token.key[0].isalnum() for token in other[first:last])
            if kept < MOSTLY_KEPT * len(said) and there > MOST_GROWN * len(said) + MOST_JOINED:
                # "the country." has not become "the one that was built for 40,000 inmates."
                return Anchor("ambiguous", *found, self._changes(one, other, edit, (inside[0], inside[-1] + 1)))
            return Anchor("changed", *found, self._changes(one, other, edit, (inside[0], inside[-1] + 1)))
        if len(before) < SHORTEST_ALONE and edit.likeness < ALIKE_ELSEWHERE:
            return Anchor("ambiguous", *found)
        if "negation" in self._around(numbers, run, (start, end), found):
            # Untouched words in a sentence that now denies them.
            return Anchor("ambiguous", *found, self._changes(one, other, edit, (0, len(one))))
        return Anchor("same", *found)

    def _between(
        self,
        one: Sequence[_Token],
        other: Sequence[_Token],
        edit: "_Edit",
        old: Span,
        new: Span,
        start: int,
        end: int,
    ) -> Span:
        """The new span in characters; a span that began in the middle of a word does so again if the word stands."""
        first, last = other[new[0]].start, other[new[1] - 1].end
        if edit.is_kept(old[0], new[0]) and one[old[0]].end - one[old[0]].start == other[new[0]].end - first:
            first += max(start - one[old[0]].start, 0)
        if edit.is_kept(old[1] - 1, new[1] - 1):
            token = other[new[1] - 1]
            if one[old[1] - 1].end - one[old[1] - 1].start == token.end - token.start:
                last -= max(one[old[1] - 1].end - end, 0)
        return first, max(last, first + 1)

    def _around(self, numbers: range, run: range, old: Span, new: Span) -> frozenset[str]:
        """What differs in the sentences outside the passage."""
        there, here = self.old.span(numbers), self.new.span(run)
        pairs = (
            (self.old.text[there[0] : old[0]], self.new.text[here[0] : new[0]]),
            (self.old.text[old[1] : there[1]], self.new.text[new[1] : here[1]]),
        )
        found: frozenset[str] = frozenset()
        for before, after in pairs:
            one, other = (words(fold(text, keep_case=True).text) for text in (before, after))
            found |= differences(one, other)
        return found

    def _changes(self, one: Sequence[_Token], other: Sequence[_Token], edit: "_Edit", old: Span) -> tuple[str, ...]:
        said = []
        for step in edit.steps:
            inside = step.src_start < old[1] and step.src_end > old[0]
            put_in = step.src_start == step.src_end and old[0] < step.src_start < old[1]
            if step.tag == "equal" or not (inside or put_in):
                continue
            before = _text_of(self.old.text, one[step.src_start : step.src_end])
            after = _text_of(self.new.text, other[step.dest_start : step.dest_end])
            if before and after:
                said.append(f"{before} → {after}")
            elif after:
                said.append(f"+ “{after}”")
            else:
                said.append(f"− “{before}”")
        if len(said) > MOST_CHANGES:
            said = [*said[: MOST_CHANGES - 1], "…"]
        return tuple(said)

    def _words_alone(self, start: int, end: int) -> Anchor:
        """The words where nothing of their sentence is left: a person decides whether they are still the claim."""
        exact = self.old.text[start:end].strip()
        if len(exact) < SHORTEST_ALONE or exact not in self.new.text:
            return Anchor("orphan")
        places = [found.span() for found in re.finditer(rf"(?<!\w){re.escape(exact)}(?!\w)", self.new.text)]
        places = [place for place in places if not set(self.new.holding(*place)) & self.taken]
        return Anchor("ambiguous", *places[0]) if places else Anchor("orphan")


@lru_cache(maxsize=16_384)
def _keys(text: str, span: Span) -> tuple[int, ...]:
    """The tokens without their case, as numbers: those compare faster than words."""
    return tuple(hash(token.key.casefold()) for token in _tokens(text, span))


def _text_of(text: str, tokens: Sequence[_Token]) -> str:
    return " ".join(text[tokens[0].start : tokens[-1].end].split()) if tokens else ""


class _Edit:
    """How the words of one passage became those of another."""

    def __init__(self, one: Sequence[_Token], other: Sequence[_Token]) -> None:
        self._one, self._other = one, other
        self.steps = list(Levenshtein.opcodes([token.key for token in one], [token.key for token in other]))

    @cached_property
    def likeness(self) -> float:
        same = self.kept(0, len(self._one))
        return 2 * same / max(len(self._one) + len(self._other), 1)

    def kept(self, first: int, last: int) -> int:
        """How many of the old tokens from ``first`` up to ``last`` stand untouched."""
        return sum(
            max(min(step.src_end, last) - max(step.src_start, first), 0) for step in self.steps if step.tag == "equal"
        )

    def is_kept(self, old: int, new: int) -> bool:
        return any(
            step.src_start <= old < step.src_end and new - step.dest_start == old - step.src_start
            for step in self.steps
            if step.tag == "equal"
        )

    def translated(self, first: int, last: int) -> Span:
        """The new tokens that stand for the old ones; what was put in at an edge stays outside."""
        starts: list[int] = []
        ends: list[int] = []
        for step in self.steps:
            low, high = max(step.src_start, first), min(step.src_end, last)
            if low >= high or step.tag == "delete":
                continue
            if step.tag == "equal":
                starts.append(step.dest_start + low - step.src_start)
                ends.append(step.dest_start + high - step.src_start)
            else:
                # Of words replaced for others, each stands for its own place and the last for all that follow.
                starts.append(min(step.dest_start + low - step.src_start, step.dest_end))
                whole = high == step.src_end
                ends.append(step.dest_end if whole else min(step.dest_start + high - step.src_start, step.dest_end))
        return (min(starts), max(ends)) if starts else (0, 0)
