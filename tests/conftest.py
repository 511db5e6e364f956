from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase


@pytest.fixture(scope="session", autouse=True)
def flush_lifts_insert_only() -> Iterator[None]:
    """The flush after a transactional test deletes every row, which insert-only tables refuse."""
    from factcheck.ledger.insert_only import lifted

    flush = TransactionTestCase._fixture_teardown

    def lift_and_flush(self: TransactionTestCase) -> None:
        with lifted():
            flush(self)

    TransactionTestCase._fixture_teardown = lift_and_flush
    yield
    TransactionTestCase._fixture_teardown = flush
