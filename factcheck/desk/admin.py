"""The domain's rows in the admin site, to be looked at and never changed: every change has its service.

Off-record evidence, and what would give it away, is shown to the people it was entrusted to and
to nobody else, whatever their role. Texts and openings are not here at all.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may
from factcheck.archive.models import Capture, CaptureRequest
from factcheck.articles.models import Article, Revision
from factcheck.claims.models import Anchor, Claim
from factcheck.evidence.models import Evidence, PassageCheck, Source
from factcheck.jobs.models import Job
from factcheck.ledger.models import Entry, Leaf
from factcheck.publications.models import Notice, Override, Publication
from factcheck.verdicts.models import Rating, SignOff, Verdict

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Model]
else:
    # Generic for the type checker only.
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    list_per_page = 50
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [field.name for field in self.opts.fields if field.name not in (self.exclude or ())]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may(request.user, Act.MANAGE_PEOPLE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Article)
class ArticleAdmin(ReadOnlyAdmin):
    list_display = ("title", "slug", "byline", "date", "language", "created_at")
    search_fields = ("title", "slug", "public_id")


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ("article", "number", "sha256", "created_by", "created_at")
    list_select_related = ("article", "created_by")
    exclude = ("text_row", "removed_row")


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "article", "kind", "speaker", "marked_by", "marked_at", "withdrawn_at")
    list_filter = ("kind",)
    list_select_related = ("article", "marked_by")
    search_fields = ("public_id", "speaker")


@admin.register(Anchor)
class AnchorAdmin(ReadOnlyAdmin):
    list_display = ("claim", "revision", "start", "end", "placing", "placed_at")
    list_select_related = ("claim", "revision")


class OffRecordAdmin(ReadOnlyAdmin):
    """What the person may know of: rows of the evidence that is visible to them, and of none that is not."""

    def shown(self, request: HttpRequest) -> QuerySet[Evidence]:
        assert isinstance(request.user, User)
        return Evidence.objects.visible_to(request.user)

    def hidden(self, request: HttpRequest) -> QuerySet[Evidence]:
        return Evidence.objects.exclude(pk__in=self.shown(request).values("pk"))

    def hidden_requests(self, request: HttpRequest) -> QuerySet[CaptureRequest]:
        known = self.shown(request).exclude(capture_request=None).values("capture_request_id")
        secret = self.hidden(request).exclude(capture_request=None).values("capture_request_id")
        return CaptureRequest.objects.filter(Q(confidential=True) | Q(pk__in=secret)).exclude(pk__in=known)

    def hidden_sources(self, request: HttpRequest) -> QuerySet[Source]:
        known, secret = self.shown(request).values("source_id"), self.hidden(request).values("source_id")
        return Source.objects.filter(Q(confidential=True) | Q(pk__in=secret)).exclude(pk__in=known)

    def hidden_subjects(self, request: HttpRequest) -> list[str]:
        """What entries and jobs call the hidden rows."""
        copies = self.hidden_requests(request).values_list("public_id", flat=True)
        return [
            *(row.subject for row in self.hidden(request)),
            *(row.subject for row in self.hidden_sources(request)),
            *(f"{kind}/{public_id}" for public_id in copies for kind in ("capture-request", "capture")),
        ]


@admin.register(Evidence)
class EvidenceAdmin(OffRecordAdmin):
    list_display = ("public_id", "claim", "stance", "off_record", "added_by", "added_at", "withdrawn_at")
    list_select_related = ("claim", "added_by")
    search_fields = ("public_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).filter(pk__in=self.shown(request).values("pk"))


@admin.register(Source)
class SourceAdmin(OffRecordAdmin):
    list_display = ("public_id", "kind", "name", "visibility")
    list_filter = ("kind", "visibility")
    search_fields = ("public_id", "title", "url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).exclude(pk__in=self.hidden_sources(request).values("pk"))


@admin.register(PassageCheck)
class PassageCheckAdmin(OffRecordAdmin):
    list_display = ("evidence", "outcome", "score", "checked_at")
    list_select_related = ("evidence",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).filter(evidence__in=self.shown(request).values("pk"))


@admin.register(CaptureRequest)
class CaptureRequestAdmin(OffRecordAdmin):
    list_display = ("public_id", "url", "state", "last_outcome", "requested_by", "created_at")
    list_filter = ("state", "last_outcome")
    search_fields = ("public_id", "url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).exclude(pk__in=self.hidden_requests(request).values("pk"))


@admin.register(Capture)
class CaptureAdmin(OffRecordAdmin):
    list_display = ("request", "outcome", "http_status", "media_type", "sealed_at")
    list_filter = ("outcome",)
    list_select_related = ("request",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).exclude(request__in=self.hidden_requests(request).values("pk"))


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    list_display = ("slug", "version", "label", "order", "truth_value", "needs_evidence", "releases", "retired")


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    list_display = ("claim", "attribution", "rating", "decided_by", "decided_at")
    list_select_related = ("claim", "rating", "decided_by")
    exclude = ("reason_row", "not_rated_row")


@admin.register(SignOff)
class SignOffAdmin(ReadOnlyAdmin):
    list_display = ("verdict", "signed_by", "signed_at")
    list_select_related = ("verdict", "signed_by")


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ("article", "version", "note_kind", "sha256", "published_by", "published_at")
    list_select_related = ("article", "published_by")
    exclude = ("content_row",)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("publication", "kind", "given_at")


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ("article", "sentence", "written_by", "written_at")
    list_select_related = ("article", "written_by")
    exclude = ("reason_row",)


@admin.register(Entry)
class EntryAdmin(OffRecordAdmin):
    list_display = ("action", "subject", "actor", "at", "commitment")
    search_fields = ("=subject",)
    exclude = ("opening",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).exclude(subject__in=self.hidden_subjects(request))


@admin.register(Leaf)
class LeafAdmin(ReadOnlyAdmin):
    list_display = ("index", "leaf_hash")
    exclude = ("entry",)


@admin.register(Job)
class JobAdmin(OffRecordAdmin):
    list_display = ("kind", "subject", "state", "attempts", "due_at", "reason")
    list_filter = ("kind", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).exclude(subject__in=self.hidden_subjects(request))
