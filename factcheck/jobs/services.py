from datetime import datetime

from django.db import transaction
from django.utils import timezone

from factcheck.jobs.models import Job
from factcheck.jobs.registry import kind_named
from factcheck.jobs.waking import wake


def enqueue(kind: str, subject: str, *, due_at: datetime | None = None, after: Job | None = None) -> Job:
    """Order work, in the caller's transaction: it exists if and only if the rest of it is committed.

    With ``after``, it is due only when that other job has ended, well or badly.
    """
    kind_named(kind)
    now = timezone.now()
    job = Job.objects.create(kind=kind, subject=subject, due_at=due_at or now, after=after)
    # Also when it waits for another one: that may have ended already.
    if job.due_at <= now:
        transaction.on_commit(wake, robust=True)
    return job
