"""What happened, what of it stands in the log, and the long words that can be erased."""

from django.db import models

from factcheck.ledger.insert_only import InsertOnly


class Text(models.Model):
    """Long words, kept apart from the rows that cite them so that they can be erased.

    ``sha256`` is the SHA-256, in hex, of the 32 bytes of ``salt`` followed by the UTF-8 of ``body``.
    The one change that the database permits is an erasure: body and salt become empty together, and
    ``erased_by`` names the erasure. The salt goes too because short words could be guessed from it.
    """

    sha256 = models.CharField(max_length=64)
    salt = models.CharField(max_length=64, blank=True)
    body = models.TextField(blank=True)
    erased_by = models.CharField(max_length=20, blank=True, default="")


class Entry(InsertOnly):
    """That something happened. Its bytes and their salt are the opening; the log has the commitment only."""

    # One of ``actions.Action``; without choices, because a new action needs no migration.
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)
    # A person's random id; empty when a command or a job of the machine acted.
    actor = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()
    commitment = models.CharField(max_length=64)
    opening = models.OneToOneField(Text, on_delete=models.PROTECT, related_name="opens")

    class Meta:
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["subject", "id"], name="ledger_entry_subject")]


class Leaf(InsertOnly):
    """The place of an entry in the log: indexes begin at 0 and have no gap."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="leaf")
    leaf_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "leaves"
        constraints = [models.CheckConstraint(condition=models.Q(index__gte=0), name="leaf_index_from_0")]
