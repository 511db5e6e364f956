"""The bytes that are hashed, exactly as docs/ledger-format.md says them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from factcheck.ledger.merkle import hash_leaf
from factcheck.lib import canonical_json

SALT_BYTES = 32


def salted_sha256(salt: bytes, body: str) -> str:
    """Hex; the salt's fixed length is what makes the concatenation unambiguous."""
    return hashlib.sha256(salt + body.encode("utf-8")).hexdigest()


def canonical_time(at: datetime) -> str:
    """Always six decimals, always Z: one moment has one spelling."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_entry(*, action: str, subject: str, actor: str, at: datetime, facts: dict[str, Any]) -> str:
    return canonical_json.dumps(
        {"action": action, "actor": actor, "at": canonical_time(at), "facts": facts, "subject": subject}
    ).decode("utf-8")


def leaf_bytes(commitment: str) -> bytes:
    return canonical_json.dumps({"c": commitment, "v": 1})


def leaf_hash(commitment: str) -> bytes:
    return hash_leaf(leaf_bytes(commitment))
