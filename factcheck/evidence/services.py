from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may, require
from factcheck.archive.canonical_url import canonical_url
from factcheck.archive.models import CaptureRequest, Engine
from factcheck.archive.receiving import Received
from factcheck.archive.services import order_upload, request_capture, retry_capture
from factcheck.claims.models import Claim
from factcheck.claims.services import lock_claim, touch_claim
from factcheck.evidence.checking import JOB_KIND
from factcheck.evidence.errors import EvidenceError, EvidenceIncomplete, EvidenceWithdrawn, VisibilityRefused
from factcheck.evidence.models import (
    CONFIRMABLE,
    Evidence,
    PassageConfirmation,
    PassageOutcome,
    Source,
    SourceKind,
    Stance,
    Visibility,
)
from factcheck.evidence.selectors import current_check, standing_of
from factcheck.jobs.services import enqueue
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.ids import chosen_id
from factcheck.lib.legible import is_legible
from factcheck.lib.versions import check_version

# Longer ones cost more time to find than a worker should spend, and readers more than they have.
MAX_QUOTE = 2_000


@dataclass(frozen=True)
class Argument:
    """What a person says with a source, whatever kind of source it is."""

    stance: str
    quote: str = ""
    quote_prefix: str = ""
    quote_suffix: str = ""
    note: str = ""
    confirms_said: bool = False
    confirms_so: bool = False
    primary: bool = False
    off_record: bool = False
    shown_to: Collection[User] = ()
    # Chosen by the form: whoever sends it twice gets the evidence that they have already.
    public_id: str = ""


@transaction.atomic
def attach_page(
    claim: Claim,
    *,
    url: str,
    argument: Argument,
    title: str = "",
    publisher: str = "",
    visibility: str = Visibility.PASSAGE,
    upload: Received | None = None,
    upload_how: str = "",
    engine: Engine = Engine.HTTP,
    by: User | None,
) -> Evidence:
    """Put a page's words to a claim; the page is archived and the words looked for in the copy.

    With ``upload`` the person's own file stands for the page, and nothing is fetched.

    Raises AddressRefused for an address that can never be fetched, UploadRefused, EvidenceError, and
    CaptureNotPossible.
    """
    claim = _claim_for_evidence(claim, argument, visibility, by)
    if already := _made_already(claim, argument, by):
        return already
    confidential = argument.off_record
    if upload is not None and by is not None:
        request = order_upload(
            url, upload, how=upload_how, by=by, discreet=claim.article.discreet, confidential=confidential
        )
    else:
        request = request_capture(url, by=by, discreet=claim.article.discreet, confidential=confidential, engine=engine)
    page = {"kind": SourceKind.PAGE, "canonical_url": canonical_url(url), "confidential": confidential}
    given = {"url": url.strip(), "title": title.strip(), "publisher": publisher.strip(), "visibility": visibility}
    if confidential:
        return _attach(claim, Source.objects.create(**page, **given), argument, request, by=by)
    source, made = Source.objects.get_or_create(**page, defaults=given)
    if not made:
        _fill_in(source, title=given["title"], publisher=given["publisher"])
    if not made and visibility == Visibility.DESK and source.visibility != Visibility.DESK:
        # Whoever attaches may close a source; opening it is an editor's act.
        _write_visibility(source, Visibility.DESK, reason="", by=by)
    if upload is not None:
        _close_for_upload(source, by=by)
    return _attach(claim, source, argument, request, by=by)


@transaction.atomic
def attach_interview(
    claim: Claim,
    *,
    contact: str,
    spoken_on: date | None,
    spoken_how: str,
    heard_by: str,
    argument: Argument,
    visibility: str = Visibility.PASSAGE,
    by: User | None,
) -> Evidence:
    """Put what somebody told us to a claim. Raises EvidenceIncomplete without who, when, how and heard by whom."""
    claim = _claim_for_evidence(claim, argument, visibility, by)
    if already := _made_already(claim, argument, by):
        return already
    if not (contact.strip() and spoken_on and spoken_how.strip() and heard_by.strip()):
        raise EvidenceIncomplete(_("An interview needs whom you spoke with, when, how, and who of us heard it."))
    if not is_legible(argument.quote + argument.note):
        raise EvidenceIncomplete(_("Write down what was said."))
    source = Source.objects.create(
        kind=SourceKind.INTERVIEW,
        contact=contact.strip(),
        spoken_on=spoken_on,
        spoken_how=spoken_how.strip(),
        heard_by=heard_by.strip(),
        visibility=visibility,
        confidential=argument.off_record,
    )
    return _attach(claim, source, argument, None, by=by)


