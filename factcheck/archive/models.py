from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from factcheck.archive.outcomes import Outcome, sentence
from factcheck.jobs.models import Job
from factcheck.ledger.insert_only import InsertOnly
from factcheck.ledger.models import Text
from factcheck.lib.fingerprints import fingerprint
from factcheck.lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime


class Engine(models.TextChoices):
    HTTP = "http", _("Fetched without a browser")
    BROWSER = "browser", _("Opened in a browser")
    UPLOAD = "upload", _("Uploaded by a person")


class CaptureRequestQuerySet(models.QuerySet["CaptureRequest"]):
    def good_or_running(
        self, canonical_url: str, *, since: datetime, discreet: bool, in_a_browser: bool = False
    ) -> Self:
        """Orders for the same page that make another one needless: still on the way, or lately a success.

        Who wants it opened ``in_a_browser`` is not helped by a plain one.
        """
        fresh = models.Q(created_at__gte=since, capture__outcome__in=Outcome.with_evidence())
        running = ~models.Q(state=CaptureRequest.State.SEALED)
        # What a person uploaded is no answer to an order to fetch.
        fetched = self.filter(engine=Engine.BROWSER) if in_a_browser else self.exclude(engine=Engine.UPLOAD)
        shared = fetched.filter(
            running | fresh, canonical_url=canonical_url, discreet=discreet, confidential=False, unverified_tls=False
        )
        return shared.order_by("-created_at")


class CaptureRequest(models.Model):
    """The order to copy a page: it changes while the work goes on, and its result never does.

    Its id is the public id, since the page is spoken of before there is a copy.
    """

    class State(models.TextChoices):
        # How far the work is, and when it is tried again, only the job knows.
        OPEN = "open", _("In work")
        SEALED = "sealed", _("Sealed")

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    url = models.CharField(max_length=2000, help_text=_("As it was typed."))
    # Short enough for an index of PostgreSQL (2704 bytes).
    canonical_url = models.CharField(max_length=2000, db_index=True)
    # Of the address asked for, so that one site is asked for one page at a time.
    host = models.CharField(max_length=255, blank=True, db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # What the last attempt met: the outcome that it will be sealed with if nothing changes, and the reason.
    last_outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="capture_requests"
    )
    discreet = models.BooleanField(default=False)
    # Never an answer to anybody else's order: that would tell them that somebody had ordered it.
    confidential = models.BooleanField(default=False)
    patient = models.BooleanField(default=True, help_text=_("Tried again by itself, over hours, while out of reach."))
    engine = models.CharField(max_length=10, choices=Engine, default=Engine.HTTP)
    # An editor's act after a tls_error: the copy is taken although nobody can say who sent it.
    unverified_tls = models.BooleanField(default=False)
    # Of an upload: the file as it came, in the store before this row was.
    upload_sha256 = models.CharField(max_length=64, blank=True)
    upload_name = models.CharField(max_length=255, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="retries")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = CaptureRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "sealed"]), name="capture_request_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def subject(self) -> str:
        return f"capture-request/{self.public_id}"

    @property
    def sealed_capture(self) -> Capture | None:
        """The result, or None while the work goes on."""
        return getattr(self, "capture", None)


class Upload(InsertOnly):
    """What a person said of the file that they handed in as a copy; the file is ``request.upload_sha256``."""

    request = models.OneToOneField(CaptureRequest, on_delete=models.PROTECT, related_name="upload")
    media_type = models.CharField(max_length=100)
    bytes = models.PositiveBigIntegerField()
    # How and when the copy was made, in the person's words.
    how_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.media_type

    @property
    def how(self) -> str:
        """Empty once it is erased."""
        return self.how_row.body


@dataclass(frozen=True)
class CaptureWords:
    """The addresses and words of a capture. All of it comes from outside and is hostile."""

    url: str = ""
    # Where redirects led to.
    final_url: str = ""
    # Each hop that sent us on: url, status, location, ip.
    redirects: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    # What exactly was met: "The server answered 503.", or the sentence of a refusal.
    detail: str = ""


