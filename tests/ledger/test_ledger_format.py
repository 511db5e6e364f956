import json
from datetime import datetime
from pathlib import Path

import pytest

from factcheck.ledger import merkle
from factcheck.ledger.commitments import canonical_entry, canonical_time, leaf_bytes, leaf_hash, salted_sha256

DOCUMENT = Path(__file__).parents[2] / "docs" / "ledger-format.md"
VECTORS = json.loads(DOCUMENT.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0])


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda vector: vector["entry"]["action"])
def test_the_bytes_that_are_hashed_are_those_of_the_document(vector):
    entry = vector["entry"]
    at = datetime.fromisoformat(entry["at"])

    assert canonical_entry(**entry | {"at": at}) == vector["canonical_entry"]
    assert salted_sha256(bytes.fromhex(vector["salt"]), vector["canonical_entry"]) == vector["commitment"]
    assert leaf_bytes(vector["commitment"]) == vector["leaf"].encode()
    assert len(vector["leaf"]) == 78
    assert leaf_hash(vector["commitment"]).hex() == vector["leaf_hash"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_roots_are_those_of_the_document(size):
    hashes = [leaf_hash(vector["commitment"]) for vector in VECTORS["entries"][:size]]

    assert merkle.root(hashes).hex() == VECTORS[f"root_of_{size}"]


@pytest.mark.parametrize(
    ("moment", "spelling"),
    [
        ("2026-11-24T05:56:00+00:00", "2026-11-24T05:56:00.000000Z"),
        ("2026-11-24T06:56:00.5+01:00", "2026-11-24T05:56:00.500000Z"),
    ],
)
def test_one_moment_has_one_spelling(moment, spelling):
    assert canonical_time(datetime.fromisoformat(moment)) == spelling
