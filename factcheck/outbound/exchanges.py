"""What was asked and what came back, byte for byte."""

import io
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import IO, Any, Self

from django.utils.translation import gettext as _

from factcheck.outbound.errors import LimitReached, OutboundError
from factcheck.outbound.messages import Body, Broken, Head

# Small pages stay in memory; what is larger goes to disk.
SPOOL_BYTES = 512 * 1024
_STORED_BYTES = 1 << 18
HELD_BYTES = 1 << 19


@dataclass(frozen=True)
class Limits:
    """What one fetch may cost, all its redirects together; ``max_ratio`` is decoded to encoded bytes."""

    max_wire_bytes: int
    max_decoded_bytes: int
    seconds: float
    max_ratio: int = 200


@dataclass(frozen=True)
class Tls:
    """The TLS facts of one connection; certificates in PEM, the site's own first."""

    version: str
    cipher: str
    certificate_pem: str
    certificate_der: bytes
    chain_pem: tuple[str, ...]
    verified: bool
    # Why it did not verify; empty where it did.
    problem: str = ""


@dataclass
class Exchange:
    """One request and its response on one connection.

    ``request`` and ``response`` are the raw bytes after TLS, interim responses and chunk framing included.
    ``truncated`` is None for a whole response, or why it was cut: "length" (our limit), "time" (our limit or a silent
    site), "disconnect" (it ended before the end that it announced).
    """

    url: str
    host: str
    ip: str
    addresses: tuple[str, ...]
    started_at: datetime
    seconds: float
    request: bytes
    response: IO[bytes]
    length: int
    head: Head
    truncated: str | None
    # Bytes that came after the end of the message; they are not part of it and not kept.
    surplus: int
    tls: Tls | None

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def reason(self) -> str:
        return self.head.reason

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in order, as received; bytes beyond ASCII are Latin-1 characters."""
        return list(self.head.headers)

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        values = self.head.all(name.lower())
        return values[0] if values else None

    def raw(self) -> Iterator[bytes]:
        self.response.seek(0)
        while piece := self.response.read(65_536):
            yield piece

    def payload(self) -> Iterator[bytes]:
        """The payload in pieces: transfer-coding removed, content-coding kept; of a broken body, what there is."""
        self.response.seek(self.head.end)
        try:
            yield from Body(self.response, self.head)
        except Broken:
            return

    def held(self) -> "Exchange":
        """The same with its bytes in memory if they are few, for who reads them several times."""
        if self.length > HELD_BYTES:
            return self
        self.response.seek(0)
        return replace(self, response=io.BytesIO(self.response.read(self.length)))

    def close(self) -> None:
        self.response.close()


@dataclass(frozen=True)
class Redirect:
    url: str
    status: int
    location: str


@dataclass
class Fetched:
    """All exchanges from the URL asked for to the last one that answered.

    Where ``error`` is set, the hop after the last exchange failed (also the first: then there is none). Close it, or
    use it in a ``with``: the responses are temporary files.
    """

    url: str
    exchanges: list[Exchange] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    final_url: str = ""
    error: OutboundError | None = None

    @property
    def final(self) -> Exchange | None:
        """The answer that is no redirect; None if the way to it failed."""
        return self.exchanges[-1] if self.exchanges and self.error is None else None

    @property
    def wire_bytes(self) -> int:
        return sum(exchange.length for exchange in self.exchanges)

    def close(self) -> None:
        for exchange in self.exchanges:
            exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def entity(exchange: Exchange, max_bytes: int) -> bytes:
    """The payload with its transfer-coding removed and its content-coding kept.

    Raises LimitReached if it is larger than ``max_bytes``.
    """
    kept = bytearray()
    for piece in exchange.payload():
        if len(kept) + len(piece) > max_bytes:
            raise LimitReached("body", _("The page is larger than can be kept."))
        kept += piece
    return bytes(kept)


def new_spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)


class Store:
    """One file for many answers: two hundred open ones would be a process's whole allowance. Used by many threads."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._lock = threading.Lock()
        self._length = 0

    def keep(self, exchange: Exchange) -> None:
        """Move the exchange's answer in here; it is read as before."""
        spool = exchange.response
        spool.seek(0)
        with spool, self._lock:
            begin = self._length
            self._file.seek(begin)
            while piece := spool.read(_STORED_BYTES):
                self._file.write(piece)
            self._file.flush()
            self._length = begin + exchange.length
        exchange.response = io.BufferedReader(_Slice(self._file.fileno(), begin, exchange.length))

    def close(self) -> None:
        self._file.close()


class _Slice(io.RawIOBase):
    """A part of a file that others read and write, too."""

    def __init__(self, descriptor: int, begin: int, length: int) -> None:
        self._descriptor, self._begin, self._length, self._at = descriptor, begin, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        left = max(0, min(len(view), self._length - self._at))
        data = os.pread(self._descriptor, left, self._begin + self._at) if left else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