class CaptureManager(models.Manager["Capture"]):
    def get_queryset(self) -> models.QuerySet[Capture]:
        # Hardly anybody reads a capture without its addresses and title.
        return super().get_queryset().select_related("words_row")


class Capture(InsertOnly):
    """The sealed result of one request, also when it is "blocked" or "gone"."""

    request = models.OneToOneField(CaptureRequest, on_delete=models.PROTECT, related_name="capture")
    outcome = models.CharField(max_length=20, choices=Outcome)
    reason = models.CharField(max_length=40, blank=True)
    engine = models.CharField(max_length=10, choices=Engine, default=Engine.HTTP)
    attempts = models.PositiveSmallIntegerField(default=1)

    # Addresses and words from outside, as JSON of CaptureWords: they may have to be erased one day.
    words_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    # Sniffed from the first bytes; the header's own claim stands in the WARC.
    media_type = models.CharField(max_length=100, blank=True)
    charset = models.CharField(max_length=40, blank=True)
    charset_source = models.CharField(max_length=20, blank=True)
    replacements = models.PositiveIntegerField(default=0, help_text=_("Bytes that the charset could not read."))
    # The page asks not to be shown as a copy; the newsroom may still keep one.
    noarchive = models.BooleanField(default=False)

    started_at = models.DateTimeField()
    sealed_at = models.DateTimeField(default=timezone.now, editable=False)
    ip = models.GenericIPAddressField(null=True, blank=True)
    tls = models.JSONField(null=True, blank=True)
    unverified_tls = models.BooleanField(
        default=False, help_text=_("Taken by an editor's order although the certificate was not valid.")
    )
    truncated = models.CharField(max_length=20, blank=True)
    wire_bytes = models.PositiveBigIntegerField(default=0)

    # The entity without transfer- and content-coding, as the text layers are made from it.
    body_sha256 = models.CharField(max_length=64, blank=True)
    body_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    warc_sha256 = models.CharField(max_length=64, blank=True)
    warc_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    records = models.PositiveIntegerField(default=0)
    # "sha256:…" of the datapackage.json of its package, which is what a signature is of; "" where there is no package.
    wacz_hash = models.CharField(max_length=71, blank=True)
    # Images, styles, fonts, frames: how many the page names, how many of them are in the WARC, and why others are not
    # ({reason: count}).
    requisites_found = models.PositiveIntegerField(default=0)
    requisites_kept = models.PositiveIntegerField(default=0)
    requisites_missed = models.JSONField(default=dict, blank=True)

    objects = CaptureManager()

    class Meta:
        ordering = ["-sealed_at", "-pk"]
        indexes = [models.Index(fields=["body_sha256"], name="capture_by_body")]
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=Outcome.values), name="capture_outcome_known"),
            models.CheckConstraint(
                condition=~models.Q(outcome__in=["captured", "captured_partial"])
                | (~models.Q(warc_sha256="") & ~models.Q(body_sha256="")),
                name="capture_evidence_has_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request.public_id} {self.outcome}"

    @cached_property
    def words(self) -> CaptureWords:
        """What was said in words; all of it empty once it is erased."""
        body = self.words_row.body
        return CaptureWords(**json.loads(body)) if body else CaptureWords()

    @property
    def url(self) -> str:
        return self.words.url

    @property
    def final_url(self) -> str:
        return self.words.final_url

    @property
    def redirects(self) -> list[dict[str, Any]]:
        return self.words.redirects

    @property
    def title(self) -> str:
        return self.words.title

    @property
    def detail(self) -> str:
        return self.words.detail

    @property
    def public_id(self) -> str:
        return self.request.public_id

    @property
    def subject(self) -> str:
        return f"capture/{self.request.public_id}"

    @property
    def signature(self) -> WaczSignature | None:
        """The newsroom's signature of the package, or None while nothing is signed."""
        return getattr(self, "wacz_signature", None)

    @property
    def carries_evidence(self) -> bool:
        return self.outcome in Outcome.with_evidence()

    @property
    def sentence(self) -> str:
        return sentence(self.outcome, self.reason)


class TextLayer(InsertOnly):
    """Text taken from a capture in one named way; the words lie in the blob of this hash, as UTF-8."""

    class Kind(models.TextChoices):
        VISIBLE = "visible", _("What the eye reads")
        HIDDEN = "hidden", _("In the page, but hidden")
        METADATA = "metadata", _("Title and descriptions")
        PDF = "pdf", _("Pages of a PDF")
        MAIN = "main", _("The article without what stands around it")
        RENDER = "render", _("What the browser showed")

    class Result(models.TextChoices):
        OK = "ok", _("Text found")
        EMPTY = "empty", _("No text in it")
        IMAGE_ONLY = "image_only", _("Pages are pictures without text")
        LIMIT = "limit", _("Too large or too deep to read")
        CRASH = "crash", _("The reader broke down on it")
        UNSUPPORTED = "unsupported", _("Not a kind of file we read")

    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="layers")
    kind = models.CharField(max_length=10, choices=Kind)
    extractor = models.CharField(max_length=40)
    extractor_version = models.CharField(max_length=80)
    outcome = models.CharField(max_length=12, choices=Result)
    # What broke or which limit was met; empty where the outcome says it all.
    detail = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    chars = models.PositiveIntegerField(default=0)
    # Of a PDF: [[start, end], …] by page, half-open, in code points of the text.
    pages = models.JSONField(null=True, blank=True)
    # The blob that says where in the entity each piece of the text stood (``archive.offsets``); "" where there is none.
    offsets_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["capture", "kind", "extractor", "extractor_version"], name="text_layer_made_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="ok") | ~models.Q(sha256=""), name="text_layer_ok_has_text"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}"


