from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.articles.anchoring import sentence_spans
from factcheck.articles.canonical import split_at_blocks
from factcheck.articles.formats import Format
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import add_revision, add_revision_from_own_page
from factcheck.claims.coverage import sentence_key
from factcheck.claims.errors import ClaimError, ClaimInReview, ClaimWithdrawn, PassageRefused, QueryRefused
from factcheck.claims.models import Anchor, AsideKind, Claim, ClaimKind, Placing, Query, SetAside
from factcheck.claims.wording import Span, carry_over, statement_sha256, words_at
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.errors import StaleVersion
from factcheck.lib.ids import chosen_id
from factcheck.lib.legible import is_legible
from factcheck.lib.versions import check_version

MAX_PASSAGES = 20


@transaction.atomic
def mark_claim(
    article: Article,
    *,
    passages: Sequence[Span],
    kind: str,
    speaker: str = "",
    revision_number: int | None = None,
    public_id: str = "",
    by: User | None,
) -> Claim:
    """Mark passages of the latest revision as one claim. Claims may overlap.

    A passage that runs over several blocks becomes one passage in each. Whoever asks twice with one
    ``public_id`` gets the claim that is there already. Raises PassageRefused, and StaleVersion when
    the article has a newer revision than the one that was read.
    """
    require(by, Act.MARK_CLAIM)
    revision = _revision_to_mark(article, revision_number)
    if public_id and (made := Claim.objects.filter(public_id=public_id, article=article, marked_by=by).first()):
        return made
    spans = _clean_spans(revision, passages)
    claim = Claim.objects.create(
        public_id=chosen_id(public_id, lambda wanted: Claim.objects.filter(public_id=wanted).exists()),
        article=article,
        kind=_kind(kind),
        speaker=_speaker(speaker),
        marked_by=by,
    )
    _place(claim, revision, spans, Placing.MARKED, by)
    record(
        Action.CLAIM_MARKED,
        claim.subject,
        {
            "article": article.public_id,
            "revision": revision.number,
            "kind": claim.kind,
            "speaker": claim.speaker,
            "spans": [list(span) for span in spans],
            "statement_sha256": statement_sha256(claim.speaker, words_at(revision.text, spans)),
        },
        by=by.actor_id if by else None,
    )
    return claim


@transaction.atomic
def change_claim(claim: Claim, *, kind: str, speaker: str, version: int | None, by: User | None) -> Claim:
    """Change what sort of claim it is and whose. Raises StaleVersion and ClaimWithdrawn."""
    require(by, Act.MARK_CLAIM)
    claim = lock_claim(claim, version)
    claim.kind, claim.speaker = _kind(kind), _speaker(speaker)
    claim.version += 1
    claim.save(update_fields=["kind", "speaker", "version"])
    record(
        Action.CLAIM_DETAILS_CHANGED,
        claim.subject,
        {"kind": claim.kind, "speaker": claim.speaker},
        by=by.actor_id if by else None,
    )
    return claim


@transaction.atomic
def place_claim(
    claim: Claim, *, passages: Sequence[Span], revision_number: int | None = None, version: int | None, by: User | None
) -> Claim:
    """Say where the claim stands in the latest revision; its words may be others than before.

    Raises PassageRefused, StaleVersion and ClaimWithdrawn.
    """
    require(by, Act.MARK_CLAIM)
    claim = lock_claim(claim, version)
    revision = _revision_to_mark(claim.article, revision_number)
    spans = _clean_spans(revision, passages)
    claim.anchors.filter(revision=revision).delete()
    _place(claim, revision, spans, Placing.PERSON, by)
    claim.version += 1
    claim.save(update_fields=["version"])
    record(
        Action.CLAIM_PLACED,
        claim.subject,
        {
            "revision": revision.number,
            "spans": [list(span) for span in spans],
            "statement_sha256": statement_sha256(claim.speaker, words_at(revision.text, spans)),
        },
        by=by.actor_id if by else None,
    )
    return claim


