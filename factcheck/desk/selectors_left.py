"""What is left to do on an article: how much of it is checked, what was passed over, what contradicts itself."""

from dataclasses import dataclass

from factcheck.accounts.models import User
from factcheck.articles.models import Article, Revision
from factcheck.claims.copychecks import check
from factcheck.claims.coverage import Cover, CoveredSentence, coverage, finding_key
from factcheck.claims.models import AsideKind, SetAside
from factcheck.claims.suggesting import suggest, to_look_up
from factcheck.desk.claim_states import DeskState
from factcheck.desk.selectors_articles import Workspace, workspace

_COVER = {
    DeskState.TO_PLACE: Cover.OPEN,
    DeskState.STALE: Cover.OPEN,
    DeskState.MARKED: Cover.OPEN,
    DeskState.IN_CHECK: Cover.IN_CHECK,
    DeskState.QUERY: Cover.IN_CHECK,
    DeskState.DECIDED: Cover.IN_CHECK,
    DeskState.IN_REVIEW: Cover.IN_CHECK,
    DeskState.SIGNED_OFF: Cover.SIGNED_OFF,
}
_TONES = {
    Cover.UNMARKED: "bad",
    Cover.OPEN: "neutral",
    Cover.IN_CHECK: "mixed",
    Cover.SIGNED_OFF: "good",
    Cover.NOT_CHECKABLE: "note",
    Cover.OUT_OF_SCOPE: "note",
}
AROUND_CHARS = 60


@dataclass(frozen=True)
class CoverPart:
    cover: Cover
    words: int
    percent: int
    # Where its part of the bar begins, in words.
    x: int

    @property
    def tone(self) -> str:
        return _TONES[self.cover]


@dataclass(frozen=True)
class LeftSentence:
    key: str
    text: str
    # Why it wants a check, in words; empty where nothing speaks for one.
    reasons: tuple[str, ...] = ()
    aside: SetAside | None = None


@dataclass(frozen=True)
class FoundFault:
    key: str
    message: str
    before: str
    words: str
    after: str
    # The second place where it takes two to disagree.
    other: str = ""
    aside: SetAside | None = None


@dataclass(frozen=True)
class Left:
    article: Article
    revision: Revision
    work: Workspace
    total: int
    parts: tuple[CoverPart, ...]
    wanted: tuple[LeftSentence, ...]
    plain: tuple[LeftSentence, ...]
    aside: tuple[LeftSentence, ...]
    faults: tuple[FoundFault, ...]
    dismissed: tuple[FoundFault, ...]

    @property
    def checked_percent(self) -> int:
        """Of the words that are there to be checked, how many are signed off."""
        counts = {part.cover: part.words for part in self.parts}
        asides = counts.get(Cover.NOT_CHECKABLE, 0) + counts.get(Cover.OUT_OF_SCOPE, 0)
        due = self.total - asides
        return _percent(counts.get(Cover.SIGNED_OFF, 0), due)


def left_on(article: Article, person: User) -> Left:
    work = workspace(article, person)
    revision, text = work.revision, work.revision.text
    asides = {aside.key: aside for aside in SetAside.objects.filter(article=article)}
    passages = [(span, _COVER[card.state]) for card in work.cards for span in card.checked.placed.spans]
    covered = coverage(text, passages, {key: aside.kind for key, aside in asides.items()})
    reasons = {(one.start, one.end): (one.score, one.reasons) for one in suggest(text, article.language)}
    untouched = [sentence for sentence in covered.sentences if sentence.is_untouched]
    for sentence in untouched:
        # Too short to be suggested, and yet it says who, when or how many.
        place = (sentence.start, sentence.end)
        if place not in reasons and (facts := to_look_up(text[slice(*place)], article.language)):
            reasons[place] = (0.0, facts)
    wanted = sorted(
        (sentence for sentence in untouched if (sentence.start, sentence.end) in reasons),
        key=lambda sentence: -reasons[(sentence.start, sentence.end)][0],
    )
    shown = {(sentence.start, sentence.end) for sentence in wanted}
    faults = _faults(article, text, asides)
    return Left(
        article=article,
        revision=revision,
        work=work,
        total=sum(covered.words.values()),
        parts=_parts(covered.words),
        wanted=tuple(_left(text, sentence, reasons[(sentence.start, sentence.end)][1]) for sentence in wanted),
        plain=tuple(_left(text, sentence) for sentence in untouched if (sentence.start, sentence.end) not in shown),
        aside=tuple(
            LeftSentence(sentence.key, text[sentence.start : sentence.end], aside=asides[sentence.key])
            for sentence in covered.sentences
            if sentence.key in asides
        ),
        faults=tuple(fault for fault in faults if fault.aside is None),
        dismissed=tuple(fault for fault in faults if fault.aside is not None),
    )


def _left(text: str, sentence: CoveredSentence, reasons: tuple[str, ...] = ()) -> LeftSentence:
    return LeftSentence(sentence.key, text[sentence.start : sentence.end], reasons)


def _parts(words: dict[Cover, int]) -> tuple[CoverPart, ...]:
    total = sum(words.values())
    parts, x = [], 0
    for cover in (*list(Cover)[3:], *reversed(list(Cover)[:3])):
        if words[cover]:
            parts.append(CoverPart(cover, words[cover], _percent(words[cover], total), x))
            x += words[cover]
    return tuple(parts)


def _percent(part: int, whole: int) -> int:
    """Nothing that is there rounds to nothing, and nothing short of all to all."""
    if part >= whole:
        return 100
    return min(max(round(100 * part / whole), 1), 99) if part else 0


def _faults(article: Article, text: str, asides: dict[str, SetAside]) -> list[FoundFault]:
    found = []
    for finding in check(text, article.language, article.date):
        key = finding_key(finding.kind, text, finding.start, finding.end, finding.other)
        aside = asides.get(key)
        found.append(
            FoundFault(
                key=key,
                message=finding.message,
                before=text[max(0, finding.start - AROUND_CHARS) : finding.start].rpartition("\n")[2],
                words=text[finding.start : finding.end],
                after=text[finding.end : finding.end + AROUND_CHARS].partition("\n")[0],
                other=text[slice(*finding.other)] if finding.other else "",
                aside=aside if aside and aside.kind == AsideKind.DISMISSED else None,
            )
        )
    return found
