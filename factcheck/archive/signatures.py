"""Whether a package's signature is good, and by whose key: what anybody can say who has no private key.

https://specs.webrecorder.net/wacz-auth/0.1.0/, the anonymous form, as replay tools verify it in the browser: ECDSA with
P-384 and SHA-256 over the ASCII of "sha256:…", r and s one after the other, the key as SubjectPublicKeyInfo.
"""

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from factcheck.archive.models import WaczSignature

KEY_NAME = "wacz"
NUMBER_BYTES = 48
# Of that description, not of the program.
FORMAT_VERSION = "0.1.0"


def signed_data(signature: WaczSignature) -> dict[str, str]:
    """The form that a package carries."""
    return {
        "hash": signature.hash,
        "created": signature.created,
        "software": signature.software,
        "version": FORMAT_VERSION,
        "signature": signature.signature,
        "publicKey": signature.public_key,
    }


def is_good(signed: Mapping[str, str]) -> bool:
    """Whether signature and key in an anonymous signedData are of its hash; whose key it is nobody says here."""
    try:
        pair = base64.b64decode(signed["signature"], validate=True)
        key = serialization.load_der_public_key(base64.b64decode(signed["publicKey"], validate=True))
        if len(pair) != 2 * NUMBER_BYTES or not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        if not isinstance(key.curve, ec.SECP384R1):
            return False
        r, s = (int.from_bytes(half, "big") for half in (pair[:NUMBER_BYTES], pair[NUMBER_BYTES:]))
        key.verify(encode_dss_signature(r, s), signed["hash"].encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError, TypeError, AttributeError, KeyError):
        return False
    return True
