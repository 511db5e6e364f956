"""Text of HTML: what the eye reads, and apart from it what the page holds hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from .limits import TAG_MAX_ATTRIBUTES, TAG_MAX_DEPTH, TEXT_MAX_CHARS, LimitMet
from .places import Run, Source, packed


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_PARAGRAPHS = _names(
    "address article aside blockquote body caption center details dialog dir div dl fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hgroup hr legend main menu nav ol optgroup p pre search section select summary"
    " table tbody textarea tfoot thead ul"
)
_LINES = _names("br dd dt li option tr")
_CELLS = _names("td th")
# What may stand in the head of a page.
_OF_HEADS = _names("base basefont bgsound head link meta noframes noscript script style template title")
_PRESERVED = _names("pre textarea listing xmp")
# Never text at all, not even hidden text.
_CODE = _names("script style link meta base param source track")
# In the page, yet not shown by a browser that runs scripts and plays media.
_UNSHOWN = _names(
    "annotation annotation-xml audio canvas datalist desc head iframe noembed noframes noscript object rp"
    " template video"
)
_HIDING_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f]+")
# Most pieces have none of these, and to know that is quicker than to replace nothing.
_TO_COLLAPSE = ("  ", "\n", "\t", "\r", "\f")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_TAG = re.compile(
    rb"""<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?P<attributes>(?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""", re.DOTALL
)
_ATTRIBUTE = re.compile(rb"""[^\s"'=<>/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?""")
# Their end tags may be left out, so counting them open would call every long list deep.
_END_OPTIONAL = frozenset(
    b"p li dt dd tr td th thead tbody tfoot option optgroup colgroup rt rp html head body".split()
)
_RAW = {
    name: re.compile(rb"</" + name + rb"\b", re.IGNORECASE) for name in (b"script", b"style", b"title", b"textarea")
}
_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())

_GAVE_UP = (etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NO_MEMORY)
_MOUNTS = ("root", "app", "__next", "___gatsby", "__nuxt", "react-root", "svelte", "main-app")
_WALLS = {
    "cloudflare": (b"_cf_chl_opt", b"/cdn-cgi/challenge-platform/", b"cf-browser-verification"),
    "datadome": (b"geo.captcha-delivery.com",),
    "perimeterx": (b"px-captcha", b"_pxAppId"),
    "incapsula": (b"_Incapsula_Resource",),
    "awswaf": (b"awsWafCookieDomainList", b"AwsWafIntegration"),
    "captcha": (b"g-recaptcha", b"h-captcha", b"cf-turnstile"),
}


@dataclass
class Page:
    visible: str = ""
    hidden: str = ""
    metadata: str = ""
    # Where the texts stand in the source (``places.packed``).
    visible_places: list[int] | None = None
    hidden_places: list[int] | None = None
    title: str = ""
    noarchive: bool = False
    # What classify.py reads: small facts about the page, no verdicts.
    facts: dict[str, Any] = field(default_factory=dict)
    # The tree, for who reads on; None of an empty page.
    root: Any = None


def check_shape(data: bytes) -> None:
    """Raise LimitMet for a page whose tags alone would cost the parser its limits."""
    depth = position = 0
    while tag := _TAG.search(data, position):
        position = tag.end()
        attributes = tag["attributes"]
        # An attribute is at least a letter and a space.
        if len(attributes) > 2 * TAG_MAX_ATTRIBUTES:
            for count, _match in enumerate(_ATTRIBUTE.finditer(attributes)):
                if count >= TAG_MAX_ATTRIBUTES:
                    raise LimitMet("attributes")
        name = tag["name"].lower()
        if name in _RAW and not tag["end"]:
            # What stands in a script is no tag, however much it looks like one.
            end = _RAW[name].search(data, position)
            position = end.end() if end else len(data)
            continue
        if name in _VOID or name in _END_OPTIONAL or attributes.endswith(b"/"):
            continue
        depth = max(0, depth - 1) if tag["end"] else depth + 1
        if depth > TAG_MAX_DEPTH:
            raise LimitMet("depth")


