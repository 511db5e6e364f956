import datetime
import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.archive import blobs
from factcheck.archive.canonical_url import canonical_url
from factcheck.archive.models import Capture
from factcheck.articles.canonical import Block, canonical_text, place_blocks
from factcheck.articles.errors import ArticleError, OwnPageOutdated, UnreadableText
from factcheck.articles.formats import Format
from factcheck.articles.from_pages import read_page
from factcheck.articles.importing import TITLE_LENGTH, BackUp, Draft, back_up_of, blocks_of, read_draft
from factcheck.articles.models import (
    Article,
    BackUpDecision,
    BackUpNote,
    BackUpOutcome,
    OwnPage,
    OwnPageAside,
    OwnPageState,
    Revision,
)
from factcheck.articles.own_page import Difference, with_differences
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Text
from factcheck.ledger.services import keep_text, record
from factcheck.lib.ids import chosen_id
from factcheck.lib.legible import is_legible
from factcheck.lib.versions import check_version


@dataclass(frozen=True)
class Details:
    """What is known of an article beside its words."""

    title: str = ""
    byline: str = ""
    date: datetime.date | None = None
    language: str = ""
    url: str = ""
    discreet: bool = False


@transaction.atomic
def import_article(
    raw: bytes,
    *,
    form: Format = Format.TEXT,
    details: Details | None = None,
    complete: bool = False,
    remove: Collection[int] = (),
    public_id: str = "",
    by: User | None,
) -> Revision:
    """Make an article of a document and return its first revision; the author's notes in it become its back-up.

    What ``details`` leaves empty is taken from the text, unless they are ``complete``: a person has
    seen what was found and emptied it. ``remove`` holds the numbers of offered lines that a person
    agreed to lose. Whoever asks twice with one ``public_id`` gets the article that they have already.
    Raises UnreadableText.
    """
    require(by, Act.WRITE_ARTICLE)
    if made := _made_already(public_id, by):
        return made
    draft = read_draft(raw, form)
    return _import(draft, raw, None, details=details, complete=complete, remove=remove, public_id=public_id, by=by)


@transaction.atomic
def import_page(
    capture: Capture,
    *,
    details: Details | None = None,
    complete: bool = False,
    remove: Collection[int] = (),
    public_id: str = "",
    by: User | None,
) -> Revision:
    """Make an article of an archived page, which stays its original; else as ``import_article``.

    Raises UnreadableText and BlobError.
    """
    require(by, Act.WRITE_ARTICLE)
    if made := _made_already(public_id, by):
        return made
    raw, draft = read_page(capture)
    return _import(draft, raw, capture, details=details, complete=complete, remove=remove, public_id=public_id, by=by)


def _made_already(public_id: str, by: User | None) -> Revision | None:
    if not public_id or by is None:
        return None
    # The row of the person keeps their second click waiting for the first.
    User.objects.select_for_update().get(pk=by.pk)
    made = Article.objects.filter(public_id=public_id, created_by=by).first()
    return made.revisions.get(number=1) if made else None


def _import(
    draft: Draft,
    raw: bytes,
    capture: Capture | None,
    *,
    details: Details | None,
    complete: bool,
    remove: Collection[int],
    public_id: str,
    by: User | None,
) -> Revision:
    if complete:
        draft = replace(draft, title="", byline="", published=None, language="")
    details = details or Details()
    title = details.title.strip() or draft.title
    blocks = blocks_of(draft, title=title, remove=remove)
    title = title or _first_words(blocks)
    article = Article(
        public_id=chosen_id(public_id, lambda wanted: Article.objects.filter(public_id=wanted).exists()),
        title=title[:TITLE_LENGTH],
        byline=details.byline.strip() or draft.byline,
        date=details.date or draft.published,
        language=details.language or draft.language or "en",
        url=_address(details.url),
        discreet=details.discreet,
        created_by=by,
    )
    article.slug = _free_slug(title, article.public_id)
    article.save()
    revision = _add_revision(article, draft, blocks, raw, remove, capture=capture, by=by)
    facts = {"revision": 1, "sha256": revision.sha256, "original_sha256": revision.original_sha256}
    record(
        Action.ARTICLE_IMPORTED,
        article.subject,
        {**facts, **({"capture": capture.public_id} if capture else {})},
        by=by.actor_id if by else None,
    )
    return revision


