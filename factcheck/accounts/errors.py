"""What can be refused about people.

FactcheckError
├── NotPermitted     the role does not allow the act (in ``permissions``)
└── AccountError
    └── RoleRefused  the newsroom would be left without somebody who gives roles
"""

from factcheck.lib.errors import FactcheckError


class AccountError(FactcheckError):
    pass


class RoleRefused(AccountError):
    pass
