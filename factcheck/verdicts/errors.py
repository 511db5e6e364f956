"""What can be refused about a verdict.

FactcheckError
└── VerdictError
    ├── VerdictRefused    something is missing: an answer, a reason, secured evidence, a place in the text
    ├── SignOffRefused    the wrong person, or the wrong moment; also for the other steps of a review
    └── RatingRefused     the scale would no longer make sense
"""

from factcheck.lib.errors import FactcheckError


class VerdictError(FactcheckError):
    pass


class VerdictRefused(VerdictError):
    pass


class SignOffRefused(VerdictError):
    pass


class RatingRefused(VerdictError):
    pass
