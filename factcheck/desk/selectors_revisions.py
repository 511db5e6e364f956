"""Two revisions of an article beside each other, and what that does to its claims."""

from dataclasses import dataclass

from django.db.models import Max

from factcheck.accounts.models import User
from factcheck.articles.models import Article, Revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import claims_in
from factcheck.desk.comparing import Part, Row, compare_blocks, compare_words, merged
from factcheck.verdicts.models import SignOff, Verdict


@dataclass(frozen=True)
class TouchedClaim:
    """A claim whose words are others in the later revision, or that has no place in one of the two."""

    claim: Claim
    before: str
    after: str

    @property
    def parts(self) -> tuple[Part, ...]:
        return merged(compare_words(self.before, self.after))


@dataclass(frozen=True)
class RevisionPair:
    article: Article
    before: Revision
    after: Revision
    numbers: list[int]
    rows: list[Row]
    touched: list[TouchedClaim]
    untouched: int
    # The newest revision that this person decided or signed off a claim in; None if there is none.
    last_checked: int | None

    @property
    def changed(self) -> int:
        return sum(row.kind != "same" for row in self.rows)


def last_checked_revision(article: Article, person: User) -> int | None:
    """The newest revision that there was when this person last decided or signed off a claim; None before that."""
    decided = Verdict.objects.filter(claim__article=article, decided_by=person).aggregate(at=Max("decided_at"))["at"]
    signed = SignOff.objects.filter(verdict__claim__article=article, signed_by=person).aggregate(at=Max("signed_at"))[
        "at"
    ]
    last = max((at for at in (decided, signed) if at), default=None)
    if last is None:
        return None
    # Made before it: a verdict about words that stayed is signed off in a later revision than it was filed in.
    number: int | None = article.revisions.filter(created_at__lte=last).aggregate(newest=Max("number"))["newest"]
    return number


def revision_pair(article: Article, first: int | None, second: int | None, person: User) -> RevisionPair:
    """The revisions of these numbers; without them the newest, and the one before it that the person checked last.

    Raises Revision.DoesNotExist.
    """
    numbers = list(article.revisions.order_by("number").values_list("number", flat=True))
    checked = last_checked_revision(article, person)
    later = second or numbers[-1]
    earlier = first or (checked if checked and checked < later else max(later - 1, 1))
    revisions = article.revisions.select_related("text_row")
    before, after = revisions.get(number=earlier), revisions.get(number=later)
    before.article = after.article = article
    old = {placed.claim.pk: placed for placed in claims_in(before)}
    touched, untouched = [], 0
    for placed in claims_in(after):
        was = old.get(placed.claim.pk)
        if was is not None and was.is_placed and was.statement_sha256 == placed.statement_sha256:
            untouched += 1
        elif was is not None and (was.is_placed or placed.is_placed):
            touched.append(TouchedClaim(placed.claim, was.quote, placed.quote))
    return RevisionPair(
        article=article,
        before=before,
        after=after,
        numbers=numbers,
        rows=compare_blocks(before.blocks, after.blocks),
        touched=touched,
        untouched=untouched,
        last_checked=checked,
    )
