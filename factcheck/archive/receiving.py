"""A file that a person hands in as a copy of a page: looked at, hashed and stored piece by piece.

What it is, its first bytes say; name and declared type are not believed.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factcheck.archive import blobs, media
from factcheck.archive.errors import UploadRefused

WARC, WACZ = "application/warc", "application/wacz"
ACCEPTED = {
    "application/pdf": gettext_lazy("PDF"),
    "image/png": gettext_lazy("picture (PNG)"),
    "image/jpeg": gettext_lazy("picture (JPEG)"),
    "image/webp": gettext_lazy("picture (WebP)"),
    "image/gif": gettext_lazy("picture (GIF)"),
    "image/tiff": gettext_lazy("picture (TIFF)"),
    "video/mp4": gettext_lazy("film (MP4)"),
    "video/x-m4v": gettext_lazy("film (MP4)"),
    "video/quicktime": gettext_lazy("film (QuickTime)"),
    "video/webm": gettext_lazy("film (WebM)"),
    "video/x-matroska": gettext_lazy("film (Matroska)"),
    "audio/mp4": gettext_lazy("sound recording (MP4)"),
    "text/html": gettext_lazy("web page (HTML)"),
    "text/plain": gettext_lazy("plain text"),
    WARC: gettext_lazy("web archive (WARC)"),
    WACZ: gettext_lazy("web archive (WACZ)"),
}
PICTURES = frozenset(kind for kind in ACCEPTED if kind.startswith("image/"))
NAME_MAX_CHARS = 255
_TAIL_BYTES = 256 * 1024
_TIFF = (b"II*\x00", b"MM\x00*")
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"dex\n")
_WARC_BEGINS = b"WARC/1."


@dataclass(frozen=True)
class Received:
    """A file in the store that no row names yet."""

    blob: blobs.Blob
    media_type: str
    # As the person's computer calls it; hostile, and only ever shown.
    name: str


def receive(pieces: Iterable[bytes], *, name: str) -> Received:
    """Store a file that comes in pieces. Raises UploadRefused, and then nothing of it is kept."""
    most = settings.CAPTURE_UPLOAD_MAX_BYTES
    head, tail = bytearray(), b""
    with blobs.draft() as draft:
        for piece in pieces:
            if draft.size + len(piece) > most:
                raise too_large()
            head += piece[: media.HEAD_BYTES - len(head)]
            tail = (tail + piece)[-_TAIL_BYTES:]
            draft.write(piece)
        media_type = _accepted(bytes(head), tail)
    return Received(draft.blob, media_type, _one_line(name)[-NAME_MAX_CHARS:])


def too_large() -> UploadRefused:
    most = filesizeformat(settings.CAPTURE_UPLOAD_MAX_BYTES)
    return UploadRefused(_("The file is larger than %(most)s, the most that is taken here.") % {"most": most})


def _accepted(head: bytes, tail: bytes) -> str:
    if not head:
        raise UploadRefused(_("The file is empty."))
    media_type = _sniff(head, tail)
    if media_type in ACCEPTED:
        return media_type
    if head.startswith(_PROGRAMS):
        raise UploadRefused(_("This file is a program. It is not kept."))
    if media_type == "application/zip":
        raise UploadRefused(
            _("This is a ZIP file, or a document in one, and no web archive (WACZ). Save the document as a PDF.")
        )
    if media_type == "image/svg+xml":
        raise UploadRefused(_("An SVG picture can hold programs. Save it as a PNG or a PDF."))
    raise UploadRefused(
        _(
            "This kind of file is not taken. Use a PDF, a picture, a film, a web page (HTML), plain text, or a web "
            "archive."
        )
    )


def _sniff(head: bytes, tail: bytes) -> str:
    if head.startswith(_WARC_BEGINS):
        return WARC
    if head.startswith(b"\x1f\x8b") and _unpacked_head(head).startswith(_WARC_BEGINS):
        return WARC
    # Whether the package is whole is seen where it is opened, away from here.
    if head.startswith(b"PK\x03\x04") and b"datapackage.json" in tail:
        return WACZ
    if head.startswith(_TIFF):
        return "image/tiff"
    media_type = media.sniff(head, "")
    return "text/html" if media_type == "application/xhtml+xml" else media_type


def _unpacked_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, 64)
    except zlib.error:
        return b""


def _one_line(name: str) -> str:
    return "".join(char if char.isprintable() else "_" for char in name).strip()
