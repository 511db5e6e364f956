"""Text as it is compared, with the way back to the text as it was written.

Two copies of the same words rarely have the same characters: quotation marks are straight in one and
curly in the other, a PDF ends its lines in hyphens, a web page hides soft hyphens and no-break spaces
in them. ``fold`` writes all of these one way. What changes the meaning it leaves alone: 10² does not
become 102, ½ does not become 1/2, and "1,000" and "1.000" stay two.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

# NFKC would turn 10² into 102, 5½ into 51⁄2 and ① into 1: these say more than their digits.
_MEANINGFUL = ("<super>", "<sub>", "<fraction>", "<circle>")

_SPELLINGS = {
    '"': "“”„‟«»〝〞〟＂「」『』﹁﹂﹃﹄❝❞″‶״",
    "'": "‘’‚‛‹›ʼʻʹ`´′‵＇❛❜׳",
    "-": "‐‑‒–—―⸺⸻−﹘﹣－⁃",
}
_SAME = {ord(variant): standard for standard, variants in _SPELLINGS.items() for variant in variants}

# Invisible, and of no meaning for words. The bidirectional overrides U+202D and U+202E are not among
# them: they show other digits than the text holds, so that text must not pass as the same.
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\ufeff") | {
    chr(code) for code in (*range(0x2066, 0x206A), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_JOINER = "\u200d"

# What pdfium writes where a line ended in a hyphen.
_PDF_HYPHENS = "\x02\ufffe"


def _ranges(codes: Iterable[int]) -> str:
    """A regular expression's character class, without its brackets."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs)


# Everything that can join the character before it: marks, the second and third letters of a Hangul
# syllable, and their half-width forms. Above U+1FFFF there are only variation selectors, dropped above.
MARKS = _ranges(code for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M")
_EXTENDING = MARKS + _ranges([*range(0x1160, 0x1200), *range(0xD7B0, 0xD800), *range(0xFF9E, 0xFFDD)])
_is_extending = re.compile(f"[{_EXTENDING}]").match
_is_space = re.compile(r"\s").match


@dataclass(frozen=True, eq=False)
class Folded:
    """The folded ``text``, and where each of its characters comes from in ``original``."""

    original: str
    text: str
    # Places in ``text`` where a line-end hyphen was taken out: perhaps the word is written with one.
    joins: frozenset[int]
    # One stretch after another: where it begins in text, where in original, and where it ends there if
    # the stretch maps only as a whole; -1 if it maps character by character.
    _begins: list[int] = field(repr=False)
    _sources: list[int] = field(repr=False)
    _ends: list[int] = field(repr=False)

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of ``original`` that became ``text[start:end]``, in code points.

        A character that came from several, or with others, brings all of them. What was dropped
        at the span's edges stays outside.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError("A span holds at least one character of the folded text.")
        return self._source(start)[0], self._source(end - 1)[1]

    def folded_position(self, at: int) -> int:
        """How many characters of ``text`` come from before the original's position ``at``."""
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high) // 2
            if self._source(middle)[1] <= at:
                low = middle + 1
            else:
                high = middle
        return low

    def _source(self, at: int) -> tuple[int, int]:
        stretch = bisect_right(self._begins, at) - 1
        if self._ends[stretch] >= 0:
            return self._sources[stretch], self._ends[stretch]
        source = self._sources[stretch] + at - self._begins[stretch]
        return source, source + 1


def fold(text: str, *, keep_case: bool = False) -> Folded:
    """The text as it is compared: see the module.

    ``keep_case`` leaves capitals standing, for telling 5 mW from 5 MW.
    """
    swaps: dict[int, str] = {}
    odd: list[str] = []
    invisible: list[str] = []
    extending: list[str] = []
    # A text has few different characters, however long it is: what is special about them is found
    # once, and a text without anything special costs no more than lower().
    for char in set(text):
        if char.isascii():
            if char in "`\t\n\v\f\r\x1c\x1d\x1e\x1f":
                swaps[ord(char)] = _single(char, keep_case)
        elif char in _INVISIBLE:
            invisible.append(char)
        elif _is_extending(char):
            extending.append(char)
        else:
            single = _single(char, keep_case)
            if len(single) != 1:
                odd.append(char)
            elif single != char:
                swaps[ord(char)] = single
    pattern = _uneven("".join(sorted(odd)), "".join(sorted(invisible)), "".join(sorted(extending)))
    level = text.translate(swaps) if swaps else text

    parts: list[str] = []
    joins: set[int] = set()
    begins, sources, ends = [0], [0], [-1]
    at = done = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        replacement = _replacement(found, keep_case)
        if start > done:
            part = level[done:start]
            parts.append(part if keep_case else part.casefold())
            at += start - done
        if found.lastgroup == "joined" and not replacement:
            joins.add(at)
        if replacement:
            parts.append(replacement)
            _stretch(begins, sources, ends, at, start, end)
            at += len(replacement)
        _stretch(begins, sources, ends, at, end, -1)
        done = end
    part = level[done:]
    parts.append(part if keep_case else part.casefold())
    return Folded(text, "".join(parts), frozenset(joins), begins, sources, ends)


