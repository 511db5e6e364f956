"""What can go wrong with background work.

FactcheckError
└── JobError
    └── LostLease   another worker or the sweeper has the job now: stop, write nothing
"""

from factcheck.lib.errors import FactcheckError


class JobError(FactcheckError):
    """Background work could not go on."""


class LostLease(JobError):
    """The fence has moved on; what the late worker wrote in this transaction is rolled back."""
