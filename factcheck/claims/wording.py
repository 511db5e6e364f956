"""A claim's words: what a verdict is about, and how they are found again in a new text."""

import hashlib
import re
from collections.abc import Sequence

from factcheck.lib.canonical_json import dumps

Span = tuple[int, int]


def words_at(text: str, spans: Sequence[Span]) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in spans)


def statement_sha256(speaker: str, words: Sequence[str]) -> str:
    """SHA-256 of the canonical JSON of what is claimed and by whom; "" for a claim without a place.

    The speaker belongs to it: "the fee is low" is one statement by us and another by a president.
    """
    return hashlib.sha256(dumps({"speaker": speaker, "words": list(words)})).hexdigest() if words else ""


def find_again(old: str, spans: Sequence[Span], new: str) -> list[Span] | None:
    """The same passages in a new text, or None unless every one of them is certain.

    A passage is certain when its words stand exactly once in the new text and stood once in the
    old, or when, of several places, exactly one has the same line before and behind it.
    """
    placed = []
    for start, end in spans:
        words = old[start:end]
        places = _places(words, new)
        if len(places) != 1 or len(_places(words, old)) != 1:
            before, after = _line_around(old, start, end)
            places = [place for place in places if _line_around(new, *place) == (before, after)]
        if len(places) != 1:
            return None
        placed.append(places[0])
    # Passages that changed their order are another statement.
    return placed if placed == sorted(placed) else None


def _places(words: str, text: str) -> list[Span]:
    """Where the words stand without cutting a word or a number in two."""
    first = r"(?<![\w.,])" if words[:1].isdigit() else r"(?<!\w)" if words[:1].isalnum() else ""
    last = r"(?![.,]?\w)" if words[-1:].isdigit() else r"(?!\w)" if words[-1:].isalnum() else ""
    return [match.span() for match in re.finditer(f"{first}{re.escape(words)}{last}", text)]


def _line_around(text: str, start: int, end: int) -> tuple[str, str]:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    return text[first:start], text[end : last if last >= 0 else len(text)]