class _Writer:
    """Joins pieces into lines and paragraphs as a browser would lay them out."""

    def __init__(self, source: Source) -> None:
        self.parts: list[str] = []
        self.chars = 0
        self._source = source
        self._length = 0
        # Where in the source each piece stood, by its start in what is joined so far.
        self._runs: list[Run] = []
        self._gap = ""
        self._gap_is_from_br = False
        self._after_space = True

    def text(self, piece: str, *, preserved: bool, at: int = -1) -> None:
        """``at`` is what the source said of the piece's words, -1 for what has no place of its own."""
        original = piece
        if preserved:
            piece = piece.replace("\r\n", "\n").replace("\r", "\n")
        else:
            # A line end in the source is a space on the page; ours come from tags alone.
            if any(space in piece for space in _TO_COLLAPSE):
                piece = _SPACES.sub(" ", piece)
            if self._gap or self._after_space:
                piece = piece.lstrip(" ")
        if not piece.isprintable():
            piece = _CONTROLS.sub("", piece)
        if not piece:
            return
        self.chars += len(piece)
        if self.chars > TEXT_MAX_CHARS:
            raise LimitMet("text")
        if self._gap and self.parts:
            last = self.parts[-1]
            self.parts[-1] = last.rstrip(" ")
            self._length += len(self.parts[-1]) - len(last) + len(self._gap)
            self.parts.append(self._gap)
        self._gap, self._gap_is_from_br = "", False
        if at >= 0 and piece.strip(" \t\n"):
            self._place(piece, original, at, preserved=preserved)
        self.parts.append(piece)
        self._length += len(piece)
        self._after_space = piece.endswith((" ", "\n", "\t"))

    def _place(self, piece: str, original: str, at: int, *, preserved: bool) -> None:
        written = piece.strip(" \t\n")
        start = self._length + len(piece) - len(piece.lstrip(" \t\n"))
        words = original.strip(" \t\n\r\f").replace("\r\n", "\n").replace("\r", "\n")
        self._runs += self._source.runs(at, words, written, start, preserved=preserved)

    def cell(self) -> None:
        self._gap = self._gap or "\t"

    def line(self, *, br: bool = False) -> None:
        # The second <br> in a row is how old pages part their paragraphs.
        if br and self._gap_is_from_br:
            self.paragraph()
        elif self._gap != "\n\n":
            self._gap = "\n"
        self._gap_is_from_br = br

    def paragraph(self) -> None:
        self._gap = "\n\n"

    def finish(self) -> tuple[str, list[int] | None]:
        joined = "".join(self.parts)
        cut = len(joined) - len(joined.lstrip(" \t\n"))
        # No run begins or ends in a space, so that none of them loses a letter here.
        runs = [(start - cut, length, place, span) for start, length, place, span in self._runs]
        return joined.strip(" \t\n"), packed(runs)


def _is_hidden(element: Any, name: str) -> bool:
    attributes = element.attrib
    if name in _UNSHOWN or "hidden" in attributes:
        return True
    if attributes.get("aria-hidden", "").strip().lower() == "true":
        return True
    if name == "input":
        return bool(attributes.get("type", "").strip().lower() == "hidden")
    if name == "dialog" and "open" not in attributes:
        return True
    style = attributes.get("style")
    return bool(style and _HIDING_STYLE.search(style))


def _name(element: Any) -> str:
    tag = element.tag
    # Comments and processing instructions have a function where elements have a name.
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    return iter(etree.iterwalk(root, events=("start", "end", "comment", "pi")))


def _texts(root: Any, source: str, page: Page) -> None:
    """The visible and the hidden text, in the order of the document."""
    places = Source(source)
    visible, hidden = _Writer(places), _Writer(places)
    hidden_depth = code_depth = preserved_depth = 0
    stack: list[tuple[bool, bool, bool]] = []

    def write(piece: str | None) -> None:
        if piece and not code_depth:
            (hidden if hidden_depth else visible).text(piece, preserved=preserved_depth > 0)

    def write_node(piece: str | None, *, raw: bool = False) -> None:
        # What is code is passed over by the source too, and the title is text there.
        if piece and not raw:
            at = places.find(piece)
            if not code_depth:
                (hidden if hidden_depth else visible).text(piece, preserved=preserved_depth > 0, at=at)

    def gap(name: str) -> None:
        writer = hidden if hidden_depth else visible
        if name in _PARAGRAPHS:
            writer.paragraph()
        elif name in _LINES:
            writer.line(br=name == "br")
        elif name in _CELLS:
            writer.cell()

    for event, element in _walk(root):
        if event in ("comment", "pi"):
            write_node(element.tail)
            continue
        name = _name(element)
        if event == "start":
            marks = (_is_hidden(element, name), name in _CODE, name in _PRESERVED)
            stack.append(marks)
            if marks[0] and not hidden_depth:
                hidden.paragraph()
            hidden_depth += marks[0]
            code_depth += marks[1]
            preserved_depth += marks[2]
            gap(name)
            if name in ("img", "area") or (name == "input" and element.get("type", "").lower() == "image"):
                if alt := element.get("alt", "").strip():
                    write(f" {alt} ")
            elif name == "input" and element.get("type", "").lower() in ("submit", "button", "reset"):
                write(f" {element.get('value', '')} ")
            write_node(element.text, raw=name in ("script", "style"))
        else:
            if name not in ("br", "hr", "td", "th"):
                gap(name)
            was_hidden, was_code, was_preserved = stack.pop()
            hidden_depth -= was_hidden
            code_depth -= was_code
            preserved_depth -= was_preserved
            if element is not root:
                write_node(element.tail)
    page.visible, page.visible_places = visible.finish()
    page.hidden, page.hidden_places = hidden.finish()


