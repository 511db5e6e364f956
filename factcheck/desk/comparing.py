"""Two wordings beside each other, word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from rapidfuzz import fuzz

from factcheck.articles.canonical import PlacedBlock

# Below this likeness, out of 100, a paragraph is no edit of another.
ALIKE = 45

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


def merged(compared: Comparison) -> tuple[Part, ...]:
    """Both wordings in one line: what is gone directly before what is new."""
    left, right = list(compared.before), list(compared.after)
    parts: list[Part] = []
    while left or right:
        while left and left[0].kind == "gone":
            parts.append(left.pop(0))
        while right and right[0].kind == "new":
            parts.append(right.pop(0))
        if not (left and right):
            break
        parts.append(left.pop(0))
        right.pop(0)
    return (*parts, *left, *right)


@dataclass(frozen=True)
class Row:
    """A block beside what it became; one side is None where it was put in or taken out."""

    before: PlacedBlock | None
    after: PlacedBlock | None
    left: tuple[Part, ...] = ()
    right: tuple[Part, ...] = ()
    # The same words in another place of the text.
    moved: bool = False

    @property
    def kind(self) -> Literal["same", "changed", "gone", "new", "moved"]:
        if self.moved:
            return "moved"
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        return "same" if self.before.text == self.after.text else "changed"

    @property
    def inline(self) -> tuple[Part, ...]:
        """Both wordings in one line: what is gone directly before what is new."""
        return merged(Comparison(self.left, self.right))


def compare_blocks(before: Sequence[PlacedBlock], after: Sequence[PlacedBlock]) -> list[Row]:
    """The blocks of two revisions beside each other, in the order of the text."""
    one, other = [block.text for block in before], [block.text for block in after]
    rows: list[Row] = []
    for kind, first, last, start, end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            rows += [_row(old, new) for old, new in zip(before[first:last], after[start:end], strict=True)]
        else:
            rows += _replaced(before[first:last], after[start:end])
    gone = {row.before.text for row in rows if row.kind == "gone" and row.before}
    new = {row.after.text for row in rows if row.kind == "new" and row.after}
    return [replace(row, moved=True) if _words_of(row) in gone & new else row for row in rows]


def _words_of(row: Row) -> str | None:
    if row.kind == "gone" and row.before:
        return row.before.text
    return row.after.text if row.kind == "new" and row.after else None


def _replaced(before: Sequence[PlacedBlock], after: Sequence[PlacedBlock]) -> list[Row]:
    """Each old block beside the new one that is most like it, as long as their order stays."""
    rows: list[Row] = []
    waiting = list(after)
    for old in before:
        likeness = [fuzz.ratio(old.text, new.text) for new in waiting]
        best = max(range(len(waiting)), key=likeness.__getitem__, default=None)
        if best is None or likeness[best] < ALIKE:
            rows.append(_row(old, None))
            continue
        rows += [_row(None, new) for new in waiting[:best]]
        rows.append(_row(old, waiting[best]))
        waiting = waiting[best + 1 :]
    return rows + [_row(None, new) for new in waiting]


def _row(before: PlacedBlock | None, after: PlacedBlock | None) -> Row:
    if before is None or after is None:
        left = (Part("gone", before.text),) if before else ()
        return Row(before, after, left, (Part("new", after.text),) if after else ())
    compared = compare_words(before.text, after.text)
    return Row(before, after, compared.before, compared.after)
