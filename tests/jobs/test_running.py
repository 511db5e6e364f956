import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from factcheck.jobs.leases import lease_due_job
from factcheck.jobs.models import Job
from factcheck.jobs.running import _beat, run_due_jobs, stopping
from factcheck.jobs.services import enqueue
from factcheck.jobs.sweeping import sweep
from factcheck.jobs.tasks import work
from tests.jobs import kinds
from tests.jobs.kinds import begun, effects
from tests.jobs.processes import ROOT, WORKER, environment, running, until


def state(job):
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def due_now(job):
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())


def empty_the_queue():
    """What a crash does to messages; true when there was one to lose."""
    messages = list(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]).glob("*.msg"))
    for message in messages:
        message.unlink(missing_ok=True)
    return bool(messages)


@pytest.mark.django_db(transaction=True)
def test_delivering_ten_times_does_the_work_once():
    enqueue("test.do", "claim/aaaa")

    for _ in range(10):
        work()

    assert effects() == ["did claim/aaaa"]
    assert len(begun()) == 1


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_do_every_job_once():
    subjects = [f"claim/{number}" for number in range(12)]
    for subject in subjects:
        enqueue("test.do", subject)

    def worker(_number):
        try:
            return run_due_jobs()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(worker, range(4)))

    assert sum(counts) == 12
    assert sorted(effects()) == sorted(f"did {subject}" for subject in subjects)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_stop_begins_no_other_job():
    job = enqueue("test.do", "claim/aaaa")
    stopping.set()
    try:
        assert run_due_jobs() == 0
    finally:
        stopping.clear()
    assert state(job) == "queued"

    assert run_due_jobs() == 1


@pytest.mark.django_db(transaction=True)
def test_work_that_returns_without_a_word_is_done():
    job = enqueue("test.silent", "claim/aaaa")

    run_due_jobs()

    assert state(job) == "done"


@pytest.mark.django_db(transaction=True)
def test_work_that_raises_is_tried_again_later_and_then_given_up_once(caplog):
    job = enqueue("test.break_down", "claim/aaaa")

    run_due_jobs()
    job.refresh_from_db()
    assert job.state == "queued"
    assert job.due_at > timezone.now()
    assert effects() == []

    due_now(job)
    run_due_jobs()
    run_due_jobs()
    sweep()

    assert state(job) == "failed"
    assert effects() == ["gave up claim/aaaa: The work ended with an internal error."]
    assert len(begun()) == 2


@pytest.mark.django_db(transaction=True)
def test_what_a_library_says_is_in_the_log_and_not_on_the_desk(caplog):
    job = enqueue("test.break_down", "claim/aaaa")

    with caplog.at_level(logging.ERROR):
        run_due_jobs()

    job.refresh_from_db()
    assert job.reason == "The work ended with an internal error."
    assert "hunter2" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_refusal_of_the_product_is_the_reason_word_for_word():
    job = enqueue("test.refuse", "claim/aaaa")

    run_due_jobs()

    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "The page is too large.")


@pytest.mark.django_db(transaction=True)
def test_half_of_what_the_work_writes_is_never_there():
    job = enqueue("test.half", "claim/aaaa")

    run_due_jobs()

    assert state(job) == "failed"
    assert effects() == ["gave up claim/aaaa: The work ended with an internal error."]


@pytest.mark.django_db
def test_the_heartbeat_stops_at_the_deadline(settings):
    settings.JOB_LEASE_SECONDS = 0.01
    job = enqueue("test.do", "claim/aaaa")
    lease = lease_due_job()
    lease._deadline = 0.0
    before = Job.objects.get(pk=job.pk).lease_until

    # In a thread of its own, since it closes its connection; it would not return before the deadline.
    beating = threading.Thread(target=_beat, args=(lease, threading.Event()), daemon=True)
    beating.start()
    beating.join(30)

    assert not beating.is_alive()
    assert Job.objects.get(pk=job.pk).lease_until == before


