"""What the log says of a capture's row, so that a changed column is found out: at sealing and at every check after."""

import hashlib
import json
from ipaddress import ip_address
from typing import Any

from factcheck.archive.models import Capture


def facts_of_row(capture: Capture) -> dict[str, Any]:
    """The columns that stand in no other fact of ``capture.sealed``. More may be added: old entries lack them."""
    return {
        "engine": str(capture.engine),
        "attempts": capture.attempts,
        "media_type": capture.media_type,
        "charset": capture.charset,
        "charset_source": capture.charset_source,
        "replacements": capture.replacements,
        "noarchive": capture.noarchive,
        "sealed_at": capture.sealed_at.isoformat(),
        # As the database writes it, so that the same address is the same fact.
        "ip": str(ip_address(capture.ip)) if capture.ip else None,
        "tls_sha256": hashlib.sha256(json.dumps(capture.tls, sort_keys=True).encode()).hexdigest()
        if capture.tls
        else None,
        "unverified_tls": capture.unverified_tls,
        "wire_bytes": capture.wire_bytes,
        "body_bytes": capture.body_bytes,
        "warc_bytes": capture.warc_bytes,
        "records": capture.records,
        "wacz_hash": capture.wacz_hash or None,
        "requisites": {
            "found": capture.requisites_found,
            "kept": capture.requisites_kept,
            "missed": capture.requisites_missed,
        },
    }
