"""Builds the sample newsroom through the services that people use.

Each step is one transaction and looks at what is there, so that a run that was interrupted is
taken up again by the next.
"""

import hashlib
import time
from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.services import record_new_person
from factcheck.articles.importing import read_plain_text
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import Details, import_article
from factcheck.claims.models import Claim
from factcheck.claims.services import mark_claim, place_claim, revise_article
from factcheck.evidence.selectors import evidence_by_claim
from factcheck.evidence.services import Argument, attach_interview, attach_page, attach_work, set_visibility
from factcheck.jobs.running import run_due_jobs
from factcheck.lib.errors import FactcheckError
from factcheck.operations.sample import newsroom
from factcheck.publications.services import publish
from factcheck.verdicts.models import Rating
from factcheck.verdicts.services import decide_claim, sign_off

CAPTURES_WITHIN_SECONDS = 120
VERSIONS = 2


class SeedRefused(FactcheckError):
    """The sample newsroom cannot be built in this database."""


class Seeding:
    """One run of it. ``tell`` gets a line for each step.

    With ``work`` the jobs are done here; otherwise a worker must be running.
    """

    def __init__(self, *, sources: str, password: str, work: bool, tell: Callable[[str], None]) -> None:
        self.sources = sources
        self.password = password
        self.work = work
        self.tell = tell

    def run(self) -> Article:
        """Make what is missing and return the sample article. Raises SeedRefused."""
        _check_tables()
        article = sample_article()
        if article is None and (
            Article.objects.exists()
            or User.objects.exclude(username__in=[p.username for p in newsroom.PEOPLE]).exists()
        ):
            raise SeedRefused(_("This database is in use. The sample newsroom is only built in an empty one."))
        self.people = {person.username: self._person(person) for person in newsroom.PEOPLE}
        if article is None:
            article = self._hand_in()
        for version in range(article.publications.count() + 1, VERSIONS + 1):
            if latest_revision(article).number < version:
                self._correct(article)
            self._wait_for_copies(article)
            self._decide_and_publish(article, version)
        return article

    @transaction.atomic
    def _person(self, person: newsroom.Person) -> User:
        user, made = User.objects.get_or_create(
            username=person.username, defaults={"name": person.name, "role": person.role}
        )
        if made:
            user.is_staff = user.is_superuser = person.role == "admin"
            user.set_password(self.password)
            user.save()
            record_new_person(user, by=None)
        return user

    @transaction.atomic
    def _hand_in(self) -> Article:
        self.tell(_("The reporter hands in the article, and its claims are marked."))
        raw = newsroom.article_bytes(1)
        details = Details(
            newsroom.TITLE, newsroom.BYLINE, newsroom.DATE, newsroom.LANGUAGE, self.sources + newsroom.OUR_PAGE
        )
        revision = import_article(raw, details=details, remove=_furniture(raw), by=self.people["rosa"])
        for sample in newsroom.CLAIMS:
            spans = find_passages(revision.text, sample.passages)
            claim = mark_claim(
                revision.article, passages=spans, kind=sample.kind, speaker=sample.speaker, by=self.people["rosa"]
            )
            for evidence in sample.evidence:
                self._attach(claim, evidence)
        return revision.article

    @transaction.atomic
    def _correct(self, article: Article) -> None:
        self.tell(_("Two mistakes are found, and the reporter hands in a second revision."))
        raw = newsroom.article_bytes(2)
        revision = revise_article(article, raw, version=None, remove=_furniture(raw), by=self.people["rosa"])
        for sample, claim in sample_claims(article):
            if correction := newsroom.CORRECTIONS.get(sample.key):
                spans = find_passages(revision.text, correction.passages)
                place_claim(claim, passages=spans, version=None, by=self.people["chen"])
                for evidence in correction.evidence:
                    self._attach(claim, evidence)

    def _attach(self, claim: Claim, sample: newsroom.Evidence) -> None:
        argument = Argument(
            stance=sample.stance,
            quote=sample.quote,
            note=sample.note,
            confirms_said=sample.confirms_said,
            confirms_so=sample.confirms_so,
            primary=sample.primary,
            off_record=sample.off_record,
            shown_to=[self.people["erik"]] if sample.off_record else [],
        )
        if sample.interview:
            attach_interview(
                claim,
                contact=sample.interview.who,
                spoken_on=sample.interview.when,
                spoken_how=sample.interview.how,
                heard_by=sample.interview.heard_by,
                argument=argument,
                visibility=sample.visibility,
                by=self.people["chen"],
            )
        elif sample.work:
            attach_work(
                claim,
                title=sample.work.title,
                author=sample.work.author,
                edition=sample.work.edition,
                page=sample.work.page,
                transcription=sample.quote,
                argument=argument,
                by=self.people["chen"],
            )
        else:
            attach_page(
                claim,
                url=self.sources + sample.path,
                title=sample.title,
                publisher=sample.publisher,
                argument=argument,
                by=self.people["chen"],
            )

    def _wait_for_copies(self, article: Article) -> None:
        """Return when every page is archived and searched. Raises SeedRefused for one that is not secured."""
        self.tell(_("The worker archives the sample sources and looks for the quoted words."))
        deadline = time.monotonic() + CAPTURES_WITHIN_SECONDS
        while True:
            standings = [item for found in evidence_by_claim(article.claims.all()).values() for item in found]
            if not any(item.waits for item in standings):
                break
            if time.monotonic() > deadline:
                raise SeedRefused(
                    _("The sample sources were not archived in time. Is a worker running, and does %(url)s answer?")
                    % {"url": self.sources}
                )
            if not (self.work and run_due_jobs()):
                time.sleep(0.1)
        for item in standings:
            if not item.secured:
                raise SeedRefused(
                    _("The sample source %(url)s is not secured: %(sentence)s")
                    % {"url": item.evidence.source.url, "sentence": item.sentence}
                )

    @transaction.atomic
    def _decide_and_publish(self, article: Article, version: int) -> None:
        self.tell(
            _("The checker decides, the editor signs off, and version %(number)s is published.") % {"number": version}
        )
        chen, erik = self.people["chen"], self.people["erik"]
        scale = {rating.slug: rating for rating in Rating.objects.current()}
        for sample, claim in sample_claims(article):
            correction = newsroom.CORRECTIONS.get(sample.key) if version > 1 else None
            if version > 1 and correction is None:
                continue
            verdict = (correction or sample).verdict
            filed = decide_claim(
                claim,
                rating=scale[verdict.rating] if verdict.rating else None,
                reason=verdict.reason,
                attribution=verdict.attribution,
                not_rated_reason=verdict.not_rated_reason,
                version=None,
                by=chen,
            )
            sign_off(filed, version=None, by=erik)
        self._open_copies(article)
        note = (newsroom.CHANGE_NOTE_KIND, newsroom.CHANGE_NOTE) if version > 1 else ("", "")
        publish(article, note_kind=note[0], note=note[1], by=erik)

    def _open_copies(self, article: Article) -> None:
        opened = {
            self.sources + item.path
            for claim in newsroom.CLAIMS
            for item in claim.evidence
            if item.visibility == "public"
        }
        for claim in article.claims.all():
            for evidence in claim.evidence.select_related("source"):
                if evidence.source.url in opened and evidence.source.visibility != "public":
                    reason = _("An official document: readers should be able to see all of it.")
                    set_visibility(evidence.source, "public", reason=reason, by=self.people["erik"])


def sample_article() -> Article | None:
    """The sample article, known by the bytes that were handed in: its title may have been edited since."""
    handed_in = hashlib.sha256(newsroom.article_bytes(1)).hexdigest()
    revision = Revision.objects.filter(number=1, original_sha256=handed_in).select_related("article").first()
    return revision.article if revision else None


def sample_claims(article: Article) -> list[tuple[newsroom.Claim, Claim]]:
    # Marked in this order, before anybody else could mark one.
    return list(zip(newsroom.CLAIMS, article.claims.order_by("pk"), strict=False))


def find_passages(text: str, passages: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand; the same words again mean their next place. Raises ValueError."""
    spans: list[tuple[int, int]] = []
    for words in passages:
        after = max((end for start, end in spans if text[start:end] == words), default=0)
        start = text.index(words, after)
        spans.append((start, start + len(words)))
    return spans


def _furniture(raw: bytes) -> list[int]:
    return [line.number for line in read_plain_text(raw).offered]


def _check_tables() -> None:
    if Article._meta.db_table not in connection.introspection.table_names():
        raise SeedRefused(_("The database is not set up yet. Run: make setup"))
