"""What a published page is made from: frozen content, and what became known since.

The content's JSON is described in docs/publication-format.md. Reading it needs no database, so
that whoever holds the JSON can make the page again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from factcheck.lib.errors import FactcheckError

TONES = frozenset({"good", "mixed", "bad", "neutral", "note"})
# As verdicts.models.Shape; "said" is the pages' own, for the answer about the speaker.
SHAPES = frozenset({"check", "half", "quarter", "question", "cross", "quote", "dash", "said"})

# Worst last: where claims overlap, the underline takes the tone that a reader must not miss.
_TONE_ORDER = ("note", "neutral", "good", "mixed", "bad")


class ContentError(FactcheckError):
    """Frozen content that this release cannot read, or that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Badge:
    label: str
    shape: str
    tone: str


@dataclass(frozen=True, slots=True)
class Rating:
    slug: str
    label: str
    meaning: str
    shape: str
    tone: str
    order: int = 0
    truth_value: int | None = None

    @property
    def badge(self) -> Badge:
        return Badge(self.label, self.shape, self.tone)


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of the article that a claim consists of; offsets into its canonical text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    id: str
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """The quoted words where they stand in our copy, with the words around them."""

    before: str
    exact: str
    after: str
    outcome: str
    layer_sha256: str
    # "render" where a browser showed the words and the site's own text does not hold them.
    layer: str = ""

    @property
    def sentence(self) -> str:
        if self.layer == "render" and self.outcome != "confirmed":
            return _("These words stand in our copy of what a browser showed, after the page's scripts had run.")
        return {
            "exact": _("These words stand in our copy, letter for letter."),
            "normalised": _("These words stand in our copy; only typography such as quotation marks differs."),
            "confirmed": _("A person compared these words with our copy and confirmed them."),
        }.get(self.outcome, _("These words stand in our copy."))


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    id: str
    outcome: str
    sentence: str
    url: str
    final_url: str
    http_status: int | None
    media_type: str
    sealed_at: datetime
    sha256: str
    warc_sha256: str
    wire_bytes: int | None
    records: int | None
    ip: str
    tls: str
    truncated: bool
    visibility: str
    # Not frozen: from notices.
    witnesses: "tuple[Witness, ...]" = ()
    uploaded: "Uploaded | None" = None
    # The certificate was not valid, and an editor had the page archived all the same.
    unverified: bool = False
    # A browser opened the page, instead of our plain fetcher.
    in_browser: bool = False

    @property
    def link(self) -> str:
        return web_address(self.final_url) or web_address(self.url)

    @property
    def moved(self) -> bool:
        return bool(self.final_url) and self.final_url != self.url

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A copy that a person handed in, and that we did not fetch.

    ``package`` says of a package whether it fits together: sentences, each with its tone.
    """

    by: str
    at: datetime
    package: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Interview:
    who: str
    when: str
    how: str
    heard_by: str


@dataclass(frozen=True, slots=True)
class Work:
    title: str
    author: str
    edition: str
    page: str


@dataclass(frozen=True, slots=True)
class Evidence:
    id: str
    stance: str
    kind: str
    primary: bool
    confirms_said: bool
    confirms_so: bool
    visibility: str
    title: str
    note: str
    url: str
    publisher: str
    published: str
    quote: str
    secured: bool
    interview: Interview | None = None
    work: Work | None = None
    passage: FoundPassage | None = None
    capture: CaptureFacts | None = None
    withheld: str = ""

    @property
    def link(self) -> str:
        return web_address(self.url)

    @property
    def name(self) -> str:
        if self.title:
            return self.title
        if self.kind == "interview" and self.interview:
            return _("Conversation with %(who)s") % {"who": self.interview.who}
        if self.kind == "work" and self.work:
            return self.work.title
        return self.url or _("Source")


@dataclass(frozen=True, slots=True)
class Claim:
    id: str
    number: int
    kind: str
    speaker: str
    passages: tuple[Passage, ...]
    attribution: str | None
    rating: Rating | None
    not_rated_reason: str
    reason: str
    decided_at: datetime | None
    decided_by: str
    signed_off_at: datetime | None
    signed_off_by: str
    evidence: tuple[Evidence, ...]

    @property
    def quote(self) -> str:
        return " … ".join(passage.text for passage in self.passages)

    @property
    def end(self) -> int:
        """Where the note stands: behind the last of the claim's words."""
        return max(passage.end for passage in self.passages)

    @property
    def badge(self) -> Badge:
        """The answer about the content: whether it is so."""
        return self.rating.badge if self.rating else not_rated()

    @property
    def attribution_badge(self) -> Badge | None:
        """The answer about the speaker: whether they said it. None for a claim of ours."""
        return attribution_badge(self.attribution or "") if self.speaker else None

    @property
    def attribution_sentence(self) -> str:
        sentence = {
            "said": _("We confirmed that %(speaker)s said this."),
            "not_said": _("%(speaker)s did not say this."),
            "cannot_confirm": _("We could not confirm that %(speaker)s said this."),
        }.get(self.attribution or "", "")
        return sentence % {"speaker": self.speaker} if self.speaker else ""

    @property
    def name(self) -> str:
        """The accessible name of the claim's note; it begins with the number that is seen."""
        words = {"number": self.number, "rating": self.badge.label}
        if not self.speaker or self.attribution is None:
            return _("Claim %(number)s: %(rating)s") % words
        return _("Claim %(number)s, by %(speaker)s: %(rating)s. %(attribution)s") % (
            words | {"speaker": self.speaker, "attribution": self.attribution_sentence}
        )

    @property
    def kind_label(self) -> str:
        return {
            "number": pgettext("kind of claim", "Number"),
            "date": pgettext("kind of claim", "Date"),
            "quote": pgettext("kind of claim", "Quote"),
            "name": pgettext("kind of claim", "Name"),
            "event": pgettext("kind of claim", "Event"),
        }.get(self.kind, pgettext("kind of claim", "Statement"))

    def by_stance(self, stance: str) -> tuple[Evidence, ...]:
        return tuple(item for item in self.evidence if item.stance == stance)


