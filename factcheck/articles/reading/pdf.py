"""PDF: lines as they were set, put together to paragraphs by where they stand and how large they are.

A PDF does not say what a paragraph is. What is taken for one is a guess that the desk shows before it is saved.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from factcheck.articles.reading.found import MAX_CHARS, Found, TooLarge, Unreadable, Writer

PAGES_MAX = 500
_PAGES_LOOKED_AT = 5
# pdfium's word for a hyphen at a line's end, after which it goes on without a line end.
_HYPHEN = "\x02"
_ENDS_A_SENTENCE = re.compile(r"[.!?…:。！？؟][\"'”’»)\]]*$")
_BULLET = re.compile(r"[•▪◦‣●■–-]\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+(?=\S)")
_PAGE_NUMBER = re.compile(
    r"\W*(?:page|seite|página|pagina)?\s*\d{1,4}\s*(?:(?:of|von|de|di|/)\s*\d{1,4})?\W*", re.IGNORECASE
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Line:
    text: str
    left: float
    right: float
    bottom: float
    size: float
    # A word goes on in the next line.
    hyphenated: bool = False


@dataclass
class _Paragraph:
    size: float
    lines: list[_Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        written = ""
        for line in self.lines:
            joint = "" if not written or written.endswith(_HYPHEN) else " "
            written += joint + line.text.strip() + (_HYPHEN if line.hyphenated else "")
        # "Haupt-/stadt" is one word; "CO2-/Ausstoß" and "1990-/2000" keep their hyphen.
        return re.sub(f"(?<=[^\\W\\d_]){_HYPHEN}(?=[a-zß-öø-ÿ])", "", written).replace(_HYPHEN, "-")


def read(data: bytes) -> Found:
    document = _open(data)
    try:
        if len(document) > PAGES_MAX:
            raise TooLarge("pages")
        pages = [list(_lines(document[number])) for number in range(len(document))]
        if not any(pages):
            raise Unreadable("image_only" if _has_picture(document) else "damaged")
    except pypdfium2.PdfiumError as error:
        raise Unreadable("damaged") from error
    finally:
        document.close()
    writer = Writer()
    kept = _without_running_heads(pages)
    if kept != pages:
        writer.found.left_out.add("around")
    _write(_paragraphs(kept), writer)
    return writer.found


def _open(data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        password = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise Unreadable("encrypted" if password else "damaged") from error


def _lines(page: Any) -> Iterator[_Line]:
    text_page = page.get_textpage()
    try:
        count = pdfium.FPDFText_CountChars(text_page)
        if count > MAX_CHARS:
            raise TooLarge("text")
        start = 0
        letters: list[str] = []
        for index in range(count + 1):
            letter = chr(pdfium.FPDFText_GetUnicode(text_page, index)) if index < count else "\n"
            if letter not in ("\n", "\r", _HYPHEN):
                letters.append(letter)
                continue
            text = "".join(letters)
            if text.strip():
                first = start + len(text) - len(text.lstrip())
                last = start + len(text.rstrip()) - 1
                yield _line(text_page, text, first, last, hyphenated=letter == _HYPHEN)
            start, letters = index + 1, []
    finally:
        text_page.close()
        page.close()


def _line(text_page: Any, text: str, first: int, last: int, *, hyphenated: bool) -> _Line:
    left, _right, bottom, _top = _box(text_page, first)
    right = _box(text_page, last)[1]
    size = float(pdfium.FPDFText_GetFontSize(text_page, first))
    return _Line(text.replace("\x00", ""), left, right, bottom, size, hyphenated)


def _box(text_page: Any, index: int) -> tuple[float, float, float, float]:
    sides = [ctypes.c_double() for _side in range(4)]
    # By the loose box, whose bottom is the same for "a" and "g".
    rect = pdfium.FS_RECTF()
    if pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(rect)):
        return float(rect.left), float(rect.right), float(rect.bottom), float(rect.top)
    pdfium.FPDFText_GetCharBox(text_page, index, *(ctypes.byref(side) for side in sides))
    left, right, bottom, top = (side.value for side in sides)
    return left, right, bottom, top


def _has_picture(document: Any) -> bool:
    return any(
        True
        for number in range(min(len(document), _PAGES_LOOKED_AT))
        for _object in document[number].get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)
    )


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """The lines without page numbers, and without what stands above or below the text of most pages."""
    edges = Counter(key for page in pages for key in {_key(line) for line in [*page[:2], *page[-2:]]})
    often = max(2, len(pages) // 2)
    running = {key for key, times in edges.items() if times >= often and len(pages) > 1}

    def is_text(page: list[_Line], number: int) -> bool:
        at_edge = number < 2 or number >= len(page) - 2
        line = page[number]
        outermost = number in (0, len(page) - 1)
        page_number = outermost and len(pages) > 1 and _PAGE_NUMBER.fullmatch(line.text.strip())
        return not (at_edge and (_key(line) in running or page_number))

    return [[line for number, line in enumerate(page) if is_text(page, number)] for page in pages]


def _key(line: _Line) -> str:
    return _DIGITS.sub("#", line.text.strip())


def _paragraphs(pages: list[list[_Line]]) -> list[_Paragraph]:
    lines = [line for page in pages for line in page]
    gaps = [
        above.bottom - below.bottom
        for page in pages
        for above, below in pairwise(page)
        if 0 < above.bottom - below.bottom < 4 * max(above.size, 1) and _alike(above.size, below.size)
    ]
    # The commonest distance, since headings and paragraphs make the larger ones.
    usual = Counter(round(gap, 1) for gap in gaps).most_common(1)[0][0] if gaps else 0.0
    widest = max((line.right for line in lines), default=0.0)
    left = median(line.left for line in lines) if lines else 0.0
    found: list[_Paragraph] = []
    for page in pages:
        before: _Line | None = None
        for line in page:
            if before is None:
                goes_on = bool(found) and _goes_on_from_page(found[-1], line)
            else:
                goes_on = _goes_on(before, line, usual=usual, widest=widest, left=left)
            if goes_on:
                found[-1].lines.append(line)
            else:
                found.append(_Paragraph(line.size, [line]))
            before = line
    return found


def _goes_on(above: _Line, below: _Line, *, usual: float, widest: float, left: float) -> bool:
    if above.hyphenated:
        return True
    gap = above.bottom - below.bottom
    if not _alike(above.size, below.size) or _BULLET.match(below.text) or _NUMBERED.match(below.text):
        return False
    ended = bool(_ENDS_A_SENTENCE.search(above.text.strip()))
    if gap < -above.size:
        # The next column, above.
        return not ended
    if usual and gap > 1.3 * usual:
        return False
    short = above.right < left + 0.8 * (widest - left)
    indented = 0.5 * below.size < below.left - above.left < 5 * below.size
    return not (ended and (short or indented))


def _goes_on_from_page(paragraph: _Paragraph, line: _Line) -> bool:
    last = paragraph.lines[-1]
    if last.hyphenated:
        return True
    return _alike(last.size, line.size) and not _ENDS_A_SENTENCE.search(last.text.strip()) and line.text[:1].islower()


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= 0.08 * max(one, other, 1.0)


def _write(paragraphs: list[_Paragraph], writer: Writer) -> None:
    letters: Counter[float] = Counter()
    for paragraph in paragraphs:
        letters[round(paragraph.size, 1)] += len(paragraph.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    largest = max((paragraph.size for paragraph in paragraphs[:6]), default=0.0)
    has_headline = False
    for paragraph in paragraphs:
        text = paragraph.text
        kind = "paragraph"
        if paragraph.size >= 1.1 * body and len(text) <= 250:
            is_headline = not has_headline and paragraph.size == largest and paragraph.size >= 1.2 * body
            kind = "headline" if is_headline else "heading"
            has_headline = has_headline or is_headline
        elif bullet := _BULLET.match(text):
            kind, text = "item", text[bullet.end() :]
        elif _NUMBERED.match(text):
            kind = "item"
        writer.begin(kind)
        writer.text(text)
    writer.end()
