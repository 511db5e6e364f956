"""HTML: a page that was saved, or what the clipboard holds of a browser, Google Docs or a word processor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import unquote

from lxml import etree
from lxml import html as lxml_html

from factcheck.archive.extraction import charset
from factcheck.archive.extraction.limits import LimitMet
from factcheck.archive.extraction.markup import check_shape, json_ld
from factcheck.articles.reading.found import (
    BETWEEN_CELLS,
    Found,
    TooLarge,
    Writer,
    names,
    one_line,
    one_text,
    raised,
    web_address,
)

_BLOCKS = names(
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table caption tbody"
    " tfoot thead tr ul"
)
# Nothing in them is the article's: code, controls, what a browser would draw or ask for.
_NEVER = names(
    "script style link meta base title head template noscript iframe object embed applet canvas svg math audio video"
    " source track map area select option datalist button input textarea noframes noembed param dialog progress meter"
)
_HEADINGS = names("h1 h2 h3 h4 h5 h6")
# What stands around an article on its page.
_AROUND = names("nav footer form menu")
_HIDING_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0*)?%?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_HIDING_CLASS = re.compile(r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text|-only)?)(?:\s|$)", re.IGNORECASE)
_DECK = re.compile(
    r"(?:^|[\s_-])(?:deck|dek|standfirst|subhead(?:line)?|sub-?title|sub-?heading|strapline|msosubtitle)(?:$|[\s_-])",
    re.IGNORECASE,
)
_TITLE_CLASS = re.compile(r"(?:^|\s)(?:title|msotitle)(?:\s|$)", re.IGNORECASE)
_QUOTE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:pull-?quote|block-?quote|msoquote|msointensequote)(?:$|[\s_-])", re.IGNORECASE
)
_CAPTION_CLASS = re.compile(r"(?:^|[\s_-])(?:caption|msocaption|wp-caption-text)(?:$|[\s_-])", re.IGNORECASE)
_LIST_CLASS = re.compile(r"(?:^|\s)MsoListParagraph", re.IGNORECASE)
# Word marks its drawn bullets and numbers; a bullet is one letter of a symbol font, a number has a full stop.
_WORD_MARKER = re.compile(r"mso-list\s*:\s*ignore", re.IGNORECASE)
_STRUCK_STYLE = re.compile(r"(?:^|;)\s*text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_OPENS_QUOTE = re.compile(r"\s*[\"'“”„‘‚«»‹›]")
_COMMENT_TARGET = re.compile(r"(?:cmnt|msocom|comment)", re.IGNORECASE)
_BACK_ARROW = re.compile(r"[\s↩↑^\ufe0e\ufe0f]*")
_ANY_SPACE = re.compile(r"\s+")
_REFERENCE = re.compile(r"\s*[\[(]?\s*(?:[\w*†‡§]{1,8})\s*[\])]?\s*")
# Of the page's letters in paragraphs, what an element must hold to be the article.
_SHARE_OF_ARTICLE = 0.6
# Of a note's own links, so many are looked at for the one that leads back.
_LINKS_LOOKED_AT = 50
_GAVE_UP = (etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NO_MEMORY)


def read(data: bytes, *, declared: str = "") -> Found:
    """Raises Unreadable. ``declared`` is a charset that is known from elsewhere."""
    decoding = charset.decode(data, http_charset=declared)
    root = parse(decoding.text)
    if root is None:
        return Found(charset=decoding.charset)
    found = _Reader(root).read()
    found.charset = decoding.charset
    return found


def parse(text: str) -> Any:
    """The tree, or None where nothing in it makes an element. Raises TooLarge."""
    encoded = text.encode("utf-8", "replace")
    try:
        check_shape(encoded)
    except LimitMet as limit:
        raise TooLarge("markup") from limit
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True, remove_comments=True)
    try:
        root = lxml_html.document_fromstring(encoded, parser=parser)
    except etree.ParserError:
        return None
    if any(entry.type in _GAVE_UP for entry in parser.error_log):
        raise TooLarge("markup")
    return root


class _Reader:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.writer = Writer()
        # (kind, start, end, text, url) until the places are known.
        self.waiting: list[tuple[str, int, int, str, str]] = []
        self.has_headline = self.has_text = False
        # Of each ordered list, the number that was given last.
        self.numbers: dict[Any, int] = {}
        self.letters = len(_inner(root))
        self.by_id: dict[str, Any] = {}
        for element in root.iter(etree.Element):
            for name in (element.get("id"), element.get("name") if element.tag == "a" else None):
                if name:
                    self.by_id.setdefault(name, element)
        # The notes' own elements, by their reference's: they are no paragraphs of the article.
        self.notes = self._find_notes()
        self.bodies = {note[1] for note in self.notes.values()}

    def read(self) -> Found:
        found = self.writer.found
        self._describe(found)
        article = self._article()
        if article is not self.root:
            found.left_out.add("around")
        self._element(article, "paragraph")
        self.writer.end()
        for kind, start, end, text, url in self.waiting:
            self.writer.add_note(kind, start, end, text=text, url=url)
        return found

    # --- which part, and what it says of itself ---------------------------------------------

    def _article(self) -> Any:
        """The smallest element that is said to be the article and holds most of the page's paragraphs."""
        weight: dict[Any, int] = {}
        total = 0
        for paragraph in self.root.iter("p"):
            letters = len("".join(paragraph.itertext()).strip())
            total += letters
            for ancestor in paragraph.iterancestors("article", "main"):
                weight[ancestor] = weight.get(ancestor, 0) + letters
        fitting = [element for element, letters in weight.items() if letters and letters >= _SHARE_OF_ARTICLE * total]
        return min(fitting, key=weight.__getitem__, default=self.root)

    def _describe(self, found: Found) -> None:
        root = self.root
        metas: dict[str, str] = {}
        for meta in root.iter("meta"):
            name = (meta.get("property") or meta.get("name") or "").strip().lower()
            metas.setdefault(name, one_line(meta.get("content") or ""))
        title = root.find(".//head/title")
        data = _described(root)
        found.title = one_line(
            str(data.get("headline") or "") or metas.get("og:title", "") or (_inner(title) if title is not None else "")
        )
        found.byline = one_line(_author_of(data) or metas.get("author", ""))
        if web_address(found.byline):
            found.byline = ""
        found.published = str(data.get("datePublished") or metas.get("article:published_time", ""))

    # --- the text ------------------------------------------------------------------------------

    def _element(self, top: Any, kind: str) -> None:
        """Walk without recursion: a page may be nested as deep as the parser lets it."""
        # Each entry is an element to be opened, or what is to be done at the end of one.
        stack: list[tuple[Any, str, bool] | Callable[[], None]] = [(top, kind, False)]
        while stack:
            entry = stack.pop()
            if callable(entry):
                entry()
                continue
            element, kind, preserved = entry
            tail = partial(self._tail, element, preserved=preserved) if element is not top else _nothing
            inner, close = self._open(element, kind)
            if inner is None:
                tail()
                continue
            preserved = preserved or element.tag == "pre"
            stack += [tail, close]
            if element.text:
                self.writer.text(element.text, preserved=preserved)
            stack.extend((child, inner, preserved) for child in reversed(element))

    def _tail(self, element: Any, *, preserved: bool) -> None:
        if element.tail:
            self.writer.text(element.tail, preserved=preserved)

    def _open(self, element: Any, kind: str) -> tuple[str | None, Callable[[], None]]:
        """The kind that holds inside, or None where the element is passed over; and what to do at its end."""
        name = element.tag if isinstance(element.tag, str) else ""
        writer = self.writer
        left_out = writer.found.left_out
        if not name or name in _NEVER or element in self.bodies:
            if name in _BLOCKS:
                writer.begin(kind)
            return None, _nothing
        if _is_hidden(element):
            left_out.add("hidden")
            return None, _nothing
        if name in ("del", "s", "strike") or _STRUCK_STYLE.search(element.get("style", "")):
            left_out.add("deleted")
            return None, _nothing
        if _WORD_MARKER.search(element.get("style", "")) and len(_beginning(element).strip()) < 2:
            return None, _nothing
        if name == "footer" and kind == "quote":
            # Who said it.
            writer.begin(kind)
            return kind, partial(writer.begin, kind)
        if name in _AROUND and not self._is_whole(element):
            left_out.add("around")
            writer.begin(kind)
            return None, _nothing
        if name == "img":
            left_out.add("pictures")
            return None, _nothing
        if name == "br":
            writer.line()
            return None, _nothing
        if name in ("td", "th"):
            if not writer.is_empty:
                writer.text(BETWEEN_CELLS)
            return kind, _nothing
        if name == "a":
            return kind, self._anchor(element)
        if name == "sup":
            _raise(element)
            return kind, _nothing
        if name == "q":
            return kind, self._quotation(element)
        if name in ("p", "div", "section", "span") and kind == "row":
            # Paragraphs in a cell are lines of it.
            if name != "span" and not writer.is_empty:
                writer.text(" ")
            return kind, _nothing
        if name not in _BLOCKS:
            return kind, _nothing
        if kind in ("item", "row") and name in ("p", "div") and writer.is_empty:
            return kind, _nothing
        inner = self._kind_of(element, name, kind)
        number = self._number_of(element) if name == "li" else 0
        writer.begin(inner, marker=f"{number}. " if number else "")
        if inner == "headline":
            self.has_headline = True
        elif inner == "paragraph" and name == "p" and (element.text or len(element)):
            self.has_text = self.has_text or len(_inner(element)) > 80

        def close() -> None:
            writer.begin(kind)

        return inner, close

    def _kind_of(self, element: Any, name: str, kind: str) -> str:
        classes = element.get("class", "")
        if name in _HEADINGS or (name == "p" and _TITLE_CLASS.search(classes)):
            if name in ("h1", "p") and not self.has_headline and not self.has_text:
                return "headline"
            return "deck" if self._may_be_deck(element, classes) else "heading"
        if kind == "item" and name in ("p", "div"):
            return "item"
        simple = {"li": "item", "dd": "item", "figcaption": "caption", "caption": "caption", "tr": "row"}
        if name in simple:
            return simple[name]
        if name == "blockquote" or _QUOTE_CLASS.search(classes):
            return "quote"
        if kind in ("quote", "caption", "deck"):
            return kind
        if _CAPTION_CLASS.search(classes):
            return "caption"
        if self._may_be_deck(element, classes):
            return "deck"
        if _LIST_CLASS.search(classes):
            return "item"
        return "paragraph"

    def _number_of(self, item: Any) -> int:
        """The number that a browser would put before an item; 0 for a bullet."""
        parent = item.getparent()
        if parent is None or parent.tag != "ol":
            return 0
        if parent not in self.numbers:
            start = parent.get("start", "1")
            self.numbers[parent] = int(start) - 1 if start.isdecimal() and len(start) < 6 else 0
        own = item.get("value", "")
        self.numbers[parent] = int(own) if own.isdecimal() and len(own) < 6 else self.numbers[parent] + 1
        style = f"{parent.get('style', '')};{item.get('style', '')}".replace(" ", "").lower()
        return 0 if "list-style-type:none" in style or "list-style:none" in style else self.numbers[parent]

    def _is_whole(self, element: Any) -> bool:
        """Whether the element is all that there is: some sites wrap their page into one form."""
        own = sum(len(_inner(paragraph)) for paragraph in element.iter("p"))
        return own > 1_000 and own * 2 > self.letters

    def _may_be_deck(self, element: Any, classes: str) -> bool:
        if not self.has_headline or self.has_text:
            return False
        itemprop = element.get("itemprop", "").lower()
        parent = element.getparent()
        in_group = parent is not None and parent.tag == "hgroup"
        return bool(_DECK.search(classes)) or itemprop in ("description", "alternativeheadline") or in_group

    def _quotation(self, element: Any) -> Callable[[], None]:
        """The marks that a browser draws around <q>; what is to be done at its end."""
        if _OPENS_QUOTE.match(_beginning(element)):
            return _nothing
        depth = sum(1 for _one in islice(element.iterancestors("q"), 2))
        opening, closing = "‘’" if depth % 2 else "“”"
        self.writer.text(opening)
        return partial(self.writer.text, closing)

    # --- notes ---------------------------------------------------------------------------------

    def _anchor(self, element: Any) -> Callable[[], None]:
        """What is to be done at a link's end."""
        reference = self.notes.get(element)
        writer = self.writer
        start = writer.place()
        if reference is not None:
            # The number of a note is no word of the article: it is taken out again with its element's text.
            kind, _body, text, url = reference
            self.waiting.append((kind, start, start, text, url))
            for child in list(element):
                element.remove(child)
            element.text = None
            return _nothing
        url = web_address(element.get("href", ""))

        def close() -> None:
            if url:
                self.waiting.append(("link", start, writer.place(), "", _unwrapped(url)))

        return close

    def _find_notes(self) -> dict[Any, tuple[str, Any, str, str]]:
        """References to notes of the same page, by the link: (kind, the note's element, its words, its address).

        A note is known by a link back to its reference, as word processors, Google Docs and pandoc write them.
        """
        found: dict[Any, tuple[str, Any, str, str]] = {}
        taken: set[Any] = set()
        blocks: dict[Any, Any] = {}
        for link in self.root.iter("a"):
            target = self._target(link)
            # A link back from a note that is known leads to no other note.
            if target is None or not _REFERENCE.fullmatch(_inner(link)) or not taken.isdisjoint(link.iterancestors()):
                continue
            if target not in blocks:
                blocks[target] = _block_around(target)
            body = blocks[target]
            if body is None or body in link.iterancestors() or body in taken:
                continue
            back = next(
                (other for other in islice(body.iter("a"), _LINKS_LOOKED_AT) if self._leads_back(other, link)), None
            )
            if back is None:
                continue
            taken.add(body)
            href = unquote(link.get("href", ""))
            kind = "comment" if _COMMENT_TARGET.search(href) else "footnote"
            found[link] = (kind, body, _note_text(body, back), _first_link(body))
        return found

    def _target(self, link: Any) -> Any:
        href = link.get("href", "")
        return self.by_id.get(unquote(href[1:])) if href.startswith("#") and len(href) > 1 else None

    def _leads_back(self, back: Any, link: Any) -> bool:
        target = self._target(back)
        if target is None:
            return False
        return target is link or target is link.getprevious() or target in link.iterancestors()


