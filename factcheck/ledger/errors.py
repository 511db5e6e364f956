"""What can go wrong in the ledger.

FactcheckError
└── LedgerError
    ├── RowIsFinal    the row belongs to a table that only ever grows; follow it by a later row
    └── KeyUnusable   there is no private key that can be used: nothing is signed until there is
"""

from factcheck.lib.errors import FactcheckError


class LedgerError(FactcheckError):
    """The ledger refuses."""


class RowIsFinal(LedgerError):
    """An insert-only row was to be changed or deleted."""


class KeyUnusable(LedgerError):
    """The sentence is for who runs the machine: where the key is looked for, and what is wrong with it."""