@transaction.atomic
def withdraw_claim(claim: Claim, *, reason: str, version: int | None, by: User | None) -> Claim:
    """Take a claim out of the check for good, with the reason. Raises ClaimError without one."""
    require(by, Act.WITHDRAW_CLAIM)
    claim = lock_claim(claim, version)
    if not is_legible(reason):
        raise ClaimError(_("Say why this claim no longer needs a check; the reason stays with it."))
    claim.withdrawn_at = timezone.now()
    claim.withdrawn_by = by
    claim.withdrawn_reason = reason.strip()
    claim.version += 1
    claim.save()
    record(Action.CLAIM_WITHDRAWN, claim.subject, {"reason": claim.withdrawn_reason}, by=by.actor_id if by else None)
    return claim


@transaction.atomic
def revise_article(
    article: Article,
    raw: bytes,
    *,
    form: Format = Format.TEXT,
    version: int | None,
    remove: Collection[int] = (),
    by: User | None,
) -> Revision:
    """Give the article a new wording and find its claims again in it.

    A claim whose words are others now is placed on them, and its verdict is stale by that. One that
    might stand in several places, or nowhere, is left without an anchor in the new revision, and a
    person places or withdraws it.
    """
    old = latest_revision(article)
    revision = add_revision(article, raw, form=form, version=version, remove=remove, by=by)
    _find_again(article, old, revision)
    return revision


@transaction.atomic
def take_own_page(article: Article, keys: Collection[str], *, version: int | None, by: User | None) -> Revision:
    """Take differences of our own page over as a new revision, and find the claims again in it, as in any other."""
    old = latest_revision(article)
    revision = add_revision_from_own_page(article, keys, version=version, by=by)
    _find_again(article, old, revision)
    return revision


def _find_again(article: Article, old: Revision, revision: Revision) -> None:
    for claim in article.claims.standing().prefetch_related("anchors"):
        spans = [(anchor.start, anchor.end) for anchor in claim.anchors.all() if anchor.revision_id == old.pk]
        carried = carry_over(old.text, spans, revision.text)
        if claim.reviewer_id is not None and (carried.changes or not carried.certain):
            # What was being reviewed is not what stands there now.
            claim.reviewer, claim.review_begun_at = None, None
            claim.save(update_fields=["reviewer", "review_begun_at"])
            record(Action.REVIEW_ENDED, claim.subject, {"outcome": "overtaken"}, by=None)
        if not carried.certain:
            continue
        placing = Placing.CHANGED if carried.changes else Placing.EXACT
        _place(claim, revision, carried.spans, placing, None, changes=carried.changes)
        record(
            Action.CLAIM_PLACED,
            claim.subject,
            {
                "revision": revision.number,
                "spans": [list(span) for span in carried.spans],
                "statement_sha256": statement_sha256(claim.speaker, words_at(revision.text, carried.spans)),
                **({"changes": list(carried.changes)} if carried.changes else {}),
            },
            by=None,
        )


@transaction.atomic
def set_sentence_aside(
    article: Article, *, key: str, kind: str, reason: str, revision_number: int | None = None, by: User | None
) -> SetAside:
    """Say that a sentence needs no claim: nothing in it can be checked, or it is not ours to check.

    Raises ClaimError without a reason, and where the sentence is not in the latest revision.
    """
    require(by, Act.MARK_CLAIM)
    revision = _revision_to_mark(article, revision_number)
    if kind not in (AsideKind.NOT_CHECKABLE, AsideKind.OUT_OF_SCOPE):
        raise ClaimError(_("Say whether it cannot be checked or is out of scope."))
    if not any(sentence_key(revision.text[start:end]) == key for start, end in sentence_spans(revision.text)):
        raise ClaimError(_("This sentence is not in the article as it stands now."))
    return _set_aside(article, key, kind, reason, Action.SENTENCE_SET_ASIDE, by)


@transaction.atomic
def dismiss_finding(
    article: Article, *, key: str, reason: str, revision_number: int | None = None, by: User | None
) -> SetAside:
    """Say that what a copy check found is right as it stands. Raises ClaimError without a reason."""
    require(by, Act.MARK_CLAIM)
    _revision_to_mark(article, revision_number)
    return _set_aside(article, key, AsideKind.DISMISSED, reason, Action.FINDING_DISMISSED, by)


