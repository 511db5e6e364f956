"""The sample newsroom as data: who works there, what they found, and what they decided.

The event is a real one; the sources, the report, the book, the professor and the anonymous
voices are written for the demonstration and say so. ``seeding`` carries all of it through the
same services that people use.
"""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = FOLDER / "sources"


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    role: str


PEOPLE = (
    Person("rosa", "Rosa Delgado", "reporter"),
    Person("chen", "Chen Wei", "checker"),
    Person("erik", "Erik Lindqvist", "editor"),
    Person("ada", "Ada Okafor", "admin"),
)


@dataclass(frozen=True)
class Interview:
    who: str
    when: date
    how: str
    heard_by: str


@dataclass(frozen=True)
class Work:
    title: str
    author: str
    edition: str
    page: str


@dataclass(frozen=True)
class Evidence:
    """``path`` is the address on the sample sources' server; a page has it, the others have not."""

    quote: str
    path: str = ""
    interview: Interview | None = None
    work: Work | None = None
    stance: str = "for"
    confirms_said: bool = False
    confirms_so: bool = False
    primary: bool = True
    off_record: bool = False
    visibility: str = "passage"
    title: str = ""
    publisher: str = ""
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """``rating`` empty: not rated, for ``not_rated_reason``. ``attribution`` only for others' claims."""

    reason: str
    rating: str = ""
    attribution: str = ""
    not_rated_reason: str = ""


@dataclass(frozen=True)
class Claim:
    """``passages``: exact words of the article; the same words again mean their next occurrence."""

    key: str
    kind: str
    passages: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    speaker: str = ""


@dataclass(frozen=True)
class Correction:
    """What version 2 says of a claim whose words version 1 had wrong."""

    passages: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    verdict: Verdict


TITLE = "El Salvador offers its prisons to Washington, for a fee"
BYLINE = "Rosa Delgado"
DATE = date(2025, 2, 4)
LANGUAGE = "en"
# Where the article stands on "our own site", which is on the sources' server too.
OUR_PAGE = "/our-page"


def article_bytes(version: int) -> bytes:
    return (FOLDER / ("article.txt" if version == 1 else f"article_v{version}.txt")).read_bytes()


