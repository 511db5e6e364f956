"""Which charset a page is in, in the order of the WHATWG: BOM, HTTP, the page's own word, then a guess."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import webencodings

# The standard looks at 1024 bytes first; browsers start over when the word comes later in the head.
PRESCAN_BYTES = 64 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta[\s/](?P<attributes>[^>]{0,2000})", re.IGNORECASE)
_CHARSET = re.compile(rb"(?:^|[\s\"'/;])charset\s*=\s*[\"']?\s*(?P<label>[A-Za-z0-9_.:+-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"'](?P<label>[A-Za-z0-9_.:+-]{2,40})")


@dataclass(frozen=True)
class Decoding:
    text: str
    charset: str
    # "bom", "http", "meta", "xml" or "guess"
    source: str
    # How many U+FFFD the text has: bytes that this charset could not read.
    replacements: int


def _known(label: str | bytes) -> str | None:
    name = label.decode("ascii", "replace") if isinstance(label, bytes) else label
    encoding = webencodings.lookup(name)
    return encoding.name if encoding else None


def _declared_in(head: bytes) -> tuple[str, str] | None:
    if (xml := _XML_ENCODING.match(head)) and (name := _known(xml["label"])):
        return _as_read(name), "xml"
    for meta in _META.finditer(_COMMENT.sub(b"", head)):
        if (label := _CHARSET.search(meta["attributes"])) and (name := _known(label["label"])):
            return _as_read(name), "meta"
    return None


def _as_read(name: str) -> str:
    # A page that says UTF-16 in ASCII letters is not in UTF-16 (WHATWG, "prescan", step "UTF-16BE/LE").
    if name in ("utf-16le", "utf-16be"):
        return "utf-8"
    return "windows-1252" if name == "x-user-defined" else name


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def find(data: bytes, *, http_charset: str = "", markup: bool = True) -> tuple[str, str]:
    """The charset and how it is known."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name, "bom"
    if http_charset and (named := _known(http_charset)):
        return named, "http"
    if markup and (declared := _declared_in(data[:PRESCAN_BYTES])):
        return declared
    return ("utf-8" if _is_utf8(data) else "windows-1252"), "guess"


def decode(data: bytes, *, http_charset: str = "", markup: bool = True) -> Decoding:
    charset, source = find(data, http_charset=http_charset, markup=markup)
    text, used = webencodings.decode(data, webencodings.lookup(charset), errors="replace")
    return Decoding(text, used.name, source, text.count("\ufffd"))
