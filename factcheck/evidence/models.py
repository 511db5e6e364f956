import hashlib

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.archive.models import Capture, CaptureRequest, TextLayer
from factcheck.claims.models import Claim
from factcheck.ledger.insert_only import InsertOnly
from factcheck.ledger.models import Text
from factcheck.lib.ids import new_id


class SourceKind(models.TextChoices):
    PAGE = "page", _("Page on the web")
    INTERVIEW = "interview", _("Interview or contact")
    WORK = "work", _("Book, broadcast or other work")


class Visibility(models.TextChoices):
    """How much of a source readers see, from least to most."""

    DESK = "desk", _("Nothing: for the desk only")
    PASSAGE = "passage", _("The quoted passage, facts and link")
    PUBLIC = "public", _("The whole archived copy")


class Source(models.Model):
    """Where evidence comes from. Which of the fields below have content depends on the kind."""

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=SourceKind)
    title = models.CharField(max_length=300, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PASSAGE)

    # Of off-record evidence: never the source of anybody else's, who would be shown its title.
    confidential = models.BooleanField(default=False)

    url = models.CharField(max_length=4000, blank=True)
    canonical_url = models.CharField(max_length=4000, blank=True, db_index=True)
    publisher = models.CharField(max_length=200, blank=True)

    # Interview: whom, when, how, and who of ours heard it.
    contact = models.CharField(max_length=200, blank=True)
    spoken_on = models.DateField(null=True, blank=True)
    spoken_how = models.CharField(max_length=100, blank=True)
    heard_by = models.CharField(max_length=200, blank=True)

    # Work: what a stranger needs to open the same page.
    author = models.CharField(max_length=200, blank=True)
    edition = models.CharField(max_length=200, blank=True)
    page = models.CharField(max_length=50, blank=True)
    transcription = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=SourceKind.values), name="source_kind_known"),
            models.CheckConstraint(
                condition=models.Q(visibility__in=Visibility.values), name="source_visibility_known"
            ),
            models.UniqueConstraint(
                fields=["canonical_url"],
                condition=models.Q(kind="page", confidential=False),
                name="source_page_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        return f"source/{self.public_id}"

    @property
    def name(self) -> str:
        return self.title or self.contact or self.url


class Stance(models.TextChoices):
    FOR = "for", _("Speaks for it")
    AGAINST = "against", _("Speaks against it")
    CONTEXT = "context", _("Context")


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def standing(self) -> "EvidenceQuerySet":
        return self.filter(withdrawn_at=None)

    def visible_to(self, person: User) -> "EvidenceQuerySet":
        """Off the record is for whoever heard it and the people they named, whatever anybody's role."""
        named = Evidence.shown_to.through.objects.filter(user_id=person.pk).values("evidence_id")
        return self.filter(models.Q(off_record=False) | models.Q(added_by_id=person.pk) | models.Q(pk__in=named))

    def on_record(self) -> "EvidenceQuerySet":
        return self.filter(off_record=False)


class Evidence(models.Model):
    """A source's words or facts, put for, against or beside a claim by a person."""

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="evidence")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="evidence")
    stance = models.CharField(max_length=10, choices=Stance)
    quote = models.TextField(blank=True)
    quote_prefix = models.CharField(max_length=200, blank=True)
    quote_suffix = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    confirms_said = models.BooleanField(default=False)
    confirms_so = models.BooleanField(default=False)
    primary = models.BooleanField(default=False)
    off_record = models.BooleanField(default=False)
    # Who else may know of it when it is off the record.
    shown_to = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    capture_request = models.ForeignKey(CaptureRequest, null=True, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(stance__in=Stance.values), name="evidence_stance_known"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def subject(self) -> str:
        return f"evidence/{self.public_id}"

    @property
    def quote_sha256(self) -> str:
        return quote_sha256(self.quote, self.quote_prefix, self.quote_suffix)


def quote_sha256(quote: str, prefix: str, suffix: str) -> str:
    """Of prefix, quote and suffix with a NUL between them: which words a check was about."""
    return hashlib.sha256("\0".join((prefix, quote, suffix)).encode()).hexdigest()


class PassageOutcome(models.TextChoices):
    EXACT = "exact", _("The words stand in the copy exactly.")
    NORMALISED = "normalised", _("The words stand in the copy; only typography differs.")
    FUZZY = "fuzzy", _("Similar words stand in the copy. A person must compare them.")
    AMBIGUOUS = "ambiguous", _("The words stand in several places of the copy. A person must say which is meant.")
    HIDDEN_ONLY = "hidden_only", _("The words stand only in a part of the page that is not shown to readers.")
    ABSENT = "absent", _("The words are not in the copy.")
    NO_TEXT = "no_text", _("The copy has no text in which to look. That says nothing about the words.")
    IMAGE_ONLY = "image_only", _("The copy is a picture of text. A machine cannot look in it.")
    LIMIT = "limit", _("The copy is too large or too tangled to be read within the limits.")


FOUND_BY_MACHINE = (PassageOutcome.EXACT, PassageOutcome.NORMALISED)
# What a person who has looked at the copy may vouch for; "absent" is not theirs to overrule, the quote is.
CONFIRMABLE = (PassageOutcome.FUZZY, PassageOutcome.AMBIGUOUS, PassageOutcome.IMAGE_ONLY, PassageOutcome.NO_TEXT)


class PassageCheck(InsertOnly):
    """Whether evidence's quoted words stood in a text layer, where, and how exactly."""

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="checks")
    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="+")
    layer = models.ForeignKey(TextLayer, null=True, on_delete=models.PROTECT, related_name="+")
    quote_sha256 = models.CharField(max_length=64)
    outcome = models.CharField(max_length=20, choices=PassageOutcome)
    # [[start, end]]: half-open, in code points of the layer's text.
    spans = models.JSONField(default=list)
    score = models.FloatField(default=0)
    warnings = models.JSONField(default=list)
    checked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]


class PassageConfirmation(InsertOnly):
    """A person's word that the copy says it, where the machine could not tell."""

    check_row = models.OneToOneField(PassageCheck, on_delete=models.PROTECT, related_name="confirmation")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(auto_now_add=True)
