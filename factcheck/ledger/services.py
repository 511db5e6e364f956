import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from factcheck.ledger.actions import Action
from factcheck.ledger.commitments import SALT_BYTES, canonical_entry, leaf_hash, salted_sha256
from factcheck.ledger.errors import LedgerError
from factcheck.ledger.models import Entry, Leaf, Text

logger = logging.getLogger(__name__)

SEQUENCE_BATCH = 500
# On PostgreSQL a smaller id may be committed after a larger one. So far back a young transaction is
# looked for at every run; an older one is found by the run over everything.
SEQUENCE_LOOKS_BACK = 10_000
# Any number that nobody else in this database locks.
_SEQUENCE_LOCK = 0x6C6561766573
_SUBJECT = re.compile(r"[a-z]+(-[a-z]+)*/[^\s/]+")


def keep_text(body: str) -> Text:
    salt = secrets.token_bytes(SALT_BYTES)
    return Text.objects.create(sha256=salted_sha256(salt, body), salt=salt.hex(), body=body)


def erase_text(text: Text, *, erasure: str) -> None:
    """Empty the words and their salt; the hash stays, and nothing that was proved loses its proof."""
    if not erasure:
        raise ValueError("An erasure has an id.")
    if not Text.objects.filter(pk=text.pk, erased_by="").update(body="", salt="", erased_by=erasure):
        raise LedgerError("The text is erased already.")
    text.refresh_from_db()


def record(action: Action, subject: str, facts: dict[str, Any], *, by: str | None) -> Entry:
    """Write down that something happened: the last line of a service, inside its transaction.

    ``by`` is a person's ``actor_id``, None for the machine. ``facts`` is whatever canonical JSON takes:
    ids, hashes, numbers, short words; it is disclosed whole when its subject is published.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is recorded in the transaction of what it records.")
    if not _SUBJECT.fullmatch(subject):
        raise ValueError(f"A subject is a kind and an id, like claim/7q2km4tz, not {subject!r}.")
    action, actor, at = Action(action), by or "", timezone.now()
    opening = keep_text(canonical_entry(action=action, subject=subject, actor=actor, at=at, facts=facts))
    return Entry.objects.create(
        action=action, subject=subject, actor=actor, at=at, commitment=opening.sha256, opening=opening
    )


def sequence(*, everything: bool = False) -> int:
    """Give each entry that has no leaf yet the next index, in the order of ids; how many were given.

    The cost follows the new entries, not the log. ``everything`` looks through the whole log,
    for an entry whose transaction stayed open while thousands of later ones were committed.
    """
    given = 0
    # Most runs find nothing, and finding nothing takes no lock.
    while pending_entries(everything=everything).exists():
        with _synchronous_full(), transaction.atomic():
            _lock_the_log()
            last = Leaf.objects.order_by("-index").first()
            size = last.index + 1 if last else 0
            batch = pending_entries(everything=everything).order_by("id")[:SEQUENCE_BATCH]
            leaves = [
                Leaf(index=size + place, entry_id=entry.pk, leaf_hash=leaf_hash(entry.commitment).hex())
                for place, entry in enumerate(batch.only("id", "commitment"))
            ]
            Leaf.objects.bulk_create(leaves)
        given += len(leaves)
    return given


def pending_entries(*, everything: bool = True) -> QuerySet[Entry]:
    pending = Entry.objects.filter(~Exists(Leaf.objects.filter(entry=OuterRef("pk"))))
    last = None if everything else Leaf.objects.order_by("-index").first()
    return pending.filter(pk__gt=last.entry_id - SEQUENCE_LOOKS_BACK) if last else pending


def _lock_the_log() -> None:
    # On SQLite the transaction began with BEGIN IMMEDIATE and is the only writer there is.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEQUENCE_LOCK])


@contextmanager
def _synchronous_full() -> Iterator[None]:
    """An index, once given, is never given again, not even after the power failed: SQLite must fsync."""
    # SQLite ignores the pragma inside a transaction.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA synchronous={int(before)}")
