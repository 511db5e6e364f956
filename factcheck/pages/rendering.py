"""Public pages as bytes, from frozen content, notices and the release; nothing else goes in.

No request, no database, no clock: whoever has the same three gets the same bytes, whether a view
serves them, a command writes them to files, or an editor looks at them before publication. So the
page's own words are in the newsroom's language and its times in the newsroom's zone, not the reader's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from itertools import groupby
from typing import Any, ParamSpec

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from factcheck.archive.replay_links import full_replay_url, public_replay_url
from factcheck.pages import addresses
from factcheck.pages.content import (
    ArticleSummary,
    Block,
    CaptureFacts,
    Citation,
    Claim,
    ClaimVersion,
    ContentError,
    Correction,
    Evidence,
    NoticeView,
    PublicationView,
    Rating,
    SigningKey,
    Witness,
    attribution_badge,
    not_rated,
)
from factcheck.pages.segments import Segment, segments

# How much of the article stands around a claim's words on the claim's page, in characters.
CONTEXT_CHARACTERS = 600

Asked = ParamSpec("Asked")


def in_the_newsrooms_words(render: Callable[Asked, bytes]) -> Callable[Asked, bytes]:
    """Make the page in the newsroom's language and zone, whoever asks for it."""

    @wraps(render)
    def made(*args: Asked.args, **kwargs: Asked.kwargs) -> bytes:
        with translation.override(settings.LANGUAGE_CODE), timezone.override(timezone.get_default_timezone()):
            return render(*args, **kwargs)

    return made


@dataclass(frozen=True, slots=True)
class Piece:
    """A block and its words cut for marking."""

    block: Block
    segments: list[Segment]


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks that share one element: a paragraph stands alone, the items of a list together."""

    kind: str
    pieces: list[Piece]


@in_the_newsrooms_words
def render_article(publication: PublicationView, *, notices: Sequence[NoticeView] = (), release: str) -> bytes:
    publication = withhold(publication, notices)
    pieces = [Piece(block, segments(block, publication.claims)) for block in publication.blocks]
    head, body = _head_and_body(pieces)
    superseded = next((notice for notice in notices if notice.kind == "superseded"), None)
    return _render(
        "public/article.html",
        {
            "publication": publication,
            "article": publication.article,
            "headline": next((piece for piece in head if piece.block.kind == "headline"), None),
            "decks": [piece for piece in head if piece.block.kind == "deck"],
            "parts": _parts(body),
            "superseded": superseded,
            "changes": _changes(publication, notices),
            "notices": _other_notices(notices, f"article/{publication.article.id}"),
            "versions": range(publication.version - 1, 0, -1),
            "canonical": _canonical(
                addresses.article_version(publication.article.slug, publication.version)
                if superseded
                else addresses.article(publication.article.slug)
            ),
        },
        newsroom=publication.newsroom,
        release=release,
    )


@in_the_newsrooms_words
def render_claim(
    publication: PublicationView,
    claim_id: str,
    *,
    history: Sequence[ClaimVersion] = (),
    notices: Sequence[NoticeView] = (),
    release: str,
) -> bytes:
    """The page of one claim as ``publication`` has it.

    ``history`` is what each published version said of it, newest first. Raises ContentError if the
    claim is not in the publication.
    """
    publication = withhold(publication, notices)
    claim = publication.claim(claim_id)
    if claim is None:
        raise ContentError(_("This claim is not part of this publication."))
    claim = replace(claim, evidence=tuple(_with_witnesses(item, notices) for item in claim.evidence))
    latest = max((version.version for version in history), default=publication.version)
    return _render(
        "public/claim.html",
        {
            "publication": publication,
            "article": publication.article,
            "claim": claim,
            "context": [excerpt(block, claim) for block in publication.blocks if _touches(block, claim)],
            "evidence": [
                (_("Speaks for it"), "for", claim.by_stance("for")),
                (_("Speaks against it"), "against", claim.by_stance("against")),
                (_("Context"), "context", claim.by_stance("context")),
            ],
            "history": history,
            "gone_from": latest if latest > publication.version else None,
            "notices": _other_notices(notices, f"claim/{claim.id}"),
            "canonical": _canonical(addresses.claim(claim.id)),
        },
        newsroom=publication.newsroom,
        release=release,
    )


@in_the_newsrooms_words
def render_capture(
    citations: Sequence[Citation], *, notices: Sequence[NoticeView] = (), whole: bool = True, release: str
) -> bytes:
    """The page of a copy of ours: what published claims cite of it, and the facts about it.

    Not ``whole``: a newer version does not cite the copy any more, and it is not handed out.

    Raises ContentError without a citation: a copy that nothing published cites has no public page.
    """
    shown = [
        (citation, evidence)
        for citation in citations
        if (evidence := _withhold_evidence(citation.evidence, notices)).capture is not None
    ]
    if not shown:
        raise ContentError(_("Nothing that is published cites this copy."))
    facts = [evidence.capture for _citation, evidence in shown if evidence.capture]
    downloads = whole and downloads_allowed(facts)
    return _render(
        "public/capture.html",
        {
            "capture": replace(facts[0], witnesses=_witnesses(facts[0].id, notices)),
            "signed": next(iter(_about(facts[0].id, "signed", notices)), None),
            "about": addresses.ABOUT,
            "downloads": downloads,
            "replay": public_replay_url(facts[0].id) if downloads else "",
            "full_replay": full_replay_url(_canonical(addresses.capture_wacz(facts[0].id))) if downloads else "",
            "title": next((evidence.title for _citation, evidence in shown if evidence.title), ""),
            "publisher": next((evidence.publisher for _citation, evidence in shown if evidence.publisher), ""),
            "passages": _by_passage(shown),
            "notices": _other_notices(notices, f"capture/{facts[0].id}"),
        },
        newsroom=shown[0][0].publication.newsroom,
        release=release,
    )


@in_the_newsrooms_words
def render_index(
    summaries: Sequence[ArticleSummary], *, newer: str = "", older: str = "", newsroom: str = "", release: str
) -> bytes:
    """Published articles, newest first; ``newer`` and ``older`` are the neighbouring pages' addresses."""
    return _render(
        "public/index.html",
        {
            "articles": summaries,
            "newer": newer,
            "older": older,
            "here": "index",
            "canonical": _canonical(addresses.INDEX),
        },
        newsroom=newsroom,
        release=release,
    )


