"""Content-coding removed within limits, so that a small page cannot become a large one in our memory."""

import builtins
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from factcheck.outbound.exchanges import Exchange, Limits
from factcheck.outbound.messages import Broken, Head

MAX_CODINGS = 2
# Below this, a page of one repeated letter is no bomb yet.
RATIO_FREE_BYTES = 1024 * 1024
_PIECE_BYTES = 65_536
_MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Unpacked:
    """How the decoding of a payload went.

    ``truncated`` is None if all of it is there, else: "length" (our limit on decoded bytes), "ratio" (it grows like a
    bomb), "damaged" (the coding breaks or ends early), "coding" (one that we never asked for, or too many: then nothing
    is there). ``note`` says it in a sentence.
    """

    truncated: str | None
    note: str


@dataclass(frozen=True)
class Decoded(Unpacked):
    """The payload as its author wrote it."""

    bytes: builtins.bytes


class _Stop(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def decoded(exchange: Exchange, limits: Limits) -> Decoded:
    """Decode gzip and deflate (with and without zlib header), at most two of them on top of each other.

    Never holds more than ``limits.max_decoded_bytes``.
    """
    whole = io.BytesIO()
    unpacked = decode_into(whole.write, exchange, limits)
    # getvalue() of a BytesIO written in one go hands over its buffer without a copy.
    return Decoded(unpacked.truncated, unpacked.note, whole.getvalue())


def decode_into(write: Callable[[builtins.bytes], object], exchange: Exchange, limits: Limits) -> Unpacked:
    """The same for who need not hold it: ``write`` is given the payload piece by piece."""
    pieces = _without_coding(exchange.head, exchange.payload(), limits)
    if pieces is None:
        return Unpacked("coding", _("The page came in a coding that was not asked for and cannot be read."))
    room = limits.max_decoded_bytes
    try:
        for piece in pieces:
            write(piece[:room])
            room -= len(piece)
            if room < 0:
                raise _Stop("length")
    except _Stop as stop:
        return Unpacked(stop.why, _sentence(stop.why))
    return Unpacked(None, "")


def decoded_pieces(head: Head, payload: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """The same piece by piece, for who need not hold it: up to where ``decoded`` would stop, or the message breaks."""
    left = limits.max_decoded_bytes
    try:
        for piece in _without_coding(head, payload, limits) or ():
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return
    except (_Stop, Broken):
        return


def _without_coding(head: Head, payload: Iterator[bytes], limits: Limits) -> Iterator[bytes] | None:
    """None for a coding that is not read here. The pieces raise _Stop."""
    codings = [
        coding.strip().lower()
        for value in head.all("content-encoding")
        for coding in value.split(",")
        if coding.strip().lower() not in ("", "identity")
    ]
    if len(codings) > MAX_CODINGS or not all(coding in _DECODERS for coding in codings):
        return None
    pieces = payload
    for coding in reversed(codings):
        pieces = _DECODERS[coding](pieces, limits)
    return pieces


def _sentence(why: str) -> str:
    if why == "length":
        return _("Unpacked, the page is larger than the limit; its end is missing.")
    if why == "ratio":
        return _("The page unpacks to hundreds of times its size and was stopped; its end is missing.")
    return _("The packed page is damaged or cut off; its end is missing.")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _inflate(pieces: Iterator[bytes], limits: Limits, *, gzip: bool) -> Iterator[bytes]:
    """Undo one coding, a small piece at a time, whatever the pieces hold."""
    taken = given = members = 0
    decoder: _Decompressor | None = None
    start = b""
    for piece in pieces:
        taken += len(piece)
        data = start + piece
        start = b""
        pending = False
        while data or pending:
            if decoder is None:
                if len(data) < 2:
                    start = data
                    break
                if gzip and members and data[:2] != b"\x1f\x8b":
                    # Browsers and gunzip pass over what follows the last member.
                    return
                members += 1
                if members > _MAX_MEMBERS:
                    raise _Stop("ratio")
                decoder = zlib.decompressobj(31 if gzip else _deflate_bits(data))
            try:
                out = decoder.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise _Stop("damaged") from error
            given += len(out)
            if given > limits.max_decoded_bytes + _PIECE_BYTES:
                raise _Stop("length")
            if given > RATIO_FREE_BYTES and given > limits.max_ratio * taken:
                raise _Stop("ratio")
            if out:
                yield out
            data = decoder.unconsumed_tail
            # With all input taken and the output full, the rest of it waits inside.
            pending = not decoder.eof and len(out) == _PIECE_BYTES
            if decoder.eof:
                data = decoder.unused_data
                decoder = None
                if not gzip:
                    return
    if decoder is not None or (start and not members):
        raise _Stop("damaged")


def _deflate_bits(start: bytes) -> int:
    # "deflate" means zlib (RFC 9110, 8.4.1.2), but some servers send it bare.
    has_zlib_header = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return 15 if has_zlib_header else -15


def _gzip(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    return _inflate(pieces, limits, gzip=True)


def _deflate(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    return _inflate(pieces, limits, gzip=False)


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate}
