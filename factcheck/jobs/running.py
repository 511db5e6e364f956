"""A worker's part: take due jobs, do them, keep their leases alive, and say how they ended."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.jobs.errors import LostLease
from factcheck.jobs.leases import Lease, lease_due_job, lease_length, place_pause
from factcheck.jobs.models import Job, Place
from factcheck.jobs.waking import wake
from factcheck.lib.errors import FactcheckError

logger = logging.getLogger(__name__)

# One message keeps a thread of the pool no longer than that, plus the job in hand.
TURN_SECONDS = 20
FIRST_RETRY_SECONDS = 10
LONGEST_RETRY_SECONDS = 600

# Set when the worker was asked to stop: the job in hand is finished, no other is begun.
stopping = threading.Event()


def run_due_jobs() -> int:
    """Do due jobs, one by one, until none is due; how many were begun. Running it twice does no harm."""
    end = time.monotonic() + TURN_SECONDS
    begun = 0
    # Once for a turn: a new connection costs as much as taking a job and ending it.
    close_old_connections()
    while not stopping.is_set():
        if time.monotonic() > end:
            wake()
            break
        lease = lease_due_job()
        if lease is None:
            break
        begun += 1
        run(lease)
    return begun


def run(lease: Lease) -> None:
    """Do the work of a lease. Never raises: whatever happens, the row says how it ended or the sweeper will."""
    try:
        try:
            with _heartbeat(lease):
                _attempt(lease)
        except LostLease:
            logger.info("Job %s (%s) was taken over in attempt %s.", lease.job_id, lease.kind.name, lease.attempt)
            # Of a job that somebody else has now, the place is theirs.
            Place.objects.of_ended().filter(job=lease.job_id).update(job=None, free_at=timezone.now() + place_pause())
    except (DatabaseError, InterfaceError):
        logger.exception("The end of job %s could not be written; the sweeper will see to it.", lease.job_id)
        connection.close()


def _attempt(lease: Lease) -> None:
    try:
        lease.kind.run(lease)
        if not lease.closed:
            with lease.finish():
                pass
    except LostLease:
        raise
    except Exception as error:
        logger.exception("Job %s (%s, %s) raised.", lease.job_id, lease.kind.name, lease.subject)
        if not lease.closed:
            # What a library says is for the log: it may hold addresses, paths and secrets.
            reason = str(error) if isinstance(error, FactcheckError) else _("The work ended with an internal error.")
            lease.retry(timezone.now() + backoff(lease.attempt), reason)


def backoff(attempt: int) -> timedelta:
    return timedelta(seconds=min(FIRST_RETRY_SECONDS * 2 ** (attempt - 1), LONGEST_RETRY_SECONDS))


@contextmanager
def _heartbeat(lease: Lease) -> Iterator[None]:
    """Renew the lease from a thread of its own, until the work ends or its deadline passes."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, stop), name=f"job-{lease.job_id}-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(lease: Lease, stop: threading.Event) -> None:
    try:
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3) and lease.seconds_left():
            try:
                if not Job.objects.held(lease.job_id, lease.fence).update(lease_until=timezone.now() + lease_length()):
                    return
            except (DatabaseError, InterfaceError):
                # The database may be back at the next beat, before the lease is over.
                logger.exception("The lease of job %s could not be renewed.", lease.job_id)
                connection.close()
    finally:
        connection.close()
