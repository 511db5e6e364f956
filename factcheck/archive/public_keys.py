"""With which keys the newsroom has signed packages, and when: told by signatures and log, never by a private key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from factcheck.archive.models import WaczSignature
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.lib.fingerprints import fingerprint

MOST_KEYS = 50


@dataclass(frozen=True)
class NewsroomKey:
    fingerprint: str
    first_used: datetime
    last_used: datetime
    # The one that signs now, as far as rows can say: of all of them it signed last.
    is_current: bool


def newsroom_keys() -> list[NewsroomKey]:
    """Those that the log knows as the newsroom's own, the one that signed last first.

    A key that only stands beside its signatures is nobody's, and ``verify_archive`` names it.
    """
    used = []
    for public_key in _keys_in_use():
        name = fingerprint(public_key)
        if not is_of_the_newsroom(name):
            continue
        signed = WaczSignature.objects.filter(public_key=public_key)
        times = signed.aggregate(first=Min("signed_at"), last=Max("signed_at"))
        used.append((times["last"], times["first"], name))
    used.sort(reverse=True)
    return [NewsroomKey(name, first, last, place == 0) for place, (last, first, name) in enumerate(used)]


def is_of_the_newsroom(fingerprint: str) -> bool:
    """Whether the log knows of this key."""
    return (
        bool(fingerprint)
        and Entry.objects.filter(subject=f"signing-key/{fingerprint}", action=Action.KEY_MADE).exists()
    )


def _keys_in_use() -> Iterator[str]:
    """Each once. From one to the next in the index: however many packages are signed, that many steps are made."""
    last = ""
    for _step in range(MOST_KEYS):
        following = WaczSignature.objects.filter(public_key__gt=last).order_by("public_key")
        found = following.values_list("public_key", flat=True).first()
        if found is None:
            return
        yield found
        last = found
