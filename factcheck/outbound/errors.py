"""What can go wrong on the way to an address that a person can influence.

FactcheckError
└── OutboundError
    ├── AddressRefused   it never will be fetched: the address rule says no, or its redirects lead nowhere
    ├── Unreachable      the site may answer later: code is dns, connect, timeout, tls or protocol
    └── LimitReached     there is more than the limits allow
"""

from factcheck.lib.errors import FactcheckError


class OutboundError(FactcheckError):
    """``code`` is for the machine, ``str(error)`` a sentence for the desk.

    ``detail`` is what the library or the site said, in its own words: hostile text, to be shown escaped or not at all.
    """

    def __init__(self, code: str, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.detail = detail


class AddressRefused(OutboundError):
    """Codes: unreadable, scheme, userinfo, port, name, private_address, redirect_loop, too_many_redirects."""


class Unreachable(OutboundError):
    """Codes: dns, connect, timeout, tls, protocol."""


class LimitReached(OutboundError):
    """Codes: wire (bytes received), body (bytes asked for)."""