@pytest.mark.django_db(transaction=True)
def test_work_that_sleeps_for_ever_with_a_live_heartbeat_ends_once_at_its_deadline(settings):
    settings.JOB_LEASE_SECONDS = 1.5
    job = enqueue("test.sleep", "claim/aaaa")

    def worker():
        try:
            run_due_jobs()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(worker)
        until(lambda: begun())
        deadline_at = Job.objects.get(pk=job.pk).deadline_at
        until(lambda: sweep() and state(job) == "failed")
        kinds.release.set()
        late.result()

    job.refresh_from_db()
    assert job.state == "failed"
    # The heartbeat was alive: had it not been, the lease of 1.5 seconds would have ended it sooner.
    assert job.ended_at >= deadline_at
    assert effects() == ["gave up claim/aaaa: The work took longer than allowed."]
    assert len(begun()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_mid_job_costs_a_lease_and_the_work_is_done_once(tmp_path):
    log = tmp_path / "workers.log"
    job = enqueue("test.sleep_at_first", "claim/aaaa")
    with running(*WORKER, log=log) as first:
        until(lambda: sweep() and begun(), log=log)
        first.kill()
        first.wait()
    assert state(job) == "running"

    with running(*WORKER, log=log) as second:
        until(lambda: sweep() and state(job) == "done", log=log)
        pids = [int(line.split()[-1]) for line in begun()]
        assert pids == [first.pid, second.pid]

    assert effects() == ["did claim/aaaa"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_the_work_by_the_message_alone_and_ends_when_asked(tmp_path):
    log = tmp_path / "worker.log"
    with running(*WORKER, log=log) as worker:
        job = enqueue("test.do", "claim/aaaa")
        after = enqueue("test.other", "claim/bbbb", after=job)
        until(lambda: state(after) == "done", log=log)
        worker.terminate()
        assert worker.wait(60) == 0

    assert effects() == ["did claim/aaaa", "did claim/bbbb"]


@pytest.mark.django_db(transaction=True)
def test_a_lost_message_is_said_again_by_the_sweeper(tmp_path):
    if not settings.CELERY_BROKER_URL.startswith("filesystem"):
        pytest.skip("does not apply: only the file-system broker has a folder that can be emptied")
    log = tmp_path / "worker.log"
    empty_the_queue()
    job = enqueue("test.do", "claim/aaaa")
    assert empty_the_queue()

    with running(*WORKER, log=log):
        until(lambda: "ready" in log.read_text(), log=log)
        assert state(job) == "queued"
        sweep()
        until(lambda: state(job) == "done", log=log)

    assert effects() == ["did claim/aaaa"]


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_sends_no_message():
    if not settings.CELERY_BROKER_URL.startswith("filesystem"):
        pytest.skip("does not apply: only the file-system broker has a folder to look into")
    empty_the_queue()

    with transaction.atomic():
        enqueue("test.do", "claim/aaaa")
        transaction.set_rollback(True)

    assert not empty_the_queue()
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_broken_broker_does_not_lose_the_order(tmp_path):
    program = """
import django; django.setup()
from tests.jobs import kinds; kinds.register_all()
from django.db import transaction
from factcheck.jobs.services import enqueue
with transaction.atomic():
    enqueue("test.do", "claim/aaaa")
print("answered")
"""
    # Nobody listens on port 1.
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(BROKER_URL="amqp://127.0.0.1:1//", DJANGO_SETTINGS_MODULE=settings.SETTINGS_MODULE),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.stdout == "answered\n", ran.stderr
    assert "No worker could be told" in ran.stderr
    run_due_jobs()
    assert effects() == ["did claim/aaaa"]


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_expired_goes_to_another_worker_at_once():
    job = enqueue("test.do", "claim/aaaa")
    lease_due_job()
    assert sweep().freed == 0

    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    assert sweep().freed == 1
    job.refresh_from_db()
    assert job.reason == "The worker fell silent during the work."
    run_due_jobs()
    assert state(job) == "done"
