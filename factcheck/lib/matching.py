"""Whether quoted words stand in a text, where, and how exactly."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["exact", "normalised", "fuzzy", "ambiguous", "absent"]
Span = tuple[int, int]


@dataclass(frozen=True)
class Match:
    """Spans are half-open and count Unicode code points of the text as given."""

    outcome: Outcome
    spans: tuple[Span, ...] = ()
    score: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def start(self) -> int | None:
        return self.spans[0][0] if self.spans else None

    @property
    def end(self) -> int | None:
        return self.spans[-1][1] if self.spans else None


def locate(quote: str, text: str, *, prefix: str = "", suffix: str = "") -> Match:
    """Find the words of ``quote`` in ``text`` and say how exactly they stand there."""
    if not quote.strip():
        return Match("absent")
    at = text.find(quote)
    if at < 0:
        return Match("absent")
    return Match("exact", ((at, at + len(quote)),), 100.0)