@transaction.atomic
def attach_work(
    claim: Claim,
    *,
    title: str,
    author: str = "",
    edition: str,
    page: str,
    transcription: str,
    argument: Argument,
    visibility: str = Visibility.PASSAGE,
    by: User | None,
) -> Evidence:
    """Put a book's or a broadcast's words to a claim.

    Raises EvidenceIncomplete for what a stranger could not find again.
    """
    claim = _claim_for_evidence(claim, argument, visibility, by)
    if already := _made_already(claim, argument, by):
        return already
    if not (title.strip() and edition.strip() and page.strip()):
        raise EvidenceIncomplete(_("A work needs its title, its edition, and the page or time code."))
    if not transcription.strip():
        raise EvidenceIncomplete(_("Copy the passage of the work word for word: the transcription is what is checked."))
    source = Source.objects.create(
        kind=SourceKind.WORK,
        title=title.strip(),
        author=author.strip(),
        edition=edition.strip(),
        page=page.strip(),
        transcription=transcription.strip(),
        visibility=visibility,
        confidential=argument.off_record,
    )
    return _attach(claim, source, argument, None, by=by)


@transaction.atomic
def change_quote(evidence: Evidence, *, quote: str, version: int | None, by: User | None) -> Evidence:
    """Correct the words that a page is said to hold; they are looked for again. Raises StaleVersion."""
    require(by, Act.ADD_EVIDENCE)
    evidence = _lock(evidence, version, by)
    if not quote.strip():
        raise EvidenceIncomplete(_("Give the words of the page that this rests on."))
    if len(quote) > MAX_QUOTE:
        raise EvidenceError(
            _("That is more than %(most)s characters. Quote the sentence that matters.") % {"most": MAX_QUOTE}
        )
    evidence.quote = quote.strip()
    evidence.version += 1
    evidence.save(update_fields=["quote", "version"])
    _check_passage_later(evidence)
    touch_claim(lock_claim(evidence.claim, None))
    record(
        Action.EVIDENCE_CHANGED,
        evidence.subject,
        {"quote_sha256": evidence.quote_sha256},
        by=by.actor_id if by else None,
    )
    return evidence


@transaction.atomic
def withdraw_evidence(evidence: Evidence, *, reason: str, version: int | None, by: User | None) -> Evidence:
    """Take evidence back, with the reason; it stays in the history. Raises StaleVersion."""
    require(by, Act.ADD_EVIDENCE)
    evidence = _lock(evidence, version, by)
    if not is_legible(reason):
        raise EvidenceError(_("Say why this is taken back; the reason stays in the history."))
    evidence.withdrawn_at = timezone.now()
    evidence.withdrawn_by = by
    evidence.withdrawn_reason = reason.strip()
    evidence.version += 1
    evidence.save()
    touch_claim(lock_claim(evidence.claim, None))
    record(Action.EVIDENCE_WITHDRAWN, evidence.subject, {"reason": reason.strip()}, by=by.actor_id if by else None)
    return evidence


@transaction.atomic
def confirm_passage(evidence: Evidence, *, reason: str, version: int | None, by: User) -> PassageConfirmation:
    """Vouch, with the reason, that the copy says it where the machine could not tell.

    Raises EvidenceError when there is nothing to vouch for: no check yet, found already, or absent.
    """
    require(by, Act.CONFIRM_PASSAGE)
    evidence = _lock(evidence, version, by)
    check = current_check(evidence)
    if check is None:
        raise EvidenceError(_("The copy has not been searched yet."))
    if check.outcome not in CONFIRMABLE:
        raise EvidenceError(
            _("Nothing to confirm: %(outcome)s If the words are not right, correct the quote.")
            % {"outcome": PassageOutcome(check.outcome).label}
        )
    if not is_legible(reason):
        raise EvidenceError(_("Say what you compared and why the words mean the same."))
    if PassageConfirmation.objects.filter(check_row=check).exists():
        raise EvidenceError(_("This passage has been confirmed already."))
    confirmation = PassageConfirmation.objects.create(
        check_row=check, confirmed_by=by, reason_row=keep_text(reason.strip())
    )
    touch_claim(lock_claim(evidence.claim, None))
    record(
        Action.PASSAGE_CONFIRMED,
        evidence.subject,
        {"quote_sha256": check.quote_sha256, "outcome": check.outcome, "reason": reason.strip()},
        by=by.actor_id,
    )
    return confirmation


