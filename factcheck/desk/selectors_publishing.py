"""What stands between an article and its readers, and what would go out to them."""

from collections import Counter
from dataclasses import dataclass

from factcheck.articles.models import Article
from factcheck.publications.gate import Blocker
from factcheck.publications.models import Override, Publication
from factcheck.publications.selectors import Gate, gate_of
from factcheck.verdicts.models import Rating
from factcheck.verdicts.selectors import Checked


@dataclass(frozen=True)
class Obstacle:
    """A blocker with its claim as the page names it; ``number`` is 0 for a claim without a place."""

    blocker: Blocker
    number: int
    quote: str


@dataclass(frozen=True)
class Passed:
    """An override with its claim as the page names it."""

    override: Override
    number: int
    quote: str


@dataclass(frozen=True)
class PublishPage:
    gate: Gate
    obstacles: list[Obstacle]
    passed: list[Passed]
    counts: list[tuple[Rating, int]]
    not_rated: int
    words: int
    covered: int
    previous: Publication | None

    @property
    def version(self) -> int:
        return self.previous.version + 1 if self.previous else 1

    @property
    def claims(self) -> int:
        return len(self.gate.checks)

    @property
    def percent(self) -> int:
        return round(100 * self.covered / self.words) if self.words else 0


def publish_page(article: Article) -> PublishPage:
    gate = gate_of(article)
    placed = [checked for checked in gate.checks if checked.placed.is_placed]
    numbers = {checked.claim.pk: number for number, checked in enumerate(placed, start=1)}
    quotes = {checked.claim.pk: checked.placed.quote for checked in gate.checks}
    counted = Counter(checked.verdict.rating for checked in placed if checked.verdict and not checked.stale)
    not_rated = counted.pop(None, 0)
    text = gate.revision.text
    return PublishPage(
        gate=gate,
        obstacles=[
            Obstacle(
                blocker,
                numbers.get(blocker.claim.pk, 0) if blocker.claim else 0,
                quotes.get(blocker.claim.pk, "") if blocker.claim else "",
            )
            for blocker in gate.blockers
        ],
        passed=[_passed(override, gate, numbers) for override in gate.overrides],
        counts=sorted(
            ((rating, count) for rating, count in counted.items() if rating is not None),
            key=lambda item: (item[0].order, item[0].slug, item[0].version),
        ),
        not_rated=not_rated,
        words=len(text.split()),
        covered=_covered_words(text, placed),
        previous=article.publications.order_by("-version").first(),
    )


def _passed(override: Override, gate: Gate, numbers: dict[int, int]) -> Passed:
    checked = next((item for item in gate.checks if item.claim.public_id == override.claim_id), None)
    return Passed(override, numbers.get(checked.claim.pk, 0) if checked else 0, checked.placed.quote if checked else "")


def _covered_words(text: str, placed: list[Checked]) -> int:
    total, reached = 0, 0
    for start, end in sorted(span for checked in placed for span in checked.placed.spans):
        total += len(text[max(start, reached) : end].split())
        reached = max(reached, end)
    return total
