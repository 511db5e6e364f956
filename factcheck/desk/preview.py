"""A text that was handed in, as the page shows it before anything is saved."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from factcheck.articles.importing import Draft, OfferedLine

_REASONS = {
    "advertisement": _("looks like the label of an advertisement"),
    "link": _("looks like a link to something else"),
    "agency": _("looks like an agency’s credit line"),
    "byline": _("is taken as the byline, which has a field of its own"),
    "date": _("is taken as the date, which has a field of its own"),
}


@dataclass(frozen=True)
class Part:
    """Lines that stay together, or one line that may go."""

    text: str
    offered: OfferedLine | None = None

    @property
    def reason(self) -> str:
        return str(_REASONS.get(self.offered.reason, self.offered.reason)) if self.offered else ""


def parts(draft: Draft) -> Iterator[Part]:
    offered = {line.number: line for line in draft.offered}
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
