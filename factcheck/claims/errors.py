"""What can be refused about a claim.

FactcheckError
└── ClaimError
    ├── PassageRefused    the words cannot be a passage: empty, outside the text, between two blocks
    ├── ClaimWithdrawn    a withdrawn claim is not changed any more
    ├── ClaimInReview     while somebody reviews a claim nobody changes it
    └── QueryRefused      a question or an answer without words, or the wrong person or moment
"""

from factcheck.lib.errors import FactcheckError


class ClaimError(FactcheckError):
    pass


class PassageRefused(ClaimError):
    pass


class ClaimWithdrawn(ClaimError):
    pass


class ClaimInReview(ClaimError):
    pass


class QueryRefused(ClaimError):
    pass
