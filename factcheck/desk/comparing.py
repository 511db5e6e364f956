"""Two wordings beside each other, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_TOKENS = re.compile(r"\s+|\S+")


@dataclass(frozen=True)
class Part:
    """Words that both wordings have, or only the one before, or only the one after."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True)
class Comparison:
    before: tuple[Part, ...]
    after: tuple[Part, ...]


def compare_words(before: str, after: str) -> Comparison:
    """Each wording cut where they differ; the texts of a side's parts, joined, are that side again."""
    one, other = _TOKENS.findall(before), _TOKENS.findall(after)
    left: list[Part] = []
    right: list[Part] = []
    # Without autojunk: it takes the commonest words of a long text for noise.
    for kind, first, last, start, end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            left.append(Part("same", "".join(one[first:last])))
            right.append(Part("same", "".join(other[start:end])))
        else:
            if last > first:
                left.append(Part("gone", "".join(one[first:last])))
            if end > start:
                right.append(Part("new", "".join(other[start:end])))
    return Comparison(tuple(left), tuple(right))
