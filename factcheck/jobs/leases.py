"""One attempt at one job: who has it, until when, and how it may end.

Every write is conditional on the fence. Whoever lost the job, to the sweeper or to another worker,
gets LostLease at the next touch, and the transaction around it rolls back.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.jobs.errors import LostLease
from factcheck.jobs.models import Job, Owner, Place
from factcheck.jobs.registry import Kind, kind_named, kinds
from factcheck.jobs.waking import wake

# How often a worker looks again when others were quicker at everything that it found.
TRIES = 8


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
        with transaction.atomic():
            self._update(
                state=Job.State.QUEUED, due_at=due_at, reason=reason, lease_until=None, deadline_at=None, stage=""
            )
            leave_place(self.job_id)
        self.closed = True
        return True

    def put_off(self, due_at: datetime, reason: str) -> None:
        """Give the job back without having tried: what it needs here is in use. Costs none of its attempts."""
        with transaction.atomic():
            self._update(
                state=Job.State.QUEUED,
                due_at=due_at,
                attempts=F("attempts") - 1,
                reason=reason,
                lease_until=None,
                deadline_at=None,
                stage="",
            )
            leave_place(self.job_id)
        self.closed = True

    def fail(self, reason: str) -> None:
        """Give up now: no further attempt helps. Calls the kind's ``gave_up`` in the same transaction."""
        with transaction.atomic():
            self._end(Job.State.FAILED, reason=reason)
            self.kind.gave_up(self.subject, reason)
        self.closed = True

    def _end(self, state: Job.State, *, reason: str) -> None:
        self._update(state=state, reason=reason, ended_at=timezone.now(), lease_until=None, stage="")
        leave_place(self.job_id)
        wake_followers(self.job_id)

    def _update(self, **values: Any) -> None:
        if not Job.objects.held(self.job_id, self.fence).update(**values):
            raise LostLease(_("The work was taken over, because it took too long or its worker fell silent."))


def wake_followers(job_id: int) -> None:
    if Job.objects.filter(after=job_id, state=Job.State.QUEUED).exists():
        transaction.on_commit(wake, robust=True)


def leave_place(job_id: int) -> None:
    """In the transaction that ends the attempt, after its fenced write: who lost the job frees nothing.

    What waits for the place is found by the sweeper, or at once by this worker if there is no pause.
    """
    Place.objects.leave(job_id, timezone.now() + timedelta(seconds=settings.CAPTURE_HOST_SPACING_SECONDS))


def lease_due_job() -> Lease | None:
    """Take one due job for this worker, or None when there is none that may begin now.

    What people wait for goes before bulk. Then the kind goes first that has the fewest at work, so that a
    thousand slow ones do not hold up one quick one; within a kind, the owner who has the fewest at work, then who
    was served longest ago, so that neither do one person's two hundred hold up another's one.
    """
    for _try in range(TRIES):
        found = _candidates()
        if not found:
            return None
        for job_id in found:
            if lease := lease_job(job_id):
                return lease
    return None


def _candidates() -> list[int]:
    """The first job of each owner and kind, in the order in which they are to be tried.

    Each is the first entry of an index that may begin: the cost grows with owners and kinds, and not with what
    waits, but for what waits before it for a busy place or for another job.
    """
    now = timezone.now()
    at_work = list(Job.objects.filter(state=Job.State.RUNNING).values_list("kind", "owner"))
    of_kind = Counter(kind for kind, _owner in at_work)
    of_owner = Counter(owner for _kind, owner in at_work)
    startable = Job.objects.startable(now)
    turns = []
    for bulk in (False, True):
        for kind in kinds():
            first = startable.filter(owner=OuterRef("name"), kind=kind.name, bulk=bulk).order_by("due_at", "id")
            owners = Owner.objects.annotate(first_id=Subquery(first.values("id")[:1])).filter(first_id__isnull=False)
            rows = list(owners.values_list("name", "served_at", "first_id"))
            due = dict(
                Job.objects.filter(pk__in=[job_id for _name, _served_at, job_id in rows]).values_list("pk", "due_at")
            )
            turns += [
                (
                    of_kind[kind.name],
                    of_owner[name],
                    served_at.timestamp() if served_at else 0.0,
                    due[job_id],
                    job_id,
                )
                for name, served_at, job_id in rows
                if job_id in due
            ]
        if turns:
            break
    return [turn[-1] for turn in sorted(turns)]


def lease_job(job_id: int) -> Lease | None:
    """One conditional UPDATE: of any number of workers, exactly one gets the row, and exactly one its place."""
    now = timezone.now()
    kind_name, place, owner = Job.objects.values_list("kind", "place", "owner").get(pk=job_id)
    kind = kind_named(kind_name)
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
        if not taken:
            return None
        if place and not Place.objects.take(place, job_id, now):
            transaction.set_rollback(True)
            return None
        Owner.objects.filter(name=owner).update(served_at=now)
        return Lease(Job.objects.get(pk=job_id), kind)
