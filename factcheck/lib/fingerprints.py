import base64
import binascii
import hashlib

# Enough that nobody makes another key of the same, and short enough to be compared by eye.
FINGERPRINT_HEX = 40


def fingerprint(public_key: str) -> str:
    """Names a public key (SubjectPublicKeyInfo in Base64) by the beginning of its SHA-256; "" for what is no Base64."""
    try:
        return hashlib.sha256(base64.b64decode(public_key, validate=True)).hexdigest()[:FINGERPRINT_HEX]
    except (binascii.Error, ValueError):
        return ""