@transaction.atomic
def archive_again(
    evidence: Evidence,
    *,
    by: User | None,
    bulk: bool = False,
    despite_tls: bool = False,
    engine: Engine | None = None,
) -> CaptureRequest:
    """Order a new copy of the page and look for the words in that. The old copy stays what it was.

    ``despite_tls`` and ``engine`` as for ``retry_capture``.
    """
    require(by, Act.ADD_EVIDENCE)
    evidence = _lock(evidence, None, by)
    if evidence.capture_request is None:
        raise EvidenceError(_("Only a page can be archived."))
    if standing_of(evidence).secured:
        # The new copy would take the place of the old one, and may turn out to be worth less.
        raise EvidenceError(
            _("The words are secured by the copy that is there. Attach the page once more for a new one.")
        )
    request = retry_capture(evidence.capture_request, by=by, bulk=bulk, despite_tls=despite_tls, engine=engine)
    evidence.capture_request = request
    evidence.version += 1
    evidence.save(update_fields=["capture_request", "version"])
    _check_passage_later(evidence)
    touch_claim(lock_claim(evidence.claim, None))
    return request


@transaction.atomic
def use_own_copy(evidence: Evidence, upload: Received, *, how: str, version: int | None, by: User) -> CaptureRequest:
    """Put a person's own file in the place of a copy that could not be made, and look for the words in that.

    Raises StaleVersion, UploadRefused, and EvidenceError where the words are secured already.
    """
    require(by, Act.ADD_EVIDENCE)
    evidence = _lock(evidence, version, by)
    former = evidence.capture_request
    if former is None:
        raise EvidenceError(_("Only a page can have a copy."))
    if standing_of(evidence).secured:
        raise EvidenceError(
            _("The words are secured by the copy that is there. Attach the page once more with your own.")
        )
    request = order_upload(
        former.url,
        upload,
        how=how,
        by=by,
        discreet=former.discreet,
        confidential=former.confidential or evidence.off_record,
        retry_of=former,
    )
    evidence.capture_request = request
    evidence.version += 1
    evidence.save(update_fields=["capture_request", "version"])
    _close_for_upload(evidence.source, by=by)
    _check_passage_later(evidence)
    touch_claim(lock_claim(evidence.claim, None))
    return request


@transaction.atomic
def set_visibility(source: Source, visibility: str, *, reason: str, by: User | None) -> Source:
    """Say how much of a source readers see. Opening the whole copy needs a reason.

    Raises VisibilityRefused, also where the page itself asks not to be shown as a copy.
    """
    require(by, Act.SET_VISIBILITY)
    source = Source.objects.select_for_update().get(pk=source.pk)
    if by is not None and not Evidence.objects.visible_to(by).filter(source=source).exists():
        raise VisibilityRefused(_("There is no such source."))
    if visibility not in Visibility.values:
        raise VisibilityRefused(_("Choose what readers see of this source."))
    if visibility == Visibility.PUBLIC:
        if not is_legible(reason):
            raise VisibilityRefused(_("Say why readers should see the whole copy; the reason is kept."))
        if source.kind != SourceKind.PAGE:
            raise VisibilityRefused(_("Only a page has a copy that could be shown whole."))
        if _asks_not_to_be_shown(source):
            raise VisibilityRefused(
                _("The page asks archives not to show copies of it (noarchive). The passage may be shown.")
            )
    _write_visibility(source, visibility, reason=reason.strip(), by=by)
    return source


