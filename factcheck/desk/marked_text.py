"""The article's text with its claims, cut into pieces that do not overlap.

The texts of all pieces of a block, joined, are the block's text and nothing else: the browser
counts its offsets on them. So a note's number is drawn by the style sheet and is no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from factcheck.articles.canonical import PlacedBlock
from factcheck.claims.wording import Span
from factcheck.desk.claim_states import URGENCY, DeskState


@dataclass(frozen=True)
class Highlight:
    """A claim as the text shows it."""

    public_id: str
    number: int
    state: DeskState
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Piece:
    text: str
    claims: tuple[Highlight, ...]
    # Claims whose last passage ends here.
    notes: tuple[Highlight, ...]

    @property
    def state(self) -> DeskState | None:
        return min((claim.state for claim in self.claims), key=URGENCY.__getitem__, default=None)


@dataclass(frozen=True)
class MarkedBlock:
    block: PlacedBlock
    pieces: tuple[Piece, ...]


def marked_blocks(blocks: Sequence[PlacedBlock], highlights: Sequence[Highlight]) -> list[MarkedBlock]:
    return [MarkedBlock(block, tuple(_pieces(block, highlights))) for block in blocks]


def _pieces(block: PlacedBlock, highlights: Sequence[Highlight]) -> list[Piece]:
    # Passages never cross a block: claims.services splits them there.
    here = [
        (start, end, claim)
        for claim in highlights
        for start, end in claim.spans
        if block.start <= start and end <= block.end
    ]
    notes: dict[int, list[Highlight]] = {}
    for claim in highlights:
        notes.setdefault(max(end for _start, end in claim.spans), []).append(claim)
    cuts = sorted({block.start, block.end, *(edge for start, end, _claim in here for edge in (start, end))})
    return [
        Piece(
            text=block.text[start - block.start : end - block.start],
            claims=tuple(claim for first, last, claim in here if first <= start and end <= last),
            notes=tuple(notes.get(end, ())),
        )
        for start, end in pairwise(cuts)
    ]
