"""From the bytes of a document to blocks, and what was found on the way.

Nothing of the text is taken out here: lines that look like a website's furniture are *offered*, and go
only when a person says so.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from factcheck.articles.anchoring import sentence_spans
from factcheck.articles.canonical import (
    Block,
    BlockKind,
    canonical_text,
    clean_lines,
    number_blocks,
    paragraphs,
    place_blocks,
)
from factcheck.articles.documents import Document, FoundNote, read_document
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format

MAX_BYTES = 2 * 1024 * 1024
# Of documents that may hold pictures.
MAX_DOCUMENT_BYTES = 30 * 1024 * 1024
# A saved page is mostly not its article.
MAX_HTML_BYTES = 5 * 1024 * 1024
MAX_PARAGRAPHS = 5_000
TITLE_LENGTH = 200
# A title that a document has further down is put above, and the words stay where they are.
TITLE_WITHIN = 6

_CLOSERS = "\"'”’»)]"
_ENDS_A_SENTENCE = re.compile(r"[.!?…:;,。！？؟]$")


@dataclass(frozen=True)
class OfferedLine:
    """A line that may go. ``number`` counts the lines of the cleaned text from 1."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True)
class Draft:
    """What a document was read as; every finding is a suggestion for a person."""

    lines: tuple[str, ...]
    title: str
    byline: str
    published: date | None
    language: str
    offered: tuple[OfferedLine, ...]
    charset: str
    format: Format = Format.TEXT
    # Of a document that says itself what is a heading and what an item; empty for a plain text.
    pieces: tuple["DraftPiece", ...] = ()
    notes: tuple[FoundNote, ...] = ()
    # What stood in the document and was not taken: as ``reading.found`` names it.
    left_out: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class DraftPiece:
    """``number`` is that of its first line among the draft's lines, by which it may be offered."""

    number: int
    kind: BlockKind
    text: str


@dataclass(frozen=True)
class BackUp:
    """A note of the author's and the words that it is about, in the canonical text; no words: both are 0."""

    kind: str
    start: int
    end: int
    text: str
    author: str
    url: str


_FURNITURE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"(?:story continues (?:below|after) )?advertis(?:e?ment|ing)s?\.?$", "advertisement"),
        (r"(?:article continues (?:below|after) )(?:this )?ad(?:vertise?ment)?\.?$", "advertisement"),
        (r"(?:publicidad|anuncio|werbung|anzeige|publicité|pubblicità|publicidade)$", "advertisement"),
        (r"sponsored(?: content| links?)?$", "advertisement"),
        (r"(?:also|must) read\s*[:|–—-].*$", "link"),
        (r"read (?:also|more|next)\s*[:|–—-].*$", "link"),
        (
            r"(?:related(?: (?:stories|articles|coverage|news))?|recommended|see also|more on this(?: story)?)"
            r"\s*(?:[:|].*)?$",
            "link",
        ),
        (r"(?:lea|lee|vea) también\s*[:|–—-].*$", "link"),
        (r"(?:te puede interesar|lesen sie auch|auch interessant|à lire aussi|lire aussi)\s*[:|–—-].*$", "link"),
        (
            r"\(?\s*with (?:additional )?(?:inputs?|reporting) from "
            r"[^.()]{0,60}(?:agenc(?:y|ies)|wires?|reuters|afp|ap|pti|ani)[^()]{0,30}\)?\.?$",
            "agency",
        ),
        (r"\(?\s*con información de (?:agencias|efe|afp|reuters|ap)\s*\)?\.?$", "agency"),
        (r"(?:click here|tap here) (?:to|for) .{0,80}$", "link"),
        (r"(?:subscribe|sign up) (?:to|for) (?:our|the) .{0,80}$", "link"),
        (r"follow us on .{0,80}$", "link"),
        (r"share (?:this (?:article|story)|on (?:facebook|twitter|x|whatsapp))\.?$", "link"),
    )
)

