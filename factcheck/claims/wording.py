"""A claim's words: what a verdict is about, and how they are found again in a new text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from factcheck.articles.anchoring import transport
from factcheck.lib.canonical_json import dumps
from factcheck.lib.folding import fold

Span = tuple[int, int]


def words_at(text: str, spans: Sequence[Span]) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in spans)


def statement_sha256(speaker: str, words: Sequence[str]) -> str:
    """SHA-256 of the canonical JSON of what is claimed and by whom; "" for a claim without a place.

    The speaker belongs to it: "the fee is low" is one statement by us and another by a president. The words count as
    ``lib.folding`` writes them, with their capitals: straight quotation marks in place of curly ones state nothing new.
    """
    if not words:
        return ""
    folded = [fold(passage, keep_case=True).text for passage in words]
    return hashlib.sha256(dumps({"speaker": speaker, "words": folded})).hexdigest()


@dataclass(frozen=True)
class Carried:
    """A claim's passages in a new text; ``spans`` is empty when one of them has no likely place at all."""

    spans: tuple[Span, ...]
    # Nobody has to look at it: every passage has one certain place.
    certain: bool
    changes: tuple[str, ...] = ()


def carry_over(old: str, spans: Sequence[Span], new: str) -> Carried:
    """Where a claim's passages stand in a new text, in the same words or in others."""
    anchors = [transport(old, new, start, end) for start, end in spans]
    found = [(anchor.start, anchor.end) for anchor in anchors if anchor.start is not None and anchor.end is not None]
    changes = tuple(change for anchor in anchors for change in anchor.changes)
    if len(found) < len(anchors) or not found:
        return Carried((), certain=False, changes=changes)
    # Passages that changed their order, or ran into one another, are another statement.
    in_order = all(one[1] <= other[0] for one, other in pairwise(found))
    certain = in_order and all(anchor.outcome in ("same", "changed") for anchor in anchors)
    return Carried(tuple(found) if in_order else (), certain, changes)
