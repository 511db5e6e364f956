"""One attempt at one job: who has it, until when, and how it may end.

Every write is conditional on the fence. Whoever lost the job, to the sweeper or to another worker,
gets LostLease at the next touch, and the transaction around it rolls back.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.jobs.errors import LostLease
from factcheck.jobs.models import Job
from factcheck.jobs.registry import Kind, kind_named, kinds
from factcheck.jobs.waking import wake

# How many of the first due rows of a kind are tried when other workers are quicker.
TRIES_PER_KIND = 8


def lease_length() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Lease:
    def __init__(self, job: Job, kind: Kind) -> None:
        self.job_id = job.pk
        self.kind = kind
        self.subject = job.subject
        self.attempt = job.attempts
        self.fence = job.fence
        assert job.deadline_at is not None
        self.deadline_at = job.deadline_at
        self._deadline = time.monotonic() + (job.deadline_at - timezone.now()).total_seconds()
        self.closed = False

    def seconds_left(self) -> float:
        """Until the deadline; 0.0 when it has passed."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def is_last_attempt(self) -> bool:
        return self.attempt >= self.kind.max_attempts

    def stage(self, name: str) -> None:
        """Show the desk how far the work is. Raises LostLease if it is somebody else's now."""
        self._update(stage=name)

    @contextmanager
    def finish(self) -> Iterator[None]:
        """What the work found and the end of the job, in one transaction: both or, with LostLease, neither."""
        with transaction.atomic():
            yield
            self._end(Job.State.DONE, reason="")
        self.closed = True

    def retry(self, due_at: datetime, reason: str) -> bool:
        """Try again at ``due_at``. After the last attempt this is ``fail``; True if it will be tried again.

        Call it inside ``transaction.atomic()`` to keep it together with writes of your own.
        """
        if self.is_last_attempt:
            self.fail(reason)
            return False
        self._update(state=Job.State.QUEUED, due_at=due_at, reason=reason, lease_until=None, deadline_at=None, stage="")
        self.closed = True
        return True

    def fail(self, reason: str) -> None:
        """Give up now: no further attempt helps. Calls the kind's ``gave_up`` in the same transaction."""
        with transaction.atomic():
            self._end(Job.State.FAILED, reason=reason)
            self.kind.gave_up(self.subject, reason)
        self.closed = True

    def _end(self, state: Job.State, *, reason: str) -> None:
        self._update(state=state, reason=reason, ended_at=timezone.now(), lease_until=None, stage="")
        wake_followers(self.job_id)

    def _update(self, **values: Any) -> None:
        if not Job.objects.held(self.job_id, self.fence).update(**values):
            raise LostLease(_("The work was taken over, because it took too long or its worker fell silent."))


def wake_followers(job_id: int) -> None:
    if Job.objects.filter(after=job_id, state=Job.State.QUEUED).exists():
        transaction.on_commit(wake, robust=True)


def lease_due_job() -> Lease | None:
    """Take one due job for this worker, or None when there is none.

    The kind that has the fewest at work goes first, so that a thousand slow ones do not hold up one
    quick one; within a kind, what has been due for longest.
    """
    now = timezone.now()
    running = list(Job.objects.filter(state=Job.State.RUNNING).values_list("kind", flat=True))
    queues = []
    for kind in kinds():
        first = list(
            Job.objects.due(now)
            .filter(kind=kind.name)
            .order_by("due_at", "id")
            .values_list("due_at", "id")[:TRIES_PER_KIND]
        )
        if first:
            queues.append((running.count(kind.name), first[0][0], [job_id for _due_at, job_id in first]))
    for _running, _due_at, job_ids in sorted(queues):
        for job_id in job_ids:
            if lease := lease_job(job_id):
                return lease
    return None


def lease_job(job_id: int) -> Lease | None:
    """One conditional UPDATE: of any number of workers, exactly one gets the row."""
    now = timezone.now()
    kind = kind_named(Job.objects.values_list("kind", flat=True).get(pk=job_id))
    with transaction.atomic():
        taken = (
            Job.objects.due(now)
            .filter(pk=job_id)
            .update(
                state=Job.State.RUNNING,
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                lease_until=now + lease_length(),
                deadline_at=now + timedelta(seconds=kind.deadline_seconds),
                stage="",
            )
        )
        return Lease(Job.objects.get(pk=job_id), kind) if taken else None
