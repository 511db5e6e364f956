"""OpenDocument texts (ISO/IEC 26300). Deleted text lies apart from the body there and is never read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from factcheck.articles.reading.found import (
    BETWEEN_CELLS,
    Found,
    Unreadable,
    Writer,
    names,
    one_text,
    raised,
    web_address,
)
from factcheck.articles.reading.packages import Package, attribute, child, local

_KINDS = {
    "title": "headline",
    "subtitle": "deck",
    "quotations": "quote",
    "caption": "caption",
    "illustration": "caption",
    "figure": "caption",
    "table": "caption",
    "drawing": "caption",
    "text": "caption",
}
_STYLES_DEEP = 20
# They are made of the text, or stand beside it.
_NEVER = names(
    "tracked-changes sequence-decls variable-decls user-field-decls forms table-of-content alphabetical-index"
    " illustration-index table-index object-index user-index bibliography hidden-text hidden-paragraph ruby-text desc"
    " title scripts script event-listeners"
)
_INLINE = names(
    "span ruby ruby-base meta meta-field bookmark-ref reference-ref note-ref sequence date time page-number author-name"
    " text-input user-field-get variable-get placeholder conditional-text"
)
_SPACE = re.compile("_20_", re.IGNORECASE)


@dataclass(frozen=True)
class _Style:
    name: str
    parent: str
    hidden: bool
    raised: bool = False
    struck: bool = False


@dataclass
class _Note:
    kind: str
    start: int
    end: int
    text: str = ""
    author: str = ""
    url: str = ""


def read(data: bytes) -> Found:
    package = Package(data)
    manifest = package.xml_or_none("META-INF/manifest.xml")
    if manifest is not None and any(local(one) == "encryption-data" for one in manifest.iter()):
        raise Unreadable("encrypted")
    if "content.xml" not in package:
        raise Unreadable("kind")
    return _Reader(package.xml("content.xml"), package.xml_or_none("styles.xml")).read()


class _Reader:
    def __init__(self, content: Any, styles: Any) -> None:
        self.body = child(content, "body", "text")
        if self.body is None:
            raise Unreadable("kind")
        self.styles: dict[str, _Style] = {}
        self.numbered: dict[str, set[int]] = {}
        for root in (styles, content):
            if root is not None:
                self._read_styles(root)
        self.writer = Writer()
        self.left_out = self.writer.found.left_out
        self.has_headline = self.has_text = False
        self.waiting: list[_Note] = []
        self.comments: dict[str, _Note] = {}
        self.boxes: list[Any] = []

    def read(self) -> Found:
        self._blocks(self.body, self.writer)
        self.writer.end()
        place_of = self.writer.place_of
        self.waiting.sort(key=lambda note: (place_of(note.start).piece, place_of(note.start).offset))
        for note in self.waiting:
            self.writer.add_note(note.kind, note.start, note.end, text=note.text, author=note.author, url=note.url)
        return self.writer.found

    def _read_styles(self, root: Any) -> None:
        for group in ("styles", "automatic-styles"):
            for style in child(root, group) if child(root, group) is not None else ():
                name = attribute(style, "name")
                if local(style) == "style":
                    properties = child(style, "text-properties")
                    display = attribute(properties, "display") if properties is not None else ""
                    plain_name = _SPACE.sub(" ", attribute(style, "display-name") or name).lower()
                    position, line = (
                        attribute(properties, what) if properties is not None else ""
                        for what in ("text-position", "text-line-through-style")
                    )
                    self.styles[name] = _Style(
                        plain_name,
                        attribute(style, "parent-style-name"),
                        hidden=display == "none",
                        raised=position.startswith("super"),
                        struck=line not in ("", "none"),
                    )
                elif local(style) == "list-style":
                    self.numbered[name] = {
                        int(level)
                        for one in style
                        if local(one) == "list-level-style-number" and attribute(one, "num-format")
                        for level in (attribute(one, "level"),)
                        if level in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
                    }

    # --- the text ------------------------------------------------------------------------------

    def _blocks(
        self, parent: Any, writer: Writer, *, kind: str = "", marker: str = "", cell: bool = False, plain: bool = False
    ) -> None:
        """``kind`` is that of the surroundings, such as a list; ``cell`` holds everything in the open piece."""
        for element in parent:
            name = local(element)
            if name in _NEVER:
                continue
            if name in ("p", "h"):
                self._paragraph(element, writer, kind=kind, marker=marker, cell=cell, plain=plain)
                marker = ""
            elif name == "list":
                self._list(element, writer, cell=cell, plain=plain)
            elif name == "table":
                self._table(element, writer, cell=cell, plain=plain)
            elif name in ("section", "list-header", "index-body", "numbered-paragraph", "text-box"):
                self._blocks(element, writer, kind=kind, cell=cell, plain=plain)
            elif name in ("frame", "custom-shape", "g", "a"):
                self._drawing(element)
                self._put_boxes(writer, cell=cell, plain=plain)

    def _paragraph(self, element: Any, writer: Writer, *, kind: str, marker: str, cell: bool, plain: bool) -> None:
        if cell:
            if not writer.is_empty:
                writer.text(" ")
        else:
            writer.begin("paragraph" if plain else kind or self._kind_of(element), marker=marker)
        if self._is_hidden(element):
            self.left_out.add("hidden")
        else:
            self._inline(element, writer, cell=cell, plain=plain)
        if cell:
            return
        if not plain and not writer.is_empty:
            self.has_text = self.has_text or writer.kind == "paragraph"
            self.has_headline = self.has_headline or writer.kind == "headline"
        writer.end()
        self._put_boxes(writer, cell=cell, plain=plain)

    def _put_boxes(self, writer: Writer, *, cell: bool, plain: bool) -> None:
        if not cell:
            boxes, self.boxes = self.boxes, []
            for box in boxes:
                self._blocks(box, writer, plain=plain)

    def _kind_of(self, element: Any) -> str:
        kind = next((_KINDS[one.name] for one in self._chain(element) if one.name in _KINDS), "")
        if kind == "headline" and (self.has_headline or self.has_text):
            return "heading"
        if kind:
            return kind
        if local(element) == "h":
            first = attribute(element, "outline-level", "1") == "1" and not self.has_headline and not self.has_text
            return "headline" if first else "heading"
        return "paragraph"

    def _chain(self, element: Any) -> list[_Style]:
        found: list[_Style] = []
        name = attribute(element, "style-name")
        seen: set[str] = set()
        while name in self.styles and name not in seen and len(seen) < _STYLES_DEEP:
            seen.add(name)
            found.append(self.styles[name])
            name = found[-1].parent
        if name and name not in self.styles:
            # A program may name a style that it does not describe: its name says enough.
            found.append(_Style(_SPACE.sub(" ", name).lower(), "", hidden=False))
        return found

    def _is_hidden(self, element: Any) -> bool:
        return any(style.hidden for style in self._chain(element))

    def _list(self, element: Any, writer: Writer, *, cell: bool, plain: bool, level: int = 1, style: str = "") -> None:
        style = attribute(element, "style-name") or style
        numbered = level in self.numbered.get(style, ())
        number = 0
        for item in element:
            if local(item) not in ("list-item", "list-header"):
                continue
            number += local(item) == "list-item"
            marker = f"{number}. " if numbered and local(item) == "list-item" else ""
            for part in item:
                if local(part) == "list":
                    self._list(part, writer, cell=cell, plain=plain, level=level + 1, style=style)
                else:
                    # A list may also number headings: those stay what they are.
                    heading = local(part) == "h"
                    self._blocks(
                        [part],
                        writer,
                        kind="" if heading else "item",
                        marker="" if heading else marker,
                        cell=cell,
                        plain=plain,
                    )
                    marker = ""

    def _table(self, element: Any, writer: Writer, *, cell: bool, plain: bool) -> None:
        for part in element:
            name = local(part)
            if name in ("table-header-rows", "table-rows", "table-row-group"):
                self._table(part, writer, cell=cell, plain=plain)
            elif name == "table-row":
                # Rows and cells may be said to repeat, a million times in one word: their text is taken once.
                if not cell:
                    writer.begin("paragraph" if plain else "row")
                for one in part:
                    if local(one) == "table-cell":
                        if not writer.is_empty:
                            writer.text(" " if cell else BETWEEN_CELLS)
                        self._blocks(one, writer, cell=True, plain=plain)
                if not cell:
                    writer.end()
                    self._put_boxes(writer, cell=False, plain=plain)

    def _inline(self, element: Any, writer: Writer, *, cell: bool, plain: bool) -> None:
        if element.text:
            writer.text(element.text)
        for part in element:
            self._one(part, writer, cell=cell, plain=plain)
            if part.tail:
                writer.text(part.tail)

    def _one(self, part: Any, writer: Writer, *, cell: bool, plain: bool) -> None:
        name = local(part)
        if name in _NEVER:
            return
        if name in ("s", "tab"):
            writer.text(" ")
        elif name == "line-break":
            writer.text(" ") if cell else writer.line()
        elif name == "note":
            self._footnote(part, writer, plain=plain)
        elif name == "annotation":
            self._comment(part, writer, plain=plain)
        elif name == "annotation-end":
            if not plain and (comment := self.comments.get(attribute(part, "name"))):
                comment.end = writer.place()
        elif name == "a":
            start = writer.place()
            self._inline(part, writer, cell=cell, plain=plain)
            url = web_address(attribute(part, "href"))
            if url and not plain:
                self.waiting.append(_Note("link", start, writer.place(), url=url))
        elif name in ("frame", "custom-shape", "g", "rect", "line", "control"):
            self._drawing(part)
        elif name in _INLINE:
            if self._is_hidden(part):
                self.left_out.add("hidden")
            elif any(style.struck for style in self._chain(part)):
                self.left_out.add("deleted")
            else:
                if part.text and any(style.raised for style in self._chain(part)):
                    part.text = raised(part.text)
                self._inline(part, writer, cell=cell, plain=plain)

    def _drawing(self, element: Any) -> None:
        for one in element.iter():
            if local(one) == "text-box" and not any(local(other) == "text-box" for other in one.iterancestors()):
                self.boxes.append(one)
            elif local(one) == "image":
                self.left_out.add("pictures")

    # --- notes ---------------------------------------------------------------------------------

    def _footnote(self, element: Any, writer: Writer, *, plain: bool) -> None:
        body = child(element, "note-body")
        if plain or body is None:
            return
        text, url = self._apart(body)
        if text or url:
            at = writer.place()
            self.waiting.append(_Note("footnote", at, at, text=text, url=url))

    def _comment(self, element: Any, writer: Writer, *, plain: bool) -> None:
        if plain:
            return
        text, url = self._apart(element)
        author = "".join(child(element, "creator").itertext()) if child(element, "creator") is not None else ""
        asked = self.comments.get(attribute(element, "parent-name"))
        name = attribute(element, "name")
        if asked is not None:
            asked.text = f"{asked.text}\n{author}: {text}".strip()
            asked.url = asked.url or url
            if name:
                # Its end is where the comment's is.
                self.comments.setdefault(name, _Note("comment", 0, 0))
            return
        at = writer.place()
        note = _Note("comment", at, at, text=text, author=author, url=url)
        self.waiting.append(note)
        if name:
            self.comments[name] = note

    def _apart(self, element: Any) -> tuple[str, str]:
        boxes, self.boxes = self.boxes, []
        with self.writer.apart() as writer:
            self._blocks(element, writer, plain=True)
        self.boxes = boxes
        links = (web_address(attribute(one, "href")) for one in element.iter() if local(one) == "a")
        return one_text("\n".join(text for _kind, text in writer.found.pieces)), next((url for url in links if url), "")