@in_the_newsrooms_words
def render_corrections(corrections: Sequence[Correction], *, newsroom: str = "", release: str) -> bytes:
    context = {"corrections": corrections, "here": "corrections", "canonical": _canonical(addresses.CORRECTIONS)}
    return _render("public/corrections.html", context, newsroom=newsroom, release=release)


@in_the_newsrooms_words
def render_ratings(ratings: Sequence[Rating], *, newsroom: str = "", release: str) -> bytes:
    context = {
        "ratings": sorted(ratings, key=lambda rating: rating.order),
        "attributions": [
            (attribution_badge("said"), _("We have the words from the speaker, or from somebody who was there.")),
            (attribution_badge("not_said"), _("We have what was really said, and it was something else.")),
            (attribution_badge("cannot_confirm"), _("We found nobody and nothing that shows it was said.")),
        ],
        "unrated": not_rated(),
        "here": "ratings",
        "canonical": _canonical(addresses.RATINGS),
    }
    return _render("public/ratings.html", context, newsroom=newsroom, release=release)


@in_the_newsrooms_words
def render_methodology(*, newsroom: str = "", release: str) -> bytes:
    context = {"here": "methodology", "canonical": _canonical(addresses.METHODOLOGY)}
    return _render("public/methodology.html", context, newsroom=newsroom, release=release)


@in_the_newsrooms_words
def render_about(*, keys: Sequence[SigningKey] = (), newsroom: str = "", release: str) -> bytes:
    context = {"keys": keys, "canonical": _canonical(addresses.ABOUT)}
    return _render("public/about.html", context, newsroom=newsroom, release=release)


# --- what is shown -----------------------------------------------------------------------------


def withhold(publication: PublicationView, notices: Iterable[NoticeView]) -> PublicationView:
    """The publication without what a later notice took back; what remains says why."""
    notices = [notice for notice in notices if notice.kind == "withheld"]
    if not notices:
        return publication
    return replace(
        publication,
        claims=tuple(
            replace(claim, evidence=tuple(_withhold_evidence(item, notices) for item in claim.evidence))
            for claim in publication.claims
        ),
    )


def _withhold_evidence(item: Evidence, notices: Iterable[NoticeView]) -> Evidence:
    subjects = {f"evidence/{item.id}"} | ({f"capture/{item.capture.id}"} if item.capture else set())
    for notice in notices:
        if notice.kind == "withheld" and notice.subject in subjects:
            return replace(
                item,
                note="",
                quote="",
                passage=None,
                capture=None,
                interview=None,
                work=None,
                withheld=notice.text or _("The newsroom withholds this source."),
            )
    return item