class Rendering(InsertOnly):
    """How a browser showed the page: pictures, the page as its scripts left it, a print. Also a record of the WARC."""

    class Kind(models.TextChoices):
        VIEW = "view", _("The first screen")
        PAGE = "page", _("The whole page")
        ALTERED = "altered", _("The whole page, with what lay over it hidden by us")
        DOM = "dom", _("The page as its scripts left it")
        PRINT = "print", _("Printed as PDF")

    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="renderings")
    kind = models.CharField(max_length=10, choices=Kind)
    media_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["capture", "kind"], name="rendering_made_once")]

    def __str__(self) -> str:
        return self.kind


class Looks(InsertOnly):
    """What a picture looks like, so that it is known again."""

    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    # 64 bits in hex, and the same in four parts: pictures that look alike share one of these or nearly so.
    phash = models.CharField(max_length=16, blank=True, db_index=True)
    part_0 = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    part_1 = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    part_2 = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    part_3 = models.PositiveIntegerField(null=True, blank=True, db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.phash


class MediaFacts(Looks):
    """What a picture, a film or a PDF says of itself; of a picture, also what it looks like."""

    capture = models.OneToOneField(Capture, on_delete=models.PROTECT, related_name="media_facts")
    # JSON of what ``archive.media_facts`` reads: words from outside.
    facts_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")


class PictureWithin(Looks):
    """A picture in a file of another kind: on a page of a PDF, or in a film; its number there, and 0 for the cover."""

    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="pictures_within")
    page = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]


class PackageChecks(InsertOnly):
    """Whether index, pages and signature of an uploaded package fit what is in it."""

    capture = models.OneToOneField(Capture, on_delete=models.PROTECT, related_name="package_checks")
    # JSON of what ``archive.package_checks`` finds: a signer's name comes from outside.
    facts_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")

    @property
    def facts(self) -> dict[str, Any] | None:
        """None once they are erased."""
        facts: dict[str, Any] | None = json.loads(self.facts_row.body) if self.facts_row.body else None
        return facts


class WaczSignature(InsertOnly):
    """The newsroom's signature of a capture's package, made once by the sweeper, which alone holds the key.

    The anonymous form of https://specs.webrecorder.net/wacz-auth/0.1.0/.
    """

    capture = models.OneToOneField(Capture, on_delete=models.PROTECT, related_name="wacz_signature")
    # What was signed: "sha256:" and the hex of datapackage.json.
    hash = models.CharField(max_length=71)
    created = models.CharField(max_length=20)
    software = models.CharField(max_length=60)
    # Base64: r and s of P-384 one after the other, and the key as SubjectPublicKeyInfo.
    signature = models.CharField(max_length=128)
    public_key = models.CharField(max_length=200)
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["public_key", "signed_at"], name="signature_by_key")]

    def __str__(self) -> str:
        return self.hash

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    @property
    def facts(self) -> dict[str, Any]:
        """What the log says of it."""
        return {name: getattr(self, name) for name in ("hash", "created", "software", "signature", "public_key")}