_BYLINE = re.compile(r"(?:by|por|von|par|di)\s+(?P<who>[^\d.!?]{2,100})$", re.IGNORECASE)
_DATE_LINE = re.compile(
    r"(?:(?:first |last )?(?:published|updated|posted|publicado|actualizado|veröffentlicht|publié|date)"
    r"\s*(?:on|el|am|le)?\s*[:–—-]?\s*)?"
    r"(?P<date>[^|•]{6,60}?)\s*(?:[|•,]?\s*\d{1,2}[:.]\d{2}.*)?$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ITEM = re.compile(r"(?:[-*•‣–]|\d{1,2}[.)])\s+(?=\S)")
_QUOTED = re.compile(r">\s?")


def read_plain_text(raw: bytes) -> Draft:
    """Read an uploaded or pasted plain text. Raises UnreadableText with a sentence for the desk."""
    if len(raw) > MAX_BYTES:
        raise UnreadableText(_("This text is larger than 2 MB. An article is not; is it the right file?"))
    text, charset = _decode(raw)
    lines = tuple(clean_lines(text).split("\n"))
    if not any(line.strip() for line in lines):
        raise UnreadableText(_("There is no text in it."))
    offered = {number: reason for number, line in enumerate(lines, start=1) if (reason := furniture(line))}
    kept = _without(lines, offered)
    head = [(number, line.strip()) for number, line in enumerate(kept, start=1) if line.strip()]
    pieces = _pieces(kept)
    if len(pieces) > MAX_PARAGRAPHS:
        raise UnreadableText(
            _("These are more than %(most)s paragraphs. An article is not; is it the right file?")
            % {"most": MAX_PARAGRAPHS}
        )
    title = _find_title(pieces)
    byline, byline_at = _find_byline(head)
    published, date_at = _find_date(head)
    # Once they stand in fields of their own, these lines may go from the text, if the person agrees.
    offered |= {number: reason for number, reason in ((byline_at, "byline"), (date_at, "date")) if number}
    return Draft(
        lines=lines,
        title=title,
        byline=byline,
        published=published,
        language=find_language("\n".join(kept)),
        offered=tuple(OfferedLine(number, lines[number - 1].strip(), offered[number]) for number in sorted(offered)),
        charset=charset,
    )


def read_draft(raw: bytes, form: Format) -> Draft:
    """Read what was handed in. Raises UnreadableText with a sentence for the desk."""
    if form is Format.TEXT:
        return read_plain_text(raw)
    may_hold_pictures = form not in (Format.HTML, Format.MARKDOWN)
    if len(raw) > (MAX_DOCUMENT_BYTES if may_hold_pictures else MAX_HTML_BYTES):
        raise UnreadableText(_("This file is too large for an article; is it the right one?"))
    return _draft_of(read_document(raw, form), form)


def _draft_of(document: Document, form: Format) -> Draft:
    if not document.pieces:
        raise UnreadableText(_("There is no text in it."))
    lines: list[str] = []
    pieces: list[DraftPiece] = []
    for kind, text in document.pieces:
        if lines:
            lines.append("")
        pieces.append(DraftPiece(len(lines) + 1, kind, text))
        lines += text.split("\n")
    single = [(piece.number, piece.text) for piece in pieces if "\n" not in piece.text]
    offered = {number: reason for number, text in single if (reason := furniture(text))}
    kept = [piece for piece in pieces if piece.number not in offered]
    around_text = [(piece.number, piece.text) for piece in kept]
    byline, byline_at = _find_byline(around_text)
    published, date_at = _find_date(around_text)
    offered |= {number: reason for number, reason in ((byline_at, "byline"), (date_at, "date")) if number}
    headline = next((piece.text for piece in kept if piece.kind is BlockKind.HEADLINE), "")
    title = headline or _title_among(document.title, kept) or _find_title([piece.text for piece in kept])
    return Draft(
        lines=tuple(lines),
        title=" ".join(title.split())[:TITLE_LENGTH],
        byline=(document.byline or byline)[:200],
        published=_date_said(document.published) or published,
        language=find_language("\n".join(piece.text for piece in kept)),
        offered=tuple(OfferedLine(number, lines[number - 1].strip(), offered[number]) for number in sorted(offered)),
        charset=document.charset,
        format=form,
        pieces=tuple(pieces),
        notes=document.notes,
        left_out=document.left_out,
    )


