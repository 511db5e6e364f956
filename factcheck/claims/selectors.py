from dataclasses import dataclass

from django.db.models import Prefetch

from factcheck.articles.models import Revision
from factcheck.claims.models import Anchor, Claim
from factcheck.claims.wording import Carried, Span, carry_over, statement_sha256, words_at


@dataclass(frozen=True)
class PlacedClaim:
    """A claim with its place and words in one revision; both empty when it is not placed there."""

    claim: Claim
    spans: tuple[Span, ...]
    words: tuple[str, ...]
    # What became of the words since the revision before, as ``articles.anchoring`` says it.
    changes: tuple[str, ...] = ()

    @property
    def is_placed(self) -> bool:
        return bool(self.spans)

    @property
    def statement_sha256(self) -> str:
        return statement_sha256(self.claim.speaker, self.words)

    @property
    def quote(self) -> str:
        return " … ".join(self.words)


def claims_in(revision: Revision) -> list[PlacedClaim]:
    """The article's standing claims in the order of the text; those without a place come last."""
    anchors = Prefetch("anchors", Anchor.objects.filter(revision=revision))
    claims = Claim.objects.standing().filter(article_id=revision.article_id).select_related("article", "marked_by")
    text = revision.text
    placed = [_placed(claim, list(claim.anchors.all()), text) for claim in claims.prefetch_related(anchors)]
    return sorted(placed, key=lambda item: (not item.spans, item.spans, item.claim.pk))


def place_of(claim: Claim, revision: Revision) -> PlacedClaim:
    return _placed(claim, list(claim.anchors.filter(revision=revision)), revision.text)


def last_words(claim: Claim) -> tuple[str, ...]:
    """The claim's words in the newest revision in which it has a place."""
    anchor = claim.anchors.select_related("revision__text_row").order_by("-revision__number").first()
    return place_of(claim, anchor.revision).words if anchor else ()


def likely_place(claim: Claim, revision: Revision) -> Carried:
    """Where an unplaced claim most likely stands, for a person to confirm; without spans where nothing is likely."""
    anchor = claim.anchors.select_related("revision__text_row").order_by("-revision__number").first()
    if anchor is None:
        return Carried((), certain=False)
    before = place_of(claim, anchor.revision)
    return carry_over(anchor.revision.text, before.spans, revision.text)


def _placed(claim: Claim, anchors: list[Anchor], text: str) -> PlacedClaim:
    spans = tuple((anchor.start, anchor.end) for anchor in anchors)
    changes = tuple(change for anchor in anchors for change in anchor.changes)
    return PlacedClaim(claim, spans, words_at(text, spans), changes)
