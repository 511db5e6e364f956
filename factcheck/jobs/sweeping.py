"""The sweeper finds what messages and workers lost. A process of its own, so that it waits for no free worker."""

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.jobs.leases import leave_place, wake_followers
from factcheck.jobs.models import Job, Place
from factcheck.jobs.registry import Periodic, kind_named, periodic_work
from factcheck.jobs.waking import wake

logger = logging.getLogger(__name__)

MOST_WAKES = 8
LONGEST_PAUSE_SECONDS = 60
# When the owner of a job raises on being told that it failed, it is told again so much later.
TELL_AGAIN_SECONDS = 60
TIDY_EVERY_SECONDS = 600
# No sweep is kept longer than by so many rows.
MOST_DELETED = 1000
OLD_MESSAGE_SECONDS = 3600


@dataclass(frozen=True)
class Swept:
    """How many rows were freed, and the first due rows, at most ``MOST_WAKES``."""

    freed: int
    due: tuple[int, ...]


def sweep() -> Swept:
    """Free every row past its lease or deadline, and wake a worker for each due row, up to ``MOST_WAKES``."""
    swept = _sweep_rows()
    for _each in swept.due:
        wake()
    return swept


class Sweeper:
    """What one sweeping process remembers: when it did its periodic work, and whom it woke in vain."""

    def __init__(self) -> None:
        self._next_at: dict[str, float] = {}
        self._patience = _Patience()

    def once(self) -> Swept:
        swept = _sweep_rows()
        for _each in range(self._patience.wakes(swept.due, time.monotonic())):
            wake()
        own = [
            Periodic("jobs.tidy_broker", TIDY_EVERY_SECONDS, tidy_broker),
            Periodic("jobs.tidy_rows", TIDY_EVERY_SECONDS, tidy_rows),
        ]
        for periodic in [*periodic_work(), *own]:
            if time.monotonic() >= self._next_at.get(periodic.name, 0.0):
                self._next_at[periodic.name] = time.monotonic() + periodic.every_seconds
                self._run(periodic)
        return swept

    def _run(self, periodic: Periodic) -> None:
        try:
            periodic.run()
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.exception("The periodic work %s raised; it is due again as usual.", periodic.name)


@dataclass
class _Patience:
    """Wakes less and less often while the same rows stay due.

    Nobody is there to take them then, and the messages would pile up by the thousand.
    """

    seen: tuple[int, ...] = ()
    again_at: float = 0.0
    pause: float = field(default_factory=lambda: settings.SWEEP_EVERY_SECONDS)

    def wakes(self, due: tuple[int, ...], now: float) -> int:
        if due != self.seen:
            self.seen, self.pause = due, settings.SWEEP_EVERY_SECONDS
        elif now < self.again_at:
            return 0
        else:
            self.pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        self.again_at = now + self.pause
        return len(due)


def _sweep_rows() -> Swept:
    freed = 0
    now = timezone.now()
    for job in Job.objects.expired(now).order_by("id"):
        try:
            freed += _free(job)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            # The other rows must not wait for one whose owner cannot be told.
            logger.exception("Job %s (%s, %s) could not be ended.", job.pk, job.kind, job.subject)
            later = timezone.now() + timedelta(seconds=TELL_AGAIN_SECONDS)
            Job.objects.held(job.pk, job.fence).update(lease_until=later, deadline_at=later)
    # Who was at a cancelled job and has not left by its deadline has died.
    Place.objects.of_ended().filter(job__deadline_at__lt=now).update(job=None, free_at=now)
    due = Job.objects.startable(timezone.now()).order_by("due_at", "id").values_list("pk", flat=True)
    return Swept(freed, tuple(due[:MOST_WAKES]))


def _free(job: Job) -> bool:
    now = timezone.now()
    late = job.deadline_at is not None and job.deadline_at < now
    reason = _("The work took longer than allowed.") if late else _("The worker fell silent during the work.")
    kind = kind_named(job.kind)
    # The condition once more: the worker may have ended it, or renewed its lease, since it was read.
    row = Job.objects.expired(now).filter(pk=job.pk, fence=job.fence)
    taken: dict[str, Any] = {"fence": F("fence") + 1, "taken_back": F("taken_back") + 1, "taken_back_at": now}
    if job.attempts < kind.max_attempts:
        with transaction.atomic():
            freed = row.update(
                state=Job.State.QUEUED, due_at=now, reason=reason, lease_until=None, deadline_at=None, stage="", **taken
            )
            if freed:
                leave_place(job.pk)
        return bool(freed)
    with transaction.atomic():
        if not row.update(state=Job.State.FAILED, ended_at=now, reason=reason, lease_until=None, stage="", **taken):
            return False
        leave_place(job.pk)
        kind.gave_up(job.subject, reason)
        wake_followers(job.pk)
    return True


def tidy_broker() -> int:
    """Delete old files of the file-system broker: messages that were taken, and those that expired untaken."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    before = time.time() - OLD_MESSAGE_SECONDS
    deleted = 0
    for folder in {options[name] for name in ("processed_folder", "data_folder_in") if name in options}:
        for message in Path(folder).glob("*.msg*"):
            try:
                if message.stat().st_mtime < before:
                    message.unlink()
                    deleted += 1
            except FileNotFoundError:
                continue
    return deleted


def tidy_rows() -> int:
    """Delete jobs that ended JOB_KEEP_DAYS ago, and places where nothing happened for a day; how many jobs.

    One that another still names as what it waits for stays until that one goes.
    """
    now = timezone.now()
    Place.objects.filter(job__isnull=True, free_at__lt=now - timedelta(days=1)).delete()
    old = Job.objects.filter(ended_at__lt=now - timedelta(days=settings.JOB_KEEP_DAYS))
    followers = Job.objects.filter(after=OuterRef("pk"))
    ids = list(old.filter(~Exists(followers)).order_by("ended_at").values_list("pk", flat=True)[:MOST_DELETED])
    deleted: int = Job.objects.filter(pk__in=ids).delete()[0] if ids else 0
    return deleted