@transaction.atomic
def add_revision(
    article: Article,
    raw: bytes,
    *,
    form: Format = Format.TEXT,
    version: int | None,
    remove: Collection[int] = (),
    by: User | None,
) -> Revision:
    """Give the article a new wording.

    Placing the claims in it is the act of ``claims.services.revise_article``, which calls this.
    Raises StaleVersion, UnreadableText, and ArticleError when not a word has changed.
    """
    require(by, Act.WRITE_ARTICLE)
    article = Article.objects.select_for_update().get(pk=article.pk)
    check_version(
        article, version, _("Somebody changed this article since you opened the page. Look at it again first.")
    )
    latest = article.revisions.latest("number")
    draft = read_draft(raw, form)
    headline = next((block.text for block in latest.blocks if block.kind == "headline"), "")
    blocks = blocks_of(draft, title=draft.title or headline, remove=remove)
    if _is_the_same(latest, draft, blocks, remove):
        raise ArticleError(_("Not a word has changed: revision %(number)s says the same.") % {"number": latest.number})
    revision = _add_revision(article, draft, blocks, raw, remove, by=by)
    _revised(article)
    record(
        Action.ARTICLE_REVISED,
        article.subject,
        {"revision": revision.number, "sha256": revision.sha256, "original_sha256": revision.original_sha256},
        by=by.actor_id if by else None,
    )
    return revision


@transaction.atomic
def change_details(article: Article, details: Details, *, version: int | None, by: User | None) -> Article:
    """Change what is known of an article beside its words. Raises StaleVersion."""
    require(by, Act.WRITE_ARTICLE)
    article = Article.objects.select_for_update().get(pk=article.pk)
    check_version(
        article, version, _("Somebody changed these details since you opened the page. Both are shown below.")
    )
    if not details.title.strip():
        raise ArticleError(_("An article needs a title."))
    article.title = details.title.strip()[:TITLE_LENGTH]
    article.byline = details.byline.strip()
    article.date = details.date
    article.language = details.language or article.language
    _move_own_page(article, _address(details.url))
    article.discreet = details.discreet
    article.version += 1
    article.save()
    record(
        Action.ARTICLE_DETAILS_CHANGED,
        article.subject,
        {key: str(value) if value is not None else None for key, value in asdict(details).items()},
        by=by.actor_id if by else None,
    )
    return article


def _add_revision(
    article: Article,
    draft: Draft,
    blocks: list[Block],
    raw: bytes,
    remove: Collection[int],
    *,
    capture: Capture | None = None,
    by: User | None,
) -> Revision:
    offered = {line.number: line.text for line in draft.offered}
    if unknown := set(remove) - set(offered):
        raise UnreadableText(
            _("Line %(number)s was not offered for removal; only whole offered lines can go.")
            % {"number": min(unknown)}
        )
    removed = [offered[number] for number in sorted(remove)]
    # Bytes first: nothing is recorded whose original cannot be read back.
    original = blobs.store(raw)
    revision = _write_revision(
        article,
        blocks,
        original_sha256=original.sha256,
        original_format=draft.format,
        removed=removed,
        capture=capture,
        by=by,
    )
    _keep_back_up(revision, back_up_of(draft, blocks, remove=remove))
    return revision


def _write_revision(
    article: Article,
    blocks: list[Block],
    *,
    original_sha256: str,
    original_format: str = "",
    removed: list[str] | None = None,
    capture: Capture | None = None,
    by: User | None,
) -> Revision:
    """The next revision of a locked article; its original is in the store already."""
    text = canonical_text(blocks)
    return Revision.objects.create(
        article=article,
        number=article.revisions.count() + 1,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text_row=keep_text(text),
        block_spans=[
            {"id": block.id, "kind": block.kind, "start": block.start, "end": block.end}
            for block in place_blocks(blocks)
        ],
        original_sha256=original_sha256,
        original_format=original_format,
        capture=capture,
        removed_row=keep_text(json.dumps(removed, ensure_ascii=False)) if removed else None,
        created_by=by,
    )


def _is_the_same(latest: Revision, draft: Draft, blocks: list[Block], remove: Collection[int]) -> bool:
    """Whether a revision of the draft would bring neither other words nor a note that is not there yet."""
    if canonical_text(blocks) != latest.text:
        return False
    known = {(note.kind, note.text, note.url) for note in latest.back_up.select_related("words_row")}
    return {(note.kind, note.text, note.url) for note in back_up_of(draft, blocks, remove=remove)} <= known


def _keep_back_up(revision: Revision, notes: list[BackUp]) -> None:
    for note in notes:
        words = {"text": note.text, "author": note.author, "url": note.url}
        BackUpNote.objects.create(
            revision=revision,
            kind=note.kind,
            start=note.start,
            end=note.end,
            words_row=keep_text(json.dumps(words, ensure_ascii=False)),
        )