def _stretch(begins: list[int], sources: list[int], ends: list[int], begin: int, source: int, end: int) -> None:
    if begins[-1] == begin:
        sources[-1], ends[-1] = source, end
    else:
        begins.append(begin)
        sources.append(source)
        ends.append(end)


@lru_cache(maxsize=256)
def _uneven(odd: str, invisible: str, extending: str) -> re.Pattern[str]:
    """What does not fold character by character, in a text that holds these special characters."""
    between = f"[{invisible}]*" if invisible else ""
    blank = r"[^\S\n\r\v\f\x85\u2028\u2029]*"
    line_end = rf"{between}{blank}(?:\r\n|[\n\r\v\f\x85\u2028]){blank}{between}"
    letter = r"[^\W\d_]"
    after_letter = f"(?<={letter}|[{extending}])" if extending else f"(?<={letter})"
    alternatives = [
        # "inter-\nnational", also with the hyphen that a PDF reader or a soft hyphen stands for
        rf"(?P<joined>{after_letter}(?:[-\u2010\xad]{line_end}|[{_PDF_HYPHENS}](?:{line_end})?)(?={letter}))",
        rf"(?P<hyphen>[{_PDF_HYPHENS}])",
        rf"(?P<space>\s(?:{between}\s)+)",
        r"(?P<ellipsis>\.(?:[ \xa0\u2009\u202f]\.){2,})",
        rf"(?P<double>[‘’‚‛'`´]{between}[‘’‚‛'`´])",
        rf"(?P<dash>-(?:{between}-)+)",
    ]
    if extending:
        outside = re.escape(invisible) + extending
        alternatives.append(rf"(?P<cluster>[^\s{outside}](?:{between}[{extending}])+|[{extending}]+)")
    if invisible:
        alternatives.append(rf"(?P<invisible>[{invisible}]+)")
    if odd:
        alternatives.append(rf"(?P<odd>[{re.escape(odd)}])")
    return re.compile("|".join(alternatives))


def _replacement(found: re.Match[str], keep_case: bool) -> str:
    kind, text = found.lastgroup, found.string
    start, end = found.span()
    match kind:
        case "joined":
            # Nobody breaks a word before a capital: Smith-Jones had its hyphen before the line ended.
            capital = text[end].isupper() and not text[start - 1].isupper()
            return "-" if capital else ""
        case "hyphen" | "dash":
            return "-"
        case "space":
            return " "
        case "ellipsis":
            return "..."
        case "double":
            return '"'
        case "invisible":
            # A family is more than the persons in it, so the joiner in an emoji stays.
            around = text[max(0, start - 1) : start], text[end : end + 1]
            return _JOINER if _JOINER in found.group() and all(map(_is_pictograph, around)) else ""
        case "cluster":
            return _cluster("".join(char for char in found.group() if char not in _INVISIBLE), keep_case)
        case _:
            return _single(found.group(), keep_case)


def _is_pictograph(char: str) -> bool:
    return bool(char) and (ord(char) >= 0x1F000 or 0x2190 <= ord(char) <= 0x2BFF)


@lru_cache(maxsize=8192)
def _single(char: str, keep_case: bool) -> str:
    if _is_space(char):
        return " "
    return _cluster(char, keep_case)


@lru_cache(maxsize=8192)
def _cluster(cluster: str, keep_case: bool) -> str:
    level = unicodedata.normalize("NFC", "".join(_levelled(unicodedata.normalize("NFD", cluster))))
    if keep_case:
        return level
    return unicodedata.normalize("NFC", "".join(_levelled(unicodedata.normalize("NFD", level.casefold()))))


def _levelled(text: str) -> Iterator[str]:
    """NFKD, without the changes of meaning that it would make."""
    for char in text:
        same = _SAME.get(ord(char))
        if same is not None:
            yield same
            continue
        decomposition = unicodedata.decomposition(char)
        if not decomposition.startswith("<") or decomposition.startswith(_MEANINGFUL):
            yield char
            continue
        plain = "".join(chr(int(code, 16)) for code in decomposition.split()[1:])
        # "⒈" is "1." and "㏠" is "1日": beside another digit they would become another number. And "¨" is a
        # space with a mark.
        if plain[0] == " " or (len(plain) > 1 and any(part.isdecimal() for part in plain)):
            yield char
        else:
            yield from _levelled(plain)
