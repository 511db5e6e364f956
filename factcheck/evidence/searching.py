"""Where quoted words stand among the text layers of a copy, and what may be said if they do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from factcheck.archive.models import TextLayer
from factcheck.evidence.models import FOUND_BY_MACHINE, PassageOutcome
from factcheck.lib.matching import Match, locate

# In this order where more than one has the words: what was sent goes before what a browser made of it.
_READABLE = (TextLayer.Kind.VISIBLE, TextLayer.Kind.PDF, TextLayer.Kind.RENDER)
_UNSEEN = (TextLayer.Kind.HIDDEN, TextLayer.Kind.METADATA)
_UNREAD = (TextLayer.Result.LIMIT, TextLayer.Result.CRASH)
_BEST_FIRST = ("exact", "normalised", "fuzzy", "ambiguous", "absent")


@dataclass(frozen=True)
class Layer:
    """A text layer to look in; ``row`` is the sealed one, None for a file that nobody sealed."""

    kind: str
    outcome: str
    read: Callable[[], str]
    row: TextLayer | None = None


@dataclass(frozen=True)
class Finding:
    outcome: PassageOutcome
    layer: Layer | None = None
    match: Match | None = None


def find_quote(
    layers: Sequence[Layer], quote: str, *, prefix: str = "", suffix: str = "", whole: bool = True
) -> Finding:
    """The best place of the quote. ``whole`` is False for a copy that was cut off.

    "Absent" is said only of a text that was read to its end: what was not read cannot be decided.
    """

    def best_of(kinds: Sequence[str]) -> Finding | None:
        found = []
        for layer in sorted(layers, key=lambda layer: kinds.index(layer.kind) if layer.kind in kinds else len(kinds)):
            if layer.kind in kinds and layer.outcome == TextLayer.Result.OK:
                match = locate(quote, layer.read(), prefix=prefix, suffix=suffix)
                found.append(Finding(PassageOutcome(match.outcome), layer, match))
        return min(found, key=lambda finding: _BEST_FIRST.index(finding.outcome.value), default=None)

    seen = best_of(_READABLE)
    if seen is not None and seen.outcome is not PassageOutcome.ABSENT:
        return seen
    unseen = best_of(_UNSEEN)
    if unseen is not None and unseen.outcome in FOUND_BY_MACHINE:
        return Finding(PassageOutcome.HIDDEN_ONLY, unseen.layer, unseen.match)
    readable = [layer for layer in layers if layer.kind in _READABLE]
    given_up = seen is not None and seen.match is not None and not seen.match.complete
    if not whole or given_up or any(layer.outcome in _UNREAD for layer in readable):
        return Finding(PassageOutcome.LIMIT)
    if any(layer.outcome == TextLayer.Result.IMAGE_ONLY for layer in readable):
        return Finding(PassageOutcome.IMAGE_ONLY)
    return seen or Finding(PassageOutcome.NO_TEXT)
