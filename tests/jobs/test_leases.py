import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from factcheck.jobs.errors import LostLease
from factcheck.jobs.leases import lease_due_job, lease_job
from factcheck.jobs.models import Job
from factcheck.jobs.services import enqueue
from factcheck.jobs.sweeping import sweep
from tests.jobs.kinds import effects
from tests.jobs.processes import until


def at_once(count, act):
    """Run ``act`` in so many threads that start together, each with a connection of its own."""
    gate = threading.Barrier(count)

    def one(_number):
        try:
            gate.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def take_without_condition(job_id):
    return Job.objects.filter(pk=job_id).update(state="running", lease_until=timezone.now(), deadline_at=timezone.now())


def expire(job):
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_want_the_same_row_exactly_one_gets_it():
    job = enqueue("test.do", "claim/aaaa")

    leases = at_once(4, lambda: lease_job(job.pk))

    assert len([lease for lease in leases if lease]) == 1
    # The same race without the condition, to know that it is one.
    assert at_once(4, lambda: take_without_condition(job.pk)) == [1, 1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waited_for_anothers_update_does_not_get_the_row_as_well():
    job = enqueue("test.do", "claim/aaaa")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert lease_job(job.pk)

            def second():
                try:
                    return lease_job(job.pk)
                finally:
                    connection.close()

            waiting = pool.submit(second)
            if connection.vendor == "postgresql":
                until(somebody_waits_for_a_lock)
        assert waiting.result() is None


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_job_is_not_taken_before_it_is_due():
    job = enqueue("test.do", "claim/aaaa", due_at=timezone.now() + timedelta(hours=1))

    assert lease_due_job() is None

    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert lease_due_job().job_id == job.pk


@pytest.mark.django_db
def test_a_job_after_another_is_not_taken_until_that_one_has_ended():
    first = enqueue("test.do", "claim/aaaa")
    second = enqueue("test.do", "claim/bbbb", after=first)

    lease = lease_due_job()
    assert lease.job_id == first.pk
    assert lease_due_job() is None
    assert lease_job(second.pk) is None

    with lease.finish():
        pass
    assert lease_due_job().job_id == second.pk


@pytest.mark.django_db
def test_a_job_after_one_that_failed_is_taken_too():
    first = enqueue("test.do", "claim/aaaa")
    second = enqueue("test.do", "claim/bbbb", after=first)

    lease_due_job().fail("The page is gone.")

    assert lease_due_job().job_id == second.pk


@pytest.mark.django_db
def test_a_backlog_of_one_kind_does_not_hold_up_another():
    for number in range(3):
        enqueue("test.do", f"claim/backlog{number}", due_at=timezone.now() - timedelta(hours=1))
    enqueue("test.other", "claim/quick")

    taken = [lease_due_job().subject for _ in range(3)]

    assert taken == ["claim/backlog0", "claim/quick", "claim/backlog1"]


@pytest.mark.django_db
def test_what_a_worker_writes_with_a_lost_lease_is_rolled_back():
    job = enqueue("test.do", "claim/aaaa")
    lease = lease_due_job()
    expire(job)
    sweep()

    from factcheck.ledger.services import keep_text

    with pytest.raises(LostLease), lease.finish():
        keep_text("too late")

    assert effects() == []
    job.refresh_from_db()
    assert job.state == "queued"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "touch",
    [
        lambda lease: lease.stage("fetching"),
        lambda lease: lease.retry(timezone.now(), "The site did not answer."),
        lambda lease: lease.fail("The page is gone."),
    ],
    ids=["stage", "retry", "fail"],
)
def test_a_worker_with_a_lost_lease_is_told_at_its_next_touch(touch):
    job = enqueue("test.do", "claim/aaaa")
    lost = lease_due_job()
    expire(job)
    sweep()
    lease_due_job()

    with pytest.raises(LostLease):
        touch(lost)

    job.refresh_from_db()
    assert (job.state, job.stage, job.fence) == ("running", "", 3)
    assert effects() == []


@pytest.mark.django_db
def test_the_stage_is_shown_while_the_work_runs():
    job = enqueue("test.do", "claim/aaaa")
    lease = lease_due_job()

    lease.stage("fetching")

    job.refresh_from_db()
    assert job.stage == "fetching"


@pytest.mark.django_db
def test_a_retry_is_due_when_the_work_said_and_keeps_the_reason():
    job = enqueue("test.do", "claim/aaaa")
    due_at = timezone.now() + timedelta(minutes=5)

    assert lease_due_job().retry(due_at, "The site did not answer.")

    job.refresh_from_db()
    assert (job.state, job.due_at, job.reason, job.attempts) == ("queued", due_at, "The site did not answer.", 1)
    assert lease_due_job() is None


@pytest.mark.django_db
def test_what_is_put_off_costs_no_attempt_however_often():
    job = enqueue("test.sleep", "claim/aaaa")

    for _time in range(5):
        lease_due_job().put_off(timezone.now(), "Both browsers are in use.")

    job.refresh_from_db()
    assert (job.state, job.attempts, job.reason) == ("queued", 0, "Both browsers are in use.")
    assert lease_due_job().attempt == 1
    assert effects() == []


@pytest.mark.django_db
def test_a_retry_after_the_last_attempt_gives_up():
    job = enqueue("test.sleep", "claim/aaaa")

    assert not lease_due_job().retry(timezone.now(), "The site did not answer.")

    job.refresh_from_db()
    assert job.state == "failed"
    assert job.ended_at is not None
    assert effects() == ["gave up claim/aaaa: The site did not answer."]


@pytest.mark.django_db
def test_work_is_ordered_only_of_a_kind_that_somebody_does():
    with pytest.raises(LookupError, match=r"test\.nobody"):
        enqueue("test.nobody", "claim/aaaa")
