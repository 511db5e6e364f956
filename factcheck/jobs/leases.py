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
from django.db import connection, transaction
from django.db.models import F
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
        """What the work found and the end of the job, in one transaction: both or, with LostLease, neither.

        The job's row comes first, as for all who end a job: who lock a job and what it is about crosswise, wait for
        each other until the database breaks one of them off.
        """
        with transaction.atomic():
            self._end(Job.State.DONE, reason="")
            yield
        self.closed = True

    def retry(self, due_at: datetime, reason: str, *, place_free_at: datetime | None = None) -> bool:
        """Try again at ``due_at``. After the last attempt this is ``fail``; True if it will be tried again.

        With ``place_free_at`` nobody works at the same place before that time.
        Call it inside ``transaction.atomic()`` to keep it together with writes of your own.
        """
        if self.is_last_attempt:
            self.fail(reason)
            return False
        with transaction.atomic():
            self._update(
                state=Job.State.QUEUED, due_at=due_at, reason=reason, lease_until=None, deadline_at=None, stage=""
            )
            leave_place(self.job_id, free_at=place_free_at)
        self.closed = True
        return True

    def take_place(self, place: str) -> bool:
        """Have one more place until the attempt ends; False where another job is there, or was a moment ago.

        Raises LostLease if the work is somebody else's now.
        """
        with transaction.atomic():
            # The job first, as in every end of an attempt: what is not held takes nothing.
            self._update(lease_until=timezone.now() + lease_length())
            mine = Place.objects.filter(name=place, job=self.job_id).exists()
            return mine or Place.objects.take(place, self.job_id, timezone.now())

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


def leave_place(job_id: int, *, free_at: datetime | None = None) -> None:
    """In the transaction that ends the attempt, after its fenced write: who lost the job frees nothing.

    What waits for the place is found by the sweeper, or at once by this worker if there is no pause.
    """
    pause = timezone.now() + place_pause()
    Place.objects.leave(job_id, max(pause, free_at) if free_at else pause)


def place_pause() -> timedelta:
    """Between the end of a job at a place and the start of the next."""
    return timedelta(seconds=settings.CAPTURE_HOST_SPACING_SECONDS)


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


# In words of its own, because Django spends several milliseconds on such a question and the database a tenth of one;
# what may begin is what ``JobQuerySet.startable`` says. ``column1`` is the name of VALUES' first column everywhere.
_FIRST_OF_EACH_OWNER_AND_KIND = """
    SELECT job.id
    FROM jobs_owner AS owner
    CROSS JOIN (VALUES {kinds}) AS kind
    JOIN jobs_job AS job ON job.id = (
        SELECT waiting.id
        FROM jobs_job AS waiting
        WHERE waiting.owner = owner.name AND waiting.kind = kind.column1 AND waiting.bulk = %s
            AND waiting.state = 'queued' AND waiting.due_at <= %s
            AND NOT EXISTS (
                SELECT 1 FROM jobs_job AS before
                WHERE before.id = waiting.after_id AND before.state IN ('queued', 'running')
            )
            AND NOT EXISTS (
                SELECT 1 FROM jobs_place AS place
                WHERE place.name = waiting.place AND (place.job_id IS NOT NULL OR place.free_at > %s)
            )
        ORDER BY waiting.due_at, waiting.id
        LIMIT 1
    )
    ORDER BY
        (SELECT COUNT(*) FROM jobs_job AS running WHERE running.state = 'running' AND running.kind = kind.column1),
        (SELECT COUNT(*) FROM jobs_job AS running WHERE running.state = 'running' AND running.owner = owner.name),
        CASE WHEN owner.served_at IS NULL THEN 0 ELSE 1 END,
        owner.served_at, job.due_at, job.id
"""


def _candidates() -> list[int]:
    """The first job of each owner and kind, in the order in which they are to be tried.

    Each is the first entry of an index that may begin: the cost grows with owners and kinds, and not with what
    waits, but for what waits before it for a busy place or for another job.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    names = [kind.name for kind in kinds()]
    question = _FIRST_OF_EACH_OWNER_AND_KIND.format(kinds=", ".join(["(%s)"] * len(names)))
    for bulk in (False, True):
        with connection.cursor() as cursor:
            cursor.execute(question, [*names, bulk, now, now])
            if found := [job_id for (job_id,) in cursor.fetchall()]:
                return found
    return []


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
