"""Claims on a text, as pieces that do not overlap.

Claims may overlap and have several passages, elements may not: so each block is cut wherever a
passage begins or ends, and each piece knows the claims it belongs to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from factcheck.pages.content import Block, Claim, loudest


@dataclass(frozen=True, slots=True)
class Segment:
    """Some of a block's words, the claims over them, and those whose note follows them.

    ``positions`` are the claims' places in the list of all, from 1: public.css lights up the words
    of the card that is open by its place.
    """

    text: str
    claims: tuple[Claim, ...]
    positions: tuple[int, ...] = ()
    notes: tuple[Claim, ...] = ()

    @property
    def tone(self) -> str:
        return loudest([claim.badge for claim in self.claims])


def segments(block: Block, claims: Sequence[Claim]) -> list[Segment]:
    """The block cut so that the texts of the pieces are the block's text, each in at most one piece.

    A claim's note follows the last of its words, in the block where these end.
    """
    covers = list(_covers(block, claims))
    notes: dict[int, list[Claim]] = {}
    for claim in claims:
        if _note_is_here(block, claim):
            notes.setdefault(min(claim.end, block.end), []).append(claim)

    cuts = sorted({block.start, block.end, *notes, *(edge for start, end, _claim in covers for edge in (start, end))})
    place = {claim.id: position for position, claim in enumerate(claims, start=1)}
    pieces = []
    for start, end in pairwise(cuts):
        over = {
            claim.id: claim for cover_start, cover_end, claim in covers if cover_start <= start and end <= cover_end
        }
        pieces.append(
            Segment(
                text=block.text[start - block.start : end - block.start],
                claims=tuple(over.values()),
                positions=tuple(place[claim_id] for claim_id in over),
                notes=tuple(notes.get(end, ())),
            )
        )
    return pieces


def _covers(block: Block, claims: Sequence[Claim]) -> Iterator[tuple[int, int, Claim]]:
    for claim in claims:
        for passage in claim.passages:
            start, end = max(passage.start, block.start), min(passage.end, block.end)
            if start < end:
                yield start, end, claim


def _note_is_here(block: Block, claim: Claim) -> bool:
    # Words may end in the blank line behind a block, which is the two characters to the next: the
    # note still belongs to that block, and to no other.
    return block.start < claim.end <= block.end + 2