def _date_said(written: str) -> date | None:
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return _date_in(written) if written else None


def _title_among(title: str, pieces: list[DraftPiece]) -> str:
    """The document's title without the name of its website, where it stands in the text, else as it is."""
    for piece in pieces[:5]:
        if len(piece.text) >= 10 and title.startswith(piece.text):
            return piece.text
    return title


def blocks_of(draft: Draft, *, title: str, remove: Collection[int]) -> list[Block]:
    """The draft's blocks without the lines of these numbers; a title that the text lacks comes first.

    Raises UnreadableText when nothing would be left.
    """
    return number_blocks((kind, text) for kind, text, _piece in _ordered(draft, title=title, remove=remove))


def back_up_of(draft: Draft, blocks: Sequence[Block], *, remove: Collection[int]) -> list[BackUp]:
    """The author's notes, with their places in the text of the blocks that ``blocks_of`` made of the same draft."""
    if not draft.notes:
        return []
    title = blocks[0].text if blocks[0].kind is BlockKind.HEADLINE else ""
    ordered = _ordered(draft, title=title, remove=remove)
    placed = place_blocks(blocks)
    at = {piece: block for block, (_kind, _text, piece) in zip(placed, ordered, strict=True) if piece is not None}
    text = canonical_text(blocks)
    sentences = sentence_spans(text)
    found = []
    for note in draft.notes:
        first, last = at.get(note.start[0]), at.get(note.end[0])
        start = first.start + note.start[1] if first else 0
        end = last.start + note.end[1] if last else 0
        if not first or not last or start > end:
            start = end = 0
        elif start == end or note.kind == "link":
            start, end = _sentences_at(start, end, sentences)
        words = text[start:end]
        start += len(words) - len(words.lstrip())
        end = start + len(words.strip())
        found.append(BackUp(note.kind, start, end, note.text, note.author, note.url))
    return found


def _sentences_at(start: int, end: int, sentences: list[tuple[int, int]]) -> tuple[int, int]:
    """The sentences that hold the span; the one before a point, since a note's number follows its sentence."""
    if start == end:
        index = max(0, bisect_left(sentences, (start, 0)) - 1)
        return sentences[index] if sentences and sentences[index][0] <= start else (0, 0)
    inside = [span for span in sentences if span[0] < end and span[1] > start]
    return (inside[0][0], inside[-1][1]) if inside else (start, end)


def _ordered(draft: Draft, *, title: str, remove: Collection[int]) -> list[tuple[BlockKind, str, int | None]]:
    """Kind, text and, of a document's own, the number of the piece."""
    title = " ".join(clean_lines(title).split())
    kinds: list[tuple[BlockKind, str, int | None]]
    if draft.pieces:
        kinds = _own_kinds(draft, title=title, remove=remove)
    else:
        pieces = _pieces(_without(draft.lines, remove))
        kinds = [(_kind_of(piece), piece, None) for piece in pieces]
        if title and kinds and kinds[0][1] == title:
            kinds[0] = (BlockKind.HEADLINE, title, None)
        elif title:
            kinds.insert(0, (BlockKind.HEADLINE, title, None))
    if not [kind for kind, _text, _piece in kinds if kind is not BlockKind.HEADLINE]:
        raise UnreadableText(_("There is no text in it but its title."))
    return kinds


