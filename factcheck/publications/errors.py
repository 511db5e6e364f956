"""What can be refused about a publication.

FactcheckError
└── PublicationError
    ├── GateClosed           blockers stand in the way; ``blockers`` holds them
    ├── ChangeNoteMissing    a second version says why it differs from the first
    └── OverrideRefused      no such blocker, no reason, or the person's own work
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from factcheck.lib.errors import FactcheckError

if TYPE_CHECKING:
    from factcheck.publications.gate import Blocker


class PublicationError(FactcheckError):
    pass


class GateClosed(PublicationError):
    def __init__(self, message: str, blockers: list[Blocker]) -> None:
        super().__init__(message)
        self.blockers = blockers


class ChangeNoteMissing(PublicationError):
    pass


class OverrideRefused(PublicationError):
    pass
