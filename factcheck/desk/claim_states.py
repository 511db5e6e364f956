"""How far a claim is, as the desk shows it: one word, one tone and one drawing each."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from factcheck.verdicts.selectors import Checked, ClaimState


class DeskState(StrEnum):
    """In the order of the work; the first two wait for a person because the article changed."""

    TO_PLACE = "to_place"
    STALE = "stale"
    MARKED = "marked"
    IN_CHECK = "in_check"
    QUERY = "query"
    DECIDED = "decided"
    IN_REVIEW = "in_review"
    SIGNED_OFF = "signed_off"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        return str(_LABELS[self])

    @property
    def tone(self) -> str:
        return _TONES[self]


_LABELS = {
    DeskState.TO_PLACE: _("To place"),
    DeskState.STALE: _("Stale"),
    DeskState.MARKED: _("Marked"),
    DeskState.IN_CHECK: _("In check"),
    DeskState.QUERY: _("Query"),
    DeskState.DECIDED: _("Decided"),
    DeskState.IN_REVIEW: _("In review"),
    DeskState.SIGNED_OFF: _("Signed off"),
    DeskState.WITHDRAWN: _("Withdrawn"),
}
_TONES = {
    DeskState.TO_PLACE: "bad",
    DeskState.STALE: "bad",
    DeskState.MARKED: "neutral",
    DeskState.IN_CHECK: "mixed",
    DeskState.QUERY: "mixed",
    DeskState.DECIDED: "note",
    DeskState.IN_REVIEW: "note",
    DeskState.SIGNED_OFF: "good",
    DeskState.WITHDRAWN: "neutral",
}
# Where claims overlap, the underline is of the claim that still needs most.
URGENCY = {state: rank for rank, state in enumerate(DeskState)}


def desk_state(checked: Checked) -> DeskState:
    """The state that the page's evidence gives: build ``checked`` of what the person may know of."""
    if checked.state is ClaimState.WITHDRAWN:
        return DeskState.WITHDRAWN
    if not checked.placed.is_placed:
        return DeskState.TO_PLACE
    if checked.stale:
        return DeskState.STALE
    return DeskState(checked.state.value)


def count_states(states: Iterable[DeskState]) -> list[tuple[DeskState, int]]:
    """What there is of each state, in the order of the work."""
    counted = Counter(states)
    return [(state, counted[state]) for state in DeskState if counted[state]]
