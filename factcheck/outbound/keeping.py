"""Many small exchanges with few connections, for what belongs to a page: pictures, styles, fonts, frames.

A connection is kept and asked again, as browsers do; each exchange has its own record of the bytes that went and came.
The address rule is that of the document: a name is resolved once for a connection, every answer is vetted, and the
connection goes to those answers and nowhere else. No library in between: fifty pictures cost less so than one page.
"""

import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from factcheck.outbound.addresses import Address, Resolve, Target, check_address, vet
from factcheck.outbound.errors import AddressRefused, Unreachable
from factcheck.outbound.exchanges import Exchange
from factcheck.outbound.messages import Head, read_head
from factcheck.outbound.recording import Cut, Recorder, TeeStream, connect, read_body, secure, translated

_READ_BYTES = 65_536
_UNSAFE = re.compile(r"[\r\n\x00]")


class KeptConnection:
    """One connection to one origin, for one thread. Close it."""

    def __init__(
        self, *, resolve: Resolve | None = None, ca_file: str | None = None, despite_tls: bool = False
    ) -> None:
        self._resolve = resolve
        self._ca_file = ca_file
        self._despite_tls = despite_tls
        self._recorder: Recorder | None = None
        self._origin: tuple[str, str, int] | None = None

    def get(self, url: str, headers: Mapping[str, str], *, deadline: float, max_bytes: int) -> Exchange:
        """One exchange, redirects not followed. Raises OutboundError where no usable answer came."""
        return self.ask(Question("GET", url, headers), deadline=deadline, max_bytes=max_bytes)

    def ask(self, question: "Question", *, deadline: float, max_bytes: int) -> Exchange:
        """As ``get``, in the words of somebody else: of a browser behind us."""
        address = check_address(question.url)
        origin = (address.scheme, address.host, address.port)
        # A kept connection may close unasked, and then one asks again; what is posted must not be posted twice.
        kept = self._recorder if origin == self._origin and question.method == "GET" else None
        if kept is not None and kept.is_idle():
            try:
                return self._ask(kept.target_for(address), question, deadline, max_bytes, kept=True)
            except _Closed:
                # A site may close a connection that it kept, at any moment: that is no answer to this question.
                self.close()
        self.close()
        target = vet(question.url, resolve=self._resolve, seconds=deadline - time.monotonic())
        self._origin = (target.scheme, target.host, target.port)
        return self._ask(target, question, deadline, max_bytes, kept=False)

    def close(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
        self._recorder = None

    def _ask(self, target: Target, question: "Question", deadline: float, max_bytes: int, *, kept: bool) -> Exchange:
        begun = time.monotonic()
        try:
            recorder = self._connected(target, deadline, max_bytes)
            request = _request(target, question)
            return self._exchange(recorder, request, begun)
        except _Closed as error:
            if kept:
                raise
            self.close()
            raise Unreachable(
                "connect", _("“%(host)s” closed the connection without an answer.") % {"host": target.host}
            ) from error
        except BaseException as error:
            self.close()
            known = translated(error, target)
            if known is None:
                raise
            raise known from error

    def _connected(self, target: Target, deadline: float, max_bytes: int) -> Recorder:
        if self._recorder is not None:
            recorder = self._recorder.again(target, deadline=deadline, max_bytes=max_bytes)
        else:
            recorder = self._opened(target, deadline, max_bytes, "")
        self._recorder = recorder
        return recorder

    def _opened(self, target: Target, deadline: float, max_bytes: int, problem: str) -> Recorder:
        recorder = Recorder(target, deadline=deadline, max_bytes=max_bytes, tls_problem=problem)
        try:
            connected = connect(recorder)
            if target.scheme == "https":
                secure(recorder, connected, self._ca_file)
        except Unreachable as error:
            recorder.spool.close()
            recorder.close()
            if error.code == "tls" and self._despite_tls and not problem:
                return self._opened(target, deadline, max_bytes, error.detail or "unknown")
            raise
        except BaseException:
            recorder.spool.close()
            recorder.close()
            raise
        return recorder

    def _exchange(self, recorder: Recorder, request: bytes, begun: float) -> Exchange:
        recorder.mark_start()
        reader = io.BufferedReader(TeeStream(recorder), _READ_BYTES)
        try:
            recorder.send(request)
            if not reader.peek(1):
                raise _Closed
        except Cut as cut:
            if cut.why == "disconnect":
                raise _Closed from cut
            recorder.spool.close()
            raise
        except _Closed:
            recorder.spool.close()
            raise
        try:
            head = read_head(reader)
        except BaseException:
            recorder.spool.close()
            raise
        exchange = read_body(recorder, reader, head, begun)
        if exchange.truncated or exchange.surplus or not _may_be_kept(head):
            self.close()
        return exchange


@dataclass(frozen=True)
class Question:
    """A request but for its Host and Content-Length. The method is GET, OPTIONS, or POST with a body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class _Closed(Exception):
    """The connection ended before a byte of an answer had come."""


def _request(target: Address, question: Question) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    if target.port != {"http": 80, "https": 443}[target.scheme]:
        host += f":{target.port}"
    lines = [f"{question.method} {target.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in question.headers.items()]
    if question.method == "POST":
        lines.append(f"Content-Length: {len(question.body)}")
    if any(_UNSAFE.search(line) for line in lines):
        raise AddressRefused("unreadable", _("This is not an address of a page: it cannot be read as one."))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + question.body


def _may_be_kept(head: Head) -> bool:
    """Whether the end of this answer is known by itself, and nobody asked for an end of the connection."""
    tokens = {token.strip().lower() for value in head.all("connection") for token in value.split(",")}
    if head.version != "HTTP/1.1" or head.status < 200 or "close" in tokens:
        return False
    lengths, codings = head.all("content-length"), head.all("transfer-encoding")
    if lengths and codings:
        # The two may disagree about where the next answer begins: RFC 9112, part 6.1.
        return False
    return bool(lengths or codings) or head.status in (204, 304)


__all__ = ["KeptConnection", "Question"]