def _inner(element: Any) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _clean(value: str | None, length: int) -> str:
    return _CONTROLS.sub("", _SPACES.sub(" ", value or "")).strip()[:length]


def json_ld(root: Any) -> Iterator[Any]:
    """What each script of linked data holds, where it can be read."""
    for script in root.iter("script"):
        if script.get("type", "").strip().lower() != "application/ld+json" or not script.text:
            continue
        try:
            data = json.loads(script.text, strict=False)
        except (ValueError, RecursionError):
            continue
        yield data


def _described(root: Any) -> Iterator[dict[str, Any]]:
    for data in json_ld(root):
        waiting = [data]
        for _step in range(200):
            if not waiting:
                break
            item = waiting.pop()
            if isinstance(item, list):
                waiting.extend(item)
            elif isinstance(item, dict):
                yield item
                waiting.extend(value for value in item.values() if isinstance(value, dict | list))


def _describe(root: Any, page: Page) -> None:
    title = root.find(".//title")
    page.title = _clean(_inner(title) if title is not None else "", 300)
    lines = [page.title]
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").strip().lower()
        content = meta.get("content") or ""
        if name in ("robots", "googlebot") and re.search(r"\bnoarchive\b", content, re.IGNORECASE):
            page.noarchive = True
        if name in ("description", "og:title", "og:description", "og:site_name", "author", "article:published_time"):
            lines.append(_clean(content, 5_000))
    free: bool | None = None
    for item in _described(root):
        for key in ("headline", "description", "articleBody"):
            if isinstance(item.get(key), str):
                lines.append(_clean(item[key], 500_000))
        if "isAccessibleForFree" in item:
            free = str(item["isAccessibleForFree"]).strip().lower() not in ("false", "no", "0")
    page.metadata = "\n".join(dict.fromkeys(line for line in lines if line))
    page.facts["free_of_charge"] = free


def _app_mount(root: Any) -> bool:
    """Whether a place for a script to draw the page into stands empty."""
    places = (
        element
        for element in root.iter("div", "main", "app-root", "section")
        if element.get("id") in _MOUNTS or element.get("ng-app") is not None or element.tag == "app-root"
    )
    # More than a few such places is no app but somebody who wants to keep us busy.
    return any(not _inner(element).strip() for element in islice(places, 20))


def _mend_head(root: Any) -> None:
    """Put into the body what libxml2, which knows no later HTML than 4, left in the head.

    The tags of head and body may be left out, and a page then begins with ``nav`` or ``main``.
    """
    head = root.find("head")
    strays = [child for child in head if _name(child) not in _OF_HEADS and _name(child)] if head is not None else []
    if not strays:
        return
    body = root.find("body")
    if body is None:
        body = etree.SubElement(root, "body")
    words, body.text = body.text, None
    for place, child in enumerate(strays):
        body.insert(place, child)
    if words:
        strays[-1].tail = (strays[-1].tail or "") + words


def read(text: str, data: bytes) -> Page:
    """``data`` are the bytes as they came (for marks that no parser should get in the way of)."""
    encoded = text.encode("utf-8", "replace")
    check_shape(encoded)
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
    page = Page()
    try:
        page.root = root = lxml_html.document_fromstring(encoded, parser=parser)
    except etree.ParserError:
        # Nothing in it makes an element: spaces, a stray end tag.
        root = None
    # The parser goes on without a word where it meets a limit of its own: the rest would be lost, and then "absent".
    if any(entry.type in _GAVE_UP for entry in parser.error_log):
        raise LimitMet("parser")
    if root is None:
        return page
    _mend_head(root)
    _describe(root, page)
    _texts(root, text, page)
    headings = [_clean(_inner(heading), 200) for heading in root.iter("h1")]
    noscript = " ".join(_inner(element) for element in root.iter("noscript"))
    page.facts |= {
        "visible_chars": len(page.visible),
        "h1": headings[0] if headings else "",
        "scripts": sum(1 for _element in root.iter("script")),
        "empty_mount": _app_mount(root),
        "asks_for_script": bool(re.search(r"java\s*script", noscript, re.IGNORECASE)),
        "password_fields": sum(1 for field_ in root.iter("input") if field_.get("type", "").lower() == "password"),
        "walls": sorted(name for name, marks in _WALLS.items() if any(mark in data for mark in marks)),
        "beginning": page.visible[:3_000],
    }
    return page
