"""What can go wrong in the ledger.

FactcheckError
└── LedgerError
    └── RowIsFinal   the row belongs to a table that only ever grows; follow it by a later row
"""

from factcheck.lib.errors import FactcheckError


class LedgerError(FactcheckError):
    """The ledger refuses."""


class RowIsFinal(LedgerError):
    """An insert-only row was to be changed or deleted."""
