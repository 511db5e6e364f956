"""The gate: what stands between an article and its readers, one sentence and one place each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from factcheck.claims.models import Claim
from factcheck.evidence.selectors import Standing
from factcheck.verdicts.models import Attribution
from factcheck.verdicts.selectors import Checked, backs_attribution, backs_content


class BlockerKind(StrEnum):
    NO_CLAIMS = "no_claims"
    NO_PLACE = "no_place"
    OPEN = "open"
    STALE = "stale"
    UNSIGNED = "unsigned"
    ATTRIBUTION = "attribution"
    NOT_RELEASING = "not_releasing"
    UNSECURED = "unsecured"
    LATER_EVIDENCE = "later_evidence"
    QUERY = "query"


@dataclass(frozen=True)
class Blocker:
    """One thing in the way.

    ``key`` names it exactly: once the verdict changes, or what its evidence lacks, it is another blocker.
    """

    kind: BlockerKind
    key: str
    sentence: str
    claim: Claim | None = None
    # Whose own work it is: they may not be the one to pass it.
    author_id: int | None = None
    # The sentence for readers, where theirs is another.
    public: str = ""

    @property
    def public_sentence(self) -> str:
        return self.public or self.sentence


def blockers_of(checks: Sequence[Checked]) -> list[Blocker]:
    """Everything in the way of these claims, in the order of the text; empty when the gate is open."""
    if not checks:
        sentence = _("Not a single claim is marked: nothing in this article has been checked.")
        return [Blocker(BlockerKind.NO_CLAIMS, "no_claims", sentence)]
    return [blocker for checked in checks for blocker in _blockers(checked)]


def _blockers(checked: Checked) -> list[Blocker]:
    claim, verdict = checked.claim, checked.verdict
    if not checked.placed.is_placed:
        return [
            _blocker(
                checked, BlockerKind.NO_PLACE, _("It is not in this revision word for word: place it or withdraw it.")
            )
        ]
    if verdict is None:
        return [_blocker(checked, BlockerKind.OPEN, _("It has no verdict yet."))]
    if checked.stale:
        return [_blocker(checked, BlockerKind.STALE, _("Its words have changed since the verdict: decide it again."))]
    found = []
    if claim.open_queries:
        found.append(
            _blocker(
                checked,
                BlockerKind.QUERY,
                _("A query about it is not resolved."),
                public=_("A question about it was still open."),
            )
        )
    if checked.sign_off is None:
        sent_back = _("Its verdict was sent back: decide it again.")
        unsigned = _("Its verdict has not been signed off by a second person.")
        found.append(
            _blocker(checked, BlockerKind.UNSIGNED, sent_back if checked.sent_back else unsigned, public=unsigned)
        )
    if not claim.is_ours and verdict.attribution != Attribution.SAID:
        found.append(
            _blocker(
                checked,
                BlockerKind.ATTRIBUTION,
                _("It is not confirmed that %(speaker)s said it.") % {"speaker": claim.speaker},
            )
        )
    if claim.is_ours and verdict.rating is not None and not verdict.rating.releases:
        found.append(
            _blocker(
                checked,
                BlockerKind.NOT_RELEASING,
                _("It is our own claim and rated “%(rating)s”: change the text or the verdict.")
                % {"rating": verdict.rating.label},
            )
        )
    if later := _evidence_since_sign_off(checked):
        found.append(
            _blocker(
                checked,
                BlockerKind.LATER_EVIDENCE,
                _("Evidence came after the sign-off. Decide the claim again, so that two people have weighed it."),
                detail=later,
                public=_("What the check rests on changed after the sign-off."),
            )
        )
    if lack := _unsecured(checked):
        found.append(_blocker(checked, BlockerKind.UNSECURED, lack.sentence, detail=lack.detail, public=lack.public))
    return found


def _evidence_since_sign_off(checked: Checked) -> str:
    """Which evidence nobody who decided or signed can have seen, as a digest of its ids; "" for none."""
    if checked.sign_off is None:
        return ""
    signed_at = checked.sign_off.signed_at
    later = sorted(item.evidence.public_id for item in checked.evidence if item.evidence.added_at > signed_at)
    return hashlib.sha256("\0".join(later).encode()).hexdigest()[:16] if later else ""


@dataclass(frozen=True)
class _Lack:
    sentence: str
    # For readers: no source, which may be off the record or for the desk only, is named or counted.
    public: str
    # What exactly is missing, for the blocker's key.
    detail: str


def _unsecured(checked: Checked) -> _Lack | None:
    """What is missing for the verdict to stand on secured evidence."""
    verdict, evidence = checked.verdict, checked.evidence
    assert verdict is not None
    loose = [item for item in evidence if not item.secured]
    missing = []
    if verdict.attribution == Attribution.SAID and not any(backs_attribution(item) for item in evidence):
        missing.append(_("No secured evidence confirms that it was said."))
    if (
        verdict.rating is not None
        and verdict.rating.needs_evidence
        and not any(backs_content(item) for item in evidence)
    ):
        missing.append(_("“%(rating)s” rests on no secured evidence.") % {"rating": verdict.rating.label})
    if not (loose or missing):
        return None
    sentences = [_first_loose(loose), *missing] if loose else missing
    names = [f"{item.evidence.public_id}-{item.evidence.quote_sha256}" for item in loose]
    # Without the words for it, which are another editor's in another language.
    facts = [*sorted(names), str(len(missing)), verdict.attribution]
    return _Lack(
        sentence=" ".join(sentences),
        public=" ".join(missing) or _("Not all of its evidence is secured."),
        detail=hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16],
    )


def _first_loose(loose: list[Standing]) -> str:
    if any(item.evidence.off_record for item in loose):
        # Even the name of an off-record source is for the people it was entrusted to.
        return _("%(count)s of its evidence is not secured.") % {"count": len(loose)}
    return _("Its evidence “%(source)s” is not secured: %(sentence)s") % {
        "source": loose[0].evidence.source.name[:80],
        "sentence": loose[0].sentence,
    }


def _blocker(checked: Checked, kind: BlockerKind, sentence: str, *, detail: str = "", public: str = "") -> Blocker:
    verdict = f":verdict/{checked.verdict.pk}" if checked.verdict else ""
    author = checked.verdict.decided_by_id if checked.verdict else None
    key = f"{kind}:{checked.claim.subject}{verdict}" + (f":{detail}" if detail else "")
    return Blocker(kind, key, sentence, checked.claim, author, public)
