from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from factcheck.archive.models import Capture, CaptureRequest
from factcheck.archive.services import request_capture
from factcheck.jobs.leases import lease_job
from factcheck.jobs.running import run
from tests import web


@pytest.fixture(autouse=True)
def store(settings: Settings, tmp_path: Path) -> Path:
    settings.BLOBS_DIR = tmp_path / "blobs"
    return tmp_path / "blobs"


@pytest.fixture
def site(settings: Settings) -> Iterator[web.Site]:
    """A web site that captures may reach; its pages are put in by the test."""
    with ExitStack() as stack:
        served = stack.enter_context(web.serve())
        settings.ARCHIVE_ALLOW_LOOPBACK = [served.pair]
        yield served


def attempt(request: CaptureRequest) -> None:
    """What a worker does when it finds the job due."""
    assert request.job is not None
    lease = lease_job(request.job.pk)
    assert lease is not None
    run(lease)


@pytest.fixture
def capture(db: None) -> Callable[..., Capture]:
    """Order a capture and work on it until it is sealed, without patience for a site out of reach."""

    def captured(url: str) -> Capture:
        request = request_capture(url, by=None, patient=False)
        attempt(request)
        return Capture.objects.get(request=request)

    return captured