_STATEMENT = Evidence(
    quote="",
    path="/statement",
    title="Statement on the visit of the Secretary of State",
    publisher="Office of the Presidency (sample)",
    visibility="public",
)
_TRANSCRIPT = Evidence(
    quote="",
    path="/transcript",
    title="Remarks to the press at Lake Coatepeque",
    publisher="Press pool, transcript service (sample)",
)
_POSTS = Evidence(
    quote="",
    path="/posts",
    title="Posts about the offer, collected",
    publisher="Desk monitor of public posts (sample)",
)
_STATISTICS = Evidence(
    quote="",
    path="/prison-statistics",
    title="Prison statistics, January 2025",
    publisher="General Directorate of Prisons (sample)",
    visibility="public",
)
_REPORT = Evidence(
    quote="",
    path="/report.pdf",
    title="Behind the Wall: Detention in El Salvador since 2022",
    publisher="Central American Detention Monitor (invented)",
    primary=False,
)
_ADVICE = Evidence(
    quote="",
    path="/travel-advice",
    title="El Salvador: travel advice",
    publisher="Department of State (sample)",
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="any-nationality",
        kind="other",
        speaker="Marco Rubio",
        passages=("El Salvador will take in people deported from the United States whatever passport they hold",),
        evidence=(
            replace(
                _TRANSCRIPT,
                quote="can be sent to El Salvador from any nationality",
                confirms_said=True,
                note="The transcriber's summary of what he said, not his own words.",
            ),
            replace(
                _STATEMENT,
                quote="El Salvador will accept deportees of any nationality who have committed crimes.",
                confirms_so=True,
                note="The other side says it too, but only of people who have committed crimes.",
            ),
        ),
        verdict=Verdict(
            attribution="said",
            rating="mostly_accurate",
            reason=(
                "He said so in public, and the presidency's statement agrees. Both speak of people who have committed "
                "crimes; the sentence leaves that to the next clause."
            ),
        ),
    ),
    Claim(
        key="day",
        kind="date",
        passages=("on Monday (Feb 04)",),
        evidence=(
            replace(
                _STATEMENT,
                path="/press/2025/visit",
                quote="On Monday, February 3, 2025, President Nayib Bukele received",
                stance="context",
                confirms_so=True,
                note="An old address of the statement; it leads to the new one.",
            ),
        ),
        verdict=Verdict(
            rating="mostly_accurate",
            reason=(
                "The weekday is right. The date is the one on the agency's copy, which was filed after midnight in "
                "another time zone."
            ),
        ),
    ),
    Claim(
        key="friendship",
        kind="quote",
        speaker="Marco Rubio",
        passages=("An act of extraordinary friendship to our country",),
        evidence=(
            replace(
                _TRANSCRIPT,
                quote="In an act of extraordinary friendship to our country, El Salvador has agreed to",
                confirms_said=True,
            ),
        ),
        verdict=Verdict(
            attribution="said",
            not_rated_reason="Praise of an ally; there is nothing in it that could be true or false.",
            reason="The words stand in the transcript. We begin the quotation one word later than he did.",
        ),
    ),
    Claim(
        key="boldest",
        kind="other",
        passages=("It is the boldest bargain a Central American government has put before Washington in a generation",),
        evidence=(),
        verdict=Verdict(rating="opinion", reason="Our own judgement, and plain to see as one. No fact hides in it."),
    ),
    Claim(
        key="gangs",
        kind="name",
        passages=("MS-13 and Tren de Aragua, two gangs that began in Los Angeles and in a Venezuelan prison",),
        evidence=(
            replace(
                _REPORT,
                quote="Tren de Aragua grew out of a prison in the Venezuelan state of Aragua in the 2010s.",
                confirms_so=True,
            ),
            Evidence(
                work=Work(
                    title="Gangs of the Isthmus: A Handbook (invented)",
                    author="A. Marín",
                    edition="2nd edition, 2023",
                    page="41",
                ),
                quote="MS-13 was born in the Los Angeles of the 1980s and came south with the deported.",
                confirms_so=True,
                primary=False,
            ),
        ),
        verdict=Verdict(
            rating="accurate", reason="Both names are spelt right, and both origins are told alike by two works."
        ),
    ),
    Claim(
        key="fee",
        kind="quote",
        speaker="Nayib Bukele",
        passages=("relatively low for the U.S. but significant for us, making our entire prison system sustainable",),
        evidence=(
            replace(
                _POSTS,
                quote=(
                    "The fee would be relatively low for the U.S. but significant for us, making our entire prison "
                    "system sustainable."
                ),
                confirms_said=True,
            ),
            replace(
                _STATEMENT,
                quote="The amount of the fee has not been agreed.",
                stance="context",
                note="Without an amount nobody can work out what it would pay for.",
            ),
            Evidence(
                interview=Interview(
                    who="An official of the prison service, who must not be named",
                    when=date(2025, 2, 4),
                    how="by telephone",
                    heard_by="Chen Wei",
                ),
                quote="There is a number on a napkin, nothing more.",
                stance="context",
                off_record=True,
                visibility="desk",
                note="For the desk only. He was promised that nothing of this is published.",
            ),
        ),
        verdict=Verdict(
            attribution="said",
            rating="unproven",
            reason=(
                "The post says so word for word. Whether the fee would sustain the prisons cannot be known: no "
                "amount has been named."
            ),
        ),
    ),
    Claim(
        key="opening",
        kind="event",
        passages=(
            "the Terrorism Confinement Centre, known as CECOT, which opened in January 2023 and was built for 40,000 "
            "inmates",
        ),
        evidence=(
            replace(
                _STATISTICS,
                quote="The Terrorism Confinement Centre (CECOT) was opened on January 31, 2023.",
                confirms_so=True,
            ),
        ),
        verdict=Verdict(rating="accurate", reason="The prison service's own table gives the day."),
    ),
    Claim(
        key="capacity",
        kind="number",
        passages=("built for 40,000 inmates", "built for 40,000 inmates"),
        evidence=(
            replace(
                _STATISTICS,
                quote="It was built for 40,000 inmates; on the day of the count it held about 14,500.",
                confirms_so=True,
            ),
            replace(
                _REPORT,
                quote="The Terrorism Confinement Centre was built for 40,000 inmates and is less than half full.",
                confirms_so=True,
            ),
        ),
        verdict=Verdict(
            rating="accurate", reason="The state and its critics give the same number. Said twice, checked once."
        ),
    ),
    Claim(
        key="crowded",
        kind="number",
        speaker="An anonymous post",
        passages=("already holds 100,000 people",),
        evidence=(
            replace(
                _POSTS,
                quote="Nobody tells you that the mega-prison already holds 100,000 people.",
                confirms_said=True,
            ),
            replace(
                _STATISTICS,
                quote="on the day of the count it held about 14,500",
                stance="against",
                confirms_so=True,
                note="All prisons of the country together hold 110,000.",
            ),
        ),
        verdict=Verdict(
            attribution="said",
            rating="inaccurate",
            reason="The post says so, and it is wrong by a factor of seven; the prison is not half full.",
        ),
    ),
    Claim(
        key="arrests",
        kind="number",
        passages=("more than 81,000 people have been arrested",),
        evidence=(
            replace(
                _REPORT,
                quote="more than 81,000 people have been arrested. This count ends on October 31, 2024.",
                confirms_so=True,
            ),
        ),
        verdict=Verdict(
            rating="needs_context",
            reason="The count is right, but it ended three months before the talks, and arrests have gone on.",
        ),
    ),
    Claim(
        key="conditions",
        kind="quote",
        passages=("Washington’s own travel advice warns its citizens of “harsh prison conditions” in the country",),
        evidence=(
            replace(
                _ADVICE,
                quote="They face harsh prison conditions and may wait for years without a trial.",
                confirms_said=True,
                confirms_so=True,
            ),
        ),
        verdict=Verdict(
            rating="needs_context",
            reason=(
                "The advice says it of foreigners held under the state of exception, not of every prisoner, and "
                "its general level is only the second of four."
            ),
        ),
    ),
    Claim(
        key="own-citizens",
        kind="other",
        speaker="Elena Quiroga",
        passages=("No American law lets a government deport its own citizens",),
        evidence=(
            Evidence(
                interview=Interview(
                    who="Elena Quiroga, professor of constitutional law (invented)",
                    when=date(2025, 2, 4),
                    how="by video call, recorded with her consent",
                    heard_by="Rosa Delgado",
                ),
                quote=(
                    "No American law lets a government deport its own citizens. You would have to take away the "
                    "citizenship first, and that is another trial."
                ),
                confirms_said=True,
                confirms_so=True,
            ),
        ),
        verdict=Verdict(
            attribution="said",
            rating="accurate",
            reason="Heard on the recording, and within her own subject. She read her quotation back to us.",
        ),
    ),
)

CORRECTIONS: dict[str, Correction] = {
    "day": Correction(
        passages=("on Monday (Feb 03)",),
        evidence=(),
        verdict=Verdict(rating="accurate", reason="Monday was February 3, as the presidency's statement says."),
    ),
    "arrests": Correction(
        passages=("more than 83,000 people have been arrested",),
        evidence=(
            replace(
                _STATISTICS,
                quote=(
                    "Arrests under the state of exception, March 27, 2022 to January 31, 2025: more than 83,000 people."
                ),
                confirms_so=True,
            ),
        ),
        verdict=Verdict(rating="accurate", reason="The prison service's count of January 31, the latest there is."),
    ),
}

CHANGE_NOTE_KIND = "correction"
CHANGE_NOTE = (
    "An earlier version gave February 4 as the day of the announcement; it was Monday, February 3. It also gave the "
    "number of arrests as of October 2024 (more than 81,000); by the end of January it was more than 83,000."
)
