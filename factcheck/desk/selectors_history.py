"""An article's history in words, from the ledger's entries about it and its claims."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from factcheck.accounts.models import User
from factcheck.articles.models import Article, OwnPageState
from factcheck.claims.models import Claim, ClaimKind
from factcheck.desk.selectors_articles import last_words_of
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.publications.models import NoticeKind
from factcheck.verdicts.models import Attribution, Rating

# Evidence has entries of its own, and some of it is off the record: they are not here.
_SENTENCES = {
    Action.ARTICLE_IMPORTED: gettext_lazy("Article handed in"),
    Action.ARTICLE_REVISED: gettext_lazy("New revision"),
    Action.ARTICLE_DETAILS_CHANGED: gettext_lazy("Details changed"),
    Action.OWN_PAGE_READ: gettext_lazy("Our own page read"),
    Action.OWN_PAGE_SET_ASIDE: gettext_lazy("Difference of our own page set aside"),
    Action.OWN_PAGE_PUT_BACK: gettext_lazy("Difference of our own page put back on the list"),
    Action.SENTENCE_SET_ASIDE: gettext_lazy("Sentence set aside"),
    Action.FINDING_DISMISSED: gettext_lazy("Finding of a copy check dismissed"),
    Action.ASIDE_TAKEN_BACK: gettext_lazy("Sentence or finding put back on the list"),
    Action.BACK_UP_DECIDED: gettext_lazy("A note of the author’s back-up decided"),
    Action.CLAIM_MARKED: gettext_lazy("Claim marked"),
    Action.CLAIM_PLACED: gettext_lazy("Claim placed"),
    Action.CLAIM_DETAILS_CHANGED: gettext_lazy("Claim’s kind or speaker changed"),
    Action.CLAIM_WITHDRAWN: gettext_lazy("Claim withdrawn"),
    Action.VERDICT_FILED: gettext_lazy("Verdict filed"),
    Action.VERDICT_SIGNED_OFF: gettext_lazy("Verdict signed off"),
    Action.OVERRIDE_WRITTEN: gettext_lazy("Blocker passed in writing"),
    Action.PUBLICATION_PUBLISHED: gettext_lazy("Published"),
    Action.NOTICE_GIVEN: gettext_lazy("Notice given to readers"),
}


@dataclass(frozen=True)
class Event:
    at: datetime
    # The person's name, or "" when a command or a job of the machine acted.
    who: str
    what: str
    facts: list[str]
    # Of an entry about a claim: its public id, and its words where they stood last.
    claim_id: str
    claim_words: str


def article_entries(article: Article) -> QuerySet[Entry]:
    """Entries about the article, its claims and its publications, the newest first."""
    subjects = [
        article.subject,
        *(f"claim/{public_id}" for public_id in article.claims.values_list("public_id", flat=True)),
        *(publication.subject for publication in article.publications.select_related("article")),
    ]
    return Entry.objects.filter(subject__in=subjects).select_related("opening").order_by("-pk")


def events(entries: Iterable[Entry]) -> list[Event]:
    entries = list(entries)
    claims = Claim.objects.in_bulk(
        [entry.subject.removeprefix("claim/") for entry in entries if entry.subject.startswith("claim/")],
        field_name="public_id",
    )
    words = last_words_of(claims.values())
    ratings = {(rating.slug, rating.version): rating.label for rating in Rating.objects.all()}
    names = {user.actor_id: str(user) for user in User.objects.filter(actor_id__in={entry.actor for entry in entries})}
    found = []
    for entry in entries:
        claim = claims.get(entry.subject.removeprefix("claim/"))
        found.append(
            Event(
                at=entry.at,
                who=(names.get(entry.actor) or _("somebody who is no longer known")) if entry.actor else "",
                what=_what(entry),
                facts=_facts(entry, ratings),
                claim_id=claim.public_id if claim else "",
                claim_words=" … ".join(words.get(claim.pk, ())) if claim else "",
            )
        )
    return found


def _what(entry: Entry) -> str:
    action = Action(entry.action)
    if action is Action.CLAIM_PLACED and not entry.actor:
        return _("Claim found again")
    return str(_SENTENCES.get(action, action))


def _facts(entry: Entry, ratings: dict[tuple[str, int], str]) -> list[str]:
    if not entry.opening.body:
        return [_("What it said was erased.")]
    facts: dict[str, Any] = json.loads(entry.opening.body)["facts"]
    found = []
    if isinstance(facts.get("revision"), int):
        found.append(_("in revision %(number)s") % {"number": facts["revision"]})
    if entry.action in (Action.ARTICLE_IMPORTED, Action.ARTICLE_REVISED):
        found.append(_("text SHA-256 %(hash)s…") % {"hash": str(facts.get("sha256", ""))[:12]})
    if isinstance(facts.get("version"), int):
        found.append(_("version %(number)s") % {"number": facts["version"]})
    if facts.get("kind") in ClaimKind.values:
        found.append(str(ClaimKind(facts["kind"]).label))
    if facts.get("kind") in NoticeKind.values:
        found.append(str(NoticeKind(facts["kind"]).label))
    if facts.get("state") in OwnPageState.values:
        found.append(str(OwnPageState(facts["state"]).label))
    if "speaker" in facts:
        speaker = facts["speaker"]
        found.append(_("said by %(speaker)s") % {"speaker": speaker} if speaker else _("our own claim"))
    if spans := facts.get("spans"):
        found.append(ngettext("%(count)s passage", "%(count)s passages", len(spans)) % {"count": len(spans)})
    if facts.get("attribution"):
        found.append(str(Attribution(facts["attribution"]).label))
    if facts.get("rating"):
        label = ratings.get((facts["rating"], facts.get("rating_version", 0)), facts["rating"])
        found.append(_("rated “%(rating)s”") % {"rating": label})
    if entry.action == Action.ARTICLE_DETAILS_CHANGED:
        found.extend(str(facts[key]) for key in ("title", "byline", "date", "language", "url") if facts.get(key))
    if facts.get("reason"):
        found.append(_("Reason: %(reason)s") % {"reason": facts["reason"]})
    return found
