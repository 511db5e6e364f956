"""What the desk shows of outside witnesses beside a copy."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from factcheck.archive import internet_archive
from factcheck.archive.models import Capture, WitnessAct, WitnessRequest
from factcheck.archive.witnessed import WitnessLine, witness_lines
from factcheck.evidence.witnessing import refusal_of


@dataclass(frozen=True)
class Offer:
    act: str
    label: str


@dataclass(frozen=True)
class WitnessPanel:
    lines: list[WitnessLine]
    # What may be asked now.
    offers: list[Offer]
    # Why nothing may be asked; empty where something may, or where nobody is set to be asked.
    refusal: str

    @property
    def is_shown(self) -> bool:
        return bool(self.lines or self.offers or self.refusal)


def witness_panel(capture: Capture) -> WitnessPanel:
    lines = witness_lines(capture)
    if not internet_archive.can_look_up():
        return WitnessPanel(lines, [], "")
    if refusal := refusal_of(capture, WitnessAct.LOOK_UP):
        return WitnessPanel(lines, [], refusal)
    under_way = {line.request.act for line in lines if line.request.state == WitnessRequest.State.OPEN}
    offers = [
        Offer(WitnessAct.LOOK_UP, _("Look whether the Internet Archive has a copy")),
        *(
            [Offer(WitnessAct.SAVE, _("Ask the Internet Archive to make a copy"))]
            if internet_archive.can_save()
            else []
        ),
    ]
    return WitnessPanel(lines, [offer for offer in offers if offer.act not in under_way], "")
