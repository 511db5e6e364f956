"""Text without the marks that two copies of the same words may space or write otherwise, with the way back.

A pattern that allows for other spacing, tried at each place of a text that repeats itself, compares the whole quote
each time. Without those marks the words are found by plain search, and the pattern is tried where they stand.
"""

from bisect import bisect_right

MARKS = " .-\"'%‰!?;:$€£¥"
# A chunk is read character by character for each find in it.
_CHUNK = 256
_OUT = {ord(mark): None for mark in MARKS}


def without_marks(text: str) -> str:
    return text.translate(_OUT)


class Bare:
    """A text's characters but its marks, in ``text``; ``position`` and ``origin`` go there and back."""

    def __init__(self, text: str) -> None:
        self._whole = text
        chunks = [without_marks(text[at : at + _CHUNK]) for at in range(0, len(text), _CHUNK)]
        self.text = "".join(chunks)
        self._begins = [0]
        for chunk in chunks:
            self._begins.append(self._begins[-1] + len(chunk))

    def position(self, at: int) -> int:
        """How many characters of ``text`` come from before the whole text's position ``at``."""
        chunk = at // _CHUNK
        return self._begins[chunk] + len(without_marks(self._whole[chunk * _CHUNK : at]))

    def origin(self, position: int) -> int:
        """Where the character at a position of ``text`` stands in the whole text."""
        chunk = bisect_right(self._begins, position) - 1
        left = position - self._begins[chunk]
        at = chunk * _CHUNK
        while True:
            if self._whole[at] not in MARKS:
                if not left:
                    return at
                left -= 1
            at += 1
