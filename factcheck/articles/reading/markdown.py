"""Markdown: CommonMark with tables and footnotes. HTML in it is text, as it stands there."""

from __future__ import annotations

import html
import re
from typing import Any

from markdown_it import MarkdownIt

from factcheck.articles.reading import markup
from factcheck.articles.reading.found import Found, TooLarge, one_line

MAX_BYTES = 2 * 1024 * 1024
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<lines>(?:.*\n){0,100}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_KEY = re.compile(r"(?P<key>[A-Za-z_]+)\s*:\s*(?P<value>.*?)\s*$")
_FOOTNOTE = re.compile(
    r"^\[\^(?P<name>[^\]\s]{1,50})\]:[ \t]*(?P<text>.*(?:\n[ \t]+\S.*|\n(?:[ \t]*\n){1,3}(?: {4}|\t).*)*)\n?",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\[\^(?P<name>[^\]\s]{1,50})\]")
# A stand-in for a reference, which Markdown takes for a letter and no text has.
_FIRST_STAND_IN, _LAST_STAND_IN = 0xF0000, 0xFFFFD
_STAND_IN = re.compile(f"[{chr(_FIRST_STAND_IN)}-{chr(_LAST_STAND_IN)}]")


def read(data: bytes) -> Found:
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if len(data) > MAX_BYTES:
        raise TooLarge("text")
    text, said = _front_matter(_STAND_IN.sub("", text))
    text, notes = _footnotes(text)
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 50}).enable(["table", "strikethrough"])
    tokens = markdown.parse(text)
    _captions(tokens)
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    page = _with_notes(rendered, notes)
    if deck := said.get("subtitle") or said.get("deck") or said.get("standfirst"):
        page = _with_deck(page, said.get("title", ""), deck)
    found = markup.read(f"<!doctype html><meta charset=utf-8>{page}".encode(), declared="utf-8")
    found.title = said.get("title", "") or found.title
    found.byline = said.get("author", "") or said.get("byline", "")
    found.published = said.get("date", "")
    found.charset = "utf-8"
    return found


def _front_matter(text: str) -> tuple[str, dict[str, str]]:
    """The lines "key: value" that static site generators put before the text."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text, {}
    said: dict[str, str] = {}
    for line in match["lines"].split("\n"):
        if entry := _KEY.match(line):
            value = entry["value"]
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            said.setdefault(entry["key"].lower(), one_line(value))
    return (text[match.end() :], said) if said else (text, {})


def _footnotes(text: str) -> tuple[str, list[str]]:
    """The text with a stand-in letter for each reference whose note there is, and the notes in that order."""
    found = {match["name"]: match["text"] for match in _FOOTNOTE.finditer(text)}
    if not found:
        return text, []
    notes: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        note = found.get(match["name"])
        if note is None or len(notes) > _LAST_STAND_IN - _FIRST_STAND_IN:
            return match[0]
        notes.append(note)
        return chr(_FIRST_STAND_IN + len(notes) - 1)

    return _REFERENCE.sub(stand_in, _FOOTNOTE.sub("", text)), notes


def _with_notes(page: str, notes: list[str]) -> str:
    def reference(match: re.Match[str]) -> str:
        number = ord(match[0]) - _FIRST_STAND_IN
        return f'<sup><a id="reference-{number}" href="#note-{number}">{number + 1}</a></sup>'

    page = _STAND_IN.sub(reference, page)
    bodies = "".join(
        f'<p id="note-{number}">{html.escape(" ".join(note.split()))} <a href="#reference-{number}">↩</a></p>'
        for number, note in enumerate(notes)
    )
    return page + bodies


def _with_deck(page: str, title: str, deck: str) -> str:
    """The deck behind the headline, which comes from the same lines where the text has none."""
    head, end, rest = page.partition("</h1>")
    written = f'<p class="deck">{html.escape(deck)}</p>'
    if end and head.lstrip().startswith("<h1>"):
        return f"{head}{end}{written}{rest}"
    return f"<h1>{html.escape(title)}</h1>{written}{page}" if title else page


def _captions(tokens: list[Any]) -> None:
    """A picture that is a paragraph of its own shows its words as a caption; elsewhere they are not shown."""
    for before, inline, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        children = inline.children or []
        if before.type == "paragraph_open" and inline.type == "inline" and len(children) == 1:
            [picture] = children
            if picture.type == "image":
                words = str(picture.attrs.get("title") or picture.content)
                before.tag = after.tag = "figcaption"
                picture.type, picture.tag, picture.content, picture.attrs = "text", "", words, {}
                picture.children = []
                before.hidden = after.hidden = False
