"""A newsroom for tests: fixed people and words, made through the services as a person would."""

from datetime import date

from factcheck.accounts.models import Role, User
from factcheck.articles.models import Article
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import Details, import_article
from factcheck.claims.models import Claim, ClaimKind
from factcheck.claims.services import mark_claim
from factcheck.evidence.models import Evidence, Stance
from factcheck.evidence.services import Argument, attach_interview
from factcheck.verdicts.models import Attribution, Rating, Verdict
from factcheck.verdicts.services import decide_claim, sign_off

TEXT = """Harbour bridge to close for a year

The bridge over the harbour closes on 3 March 2025 and stays closed for twelve months, the city said.

Repairs will cost 40 million euros. “We could have had this cheaper,” said the engineer Marta Lindqvist.

About 18,000 people cross the bridge every day.
"""

# The claim "18,000 people" stands nowhere in it, and no sentence of it is an edit of its own.
REWRITTEN = TEXT.replace(
    "About 18,000 people cross the bridge every day.", "Nobody has counted, yet the paper wrote of 19,000 people."
)


def person(username: str, role: Role) -> User:
    """The same person again when asked for twice in one test."""
    found = User.objects.filter(username=username).first()
    return found or User.objects.create_user(username, password="a long password", role=role, name=username.title())


def reporter() -> User:
    return person("rosa", Role.REPORTER)


def checker() -> User:
    return person("chen", Role.CHECKER)


def second_checker() -> User:
    return person("carla", Role.CHECKER)


def editor() -> User:
    return person("erik", Role.EDITOR)


def admin() -> User:
    return person("ada", Role.ADMIN)


def article(text: str = TEXT, **details: object) -> Article:
    return import_article(text.encode(), details=Details(**details), by=reporter()).article  # type: ignore[arg-type]


def spans_of(subject: Article, *words: str) -> list[tuple[int, int]]:
    """Where these words stand in the latest revision: their first place."""
    text = latest_revision(subject).text
    return [(text.index(phrase), text.index(phrase) + len(phrase)) for phrase in words]


def claim(
    subject: Article | None = None,
    *words: str,
    kind: str = ClaimKind.NUMBER,
    speaker: str = "",
) -> Claim:
    subject = subject or article()
    spans = spans_of(subject, *(words or ("Repairs will cost 40 million euros",)))
    return mark_claim(subject, passages=spans, kind=kind, speaker=speaker, by=reporter())


def interview(subject: Claim, **argument: object) -> Evidence:
    """Secured evidence that needs no network."""
    values = {"stance": Stance.FOR, "note": "She confirmed it.", "confirms_said": True, "confirms_so": True} | argument
    return attach_interview(
        subject,
        contact="Marta Lindqvist",
        spoken_on=date(2025, 2, 20),
        spoken_how="telephone",
        heard_by="Rosa",
        argument=Argument(**values),  # type: ignore[arg-type]
        by=reporter(),
    )


def rating(slug: str = "accurate") -> Rating:
    return Rating.objects.current().get(slug=slug)


def verdict(subject: Claim | None = None, *, slug: str = "accurate", evidence: bool = True) -> Verdict:
    subject = subject or claim()
    if evidence:
        interview(subject)
    return decide_claim(
        subject,
        rating=rating(slug),
        attribution="" if subject.is_ours else Attribution.SAID,
        reason="The budget paper says so.",
        version=None,
        by=checker(),
    )


def signed_off(subject: Claim | None = None, *, slug: str = "accurate", evidence: bool = True) -> Verdict:
    filed = verdict(subject, slug=slug, evidence=evidence)
    sign_off(filed, version=None, by=editor())
    return filed
