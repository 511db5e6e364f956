"""What kind of document somebody's bytes are: by their beginning, and where that does not tell, by their name."""

import re
from enum import StrEnum
from pathlib import PurePath

from django.utils.translation import gettext as _

from factcheck.articles.errors import UnreadableText


class Format(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    DOCX = "docx"
    ODT = "odt"
    PDF = "pdf"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(form.value, form.label) for form in cls]


_LABELS = {
    Format.TEXT: "plain text",
    Format.MARKDOWN: "Markdown",
    Format.HTML: "HTML",
    Format.DOCX: ".docx",
    Format.ODT: ".odt",
    Format.PDF: "PDF",
}

# What a file of each format may be called; the desk's page and the command accept these.
SUFFIXES = {
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".docx": Format.DOCX,
    ".docm": Format.DOCX,
    ".odt": Format.ODT,
    ".pdf": Format.PDF,
}
_MARKUP = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html)\b", re.I | re.DOTALL)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def format_of(raw: bytes, name: str = "") -> Format:
    """Raises UnreadableText for what is known and cannot be read."""
    named = SUFFIXES.get(PurePath(name).suffix.lower())
    if raw.startswith(b"PK\x03\x04"):
        # Which of the two it is stands in the package; the mimetype comes first and uncompressed in ODF.
        is_odt = raw[30:100].startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")
        return Format.ODT if is_odt or named is Format.ODT else Format.DOCX
    if b"%PDF-" in raw[:1024]:
        return Format.PDF
    if raw.startswith(_OLE):
        raise UnreadableText(
            _("This is a document of an old Word (.doc), or one with a password. Save it as .docx without a password.")
        )
    if raw.startswith(b"{\\rtf"):
        raise UnreadableText(_("This is a rich text file (.rtf). Save it as .docx or .odt and hand it in again."))
    if named in (Format.DOCX, Format.ODT, Format.PDF):
        raise UnreadableText(_("This is not the kind of document that its name says. Save it anew as .docx or .odt."))
    if named is not Format.HTML and _MARKUP.match(raw[:5_000].removeprefix(b"\xef\xbb\xbf")):
        return Format.HTML
    return named or Format.TEXT
