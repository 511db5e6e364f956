import hashlib

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.articles.models import Article
from factcheck.articles.services import expect_own_page
from factcheck.evidence.witnessing import ask_about_published
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.legible import is_legible
from factcheck.lib.versions import check_version
from factcheck.publications.content import build_content, parse_content
from factcheck.publications.destinations import destinations_in
from factcheck.publications.errors import ChangeNoteMissing, GateClosed, OverrideRefused
from factcheck.publications.gate import BlockerKind
from factcheck.publications.models import (
    Citation,
    Destination,
    Front,
    NoteKind,
    Notice,
    NoticeKind,
    Override,
    Publication,
)
from factcheck.publications.selectors import gate_of, summary_of
from factcheck.verdicts.models import Rating


@transaction.atomic
def override_blocker(article: Article, key: str, *, reason: str, by: User | None) -> Override:
    """Pass one named blocker of the latest revision with a written reason.

    Raises OverrideRefused without a reason, for what is not in the way, and for an unsigned
    verdict when the person decided it: that would be signing off one's own work.
    """
    require(by, Act.OVERRIDE)
    article = Article.objects.select_for_update().get(pk=article.pk)
    gate = gate_of(article)
    blocker = next((item for item in gate.blockers if item.key == key), None)
    if blocker is None:
        raise OverrideRefused(_("This is not in the way any more. Look at the list again."))
    if not is_legible(reason):
        raise OverrideRefused(_("Write why the article may go out all the same; the reason is published with it."))
    if blocker.kind is BlockerKind.UNSIGNED and by is not None and by.pk == blocker.author_id:
        raise OverrideRefused(_("You decided this verdict: somebody else must sign it off or pass it."))
    override = Override.objects.create(
        article=article,
        revision=gate.revision,
        blocker=blocker.key,
        # Frozen into what is published.
        sentence_row=keep_text(blocker.public_sentence),
        reason_row=keep_text(reason.strip()),
        written_by=by,
    )
    record(
        Action.OVERRIDE_WRITTEN,
        article.subject,
        {"blocker": blocker.key, "revision": gate.revision.number, "reason": reason.strip()},
        by=by.actor_id if by else None,
    )
    return override


@transaction.atomic
def publish(
    article: Article, *, note_kind: str = "", note: str = "", version: int | None = None, by: User | None
) -> Publication:
    """Freeze the article as it stands, with its check, and put it before readers.

    Raises GateClosed with the blockers, ChangeNoteMissing from the second version on, StaleVersion.
    """
    require(by, Act.PUBLISH)
    article = Article.objects.select_for_update().get(pk=article.pk)
    check_version(
        article, version, _("Somebody changed this article since you opened the page. Look at it again first.")
    )
    gate = gate_of(article)
    if gate.blockers:
        raise GateClosed(_("The article cannot go out yet. What is in the way is listed below."), gate.blockers)
    previous = article.publications.order_by("-version").first()
    if previous is None:
        change_note = None
    elif note_kind not in NoteKind.values or not is_legible(note):
        raise ChangeNoteMissing(
            _("Say what sort of change this is and what has changed: readers see it with the new version.")
        )
    else:
        change_note = {"kind": str(note_kind), "text": note.strip()}
    number = previous.version + 1 if previous else 1
    moment = timezone.now()
    body = build_content(
        gate.revision,
        # The rows that the gate has looked at; read again, they might be others.
        gate.checks,
        newsroom=settings.NEWSROOM_NAME,
        version=number,
        published_at=moment,
        published_by=by,
        change_note=change_note,
        overrides=gate.overrides,
        ratings=list(Rating.objects.current()),
    )
    publication = Publication.objects.create(
        article=article,
        version=number,
        revision=gate.revision,
        sha256=hashlib.sha256(body).hexdigest(),
        content_row=keep_text(body.decode()),
        note_kind=change_note["kind"] if change_note else "",
        published_by=by,
        published_at=moment,
    )
    _index(publication)
    if previous is not None:
        Notice.objects.create(publication=previous, kind=NoticeKind.SUPERSEDED, facts={"version": number})
        record(
            Action.NOTICE_GIVEN,
            previous.subject,
            {"kind": NoticeKind.SUPERSEDED.value, "version": number},
            by=by.actor_id if by else None,
        )
    article.version += 1
    article.save(update_fields=["version"])
    record(
        Action.PUBLICATION_PUBLISHED,
        publication.subject,
        {
            "slug": article.slug,
            "version": number,
            "sha256": publication.sha256,
            "revision_sha256": gate.revision.sha256,
        },
        by=by.actor_id if by else None,
    )
    expect_own_page(article)
    # Only now: before it is published, nobody outside may learn what an article rests on.
    ask_about_published(_captures_cited(publication), by=by)
    return publication


def _captures_cited(publication: Publication) -> list[str]:
    subjects = publication.citations.filter(subject__startswith="capture/").values_list("subject", flat=True)
    return [subject.removeprefix("capture/") for subject in subjects]


def _index(publication: Publication) -> None:
    """Write what is derived from the content so that readers' addresses find it."""
    content = parse_content(publication.content_row.body)
    Front.objects.update_or_create(
        article=publication.article,
        defaults={
            "publication": publication,
            "slug": publication.article.slug,
            "summary": summary_of(content),
            "published_at": publication.published_at,
        },
        create_defaults={
            "publication": publication,
            "slug": publication.article.slug,
            "summary": summary_of(content),
            "published_at": publication.published_at,
            "first_published_at": publication.published_at,
        },
    )
    subjects = set()
    for claim in content["claims"]:
        subjects.add(f"claim/{claim['id']}")
        subjects.update(f"capture/{item['capture']['id']}" for item in claim["evidence"] if item["capture"])
    Citation.objects.bulk_create(Citation(publication=publication, subject=subject) for subject in sorted(subjects))
    Destination.objects.bulk_create(
        (Destination(subject=subject, address_hash=hash_) for subject, hash_ in sorted({*destinations_in(content)})),
        ignore_conflicts=True,
    )
