"""An archived page or style sheet made harmless, with every address led into its own package or left out.

What is written is a tree written anew, so that a browser sees the tags that were judged here and no others. A policy
that allows nothing stands behind it; this is also for what policies do not govern, such as preconnect links. So no
``link`` is ever written: style sheets become ``@import`` in a ``style``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from lxml import etree
from lxml import html as lxml_html

from .limits import LimitMet
from .links import IMAGE_SETS, LAZY, LAZY_SETS, candidates, unescaped
from .markup import check_shape

# Raise it whenever the same page would come out otherwise: kept results are then made again.
VERSION = "4"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEPT_IN_ADDRESSES = "!#$%&'()*+,/:;=?@[]~"

# A url() or the string of an @import; comments and other strings are stepped over whole. Brackets are counted for the
# strings in image-set(), which are addresses.
_CSS = re.compile(
    r"""/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"""
    r"""|(?P<import>@import\s*+)(?:"(?P<import1>(?:[^"\\\n]|\\.)*+)"|'(?P<import2>(?:[^'\\\n]|\\.)*+)')"""
    # Also one that never ends, as CSS reads it: else each quote in it would be the start of another try.
    r"""|"(?P<string1>(?:[^"\\\n]|\\.)*+)"?|'(?P<string2>(?:[^'\\\n]|\\.)*+)'?"""
    r"""|(?<![\w-])(?P<url>url\(\s*+)"""
    r"""(?:"(?P<url1>(?:[^"\\\n]|\\.)*+)"|'(?P<url2>(?:[^'\\\n]|\\.)*+)'|(?P<url3>(?:[^"'()\\\s]|\\.)*+))\s*+\)"""
    r"""|\\[()]|(?<![\w-])(?P<opened>[\w-]*+)\(|(?P<closed>\))""",
    re.IGNORECASE | re.DOTALL,
)
_NOTHING = "data:,"
_DATA_IMAGE = re.compile(r"data:(?:image|font|application/(?:x-)?font)[/-]", re.IGNORECASE)
_SAFE_NAME = re.compile(r"[a-z][a-z0-9_:.-]{0,60}")
_DOCTYPE = re.compile(
    r'<!DOCTYPE html(?: PUBLIC "[^"<>]{0,100}"(?: "[^"<>]{0,200}")?)?(?: SYSTEM "[^"<>]{0,200}")?>', re.I
)
_LINK = re.compile(r"<(?=link(?![a-z0-9-]))", re.IGNORECASE)


# Without a doctype of its own a page is laid out by old rules, and must get none from the parser.
_PARSING: dict[str, Any] = {
    "encoding": "utf-8",
    "huge_tree": True,
    "remove_pis": True,
    "remove_comments": True,
    "default_doctype": False,
}


# Of a drawing that a page takes parts of: no more than what any collection of symbols has.
DRAWING_MAX_CHARS = 500_000
_DRAWING_MAX_ELEMENTS = 20_000
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_LOCAL_URL = re.compile(r"""url\(\s*+["']?#([^"')\s]++)["']?\s*+\)""", re.IGNORECASE)


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Gone with all that is in them: they run, load, or are read by other rules than the rest.
_DROPPED = _names(
    "animate animatecolor animatemotion animatetransform annotation-xml applet base bgsound embed fencedframe frame"
    " frameset handler link listener listing meta noembed noframes object plaintext portal script set template xmp"
)
_DROPPED_ATTRIBUTES = _names(
    "action archive attributionsrc autofocus autoplay cite classid code codebase crossorigin csp data download"
    " fetchpriority formaction form http-equiv imagesizes imagesrcset integrity is loading longdesc manifest method"
    " nonce ping profile referrerpolicy sandbox allow allowfullscreen src srcdoc srcset target href xlink:href poster"
    " background style xml:base"
)
_MISSING = "data-not-in-copy"
_MISSING_STYLE = (
    f"[{_MISSING}]{{outline:2px dashed #767676!important;outline-offset:-2px!important;"
    "background:#f2f2f2!important;color:#333!important;opacity:1!important}"
    f"iframe[{_MISSING}]{{border:0!important}}"
)


def key(address: str) -> str:
    """One form of an address for looking it up: without fragment and default port, host in small letters, escaped."""
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme.lower() not in _DEFAULT_PORTS or not host:
        return ""
    netloc = f"[{host}]" if ":" in host else host
    if port not in (None, _DEFAULT_PORTS[parts.scheme.lower()]):
        netloc += f":{port}"
    path, query = _escaped(parts.path or "/"), _escaped(parts.query)
    return urlunsplit((parts.scheme.lower(), netloc, path, query, ""))


