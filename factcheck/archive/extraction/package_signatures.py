"""Whether a package is signed, in which form, and whether the signature is of it.

https://specs.webrecorder.net/wacz-auth/0.1.0/. The anonymous form proves that nothing was changed since; by whom, only
the key tells. In the form with a domain name a web server's certificate vouches for the name; here the chain is
followed to the roots that browsers trust, at the time that the package says it was signed. That time is its own word:
the time-stamp beside it is not looked into, and nobody is asked whether the certificate was taken back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zipfile
from datetime import datetime
from typing import Any

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from .packages import digest_of, read_small

_DATAPACKAGE, _DIGEST = "datapackage.json", "datapackage-digest.json"
_CERTIFICATES_MAX = 10
_CHAIN_MAX_CHARS = 100_000
# As fingerprints of keys are written everywhere in this product.
_FINGERPRINT_HEX = 40


class _Unlike(Exception):
    """The signature is not what it should be; the message is the result's name."""


def check_signature(package: zipfile.ZipFile) -> dict[str, Any]:
    """``form`` is "none", "anonymous", "domain" or "unknown"; ``result`` says whether it is of this package.

    "good"; "list", the list of files is not the one that the digest is of; "other", it is a signature of something
    else; "time", it names another time than the package; "bad", it does not fit its key; "unreadable".
    """
    if _DIGEST not in package.namelist():
        return {"form": "none", "result": ""}
    try:
        digest = json.loads(read_small(package, _DIGEST))
        listed = json.loads(read_small(package, _DATAPACKAGE))
        said_hash = str(digest["hash"])
        signed = digest.get("signedData")
        created = str(listed.get("created"))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {"form": "unknown", "result": "unreadable"}
    whole = said_hash == f"sha256:{digest_of(package, _DATAPACKAGE, 'sha256')}"
    if signed is None:
        return {"form": "none", "result": "" if whole else "list"}
    if not isinstance(signed, dict):
        return {"form": "unknown", "result": "unreadable"}
    facts: dict[str, Any] = {"form": "unknown", "created": str(signed.get("created"))[:40]}
    form = "anonymous" if "publicKey" in signed else "domain" if "domainCert" in signed else "unknown"
    facts["form"] = form
    try:
        if not whole:
            raise _Unlike("list")
        if signed.get("hash") != said_hash:
            raise _Unlike("other")
        if signed.get("created") != created:
            raise _Unlike("time")
        if form == "anonymous":
            facts |= _by_a_key(signed)
        elif form == "domain":
            facts |= _by_a_domain(signed)
        else:
            raise _Unlike("unreadable")
    except _Unlike as unlike:
        return facts | {"result": str(unlike)}
    except (InvalidSignature, UnsupportedAlgorithm):
        return facts | {"result": "bad"}
    except (binascii.Error, ValueError, TypeError, AttributeError, KeyError):
        return facts | {"result": "unreadable"}
    return facts | {"result": "good"}


def _by_a_key(signed: dict[str, Any]) -> dict[str, Any]:
    der = base64.b64decode(signed["publicKey"], validate=True)
    _verify(serialization.load_der_public_key(der), signed)
    return {"fingerprint": hashlib.sha256(der).hexdigest()[:_FINGERPRINT_HEX]}


def _by_a_domain(signed: dict[str, Any]) -> dict[str, Any]:
    chain, domain = str(signed["domainCert"]), str(signed["domain"])
    if len(chain) > _CHAIN_MAX_CHARS:
        raise _Unlike("unreadable")
    certificates = x509.load_pem_x509_certificates(chain.encode())
    if len(certificates) > _CERTIFICATES_MAX:
        raise _Unlike("unreadable")
    own, *others = certificates
    _verify(own.public_key(), signed)
    if domain not in _names(own):
        raise _Unlike("name")
    return {"domain": domain[:253], "trusted": _is_trusted(own, others, domain, str(signed["created"]))}


def _verify(key: object, signed: dict[str, Any]) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _Unlike("unreadable")
    signature = base64.b64decode(signed["signature"], validate=True)
    size = (key.curve.key_size + 7) // 8
    # A browser gives the two numbers one after the other; other tools give a structure around them.
    if len(signature) == 2 * size:
        r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
        signature = encode_dss_signature(r, s)
    key.verify(signature, str(signed["hash"]).encode(), ec.ECDSA(hashes.SHA256()))


def _names(certificate: x509.Certificate) -> list[str]:
    names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        more = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return names
    return [*names, *more.value.get_values_for_type(x509.DNSName)]


def _is_trusted(own: x509.Certificate, others: list[x509.Certificate], domain: str, created: str) -> bool:
    """Whether one of the roots that browsers trust vouched for the name at that time."""
    try:
        moment = datetime.fromisoformat(created).replace(tzinfo=None)
        with open(certifi.where(), "rb") as file:
            roots = x509.load_pem_x509_certificates(file.read())
        verifier = PolicyBuilder().store(Store(roots)).time(moment).build_server_verifier(x509.DNSName(domain))
        verifier.verify(own, others)
    except (VerificationError, ValueError, OSError):
        return False
    return True
