"""The addresses at which a copy is found beside the one that was asked for: where redirects led."""

import hashlib
from collections.abc import Iterator
from typing import Any

from factcheck.outbound.addresses import read_address
from factcheck.outbound.errors import AddressRefused


def spelling_of(address: str) -> str:
    """The one spelling in which it is looked up; "" for what is no address of a page."""
    try:
        return read_address(address).url
    except AddressRefused:
        return ""


def address_hash(spelling: str) -> str:
    return hashlib.sha256(spelling.encode()).hexdigest()


def destinations_in(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The subject and the address's hash of each copy in a publication's content that redirects led elsewhere."""
    for capture in (item["capture"] for claim in content["claims"] for item in claim["evidence"] if item["capture"]):
        spelling = spelling_of(capture["final_url"] or "")
        if spelling and spelling != spelling_of(capture["url"] or ""):
            yield f"capture/{capture['id']}", address_hash(spelling)
