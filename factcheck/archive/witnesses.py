"""An outside archive as a witness: asked, asked again until it answers, and believed only for what is seen there.

Nothing here waits: each turn is a short attempt of the job, which then says when it is due again. What they said is in
the row before the turn ends, so that neither a killed worker nor an hour's outage orders a second copy.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.archive import blobs, internet_archive
from factcheck.archive.errors import BlobError, WarcFault, WitnessNotAsked
from factcheck.archive.internet_archive import AskLater, Copy, NeverHere, memento_url, moment_of, timestamp_of
from factcheck.archive.models import (
    Agreement,
    Capture,
    CaptureRequest,
    Engine,
    WitnessAct,
    WitnessReport,
    WitnessRequest,
    WitnessWords,
)
from factcheck.archive.payloads import received_payload
from factcheck.jobs.leases import Lease
from factcheck.jobs.models import Job
from factcheck.jobs.services import enqueue
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record

JOB_KIND = "witness"
# Of one turn: a few small requests, or one copy fetched for comparison.
TURN_SECONDS = 120
# Turns are cheap and many; what ends a request are the limits below.
MAX_TURNS = 250

FIRST_POLL_AFTER = timedelta(seconds=10)
LONGEST_POLL_AFTER = timedelta(minutes=5)
# They forget a job after about an hour.
FORGOTTEN_AFTER = timedelta(hours=1)
# Their index may be half a day behind their copies.
SEEK_AFTER = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=2), timedelta(hours=9), timedelta(hours=15))
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
TOMORROW = timedelta(hours=24)
NO_QUOTA_AFTER = timedelta(minutes=2)
# After this, whatever they say, it is an editor's turn.
PATIENCE = timedelta(days=4)

# Of no bytes at all every copy has the same digest.
_SHA1_OF_NOTHING = b32encode(hashlib.sha1(b"", usedforsecurity=False).digest()).decode("ascii")
_URL_MAX_CHARS = 2000


@transaction.atomic
def ask_witness(capture: Capture, *, act: str, by: User | None) -> WitnessRequest:
    """Order a copy of the captured page at the Internet Archive, or a look whether it has one.

    Returns the order that is open already. Raises WitnessNotAsked for a page of which nobody outside may hear.
    """
    require(by, Act.ASK_WITNESS)
    if refusal := refusal_of(capture, act):
        raise WitnessNotAsked(refusal)
    return _ask(capture, act, by=by)


@transaction.atomic
def witness_published(capture_ids: list[str], *, by: User | None) -> list[WitnessRequest]:
    """Order copies of the pages that a publication cites, of each page that has no order or copy there yet.

    Says nothing of those that may not be asked about: publishing must not fail for them.
    """
    if not (settings.WITNESS_AT_PUBLICATION and internet_archive.can_save()):
        return []
    captures = Capture.objects.filter(request__public_id__in=capture_ids).select_related("request").order_by("pk")
    asked = WitnessRequest.objects.filter(act=WitnessAct.SAVE, capture__in=captures).filter(
        Q(state=WitnessRequest.State.OPEN) | Q(report__outcome=WitnessReport.Outcome.SEEN)
    )
    done = set(asked.values_list("capture_id", flat=True))
    return [
        _ask(capture, WitnessAct.SAVE, by=by)
        for capture in captures
        if capture.pk not in done and not refusal_of(capture, WitnessAct.SAVE)
    ]


def refusal_of(capture: Capture, act: str) -> str:
    """Why nobody outside is asked about this page, in a sentence; "" where they may be."""
    if capture.request.confidential:
        return _("The source is confidential: nobody outside may learn that the newsroom looked at it.")
    if capture.request.discreet:
        return _("The page was archived for a discreet article: nobody outside may learn of it.")
    if capture.engine == Engine.UPLOAD:
        return _("This copy was uploaded by a person; there is no page that the Internet Archive could look at.")
    if not internet_archive.can_look_up():
        return _("The Internet Archive is not asked here: its address is not set.")
    if act == WitnessAct.SAVE and not internet_archive.can_save():
        return _("Copies at the Internet Archive cannot be ordered: the newsroom’s key is not set.")
    if not capture.url:
        return _("The address of this page was erased.")
    return ""


def _ask(capture: Capture, act: str, *, by: User | None) -> WitnessRequest:
    # One after the other, so that two clicks find each other.
    CaptureRequest.objects.select_for_update().get(pk=capture.request_id)
    existing = WitnessRequest.objects.filter(capture=capture, act=act, state=WitnessRequest.State.OPEN).first()
    if existing is not None:
        return existing
    request = WitnessRequest(capture=capture, act=act, requested_by=by)
    waiting = Job.objects.filter(kind=JOB_KIND, state=Job.State.QUEUED, attempts=0).count()
    pause = timedelta(seconds=settings.WITNESS_PAUSE_SECONDS)
    request.job = enqueue(JOB_KIND, request.subject, due_at=timezone.now() + waiting * pause if waiting else None)
    request.save()
    facts = {"service": str(request.service), "act": str(act), "request": request.public_id}
    record(Action.WITNESS_ASKED, capture.subject, facts, by=by.actor_id if by else None)
    return request


# --- the job ---------------------------------------------------------------------------------


def run_witness(lease: Lease, *, may_not: Callable[[Capture, str], str] = refusal_of) -> None:
    """One turn: say or ask one thing, write down what came back, and say when to go on.

    ``may_not`` is asked first, each time, and answers as ``refusal_of`` does: who knows articles knows more refusals.
    """
    request = _request_named(lease.subject)
    if request.state == WitnessRequest.State.ENDED:
        return
    if refusal := may_not(request.capture, request.act):
        # Also where it became so since: the key may be gone, the address erased, or an article discreet.
        with lease.finish():
            _report(request, WitnessReport.Outcome.GAVE_UP, reason=_stopped(request, lease), said=refusal)
        return
    if _somebody_else_is_asking(lease):
        lease.retry(timezone.now() + _pause(), _("One question at a time: this one waits for its turn."))
        return
    try:
        if request.act == WitnessAct.LOOK_UP:
            _look_up(lease, request)
        elif request.seeking_since:
            _seek(lease, request)
        elif request.remote_job_id:
            _poll(lease, request)
        else:
            _submit(lease, request)
    except AskLater as later:
        _put_off(lease, request, later)
    except NeverHere as never:
        with lease.finish():
            _report(request, WitnessReport.Outcome.REFUSED, reason=never.code, said=never.said)


def _stopped(request: WitnessRequest, lease: Lease) -> str:
    """Whether they may have heard of the page before we stopped; a turn that was cut off may have told them too."""
    return "stopped-late" if request.remote_job_id or lease.attempt > 1 else "stopped"


def give_up(subject: str, reason: str) -> None:
    """Report what no attempt could bring to an end. Runs in the job's transaction."""
    request = _request_named(subject)
    if request.state == WitnessRequest.State.OPEN:
        _report(request, WitnessReport.Outcome.GAVE_UP, said=reason)


