"""What a page needs to be seen as it was: the addresses of its pictures, styles, fonts and frames, as written in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_LINKS = 5_000
MAX_URL_CHARS = 4_000
CSS_MAX_CHARS = 4_000_000
_SRCSET_MAX_CHARS = 50_000

# An address that ends with a comma has no descriptor; commas inside it are its own.
_CANDIDATE = re.compile(r"[\s,]*+(?P<url>\S++)(?:(?<!,)(?P<descriptor>[^,]*+))?", re.ASCII)
# A url() or the string of an @import; comments and other strings are stepped over whole.
_CSS = re.compile(
    r"""/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"""
    r"""|@import\s*+(?:"(?P<import1>(?:[^"\\\n]|\\.)*+)"|'(?P<import2>(?:[^'\\\n]|\\.)*+)')"""
    r"""|(?P<import>@import\s++)?(?<![\w-])url\(\s*+"""
    r"""(?:"(?P<url1>(?:[^"\\\n]|\\.)*+)"|'(?P<url2>(?:[^'\\\n]|\\.)*+)'|(?P<url3>(?:[^"'()\\\s]|\\.)*+))\s*+\)"""
    # Also one that never ends, as CSS reads it: else each quote in it would be the start of another try.
    r"""|"(?P<string1>(?:[^"\\\n]|\\.)*+)"?|'(?P<string2>(?:[^'\\\n]|\\.)*+)'?"""
    # Brackets are counted for the strings in image-set(), which are addresses.
    r"""|\\[()]|(?<![\w-])(?P<opened>[\w-]*+)\(|(?P<closed>\))""",
    re.IGNORECASE | re.DOTALL,
)
# The same for a sheet without image-set(), in which brackets need not be counted. Each find begins with one of a few
# characters, in both cases, so that the engine passes over all others at once. "@import" before a url() is a find of
# its own.
_CSS_WITHOUT_SETS = re.compile(
    r"""[/@uU"'](?:(?<=/)\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"""
    r"""|(?<=@)(?i:import)(?:\s*+(?:"(?P<import1>(?:[^"\\\n]|\\.)*+)"|'(?P<import2>(?:[^'\\\n]|\\.)*+)')"""
    r"""|(?P<import>\s++)(?=(?i:url)\())"""
    r"""|(?<![\w-][uU])(?<=[uU])(?i:rl)\(\s*+"""
    r"""(?:"(?P<url1>(?:[^"\\\n]|\\.)*+)"|'(?P<url2>(?:[^'\\\n]|\\.)*+)'|(?P<url3>(?:[^"'()\\\s]|\\.)*+))\s*+\)"""
    r"""|(?<=")(?:[^"\\\n]|\\.)*+"?|(?<=')(?:[^'\\\n]|\\.)*+'?)""",
    re.DOTALL,
)
IMAGE_SETS = frozenset(("image-set", "-webkit-image-set"))
_CSS_ESCAPE = re.compile(r"\\(?:(?P<hex>[0-9a-fA-F]{1,6})\s?|(?P<line>\n)|(?P<char>.))", re.DOTALL)
LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy", "data-hi-res-src")
LAZY_SETS = ("data-srcset", "data-lazy-srcset")
_PICTURE_META = frozenset(("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"))
_FETCHED_AS = {"style": "style", "image": "image", "font": "font", "script": "script"}

Link = tuple[str, str]
"""Its kind ("style", "image", "font", "frame", "icon", "meta" or "script") and its address as written."""


def css_links(text: str) -> list[Link]:
    """The addresses in a style sheet or a style attribute. Linear in its length."""
    text = text[:CSS_MAX_CHARS]
    return _links_with_sets(text) if "image-set" in text.lower() else _links_without_sets(text)


def _links_without_sets(text: str) -> list[Link]:
    found: dict[Link, None] = {}
    imported_until = -1
    for match in _CSS_WITHOUT_SETS.finditer(text):
        imported = match["import1"] or match["import2"]
        if address := imported or match["url1"] or match["url2"] or match["url3"]:
            _add(found, "style" if imported or match.start() == imported_until else "image", unescaped(address))
            if len(found) >= MAX_LINKS:
                break
        imported_until = match.end() if match["import"] else -1
    return list(found)