def _nothing() -> None:
    pass


def _raise(element: Any) -> None:
    """Where all that stands in <sup> is a number, the digits themselves become raised ones."""
    words = _beginning(element)
    if raised(words) == words:
        return
    for one in element.iter():
        if one.text:
            one.text = raised(one.text)
        if one.tail and one is not element:
            one.tail = raised(one.tail)


def _beginning(element: Any) -> str:
    """Its first pieces of text: elements of a kind may be nested a thousand deep, each with the whole page in it."""
    return "".join(str(piece) for piece in islice(element.itertext(), 10))


def _inner(element: Any) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _block_around(element: Any) -> Any:
    """The paragraph, item or small division that a note's target stands in."""
    block = element
    while block is not None and block.tag not in ("p", "li", "div", "dd", "td", "aside"):
        block = block.getparent()
    if block is None:
        return None
    parent = block.getparent()
    # Word and Google Docs put each note into a division of its own.
    if (
        parent is not None
        and parent.tag == "div"
        and len(list(islice(parent.iter("p"), 4))) <= 3
        and parent[0] is block
    ):
        return parent
    return block


def _note_text(body: Any, back: Any) -> str:
    lines: list[str] = []
    for element in body.iter(etree.Element):
        if element.tag in ("p", "li", "div", "br", "dd"):
            lines.append("\n")
        if element is not back and back not in element.iterancestors():
            lines.append(_ANY_SPACE.sub(" ", element.text or ""))
        if element is not body:
            lines.append(_ANY_SPACE.sub(" ", element.tail or ""))
    text = one_text("".join(lines))
    return "\n".join(line for line in text.split("\n") if not _BACK_ARROW.fullmatch(line))