@transaction.atomic
def decide_back_up(note: BackUpNote, outcome: str, *, reason: str = "", by: User | None) -> None:
    """Say what became of a note of the author's; the latest word counts. Doing it twice does no harm.

    Raises ArticleError for a note that is set aside without a reason.
    """
    require(by, Act.ADD_EVIDENCE)
    # The article's row keeps two people's decisions in an order.
    article = Article.objects.select_for_update().get(revisions=note.revision_id)
    if outcome not in BackUpOutcome.values:
        raise ArticleError(_("Choose what became of this note."))
    reason = reason.strip()[:1000]
    if outcome == BackUpOutcome.SET_ASIDE and not is_legible(reason):
        raise ArticleError(_("Say why in a few words; the reason stays with the article."))
    before = note.decisions.select_related("reason_row").last()
    if (outcome, reason) == ((before.outcome, before.reason) if before else (BackUpOutcome.OPEN, "")):
        return
    BackUpDecision.objects.create(
        note=note, outcome=outcome, reason_row=keep_text(reason) if reason else None, decided_by=by
    )
    # Entries are disclosed one day; what the author wrote for the desk, and what is said of it, never is.
    facts = {"note": note.pk, "revision": note.revision.number, "outcome": str(outcome)}
    record(Action.BACK_UP_DECIDED, article.subject, facts, by=by.actor_id if by else None)


def _first_words(blocks: list[Block]) -> str:
    words = blocks[0].text.split()
    title = ""
    for word in words:
        if len(title) + len(word) > 70:
            return f"{title}…"
        title = f"{title} {word}".strip()
    return title


def _free_slug(title: str, public_id: str) -> str:
    slug = slugify(title)[:60].strip("-") or f"article-{public_id}"
    # The desk's /articles/new/ and /articles/from-page/ are the pages for handing in.
    taken = slug in ("new", "from-page") or Article.objects.filter(slug=slug).exists()
    return f"{slug}-{public_id}" if taken else slug


def _address(url: str) -> str:
    """Raises AddressRefused for what no page of ours can stand under."""
    if url.strip():
        canonical_url(url.strip())
    return url.strip()


# --- our own page


@dataclass(frozen=True)
class OwnPageFound:
    """What a look at our own page brought. ``differences`` are those from ``latest`` that are to be offered."""

    state: OwnPageState
    url: str
    published: Revision
    latest: Revision
    shows: Revision | None = None
    outcome: str = ""
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    # Of the page, in the store before this names it.
    body_sha256: str = ""


@transaction.atomic
def expect_own_page(article: Article) -> None:
    """Have our own page read soon: something was published that should stand on it."""
    if article.url:
        OwnPage.objects.update_or_create(
            article=article, defaults={"next_at": timezone.now()}, create_defaults={"next_at": timezone.now()}
        )


@transaction.atomic
def look_at_own_page(article: Article, *, by: User | None) -> None:
    """Have our own page read now. Raises ArticleError where there is none to read."""
    require(by, Act.WRITE_ARTICLE)
    if not OwnPage.objects.filter(article=article, article__url__gt="").update(next_at=timezone.now()):
        raise ArticleError(_("Our own page is read once the article is published and its address is known."))


@transaction.atomic
def write_own_page(article: Article, found: OwnPageFound, *, next_at: datetime.datetime | None) -> None:
    """Keep what was found on our own page. What is the same as before leaves no entry in the log."""
    page = OwnPage.objects.select_for_update(of=("self",)).select_related("article", "found_row").get(article=article)
    latest = page.article.revisions.order_by("-number").values_list("pk", flat=True)[0]
    if page.article.url != found.url or latest != found.latest.pk:
        # It was about another page, or another text: what is due stays due.
        return
    if found.state == OwnPageState.UNREAD and page.state == OwnPageState.DIFFERS and page.latest == found.latest:
        # What was found stays offered: that the page is out of reach now does not undo it.
        page.outcome, page.reason, page.next_at = found.outcome, found.reason, next_at
        page.save()
        return
    before = (page.state, page.published, page.outcome, page.reason, page.shows, page.differences)
    page.state, page.url = found.state, found.url
    page.published, page.latest, page.shows = found.published, found.latest, found.shows
    page.outcome, page.reason = found.outcome, found.reason
    if page.differences != list(found.differences):
        page.found_row = _words_of(found.differences) if found.differences else None
    page.body_sha256 = found.body_sha256 if found.differences else ""
    page.read_at, page.next_at = timezone.now(), next_at
    page.save()
    if before != (page.state, page.published, page.outcome, page.reason, page.shows, list(found.differences)):
        facts = {
            "state": str(page.state),
            "revision": found.latest.number,
            "outcome": page.outcome or None,
            "differences": [difference.key for difference in found.differences],
            "body_sha256": page.body_sha256 or None,
        }
        record(Action.OWN_PAGE_READ, article.subject, facts, by=None)