@transaction.atomic
def take_back_aside(article: Article, *, key: str, by: User | None) -> None:
    """Put a sentence or a finding back on the list; doing it twice does no harm."""
    require(by, Act.MARK_CLAIM)
    deleted, _each = SetAside.objects.filter(article=article, key=key).delete()
    if deleted:
        record(Action.ASIDE_TAKEN_BACK, article.subject, {"key": key}, by=by.actor_id if by else None)


def _set_aside(article: Article, key: str, kind: str, reason: str, action: Action, by: User | None) -> SetAside:
    if not is_legible(reason):
        raise ClaimError(_("Say why in a few words; the reason stays with the article."))
    if len(key) != 64:
        raise ClaimError(_("It was lost on the way which one you meant. Open the page once more."))
    aside, made = SetAside.objects.get_or_create(
        article=article, key=key, defaults={"kind": kind, "reason": reason.strip(), "set_by": by}
    )
    if made:
        facts = {"key": key, "kind": str(kind), "reason": aside.reason}
        record(action, article.subject, facts, by=by.actor_id if by else None)
    return aside


@transaction.atomic
def assign_claims(claims: Collection[Claim], *, to: User | None, by: User) -> int:
    """Give claims to somebody, or with None to nobody; how many changed hands.

    Everybody may take and leave claims; giving them to others, and taking theirs away, is an editor's act.
    Raises NotPermitted and ClaimError.
    """
    require(by, Act.MARK_CLAIM)
    if to is not None and not to.is_active:
        raise ClaimError(_("%(name)s has no open account here any more.") % {"name": to})
    changed = 0
    # In one order, so that two who assign the same ones do not wait for each other crosswise.
    for claim in Claim.objects.select_for_update().standing().filter(pk__in=[one.pk for one in claims]).order_by("pk"):
        if claim.assigned_to_id == (to.pk if to else None):
            continue
        if {claim.assigned_to_id, to.pk if to else None} - {None, by.pk}:
            require(by, Act.ASSIGN)
        claim.assigned_to = to
        claim.save(update_fields=["assigned_to"])
        record(Action.CLAIM_ASSIGNED, claim.subject, {"to": to.actor_id if to else None}, by=by.actor_id)
        changed += 1
    return changed


@transaction.atomic
def ask_query(claim: Claim, *, question: str, of: User | None, public_id: str = "", by: User) -> Query:
    """Ask somebody of the newsroom about a claim; with ``of`` None whoever knows it. Not even a review is in the way.

    Whoever asks twice with one ``public_id`` gets the query that is there already. Raises QueryRefused, ClaimWithdrawn.
    """
    require(by, Act.MARK_CLAIM)
    claim = lock_claim(claim, None, in_review=True)
    if public_id and (made := Query.objects.filter(public_id=public_id, claim=claim, asked_by=by).first()):
        return made
    if not is_legible(question):
        raise QueryRefused(_("Write what you want to know."))
    if of is not None and not of.is_active:
        raise QueryRefused(_("%(name)s has no open account here any more.") % {"name": of})
    query = Query.objects.create(
        public_id=chosen_id(public_id, lambda wanted: Query.objects.filter(public_id=wanted).exists()),
        claim=claim,
        question_row=keep_text(question.strip()),
        asked_by=by,
        asked_of=of,
    )
    _count_queries(claim)
    facts = {"query": query.public_id, "question": question.strip(), "of": of.actor_id if of else None}
    record(Action.QUERY_ASKED, claim.subject, facts, by=by.actor_id)
    return query


@transaction.atomic
def answer_query(query: Query, *, answer: str, by: User) -> Query:
    """Answer it, once; whoever asked does not answer themselves. Raises QueryRefused, ClaimWithdrawn."""
    require(by, Act.MARK_CLAIM)
    claim = lock_claim(query.claim, None, in_review=True)
    query = Query.objects.get(pk=query.pk)
    if query.asked_by_id == by.pk:
        raise QueryRefused(_("The question is yours: ask another one, or resolve it."))
    if query.answered_by_id == by.pk and query.answer == answer.strip():
        # A second click.
        return query
    if query.answered_at is not None or query.resolved_at is not None:
        raise QueryRefused(_("This query has been answered or resolved meanwhile. Look at that first."))
    if not is_legible(answer):
        raise QueryRefused(_("Write the answer."))
    query.answer_row, query.answered_by, query.answered_at = keep_text(answer.strip()), by, timezone.now()
    query.save(update_fields=["answer_row", "answered_by", "answered_at"])
    facts = {"query": query.public_id, "answer": answer.strip()}
    record(Action.QUERY_ANSWERED, claim.subject, facts, by=by.actor_id)
    return query