def _about(capture_id: str, kind: str, notices: Iterable[NoticeView]) -> list[NoticeView]:
    return [notice for notice in notices if notice.kind == kind and notice.subject == f"capture/{capture_id}"]


def _witnesses(capture_id: str, notices: Iterable[NoticeView]) -> tuple[Witness, ...]:
    return tuple(notice.witness for notice in _about(capture_id, "witnessed", notices) if notice.witness)


def _with_witnesses(item: Evidence, notices: Sequence[NoticeView]) -> Evidence:
    if item.capture is None:
        return item
    return replace(item, capture=replace(item.capture, witnesses=_witnesses(item.capture.id, notices)))


def _by_passage(shown: Iterable[tuple[Citation, Evidence]]) -> list[tuple[Evidence, list[Citation]]]:
    """The same words are shown once, with all the claims that cite them."""
    uses: dict[tuple[object, str], tuple[Evidence, list[Citation]]] = {}
    for citation, item in shown:
        uses.setdefault((item.passage, item.quote), (item, []))[1].append(citation)
    return list(uses.values())


def downloads_allowed(facts: Iterable[CaptureFacts]) -> bool:
    """One source's "passage only" holds for the copy, wherever else it is cited."""
    return all(capture.is_public for capture in facts)


def excerpt(block: Block, claim: Claim) -> Piece:
    """The claim's words in their block, with so much around them that they can be understood."""
    pieces = segments(block, [claim])
    shown: list[Segment] = []
    for index, piece in enumerate(pieces):
        text = piece.text
        if not piece.claims and len(text) > CONTEXT_CHARACTERS:
            half = CONTEXT_CHARACTERS // 2
            if index == 0:
                text = "… " + text[-half:].split(" ", 1)[-1]
            elif index == len(pieces) - 1:
                text = text[:half].rsplit(" ", 1)[0] + " …"
        shown.append(replace(piece, text=text))
    return Piece(block, shown)


def _touches(block: Block, claim: Claim) -> bool:
    return any(passage.start < block.end and block.start < passage.end for passage in claim.passages)


def _head_and_body(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The headline and the decks before the text; a headline further down is a heading of the text."""
    count = 0
    seen: set[str] = set()
    for piece in pieces:
        kind = piece.block.kind
        if kind not in {"headline", "deck"} or (kind == "headline" and seen):
            break
        seen.add(kind)
        count += 1
    return pieces[:count], pieces[count:]


def _parts(pieces: list[Piece]) -> list[Part]:
    parts: list[Part] = []
    for kind, group in groupby(pieces, key=lambda piece: piece.block.kind):
        if kind in {"item", "row"}:
            parts.append(Part(kind, list(group)))
        else:
            parts.extend(Part(kind, [piece]) for piece in group)
    return parts


def _changes(publication: PublicationView, notices: Sequence[NoticeView]) -> list[dict[str, Any]]:
    """Why this version differs, and the corrections of the versions before it, newest first."""
    changes: list[dict[str, Any]] = []
    if publication.change_note:
        changes.append(
            {"note": publication.change_note, "at": publication.published_at, "version": publication.version}
        )
    for notice in sorted(notices, key=lambda notice: notice.at, reverse=True):
        if notice.kind == "change" and notice.change and notice.change.is_correction:
            changes.append({"note": notice.change, "at": notice.at, "version": notice.version})
    return changes


def _other_notices(notices: Sequence[NoticeView], subject: str) -> list[NoticeView]:
    return [notice for notice in notices if notice.kind in {"withheld", "source_changed"} and notice.subject == subject]


def _canonical(address: str) -> str:
    return f"{settings.PUBLIC_URL}{address}"


def _render(template: str, context: Mapping[str, Any], *, newsroom: str, release: str) -> bytes:
    shell = {
        "newsroom": newsroom or settings.NEWSROOM_NAME,
        "release": release,
        "addresses": {
            "index": addresses.INDEX,
            "corrections": addresses.CORRECTIONS,
            "methodology": addresses.METHODOLOGY,
            "ratings": addresses.RATINGS,
            "about": addresses.ABOUT,
        },
    }
    return render_to_string(template, {**shell, **context}).encode()