def _request_named(subject: str) -> WitnessRequest:
    public_id = subject.removeprefix("witness-request/")
    return WitnessRequest.objects.select_related("capture__request", "capture__words_row").get(public_id=public_id)


def _pause() -> timedelta:
    return timedelta(seconds=settings.WITNESS_PAUSE_SECONDS)


def _somebody_else_is_asking(lease: Lease) -> bool:
    """Of all workers, the one that began first goes on."""
    earlier = Q(deadline_at__lt=lease.deadline_at) | Q(deadline_at=lease.deadline_at, pk__lt=lease.job_id)
    return Job.objects.filter(earlier, kind=JOB_KIND, state=Job.State.RUNNING, lease_until__gt=timezone.now()).exists()


def _look_up(lease: Lease, request: WitnessRequest) -> None:
    found = internet_archive.copies(request.capture.url)
    if not found:
        with lease.finish():
            _report(request, WitnessReport.Outcome.NONE)
        return
    captured_at = timestamp_of(request.capture.started_at)
    # The nearest in time is the likeliest to be the same page.
    nearest = min(found, key=lambda copy: abs(_seconds(copy.timestamp) - _seconds(captured_at)))
    ours = our_digests(request.capture)
    same = next((copy for copy in found if ours.agreement(copy.sha1) in _SAME), None)
    _report_seen(lease, request, same or nearest, ours)


