"""kill -9 in the middle of a capture: afterwards there is one capture, one entry, and no file lost."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from factcheck.archive import blobs
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.models import Capture, CaptureRequest, Engine
from factcheck.archive.services import request_capture
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job
from factcheck.jobs.running import run
from factcheck.jobs.sweeping import sweep
from factcheck.ledger.models import Entry
from tests import web
from tests.archive.conftest import attempt

ARTICLE = "<p>The dam cost 40 million euros.</p>" * 60

# A worker of its own process, on this test's database and store.
WORKER = """
import os, signal, sys
import tests.environment
import django
from django.conf import settings
database, settings.BLOBS_DIR, pair, stage, job = sys.argv[1:6]
settings.ARCHIVE_ALLOW_LOOPBACK = [pair]
settings.DATABASES["default"]["NAME"] = database
django.setup()
from factcheck.archive import capturing
from factcheck.jobs.leases import Lease, lease_job
from factcheck.jobs.running import run

def reached(name, show=Lease.stage):
    def stage(lease, name):
        show(lease, name)
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
    wanted = name
    return stage

if stage == "sealing":
    def sealing(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)
    capturing.seal_capture = sealing
else:
    Lease.stage = reached(stage)
run(lease_job(int(job)))
"""


@contextmanager
def _worker(site: web.Site, store: Path, stage: str, job: Job) -> Iterator[subprocess.Popen[bytes]]:
    database = connection.settings_dict["NAME"]
    environment = os.environ | {"FACTCHECK_TEST_VAR": os.environ["FACTCHECK_VAR"]}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(database), str(store), site.pair, stage, str(job.pk)],
        cwd=project.BASE_DIR,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("engine", "stage"),
    [
        *((Engine.HTTP, stage) for stage in ("fetching", "extracting", "requisites", "storing", "sealing")),
        *((Engine.BROWSER, stage) for stage in ("opening", "scrolling", "photographing", "printing")),
        *((Engine.BROWSER, stage) for stage in ("extracting", "storing", "sealing")),
    ],
)
def test_a_worker_killed_in_mid_capture_leaves_in_the_end_one_capture_and_one_entry(
    site: web.Site, store: Path, engine: Engine, stage: str
) -> None:
    if engine is Engine.BROWSER and not browser_available():
        pytest.skip("needs Chromium and the extra 'browser'")
    page = f"{ARTICLE}<img src=/a.png>"
    site.pages.update({"/": web.page(page), "/a.png": web.page(b"\x89PNG\r\n\x1a\nx", media_type="image/png")})
    request = request_capture(site.url("/"), by=None, engine=engine)
    job = request.job
    assert job is not None

    with _worker(site, store, stage, job) as process:
        assert process.wait(timeout=60) == -signal.SIGKILL

    assert not Capture.objects.exists()
    assert Job.objects.get(pk=job.pk).state == Job.State.RUNNING
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    attempt(request)

    sealed = Capture.objects.get()
    assert (sealed.outcome, sealed.attempts, sealed.requisites_kept) == ("captured", 2, 1)
    assert Entry.objects.filter(action="capture.sealed").count() == 1
    assert (sealed.renderings.count() > 0) is (engine is Engine.BROWSER)
    assert blobs.verify(sealed.body_sha256) == len(page)
    assert blobs.verify(sealed.warc_sha256) == sealed.warc_bytes


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_only_slow_seals_nothing_after_another_has_its_job(
    site: web.Site, settings: Settings
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(visit: web.Visit) -> None:
        asked.set()
        go_on.wait(30)
        visit.send(web.page(ARTICLE))

    site.pages["/"] = slow
    request = request_capture(site.url("/"), by=None)
    assert request.job is not None
    first = lease_job(request.job.pk)
    assert first is not None

    def work() -> None:
        run(first)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert asked.wait(30)
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    Job.objects.update(due_at=timezone.now())
    site.pages["/"] = web.page(ARTICLE)
    attempt(request)
    go_on.set()
    worker.join(30)

    assert Capture.objects.get().attempts == 2
    assert Entry.objects.filter(action="capture.sealed").count() == 1
    assert CaptureRequest.objects.get().state == CaptureRequest.State.SEALED
