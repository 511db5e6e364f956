"""Outside witnesses as far as articles are concerned: one discreet article is enough that nobody outside is asked."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.archive import witnesses
from factcheck.archive.errors import WitnessNotAsked
from factcheck.archive.models import Capture, WitnessRequest
from factcheck.evidence.models import Evidence
from factcheck.jobs.leases import Lease


def refusal_of(capture: Capture, act: str) -> str:
    """Why nobody outside is asked about this page, in a sentence; "" where they may be."""
    if refusal := witnesses.refusal_of(capture, act):
        return refusal
    if _discreet_uses([capture.public_id]):
        return _("A discreet article uses this page: nobody outside may learn of it.")
    return ""


@transaction.atomic
def ask_about(capture: Capture, *, act: str, by: User | None) -> WitnessRequest:
    """As an editor's act. Raises WitnessNotAsked."""
    if refusal := refusal_of(capture, act):
        raise WitnessNotAsked(refusal)
    return witnesses.ask_witness(capture, act=act, by=by)


def ask_about_published(capture_ids: list[str], *, by: User | None) -> list[WitnessRequest]:
    """Of the pages that a publication cites; in the caller's transaction."""
    discreet = _discreet_uses(capture_ids)
    return witnesses.witness_published([public_id for public_id in capture_ids if public_id not in discreet], by=by)


def run_witness(lease: Lease) -> None:
    """A turn of an order, unless an article or a source has become discreet since it was given."""
    witnesses.run_witness(lease, may_not=refusal_of)


def _discreet_uses(capture_ids: list[str]) -> set[str]:
    """Those of the captures that evidence of a discreet or off-record kind rests on, or once did."""
    shy = Q(claim__article__discreet=True) | Q(off_record=True)
    ordered = Evidence.objects.filter(shy, capture_request__public_id__in=capture_ids)
    checked = Evidence.objects.filter(shy, checks__capture__request__public_id__in=capture_ids)
    return {
        *ordered.values_list("capture_request__public_id", flat=True),
        *checked.values_list("checks__capture__request__public_id", flat=True),
    }
