"""Text of a PDF, page by page, so that a passage can be shown on its page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from .limits import PDF_MAX_PAGES, TEXT_MAX_CHARS, LimitMet

BETWEEN_PAGES = "\n\n"
# Where no page has text, this many are looked at for pictures.
PAGES_LOOKED_AT = 5


class Unreadable(Exception):
    """Not a PDF that can be opened: the message is "encrypted" or "damaged"."""


@dataclass
class Document:
    text: str = ""
    # Half-open spans of the text, in code points, one for each page.
    pages: list[tuple[int, int]] = field(default_factory=list)
    image_only: bool = False
    title: str = ""


def open_document(data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        password_needed = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise Unreadable("encrypted" if password_needed else "damaged") from error


def _page_text(page: Any) -> str:
    text_page = page.get_textpage()
    try:
        text: str = text_page.get_text_bounded()
    finally:
        text_page.close()
    # U+0002 for a hyphen at a line's end stays: whoever compares knows it.
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _page(document: Any, number: int) -> Any:
    try:
        return document[number]
    except pypdfium2.PdfiumError as error:
        # Counted, and not there or broken. Words may stand on it, so that the rest is not all that the file says.
        raise Unreadable("damaged") from error


def _has_picture(document: Any) -> bool:
    for number in range(min(len(document), PAGES_LOOKED_AT)):
        page = document[number]
        try:
            if any(True for _object in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)):
                return True
        finally:
            page.close()
    return False


def read(data: bytes) -> Document:
    document = open_document(data)
    try:
        if len(document) > PDF_MAX_PAGES:
            raise LimitMet("pages")
        result = Document(title=str(document.get_metadata_value("Title") or "").strip()[:300])
        parts: list[str] = []
        length = 0
        for number in range(len(document)):
            if parts:
                parts.append(BETWEEN_PAGES)
                length += len(BETWEEN_PAGES)
            page = _page(document, number)
            try:
                text = _page_text(page)
            finally:
                page.close()
            result.pages.append((length, length + len(text)))
            parts.append(text)
            length += len(text)
            if length > TEXT_MAX_CHARS:
                raise LimitMet("text")
        result.text = "".join(parts)
        if not result.text.strip():
            result.image_only = _has_picture(document)
        return result
    finally:
        document.close()


def version() -> str:
    return f"pypdfium2 {pypdfium2.version.PYPDFIUM_INFO}, pdfium {pypdfium2.version.PDFIUM_INFO}"
