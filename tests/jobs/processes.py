"""Real processes on the test database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]
WORKER = ["-m", "celery", "-A", "tests.jobs.worker_app", "worker", "-P", "threads", "-c", "4"]
WORKER += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]


def database_url() -> str:
    place = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{place['NAME']}"
    # A socket's folder as host is written in the query.
    host = place["HOST"]
    person = f"{quote(place['USER'])}:{quote(place['PASSWORD'])}" if place["USER"] else ""
    return f"postgres://{person}@{quote(host, safe='')}:{place['PORT'] or 5432}/{place['NAME']}"


def environment(**more: str) -> dict[str, str]:
    own = {
        "DATABASE_URL": database_url(),
        "FACTCHECK_VAR": str(settings.VAR),
        "FACTCHECK_TESTING": "1",
        "JOB_LEASE_SECONDS": "2",
    }
    return os.environ | own | more


@contextmanager
def running(*arguments: str, log: Path, **more: str) -> Iterator[subprocess.Popen]:
    """A Python process with the arguments; killed at the end if it still runs. Its output is in ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment(**more), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition: Callable[[], object], *, log: Path | None = None, seconds: float = 60) -> None:
    """Look again and again; the limit is only so that a broken product does not hang the tests."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"It never came true.\n{log.read_text() if log and log.exists() else ''}")
        time.sleep(0.05)
