"""Our own page of an article: what was found on it last, in words, and what differs side by side."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factcheck.articles.models import Article, OwnPage, OwnPageAside, OwnPageState, Revision
from factcheck.articles.own_page import Difference
from factcheck.claims.selectors import claims_in
from factcheck.desk.comparing import Part, compare_words
from factcheck.publications.models import Publication

_TONES = {
    OwnPageState.WAITING: "neutral",
    OwnPageState.SAME: "good",
    OwnPageState.OTHER: "mixed",
    OwnPageState.DIFFERS: "bad",
    OwnPageState.NOT_ARTICLE: "mixed",
    OwnPageState.UNREAD: "mixed",
}


@dataclass(frozen=True)
class OwnPageLine:
    sentence: str
    tone: str
    read_at: datetime | None


@dataclass(frozen=True)
class TouchedClaim:
    public_id: str
    words: str


@dataclass(frozen=True)
class DifferenceRow:
    difference: Difference
    left: tuple[Part, ...]
    right: tuple[Part, ...]
    # What may need a new check if it is taken over.
    claims: tuple[TouchedClaim, ...]


@dataclass(frozen=True)
class OwnPageView:
    article: Article
    page: OwnPage | None
    line: OwnPageLine | None
    publication: Publication | None
    rows: tuple[DifferenceRow, ...]
    asides: tuple[OwnPageAside, ...]

    @property
    def is_waiting(self) -> bool:
        """Whether it is due to be read, or being read."""
        return bool(self.page and self.page.next_at and self.page.next_at <= timezone.now())

    @property
    def stamp(self) -> str:
        """Another one once it was read again."""
        return self.page.read_at.isoformat() if self.page and self.page.read_at else "never"

    @property
    def draft(self) -> Revision | None:
        """A revision that is newer than what is published: what is taken over is put into it."""
        page = self.page
        return page.latest if page and page.latest and page.latest != page.published else None


def own_page_line(article: Article) -> OwnPageLine | None:
    """None where there is no page of ours to be read."""
    return _line(_page_of(article))


def own_page_view(article: Article) -> OwnPageView:
    page = _page_of(article)
    differences = page.differences if page else []
    return OwnPageView(
        article=article,
        page=page,
        line=_line(page),
        publication=Publication.objects.filter(article=article).order_by("-version").first(),
        rows=tuple(_rows(page.latest, differences)) if page and page.latest else (),
        asides=tuple(OwnPageAside.objects.filter(article=article).select_related("words_row", "set_by")),
    )


def _page_of(article: Article) -> OwnPage | None:
    pages = OwnPage.objects.filter(article=article, article__url__gt="")
    return pages.select_related("published", "latest__text_row", "shows", "found_row").first()


def _line(page: OwnPage | None) -> OwnPageLine | None:
    if page is None:
        return None
    return OwnPageLine(_sentence(page), _TONES[OwnPageState(page.state)], page.read_at)


def _sentence(page: OwnPage) -> str:
    match page.state:
        case OwnPageState.SAME:
            return _("Our page says what was published here.")
        case OwnPageState.OTHER if page.shows and page.published and page.shows.number < page.published.number:
            return _("Our page still has the words of revision %(old)s; revision %(new)s is published here.") % {
                "old": page.shows.number,
                "new": page.published.number,
            }
        case OwnPageState.OTHER:
            return _("Our page has words of revision %(number)s already, which is not published here yet.") % {
                "number": page.shows.number if page.shows else "–"
            }
        case OwnPageState.DIFFERS:
            count = len(page.differences)
            return ngettext(
                "Our page differs in %(count)s paragraph.", "Our page differs in %(count)s paragraphs.", count
            ) % {"count": count}
        case OwnPageState.NOT_ARTICLE:
            return _(
                "Our page was read, but little of the article is on it: it may be cut off, spread over several pages, "
                "or another article."
            )
        case OwnPageState.UNREAD:
            return _("Our page could not be read. %(sentence)s") % {"sentence": page.sentence}
        case _:
            return _("Our page is waiting to be read.")


def _rows(latest: Revision, differences: list[Difference]) -> list[DifferenceRow]:
    if not differences:
        return []
    blocks, placed = latest.blocks, claims_in(latest)
    rows = []
    for difference in differences:
        compared = compare_words(difference.before, difference.after)
        touched: tuple[TouchedClaim, ...] = ()
        if difference.before and difference.at < len(blocks):
            block = blocks[difference.at]
            touched = tuple(
                TouchedClaim(item.claim.public_id, item.quote)
                for item in placed
                if any(start < block.end and end > block.start for start, end in item.spans)
            )
        rows.append(DifferenceRow(difference, compared.before, compared.after, touched))
    return rows
