"""The passage check: do the quoted words stand in the copy?"""

from functools import partial

from django.db import transaction

from factcheck.archive.models import Capture
from factcheck.archive.outcomes import Outcome
from factcheck.archive.selectors import layer_text, layers_of
from factcheck.evidence.models import Evidence, PassageCheck, PassageOutcome
from factcheck.evidence.searching import Finding, Layer, find_quote
from factcheck.jobs.leases import Lease
from factcheck.ledger.actions import Action
from factcheck.ledger.services import record

JOB_KIND = "passage-check"


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
    return find_quote(
        [Layer(row.kind, row.outcome, partial(layer_text, row), row) for row in layers_of(capture)],
        evidence.quote,
        prefix=evidence.quote_prefix,
        suffix=evidence.quote_suffix,
        whole=capture.outcome == Outcome.CAPTURED,
    )


@transaction.atomic
def write_check(evidence: Evidence, capture: Capture, finding: Finding) -> PassageCheck:
    match = finding.match
    row = finding.layer.row if finding.layer else None
    check = PassageCheck.objects.create(
        evidence=evidence,
        capture=capture,
        layer=row,
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
            "layer_sha256": row.sha256 if row else None,
            "quote_sha256": check.quote_sha256,
            "outcome": check.outcome,
            "spans": check.spans,
        },
        by=None,
    )
    return check
