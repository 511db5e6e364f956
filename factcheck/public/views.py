"""Readers' addresses: find the publication, render it, answer. Nothing here can write."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.db import Error as DatabaseError
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from factcheck.archive import blobs
from factcheck.archive.downloads import package_answer
from factcheck.archive.errors import BlobMissing, WarcFault
from factcheck.archive.models import Capture, WaczSignature
from factcheck.archive.public_keys import newsroom_keys
from factcheck.archive.selectors import best_layer, layer_text
from factcheck.archive.witnessed import held_elsewhere
from factcheck.pages import addresses, rendering
from factcheck.pages.content import (
    ArticleSummary,
    ChangeNote,
    Citation,
    ClaimVersion,
    Correction,
    NoticeView,
    PublicationView,
    Rating,
    SigningKey,
    Tally,
    Witness,
    parse,
)
from factcheck.public.answers import answer, public_page
from factcheck.public.read_only import read_only
from factcheck.publications import selectors
from factcheck.publications.models import Front, NoticeKind, Publication
from factcheck.verdicts.models import Rating as ScaleRating

ARTICLES_ON_A_PAGE = 20
CORRECTIONS_SHOWN = 200


@public_page
def index(request: HttpRequest) -> HttpResponse:
    paginator = Paginator(selectors.published_articles(), ARTICLES_ON_A_PAGE)
    number = request.GET.get("page", "1")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= paginator.num_pages:
        raise Http404
    page = paginator.page(int(number))
    body = rendering.render_index(
        [_summary(front) for front in page.object_list],
        newer=_page_address(page.number - 1) if page.has_previous() else "",
        older=_page_address(page.number + 1) if page.has_next() else "",
        release=settings.RELEASE,
    )
    return answer(request, body)


@public_page
def article(request: HttpRequest, slug: str) -> HttpResponse:
    publication = selectors.latest(slug)
    if publication is None:
        raise Http404
    return _article(request, publication)


@public_page
def article_version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    publication = selectors.version(slug, number)
    if publication is None:
        raise Http404
    return _article(request, publication)


@public_page
def claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    citing = selectors.claim_history(claim_id)
    if not citing:
        raise Http404
    # The newest version that has the claim is shown; the versions without it are part of its history.
    newest = citing[0]
    contents = {publication.pk: parse(publication.content) for publication in citing}
    shown = contents[newest.pk]
    history = []
    for publication in selectors.versions_of(newest):
        content = contents.get(publication.pk)
        history.append(
            ClaimVersion(
                version=publication.version,
                published_at=publication.published_at,
                claim=content.claim(claim_id) if content else None,
                change_note=content.change_note if content else None,
            )
        )
    cited = {item.capture.id for one in shown.claims if one.id == claim_id for item in one.evidence if item.capture}
    notices = [*_notices(newest, shown), *_witnessed(cited)]
    body = rendering.render_claim(shown, claim_id, history=history, notices=notices, release=settings.RELEASE)
    return answer(request, body)


@public_page
def capture(request: HttpRequest, capture_id: str) -> HttpResponse:
    citations = []
    for publication in selectors.latest_of_each(selectors.capture_citations(capture_id)):
        content = parse(publication.content)
        citations += _citations(content, capture_id)
    if not citations:
        raise Http404
    body = rendering.render_capture(
        citations,
        notices=[*_witnessed({capture_id}), *_signed(capture_id)],
        whole=selectors.is_open_to_readers(capture_id),
        release=settings.RELEASE,
    )
    return answer(request, body)


@public_page
def capture_text(request: HttpRequest, capture_id: str) -> HttpResponseBase:
    """The words as we read them; only of a copy that is public as a whole."""
    sealed = _public_capture(capture_id)
    layer = best_layer(sealed)
    if layer is None:
        raise Http404
    response = answer(request, layer_text(layer).encode(), "text/plain; charset=utf-8")
    return _not_for_search(response)


@public_page
def capture_warc(request: HttpRequest, capture_id: str) -> HttpResponseBase:
    """The archive file; only of a copy that is public as a whole."""
    sealed = _public_capture(capture_id)
    if f'"{sealed.warc_sha256}"' in request.headers.get("If-None-Match", ""):
        response: HttpResponseBase = HttpResponse(status=304)
    else:
        try:
            file = blobs.open_blob(sealed.warc_sha256)
        except BlobMissing as missing:
            raise Http404 from missing
        response = FileResponse(
            file, as_attachment=True, filename=f"{capture_id}.warc.gz", content_type="application/warc"
        )
    response["ETag"] = f'"{sealed.warc_sha256}"'
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    return _not_for_search(response)


@read_only
def capture_wacz(request: HttpRequest, capture_id: str) -> HttpResponseBase:
    """The same as a package, which replay tools read part by part; only of a copy that is public as a whole.

    The one replay tool that the operator has set up may read it from its own domain.
    """
    if not settings.REPLAY_WEB_PAGE_URL:
        return _capture_wacz(request, capture_id)
    if request.method == "OPTIONS":
        # The browser asks first whether a part may be asked for.
        response: HttpResponseBase = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = "GET, HEAD"
        response["Access-Control-Allow-Headers"] = "Range, If-Range, If-None-Match"
    else:
        response = _capture_wacz(request, capture_id)
        response["Access-Control-Expose-Headers"] = "Accept-Ranges, Content-Length, Content-Range, ETag"
    where = urlsplit(settings.REPLAY_WEB_PAGE_URL)
    response["Access-Control-Allow-Origin"] = f"{where.scheme}://{where.netloc}"
    return response


@public_page
def _capture_wacz(request: HttpRequest, capture_id: str) -> HttpResponseBase:
    sealed = _public_capture(capture_id)
    try:
        response = package_answer(request, sealed)
    except (BlobMissing, WarcFault) as missing:
        raise Http404 from missing
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    return _not_for_search(response)


@public_page
def corrections(request: HttpRequest) -> HttpResponse:
    entries = []
    for publication in selectors.corrections()[:CORRECTIONS_SHOWN]:
        content = parse(publication.content)
        if content.change_note:
            entries.append(
                Correction(
                    slug=content.article.slug,
                    title=content.headline,
                    language=content.article.language,
                    version=content.version,
                    published_at=content.published_at,
                    note=content.change_note,
                )
            )
    return answer(request, rendering.render_corrections(entries, release=settings.RELEASE))


@public_page
def ratings(request: HttpRequest) -> HttpResponse:
    scale = [
        Rating(
            slug=rating.slug,
            label=rating.label,
            meaning=rating.meaning,
            shape=rating.shape,
            tone=rating.tone,
            order=rating.order,
            truth_value=rating.truth_value,
        )
        for rating in ScaleRating.objects.current()
    ]
    return answer(request, rendering.render_ratings(scale, release=settings.RELEASE))


@public_page
def methodology(request: HttpRequest) -> HttpResponse:
    return answer(request, rendering.render_methodology(release=settings.RELEASE))


@public_page
def about(request: HttpRequest) -> HttpResponse:
    keys = [
        SigningKey(key.fingerprint, key.first_used, None if key.is_current else key.last_used)
        for key in newsroom_keys()
    ]
    return answer(request, rendering.render_about(keys=keys, release=settings.RELEASE))


@public_page
def robots(request: HttpRequest) -> HttpResponse:
    # Copies are other people's words: noindex says so to whoever comes by a link, this to all others.
    lines = ("User-agent: *", "Disallow: /desk/", "Disallow: /accounts/", "Disallow: /admin/", "Disallow: /captures/")
    return answer(request, ("\n".join(lines) + "\n").encode(), "text/plain; charset=utf-8")


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Whether this process answers; it asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: 503 while the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


# --- from rows to what pages are made from -------------------------------------------------------


def _article(request: HttpRequest, publication: Publication) -> HttpResponse:
    content = parse(publication.content)
    body = rendering.render_article(content, notices=_notices(publication, content), release=settings.RELEASE)
    return answer(request, body)


def _notices(publication: Publication, content: PublicationView) -> list[NoticeView]:
    notices = []
    for notice in selectors.notices_of(publication):
        if notice.kind == NoticeKind.SUPERSEDED:
            # Each version is superseded by the next; the reader is sent to the newest.
            newest = selectors.versions_of(publication)[0].version
            notices.append(NoticeView(kind="superseded", at=notice.given_at, version=newest))
    # Earlier corrections stay over the article: an update after one must not make it disappear.
    for earlier in selectors.corrections().filter(article=publication.article_id, version__lt=content.version):
        change = parse(earlier.content).change_note
        if change:
            notices.append(NoticeView(kind="change", at=earlier.published_at, version=earlier.version, change=change))
    return notices


def _witnessed(capture_ids: set[str]) -> list[NoticeView]:
    """What outside archives hold of copies that are cited: each report is a row that nothing changes."""
    return [
        NoticeView(
            kind="witnessed",
            at=held.seen_at,
            subject=f"capture/{held.capture_id}",
            witness=Witness(held.service, held.taken_at, held.link, held.agreement),
        )
        for held in held_elsewhere(capture_ids)
    ]


def _signed(capture_id: str) -> list[NoticeView]:
    signatures = WaczSignature.objects.filter(capture__request__public_id=capture_id)
    return [
        NoticeView(kind="signed", at=one.signed_at, subject=f"capture/{capture_id}", text=one.fingerprint)
        for one in signatures
    ]


def _citations(content: PublicationView, capture_id: str) -> list[Citation]:
    return [
        Citation(content, claim, item)
        for claim in content.claims
        for item in claim.evidence
        if item.capture and item.capture.id == capture_id
    ]


def _public_capture(capture_id: str) -> Capture:
    if not selectors.is_open_to_readers(capture_id):
        raise Http404
    sealed = Capture.objects.filter(request__public_id=capture_id).first()
    if sealed is None or not sealed.warc_sha256:
        raise Http404
    return sealed


def _summary(front: Front) -> ArticleSummary:
    summary = front.summary
    note = summary.get("change_note")
    rows = [
        Tally(Rating(row["slug"], row["label"], row.get("meaning", ""), row["shape"], row["tone"]), row["count"])
        for row in summary["ratings"]
    ]
    unrated = summary["claims"] - sum(row.count for row in rows)
    if unrated > 0:
        rows.append(Tally(None, unrated))
    return ArticleSummary(
        slug=front.slug,
        title=summary["title"],
        deck=summary.get("deck", ""),
        byline=summary["byline"],
        language=summary["language"],
        version=summary["version"],
        published_at=front.published_at,
        claims=summary["claims"],
        tally=tuple(rows),
        change_note=ChangeNote(note["kind"], note["text"]) if note else None,
    )


def _page_address(number: int) -> str:
    return addresses.INDEX if number == 1 else f"{addresses.INDEX}?page={number}"


def _not_for_search(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Robots-Tag"] = "noindex, noarchive"
    return response
