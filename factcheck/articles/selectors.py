from dataclasses import dataclass

from factcheck.articles.models import Article, BackUpDecision, BackUpNote, BackUpOutcome, Revision


@dataclass(frozen=True)
class StandingNote:
    """A note of the author's as it stands in the newest revision that has it, and the latest word about it."""

    note: BackUpNote
    decision: BackUpDecision | None

    @property
    def outcome(self) -> BackUpOutcome:
        return BackUpOutcome(self.decision.outcome) if self.decision else BackUpOutcome.OPEN


def latest_revision(article: Article) -> Revision:
    return article.revisions.select_related("text_row", "removed_row").latest("number")


def has_back_up(article: Article) -> bool:
    return BackUpNote.objects.filter(revision__article=article).exists()


def back_up(article: Article) -> list[StandingNote]:
    """The author's notes in the order of the text. Of one that comes again in a later revision, all decisions count."""
    notes = BackUpNote.objects.filter(revision__article=article)
    found: dict[tuple[str, ...], BackUpNote] = {}
    decided: dict[tuple[str, ...], BackUpDecision] = {}
    keys: dict[int, tuple[str, ...]] = {}
    for note in notes.select_related("words_row", "revision__text_row").order_by("revision__number", "pk"):
        # Erased words are alike, and yet of different notes.
        key = (note.kind, note.text, note.author, note.url) if note.words else (str(note.pk),)
        keys[note.pk] = key
        found[key] = note
    decisions = BackUpDecision.objects.filter(note__in=notes).select_related("reason_row", "decided_by")
    for decision in decisions.order_by("pk"):
        decided[keys[decision.note_id]] = decision
    standing = [StandingNote(note, decided.get(key)) for key, note in found.items()]
    return sorted(standing, key=lambda one: (-one.note.revision.number, one.note.start, one.note.end, one.note.pk))
