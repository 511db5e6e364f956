import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from factcheck.jobs import registry
from factcheck.jobs.leases import lease_due_job
from factcheck.jobs.models import Job
from factcheck.jobs.registry import Kind, Periodic, register, register_periodic
from factcheck.jobs.services import enqueue
from factcheck.jobs.sweeping import MOST_WAKES, Sweeper, _Patience, sweep, tidy_broker
from tests.jobs.kinds import effects
from tests.jobs.processes import ROOT, environment, running, until


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    monkeypatch.setattr(registry, "_periodic", {})


def pass_deadline(job):
    Job.objects.filter(pk=job.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_job_past_its_deadline_is_tried_again_until_its_attempts_are_used_up_and_given_up_once():
    job = enqueue("test.do", "claim/aaaa")
    for _attempt in range(3):
        assert lease_due_job()
        pass_deadline(job)
        assert sweep().freed == 1
    assert sweep().freed == 0

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 3)
    assert effects() == ["gave up claim/aaaa: The work took longer than allowed."]


@pytest.mark.django_db
def test_a_job_that_waits_for_one_that_was_given_up_becomes_due():
    job = enqueue("test.sleep", "claim/aaaa")
    after = enqueue("test.do", "claim/bbbb", after=job)
    lease_due_job()
    pass_deadline(job)

    assert sweep().due == (after.pk,)


@pytest.mark.django_db(transaction=True)
def test_an_owner_that_raises_on_being_told_keeps_no_other_row_waiting(own_registry):
    def raise_always(subject, reason):
        raise RuntimeError("a fault in the owner")

    register(Kind("test.deaf", lambda lease: None, raise_always, deadline_seconds=60, max_attempts=1))
    deaf = enqueue("test.deaf", "claim/aaaa")
    other = enqueue("test.sleep", "claim/bbbb")
    for job in (deaf, other):
        lease_due_job()
        pass_deadline(job)

    assert sweep().freed == 1

    # Not closed as failed without its owner knowing it, and told again later.
    deaf.refresh_from_db()
    assert deaf.state == "running"
    assert deaf.lease_until > timezone.now()
    other.refresh_from_db()
    assert other.state == "failed"


@pytest.mark.django_db
def test_a_sweep_wakes_no_more_than_so_many_workers():
    for number in range(MOST_WAKES + 3):
        enqueue("test.do", f"claim/{number}")

    assert len(sweep().due) == MOST_WAKES


def test_rows_that_stay_due_are_woken_for_less_and_less_often(settings):
    settings.SWEEP_EVERY_SECONDS = 2
    patience = _Patience()

    woken_at = [now for now in range(0, 300, 2) if patience.wakes((1, 2), now)]

    assert woken_at == [0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert patience.wakes((2, 3), 301) == 2


@pytest.mark.django_db
def test_periodic_work_is_done_at_the_start_and_then_every_so_often(own_registry):
    done = []
    register_periodic(Periodic("test.hourly", 3600, lambda: done.append("hourly")))
    register_periodic(Periodic("test.always", 0, lambda: done.append("always")))
    sweeper = Sweeper()

    sweeper.once()
    sweeper.once()

    assert done == ["hourly", "always", "always"]


@pytest.mark.django_db
def test_periodic_work_that_raises_stops_no_other(own_registry):
    done = []
    register_periodic(Periodic("test.broken", 0, lambda: 1 // 0))
    register_periodic(Periodic("test.whole", 0, lambda: done.append("whole")))

    Sweeper().once()

    assert done == ["whole"]


def test_only_old_messages_are_tidied_away(settings, tmp_path):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"processed_folder": str(tmp_path), "data_folder_in": str(tmp_path)}
    old, new, other = tmp_path / "1.celery.msg", tmp_path / "2.celery.msg", tmp_path / "keep.txt"
    for path in (old, new, other):
        path.write_text("{}")
    for path in (old, other):
        os.utime(path, (time.time() - 7200, time.time() - 7200))

    assert tidy_broker() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.celery.msg", "keep.txt"]


def test_the_sweeper_lives_through_a_database_that_is_not_there_and_ends_when_asked(tmp_path, db):
    log = tmp_path / "sweeper.log"
    folder = tmp_path / "place"
    url = f"sqlite:///{folder / 'late.sqlite3'}"
    place = {"DATABASE_URL": url, "SWEEP_EVERY_SECONDS": "0.2", "FACTCHECK_VAR": str(tmp_path / "var")}
    with running("manage.py", "sweeper", "--skip-checks", log=log, **place) as sweeper:
        until(lambda: "The sweep failed" in log.read_text(), log=log)

        folder.mkdir()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--skip-checks"], cwd=ROOT, env=environment(**place), check=True,
            capture_output=True,
        )  # fmt: skip
        record_by_hand(folder / "late.sqlite3")
        until(lambda: leaves(folder / "late.sqlite3") == 1, log=log)

        assert sweeper.poll() is None
        sweeper.send_signal(signal.SIGTERM)
        assert sweeper.wait(60) == 0


def record_by_hand(path: Path) -> None:
    database = sqlite3.connect(path, timeout=20)
    with database:
        database.execute("INSERT INTO ledger_text VALUES (1, ?, ?, '{}', '')", ["0" * 64, "0" * 64])
        database.execute(
            "INSERT INTO ledger_entry (id, action, subject, actor, at, commitment, opening_id)"
            " VALUES (1, 'claim.marked', 'claim/a', '', '2026-11-24 00:00:00', ?, 1)",
            ["0" * 64],
        )
    database.close()


def leaves(path: Path) -> int:
    database = sqlite3.connect(path, timeout=20)
    (count,) = database.execute("SELECT count(*) FROM ledger_leaf").fetchone()
    database.close()
    return count
