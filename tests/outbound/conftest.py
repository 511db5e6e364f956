import pytest

from factcheck.outbound.exchanges import Fetched, Limits
from factcheck.outbound.recording import fetch_document

LIMITS = Limits(max_wire_bytes=1_000_000, max_decoded_bytes=4_000_000, seconds=5)


@pytest.fixture
def allow(settings):
    """Let captures reach these sites of this machine, as the demo does."""

    def allowing(*sites, names=()):
        pairs = [site.pair for site in sites]
        settings.ARCHIVE_ALLOW_LOOPBACK = pairs + [f"{name}:{site.port}" for name in names for site in sites]

    return allowing


@pytest.fixture
def fetch():
    """Fetch, and close what came at the end of the test."""
    kept: list[Fetched] = []

    def fetching(url, *, limits=LIMITS, **more):
        fetched = fetch_document(url, limits=limits, user_agent="Factcheck test", **more)
        kept.append(fetched)
        return fetched

    yield fetching
    for fetched in kept:
        fetched.close()
