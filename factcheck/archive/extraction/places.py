"""Where in the source of a page its text stands, which no parser tells: the source is read beside the tree.

libxml2 keeps line numbers and nothing finer. So the characters of the source that are text are strung
together here, by the tokens of HTML, and each text node of the tree, in the order of the document, is
looked for where the last one ended. What is not found there has no place, and that is no error.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right

_TOKEN = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))|<(?:[!?]|/(?![A-Za-z]))[^>]*+(?:>|\Z)"""
    r"""|<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')|=)*+>"""
    r"""|(?P<character>&(?:\#(?:[0-9]{1,8}|[xX][0-9A-Fa-f]{1,7})|[A-Za-z][A-Za-z0-9]{1,31});?|\r\n?)""",
    re.DOTALL,
)
# Their content is text for the tokens and never text of a page.
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "iframe", "noembed", "noframes")
}
_SPACE = " \t\n\r\f"
_SPACES = re.compile(r"[ \t\n\r\f]*")
# What a run neither begins nor ends with: spaces, and the controls that are not written.
_EDGE = "".join(map(chr, range(0x21))) + "\x7f"
# A word as short as this stands everywhere, so that finding it further on means nothing.
_LEAST_TO_SEARCH = 12
# What may be looked at in searches, all in all: a page made of nodes that are nowhere must cost us little.
_SEARCH_CHARS = 20_000_000
RUNS_MAX = 400_000

Run = tuple[int, int, int, int]


class Source:
    """The text characters of a page's source, each with its place there."""

    def __init__(self, source: str) -> None:
        parts: list[str] = []
        # A stretch begins in the text at ``_starts`` and in the source at ``_places``; a character that is written
        # as a reference is a stretch of its own, as long in the source as ``_spans`` says (0: as long as the text).
        self._starts: list[int] = []
        self._places: list[int] = []
        self._spans: list[int] = []
        # Where markup interrupts the text.
        self._cuts: list[int] = []
        length = position = 0

        def add(piece: str, place: int, span: int) -> None:
            nonlocal length
            parts.append(piece)
            self._starts.append(length)
            self._places.append(place)
            self._spans.append(span)
            length += len(piece)

        while token := _TOKEN.search(source, position):
            begin, end = token.span()
            if begin > position:
                add(source[position:begin], position, 0)
            if token["character"]:
                add(_character(token["character"]), begin, end - begin)
            else:
                if not self._cuts or self._cuts[-1] != length:
                    self._cuts.append(length)
                if token["name"] and not token["end"] and (raw := _RAW.get(token["name"].lower())):
                    closing = raw.search(source, end)
                    end = closing.start() if closing else len(source)
            position = end
        if position < len(source):
            add(source[position:], position, 0)
        self._text = "".join(parts)
        self._at = 0
        self._search_left = _SEARCH_CHARS

    def find(self, node: str) -> int:
        """Where in the text of the source the words of the next node begin, or -1."""
        words = node.strip(_SPACE).replace("\r\n", "\n").replace("\r", "\n")
        if not words:
            return -1
        at = _SPACES.match(self._text, self._at).end()  # type: ignore[union-attr]
        if not self._text.startswith(words, at):
            if len(words) < _LEAST_TO_SEARCH or self._search_left <= 0:
                return -1
            found = self._text.find(words, at, at + self._search_left)
            self._search_left -= (found if found >= 0 else len(self._text)) - at
            if found < 0:
                return -1
            at = found
        self._at = at + len(words)
        return at

    def runs(self, at: int, words: str, written: str, layer_start: int, *, preserved: bool) -> list[Run]:
        """The pieces of ``words``, which begin at ``at``, that no markup interrupts.

        ``written`` is what became of the words in the layer, where it begins at ``layer_start``: other
        spaces, the same letters.
        """
        end = at + len(words.rstrip(_EDGE))
        at += len(words) - len(words.lstrip(_EDGE))
        cuts = self._cuts[bisect_right(self._cuts, at) : bisect_left(self._cuts, end)]
        if not cuts:
            return [(layer_start, len(written), *self._span(at, end))]
        made: list[Run] = []
        done = 0
        for begin, stop in zip([at, *cuts], [*cuts, end], strict=True):
            piece = self._text[begin:stop]
            core = piece.strip(_EDGE)
            if not core:
                continue
            begin += len(piece) - len(piece.lstrip(_EDGE))
            as_written = laid_out(core, preserved=preserved)
            start = written.find(as_written, done)
            if start < 0:
                break
            done = start + len(as_written)
            made.append((layer_start + start, len(as_written), *self._span(begin, begin + len(core))))
        return made

    def _span(self, begin: int, end: int) -> tuple[int, int]:
        """The beginning and the length in the source of text that does not end in a space."""
        first = bisect_right(self._starts, begin) - 1
        place = self._places[first] + (0 if self._spans[first] else begin - self._starts[first])
        last = bisect_right(self._starts, end - 1) - 1
        if self._spans[last]:
            stop = self._places[last] + self._spans[last]
        else:
            stop = self._places[last] + end - self._starts[last]
        return place, stop - place


def _character(reference: str) -> str:
    return "\n" if reference.startswith("\r") else html.unescape(reference)


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACE_RUN = re.compile(r"[ \t\n\r\f]+")


def laid_out(text: str, *, preserved: bool) -> str:
    """As a browser shows it: without controls, and with one space for any where it is not preformatted."""
    return _CONTROLS.sub("", text if preserved else _SPACE_RUN.sub(" ", text))


def packed(runs: list[Run]) -> list[int] | None:
    """Runs as ``archive.offsets`` has them: four small numbers each.

    None where there are none, or more than anybody may keep.
    """
    if not runs or len(runs) > RUNS_MAX:
        return None
    numbers: list[int] = []
    layer_end = source_end = 0
    for layer_start, length, source_start, source_length in runs:
        numbers += (layer_start - layer_end, length, source_start - source_end, source_length - length)
        layer_end, source_end = layer_start + length, source_start + source_length
    return numbers
