"""Work for the tests. Each begun run leaves a line in a file, each effect a text in the database.

Known to the tests' own process and, by ``worker_app``, to the workers that the tests start.
"""

import os
import threading
from pathlib import Path

from factcheck.jobs.registry import Kind, register
from factcheck.lib.errors import Refusal

# What sleeps for ever sleeps on this, so that the tests' own process can end.
release = threading.Event()


def begun() -> list[str]:
    path = _begun_path()
    return path.read_text().splitlines() if path.exists() else []


def effects() -> list[str]:
    from factcheck.ledger.models import Text

    return list(Text.objects.order_by("id").values_list("body", flat=True))


def _begun_path() -> Path:
    from django.conf import settings

    return Path(settings.VAR) / "begun-by-tests"


def _begin(lease):
    with _begun_path().open("a") as file:
        file.write(f"{lease.subject} {lease.attempt} {os.getpid()}\n")


def _effect(words):
    from factcheck.ledger.services import keep_text

    keep_text(words)


def do(lease):
    _begin(lease)
    with lease.finish():
        _effect(f"did {lease.subject}")


def sleep_then_do(lease):
    _begin(lease)
    release.wait()
    with lease.finish():
        _effect(f"did {lease.subject}")


def sleep_at_first(lease):
    if lease.attempt == 1:
        sleep_then_do(lease)
    else:
        do(lease)


def break_down(lease):
    _begin(lease)
    raise RuntimeError("password=hunter2 at /srv/secret")


def refuse(lease):
    raise Refusal("The page is too large.")


def write_and_break_down(lease):
    with lease.finish():
        _effect(f"half of {lease.subject}")
        raise RuntimeError("in the middle")


def return_without_a_word(lease):
    _begin(lease)


def gave_up(subject, reason):
    _effect(f"gave up {subject}: {reason}")


KINDS = [
    Kind("test.do", do, gave_up, deadline_seconds=60),
    Kind("test.other", do, gave_up, deadline_seconds=60),
    Kind("test.sleep", sleep_then_do, gave_up, deadline_seconds=4, max_attempts=1),
    Kind("test.sleep_at_first", sleep_at_first, gave_up, deadline_seconds=60),
    Kind("test.break_down", break_down, gave_up, deadline_seconds=60, max_attempts=2),
    Kind("test.refuse", refuse, gave_up, deadline_seconds=60, max_attempts=1),
    Kind("test.half", write_and_break_down, gave_up, deadline_seconds=60, max_attempts=1),
    Kind("test.silent", return_without_a_word, gave_up, deadline_seconds=60),
]


def register_all() -> None:
    for kind in KINDS:
        register(kind)
