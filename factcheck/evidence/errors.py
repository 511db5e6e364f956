"""What can be refused about evidence.

FactcheckError
└── EvidenceError
    ├── EvidenceIncomplete    something is missing that would make it worth anything
    ├── EvidenceWithdrawn     withdrawn evidence is not changed any more
    └── VisibilityRefused     readers may not see that much of this source
"""

from factcheck.lib.errors import FactcheckError


class EvidenceError(FactcheckError):
    pass


class EvidenceIncomplete(EvidenceError):
    pass


class EvidenceWithdrawn(EvidenceError):
    pass


class VisibilityRefused(EvidenceError):
    pass
