"""What the C2PA manifest in a file is worth."""

from __future__ import annotations

import importlib.util
import json
from typing import IO, Any

from .wording import one_line

_TRUSTED, _UNTRUSTED = "signingCredential.trusted", "signingCredential.untrusted"
_NOT_BOUND = ("assertion.dataHash", "assertion.boxesHash", "assertion.bmffHash", "assertion.collectionHash")
_NOT_INTACT = ("claimSignature", "claim.", "assertion.hashedURI", "assertion.missing", "signingCredential", "general")


# By what the library's error is called or says.
_STATES = (
    ("ManifestNotFound", "none"),
    ("no JUMBF", "none"),
    ("NotSupported", "not_read"),
    ("emote", "elsewhere"),
)


def read(file: IO[bytes], media_type: str, trust_list: str) -> dict[str, Any]:
    """Three facts apart: the signature is intact, the picture is the one that was signed, the signer is on the list.

    ``state`` is "none" (it makes no statement), "elsewhere" (the manifest is only on the web, which is not
    asked), "not_installed", "not_read" (no such kind of file is), "unreadable", or "found".
    """
    if importlib.util.find_spec("c2pa") is None:
        return {"state": "not_installed"}
    import c2pa

    # An address in a picture must not make us ask anybody.
    verify: dict[str, Any] = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}
    settings: dict[str, Any] = {"verify": verify}
    if trust_list:
        settings["trust"] = {"trust_anchors": trust_list}
    file.seek(0)
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(settings))
        with c2pa.Reader(media_type, file, context=context) as reader:
            said = json.loads(reader.json())
    except c2pa.C2paError as error:
        said = f"{type(error).__name__} {error}"
        return {"state": next((state for mark, state in _STATES if mark in said), "unreadable")}
    return _worth(said, trust_list=bool(trust_list))


def _worth(said: dict[str, Any], *, trust_list: bool) -> dict[str, Any]:
    active = said.get("manifests", {}).get(said.get("active_manifest"), {})
    results = said.get("validation_results", {}).get("activeManifest", {})
    failures = [str(one.get("code", "")) for one in results.get("failure", [])]
    successes = [str(one.get("code", "")) for one in results.get("success", [])]
    intact = not any(code.startswith(_NOT_INTACT) and code != _UNTRUSTED for code in failures)
    signature = active.get("signature_info") or {}
    return {
        "state": "found",
        "intact": intact,
        "bound": not any(code.startswith(_NOT_BOUND) for code in failures),
        # Whose name stands in a broken signature is not known.
        "trusted": trust_list and intact and _TRUSTED in successes,
        "signer": one_line(signature.get("common_name") or signature.get("issuer") or ""),
        "issuer": one_line(signature.get("issuer") or ""),
        "signed_at": one_line(signature.get("time") or ""),
        "made_with": one_line(_made_with(active)),
        "codes": sorted({one_line(code) for code in failures})[:20],
    }


def _made_with(manifest: dict[str, Any]) -> str:
    for info in manifest.get("claim_generator_info") or []:
        if isinstance(info, dict) and info.get("name"):
            return f"{info['name']} {info.get('version', '')}"
    return str(manifest.get("claim_generator") or "")