@transaction.atomic
def add_revision_from_own_page(
    article: Article, keys: Collection[str], *, version: int | None, by: User | None
) -> Revision:
    """Give the article a new wording: the latest one, with these differences of our own page taken over.

    Placing the claims in it is the act of ``claims.services.take_own_page``, which calls this.
    Raises StaleVersion, OwnPageOutdated, and ArticleError when nothing is chosen.
    """
    require(by, Act.WRITE_ARTICLE)
    article = Article.objects.select_for_update().get(pk=article.pk)
    check_version(
        article, version, _("Somebody changed this article since you opened the page. Look at it again first.")
    )
    page, chosen = _chosen_differences(article, keys)
    latest = article.revisions.latest("number")
    if page.latest != latest:
        raise OwnPageOutdated(_("The article has a newer revision by now. Our page is compared with it in a moment."))
    blocks = with_differences(latest.blocks, chosen)
    if not blocks:
        raise ArticleError(_("Nothing of the article would be left."))
    revision = _write_revision(article, blocks, original_sha256=page.body_sha256, by=by)
    _revised(article)
    record(
        Action.ARTICLE_REVISED,
        article.subject,
        {
            "revision": revision.number,
            "sha256": revision.sha256,
            "original_sha256": revision.original_sha256,
            "own_page": [difference.key for difference in chosen],
        },
        by=by.actor_id if by else None,
    )
    left = [difference for difference in page.differences if difference not in chosen]
    # Until it has been read again, which is due: of what is left the places may be others now.
    page.state = OwnPageState.WAITING if left else OwnPageState.OTHER
    page.latest, page.shows, page.found_row, page.body_sha256 = revision, None if left else revision, None, ""
    page.next_at = timezone.now()
    page.save()
    return revision


@transaction.atomic
def set_own_page_aside(article: Article, keys: Collection[str], *, reason: str, by: User | None) -> None:
    """Leave differences of our own page as they are; they are not offered again. Raises ArticleError."""
    require(by, Act.SET_OWN_PAGE_ASIDE)
    page, chosen = _chosen_differences(article, keys)
    if not is_legible(reason):
        raise ArticleError(_("Say why in a few words; the reason stays with the article."))
    for difference in chosen:
        OwnPageAside.objects.get_or_create(
            article=article,
            key=difference.key,
            defaults={
                "words_row": keep_text(json.dumps(asdict(difference), ensure_ascii=False)),
                "reason": reason.strip(),
                "set_by": by,
            },
        )
        facts = {"key": difference.key, "reason": reason.strip()}
        record(Action.OWN_PAGE_SET_ASIDE, article.subject, facts, by=by.actor_id if by else None)
    left = [difference for difference in page.differences if difference not in chosen]
    page.found_row = _words_of(left) if left else None
    if not left:
        page.state, page.body_sha256 = OwnPageState.SAME, ""
    page.save()


@transaction.atomic
def put_own_page_back(article: Article, key: str, *, by: User | None) -> None:
    """Have a difference offered again if it is still there; doing it twice does no harm."""
    require(by, Act.SET_OWN_PAGE_ASIDE)
    deleted, _each = OwnPageAside.objects.filter(article=article, key=key).delete()
    if deleted:
        OwnPage.objects.filter(article=article).update(next_at=timezone.now())
        record(Action.OWN_PAGE_PUT_BACK, article.subject, {"key": key}, by=by.actor_id if by else None)


def _chosen_differences(article: Article, keys: Collection[str]) -> tuple[OwnPage, list[Difference]]:
    pages = OwnPage.objects.select_for_update(of=("self",)).select_related("found_row", "latest")
    page = pages.filter(article=article).first()
    found = {difference.key: difference for difference in page.differences} if page else {}
    if page is None or set(keys) - set(found):
        raise OwnPageOutdated(_("Our page was read again meanwhile and says something else. Look at it once more."))
    if not keys:
        raise ArticleError(_("Tick at least one of the differences."))
    # In the order of the text.
    return page, [difference for difference in page.differences if difference.key in set(keys)]


def _words_of(differences: Collection[Difference]) -> Text:
    return keep_text(json.dumps([asdict(difference) for difference in differences], ensure_ascii=False))


def _revised(article: Article) -> None:
    article.version += 1
    article.save(update_fields=["version"])
    # Against what it is compared is another text now.
    OwnPage.objects.filter(article=article, next_at__isnull=False).update(next_at=timezone.now())


def _move_own_page(article: Article, url: str) -> None:
    if article.url != url:
        OwnPage.objects.filter(article=article).update(
            state=OwnPageState.WAITING,
            found_row=None,
            body_sha256="",
            shows=None,
            next_at=timezone.now() if url else None,
        )
    article.url = url
