import datetime
import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.archive import blobs
from factcheck.articles.canonical import Block, canonical_text, place_blocks
from factcheck.articles.errors import ArticleError, UnreadableText
from factcheck.articles.importing import TITLE_LENGTH, Draft, blocks_of, read_plain_text
from factcheck.articles.models import Article, Revision
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.ids import chosen_id
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
    details: Details | None = None,
    complete: bool = False,
    remove: Collection[int] = (),
    public_id: str = "",
    by: User | None,
) -> Revision:
    """Make an article of a plain text and return its first revision.

    What ``details`` leaves empty is taken from the text, unless they are ``complete``: a person has
    seen what was found and emptied it. ``remove`` holds the numbers of offered lines that a person
    agreed to lose. Whoever asks twice with one ``public_id`` gets the article that they have already.
    Raises UnreadableText.
    """
    require(by, Act.WRITE_ARTICLE)
    if public_id and by is not None:
        # The row of the person keeps their second click waiting for the first.
        User.objects.select_for_update().get(pk=by.pk)
        if made := Article.objects.filter(public_id=public_id, created_by=by).first():
            return made.revisions.get(number=1)
    draft = read_plain_text(raw)
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
        url=details.url,
        discreet=details.discreet,
        created_by=by,
    )
    article.slug = _free_slug(title, article.public_id)
    article.save()
    revision = _add_revision(article, draft, blocks, raw, remove, by=by)
    record(
        Action.ARTICLE_IMPORTED,
        article.subject,
        {"revision": 1, "sha256": revision.sha256, "original_sha256": revision.original_sha256},
        by=by.actor_id if by else None,
    )
    return revision


@transaction.atomic
def add_revision(
    article: Article, raw: bytes, *, version: int | None, remove: Collection[int] = (), by: User | None
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
    draft = read_plain_text(raw)
    headline = next((block.text for block in latest.blocks if block.kind == "headline"), "")
    blocks = blocks_of(draft, title=draft.title or headline, remove=remove)
    if canonical_text(blocks) == latest.text:
        raise ArticleError(_("Not a word has changed: revision %(number)s says the same.") % {"number": latest.number})
    revision = _add_revision(article, draft, blocks, raw, remove, by=by)
    article.version += 1
    article.save(update_fields=["version"])
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
    article.url = details.url
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
    article: Article, draft: Draft, blocks: list[Block], raw: bytes, remove: Collection[int], *, by: User | None
) -> Revision:
    text = canonical_text(blocks)
    offered = {line.number: line.text for line in draft.offered}
    if unknown := set(remove) - set(offered):
        raise UnreadableText(
            _("Line %(number)s was not offered for removal; only whole offered lines can go.")
            % {"number": min(unknown)}
        )
    removed = [offered[number] for number in sorted(remove)]
    # Bytes first: nothing is recorded whose original cannot be read back.
    original = blobs.store(raw)
    return Revision.objects.create(
        article=article,
        number=article.revisions.count() + 1,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text_row=keep_text(text),
        block_spans=[
            {"id": block.id, "kind": block.kind, "start": block.start, "end": block.end}
            for block in place_blocks(blocks)
        ],
        original_sha256=original.sha256,
        removed_row=keep_text(json.dumps(removed, ensure_ascii=False)) if removed else None,
        created_by=by,
    )


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
    # The desk's /articles/new/ is the page for handing in.
    taken = slug == "new" or Article.objects.filter(slug=slug).exists()
    return f"{slug}-{public_id}" if taken else slug