def _claim_for_evidence(claim: Claim, argument: Argument, visibility: str, by: User | None) -> Claim:
    require(by, Act.ADD_EVIDENCE)
    if argument.stance not in Stance.values:
        raise EvidenceError(_("Say whether this speaks for the claim, against it, or gives context."))
    if len(argument.quote) > MAX_QUOTE:
        raise EvidenceError(
            _("That is more than %(most)s characters. Quote the sentence that matters.") % {"most": MAX_QUOTE}
        )
    if visibility == Visibility.PUBLIC and not (by is None or may(by, Act.SET_VISIBILITY)):
        raise VisibilityRefused(_("Showing readers the whole copy is an editor's decision."))
    if visibility == Visibility.PUBLIC:
        raise VisibilityRefused(
            _("The whole copy can be opened once it is there, with a reason, on the source's page.")
        )
    return lock_claim(claim, None)


def _made_already(claim: Claim, argument: Argument, by: User | None) -> Evidence | None:
    if not argument.public_id:
        return None
    return Evidence.objects.filter(public_id=argument.public_id, claim=claim, added_by=by).first()


def _attach(
    claim: Claim, source: Source, argument: Argument, request: CaptureRequest | None, *, by: User | None
) -> Evidence:
    evidence = Evidence.objects.create(
        public_id=chosen_id(argument.public_id, lambda wanted: Evidence.objects.filter(public_id=wanted).exists()),
        claim=claim,
        source=source,
        stance=argument.stance,
        quote=argument.quote.strip(),
        quote_prefix=argument.quote_prefix[-200:],
        quote_suffix=argument.quote_suffix[:200],
        note=argument.note.strip(),
        confirms_said=argument.confirms_said,
        confirms_so=argument.confirms_so,
        primary=argument.primary,
        off_record=argument.off_record,
        capture_request=request,
        added_by=by,
    )
    if argument.off_record:
        evidence.shown_to.set(argument.shown_to)
    _check_passage_later(evidence)
    touch_claim(claim)
    record(
        Action.EVIDENCE_ADDED,
        evidence.subject,
        {
            "claim": claim.public_id,
            "source": source.public_id,
            "kind": source.kind,
            "stance": evidence.stance,
            "quote_sha256": evidence.quote_sha256,
            "capture_request": request.public_id if request else None,
        },
        by=by.actor_id if by else None,
    )
    return evidence


def _check_passage_later(evidence: Evidence) -> None:
    if evidence.capture_request is not None and evidence.quote:
        enqueue(JOB_KIND, evidence.subject, after=evidence.capture_request.job)


def _lock(evidence: Evidence, version: int | None, by: User | None) -> Evidence:
    locked = Evidence.objects.select_for_update(of=("self",)).select_related("claim", "source").get(pk=evidence.pk)
    if by is not None and not Evidence.objects.visible_to(by).filter(pk=locked.pk).exists():
        raise EvidenceError(_("There is no such evidence."))
    if locked.withdrawn_at is not None:
        raise EvidenceWithdrawn(_("This evidence was taken back. Attach it again if it counts after all."))
    check_version(
        locked, version, _("Somebody changed this evidence since you opened the page. Look at it again first.")
    )
    return locked


def _fill_in(source: Source, **given: str) -> None:
    """Keep what was typed of a page that is known already, where nobody has said it before."""
    new = {name: value for name, value in given.items() if value and not getattr(source, name)}
    for name, value in new.items():
        setattr(source, name, value)
    if new:
        source.save(update_fields=list(new))


def _close_for_upload(source: Source, *, by: User | None) -> None:
    """What was opened was a copy that we had fetched; a person's own is opened by an editor's act of its own."""
    if source.visibility == Visibility.PUBLIC:
        _write_visibility(source, Visibility.PASSAGE, reason="", by=by)


def _asks_not_to_be_shown(source: Source) -> bool:
    return source.evidence.filter(capture_request__capture__noarchive=True).exists()


def _write_visibility(source: Source, visibility: str, *, reason: str, by: User | None) -> None:
    source.visibility = visibility
    source.save(update_fields=["visibility"])
    record(
        Action.SOURCE_VISIBILITY_SET,
        source.subject,
        {"visibility": visibility, "reason": reason},
        by=by.actor_id if by else None,
    )
