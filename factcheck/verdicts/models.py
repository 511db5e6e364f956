from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from factcheck.articles.models import Revision
from factcheck.claims.models import Claim
from factcheck.ledger.insert_only import InsertOnly
from factcheck.ledger.models import Text


class Shape(models.TextChoices):
    """What tells a rating apart without colour; the drawings are the pages'."""

    CHECK = "check", _("Tick in a full circle")
    HALF = "half", _("Half-filled circle")
    QUARTER = "quarter", _("Circle with a bar")
    QUESTION = "question", _("Question mark in an open circle")
    CROSS = "cross", _("Cross in an octagon")
    QUOTE = "quote", _("Speech mark")
    DASH = "dash", _("Dash")


class Tone(models.TextChoices):
    GOOD = "good", _("Good")
    MIXED = "mixed", _("Mixed")
    BAD = "bad", _("Bad")
    NEUTRAL = "neutral", _("Neutral")
    NOTE = "note", _("Remark")


class RatingQuerySet(models.QuerySet["Rating"]):
    def current(self) -> "RatingQuerySet":
        """The newest version of each rating that is in use, in the order of the scale."""
        newer = Rating.objects.filter(slug=models.OuterRef("slug"), version__gt=models.OuterRef("version"))
        return self.filter(~models.Exists(newer), retired=False).order_by("order", "slug")


class Rating(InsertOnly):
    """One version of a value of the newsroom's scale.

    A change is a new version: verdicts keep the meaning under which they were given.
    """

    slug = models.SlugField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    label = models.CharField(max_length=60)
    meaning = models.CharField(max_length=500)
    order = models.PositiveSmallIntegerField()
    # 1 (false) to 5 (true) as ClaimReview counts; None: it says nothing about truth.
    truth_value = models.PositiveSmallIntegerField(null=True, blank=True)
    needs_evidence = models.BooleanField(default=True)
    # Whether an article of ours may go out with a claim of ours that is rated so.
    releases = models.BooleanField(default=False)
    shape = models.CharField(max_length=10, choices=Shape)
    tone = models.CharField(max_length=10, choices=Tone)
    retired = models.BooleanField(default=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="rating_version_once"),
            models.CheckConstraint(
                condition=models.Q(truth_value=None) | models.Q(truth_value__range=(1, 5)), name="rating_truth_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def subject(self) -> str:
        return f"rating/{self.slug}"


class Attribution(models.TextChoices):
    SAID = "said", _("Said so")
    NOT_SAID = "not_said", _("Did not say so")
    CANNOT_CONFIRM = "cannot_confirm", _("Cannot be confirmed")


class Verdict(InsertOnly):
    """A person's decision, with its reason, about exact words; never edited, only followed."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="verdicts")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    # Speaker and words as they were; when the claim's are others now, the verdict is stale.
    statement_sha256 = models.CharField(max_length=64)
    attribution = models.CharField(max_length=20, choices=Attribution, blank=True)
    rating = models.ForeignKey(Rating, null=True, on_delete=models.PROTECT, related_name="+")
    reason_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    not_rated_row = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(attribution__in=["", *Attribution.values]), name="verdict_attribution_known"
            ),
        ]

    @property
    def subject(self) -> str:
        return f"verdict/{self.pk}"

    @property
    def reason(self) -> str:
        return self.reason_row.body

    @property
    def not_rated_reason(self) -> str:
        return self.not_rated_row.body if self.not_rated_row else ""


class SentBack(InsertOnly):
    """A second person's refusal of a verdict, with what they miss: it is to be decided again."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="sent_back")
    comment_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(auto_now_add=True)

    @property
    def comment(self) -> str:
        """Empty once it is erased."""
        return self.comment_row.body


class SignOff(InsertOnly):
    """A second person's approval of a verdict."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="sign_off")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(auto_now_add=True)
