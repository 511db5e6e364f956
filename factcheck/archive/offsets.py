"""Where in the source of a page the text of a layer stood, so that a passage can be shown in the file as received.

The blob of a map is JSON: ``{"format": "factcheck-offsets", "version": 1, "runs": [gap, length, gap, longer, …]}``.
Each run is four numbers: the gap in the layer since the run before, the length in the layer, the gap in the source
since the run before, and how much longer it is there. The source is the entity decoded in the capture's charset,
without a byte order mark; all numbers count code points. What was written from an attribute, as the text of an image,
has no run.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = "factcheck-offsets"
NUMBERS_MAX = 4 * 400_000
_PIECE = re.compile(r"&(?:\#(?:[0-9]{1,8}|[xX][0-9A-Fa-f]{1,7})|[A-Za-z][A-Za-z0-9]{1,31});?|\r\n|.", re.DOTALL)
_SPACES = " \t\n\r\f"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Run:
    layer_start: int
    layer_end: int
    source_start: int
    source_end: int


def checked(numbers: Any, chars: int) -> tuple[int, ...] | None:
    """The numbers that a child said, if they can be a map of a text of so many characters; otherwise None."""
    if not isinstance(numbers, list) or len(numbers) % 4 or len(numbers) > NUMBERS_MAX:
        return None
    if not all(type(number) is int for number in numbers):
        return None
    if not numbers or min(numbers[0::4]) < 0 or min(numbers[2::4]) < 0:
        return None
    lengths = numbers[1::4]
    if min(lengths) <= 0 or any(length + longer <= 0 for length, longer in zip(lengths, numbers[3::4], strict=True)):
        return None
    return tuple(numbers) if sum(numbers[0::4]) + sum(lengths) <= chars else None


def as_blob(numbers: Sequence[int]) -> bytes:
    return json.dumps({"format": FORMAT, "version": 1, "runs": list(numbers)}, separators=(",", ":")).encode()


def from_blob(blob: bytes) -> list[Run]:
    """Raises ValueError for what is no map of a format that is read here."""
    said = json.loads(blob)
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("version") != 1:
        raise ValueError("not a map of offsets")
    return list(_unpacked(said["runs"]))


def _unpacked(numbers: Sequence[int]) -> Iterator[Run]:
    layer_end = source_end = 0
    for index in range(0, len(numbers), 4):
        layer_gap, length, source_gap, longer = numbers[index : index + 4]
        layer_start, source_start = layer_end + layer_gap, source_end + source_gap
        layer_end, source_end = layer_start + length, source_start + length + longer
        yield Run(layer_start, layer_end, source_start, source_end)


def places(runs: Sequence[Run], source: str, start: int, end: int) -> list[tuple[int, int]]:
    """The spans of the source, in its order, in which the characters ``start`` to ``end`` of the layer stood.

    What between them has no place (a space that stands for a tag, the text of an image) is in none of them.
    """
    found: list[tuple[int, int]] = []
    index = max(0, bisect_right(runs, start, key=lambda run: run.layer_start) - 1)
    while index < len(runs) and runs[index].layer_start < end:
        run = runs[index]
        index += 1
        first, last = max(start, run.layer_start), min(end, run.layer_end)
        if first < last:
            found.append(_inside(run, source, first - run.layer_start, last - run.layer_start))
    return found


def _inside(run: Run, source: str, first: int, last: int) -> tuple[int, int]:
    if first == 0 and last == run.layer_end - run.layer_start:
        return run.source_start, run.source_end
    piece = source[run.source_start : run.source_end]
    collapsed = len(reading(piece)) == run.layer_end - run.layer_start
    starts, ends = _characters(piece, collapsed=collapsed)
    return run.source_start + starts[first], run.source_start + ends[last - 1]


def _characters(piece: str, *, collapsed: bool) -> tuple[list[int], list[int]]:
    """For each character that is read out of ``piece``, where it begins and ends there."""
    starts: list[int] = []
    ends: list[int] = []
    after_space = False
    for match in _PIECE.finditer(piece):
        for character in "\n" if match[0] == "\r\n" else html.unescape(match[0]):
            if _CONTROLS.match(character) and not (collapsed and character in _SPACES):
                after_space = False
                continue
            is_space = collapsed and character in _SPACES
            if is_space and after_space:
                ends[-1] = match.end()
                continue
            after_space = is_space
            starts.append(match.start())
            ends.append(match.end())
    return starts, ends


def reading(piece: str, *, preserved: bool = False) -> str:
    """What a run's source says: references resolved, spaces as a browser shows them, no controls."""
    text = html.unescape(piece.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS.sub("", text if preserved else re.sub(r"[ \t\n\r\f]+", " ", text))
