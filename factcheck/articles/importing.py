"""From the bytes of a plain text to blocks, and what was found on the way.

Nothing is taken out here: lines that look like a website's furniture are *offered*, and go
only when a person says so.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import dateparser
import py3langid
from django.utils.translation import gettext as _

from factcheck.articles.canonical import Block, BlockKind, clean_lines, number_blocks, paragraphs
from factcheck.articles.errors import UnreadableText

MAX_BYTES = 2 * 1024 * 1024
MAX_PARAGRAPHS = 5_000
TITLE_LENGTH = 200

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
    """What a plain text was read as; every finding is a suggestion for a person."""

    lines: tuple[str, ...]
    title: str
    byline: str
    published: date | None
    language: str
    offered: tuple[OfferedLine, ...]
    charset: str


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


def blocks_of(draft: Draft, *, title: str, remove: Collection[int]) -> list[Block]:
    """The draft's blocks without the lines of these numbers; a title that the text lacks comes first.

    Raises UnreadableText when nothing would be left.
    """
    pieces = _pieces(_without(draft.lines, remove))
    title = " ".join(clean_lines(title).split())
    kinds = [(_kind_of(piece), piece) for piece in pieces]
    if title and kinds and kinds[0][1] == title:
        kinds[0] = (BlockKind.HEADLINE, title)
    elif title:
        kinds.insert(0, (BlockKind.HEADLINE, title))
    if not [kind for kind, _text in kinds if kind is not BlockKind.HEADLINE]:
        raise UnreadableText(_("There is no text in it but its title."))
    return number_blocks(kinds)


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


def _find_date(lines: list[tuple[int, str]]) -> tuple[date | None, int]:
    for number, line in [*lines[:6], *lines[-1:]]:
        if len(line) > 90 or not _YEAR.search(line):
            continue
        match = _DATE_LINE.match(line)
        found = match and dateparser.parse(match["date"], settings={"STRICT_PARSING": True})
        if found:
            return found.date(), number
    return None, 0