def _submit(lease: Lease, request: WitnessRequest) -> None:
    if internet_archive.saves_left() == 0:
        lease.retry(timezone.now() + NO_QUOTA_AFTER, internet_archive.problem_sentence("user-session-limit"))
        return
    job_id = internet_archive.save(request.capture.url)
    now = timezone.now()
    with transaction.atomic():
        WitnessRequest.objects.filter(pk=request.pk).update(remote_job_id=job_id, submitted_at=now, turns=0)
        lease.retry(now + FIRST_POLL_AFTER, _("The Internet Archive is making its copy."))


def _poll(lease: Lease, request: WitnessRequest) -> None:
    assert request.submitted_at is not None
    now = timezone.now()
    saving = internet_archive.saving(request.remote_job_id)
    if saving.state == "success":
        original = saving.original if len(saving.original) <= _URL_MAX_CHARS else ""
        WitnessRequest.objects.filter(pk=request.pk).update(
            seeking_since=now, turns=0, claimed_timestamp=saving.timestamp, claimed_url=original
        )
        request.refresh_from_db()
        _seek(lease, request)
    elif saving.state == "unknown" or now - request.submitted_at > FORGOTTEN_AFTER:
        WitnessRequest.objects.filter(pk=request.pk).update(seeking_since=now, turns=0)
        request.refresh_from_db()
        _seek(lease, request)
    else:
        wait = min(FIRST_POLL_AFTER * 2 ** min(request.turns + 1, 10), LONGEST_POLL_AFTER)
        with transaction.atomic():
            WitnessRequest.objects.filter(pk=request.pk).update(turns=request.turns + 1)
            lease.retry(now + wait, _("The Internet Archive is making its copy."))


def _seek(lease: Lease, request: WitnessRequest) -> None:
    """Their word is not enough: the copy is looked for in their index, and failing that fetched."""
    assert request.submitted_at is not None
    ours = our_digests(request.capture)
    url = _original(request)
    if request.claimed_timestamp:
        found = internet_archive.copies(url, since=request.claimed_timestamp, until=request.claimed_timestamp)
        if not found and (
            raw := internet_archive.raw(request.claimed_timestamp, url, seconds=_seconds_to_fetch(lease))
        ):
            copy = Copy(request.claimed_timestamp, url, raw.received_sha1)
            _report_seen(lease, request, copy, ours, raw=raw)
            return
    else:
        # Their clock and ours may differ by a little.
        found = internet_archive.copies(url, since=timestamp_of(request.submitted_at - timedelta(minutes=2)))
    if found:
        _report_seen(lease, request, found[0], ours)
    elif request.turns < len(SEEK_AFTER):
        with transaction.atomic():
            WitnessRequest.objects.filter(pk=request.pk).update(turns=request.turns + 1)
            reason = _("The Internet Archive’s copy is looked for until it can be seen there.")
            lease.retry(timezone.now() + SEEK_AFTER[request.turns], reason)
    else:
        with lease.finish():
            code = "unconfirmed" if request.claimed_timestamp else "forgotten"
            _report(request, WitnessReport.Outcome.GAVE_UP, reason=code)


def _put_off(lease: Lease, request: WitnessRequest, later: AskLater) -> None:
    now = timezone.now()
    if request.put_offs >= len(RETRY_AFTER) or now - request.created_at > PATIENCE:
        with lease.finish():
            _report(request, WitnessReport.Outcome.GAVE_UP, reason=later.code, said=later.said)
        return
    due_at = now + (later.after or (TOMORROW if later.tomorrow else RETRY_AFTER[request.put_offs]))
    with transaction.atomic():
        changes: dict[str, object] = {"put_offs": request.put_offs + 1}
        if later.job_over:
            changes |= {"remote_job_id": "", "submitted_at": None, "turns": 0}
        WitnessRequest.objects.filter(pk=request.pk).update(**changes)
        if later.after is not None:
            # What they ask for is meant for all that we ask of them.
            Job.objects.filter(kind=JOB_KIND, state=Job.State.QUEUED, due_at__lt=due_at).update(due_at=due_at)
        lease.retry(due_at, str(later))


def _original(request: WitnessRequest) -> str:
    return request.claimed_url if request.claimed_url.startswith(("http://", "https://")) else request.capture.url


def _seconds(timestamp: str) -> float:
    moment = moment_of(timestamp)
    assert moment is not None
    return moment.timestamp()


def _seconds_to_fetch(lease: Lease) -> float:
    return max(1.0, lease.seconds_left() - 30)


