"""How the desk shows a piece of evidence: what it says, how far its copy is, and where its words stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from factcheck.archive.errors import BlobError, NoText
from factcheck.archive.models import Capture, TextLayer
from factcheck.archive.outcomes import NextStep, next_steps
from factcheck.archive.selectors import Progress, Stage, capture_progress, layer_text
from factcheck.desk.comparing import Comparison, compare_words
from factcheck.evidence.models import CONFIRMABLE, Evidence, PassageOutcome, SourceKind, Stance
from factcheck.evidence.passages import Passage, in_context
from factcheck.evidence.selectors import Standing

MANY_PLACES = 5

_STANCE_TONES = {Stance.FOR: "good", Stance.AGAINST: "bad", Stance.CONTEXT: "note"}
_STANCE_SHAPES = {Stance.FOR: "plus", Stance.AGAINST: "minus", Stance.CONTEXT: "context"}


@dataclass(frozen=True)
class EvidenceCard:
    standing: Standing
    progress: Progress | None

    @property
    def evidence(self) -> Evidence:
        return self.standing.evidence

    @property
    def capture(self) -> Capture | None:
        return self.standing.capture

    @property
    def tone(self) -> str:
        return _STANCE_TONES[Stance(self.evidence.stance)]

    @property
    def shape(self) -> str:
        return _STANCE_SHAPES[Stance(self.evidence.stance)]

    @property
    def title(self) -> str:
        """Its own title if it has one, else what the page calls itself: hostile words. "Not found" is no title."""
        source = self.evidence.source
        own = self.capture.title if self.capture is not None and self.capture.carries_evidence else ""
        return source.title or own or source.name

    @property
    def is_page(self) -> bool:
        return self.evidence.source.kind == SourceKind.PAGE

    @property
    def waits(self) -> bool:
        return self.standing.waits

    @cached_property
    def stages(self) -> list[Stage]:
        """The stages of the copy and then of the search for the words; empty where nothing is under way."""
        if self.progress is None:
            return []
        stages = list(self.progress.stages)
        if self.evidence.quote:
            searching = self.progress.ended and self.waits
            done = self.standing.check is not None
            state = "now" if searching else "done" if done else "waiting"
            stages.append(Stage("checking", _("Looking for the words"), state))
        return stages

    @property
    def stage(self) -> str:
        """What happens now, in words."""
        if self.progress is not None and self.progress.retry_at is not None:
            return self.progress.sentence
        return next((stage.label for stage in self.stages if stage.state == "now"), self.standing.sentence)

    @property
    def fingerprint(self) -> str:
        """Another one when the card would look another way: a poll that finds the same changes nothing."""
        done = self.progress
        retry = done.retry_at.isoformat() if done and done.retry_at else ""
        now = "-".join(stage.state[0] for stage in self.stages)
        check = self.standing.check
        parts = (
            self.evidence.version,
            now,
            done.attempts if done else "",
            retry,
            check.pk if check else "",
            self.waits,
        )
        return ".".join(str(part) for part in parts)

    @cached_property
    def passages(self) -> list[Passage]:
        """Where the words stand in the copy, in their sentences; every place when there are several."""
        check = self.standing.check
        if check is None or check.layer is None or not check.spans:
            return []
        text = self.layer_words
        if not text:
            return []
        if check.outcome == PassageOutcome.AMBIGUOUS:
            return [in_context(text, [span]) for span in check.spans[:MANY_PLACES]]
        return [in_context(text, check.spans)]

    @cached_property
    def layer_words(self) -> str:
        check = self.standing.check
        if check is None or check.layer is None:
            return ""
        try:
            return layer_text(check.layer)
        except (NoText, BlobError):
            return ""

    @property
    def shown_by_a_browser(self) -> bool:
        """The words stand in what a browser made of the page, and not in what the site sent as its text."""
        check = self.standing.check
        return check is not None and check.layer is not None and check.layer.kind == TextLayer.Kind.RENDER

    @property
    def confirmable(self) -> bool:
        check = self.standing.check
        return check is not None and check.outcome in CONFIRMABLE and self.standing.confirmation is None

    @property
    def comparison(self) -> Comparison | None:
        """The quote and what the copy says there, where these are merely alike."""
        check = self.standing.check
        if check is None or check.outcome != PassageOutcome.FUZZY or not self.passages:
            return None
        return compare_words(self.evidence.quote, self.passages[0].exact)

    @property
    def warnings(self) -> list[str]:
        check = self.standing.check
        sentences = {
            "number": _("A number differs."),
            "negation": _("A “not” or “no” differs."),
            "unit": _("A unit or currency differs."),
            "name": _("A name differs."),
        }
        return [sentences.get(str(name), str(name)) for name in check.warnings] if check else []

    @property
    def steps(self) -> tuple[NextStep, ...]:
        if self.capture is not None:
            return next_steps(self.capture.outcome, self.capture.reason)
        return self.progress.next_steps if self.progress else ()

    @property
    def can_correct_quote(self) -> bool:
        """Where nothing was archived other words would help nobody."""
        useful = self.capture is None or self.capture.carries_evidence
        return self.is_page and useful and self.evidence.withdrawn_at is None

    @property
    def can_archive_again(self) -> bool:
        if not self.is_page or self.evidence.withdrawn_at is not None or self.standing.secured:
            return False
        return self.progress is None or self.progress.ended or self.progress.retry_at is not None


def evidence_card(standing: Standing) -> EvidenceCard:
    request = standing.evidence.capture_request
    return EvidenceCard(standing, capture_progress(request) if request is not None else None)


def evidence_cards(standings: Iterable[Standing]) -> list[EvidenceCard]:
    """Of copies that are there nothing more is asked: what is shown of them is in the standing already."""
    return [evidence_card(standing) if standing.waits else EvidenceCard(standing, None) for standing in standings]
