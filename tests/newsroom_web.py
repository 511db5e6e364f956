"""A page of the outer web that a claim rests on, really archived, for tests above the archive."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import override_settings

from factcheck.jobs.running import run_due_jobs
from tests import web


@contextmanager
def site(pages: dict[str, web.Page]) -> Iterator[web.Site]:
    """Serve pages on loopback and let captures reach exactly that port."""
    with web.serve(pages) as served:
        allowed = {
            "ARCHIVE_ALLOW_LOOPBACK": [f"127.0.0.1:{served.port}"],
            "ARCHIVE_PORTS": [*settings.ARCHIVE_PORTS, served.port],
        }
        with override_settings(**allowed):
            yield served


def do_due_work() -> None:
    """What a worker would do now, in this process."""
    while run_due_jobs():
        pass