def _escaped(part: str) -> str:
    def escape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if re.fullmatch(r"[A-Za-z0-9._~-]", character) else match[0].upper()

    return quote(re.sub(r"%([0-9A-Fa-f]{2})", escape, part), safe=_KEPT_IN_ADDRESSES)


class Rewriter:
    """Leads addresses into the package.

    ``places`` has for each key the number of its record and its kind ("page", "style", "image", "font", "media");
    ``prefix`` stands before the number in what is written; ``left_out`` is the sentence for what is not there.
    ``drawings`` has for a key the text of an SVG: a page without an origin may take no part of one from elsewhere, so
    that it gets the drawing itself.
    """

    def __init__(
        self,
        places: Mapping[str, tuple[int, str]],
        *,
        base: str,
        prefix: str,
        left_out: str,
        frames: bool,
        drawings: Mapping[str, str] | None = None,
    ) -> None:
        self._drawings = drawings or {}
        # Each drawing once, beside the name that stands before all names in it; "" for one that cannot be read.
        self._taken: dict[str, str] = {}
        self._sheets: list[Any] = []
        self._places = places
        self._base = base
        self._prefix = prefix
        self._left_out = left_out
        self._frames = frames

    def _place(self, address: str, *kinds: str) -> str:
        """The address inside the package, or "" for what is not there or is another kind of thing."""
        try:
            found = self._places.get(key(urljoin(self._base, address.strip())))
        except ValueError:
            return ""
        return f"{self._prefix}{found[0]}" if found and found[1] in kinds else ""

    def css(self, text: str) -> str:
        # For each bracket that is open, whether it is of an image-set().
        brackets: list[bool] = []
        return _CSS.sub(lambda match: self._css_piece(match, brackets), text)

    def _css_piece(self, match: re.Match[str], brackets: list[bool]) -> str:
        if match["import"]:
            address = unescaped(match["import1"] or match["import2"] or "")
            return f'@import "{self._place(address, "style") or _NOTHING}"'
        if match["opened"] is not None:
            brackets.append(match["opened"].lower() in IMAGE_SETS)
        elif match["closed"] and brackets:
            brackets.pop()
        elif brackets and brackets[-1] and match[0][0] in "\"'":
            address = unescaped(match["string1"] or match["string2"] or "")
            return _quoted(self._image_place(address) or _NOTHING)
        if not match["url"]:
            return match[0]
        address = unescaped(match["url1"] or match["url2"] or match["url3"] or "").strip()
        if address.startswith("#"):
            return f"url({_quoted(address)})"
        if _DATA_IMAGE.match(address):
            return f"url({_quoted(address)})"
        place = self._place(address, "image", "font", "style")
        fragment = address.partition("#")[2]
        return f"url({_quoted(f'{place}#{fragment}' if place and fragment else place or _NOTHING)})"

    def _inside_style(self, text: str) -> str:
        # A style ends at the first "</", wherever that stands; escaped it means the same to CSS.
        return self.css(text).replace("</", "<\\/")

    def page(self, text: str) -> str:
        encoded = text.encode("utf-8", "replace")
        check_shape(encoded)
        parser = lxml_html.HTMLParser(**_PARSING)
        if not encoded.strip():
            return ""
        root: Any = lxml_html.document_fromstring(encoded, parser=parser)
        doctype = str(root.getroottree().docinfo.doctype or "")
        base = root.find(".//base[@href]")
        if base is not None:
            self._base = urljoin(self._base, base.get("href", "").strip())
        for element in list(root.iter("source", "track", "wbr", "bgsound", "embed")):
            _empty(element)
        for element in list(root.iter()):
            self._element(element)
        for sheet in self._sheets:
            for element in list(sheet.iter()):
                self._element(element)
            (root if (inside := root.find("body")) is None else inside).append(sheet)
        head = root.find("head")
        if head is None:
            head = etree.Element("head")
            root.insert(0, head)
        note = etree.Element("style")
        note.text = _MISSING_STYLE
        head.append(note)
        for name, content in (("viewport", "width=device-width"), ("referrer", "no-referrer")):
            meta = etree.Element("meta", name=name, content=content)
            head.insert(0, meta)
        body = etree.tostring(root, method="html", encoding="unicode")
        # The tree holds no link; should a browser still read one where the tree has text, it is none.
        body = _LINK.sub("<x-", body)
        return (f"{doctype}\n" if _DOCTYPE.fullmatch(doctype) else "") + f"{body}\n"

    def _element(self, element: Any) -> None:
        if not isinstance(element.tag, str):
            _remove(element)
            return
        name = element.tag.lower()
        if name == "link":
            self._link(element)
            return
        if name in _DROPPED or not _SAFE_NAME.fullmatch(name):
            if element.getparent() is not None:
                _remove(element)
            return
        if name == "image" and "src" in element.attrib:
            # What browsers make of it outside a drawing.
            name = element.tag = "img"
        had = {str(attribute).lower(): str(value) for attribute, value in element.attrib.items()}
        for attribute in list(element.attrib):
            lowered = str(attribute).lower()
            if lowered in _DROPPED_ATTRIBUTES or lowered.startswith("on") or not _SAFE_NAME.fullmatch(lowered):
                del element.attrib[attribute]
            elif "(" in had[lowered] and lowered not in ("alt", "title", "content", "value"):
                # SVG's fill, mask, filter and their kin take url() too.
                element.set(attribute, self.css(had[lowered]))
        if style := had.get("style"):
            element.set("style", self.css(style))
        if name == "style":
            element.text = self._inside_style("".join(element.itertext()))
            for child in list(element):
                element.remove(child)
        elif name == "img" or (name == "input" and had.get("type", "").strip().lower() == "image"):
            self._image(element, had)
        elif name == "source":
            self._source(element, had)
        elif name in ("video", "audio"):
            self._media(element, had)
        elif name == "iframe":
            self._frame(element, had)
        elif name == "image":
            if place := self._image_place(had.get("href") or had.get("xlink:href") or ""):
                element.set("href", place)
        elif name in ("a", "area"):
            self._anchor(element, had)
        elif (href := had.get("href") or had.get("xlink:href") or "").startswith("#"):
            element.set("href", href)
        elif name == "use" and href:
            self._use(element, href)
        if (background := had.get("background")) and (place := self._place(background, "image")):
            element.set("background", place)

    def _use(self, element: Any, href: str) -> None:
        address, _hash, part = href.partition("#")
        found = key(_joined(self._base, address.strip()))
        if part and found in self._drawings:
            if found not in self._taken:
                self._taken[found] = self._take(self._drawings[found], f"drawing-{len(self._taken)}-")
            if self._taken[found]:
                element.set("href", f"#{self._taken[found]}{part}")

    def _take(self, text: str, prefix: str) -> str:
        """Have the drawing stand in the page, unseen, with the prefix before each of its names; "" where it cannot."""
        parser = etree.XMLParser(
            encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        )
        try:
            root: Any = etree.fromstring(text.encode("utf-8", "replace"), parser)
        except (etree.XMLSyntaxError, ValueError):
            return ""
        if root.tag != f"{_SVG}svg" or sum(1 for _element in root.iter()) > _DRAWING_MAX_ELEMENTS:
            return ""
        sheet = etree.Element("svg", width="0", height="0", style="position:absolute")
        sheet.set("aria-hidden", "true")
        for child in root:
            _copy(child, sheet, prefix)
        self._sheets.append(sheet)
        return prefix

    def _link(self, element: Any) -> None:
        rel = (element.get("rel") or "").lower().split()
        place = ""
        if "stylesheet" in rel and "alternate" not in rel and "disabled" not in element.attrib:
            place = self._place(element.get("href") or "", "style")
        if not place:
            _remove(element)
            return
        media = element.get("media") or ""
        element.tag = "style"
        for attribute in list(element.attrib):
            del element.attrib[attribute]
        if media:
            element.set("media", media)
        element.text = f'@import "{place}";'

    def _image_place(self, address: str) -> str:
        address = address.strip()
        return address if _DATA_IMAGE.match(address) else self._place(address, "image")

    def _from_set(self, value: str) -> str:
        """The candidates of a srcset that are in the package."""
        kept = []
        for address, descriptor in candidates(value):
            if place := self._image_place(address):
                kept.append(f"{place} {descriptor}".strip())
        return ", ".join(kept)

    def _image(self, element: Any, had: Mapping[str, str]) -> None:
        src = had.get("src", "").strip()
        lazy = next((place for name in LAZY if (place := self._place(had.get(name, ""), "image"))), "")
        # In a lazy page, src is a blank that a script would have replaced.
        place = self._place(src, "image") or lazy or self._image_place(src)
        choice = self._from_set(had.get("srcset", "")) or next(
            (found for name in LAZY_SETS if (found := self._from_set(had.get(name, "")))), ""
        )
        if choice:
            element.set("srcset", choice)
            place = place or choice.split(" ", 1)[0].rstrip(",")
        if place:
            element.set("src", place)
        elif src or had.get("srcset") or any(had.get(name) for name in (*LAZY, *LAZY_SETS)):
            alt = had.get("alt", "").strip()
            element.set("alt", f"{alt} ({self._left_out})" if alt else self._left_out)
            element.set(_MISSING, "")

    def _source(self, element: Any, had: Mapping[str, str]) -> None:
        choice = self._from_set(had.get("srcset", "") or had.get("data-srcset", ""))
        place = self._place(had.get("src", ""), "media")
        if choice:
            element.set("srcset", choice)
        elif place:
            element.set("src", place)
        else:
            _remove(element)

    def _media(self, element: Any, had: Mapping[str, str]) -> None:
        element.set("controls", "")
        element.set("preload", "none")
        if place := self._place(had.get("src", ""), "media"):
            element.set("src", place)
        if place := self._image_place(had.get("poster", "")):
            element.set("poster", place)

    def _frame(self, element: Any, had: Mapping[str, str]) -> None:
        for child in list(element):
            element.remove(child)
        element.text = None
        element.set("sandbox", "")
        place = self._place(had.get("src", ""), "page") if self._frames else ""
        if place:
            element.set("src", place)
        else:
            element.set(_MISSING, "")
            element.set("title", self._left_out)

    def _anchor(self, element: Any, had: Mapping[str, str]) -> None:
        href = (had.get("href") or had.get("xlink:href") or "").strip()
        if not href:
            return
        # A link keeps its looks and leads nowhere: the fragment names nothing.
        element.set("href", href if href.startswith("#") else "#not-in-copy")
        if not href.startswith("#") and "title" not in had and key(_joined(self._base, href)):
            element.set("title", _joined(self._base, href)[:2_000])


