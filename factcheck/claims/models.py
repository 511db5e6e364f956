from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from factcheck.articles.models import Article, Revision
from factcheck.ledger.models import Text
from factcheck.lib.ids import new_id


class ClaimKind(models.TextChoices):
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    QUOTE = "quote", _("Quote")
    NAME = "name", _("Name")
    EVENT = "event", _("Event")
    OTHER = "other", _("Other")


class ClaimQuerySet(models.QuerySet["Claim"]):
    def standing(self) -> "ClaimQuerySet":
        return self.filter(withdrawn_at=None)


class Claim(models.Model):
    """Passages of an article that can be checked. Where they stand in a revision say its anchors."""

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=10, choices=ClaimKind)
    # Whose claim it is; empty: our own.
    speaker = models.CharField(max_length=200, blank=True)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_reason = models.TextField(blank=True)
    # Who checks it; empty: nobody in particular.
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="assigned_claims"
    )
    # Who looks at its verdict as the second pair of eyes at the moment. Nobody changes it meanwhile.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review_begun_at = models.DateTimeField(null=True, blank=True)
    # How many of its queries are not resolved: kept by the services that ask and resolve them.
    open_queries = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=models.Q(kind__in=ClaimKind.values), name="claim_kind_known")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def subject(self) -> str:
        return f"claim/{self.public_id}"

    @property
    def is_ours(self) -> bool:
        return not self.speaker


class Query(models.Model):
    """A question about a claim to somebody of the newsroom, mostly its author: asked, answered, resolved."""

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="queries")
    question_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    # Empty: whoever knows it.
    asked_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer_row = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "queries"
        indexes = [
            models.Index(fields=["asked_of"], condition=models.Q(resolved_at=None), name="query_open_by_whom_it_asks")
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def question(self) -> str:
        """Empty once it is erased."""
        return self.question_row.body

    @property
    def answer(self) -> str:
        return self.answer_row.body if self.answer_row else ""


class Placing(models.TextChoices):
    MARKED = "marked", _("marked by a person")
    EXACT = "exact", _("found again word for word")
    CHANGED = "changed", _("found again, in other words")
    PERSON = "person", _("placed again by a person")


class Anchor(models.Model):
    """Where one passage of a claim stands in one revision: half-open, in code points of its text."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="anchors")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="anchors")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    placing = models.CharField(max_length=10, choices=Placing)
    # Of words that were found again as others: what became of them since the revision before ("5.4 → 6.4").
    changes = models.JSONField(default=list, blank=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start", "end", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(start__lt=models.F("end")), name="anchor_not_empty"),
            models.UniqueConstraint(fields=["claim", "revision", "start", "end"], name="anchor_once"),
        ]


class AsideKind(models.TextChoices):
    NOT_CHECKABLE = "not_checkable", _("Not checkable")
    OUT_OF_SCOPE = "out_of_scope", _("Out of scope")
    DISMISSED = "dismissed", _("Dismissed")


class SetAside(models.Model):
    """A person's word that a sentence needs no claim, or that what a copy check found is right as it is.

    It is about the words and holds in every revision in which they stand.
    """

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="set_aside")
    # Of a sentence or of a finding: claims.coverage and claims.findings say how it is made.
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=AsideKind)
    reason = models.TextField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["article", "key"], name="set_aside_once"),
            models.CheckConstraint(condition=models.Q(kind__in=AsideKind.values), name="set_aside_kind_known"),
        ]
