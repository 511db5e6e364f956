"""What a reader hands back: pieces of text in their order, and notes with the places that they are about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MAX_PIECES = 5_000
MAX_CHARS = 2_000_000
MAX_NOTES = 1_000
MAX_LINKS = 300
NOTE_MAX_CHARS = 5_000
URL_MAX_CHARS = 2_000
# Cells of a table's row stand in one block.
BETWEEN_CELLS = " | "

_SPACES = re.compile("[ \t\n\r\f\v\x85\u00a0\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffc]")
_LINE_ENDS = re.compile("\r\n|[\r\f\v\x85\u2028\u2029]")
_URL = re.compile(r"https?://[^\s<>\"“”„]+", re.IGNORECASE)
_URL_TAIL = ".,;:!?'’»”"
_NUMBER = re.compile(r"\s*[+−–-]?[0-9]{1,3}\s*")
_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")


class Unreadable(Exception):
    """The document cannot be read; the message is a code that ``articles.documents`` has a sentence for."""


class TooLarge(Unreadable):
    """It is more than an article can be; the message names what of it."""


@dataclass(frozen=True)
class Place:
    """A piece's number and how many code points of it come before."""

    piece: int
    offset: int


@dataclass(frozen=True)
class Note:
    """The author's back-up for the words from ``start`` to ``end``; both the same: for the sentence there.

    ``kind`` is "comment", "footnote" or "link".
    """

    kind: str
    start: Place
    end: Place
    text: str = ""
    author: str = ""
    url: str = ""


@dataclass
class Found:
    pieces: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    title: str = ""
    byline: str = ""
    # As the document writes it; ISO 8601 where it is machine-readable.
    published: str = ""
    charset: str = ""
    # What was seen and deliberately not taken: "around", "deleted", "hidden", "pictures", "embedded", "links".
    left_out: set[str] = field(default_factory=set)

    def answer(self) -> dict[str, Any]:
        return {
            "pieces": self.pieces,
            "notes": [
                [
                    note.kind,
                    [note.start.piece, note.start.offset],
                    [note.end.piece, note.end.offset],
                    note.text[:NOTE_MAX_CHARS],
                    note.author[:200],
                    note.url,
                ]
                for note in self.notes
            ],
            "title": one_line(self.title)[:500],
            "byline": one_line(self.byline)[:300],
            "published": one_line(self.published)[:40],
            "charset": one_line(self.charset)[:40],
            "left_out": sorted(self.left_out),
        }