def _first_link(body: Any) -> str:
    addresses = (web_address(link.get("href", "")) for link in body.iter("a"))
    return next((_unwrapped(url) for url in addresses if url), "")


def _is_hidden(element: Any) -> bool:
    attributes = element.attrib
    if "hidden" in attributes or attributes.get("aria-hidden", "").strip().lower() == "true":
        return True
    style = attributes.get("style")
    if style and _HIDING_STYLE.search(style):
        return True
    return bool(_HIDING_CLASS.search(attributes.get("class", "")))


def _unwrapped(url: str) -> str:
    """Google Docs leads every link over its own address."""
    if match := re.match(r"https://www\.google\.com/url\?(?:[^#]*&)?q=(https?[^&#]+)", url):
        return web_address(unquote(match[1])) or url
    return url


def _described(root: Any) -> dict[str, Any]:
    """The first object that is an article's."""
    for data in json_ld(root):
        waiting = [data]
        for _step in range(100):
            if not waiting:
                break
            item = waiting.pop(0)
            if isinstance(item, list):
                waiting.extend(item[:50])
            elif isinstance(item, dict):
                if isinstance(item.get("headline"), str):
                    return item
                waiting.extend(value for value in item.values() if isinstance(value, dict | list))
    return {}


def _author_of(data: dict[str, Any]) -> str:
    return ", ".join(dict.fromkeys(name for name in _persons(data.get("author")) if name))


def _persons(author: Any) -> Iterator[str]:
    if isinstance(author, str):
        yield author
    elif isinstance(author, dict) and isinstance(author.get("name"), str):
        yield author["name"]
    elif isinstance(author, list):
        for one in author[:10]:
            if not isinstance(one, list):
                yield from _persons(one)
