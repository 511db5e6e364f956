import json
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from factcheck.archive.models import Capture
from factcheck.archive.outcomes import sentence
from factcheck.articles.canonical import BlockKind, PlacedBlock
from factcheck.articles.formats import Format
from factcheck.articles.own_page import Difference
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
    # What they were read as; empty where that was not written down.
    original_format = models.CharField(max_length=10, choices=Format.choices(), blank=True)
    # The copy of a page that the text was taken from, where it was.
    capture = models.ForeignKey(Capture, null=True, on_delete=models.PROTECT, related_name="+")
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


class OwnPageState(models.TextChoices):
    """What was found when our own page was read last."""

    WAITING = "waiting", _("Not read yet")
    SAME = "same", _("As it was published here")
    # It has the words of another revision, or those edits that another one has already.
    OTHER = "other", _("The words of another revision")
    DIFFERS = "differs", _("Differs")
    NOT_ARTICLE = "not_article", _("Little of the article is on it")
    UNREAD = "unread", _("Could not be read")


class OwnPage(models.Model):
    """The page on our own site, as it was when it was read last."""

    article = models.OneToOneField(Article, on_delete=models.PROTECT, related_name="own_page")
    url = models.CharField(max_length=2000, blank=True)
    state = models.CharField(max_length=12, choices=OwnPageState, default=OwnPageState.WAITING)
    # The published revision that it was compared with, and the latest one, which a new one would follow.
    published = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="+")
    latest = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="+")
    # Of "other": the revision whose words it has.
    shows = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="+")
    # Of the last try, where it failed: what a capture of it would have ended as. What differed before stays offered.
    outcome = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    # Of "differs": JSON list of what differs from the latest revision, and the page's bytes in the blob store.
    found_row = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    body_sha256 = models.CharField(max_length=64, blank=True)
    read_at = models.DateTimeField(null=True)
    # When it is due to be read again; None: not by itself.
    next_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return self.url

    @cached_property
    def differences(self) -> list[Difference]:
        """None of them once its words are erased."""
        if self.found_row is None or not self.found_row.body:
            return []
        return [Difference(**difference) for difference in json.loads(self.found_row.body)]

    @property
    def sentence(self) -> str:
        """What came in the way at the last try; "" where nothing did."""
        return sentence(self.outcome, self.reason) if self.outcome else ""


class OwnPageAside(models.Model):
    """A difference of our own page that a person has looked at and left as it is, with the reason."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="own_page_asides")
    # ``Difference.key``
    key = models.CharField(max_length=64)
    # JSON of the difference.
    words_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["article", "key"], name="own_page_aside_once")]

    def __str__(self) -> str:
        return self.key

    @cached_property
    def difference(self) -> Difference | None:
        """None once its words are erased."""
        return Difference(**json.loads(self.words_row.body)) if self.words_row.body else None


class BackUpKind(models.TextChoices):
    COMMENT = "comment", _("Comment")
    FOOTNOTE = "footnote", _("Footnote")
    LINK = "link", _("Link")


class BackUpNote(InsertOnly):
    """What the author of a text wrote beside it: where the words of a passage come from. No reader ever sees it."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="back_up")
    kind = models.CharField(max_length=10, choices=BackUpKind)
    # The words that it is about, in code points of the revision's text; both 0: those are not in it.
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    # JSON: {"text", "author", "url"}, each may be empty.
    words_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["revision", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=BackUpKind.values), name="back_up_kind_known"),
            models.CheckConstraint(condition=models.Q(start__lte=models.F("end")), name="back_up_note_forwards"),
        ]

    @cached_property
    def words(self) -> dict[str, str]:
        """Empty once they are erased."""
        said: dict[str, str] = json.loads(self.words_row.body) if self.words_row.body else {}
        return said

    @property
    def text(self) -> str:
        return self.words.get("text", "")

    @property
    def author(self) -> str:
        return self.words.get("author", "")

    @property
    def url(self) -> str:
        return self.words.get("url", "")

    @property
    def passage(self) -> str:
        return self.revision.text[self.start : self.end]


class BackUpOutcome(models.TextChoices):
    OPEN = "open", _("Open")
    USED = "used", _("Used")
    SET_ASIDE = "set_aside", _("Set aside")


class BackUpDecision(InsertOnly):
    """What a person made of a note; the latest counts."""

    note = models.ForeignKey(BackUpNote, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=10, choices=BackUpOutcome)
    reason_row = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=BackUpOutcome.values), name="back_up_outcome_known")
        ]

    @property
    def reason(self) -> str:
        return self.reason_row.body if self.reason_row else ""


def text_direction(language: str) -> str:
    """ "rtl" or "ltr" for an ISO 639 code; an unknown language reads from left to right."""
    try:
        return "rtl" if get_language_info(language)["bidi"] else "ltr"
    except KeyError:
        return "ltr"
