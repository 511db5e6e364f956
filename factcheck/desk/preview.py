"""A text that was handed in, as the page shows it before anything is saved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from factcheck.articles.canonical import BlockKind
from factcheck.articles.importing import Draft, OfferedLine
from factcheck.desk.forms.articles import RemovalFields

_REASONS = {
    "advertisement": _("looks like the label of an advertisement"),
    "link": _("looks like a link to something else"),
    "agency": _("looks like an agency’s credit line"),
    "byline": _("is taken as the byline, which has a field of its own"),
    "date": _("is taken as the date, which has a field of its own"),
}

KIND_LABELS = {
    BlockKind.HEADLINE: _("Headline"),
    BlockKind.DECK: _("Deck"),
    BlockKind.HEADING: _("Heading"),
    BlockKind.PARAGRAPH: _("Paragraph"),
    BlockKind.ITEM: _("List item"),
    BlockKind.QUOTE: _("Quote"),
    BlockKind.CAPTION: _("Caption"),
    BlockKind.ROW: _("Table row"),
}
_LEFT_OUT = {
    "around": _("What stands around the article on its page was left out."),
    "deleted": _("Words that are struck out, or that a tracked change deletes, were left out."),
    "hidden": _("Words that the document hides were left out."),
    "pictures": _("Pictures were left out; their captions are here."),
    "links": _("There are more links than can be taken along; the first ones are here."),
    "embedded": _("A document inside this document was left out."),
}


@dataclass(frozen=True)
class Part:
    """Lines that stay together, or one line that may go."""

    text: str
    offered: OfferedLine | None = None
    kind: BlockKind = BlockKind.PARAGRAPH

    @property
    def kind_label(self) -> str:
        return str(KIND_LABELS[self.kind])

    @property
    def reason(self) -> str:
        return str(_REASONS.get(self.offered.reason, self.offered.reason)) if self.offered else ""


def preview_context(form: RemovalFields, draft: Draft) -> dict[str, Any]:
    """What desk/articles/_preview.html needs, and the form that it stands in."""
    ticked = {str(number) for number in form["remove"].value() or []}
    return {"form": form, "draft": draft, "parts": list(_parts(draft)), "ticked": ticked}


def _parts(draft: Draft) -> Iterator[Part]:
    offered = {line.number: line for line in draft.offered}
    if draft.pieces:
        yield from (Part(piece.text, offered.get(piece.number), piece.kind) for piece in draft.pieces)
        return
    lines: list[str] = []
    for number, line in enumerate([*draft.lines, ""], start=1):
        if line.strip() and number not in offered:
            lines.append(line.strip())
            continue
        if lines:
            yield Part("\n".join(lines))
            lines = []
        if number in offered:
            yield Part(line.strip(), offered[number])


def left_out(draft: Draft) -> list[str]:
    """What stood in the document and was not taken, each in a sentence."""
    return [str(sentence) for what, sentence in _LEFT_OUT.items() if what in draft.left_out]
