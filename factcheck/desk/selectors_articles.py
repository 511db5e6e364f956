"""What the pages about an article show. Of evidence only what the person may know of, in counts and states too."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Max, OuterRef, Prefetch, Subquery

from factcheck.accounts.models import User
from factcheck.articles.models import Article, OwnPage, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Anchor, Claim
from factcheck.claims.selectors import PlacedClaim, claims_in
from factcheck.claims.wording import words_at
from factcheck.desk.claim_states import DeskState, count_states, desk_state
from factcheck.desk.marked_text import Highlight, MarkedBlock, marked_blocks
from factcheck.evidence.models import Evidence
from factcheck.evidence.selectors import Standing, evidence_shown
from factcheck.publications.models import Publication
from factcheck.verdicts.models import SignOff, Verdict
from factcheck.verdicts.selectors import Checked, current_verdicts, is_stale


@dataclass(frozen=True)
class StateBar:
    """How many claims are how far; ``segments`` are the parts of a bar that is ``total`` wide."""

    counts: list[tuple[DeskState, int]]

    @property
    def total(self) -> int:
        return sum(count for _state, count in self.counts)

    @property
    def segments(self) -> list[tuple[DeskState, int, int]]:
        found, x = [], 0
        for state, count in self.counts:
            found.append((state, x, count))
            x += count
        return found


@dataclass(frozen=True)
class ArticleRow:
    article: Article
    revision: int
    # The newest published version, None before the first.
    published: int | None
    bar: StateBar
    own_page: OwnPage | None = None


@dataclass(frozen=True)
class ClaimCard:
    """A claim in the article's margin; ``number`` is its place in the text and 0 where it has none."""

    number: int
    checked: Checked
    # Of a claim without a place: its words where it had one last.
    last_words: tuple[str, ...] = ()

    @property
    def claim(self) -> Claim:
        return self.checked.claim

    @property
    def state(self) -> DeskState:
        return desk_state(self.checked)

    @property
    def quote(self) -> str:
        return " … ".join(self.checked.placed.words or self.last_words)

    @property
    def evidence_count(self) -> int:
        return len(self.checked.evidence)

    @property
    def highlight(self) -> Highlight:
        return Highlight(self.claim.public_id, self.number, self.state, self.checked.placed.spans)


@dataclass(frozen=True)
class Workspace:
    article: Article
    revision: Revision
    cards: list[ClaimCard]
    unplaced: list[ClaimCard]
    published: Publication | None

    @cached_property
    def blocks(self) -> list[MarkedBlock]:
        return marked_blocks(self.revision.blocks, [card.highlight for card in self.cards])

    @property
    def bar(self) -> StateBar:
        return StateBar(count_states(card.state for card in [*self.unplaced, *self.cards]))

    @property
    def speakers(self) -> list[str]:
        """Whom claims of this article are by already, to be offered again."""
        return sorted({card.claim.speaker for card in [*self.unplaced, *self.cards] if card.claim.speaker})


def article_rows(articles: Sequence[Article], person: User) -> list[ArticleRow]:
    """The articles with how far their claims are; the number of queries does not depend on how many."""
    newest = Revision.objects.filter(article=OuterRef("article")).order_by("-number").values("pk")[:1]
    revisions = {
        revision.article_id: revision
        for revision in Revision.objects.filter(article__in=articles, pk=Subquery(newest)).select_related("text_row")
    }
    anchors = Prefetch("anchors", Anchor.objects.filter(revision__in=[item.pk for item in revisions.values()]))
    claims = list(Claim.objects.standing().filter(article__in=articles).prefetch_related(anchors))
    verdicts = current_verdicts(claims)
    evidenced = set(
        Evidence.objects.filter(claim__in=claims).standing().visible_to(person).values_list("claim_id", flat=True)
    )
    states: dict[int, list[DeskState]] = defaultdict(list)
    for claim in claims:
        spans = tuple((anchor.start, anchor.end) for anchor in claim.anchors.all())
        placed = PlacedClaim(claim, spans, words_at(revisions[claim.article_id].text, spans))
        states[claim.article_id].append(state_of(placed, verdicts.get(claim.pk), claim.pk in evidenced))
    published = dict(
        Publication.objects.filter(article__in=articles).values_list("article_id").annotate(newest=Max("version"))
    )
    own_pages = {page.article_id: page for page in OwnPage.objects.filter(article__in=articles)}
    return [
        ArticleRow(
            article=article,
            revision=revisions[article.pk].number,
            published=published.get(article.pk),
            bar=StateBar(count_states(states[article.pk])),
            own_page=own_pages.get(article.pk),
        )
        for article in articles
    ]


def workspace(article: Article, person: User) -> Workspace:
    revision = latest_revision(article)
    revision.article = article
    placed = claims_in(revision)
    claims = [item.claim for item in placed]
    verdicts = current_verdicts(claims)
    evidence = evidence_shown(claims, person)
    before = last_words_of([item.claim for item in placed if not item.is_placed])
    cards: list[ClaimCard] = []
    unplaced: list[ClaimCard] = []
    for item in placed:
        checked = _checked(item, verdicts.get(item.claim.pk), evidence.get(item.claim.pk, ()))
        if item.is_placed:
            cards.append(ClaimCard(len(cards) + 1, checked))
        else:
            unplaced.append(ClaimCard(0, checked, before.get(item.claim.pk, ())))
    published = Publication.objects.filter(article=article).order_by("-version").first()
    return Workspace(article, revision, cards, unplaced, published)


def state_of(placed: PlacedClaim, verdict: Verdict | None, evidenced: bool) -> DeskState:
    """The state for a list, where it is enough to know whether there is evidence at all."""
    if evidenced and placed.is_placed and verdict is None and not placed.claim.open_queries:
        return DeskState.IN_CHECK
    return desk_state(_checked(placed, verdict, ()))


def _checked(placed: PlacedClaim, verdict: Verdict | None, evidence: Iterable[Standing]) -> Checked:
    approval: SignOff | None = getattr(verdict, "sign_off", None) if verdict else None
    stale = verdict is not None and is_stale(verdict, placed)
    return Checked(placed, verdict, approval, stale, tuple(evidence))


def last_words_of(claims: Collection[Claim]) -> dict[int, tuple[str, ...]]:
    """The words of each claim in the newest revision in which it has a place, by claim id."""
    if not claims:
        return {}
    places: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for anchor in Anchor.objects.filter(claim__in=claims).order_by("revision__number", "start", "end"):
        places[anchor.claim_id][anchor.revision_id].append((anchor.start, anchor.end))
    newest = {claim_id: list(by_revision.items())[-1] for claim_id, by_revision in places.items()}
    revisions = Revision.objects.select_related("text_row").in_bulk(
        {revision_id for revision_id, _spans in newest.values()}
    )
    return {claim_id: words_at(revisions[revision_id].text, spans) for claim_id, (revision_id, spans) in newest.items()}
