"""A claim's words in the sentences of the article in which they stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from factcheck.articles.canonical import PlacedBlock
from factcheck.claims.wording import Span

_SENTENCE_END = re.compile(r"[.!?。！？؟…][\"'”’»)\]]*(?=\s)")


@dataclass(frozen=True)
class Piece:
    text: str
    marked: bool


@dataclass(frozen=True)
class Sentence:
    """The sentence or sentences of one block that hold some of the words."""

    pieces: tuple[Piece, ...]


def sentences_with(blocks: Sequence[PlacedBlock], spans: Sequence[Span]) -> list[Sentence]:
    """One item for each block that holds a passage; passages never cross a block."""
    found = []
    for block in blocks:
        here = [(start - block.start, end - block.start) for start, end in spans if block.start <= start < block.end]
        if here:
            found.append(_sentence(block.text, here))
    return found


def cut_at(text: str, spans: Sequence[Span], *, start: int, end: int) -> Iterator[Piece]:
    """``text[start:end]`` in pieces, marked where a span lies over them; spans may overlap."""
    inside = [(max(first, start), min(last, end)) for first, last in spans if first < end and last > start]
    cuts = sorted({start, end, *(edge for span in inside for edge in span)})
    for first, last in pairwise(cuts):
        yield Piece(text[first:last], any(begin <= first and last <= stop for begin, stop in inside))


def _sentence(text: str, spans: Sequence[Span]) -> Sentence:
    first, last = min(start for start, _end in spans), max(end for _start, end in spans)
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    start = max((end for end in ends if end <= first), default=0)
    # Words that end with their sentence do not bring the next one.
    stop = min((end for end in ends if end >= last), default=len(text))
    start += len(text[start:first]) - len(text[start:first].lstrip())
    return Sentence(tuple(cut_at(text, spans, start=start, end=stop)))
