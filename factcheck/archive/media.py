"""What kind of file it is, by its first bytes; the header is asked only among kinds that look alike.

After https://mimesniff.spec.whatwg.org/, but what the bytes say plainly beats what the header says.
"""

from __future__ import annotations

import codecs
import re
from email.message import Message
from functools import lru_cache

HEAD_BYTES = 2048
_CONTENT_TYPE_CHARS = 1_000

_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"OggS\x00", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
)
_RIFFS = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}
# By the first brand, https://mp4ra.org/registered-types/brands; all others are films.
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4V ": "video/x-m4v",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}
# How a QuickTime film begins that is older than brands, after a size whose first byte is a NUL.
_OLD_QUICKTIME = frozenset((b"moov", b"mdat", b"wide"))
_EBML = b"\x1aE\xdf\xa3"
_ZIPPED = re.compile(r"application/(?:vnd\.openxmlformats-|vnd\.oasis\.|epub\+zip)")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
_HTML = re.compile(
    rb"\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|body|br|p|meta|b)[\s>]|\s*<!--",
    re.IGNORECASE,
)
_XML = re.compile(rb"\s*<\?xml\s")
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_TEXT_TYPE = re.compile(r"text/[a-z0-9.+-]+|application/(?:[a-z0-9.-]+\+)?(?:json|xml)|application/javascript")


def declared(content_type: str | None) -> tuple[str, str]:
    """Media type and charset of a Content-Type header, in small letters, each empty where not given."""
    return _declared((content_type or "")[:_CONTENT_TYPE_CHARS])


# Sites send the same few over and over.
@lru_cache(maxsize=256)
def _declared(content_type: str) -> tuple[str, str]:
    message = Message()
    message["Content-Type"] = re.sub(r"[\r\n]", " ", content_type)
    media_type = message.get_content_type() if "/" in content_type else ""
    return media_type, str(message.get_param("charset", "")).strip("\"' ").lower()[:40]


def sniff(head: bytes, declared_type: str) -> str:
    """The media type of bytes that begin with ``head``; "application/octet-stream" where nobody can say."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            zipped = media_type == "application/zip" and _ZIPPED.match(declared_type)
            return declared_type if zipped else media_type
    if film := _film(head, declared_type):
        return film
    text = head[:HEAD_BYTES]
    for bom, charset in _BOMS:
        if text.startswith(bom):
            text = text[len(bom) :].decode(charset, "replace").encode("utf-8", "replace")
            break
    else:
        if _BINARY.search(text):
            # A page in UTF-16 without a mark of it has NULs too; then the header is all there is.
            return declared_type if declared_type and not _TEXT_TYPE.fullmatch(declared_type) else _doubtful(text)
    if declared_type in _HTML_TYPES:
        return declared_type
    if declared_type == "text/plain":
        # A browser shows the source of such a page, and so the source is what people saw.
        return declared_type
    if _HTML.match(text):
        return "text/html"
    if declared_type == "image/svg+xml" or re.match(rb"\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]", text):
        return "image/svg+xml"
    if _XML.match(text):
        return declared_type if declared_type.endswith("xml") else "application/xml"
    if _TEXT_TYPE.fullmatch(declared_type):
        return declared_type
    return "text/plain"


def _film(head: bytes, declared_type: str) -> str:
    if head[:4] == b"RIFF":
        return _RIFFS.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:1] == b"\0" and head[4:8] in _OLD_QUICKTIME:
        return "video/quicktime"
    if head.startswith(_EBML):
        if b"matroska" in head[:64]:
            return "video/x-matroska"
        return "audio/webm" if declared_type == "audio/webm" else "video/webm"
    return ""


def _doubtful(text: bytes) -> str:
    halves = text[1::2].count(0), text[::2].count(0)
    return "text/html" if max(halves) > len(text) // 3 and b"<\x00" in text + b"\x00" else "application/octet-stream"