class WitnessService(models.TextChoices):
    INTERNET_ARCHIVE = "internet-archive", _("Internet Archive")


class WitnessAct(models.TextChoices):
    SAVE = "save", _("Make a copy")
    LOOK_UP = "look-up", _("Look for a copy")


class WitnessRequest(models.Model):
    """What somebody else's archive is asked for, while it is open; what came of it is the report."""

    class State(models.TextChoices):
        OPEN = "open", _("In work")
        ENDED = "ended", _("Ended")

    public_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)
    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="witness_requests")
    service = models.CharField(max_length=20, choices=WitnessService, default=WitnessService.INTERNET_ARCHIVE)
    act = models.CharField(max_length=10, choices=WitnessAct)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # Their job: kept from the moment of their answer, so that a killed worker asks for no second copy.
    remote_job_id = models.CharField(max_length=100, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    # They say that they have it, or have forgotten the job: the copy itself is looked for.
    seeking_since = models.DateTimeField(null=True, blank=True)
    claimed_timestamp = models.CharField(max_length=14, blank=True)
    claimed_url = models.CharField(max_length=2000, blank=True)
    # How often they put us off, and how often we asked within this phase.
    put_offs = models.PositiveSmallIntegerField(default=0)
    turns = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["capture", "service", "act"],
                condition=models.Q(state="open"),
                name="witness_asked_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def subject(self) -> str:
        return f"witness-request/{self.public_id}"


class Agreement(models.TextChoices):
    """How the witness's copy compares with ours, by SHA-1 of the page's bytes."""

    SAME_RECEIVED = "same-received", _("The same bytes as we received.")
    SAME_DECODED = "same-decoded", _("The same bytes as ours once unpacked; they travelled packed in another way.")
    DIFFERENT = (
        "different",
        _("Other bytes than ours. Pages that change with each visit do that; it speaks against neither copy."),
    )
    NOT_COMPARABLE = "not-comparable", _("The bytes cannot be compared: one of us does not have all of them.")


class WitnessReport(InsertOnly):
    """What an outside archive was seen to hold, or why it holds nothing."""

    class Outcome(models.TextChoices):
        SEEN = "seen", _("There is a copy there.")
        NONE = "none", _("There is no copy there.")
        REFUSED = "refused", _("No copy is made there.")
        GAVE_UP = "gave-up", _("No copy came of it.")

    request = models.OneToOneField(WitnessRequest, on_delete=models.PROTECT, related_name="report")
    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="witness_reports")
    outcome = models.CharField(max_length=10, choices=Outcome)
    # Their word for it, as internet_archive.problem_sentence knows it.
    reason = models.CharField(max_length=40, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    # JSON of WitnessWords: addresses and words from outside.
    words_row = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    # Base32, as their index writes it; "" where there is none.
    their_sha1 = models.CharField(max_length=32, blank=True)
    our_received_sha1 = models.CharField(max_length=32, blank=True)
    our_decoded_sha1 = models.CharField(max_length=32, blank=True)
    # "index", or "bytes" where we fetched their copy and hashed it ourselves.
    seen_by = models.CharField(max_length=10, blank=True)
    agreement = models.CharField(max_length=20, choices=Agreement, blank=True)
    reported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-reported_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(outcome="seen") | models.Q(taken_at__isnull=False),
                name="witness_seen_has_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return self.outcome

    @cached_property
    def words(self) -> WitnessWords:
        """What was said in words; all of it empty once it is erased."""
        body = self.words_row.body
        return WitnessWords(**json.loads(body)) if body else WitnessWords()


@dataclass(frozen=True)
class WitnessWords:
    """All of it comes from outside and is hostile."""

    memento: str = ""
    original: str = ""
    said: str = ""
