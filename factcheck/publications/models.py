from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from factcheck.articles.models import Article, Revision
from factcheck.ledger.insert_only import InsertOnly
from factcheck.ledger.models import Text
from factcheck.publications.content import parse_content


class Override(InsertOnly):
    """An editor's written reason for passing one named blocker of one revision."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="overrides")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    # The blocker's key: what is in the way, of which claim, with which verdict.
    blocker = models.CharField(max_length=200)
    # The blocker in words; it may name a speaker.
    sentence_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    reason_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "blocker"], name="override_once")]

    @property
    def sentence(self) -> str:
        return self.sentence_row.body

    @property
    def claim_id(self) -> str:
        """The public id of the claim that the blocker is about; "" for one of the whole article."""
        subject = self.blocker.split(":")[1:2]
        return subject[0].removeprefix("claim/") if subject else ""


class NoteKind(models.TextChoices):
    """Why a version differs from the one before; the last three stand on the corrections page."""

    UPDATE = "update", _("Update")
    CLARIFICATION = "clarification", _("Clarification")
    CORRECTION = "correction", _("Correction")
    RETRACTION = "retraction", _("Retraction")


class PublicationQuerySet(models.QuerySet["Publication"]):
    def whole(self) -> "PublicationQuerySet":
        return self.select_related("content_row", "article")


class Publication(InsertOnly):
    """The frozen, public content of a signed-off article."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="publications")
    version = models.PositiveIntegerField()
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    # Of the content's canonical JSON.
    sha256 = models.CharField(max_length=64)
    content_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    note_kind = models.CharField(max_length=20, choices=NoteKind, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["article", "version"]
        constraints = [models.UniqueConstraint(fields=["article", "version"], name="publication_version_once")]

    @property
    def subject(self) -> str:
        return f"publication/{self.article.public_id}-v{self.version}"

    @property
    def content(self) -> dict[str, Any]:
        return parse_content(self.content_row.body)


class NoticeKind(models.TextChoices):
    SUPERSEDED = "superseded", _("A newer version has taken its place")


class Notice(InsertOnly):
    """A public fact about a publication that came after it."""

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20, choices=NoticeKind)
    # What the kind needs to be told: {"version": 2} of the superseding publication.
    facts = models.JSONField(default=dict)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]


class Front(models.Model):
    """What the list of published articles shows of each: derived from its latest publication."""

    article = models.OneToOneField(Article, on_delete=models.PROTECT, related_name="front")
    publication = models.OneToOneField(Publication, on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(max_length=80, unique=True)
    summary = models.JSONField()
    first_published_at = models.DateTimeField(db_index=True)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_published_at", "-pk"]


class Citation(models.Model):
    """Which publications cite a claim or a capture: derived from their content, for addresses by id."""

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="citations")
    subject = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "publication"], name="citation_once")]


class Destination(models.Model):
    """Where redirects led when a cited copy was made: derived from content, so that the copy is found there too."""

    # "capture/7q2km4tz"
    subject = models.CharField(max_length=40)
    # SHA-256 of the address in its one spelling: addresses are long, and may have to be erased one day.
    address_hash = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "address_hash"], name="destination_once")]
