"""The sweeper: finds what messages and workers lost. A process of its own, so that it waits for no free worker."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.jobs.leases import wake_followers
from factcheck.jobs.models import Job
from factcheck.jobs.registry import kind_named, periodic_work
from factcheck.jobs.waking import wake

logger = logging.getLogger(__name__)

MOST_WAKES = 8
LONGEST_PAUSE_SECONDS = 60
TIDY_EVERY_SECONDS = 600
OLD_MESSAGE_SECONDS = 3600


@dataclass(frozen=True)
class Swept:
    freed: int
    woken: int


def sweep(*, wakes: bool = True) -> Swept:
    """Free what is past its lease or deadline, and wake workers for what is due."""
    freed = 0
    now = timezone.now()
    for job in Job.objects.expired(now).order_by("id"):
        try:
            freed += _free(job)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            # The other rows must not wait for one whose owner cannot be told.
            logger.exception("Job %s (%s) could not be given up.", job.pk, job.kind)
    woken = len(Job.objects.due(now).values_list("pk")[:MOST_WAKES]) if wakes else 0
    for _each in range(woken):
        wake()
    return Swept(freed, woken)


def _free(job: Job) -> bool:
    now = timezone.now()
    late = job.deadline_at is not None and job.deadline_at < now
    reason = _("The work took longer than allowed.") if late else _("The worker fell silent during the work.")
    kind = kind_named(job.kind)
    # The condition once more: the worker may have ended it, or renewed its lease, since it was read.
    row = Job.objects.expired(now).filter(pk=job.pk, fence=job.fence)
    if job.attempts < kind.max_attempts:
        return bool(
            row.update(
                state=Job.State.QUEUED,
                fence=F("fence") + 1,
                due_at=now,
                reason=reason,
                lease_until=None,
                deadline_at=None,
                stage="",
            )
        )
    with transaction.atomic():
        if not row.update(
            state=Job.State.FAILED, fence=F("fence") + 1, ended_at=now, reason=reason, lease_until=None, stage=""
        ):
            return False
        kind.gave_up(job.subject, reason)
        wake_followers(job.pk)
    return True