# --- the comparison --------------------------------------------------------------------------

# Words of WARC-Truncated: not all of it was received.
_CUT_OFF = frozenset(("length", "time", "disconnect"))
_SAME = (Agreement.SAME_RECEIVED, Agreement.SAME_DECODED)


@dataclass(frozen=True)
class Digests:
    """SHA-1 in base32 of our copy's bytes as received and as unpacked; "" where there are none, or not all."""

    received: str = ""
    decoded: str = ""

    def agreement(self, received: str, decoded: str = "") -> Agreement:
        """With a copy of theirs: its digest as they received it and, if we looked at the bytes, unpacked."""
        if not received or _SHA1_OF_NOTHING in (received, self.received) or not (self.received or self.decoded):
            return Agreement.NOT_COMPARABLE
        if received == self.received:
            return Agreement.SAME_RECEIVED
        same = self.decoded and self.decoded in (received, decoded)
        return Agreement.SAME_DECODED if same else Agreement.DIFFERENT


def our_digests(capture: Capture) -> Digests:
    if not capture.body_sha256 or not capture.warc_sha256 or capture.truncated in _CUT_OFF:
        return Digests()
    received, unpacked = (hashlib.sha1(usedforsecurity=False) for _turn in range(2))
    try:
        for piece in received_payload(capture):
            received.update(piece)
        with blobs.open_blob(capture.body_sha256) as body:
            while piece := body.read(65_536):
                unpacked.update(piece)
    except (BlobError, WarcFault):
        return Digests()
    named = [b32encode(digest.digest()).decode("ascii") for digest in (received, unpacked)]
    # Where unpacking stopped early, all that was received is there, but not all that was in it.
    return Digests(named[0], "" if capture.truncated else named[1])


def _report_seen(
    lease: Lease, request: WitnessRequest, copy: Copy, ours: Digests, *, raw: internet_archive.Raw | None = None
) -> None:
    agreement = ours.agreement(copy.sha1, raw.decoded_sha1 if raw else "")
    if agreement is Agreement.DIFFERENT and raw is None:
        # Their index knows only the bytes as they travelled, which may have been packed for them in another way.
        try:
            raw = internet_archive.raw(copy.timestamp, copy.original, seconds=_seconds_to_fetch(lease))
        except (AskLater, NeverHere):
            raw = None
        if raw is not None and raw.decoded_sha1:
            agreement = ours.agreement(copy.sha1, raw.decoded_sha1)
    with lease.finish():
        _report(request, WitnessReport.Outcome.SEEN, copy=copy, ours=ours, agreement=agreement, fetched=raw is not None)


def _report(
    request: WitnessRequest,
    outcome: str,
    *,
    reason: str = "",
    said: str = "",
    copy: Copy | None = None,
    ours: Digests | None = None,
    agreement: str = "",
    fetched: bool = False,
) -> WitnessReport:
    words = WitnessWords(said=said)
    taken_at: datetime | None = None
    if copy is not None:
        words = WitnessWords(memento_url(copy.timestamp, copy.original), copy.original, said)
        taken_at = moment_of(copy.timestamp)
    ours = ours or Digests()
    report = WitnessReport.objects.create(
        request=request,
        capture=request.capture,
        outcome=outcome,
        reason=reason,
        taken_at=taken_at,
        words_row=keep_text(json.dumps(asdict(words))),
        their_sha1=copy.sha1 if copy else "",
        our_received_sha1=ours.received,
        our_decoded_sha1=ours.decoded,
        seen_by=("bytes" if fetched else "index") if copy else "",
        agreement=agreement,
    )
    WitnessRequest.objects.filter(pk=request.pk).update(state=WitnessRequest.State.ENDED)
    facts = {
        "service": str(request.service),
        "request": request.public_id,
        "outcome": str(outcome),
        "reason": reason or None,
        "memento": words.memento or None,
        "taken_at": taken_at.isoformat() if taken_at else None,
        "their_sha1": report.their_sha1 or None,
        "our_received_sha1": report.our_received_sha1 or None,
        "our_decoded_sha1": report.our_decoded_sha1 or None,
        "agreement": str(agreement) or None,
    }
    record(Action.WITNESS_REPORTED, request.capture.subject, facts, by=None)
    return report
