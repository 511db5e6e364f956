"""A worker that is killed again and again: every page is sealed once, every passage found once."""

import os
import signal
import time
from pathlib import Path

import pytest

from factcheck.archive import blobs
from factcheck.archive.models import Capture
from factcheck.evidence.models import Evidence, PassageCheck
from factcheck.evidence.services import Argument, attach_page
from factcheck.jobs.models import Job
from factcheck.ledger.models import Entry
from tests import factories, web
from tests.jobs.processes import running, until
from tests.newsroom_web import site

PAGES = 12
KILLS = 6
WORKER = ("-m", "celery", "-A", "factcheck", "worker", "-P", "threads", "-c", "4")
QUIET = ("--without-gossip", "--without-mingle", "--loglevel", "WARNING")


def slow_page(number: int) -> web.Page:
    def answer(visit: web.Visit) -> None:
        visit.pause(0.3)
        visit.send(web.page(f"<title>Budget {number}</title><p>Repair {number} will cost {number}0 million euros.</p>"))

    return answer


@pytest.mark.full
@pytest.mark.django_db(transaction=True)
def test_a_storm_of_kills_leaves_one_capture_and_one_check_for_each_page(tmp_path: Path):
    with site({f"/{number}": slow_page(number) for number in range(PAGES)}) as served:
        environment = {
            "ARCHIVE_ALLOW_LOOPBACK": served.pair,
            "ARCHIVE_PORTS": str(served.port),
            "JOB_LEASE_SECONDS": "1",
            "SWEEP_EVERY_SECONDS": "0.2",
        }
        claim = factories.claim()
        for number in range(PAGES):
            quote = f"Repair {number} will cost {number}0 million euros."
            argument = Argument(stance="for", quote=quote, confirms_so=True)
            attach_page(claim, url=served.url(f"/{number}"), argument=argument, by=factories.reporter())

        with running("manage.py", "sweeper", log=tmp_path / "sweeper", **environment):
            for _kill in range(KILLS):
                with running(*WORKER, *QUIET, log=tmp_path / "worker", **environment) as worker:
                    until(
                        lambda: Job.objects.filter(state=Job.State.RUNNING).exists() or done(), log=tmp_path / "worker"
                    )
                    # Somewhere in the middle of what it has begun: where exactly is the storm's affair.
                    time.sleep(0.15)
                    os.kill(worker.pid, signal.SIGKILL)
            with running(*WORKER, *QUIET, log=tmp_path / "worker", **environment):
                until(done, log=tmp_path / "worker", seconds=240)

    captures = list(Capture.objects.all())
    assert [capture.outcome for capture in captures] == ["captured"] * PAGES
    assert Entry.objects.filter(action="capture.sealed").count() == PAGES
    assert PassageCheck.objects.filter(outcome="exact").count() == PassageCheck.objects.count() == PAGES
    assert Evidence.objects.count() == PAGES
    for capture in captures:
        assert blobs.verify(capture.warc_sha256) == capture.warc_bytes


def done() -> bool:
    return not Job.objects.filter(state__in=Job.UNFINISHED).exists()
