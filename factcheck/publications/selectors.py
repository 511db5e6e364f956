"""What readers' pages and the desk read of publications. Nothing here looks at live desk rows but the gate."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from factcheck.archive.models import Capture, Engine
from factcheck.archive.outcomes import Outcome
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.publications.destinations import address_hash, spelling_of
from factcheck.publications.gate import Blocker, blockers_of
from factcheck.publications.models import Citation, Destination, Front, NoteKind, Notice, Override, Publication
from factcheck.verdicts.selectors import Checked, check_of


@dataclass(frozen=True)
class Gate:
    revision: Revision
    checks: list[Checked]
    # What is in the way and has not been passed in writing.
    blockers: list[Blocker]
    # What was passed in writing and would be in the way without it.
    overrides: list[Override]

    @property
    def is_open(self) -> bool:
        return not self.blockers


def gate_of(article: Article) -> Gate:
    revision = latest_revision(article)
    checks = check_of(revision)
    found = blockers_of(checks)
    keys = {blocker.key for blocker in found}
    written = Override.objects.filter(revision=revision, blocker__in=keys).select_related(
        "reason_row", "sentence_row", "written_by"
    )
    passed = {override.blocker: override for override in written}
    return Gate(
        revision=revision,
        checks=checks,
        blockers=[blocker for blocker in found if blocker.key not in passed],
        overrides=[passed[blocker.key] for blocker in found if blocker.key in passed],
    )


def latest(slug: str) -> Publication | None:
    """The newest publication under this slug, with its content; one query."""
    return Publication.objects.whole().filter(article__slug=slug).order_by("-version").first()


def version(slug: str, number: int) -> Publication | None:
    return Publication.objects.whole().filter(article__slug=slug, version=number).first()


def notices_of(publication: Publication) -> list[Notice]:
    return list(publication.notices.all())


def versions_of(publication: Publication) -> list[Publication]:
    """All versions of the same article without their content, the newest first."""
    return list(Publication.objects.filter(article=publication.article_id).order_by("-version"))


def published_articles() -> QuerySet[Front]:
    """Fronts, the newest article first; to be sliced into pages by the caller."""
    return Front.objects.all()


def corrections() -> QuerySet[Publication]:
    """Publications that say that something had been wrong or unclear, the newest first."""
    kinds = (NoteKind.CLARIFICATION, NoteKind.CORRECTION, NoteKind.RETRACTION)
    return Publication.objects.whole().filter(note_kind__in=kinds).order_by("-published_at", "-pk")


def citing(subject: str) -> list[Publication]:
    """The publications that cite a claim or a capture ("claim/…", "capture/…"), the newest first."""
    cited = Citation.objects.filter(subject=subject).values("publication_id")
    return list(Publication.objects.whole().filter(pk__in=cited).order_by("-published_at", "-pk"))


def claim_history(claim_id: str) -> list[Publication]:
    return citing(f"claim/{claim_id}")


def capture_citations(capture_id: str) -> list[Publication]:
    return citing(f"capture/{capture_id}")


def summary_of(content: dict[str, Any]) -> dict[str, Any]:
    """What a list shows of a publication: its head, and how many claims got which rating."""
    claims: Sequence[dict[str, Any]] = content["claims"]
    counted = Counter(claim["rating"]["slug"] if claim["rating"] else "" for claim in claims)
    return {
        "title": content["article"]["title"],
        "deck": next((block["text"] for block in content["blocks"] if block["kind"] == "deck"), ""),
        "byline": content["article"]["byline"],
        "date": content["article"]["date"],
        "language": content["article"]["language"],
        "version": content["version"],
        "claims": len(claims),
        "ratings": [
            {
                "slug": rating["slug"],
                "label": rating["label"],
                "shape": rating["shape"],
                "tone": rating["tone"],
                "count": counted[rating["slug"]],
            }
            for rating in content["ratings"]
            if counted[rating["slug"]]
        ],
        "change_note": content["change_note"],
    }


def latest_of_each(publications: Sequence[Publication]) -> list[Publication]:
    """Of each article the newest of these publications, which come newest first."""
    latest_by_article: dict[int, Publication] = {}
    for publication in publications:
        latest_by_article.setdefault(publication.article_id, publication)
    return list(latest_by_article.values())


def is_open_to_readers(capture_id: str) -> bool:
    """Whether every claim that cites this capture shows it whole, in the newest version of its article.

    A source that was closed for readers is left out of the next version: what an older one said of
    it must not keep the copy open.
    """
    return bool(_open_among([f"capture/{capture_id}"]))


# Of one page no newsroom makes as many copies; whoever tries shall not make a reader's request cost more.
MOST_MEMENTOS = 5_000


def open_mementos(address: str) -> list[tuple[str, datetime]]:
    """Ids and times, the oldest first, of the copies of an address that are open to readers and are all of what the
    site sent: not cut off, not uploaded, and not from a sender whom nobody could vouch for.

    ``address`` is what was asked for, or where redirects led, in its one spelling.
    """
    whole = (
        Capture.objects.filter(
            outcome__in=Outcome.with_evidence(), truncated="", unverified_tls=False, request__confidential=False
        )
        .exclude(engine=Engine.UPLOAD)
        .exclude(body_sha256="")
    )
    asked_for = whole.filter(request__canonical_url=address).order_by("started_at", "pk")
    found = dict(asked_for.values_list("request__public_id", "started_at")[:MOST_MEMENTOS])
    led_to = Destination.objects.filter(address_hash=address_hash(address)).values_list("subject", flat=True)
    ids = [subject.removeprefix("capture/") for subject in led_to[:MOST_MEMENTOS]]
    if ids:
        for capture in whole.filter(request__public_id__in=ids).select_related("request"):
            # An address that was erased since leads nowhere.
            if spelling_of(capture.final_url) == address:
                found[capture.public_id] = capture.started_at
    is_open = _open_among([f"capture/{public_id}" for public_id in found])
    mementos = [(public_id, moment) for public_id, moment in found.items() if f"capture/{public_id}" in is_open]
    return sorted(mementos, key=lambda memento: (memento[1], memento[0]))


def _open_among(subjects: Sequence[str]) -> set[str]:
    """Those of the subjects ("capture/…") that ``is_open_to_readers``, in three queries."""
    if not subjects:
        return set()
    cited = Citation.objects.filter(subject__in=subjects)
    rows = list(
        cited.values_list("subject", "publication__article_id", "publication__version", "publication_id").order_by(
            "publication__version"
        )
    )
    # Of each subject and article the newest version that cites it: later rows take the place of earlier ones.
    latest = {(subject, article): (version, pk) for subject, article, version, pk in rows}
    articles = {article for _subject, article in latest}
    newest = dict(
        Publication.objects.filter(article__in=articles).values_list("article_id").annotate(Max("version")).order_by()
    )
    left_out = {subject for (subject, article), (version, _pk) in latest.items() if newest[article] != version}
    current = {pk for (_subject, article), (version, pk) in latest.items() if newest[article] == version}
    publications = Publication.objects.whole().filter(pk__in=current)
    shown: dict[str, set[str]] = {}
    for publication in publications.iterator():
        for claim in publication.content["claims"]:
            for item in claim["evidence"]:
                if item["capture"]:
                    shown.setdefault(f"capture/{item['capture']['id']}", set()).add(item["capture"]["visibility"])
    return {subject for subject, _article in latest if subject not in left_out and shown.get(subject) == {"public"}}
