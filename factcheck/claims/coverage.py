"""How much of a text is checked: word by word, and sentence by sentence."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from factcheck.articles.anchoring import sentence_spans
from factcheck.claims.models import AsideKind
from factcheck.claims.wording import Span
from factcheck.lib.folding import fold

_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")


class Cover(StrEnum):
    """What is known of a word, what needs most work first."""

    UNMARKED = "unmarked"
    OPEN = "open"
    IN_CHECK = "in_check"
    SIGNED_OFF = "signed_off"
    NOT_CHECKABLE = "not_checkable"
    OUT_OF_SCOPE = "out_of_scope"

    @property
    def label(self) -> str:
        return str(_LABELS[self])


_LABELS = {
    Cover.UNMARKED: _("Unmarked"),
    Cover.OPEN: _("Open"),
    Cover.IN_CHECK: _("In check"),
    Cover.SIGNED_OFF: _("Signed off"),
    Cover.NOT_CHECKABLE: _("Not checkable"),
    Cover.OUT_OF_SCOPE: _("Out of scope"),
}
# Where claims overlap, a word is only as far as the one that is least far.
_BACKWARD = {Cover.OPEN: 0, Cover.IN_CHECK: 1, Cover.SIGNED_OFF: 2}


@dataclass(frozen=True)
class CoveredSentence:
    start: int
    end: int
    key: str
    # How many of its words are how far; words outside any claim count as the sentence is set aside, or as unmarked.
    words: Mapping[Cover, int]

    @property
    def is_untouched(self) -> bool:
        """Whether no claim and no person has anything to do with it."""
        return set(self.words) <= {Cover.UNMARKED}


@dataclass(frozen=True)
class Coverage:
    sentences: tuple[CoveredSentence, ...]

    @property
    def words(self) -> dict[Cover, int]:
        totals = dict.fromkeys(Cover, 0)
        for sentence in self.sentences:
            for cover, count in sentence.words.items():
                totals[cover] += count
        return totals


def sentence_key(sentence: str) -> str:
    """Names a sentence by its words, whatever its place and its quotation marks; SHA-256 in hex."""
    return hashlib.sha256(fold(sentence, keep_case=True).text.encode()).hexdigest()


def coverage(text: str, claims: Sequence[tuple[Span, Cover]], set_aside: Mapping[str, str]) -> Coverage:
    """The sentences of a text with how far their words are.

    ``claims`` are passages with OPEN, IN_CHECK or SIGNED_OFF; ``set_aside`` maps keys of sentences to AsideKind.
    """
    found = []
    for start, end in sentence_spans(text):
        here = [(span, cover) for span, cover in claims if span[0] < end and span[1] > start]
        key = sentence_key(text[start:end])
        rest = {AsideKind.NOT_CHECKABLE: Cover.NOT_CHECKABLE, AsideKind.OUT_OF_SCOPE: Cover.OUT_OF_SCOPE}.get(
            AsideKind(set_aside[key]) if key in set_aside else AsideKind.DISMISSED, Cover.UNMARKED
        )
        counts: dict[Cover, int] = {}
        for word in _WORD.finditer(text, start, end):
            covers = [cover for span, cover in here if span[0] < word.end() and span[1] > word.start()]
            cover = min(covers, key=_BACKWARD.__getitem__) if covers else rest
            counts[cover] = counts.get(cover, 0) + 1
        if counts:
            found.append(CoveredSentence(start, end, key, counts))
    return Coverage(tuple(found))


def finding_key(kind: str, text: str, start: int, end: int, other: Span | None = None) -> str:
    """Names what a copy check found by its kind, its words, the sentence around them and the words of the other place.

    SHA-256 in hex. Where the other place says something new, it is another finding.
    """
    sentence = next(((first, last) for first, last in sentence_spans(text) if first <= start < last), (start, end))
    around = fold(text[slice(*sentence)], keep_case=True).text
    words = fold(text[start:end], keep_case=True).text
    beside = fold(text[slice(*other)], keep_case=True).text if other else ""
    return hashlib.sha256("\n".join([kind, words, around, *([beside] if beside else [])]).encode()).hexdigest()