@transaction.atomic
def resolve_query(query: Query, *, by: User) -> Query:
    """Say that nothing is open any more: whoever asked, or an editor. Resolving twice does no harm.

    Raises NotPermitted, ClaimWithdrawn.
    """
    require(by, Act.MARK_CLAIM if query.asked_by_id == by.pk else Act.END_QUERY)
    claim = lock_claim(query.claim, None, in_review=True)
    query = Query.objects.get(pk=query.pk)
    if query.resolved_at is None:
        query.resolved_by, query.resolved_at = by, timezone.now()
        query.save(update_fields=["resolved_by", "resolved_at"])
        _count_queries(claim)
        record(Action.QUERY_RESOLVED, claim.subject, {"query": query.public_id}, by=by.actor_id)
    return query


def _count_queries(claim: Claim) -> None:
    claim.open_queries = claim.queries.filter(resolved_at=None).count()
    claim.save(update_fields=["open_queries"])


def lock_claim(claim: Claim, version: int | None, *, in_review: bool = False) -> Claim:
    """The claim's row, locked for a change. Raises StaleVersion, ClaimWithdrawn, and ClaimInReview.

    ``in_review`` is for the steps of the review itself.
    """
    locked = Claim.objects.select_for_update().get(pk=claim.pk)
    if locked.withdrawn_at is not None:
        raise ClaimWithdrawn(_("This claim was withdrawn. Mark the words again if they need a check after all."))
    if locked.reviewer_id is not None and not in_review:
        raise ClaimInReview(
            _("%(name)s is reviewing this claim. Until that has ended, nobody changes it.") % {"name": locked.reviewer}
        )
    check_version(locked, version, _("Somebody changed this claim since you opened the page. Look at it again first."))
    return locked


def touch_claim(claim: Claim) -> None:
    """Count a change of what hangs on a locked claim, so that pages read before it are stale."""
    claim.version += 1
    claim.save(update_fields=["version"])


def _kind(kind: str) -> str:
    if kind not in ClaimKind.values:
        raise ClaimError(_("Choose what sort of claim it is."))
    return kind


def _speaker(speaker: str) -> str:
    name = speaker.strip()[:200]
    # A name that nobody can see would make a claim of ours somebody else's, which the gate lets be wrong.
    if name and not is_legible(name):
        raise ClaimError(_("Give the name of whoever said it, or leave it empty for a claim of ours."))
    return name


def _revision_to_mark(article: Article, revision_number: int | None) -> Revision:
    # The row lock keeps a new revision from slipping in between.
    Article.objects.select_for_update().get(pk=article.pk)
    revision = latest_revision(article)
    if revision_number is not None and revision.number != revision_number:
        raise StaleVersion(
            _("The article has a new revision (%(number)s) since you opened the page. Mark the words in that one.")
            % {"number": revision.number}
        )
    return revision


def _clean_spans(revision: Revision, passages: Sequence[Span]) -> list[Span]:
    length = len(revision.text)
    spans: set[Span] = set()
    for start, end in passages:
        if not 0 <= start < end <= length:
            raise PassageRefused(_("These words are not in the article as it stands now."))
        spans.update(split_at_blocks(start, end, revision.blocks))
        # One selection over a long list is a passage in each of its lines.
        if len(spans) > MAX_PASSAGES:
            raise PassageRefused(
                _("That is more than %(most)s passages. Make several claims of them.") % {"most": MAX_PASSAGES}
            )
    if not spans:
        raise PassageRefused(_("Select some words of the article first."))
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _place(
    claim: Claim,
    revision: Revision,
    spans: Sequence[Span],
    placing: Placing,
    by: User | None,
    *,
    changes: Sequence[str] = (),
) -> None:
    Anchor.objects.bulk_create(
        Anchor(
            claim=claim,
            revision=revision,
            start=start,
            end=end,
            placing=placing,
            placed_by=by,
            changes=list(changes) if number == 0 else [],
        )
        for number, (start, end) in enumerate(spans)
    )
