"""A document's bytes read by a child process, which they cannot harm us from, into pieces of text and notes."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factcheck.archive.children import Answer, run_child
from factcheck.articles.canonical import BlockKind, clean_lines
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format
from factcheck.articles.reading.found import MAX_CHARS, MAX_NOTES, MAX_PIECES

# In the child, "factcheck" is the bare folder: its own __init__ would start Celery.
_START = (
    "import sys, types; package = types.ModuleType('factcheck'); package.__path__ = [sys.argv.pop(1)]; "
    "sys.modules['factcheck'] = package; from factcheck.articles.reading.child import main; main()"
)
_FOLDER = Path(__file__).resolve().parents[1]
_WALL_SECONDS = 15
# A text in the most wasteful script, and as much again for its notes.
_OUTPUT_MAX_BYTES = 2 * 6 * MAX_CHARS + MAX_NOTES * 60_000

_TOO_LARGE = gettext_lazy("There is more in this document than an article can be; is it the right file?")
_REFUSALS = {
    "encrypted": gettext_lazy("This document is protected by a password. Remove the protection and hand it in again."),
    "damaged": gettext_lazy("This document is damaged and cannot be opened. Save it anew and hand it in again."),
    "image_only": gettext_lazy("This PDF has pictures of text and no text. Hand in what it was made from."),
    "kind": gettext_lazy(
        "This is not the kind of document that its name says. Save the article anew as .docx or .odt."
    ),
}


@dataclass(frozen=True)
class FoundNote:
    """The author's back-up. Places are (number of the piece, code points before it)."""

    kind: str
    start: tuple[int, int]
    end: tuple[int, int]
    text: str
    author: str
    url: str


@dataclass(frozen=True)
class Document:
    pieces: tuple[tuple[BlockKind, str], ...]
    notes: tuple[FoundNote, ...]
    title: str
    byline: str
    published: str
    charset: str
    left_out: frozenset[str]


def read_document(raw: bytes, form: Format) -> Document:
    """Raises UnreadableText with a sentence for the desk."""
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.seek(0)
        answer = run_child(
            [sys.executable, "-I", "-c", _START, str(_FOLDER), str(form)],
            file.fileno(),
            wall_seconds=_WALL_SECONDS,
            output_max_bytes=_OUTPUT_MAX_BYTES,
        )
    said = _said(answer)
    if "too_large" in said:
        raise UnreadableText(str(_TOO_LARGE))
    if "unreadable" in said:
        raise UnreadableText(str(_REFUSALS.get(str(said["unreadable"]), _REFUSALS["damaged"])))
    try:
        return _understood(said)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise UnreadableText(str(_REFUSALS["damaged"])) from error


def _said(answer: Answer) -> dict[str, Any]:
    if answer.problem == "limit":
        raise UnreadableText(
            _("Reading this document took too much time or memory. Is it an article? Its text can be pasted instead.")
        )
    try:
        said = json.loads(answer.output) if not answer.problem else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UnreadableText(
            _("This document could not be read; whatever is wrong with it, its text can be pasted instead.")
        )
    return said


def _understood(said: dict[str, Any]) -> Document:
    """The child has read hostile bytes, so that its own word is checked too."""
    pieces = tuple((BlockKind(kind), _piece(text)) for kind, text in said["pieces"][:MAX_PIECES])
    notes = tuple(
        FoundNote(str(kind), _place(start, pieces), _place(end, pieces), _words(text), _words(author), _words(url))
        for kind, start, end, text, author, url in (said["notes"][:MAX_NOTES] if pieces else [])
        if kind in ("comment", "footnote", "link")
    )
    return Document(
        pieces=pieces,
        notes=notes,
        title=_words(said["title"]),
        byline=_words(said["byline"]),
        published=_words(said["published"]),
        charset=_words(said["charset"]),
        left_out=frozenset(str(what) for what in said["left_out"]),
    )


def _piece(text: Any) -> str:
    words = _words(text)
    if not words or words != words.strip() or "\n\n" in words:
        raise ValueError("not a piece")
    return words


def _words(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("not text")
    whole = text.encode("utf-8", "replace").decode("utf-8")
    if clean_lines(whole) != whole:
        raise ValueError("not clean")
    return whole


def _place(place: Any, pieces: tuple[tuple[BlockKind, str], ...]) -> tuple[int, int]:
    piece, offset = int(place[0]), int(place[1])
    if not (0 <= piece < len(pieces) and 0 <= offset <= len(pieces[piece][1])):
        raise ValueError("not a place")
    return piece, offset