class Writer:
    """Takes runs of text as they come and makes pieces of them, with white space as a reader sees it."""

    def __init__(self) -> None:
        self.found = Found()
        self._kind, self._marker = "paragraph", ""
        self._parts: list[str] = []
        self._length = 0
        self._chars = 0
        self._after_space = True
        self._after_line = False
        # Notes whose places are not final yet, by their offset in the open piece.
        self._open_places: dict[int, int] = {}
        self._places: dict[int, Place] = {}
        self._links = 0

    def begin(self, kind: str, *, marker: str = "") -> None:
        """Close the open piece; what is written from now on is of this kind. A marker comes before its first word."""
        self.end()
        self._kind, self._marker = kind, marker

    def end(self) -> None:
        raw = "".join(self._parts)
        text, offsets = _tidied(raw, sorted(set(self._open_places.values())))
        if text:
            text = self._marker + text
            if len(self.found.pieces) >= MAX_PIECES:
                raise TooLarge("paragraphs")
            self.found.pieces.append((self._kind, text))
        number = len(self.found.pieces) - 1
        for handle, at in self._open_places.items():
            # Of a piece without words, the note belongs to the end of the one before.
            self._places[handle] = Place(number, len(self._marker) + offsets[at]) if text else self._end_of_last()
        self._open_places = {}
        self._parts, self._length, self._marker, self._after_space, self._after_line = [], 0, "", True, False

    @property
    def kind(self) -> str:
        return self._kind

    @property
    def is_empty(self) -> bool:
        """Whether the open piece has no word yet."""
        return not self._length

    def text(self, words: str, *, preserved: bool = False) -> None:
        if preserved:
            words = _CONTROLS.sub("", _LINE_ENDS.sub("\n", words).replace("\t", " "))
        else:
            words = _CONTROLS.sub("", _SPACES.sub(_space, words))
            if self._after_space:
                words = words.lstrip(" ")
        if not words:
            return
        self._chars += len(words)
        if self._chars > MAX_CHARS:
            raise TooLarge("text")
        self._parts.append(words)
        self._length += len(words)
        self._after_space = words.endswith((" ", "\n"))
        self._after_line = False

    def line(self) -> None:
        """A line's end inside the piece; two in a row end it."""
        if self._after_line:
            self.end()
        elif self._length:
            self._parts.append("\n")
            self._length += 1
            self._after_space, self._after_line = True, True

    def place(self) -> int:
        """A handle for where the text is now; ``place_of`` knows it once everything is written."""
        handle = len(self._places) + len(self._open_places)
        self._open_places[handle] = self._length
        return handle

    def place_of(self, handle: int) -> Place:
        return self._places[handle]

    def _end_of_last(self) -> Place:
        if not self.found.pieces:
            return Place(0, 0)
        return Place(len(self.found.pieces) - 1, len(self.found.pieces[-1][1]))

    @contextmanager
    def apart(self) -> Iterator[Writer]:
        """A writer of its own for text that stands elsewhere, such as a note's; its letters count here."""
        other = Writer()
        other._chars = self._chars
        yield other
        other.end()
        self._chars = other._chars

    def add_note(self, kind: str, start: int, end: int, *, text: str = "", author: str = "", url: str = "") -> None:
        """``start`` and ``end`` are handles, so that this comes after the last ``end()``."""
        if kind == "link":
            if self._links == MAX_LINKS:
                # A page may be full of them; what a person wrote beside the text is always taken.
                self.found.left_out.add("links")
                return
            self._links += 1
        if len(self.found.notes) >= MAX_NOTES:
            raise TooLarge("notes")
        self.found.notes.append(
            Note(
                kind,
                self.place_of(start),
                self.place_of(end),
                text=one_text(text),
                author=one_line(author),
                url=url or first_url(text),
            )
        )


def _space(match: re.Match[str]) -> str:
    # One no-break space alone between words is typography ("40\u00a0%"). Several are layout, and where an element
    # begins or ends, browsers write one for a plain space when they copy.
    inside = match.start() > 0 and match.end() < len(match.string)
    return match[0] if match[0] == "\u00a0" and inside else " "


def names(words: str) -> frozenset[str]:
    return frozenset(words.split())


def raised(text: str) -> str:
    """A number in letters that stay raised where nothing else says so: 10² is not 102."""
    return text.translate(_RAISED) if _NUMBER.fullmatch(text) else text


def one_line(text: str) -> str:
    return unicodedata.normalize("NFC", _CONTROLS.sub("", _SPACES.sub(" ", text))).strip()


def one_text(text: str) -> str:
    lines = (one_line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def first_url(text: str) -> str:
    for match in _URL.finditer(text):
        url = match[0].rstrip(_URL_TAIL)
        while url.endswith(")") and url.count("(") < url.count(")"):
            url = url[:-1].rstrip(_URL_TAIL)
        if url := web_address(url):
            return url
    return ""


def web_address(url: str) -> str:
    """The address if it is one of the web and whole, else ""."""
    url = _SPACES.sub("", url)
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return ""
    return url if usable and len(url) <= URL_MAX_CHARS and url.isprintable() else ""


def _tidied(raw: str, places: list[int]) -> tuple[str, dict[int, int]]:
    """The piece's text without blanks at its ends and at its lines' ends, in NFC; and where the places went."""
    text = _tidy(raw).rstrip()
    lead = len(text) - len(text.lstrip())
    text = text[lead:]
    return text, {at: min(max(0, len(_tidy(raw[:at])) - lead), len(text)) for at in places}


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", re.sub(r"[ \t]*\n[ \t]*", "\n", re.sub(r"\n\s*\n", "\n", text)))
