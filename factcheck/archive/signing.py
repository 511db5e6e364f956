"""The newsroom's signature on its packages. Imported by the sweeper alone, and only when it signs.

What is signed is the hash of a package that the worker laid out when it sealed the capture: nothing is opened here that
came from outside. The signature is made once (RFC 6979, so that a second one would be the same) and kept.
"""

import base64
import logging
import time
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from factcheck.archive.models import Capture, WaczSignature
from factcheck.archive.signatures import KEY_NAME, NUMBER_BYTES
from factcheck.archive.wacz import moment
from factcheck.ledger.actions import Action
from factcheck.ledger.errors import KeyUnusable
from factcheck.ledger.keys import private_key
from factcheck.ledger.models import Entry
from factcheck.ledger.services import record
from factcheck.lib.fingerprints import fingerprint

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 200
SECONDS_AT_ONCE = 3.0
# On PostgreSQL a smaller id may be committed after a larger one; what is older is found by the run over everything.
LOOKS_BACK = 1_000


def sign_packages(*, everything: bool = False) -> int:
    """Sign what was sealed and is not signed yet, the oldest first, and return how many packages that were.

    The cost follows what is new and not the archive; ``everything`` looks through all of it. Without a usable key
    nothing is signed, the log says why once, and it is tried again each time.
    """
    waiting = waiting_captures(everything=everything)
    if not waiting.exists():
        return 0
    try:
        key = _key()
    except KeyUnusable as refusal:
        _complain(str(refusal))
        return 0
    _complain.cache_clear()
    public_key = _public(key)
    _make_known(public_key)
    until, signed = time.monotonic() + SECONDS_AT_ONCE, 0
    for capture in waiting.order_by("pk")[:MOST_AT_ONCE]:
        signed += _sign(capture, key, public_key)
        if time.monotonic() > until:
            break
    return signed


def waiting_captures(*, everything: bool) -> QuerySet[Capture]:
    waiting = Capture.objects.exclude(wacz_hash="").filter(wacz_signature=None)
    last = None if everything else WaczSignature.objects.order_by("-capture").first()
    if last is not None:
        waiting = waiting.filter(pk__gt=last.capture_id - LOOKS_BACK)
    return waiting.select_related("request")


def _key() -> ec.EllipticCurvePrivateKey:
    key = private_key(KEY_NAME, lambda: ec.generate_private_key(ec.SECP384R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise KeyUnusable(_("The key for packages is not one of P-384, and nothing else can be verified by readers."))
    return key


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(spki).decode()


def _make_known(public_key: str) -> None:
    """Which keys were the newsroom's stands in the log: a signature by any other is nobody's."""
    subject = f"signing-key/{fingerprint(public_key)}"
    with transaction.atomic():
        if not Entry.objects.filter(action=Action.KEY_MADE, subject=subject).exists():
            record(Action.KEY_MADE, subject, {"purpose": KEY_NAME, "public_key": public_key}, by=None)


def _sign(capture: Capture, key: ec.EllipticCurvePrivateKey, public_key: str) -> bool:
    made = key.sign(capture.wacz_hash.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    pair = b"".join(number.to_bytes(NUMBER_BYTES, "big") for number in decode_dss_signature(made))
    try:
        with transaction.atomic():
            signature = WaczSignature.objects.create(
                capture=capture,
                hash=capture.wacz_hash,
                created=moment(capture.sealed_at),
                software=f"Factcheck {settings.RELEASE}",
                signature=base64.b64encode(pair).decode(),
                public_key=public_key,
            )
            record(Action.PACKAGE_SIGNED, capture.subject, signature.facts, by=None)
    except IntegrityError:
        # Another sweeper was faster, and its signature is this one.
        return False
    return True


@cache
def _complain(sentence: str) -> None:
    logger.error("No package is signed: %s", sentence)
