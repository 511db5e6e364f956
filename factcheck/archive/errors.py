"""What can go wrong while archiving.

FactcheckError
├── CaptureError
│   ├── CaptureNotPossible   the order is refused; nothing was begun
│   └── UploadRefused        a file that is not taken as a copy; nothing of it is kept
├── NotNow                   what a capture needs is in use: it waits, and no attempt is spent
├── BlobError
│   ├── BlobMissing          the bytes are not in the store
│   └── BlobDamaged          they are, but are not the bytes they were
├── WitnessNotAsked          nobody outside may hear of the page, or nobody is there to be asked
├── WarcFault                a WARC is not as it was written; the message says where
├── ReplayBusy               too many copies are being made ready for showing
└── NoText                   the capture has no such text layer

An address that may not be opened raises outbound's AddressRefused.
"""

from factcheck.lib.errors import FactcheckError


class CaptureError(FactcheckError):
    """A capture that was not ordered."""


class CaptureNotPossible(CaptureError):
    """What was typed is not an address of a page."""


class NotNow(FactcheckError):
    """The sentence says what is in the way."""


class WitnessNotAsked(FactcheckError):
    """The sentence says why."""


class UploadRefused(CaptureError):
    """Not a file that can stand for a page, or not all that has to be said of it."""


class BlobError(FactcheckError):
    """Archived bytes that cannot be given."""


class BlobMissing(BlobError):
    pass


class BlobDamaged(BlobError):
    pass


class WarcFault(FactcheckError):
    pass


class ReplayBusy(FactcheckError):
    pass


class NoText(FactcheckError):
    """There is no such text layer, or none with words in it."""
