"""A passage in its surroundings: the quoted words and a sentence either side."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# A sentence ends at its stop with closing marks, or at the end of a line.
_SENTENCE_END = re.compile(r"[.!?。！？؟…][\"'”’»)\]]*(?=\s)|\n")
LONGEST = 400


@dataclass(frozen=True)
class Passage:
    before: str
    exact: str
    after: str


def in_context(text: str, spans: Sequence[tuple[int, int]]) -> Passage:
    """The words of the spans with at most one sentence, and 400 characters, on either side."""
    start, end = spans[0][0], spans[-1][1]
    exact = " … ".join(text[first:last] for first, last in spans)
    return Passage(_before(text, start), exact, _after(text, end))


def _before(text: str, start: int) -> str:
    floor = max(0, start - LONGEST)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, floor, start) if text[match.end() : start].strip()]
    # The last end opens the sentence that holds the quote; the one before it, the sentence before.
    first = ends[-2] if len(ends) > 1 else floor
    piece = text[first:start]
    return _trim_left(piece) if first == floor and floor else piece.lstrip()


def _after(text: str, end: int) -> str:
    ceiling = min(len(text), end + LONGEST)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, end, ceiling) if text[end : match.end()].strip()]
    last = ends[1] if len(ends) > 1 else ceiling
    piece = text[end:last]
    return _trim_right(piece) if last == ceiling and ceiling < len(text) else piece.rstrip()


def _trim_left(piece: str) -> str:
    return "… " + piece.split(maxsplit=1)[-1] if " " in piece else piece


def _trim_right(piece: str) -> str:
    return piece.rsplit(maxsplit=1)[0] + " …" if " " in piece else piece