@dataclass(frozen=True, slots=True)
class ChangeNote:
    kind: str
    text: str

    @property
    def label(self) -> str:
        return change_label(self.kind)

    @property
    def tone(self) -> str:
        return {"correction": "mixed", "retraction": "bad", "clarification": "note"}.get(self.kind, "neutral")

    @property
    def is_correction(self) -> bool:
        """Whether it stands in /corrections/ and over the article: an update need not."""
        return self.kind in {"clarification", "correction", "retraction"}


@dataclass(frozen=True, slots=True)
class Override:
    sentence: str
    reason: str
    by: str
    # The claim that the sentence is about, if this version has it; else "" and 0.
    claim_id: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    claims: int
    words_total: int
    words_in_claims: int

    @property
    def percent(self) -> int:
        return round(100 * self.words_in_claims / self.words_total) if self.words_total else 0


@dataclass(frozen=True, slots=True)
class Article:
    id: str
    slug: str
    title: str
    byline: str
    date: str
    language: str
    url: str


@dataclass(frozen=True, slots=True)
class Revision:
    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many claims got a rating; without one, how many were not rated."""

    rating: Rating | None
    count: int

    @property
    def badge(self) -> Badge:
        return self.rating.badge if self.rating else not_rated()


@dataclass(frozen=True, slots=True)
class PublicationView:
    newsroom: str
    article: Article
    version: int
    published_at: datetime
    published_by: str
    revision: Revision
    change_note: ChangeNote | None
    blocks: tuple[Block, ...]
    claims: tuple[Claim, ...]
    overrides: tuple[Override, ...]
    coverage: Coverage
    ratings: tuple[Rating, ...]

    @property
    def headline(self) -> str:
        first = self.blocks[0] if self.blocks else None
        return first.text if first and first.kind == "headline" else self.article.title

    @property
    def deck(self) -> str:
        return next((block.text for block in self.blocks[:3] if block.kind == "deck"), "")

    @property
    def tally(self) -> tuple[Tally, ...]:
        """The ratings that occur, in the order of the scale; claims not rated come last."""
        counts: dict[str, int] = {}
        ratings: dict[str, Rating] = {}
        unrated = 0
        for claim in self.claims:
            if claim.rating is None:
                unrated += 1
            else:
                counts[claim.rating.slug] = counts.get(claim.rating.slug, 0) + 1
                ratings[claim.rating.slug] = claim.rating
        order = {rating.slug: rating.order for rating in self.ratings}
        found = sorted(ratings.values(), key=lambda rating: (order.get(rating.slug, 999), rating.slug))
        rows = [Tally(rating, counts[rating.slug]) for rating in found]
        if unrated:
            rows.append(Tally(None, unrated))
        return tuple(rows)

    @property
    def deciders(self) -> tuple[str, ...]:
        return _in_order(claim.decided_by for claim in self.claims)

    @property
    def signers(self) -> tuple[str, ...]:
        return _in_order(claim.signed_off_by for claim in self.claims)

    @property
    def captures(self) -> int:
        """How many different copies of ours the evidence stands on."""
        return len({item.capture.id for claim in self.claims for item in claim.evidence if item.capture})

    def claim(self, claim_id: str) -> Claim | None:
        return next((claim for claim in self.claims if claim.id == claim_id), None)


@dataclass(frozen=True, slots=True)
class Witness:
    """A copy of the same page that an outside archive was seen to hold."""

    service: str
    taken_at: datetime
    # "" where the address was erased.
    link: str
    agreement: str

    @property
    def name(self) -> str:
        return {"internet-archive": _("The Internet Archive")}.get(self.service, self.service)

    @property
    def sentence(self) -> str:
        """How it compares with ours."""
        return {
            "same-received": _("It is made of the same bytes as ours."),
            "same-decoded": _("Unpacked, it is made of the same bytes as ours; they travelled packed in another way."),
            "different": _(
                "It is made of other bytes than ours. Pages that change with each visit do that; it speaks against "
                "neither copy."
            ),
        }.get(self.agreement, _("The bytes cannot be compared: one of the two copies is not complete."))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of the newsroom, and when it signed. ``last`` is None for the one that signs now."""

    fingerprint: str
    first: datetime
    last: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A public fact about a publication, or about a copy it cites, that became known after it was frozen.

    ``kind`` is "superseded" (``version`` is the latest), "change" (an earlier version's
    ``change``), "source_changed" or "withheld" (``subject`` names what, e.g. "evidence/7q2km4tz"), "witnessed"
    (of a copy: ``witness``), or "signed" (of a copy: ``text`` is the key's fingerprint).
    """

    kind: str
    at: datetime
    text: str = ""
    subject: str = ""
    version: int | None = None
    change: ChangeNote | None = None
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class ClaimVersion:
    """What one published version said of a claim; ``claim`` is None where it was not in it."""

    version: int
    published_at: datetime
    claim: Claim | None
    change_note: ChangeNote | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """One use of a capture by a published claim."""

    publication: PublicationView
    claim: Claim
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    slug: str
    title: str
    deck: str
    byline: str
    language: str
    version: int
    published_at: datetime
    claims: int
    tally: tuple[Tally, ...]
    change_note: ChangeNote | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    slug: str
    title: str
    language: str
    version: int
    published_at: datetime
    note: ChangeNote


def web_address(url: str) -> str:
    """The address if a reader may be sent there, else nothing: a javascript: link is no link."""
    return url if url.lower().startswith(("https://", "http://")) else ""


def not_rated() -> Badge:
    return Badge(_("Not rated"), "dash", "neutral")


def attribution_badge(answer: str) -> Badge:
    return {
        "said": Badge(_("Said so"), "said", "good"),
        "not_said": Badge(_("Not said"), "said", "bad"),
    }.get(answer, Badge(_("Cannot confirm it was said"), "said", "neutral"))


def change_label(kind: str) -> str:
    return {
        "update": _("Update"),
        "clarification": _("Clarification"),
        "correction": _("Correction"),
        "retraction": _("Retraction"),
    }.get(kind, _("Change"))


def loudest(badges: Sequence[Badge]) -> str:
    """The tone of several badges that share the same words."""
    return max((badge.tone for badge in badges), key=_TONE_ORDER.index)


def summary(publication: PublicationView) -> ArticleSummary:
    return ArticleSummary(
        slug=publication.article.slug,
        title=publication.headline,
        deck=publication.deck,
        byline=publication.article.byline,
        language=publication.article.language,
        version=publication.version,
        published_at=publication.published_at,
        claims=len(publication.claims),
        tally=publication.tally,
        change_note=publication.change_note,
    )


# --- reading the JSON --------------------------------------------------------------------------


def parse(content: Mapping[str, Any]) -> PublicationView:
    """Read frozen content.

    Raises ContentError for another format's version, for what is missing, and where offsets and
    words disagree: a mark on other words than those that were checked must not be shown.
    """
    if content.get("v") != 1:
        raise ContentError(_("This publication was frozen in a format that this release does not know."))
    try:
        publication = _publication(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContentError(_("This publication's content is not complete, so that no page can be made.")) from error
    _check(publication)
    return publication


def _publication(content: Mapping[str, Any]) -> PublicationView:
    article = content["article"]
    note = content.get("change_note")
    numbers = {claim["id"]: int(claim["number"]) for claim in content["claims"]}
    return PublicationView(
        newsroom=content["newsroom"],
        article=Article(**{name: article.get(name) or "" for name in Article.__dataclass_fields__}),
        version=int(content["version"]),
        published_at=_moment(content["published_at"]),
        published_by=_name(content.get("published_by")),
        revision=Revision(content["revision"]["number"], content["revision"]["sha256"]),
        change_note=ChangeNote(note["kind"], note["text"]) if note else None,
        blocks=tuple(
            Block(**{name: block[name] for name in Block.__dataclass_fields__}) for block in content["blocks"]
        ),
        claims=tuple(sorted((_claim(claim) for claim in content["claims"]), key=lambda claim: claim.number)),
        overrides=tuple(_override(item, numbers) for item in content.get("overrides") or ()),
        coverage=Coverage(**{name: int(content["coverage"][name]) for name in Coverage.__dataclass_fields__}),
        ratings=tuple(
            sorted((_rating(item) for item in content.get("ratings") or ()), key=lambda rating: rating.order)
        ),
    )


def _override(item: Mapping[str, Any], numbers: Mapping[str, int]) -> Override:
    claim_id = item.get("claim") or ""
    number = numbers.get(claim_id, 0)
    return Override(
        item["sentence"], item["reason"], _name(item.get("by")), claim_id=claim_id if number else "", number=number
    )


def _claim(claim: Mapping[str, Any]) -> Claim:
    attribution = claim.get("attribution")
    return Claim(
        id=claim["id"],
        number=int(claim["number"]),
        kind=claim["kind"],
        speaker=claim.get("speaker") or "",
        passages=tuple(
            Passage(passage["start"], passage["end"], passage["text"])
            for passage in sorted(claim["passages"], key=lambda passage: (passage["start"], passage["end"]))
        ),
        attribution=attribution["answer"] if attribution else None,
        rating=_rating(claim["rating"]) if claim.get("rating") else None,
        not_rated_reason=claim.get("not_rated_reason") or "",
        reason=claim.get("reason") or "",
        decided_at=_moment_or_none(claim.get("decided_at")),
        decided_by=_name(claim.get("decided_by")),
        signed_off_at=_moment_or_none(claim.get("signed_off_at")),
        signed_off_by=_name(claim.get("signed_off_by")),
        # What only the desk may see is not in frozen content. If it ever were, readers must not get it.
        evidence=tuple(
            _evidence(item) for item in claim.get("evidence") or () if item["visibility"] in {"passage", "public"}
        ),
    )


def _evidence(item: Mapping[str, Any]) -> Evidence:
    capture, passage = item.get("capture"), item.get("passage")
    interview, work = item.get("interview"), item.get("work")
    return Evidence(
        id=item["id"],
        stance=item["stance"],
        kind=item["kind"],
        primary=bool(item.get("primary")),
        confirms_said=bool(item.get("confirms_said")),
        confirms_so=bool(item.get("confirms_so")),
        visibility=item["visibility"],
        title=item.get("title") or "",
        note=item.get("note") or "",
        url=item.get("url") or "",
        publisher=item.get("publisher") or "",
        published=item.get("published") or "",
        quote=item.get("quote") or "",
        secured=bool(item.get("secured")),
        interview=Interview(**{name: interview.get(name) or "" for name in Interview.__dataclass_fields__})
        if interview
        else None,
        work=Work(**{name: work.get(name) or "" for name in Work.__dataclass_fields__}) if work else None,
        passage=FoundPassage(**{name: passage.get(name) or "" for name in FoundPassage.__dataclass_fields__})
        if passage
        else None,
        capture=_capture(capture) if capture else None,
    )


def _capture(facts: Mapping[str, Any]) -> CaptureFacts:
    uploaded = facts.get("uploaded")
    return CaptureFacts(
        id=facts["id"],
        outcome=facts["outcome"],
        sentence=facts.get("sentence") or "",
        url=facts.get("url") or "",
        final_url=facts.get("final_url") or "",
        http_status=facts.get("http_status"),
        media_type=facts.get("media_type") or "",
        sealed_at=_moment(facts["sealed_at"]),
        sha256=facts.get("sha256") or "",
        warc_sha256=facts.get("warc_sha256") or "",
        wire_bytes=facts.get("wire_bytes"),
        records=facts.get("records"),
        ip=facts.get("ip") or "",
        tls=_tls(facts.get("tls")),
        truncated=bool(facts.get("truncated")),
        visibility=facts.get("visibility") or "passage",
        uploaded=_uploaded(uploaded) if uploaded else None,
        in_browser=facts.get("engine") == "browser",
        unverified=isinstance(tls := facts.get("tls"), Mapping) and tls.get("verified") is False,
    )


def _uploaded(facts: Mapping[str, Any]) -> Uploaded:
    return Uploaded(
        by=_name(facts.get("by")),
        at=_moment(facts["at"]),
        package=tuple(
            (finding["text"], finding["tone"] if finding["tone"] in TONES else "neutral")
            for finding in facts.get("package") or ()
        ),
    )


def _tls(tls: Any) -> str:
    """One line about the connection, from text or from the fetcher's facts."""
    if not tls:
        return ""
    if isinstance(tls, str):
        return tls
    parts = [str(tls[key]) for key in ("version", "cipher", "issuer") if tls.get(key)]
    return ", ".join(parts)


def _rating(rating: Mapping[str, Any]) -> Rating:
    return Rating(
        slug=rating["slug"],
        label=rating["label"],
        meaning=rating.get("meaning") or "",
        shape=rating["shape"] if rating.get("shape") in SHAPES else "dash",
        tone=rating["tone"] if rating.get("tone") in TONES else "neutral",
        order=int(rating.get("order") or 0),
        truth_value=rating.get("truth_value"),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _moment_or_none(text: str | None) -> datetime | None:
    return _moment(text) if text else None


def _name(person: Mapping[str, Any] | str | None) -> str:
    if person is None or isinstance(person, str):
        return person or ""
    name: str = person["name"]
    return name


def _in_order(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _check(publication: PublicationView) -> None:
    blocks = publication.blocks
    for block in blocks:
        if block.end - block.start != len(block.text):
            raise ContentError(_("A block's offsets do not fit its words."))
    for before, after in pairwise(blocks):
        if after.start != before.end + 2:
            raise ContentError(_("The blocks of this publication do not follow each other."))
    if blocks and blocks[0].start != 0:
        raise ContentError(_("The blocks of this publication do not follow each other."))
    text = "\n\n".join(block.text for block in blocks)
    for claim in publication.claims:
        if not claim.passages:
            raise ContentError(_("A claim of this publication has no words."))
        for passage in claim.passages:
            if not 0 <= passage.start < passage.end or text[passage.start : passage.end] != passage.text:
                raise ContentError(_("A claim's offsets do not fit the words that were checked."))
