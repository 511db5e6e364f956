"""The one text of a revision: ordered blocks, joined by a blank line.

Offsets everywhere are half-open and count Unicode code points of that text. It is NFC, its
lines end in LF, it holds no control character, and no block holds a blank line.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SEPARATOR = "\n\n"

# What ends a line in one encoding or another; Unicode's own separators included.
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028]")
_PARAGRAPH_ENDS = re.compile("\u2029")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
# What a list's item may begin with in the text itself.
_MARKER = re.compile(r"(?:[-*•‣▪◦–]|\d{1,3}[.)])\s+\S")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")


class BlockKind(StrEnum):
    HEADLINE = "headline"
    DECK = "deck"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTE = "quote"
    CAPTION = "caption"
    ROW = "row"


@dataclass(frozen=True)
class Block:
    id: str
    kind: BlockKind
    text: str


@dataclass(frozen=True)
class PlacedBlock:
    """A block and where its words stand in the canonical text."""

    id: str
    kind: BlockKind
    text: str
    start: int
    end: int


def clean_lines(text: str) -> str:
    """The text with LF line ends, without control characters, in NFC; tabs become spaces."""
    text = _PARAGRAPH_ENDS.sub(SEPARATOR, _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", _CONTROL.sub("", text.replace("\t", " ")))


def paragraphs(text: str) -> list[str]:
    """The pieces between blank lines of a text from ``clean_lines``, none of them empty."""
    return [piece.strip() for piece in _BLANK_LINES.split(text) if piece.strip()]


def starts_with_marker(text: str) -> bool:
    """Whether an item's words begin with a marker of their own, so that no page draws one."""
    return bool(_MARKER.match(text))


def number_blocks(pieces: Iterable[tuple[BlockKind, str]]) -> list[Block]:
    return [Block(f"b{number}", kind, text) for number, (kind, text) in enumerate(pieces, start=1)]


def canonical_text(blocks: Iterable[Block]) -> str:
    """Raises ValueError for a block that would make the text ambiguous."""
    texts = [block.text for block in blocks]
    for text in texts:
        if not text or clean_lines(text) != text or _BLANK_LINES.search(text) or text.strip() != text:
            raise ValueError(f"not a canonical block: {text[:80]!r}")
    return SEPARATOR.join(texts)


def place_blocks(blocks: Iterable[Block]) -> list[PlacedBlock]:
    placed = []
    start = 0
    for block in blocks:
        end = start + len(block.text)
        placed.append(PlacedBlock(block.id, block.kind, block.text, start, end))
        start = end + len(SEPARATOR)
    return placed


def split_at_blocks(start: int, end: int, blocks: Iterable[PlacedBlock]) -> list[tuple[int, int]]:
    """The parts of a span that lie in blocks, trimmed of white space at both ends."""
    spans = []
    for block in blocks:
        first, last = max(start, block.start), min(end, block.end)
        if first < last:
            words = block.text[first - block.start : last - block.start]
            first += len(words) - len(words.lstrip())
            last -= len(words) - len(words.rstrip())
            if first < last:
                spans.append((first, last))
    return spans
