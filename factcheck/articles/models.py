import json
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from factcheck.articles.canonical import BlockKind, PlacedBlock
from factcheck.ledger.insert_only import InsertOnly
from factcheck.ledger.models import Text
from factcheck.lib.ids import new_id


class Article(models.Model):
    """A text that the newsroom answers for. Its words are in its revisions."""

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    byline = models.CharField(max_length=200, blank=True)
    date = models.DateField(null=True, blank=True, help_text=_("The day that the article bears."))
    language = models.CharField(max_length=10, default="en")
    url = models.URLField(max_length=2000, blank=True, help_text=_("Where the article stands on our own site."))
    discreet = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Counts the changes of this row, so that a stale form is refused.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def subject(self) -> str:
        return f"article/{self.public_id}"

    @property
    def direction(self) -> str:
        return text_direction(self.language)


class Revision(InsertOnly):
    """One fixed wording of an article."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    # Of the canonical text, UTF-8.
    sha256 = models.CharField(max_length=64)
    text_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    # [{"id", "kind", "start", "end"}]: offsets only, the words are in text_row.
    block_spans = models.JSONField()
    # The bytes as they were handed in, in the blob store.
    original_sha256 = models.CharField(max_length=64)
    # JSON list of the lines that a person agreed to remove.
    removed_row = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["article", "number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="revision_number_once")]

    @property
    def text(self) -> str:
        return self.text_row.body

    @cached_property
    def blocks(self) -> list[PlacedBlock]:
        text = self.text
        spans: list[dict[str, Any]] = self.block_spans
        return [
            PlacedBlock(
                span["id"], BlockKind(span["kind"]), text[span["start"] : span["end"]], span["start"], span["end"]
            )
            for span in spans
        ]

    @property
    def removed(self) -> list[str]:
        if self.removed_row is None or not self.removed_row.body:
            return []
        lines: list[str] = json.loads(self.removed_row.body)
        return lines


def text_direction(language: str) -> str:
    """ "rtl" or "ltr" for an ISO 639 code; an unknown language reads from left to right."""
    try:
        return "rtl" if get_language_info(language)["bidi"] else "ltr"
    except KeyError:
        return "ltr"
