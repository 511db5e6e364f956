"""The passage check: do the quoted words stand in the copy?"""

from dataclasses import dataclass

from django.db import transaction

from factcheck.archive.models import Capture, TextLayer
from factcheck.archive.selectors import layer_text, layers_of
from factcheck.evidence.models import Evidence, PassageCheck, PassageOutcome
from factcheck.jobs.leases import Lease
from factcheck.ledger.actions import Action
from factcheck.ledger.services import record
from factcheck.lib.matching import Match, locate

JOB_KIND = "passage-check"

_READABLE = ("visible", "pdf")
_UNSEEN = ("hidden", "metadata")
_BEST_FIRST = ("exact", "normalised", "fuzzy", "ambiguous", "absent")


@dataclass(frozen=True)
class Finding:
    outcome: PassageOutcome
    layer: TextLayer | None = None
    match: Match | None = None


def run_check(lease: Lease) -> None:
    """Look for the quote in the sealed copy and write down what was found, once."""
    lease.stage("checking")
    public_id = lease.subject.removeprefix("evidence/")
    evidence = Evidence.objects.select_related("capture_request__capture").get(public_id=public_id)
    capture = evidence.capture_request.sealed_capture if evidence.capture_request else None
    if capture is None or not capture.carries_evidence or not evidence.quote or evidence.withdrawn_at:
        with lease.finish():
            return
    finding = find_passage(capture, evidence)
    with lease.finish():
        write_check(evidence, capture, finding)


def give_up_check(subject: str, reason: str) -> None:
    """Write down that the copy could not be searched, so that nobody waits for it."""
    evidence = Evidence.objects.select_related("capture_request").get(public_id=subject.removeprefix("evidence/"))
    capture = evidence.capture_request.sealed_capture if evidence.capture_request else None
    if capture is not None and capture.carries_evidence:
        write_check(evidence, capture, Finding(PassageOutcome.LIMIT))


def find_passage(capture: Capture, evidence: Evidence) -> Finding:
    layers = layers_of(capture)
    seen = [layer for layer in layers if layer.kind in _READABLE]
    best = _best_in([layer for layer in seen if layer.outcome == "ok"], evidence)
    if best is not None and best.outcome is not PassageOutcome.ABSENT:
        return best
    unseen = _best_in([layer for layer in layers if layer.kind in _UNSEEN and layer.outcome == "ok"], evidence)
    if unseen is not None and unseen.outcome in (PassageOutcome.EXACT, PassageOutcome.NORMALISED):
        return Finding(PassageOutcome.HIDDEN_ONLY, unseen.layer, unseen.match)
    if any(layer.outcome in ("limit", "crash") for layer in seen):
        # Part of the copy went unread: "absent" would claim more than was seen.
        return Finding(PassageOutcome.LIMIT)
    if best is not None:
        return best
    return Finding(PassageOutcome.IMAGE_ONLY if any(layer.kind == "pdf" for layer in seen) else PassageOutcome.NO_TEXT)


@transaction.atomic
def write_check(evidence: Evidence, capture: Capture, finding: Finding) -> PassageCheck:
    match = finding.match
    check = PassageCheck.objects.create(
        evidence=evidence,
        capture=capture,
        layer=finding.layer,
        quote_sha256=evidence.quote_sha256,
        outcome=finding.outcome,
        spans=[list(span) for span in match.spans] if match else [],
        score=match.score if match else 0.0,
        warnings=list(match.warnings) if match else [],
    )
    record(
        Action.PASSAGE_CHECKED,
        evidence.subject,
        {
            "capture": capture.request.public_id,
            "layer_sha256": finding.layer.sha256 if finding.layer else None,
            "quote_sha256": check.quote_sha256,
            "outcome": check.outcome,
            "spans": check.spans,
        },
        by=None,
    )
    return check


def _best_in(layers: list[TextLayer], evidence: Evidence) -> Finding | None:
    found = []
    for layer in layers:
        match = locate(evidence.quote, layer_text(layer), prefix=evidence.quote_prefix, suffix=evidence.quote_suffix)
        found.append(Finding(PassageOutcome(match.outcome), layer, match))
    return min(found, key=lambda finding: _BEST_FIRST.index(finding.outcome.value), default=None)