def _links_with_sets(text: str) -> list[Link]:
    found: dict[Link, None] = {}
    # For each bracket that is open, whether it is of an image-set().
    brackets: list[bool] = []
    for match in _CSS.finditer(text):
        if match["opened"] is not None:
            brackets.append(match["opened"].lower() in IMAGE_SETS)
        elif match["closed"] and brackets:
            brackets.pop()
        imported = match["import1"] or match["import2"]
        address = imported or match["url1"] or match["url2"] or match["url3"]
        if brackets and brackets[-1]:
            address = address or match["string1"] or match["string2"]
        if address:
            kind = "style" if imported or match["import"] else "image"
            _add(found, kind, unescaped(address))
        if len(found) >= MAX_LINKS:
            break
    return list(found)


def find(root: Any) -> tuple[str, list[Link]]:
    """The address that others are relative to, as written ("" for the page's own), and the links in document order."""
    base = ""
    found: dict[Link, None] = {}
    for element in root.iter():
        tag = element.tag
        if not isinstance(tag, str):
            continue
        if tag == "base" and not base:
            base = (element.get("href") or "").strip()[:MAX_URL_CHARS]
        for kind, address in _of(tag, element):
            _add(found, kind, address)
        if len(found) >= MAX_LINKS:
            break
    return base, list(found)


def _of(tag: str, element: Any) -> Iterator[Link]:
    get = element.get
    if style := get("style"):
        yield from css_links(style)
    if background := get("background"):
        yield "image", background
    match tag:
        case "img" | "source" | "image":
            # The source of a video or a sound is the film itself.
            if tag != "source" or (element.getparent() is not None and element.getparent().tag == "picture"):
                for name in ("src", *LAZY):
                    yield "image", get(name) or ""
                for name in ("srcset", *LAZY_SETS):
                    for address, _descriptor in candidates(get(name)):
                        yield "image", address
            if tag == "image":
                yield "image", get("href") or get("xlink:href") or ""
        case "use":
            yield "image", get("href") or get("xlink:href") or ""
        case "video":
            yield "image", get("poster") or ""
        case "input":
            if (get("type") or "").strip().lower() == "image":
                yield "image", get("src") or ""
        case "object" | "embed":
            if (get("type") or "").strip().lower().startswith("image/"):
                yield "image", get("data") or get("src") or ""
        case "iframe":
            for name in ("src", *LAZY):
                yield "frame", get(name) or ""
        case "script":
            yield "script", get("src") or ""
        case "style":
            yield from css_links(element.text or "")
        case "link":
            yield from _linked(element)
        case "meta":
            if (get("property") or get("name") or "").strip().lower() in _PICTURE_META:
                yield "meta", get("content") or ""


def _linked(element: Any) -> Iterator[Link]:
    relations = set((element.get("rel") or "").lower().split())
    address = element.get("href") or ""
    if "stylesheet" in relations:
        yield "style", address
    elif relations & {"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"}:
        yield "icon", address
    elif relations & {"preload", "modulepreload"}:
        kind = _FETCHED_AS.get((element.get("as") or "").strip().lower())
        if kind:
            yield kind, address
        for candidate, _descriptor in candidates(element.get("imagesrcset")):
            yield "image", candidate


def candidates(srcset: str | None) -> Iterator[tuple[str, str]]:
    """The addresses of a srcset, each with what is said of it ("2x"). Linear in its length."""
    # Without separators at its end each place in it is the start of a candidate, so that no place is tried twice.
    text = (srcset or "")[:_SRCSET_MAX_CHARS].rstrip(" \t\n\r\f\v,")
    for match in _CANDIDATE.finditer(text):
        yield match["url"].rstrip(","), (match["descriptor"] or "").strip()


def _add(found: dict[Link, None], kind: str, address: str) -> None:
    address = address.strip()
    if address and not address.startswith("#") and len(address) <= MAX_URL_CHARS:
        scheme = address[:12].lower()
        if not scheme.startswith(("data:", "blob:", "about:", "javascript:", "mailto:", "cid:")):
            found.setdefault((kind, address))


def unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match["hex"]:
            code = int(match["hex"], 16)
            return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
        return match["char"] or ""

    return _CSS_ESCAPE.sub(plain, text)
