"""Word documents (ECMA-376): the text as it reads with all changes accepted, and its notes.

Read here and not by a library, since those at hand know neither the words that a comment is about, nor
whether a paragraph's end was deleted in a tracked change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from factcheck.articles.reading.found import BETWEEN_CELLS, Found, Unreadable, Writer, one_text, raised, web_address
from factcheck.articles.reading.packages import Package, attribute, child, local, resolved

# By the style's name, which is English whatever the language of the program; the id is not.
_KINDS = {
    "title": "headline",
    "subtitle": "deck",
    "quote": "quote",
    "intense quote": "quote",
    "block text": "quote",
    "caption": "caption",
}
_HEADING = re.compile(r"heading ([1-9])$")
_LIST = re.compile(r"list(?: bullet| number| continue| paragraph)?(?: \d)?$")
_TOC = re.compile(r"toc(?: \d| heading)$")
_HYPERLINK = re.compile(r"""\s*HYPERLINK\s+(?:\\\w\s+)*"([^"]*)\"""", re.IGNORECASE)
_OFF = ("0", "false", "off")
_STYLES_DEEP = 20


@dataclass(frozen=True)
class _Style:
    name: str = ""
    based_on: str = ""
    outline: int | None = None
    numbering: tuple[str, int] | None = None
    vanishes: bool = False


@dataclass
class _Part:
    """A part with paragraphs of its own, and where its hyperlinks lead."""

    root: Any
    links: dict[str, str] = field(default_factory=dict)


@dataclass
class _Note:
    text: str = ""
    author: str = ""
    url: str = ""


@dataclass
class _State:
    """What lasts longer than a run."""

    links: dict[str, str]
    # Fields that are open: [instruction, whether its result has begun, where the link starts].
    fields: list[list[Any]] = field(default_factory=list)
    # Text boxes stand after the paragraph that they hang on.
    boxes: list[Any] = field(default_factory=list)
    in_table: bool = False


def read(data: bytes) -> Found:
    return _Reader(Package(data)).read()


class _Reader:
    def __init__(self, package: Package) -> None:
        self.package = package
        if "word/document.xml" not in package and "EncryptedPackage" in package:
            raise Unreadable("encrypted")
        self.main = self._main_part()
        self.writer = Writer()
        self.left_out = self.writer.found.left_out
        relations = self._relations(self.main)
        self.styles = self._read_styles(relations)
        self.formats = self._read_numbering(relations)
        self.counts: dict[str, dict[int, int]] = {}
        self.document = _Part(package.xml(self.main), self._links(self.main))
        self.comments = self._read_comments(relations)
        self.footnotes = self._read_notes(relations, "footnotes")
        self.endnotes = self._read_notes(relations, "endnotes")
        self.has_headline = self.has_text = False
        # (kind, start, end, note) until the places are known.
        self.waiting: list[tuple[str, int, int, _Note]] = []
        self.comment_starts: dict[str, int] = {}
        self.comment_ends: dict[str, int] = {}

    def read(self) -> Found:
        body = child(self.document.root, "body")
        if body is None:
            raise Unreadable("damaged")
        self._blocks(body, self.writer, _State(self.document.links))
        self.writer.end()
        for key, note in self.comments.items():
            start = self.comment_starts.get(key)
            end = self.comment_ends.get(key, start)
            if start is not None and end is not None:
                self.waiting.append(("comment", start, end, note))
        place_of = self.writer.place_of
        self.waiting.sort(key=lambda one: (place_of(one[1]).piece, place_of(one[1]).offset))
        for kind, start, end, note in self.waiting:
            self.writer.add_note(kind, start, end, text=note.text, author=note.author, url=note.url)
        return self.writer.found

    # --- parts ---------------------------------------------------------------------------------

    def _main_part(self) -> str:
        for relation in self._relations("").values():
            if relation[0] == "officeDocument" and relation[1] in self.package:
                return relation[1]
        if "word/document.xml" in self.package:
            return "word/document.xml"
        raise Unreadable("kind")

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """By id: what kind of part, and its name; of what lies outside, its address."""
        folder, _slash, name = part.rpartition("/")
        rels = self.package.xml_or_none(f"{folder}/_rels/{name}.rels" if part else "_rels/.rels")
        found: dict[str, tuple[str, str]] = {}
        for relation in rels if rels is not None else ():
            kind = (relation.get("Type") or "").rpartition("/")[2]
            target = relation.get("Target") or ""
            outside = (relation.get("TargetMode") or "").lower() == "external"
            found[relation.get("Id") or ""] = (kind, target if outside else resolved(part, target))
        return found

    def _links(self, part: str) -> dict[str, str]:
        return {
            key: url
            for key, (kind, target) in self._relations(part).items()
            if kind == "hyperlink" and (url := web_address(target))
        }

    def _named(self, relations: dict[str, tuple[str, str]], kind: str) -> str:
        return next((name for of_kind, name in relations.values() if of_kind == kind and name in self.package), "")

    def _read_styles(self, relations: dict[str, tuple[str, str]]) -> dict[str, _Style]:
        name = self._named(relations, "styles")
        found: dict[str, _Style] = {}
        for style in self.package.xml(name) if name else ():
            if local(style) != "style":
                continue
            properties = child(style, "pPr")
            found[attribute(style, "styleId")] = _Style(
                name=_value(child(style, "name")).lower(),
                based_on=_value(child(style, "basedOn")),
                outline=_number(_value(child(properties, "outlineLvl"))) if properties is not None else None,
                numbering=_numbering(properties),
                vanishes=_is_on(child(style, "rPr", "vanish")),
            )
        return found

    def _read_numbering(self, relations: dict[str, tuple[str, str]]) -> dict[str, dict[int, tuple[str, int]]]:
        """By the number of a list: of each level, the format and the first number."""
        name = self._named(relations, "numbering")
        if not name:
            return {}
        root = self.package.xml(name)
        abstract: dict[str, dict[int, tuple[str, int]]] = {}
        for entry in root:
            if local(entry) == "abstractNum":
                levels = {
                    _number(attribute(level, "ilvl")) or 0: (
                        _value(child(level, "numFmt")),
                        _number(_value(child(level, "start"), "1")) or 0,
                    )
                    for level in entry
                    if local(level) == "lvl"
                }
                abstract[attribute(entry, "abstractNumId")] = levels
        return {
            attribute(entry, "numId"): abstract.get(_value(child(entry, "abstractNumId")), {})
            for entry in root
            if local(entry) == "num"
        }

    def _read_comments(self, relations: dict[str, tuple[str, str]]) -> dict[str, _Note]:
        """By id; an answer stands in the text of the comment that it answers."""
        name = self._named(relations, "comments")
        if not name:
            return {}
        part = _Part(self.package.xml(name), self._links(name))
        parents = self._parents_of_comments(relations)
        notes: dict[str, _Note] = {}
        by_paragraph: dict[str, str] = {}
        answers: list[tuple[str, _Note]] = []
        for comment in part.root:
            if local(comment) != "comment":
                continue
            key = attribute(comment, "id")
            note = self._note(comment, part)
            note.author = attribute(comment, "author")
            paragraphs = [attribute(one, "paraId") for one in comment if local(one) == "p"]
            parent = next((parents[one] for one in paragraphs if one in parents), "")
            if parent:
                answers.append((parent, note))
            else:
                notes[key] = note
            by_paragraph |= dict.fromkeys(paragraphs, key)
        for parent, answer in answers:
            asked = notes.get(by_paragraph.get(parent, ""))
            if asked is not None:
                asked.text = f"{asked.text}\n{answer.author}: {answer.text}".strip()
                asked.url = asked.url or answer.url
        return notes

    def _parents_of_comments(self, relations: dict[str, tuple[str, str]]) -> dict[str, str]:
        name = self._named(relations, "commentsExtended")
        entries = self.package.xml(name) if name else ()
        return {
            attribute(entry, "paraId"): attribute(entry, "paraIdParent")
            for entry in entries
            if attribute(entry, "paraIdParent")
        }

    def _read_notes(self, relations: dict[str, tuple[str, str]], kind: str) -> dict[str, _Note]:
        name = self._named(relations, kind)
        if not name:
            return {}
        part = _Part(self.package.xml(name), self._links(name))
        return {
            attribute(note, "id"): self._note(note, part)
            for note in part.root
            # The others are the lines that part notes from the text.
            if attribute(note, "type", "normal") == "normal"
        }

    def _note(self, element: Any, part: _Part) -> _Note:
        with self.writer.apart() as writer:
            state = _State(part.links)
            self._blocks(element, writer, state, plain=True)
        text = one_text("\n".join(text for _kind, text in writer.found.pieces))
        links = (part.links.get(attribute(one, "id"), "") for one in element.iter() if local(one) == "hyperlink")
        return _Note(text=text, url=next((url for url in links if url), ""))

    # --- the text ------------------------------------------------------------------------------

    def _blocks(self, parent: Any, writer: Writer, state: _State, *, plain: bool = False) -> None:
        """``plain`` for a note's own text, which has neither kinds nor notes."""
        goes_on = False
        for element in parent:
            name = local(element)
            if name == "p":
                goes_on = self._paragraph(element, writer, state, plain=plain, goes_on=goes_on)
            elif name == "tbl":
                self._table(element, writer, state, plain=plain)
            elif name in ("sdt", "ins", "moveTo", "customXml", "smartTag", "sdtContent"):
                self._blocks(element, writer, state, plain=plain)
            elif name in ("commentRangeStart", "commentRangeEnd"):
                self._mark(name, element, writer, plain=plain)
            elif name == "altChunk":
                self.left_out.add("embedded")

    def _paragraph(self, element: Any, writer: Writer, state: _State, *, plain: bool, goes_on: bool) -> bool:
        """Whether the next paragraph goes on in this piece: its end was deleted in a tracked change."""
        properties = child(element, "pPr")
        style = _value(child(properties, "pStyle")) if properties is not None else ""
        if not plain and _TOC.match(self._style(style).name):
            return goes_on
        if state.in_table:
            if not writer.is_empty:
                writer.text(" ")
        elif not goes_on:
            kind, marker = ("paragraph", "") if plain else self._kind_of(properties, style)
            writer.begin(kind, marker=marker)
        self._inline(element, writer, state, plain=plain)
        if not plain and not state.in_table and not writer.is_empty:
            self.has_text = self.has_text or writer.kind == "paragraph"
            self.has_headline = self.has_headline or writer.kind == "headline"
        if properties is not None and child(properties, "rPr", "del") is not None:
            return True
        if not state.in_table:
            writer.end()
            boxes, state.boxes = state.boxes, []
            for box in boxes:
                self._blocks(box, writer, state, plain=plain)
        return False

    def _kind_of(self, properties: Any, style: str) -> tuple[str, str]:
        names = [self._style(key) for key in self._chain(style)]
        outline = _number(_value(child(properties, "outlineLvl"))) if properties is not None else None
        for one in names:
            if one.name in _KINDS:
                kind = _KINDS[one.name]
                # A second title is a heading, as a second <h1> is.
                return ("heading" if kind == "headline" and (self.has_headline or self.has_text) else kind), ""
            if match := _HEADING.match(one.name):
                first = match[1] == "1" and not self.has_headline and not self.has_text
                return ("headline" if first else "heading"), ""
            outline = one.outline if outline is None else outline
        if outline is not None and outline < 9:
            return "heading", ""
        numbering = _numbering(properties) or next((one.numbering for one in names if one.numbering), None)
        if numbering is not None and numbering[0] not in ("", "0"):
            return "item", self._marker(*numbering)
        if any(_LIST.match(one.name) and one.name != "list paragraph" for one in names):
            return "item", ""
        return "paragraph", ""

    def _chain(self, style: str) -> list[str]:
        chain: list[str] = []
        while style and style not in chain and len(chain) < _STYLES_DEEP:
            chain.append(style)
            style = self._style(style).based_on
        return chain

    def _style(self, key: str) -> _Style:
        return self.styles.get(key, _Style())

    def _marker(self, number: str, level: int) -> str:
        form, first = self.formats.get(number, {}).get(level, ("bullet", 1))
        counts = self.counts.setdefault(number, {})
        counts[level] = counts.get(level, first - 1) + 1
        for deeper in [one for one in counts if one > level]:
            del counts[deeper]
        return "" if form in ("bullet", "none", "") else f"{counts[level]}. "

    def _table(self, table: Any, writer: Writer, state: _State, *, plain: bool) -> None:
        nested = state.in_table
        for row in table.iter():
            if local(row) != "tr" or self._is_in_deeper_table(row, table):
                continue
            if child(row, "trPr", "del") is not None:
                self.left_out.add("deleted")
                continue
            if not nested:
                writer.begin("paragraph" if plain else "row")
            state.in_table = True
            for cell in row:
                inside = child(cell, "sdtContent", "tc") if local(cell) == "sdt" else cell
                if inside is None or local(inside) != "tc":
                    continue
                if not writer.is_empty and not nested:
                    writer.text(BETWEEN_CELLS)
                self._blocks(inside, writer, state, plain=plain)
            state.in_table = nested
            if not nested:
                writer.end()
        if not nested:
            boxes, state.boxes = state.boxes, []
            for box in boxes:
                self._blocks(box, writer, state, plain=plain)

    def _is_in_deeper_table(self, row: Any, table: Any) -> bool:
        return next(one for one in row.iterancestors() if local(one) == "tbl") is not table

    def _inline(self, parent: Any, writer: Writer, state: _State, *, plain: bool) -> None:
        for element in parent:
            name = local(element)
            if name == "r":
                self._run(element, writer, state, plain=plain)
            elif name == "hyperlink":
                self._hyperlink(element, writer, state, plain=plain)
            elif name in ("del", "moveFrom"):
                self.left_out.add("deleted")
            elif name in ("commentRangeStart", "commentRangeEnd"):
                self._mark(name, element, writer, plain=plain)
            elif name == "fldSimple":
                start = writer.place()
                self._inline(element, writer, state, plain=plain)
                self._link(_url_of_field(attribute(element, "instr")), start, writer, plain=plain)
            elif name in ("ins", "moveTo", "smartTag", "customXml", "sdt", "sdtContent", "dir", "bdo"):
                self._inline(element, writer, state, plain=plain)
            elif name in ("oMath", "oMathPara"):
                writer.text("".join(one.text or "" for one in element.iter() if local(one) == "t"))

    def _hyperlink(self, element: Any, writer: Writer, state: _State, *, plain: bool) -> None:
        start = writer.place()
        self._inline(element, writer, state, plain=plain)
        self._link(state.links.get(attribute(element, "id"), ""), start, writer, plain=plain)

    def _link(self, url: str, start: int, writer: Writer, *, plain: bool) -> None:
        if url and not plain:
            self.waiting.append(("link", start, writer.place(), _Note(url=url)))

    def _mark(self, name: str, element: Any, writer: Writer, *, plain: bool) -> None:
        if not plain:
            places = self.comment_starts if name == "commentRangeStart" else self.comment_ends
            places.setdefault(attribute(element, "id"), writer.place())

    def _run(self, run: Any, writer: Writer, state: _State, *, plain: bool) -> None:
        hidden = self._is_hidden(run)
        if hidden:
            self.left_out.add("hidden")
        properties = child(run, "rPr")
        struck = properties is not None and any(_is_on(child(properties, one)) for one in ("strike", "dstrike"))
        if struck:
            self.left_out.add("deleted")
        is_raised = properties is not None and _value(child(properties, "vertAlign")) == "superscript"
        for element in run:
            name = local(element)
            if name == "fldChar":
                self._field(attribute(element, "fldCharType"), writer, state, plain=plain)
            elif name == "instrText":
                if state.fields and not state.fields[-1][1]:
                    state.fields[-1][0] += element.text or ""
            elif hidden or struck or any(not begun for _instruction, begun, _start in state.fields):
                # The instruction of a field is no text; its result is.
                continue
            elif name == "t":
                writer.text(raised(element.text or "") if is_raised else element.text or "")
            elif name in ("tab", "ptab"):
                writer.text(" ")
            elif name in ("br", "cr"):
                writer.line() if not state.in_table else writer.text(" ")
            elif name == "noBreakHyphen":
                writer.text("\u2011")
            elif name in ("footnoteReference", "endnoteReference") and not plain:
                notes = self.footnotes if name == "footnoteReference" else self.endnotes
                if (note := notes.get(attribute(element, "id"))) and (note.text or note.url):
                    at = writer.place()
                    self.waiting.append(("footnote", at, at, note))
            elif name == "commentReference" and not plain:
                self.comment_starts.setdefault(attribute(element, "id"), writer.place())
            elif name == "ruby":
                base = child(element, "rubyBase")
                if base is not None:
                    self._inline(base, writer, state, plain=plain)
            elif name in ("AlternateContent", "drawing", "pict", "object"):
                self._drawing(element, state)

    def _is_hidden(self, run: Any) -> bool:
        properties = child(run, "rPr")
        if properties is None:
            return False
        own = child(properties, "vanish")
        if own is not None:
            return _is_on(own)
        return self._style(_value(child(properties, "rStyle"))).vanishes

    def _field(self, what: str, writer: Writer, state: _State, *, plain: bool) -> None:
        if what == "begin":
            state.fields.append(["", False, 0])
        elif what == "separate" and state.fields:
            state.fields[-1][1:] = [True, writer.place()]
        elif what == "end" and state.fields:
            instruction, begun, start = state.fields.pop()
            if begun:
                self._link(_url_of_field(instruction), start, writer, plain=plain)

    def _drawing(self, element: Any, state: _State) -> None:
        if local(element) == "AlternateContent":
            # The same thing in two ways, for newer and older programs.
            choice = next((one for one in element if local(one) == "Choice"), None)
            element = choice if choice is not None else element
        boxes = [one for one in element.iter() if local(one) == "txbxContent"]
        outer = [one for one in boxes if not any(other in boxes for other in one.iterancestors())]
        state.boxes += outer
        if any(local(one) in ("blip", "imagedata") for one in element.iter()):
            self.left_out.add("pictures")


def _value(element: Any, default: str = "") -> str:
    return attribute(element, "val", default) if element is not None else default


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _is_on(element: Any) -> bool:
    return element is not None and _value(element, "1").lower() not in _OFF


def _numbering(properties: Any) -> tuple[str, int] | None:
    """The list's number and the level in it."""
    numbering = child(properties, "numPr") if properties is not None else None
    if numbering is None:
        return None
    return _value(child(numbering, "numId")), _number(_value(child(numbering, "ilvl"), "0")) or 0


def _url_of_field(instruction: str) -> str:
    match = _HYPERLINK.match(instruction)
    return web_address(match[1]) if match else ""