def _own_kinds(draft: Draft, *, title: str, remove: Collection[int]) -> list[tuple[BlockKind, str, int | None]]:
    kinds = [
        (piece.kind, piece.text, number) for number, piece in enumerate(draft.pieces) if piece.number not in remove
    ]
    here = next(
        (place for place, (_kind, text, _piece) in enumerate(kinds[:TITLE_WITHIN]) if " ".join(text.split()) == title),
        None,
    )
    # What a kicker or a date before it says comes after the headline, with which every article begins.
    first: list[tuple[BlockKind, str, int | None]] = []
    if here is not None:
        _kind, text, number = kinds.pop(here)
        first = [(BlockKind.HEADLINE, text, number)]
    elif title:
        first = [(BlockKind.HEADLINE, title, None)]
    return first + [
        (BlockKind.HEADING if kind is BlockKind.HEADLINE else kind, text, number) for kind, text, number in kinds
    ]


def furniture(line: str) -> str | None:
    """Why a whole line looks like a website's and not the article's, or None."""
    words = line.strip()
    for pattern, reason in _FURNITURE:
        if words and pattern.match(words):
            return reason
    return None


def find_language(text: str) -> str:
    """ISO 639-1 code, or "" when there are too few words to tell."""
    if len(text.split()) < 12 and len(text) < 60:
        return ""
    import py3langid

    language: str = py3langid.classify(text[:20_000])[0]
    return language


def _decode(raw: bytes) -> tuple[str, str]:
    attempts = ["utf-16"] if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for charset in attempts:
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        # A binary file decodes as cp1252 nearly always; text holds next to no control characters.
        strange = sum(1 for character in text[:10_000] if ord(character) < 32 and character not in "\t\n\r\f\v")
        if strange <= len(text[:10_000]) // 100:
            return text, charset
        break
    raise UnreadableText(_("This is not plain text. Save the article as plain text (UTF-8) and upload that."))


def _without(lines: tuple[str, ...], numbers: Collection[int]) -> list[str]:
    # A line that goes leaves a blank one: its neighbours are not to grow together.
    return ["" if number in numbers else line for number, line in enumerate(lines, start=1)]


def _pieces(lines: list[str]) -> list[str]:
    text = "\n".join(line.rstrip() for line in lines)
    pieces = paragraphs(text)
    if len(pieces) == 1 and "\n" in pieces[0]:
        # Some programs export one line a paragraph and no blank line at all.
        pieces = [line.strip() for line in pieces[0].split("\n") if line.strip()]
    result = []
    for piece in pieces:
        rows = [line.strip() for line in piece.split("\n")]
        if all(_ITEM.match(row) for row in rows):
            result.extend(rows)
        else:
            result.append("\n".join(rows))
    return result


def _is_short_line(piece: str, *, limit: int) -> bool:
    end = piece.rstrip(_CLOSERS)
    return "\n" not in piece and len(piece) <= limit and bool(end) and not _ENDS_A_SENTENCE.search(end)


def _kind_of(piece: str) -> BlockKind:
    if _QUOTED.match(piece):
        return BlockKind.QUOTE
    if _ITEM.match(piece) and "\n" not in piece:
        return BlockKind.ITEM
    if _is_short_line(piece, limit=120) and not _BYLINE.fullmatch(piece):
        return BlockKind.HEADING
    return BlockKind.PARAGRAPH


def _find_title(pieces: list[str]) -> str:
    first = pieces[0] if pieces else ""
    is_title = "\n" not in first and len(first) <= TITLE_LENGTH and len(pieces) > 1 and not first.endswith(".")
    return first if is_title and len(first.split()) <= 30 else ""


def _find_byline(lines: list[tuple[int, str]]) -> tuple[str, int]:
    for number, line in lines[:6]:
        if match := _BYLINE.fullmatch(line):
            return match["who"].strip(), number
    return "", 0


def _date_in(words: str) -> date | None:
    # Here, as numpy below: no process but one that reads a text should have these in its memory.
    import dateparser

    found = dateparser.parse(words, settings={"STRICT_PARSING": True})
    return found.date() if found else None


def _find_date(lines: list[tuple[int, str]]) -> tuple[date | None, int]:
    for number, line in [*lines[:6], *lines[-1:]]:
        if len(line) > 90 or not _YEAR.search(line):
            continue
        match = _DATE_LINE.match(line)
        if match and (found := _date_in(match["date"])):
            return found, number
    return None, 0