def _copy(element: Any, into: Any, prefix: str) -> None:
    """What is drawn, under names of its own: neither its styles nor what is no drawing come into the page."""
    if not isinstance(element.tag, str) or not element.tag.startswith(_SVG):
        return
    name = element.tag.removeprefix(_SVG)
    if name in ("style", "foreignObject"):
        return
    copy = etree.SubElement(into, name)
    copy.text = element.text
    for attribute, value in element.attrib.items():
        if attribute == "id":
            copy.set("id", prefix + value)
        elif attribute in ("href", _XLINK_HREF):
            if value.startswith("#"):
                copy.set("href", f"#{prefix}{value[1:]}")
        elif attribute != "class" and not attribute.startswith("{"):
            copy.set(attribute, _LOCAL_URL.sub(lambda found: f"url(#{prefix}{found[1]})", value))
    for child in element:
        _copy(child, copy, prefix)


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _empty(element: Any) -> None:
    """What this parser took for the content of a tag that has none stands behind it."""
    parent, place = element.getparent(), element
    tail, element.tail, element.text = element.tail, element.text, None
    for child in list(element):
        parent.insert(parent.index(place) + 1, child)
        place = child
    place.tail = (place.tail or "") + (tail or "")


def _remove(element: Any) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


def _quoted(address: str) -> str:
    """As a string of CSS that nothing in it can end, also inside a style element or attribute."""
    return '"' + re.sub(r"""[^!#-&(-;=?-\[\]-~]""", lambda found: f"\\{ord(found[0]):x} ", address) + '"'


def rewrite(data: bytes, order: Mapping[str, Any]) -> str:
    """Raises LimitMet, and whatever the parser does on a page that breaks it."""
    from . import charset, limits

    if len(data) > limits.MARKUP_MAX_BYTES:
        raise LimitMet("size")
    is_page = order["kind"] == "page"
    text = charset.decode(data, http_charset=str(order["charset"]), markup=is_page).text
    rewriter = Rewriter(
        {str(name): (int(number), str(kind)) for name, (number, kind) in order["places"].items()},
        base=str(order["base"]),
        prefix=str(order["prefix"]),
        left_out=str(order["left_out"]),
        frames=bool(order["frames"]),
        drawings={str(name): str(text)[:DRAWING_MAX_CHARS] for name, text in order.get("drawings", {}).items()},
    )
    return rewriter.page(text) if is_page else rewriter.css(text)
