"""One HTTP/1 response as the bytes that arrived: where its head ends, how its body is framed, what its payload is.

Used twice on the same bytes: while they arrive, to know when the message is complete, and later from the file, to get
the payload. So what is read at rest is what was read on the wire. RFC 9112, part 6.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

MAX_LINE_BYTES = 65_536
MAX_INTERIM = 20
# Of one head, folded lines counted, and of all heads before a body: what browsers take, and far more than sites send.
MAX_HEADER_LINES = 1_000
MAX_HEAD_BYTES = 1024 * 1024
_MAX_TRAILERS = 100
# Chunks of one byte cost a thousand times what their bytes do, each time that they are read.
MAX_CHUNKS = 250_000
_PIECE_BYTES = 65_536
_VERSION = re.compile(r"HTTP/[0-9]{1,3}(\.[0-9]{1,3})?")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...


class Broken(Exception):
    """The message ends, or stops making sense, before its end."""


@dataclass(frozen=True)
class Head:
    """The final head of a response; ``end`` is its length with all interim heads (1xx) before it."""

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    interim: tuple[int, ...]
    end: int

    def all(self, name: str) -> list[str]:
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name.lower(), []).append(value)
        return values


def read_head(stream: Readable) -> Head:
    """Read the heads at the start of a response, with names and values as they arrived (bytes as Latin-1).

    Raises Broken.
    """
    interim: list[int] = []
    position = 0
    while True:
        line = _line(stream)
        position += len(line)
        parts = line.decode("latin-1").rstrip("\r\n").split(" ", 2)
        if not _VERSION.fullmatch(parts[0]) or len(parts) < 2 or not re.fullmatch(r"[0-9]{3}", parts[1]):
            raise Broken("status line")
        headers: list[tuple[str, str]] = []
        for _count in range(MAX_HEADER_LINES + 1):
            line = _line(stream)
            position += len(line)
            if position > MAX_HEAD_BYTES:
                raise Broken("head too large")
            if line in (b"\r\n", b"\n"):
                break
            text = line.decode("latin-1").rstrip("\r\n")
            if text[:1] in (" ", "\t") and headers:
                name, value = headers[-1]
                headers[-1] = (name, f"{value} {text.strip()}")
                continue
            name, _colon, value = text.partition(":")
            headers.append((name, value.strip(" \t")))
        else:
            raise Broken("too many header lines")
        status = int(parts[1])
        if 100 <= status < 200 and status != 101:
            interim.append(status)
            if len(interim) > MAX_INTERIM:
                raise Broken("too many interim responses")
            continue
        reason = parts[2] if len(parts) == 3 else ""
        return Head(parts[0], status, reason, tuple(headers), tuple(interim), position)


class Body:
    """The payload of a response, read from a stream that stands at the end of the head.

    Iterating gives the payload in pieces, transfer-coding removed, content-coding kept, and raises Broken where the
    body ends too early. ``consumed`` counts the bytes of the message read so far, chunk framing included.
    """

    def __init__(self, stream: Readable, head: Head) -> None:
        self._stream = stream
        self._head = head
        self.consumed = 0

    def __iter__(self) -> Iterator[bytes]:
        status = self._head.status
        if status < 200 or status in (204, 304):
            return iter(())
        codings = [
            coding.strip().lower()
            for value in self._head.all("transfer-encoding")
            for coding in value.split(",")
            if coding.strip()
        ]
        if codings:
            return self._chunked() if codings[-1] == "chunked" else self._until_close()
        lengths = {part.strip() for value in self._head.all("content-length") for part in value.split(",")}
        # Several lengths that differ, or one that is no number, say nothing: the end of the connection is the end.
        if len(lengths) == 1 and re.fullmatch(r"[0-9]{1,18}", length := lengths.pop()):
            return self._exactly(int(length))
        return self._until_close()

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self.consumed += len(piece)
        return piece

    def _readline(self) -> bytes:
        line = self._stream.readline(MAX_LINE_BYTES)
        self.consumed += len(line)
        return line

    def _until_close(self) -> Iterator[bytes]:
        while piece := self._read(_PIECE_BYTES):
            yield piece

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self._read(min(length, _PIECE_BYTES))
            if not piece:
                raise Broken("length")
            length -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        for _chunk in range(MAX_CHUNKS + 1):
            match = _CHUNK_SIZE.fullmatch(self._readline())
            if match is None:
                raise Broken("chunk size")
            size = int(match[1], 16)
            if not size:
                break
            yield from self._exactly(size)
            if self._readline() not in (b"\r\n", b"\n"):
                raise Broken("chunk end")
        else:
            raise Broken("chunks")
        for _count in range(_MAX_TRAILERS):
            line = self._readline()
            if line in (b"\r\n", b"\n"):
                return
            if not line.endswith(b"\n"):
                raise Broken("trailer")
        raise Broken("trailers")


def _line(stream: Readable) -> bytes:
    line = stream.readline(MAX_LINE_BYTES + 1)
    if not line.endswith(b"\n"):
        raise Broken("head")
    return line
