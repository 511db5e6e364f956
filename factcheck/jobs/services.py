from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from factcheck.jobs.leases import wake_followers
from factcheck.jobs.models import Job, Owner
from factcheck.jobs.registry import kind_named
from factcheck.jobs.waking import wake


@transaction.atomic
def enqueue(
    kind: str,
    subject: str,
    *,
    due_at: datetime | None = None,
    after: Job | None = None,
    owner: str | None = None,
    bulk: bool | None = None,
    place: str = "",
) -> Job:
    """Order work, in the caller's transaction: it exists if and only if the rest of it is committed.

    With ``after``, it is due only when that other job has ended, well or badly, and is of the same owner unless
    said otherwise. Of one ``place``, one job is worked on at a time, with CAPTURE_HOST_SPACING_SECONDS in between.
    """
    kind_named(kind)
    now = timezone.now()
    if owner is None:
        owner = after.owner if after else ""
    if bulk is None:
        bulk = after.bulk if after else False
    Owner.objects.bulk_create([Owner(name=owner)], ignore_conflicts=True)
    job = Job.objects.create(
        kind=kind, subject=subject, due_at=due_at or now, after=after, owner=owner, bulk=bulk, place=place
    )
    # Also when it waits for another one: that may have ended already.
    if job.due_at <= now:
        transaction.on_commit(wake, robust=True)
    return job


@transaction.atomic
def cancel(job_id: int, reason: str) -> bool:
    """End a job that has not ended; whether it was. A worker that has it is told at its next touch (LostLease).

    Until then the worker goes on with what it is at, so that the job's place stays taken.
    The kind's ``gave_up`` is not called: who cancels says what becomes of the subject, in the same transaction.
    """
    cancelled = Job.objects.filter(pk=job_id, state__in=Job.UNFINISHED).update(
        state=Job.State.FAILED,
        fence=F("fence") + 1,
        ended_at=timezone.now(),
        reason=reason,
        lease_until=None,
        stage="",
    )
    if cancelled:
        wake_followers(job_id)
    return bool(cancelled)
