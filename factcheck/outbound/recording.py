"""Fetch a page for the record: requests on connections of our own that keep every byte and go only where they may.

One exchange is one connection to one vetted address. Nothing is shared between hops or taken from the environment: no
cookies, no proxies, no netrc, no pool; redirects are walked here, each vetted like the first address.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import IO, TYPE_CHECKING, Any

import requests
import urllib3.connection
import urllib3.exceptions
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from factcheck.outbound.addresses import Address, Resolve, Target, follow, vet
from factcheck.outbound.decoding import Decoded, decoded
from factcheck.outbound.errors import AddressRefused, LimitReached, OutboundError, Unreachable
from factcheck.outbound.exchanges import Exchange, Fetched, Limits, Redirect, Tls, entity, new_spool
from factcheck.outbound.messages import MAX_INTERIM, Body, Broken, Head, read_head

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Decoded", "Exchange", "Fetched", "Limits", "Redirect", "Tls", "decoded", "entity", "fetch_document"]

MAX_REDIRECTS = 10
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 15.0
# The body of a redirect is kept as a courtesy; it must not cost the page behind it.
REDIRECT_BODY_BYTES = 1024 * 1024
REDIRECT_BODY_SECONDS = 5.0
_MAX_ADDRESSES = 8
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def fetch_document(
    url: str,
    *,
    limits: Limits,
    user_agent: str,
    resolve: Resolve | None = None,
    on_hop: Callable[[str], None] | None = None,
    ca_file: str | None = None,
    despite_tls: bool = False,
) -> Fetched:
    """Fetch one document with all the redirects that lead to it.

    Never raises for what the web does: the error of the hop that failed stands in the result, beside the exchanges
    before it. ``on_hop`` is called with each address before it is vetted; what it raises goes through.
    ``ca_file`` trusts other authorities than the public ones. With ``despite_tls`` a certificate that does not verify
    is written down as that (``Tls.problem``), and the page is asked for all the same.
    """
    deadline = time.monotonic() + limits.seconds
    fetched = Fetched(url=url, final_url=url)
    seen: set[str] = set()
    wire_left = limits.max_wire_bytes
    try:
        while True:
            if on_hop is not None:
                on_hop(fetched.final_url)
            target = vet(fetched.final_url, resolve=resolve, seconds=deadline - time.monotonic())
            fetched.final_url = target.url
            if target.url in seen:
                raise AddressRefused(
                    "redirect_loop", _("The page redirects in a circle, back to %(url)s.") % {"url": target.url[:200]}
                )
            if len(seen) > MAX_REDIRECTS:
                raise AddressRefused(
                    "too_many_redirects",
                    _("The page redirects more than %(count)d times.") % {"count": MAX_REDIRECTS},
                )
            seen.add(target.url)
            exchange = _exchange(
                target,
                deadline=deadline,
                max_bytes=wire_left,
                user_agent=user_agent,
                ca_file=ca_file,
                despite_tls=despite_tls,
            )
            fetched.exchanges.append(exchange)
            wire_left -= exchange.length
            location = redirect_of(exchange)
            if location is None:
                return fetched
            following = follow(target.url, location)
            if not following:
                return fetched
            fetched.redirects.append(Redirect(target.url, exchange.status, following))
            fetched.final_url = following
    except OutboundError as error:
        fetched.error = error
        return fetched
    except BaseException:
        fetched.close()
        raise


def redirect_of(exchange: Exchange) -> str | None:
    value = exchange.header("location") if exchange.status in REDIRECTS else None
    if value is None:
        return None
    raw = value.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return value


class Cut(Exception):
    """The rest is not waited for. No OSError, so that no library takes it for one of its own."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Recorder:
    """Both directions of one connection, within its limits."""

    def __init__(self, target: Target, *, deadline: float, max_bytes: int, tls_problem: str = "") -> None:
        self.target = target
        # Why the certificate did not verify, where an editor ordered the copy all the same.
        self.tls_problem = tls_problem
        self.deadline = deadline
        self.max_bytes = max_bytes
        self.spool: IO[bytes] = new_spool()
        self.sent = bytearray()
        self.received = 0
        self.started_at = datetime.now(UTC)
        self.ip = ""
        self.tls: Tls | None = None
        self.reader: io.BufferedReader | None = None
        self._socket: socket.socket | None = None

    def again(self, target: Target, *, deadline: float, max_bytes: int) -> "Recorder":
        """For the next exchange on the same connection, to the same addresses."""
        following = Recorder(target, deadline=deadline, max_bytes=max_bytes, tls_problem=self.tls_problem)
        following.ip, following.tls, following._socket = self.ip, self.tls, self._socket
        return following

    def target_for(self, address: Address) -> Target:
        """Another address of the same origin, with the addresses that were vetted for this connection."""
        return Target(
            address.url, address.scheme, address.host, address.port, address.path, addresses=self.target.addresses
        )

    def is_idle(self) -> bool:
        """Whether the connection is open and silent: bytes that nobody asked for are no answer to the next question."""
        assert self._socket is not None
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def expect_body_of(self, head: Head) -> None:
        """Lower the limits for a body that is not what was asked for."""
        if head.status in REDIRECTS and head.all("location"):
            self.max_bytes = min(self.max_bytes, self.received + REDIRECT_BODY_BYTES)
            self.deadline = min(self.deadline, time.monotonic() + REDIRECT_BODY_SECONDS)

    def mark_start(self) -> None:
        self.started_at = datetime.now(UTC)

    def seconds_left(self, at_most: float) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Cut("time")
        return min(left, at_most)

    def attach(self, connected: socket.socket) -> None:
        self._socket = connected

    def receive(self, buffer: memoryview) -> int:
        assert self._socket is not None
        room = self.max_bytes - self.received
        # At the limit one more byte tells "just as long as allowed" from "longer".
        into = buffer[: max(room, 1)]
        try:
            self._socket.settimeout(self.seconds_left(IDLE_SECONDS))
            count = self._socket.recv_into(into)
        except TimeoutError as error:
            raise Cut("time") from error
        except OSError as error:
            raise Cut("disconnect") from error
        if count and room <= 0:
            raise Cut("length")
        self.spool.write(into[:count])
        self.received += count
        return count

    def send(self, data: bytes) -> None:
        assert self._socket is not None
        self.sent += data
        try:
            self._socket.settimeout(self.seconds_left(IDLE_SECONDS))
            self._socket.sendall(data)
        except TimeoutError as error:
            raise Cut("time") from error
        except OSError:
            # A site may answer, and close, before it has read the request; the answer is then still there.
            return

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()
        if self._socket is not None:
            self._socket.close()


class TeeStream(io.RawIOBase):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._recorder.receive(memoryview(buffer).cast("B"))


class _TeeSocket:
    """What http.client needs of a socket.

    It closes its connection as soon as it has read a head without a length, when the body is still to come: so closing
    is left to the recorder.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def makefile(self, mode: str, buffering: int = -1) -> io.BufferedReader:
        self._recorder.reader = io.BufferedReader(TeeStream(self._recorder), 65_536)
        return self._recorder.reader

    def sendall(self, data: bytes) -> None:
        self._recorder.send(data)

    def settimeout(self, seconds: float | None) -> None:
        """The recorder's deadline counts, not the library's."""

    def shutdown(self, how: int) -> None:
        """The recorder closes."""

    def close(self) -> None:
        """The recorder closes."""


class _Response(HTTPResponse):
    """Passes over interim responses (103 Early Hints), which http.client would take for the answer."""

    def _read_status(self) -> tuple[str, int, str]:
        for _count in range(MAX_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == 101:
                return version, status, reason
            while self.fp.readline(65_537) not in (b"\r\n", b"\n", b""):
                pass
        raise HTTPException("too many interim responses")


class _Recorded:
    """Mixed into urllib3's connections: connects to the vetted addresses and nowhere else, and records.

    ``host`` stays the name, for SNI, certificate and Host header.
    """

    recorder: Recorder

    def _new_conn(self) -> socket.socket:
        return connect(self.recorder)


def connect(recorder: Recorder) -> socket.socket:
    """A connection to the first vetted address that takes one, attached to the recorder. Raises OutboundError, Cut."""
    slow = False
    failure: OSError | None = None
    for text in recorder.target.addresses[:_MAX_ADDRESSES]:
        ip = ip_address(text)
        connected = socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            connected.settimeout(recorder.seconds_left(CONNECT_SECONDS))
            connected.connect((text, recorder.target.port))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = connected.getpeername()[0]
            connected.settimeout(recorder.seconds_left(IDLE_SECONDS))
        except OSError as error:
            connected.close()
            slow = slow or isinstance(error, TimeoutError)
            failure = error
            continue
        except BaseException:
            connected.close()
            raise
        if ip_address(peer) != ip:
            connected.close()
            raise AddressRefused(
                "private_address",
                _("The connection to %(ip)s arrived at %(peer)s instead.") % {"ip": text, "peer": peer},
            )
        recorder.ip = text
        recorder.attach(connected)
        return connected
    host = recorder.target.host
    if slow:
        raise Unreachable("timeout", _("“%(host)s” did not answer in time.") % {"host": host}) from failure
    raise Unreachable(
        "connect", _("“%(host)s” does not accept connections.") % {"host": host}, detail=str(failure)
    ) from failure


class _Http(_Recorded, urllib3.connection.HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        super().connect()
        self.sock = _TeeSocket(self.recorder)


class _Https(_Recorded, urllib3.connection.HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        with _handshake(self.recorder.target.host):
            super().connect()
        secured = self.sock
        assert isinstance(secured, ssl.SSLSocket)
        self.recorder.attach(secured)
        self.recorder.tls = tls_facts(secured, verified=self.is_verified, problem=self.recorder.tls_problem)
        self.sock = _TeeSocket(self.recorder)


@contextmanager
def _handshake(host: str) -> Iterator[None]:
    """Our own errors for those of a TLS handshake."""
    try:
        yield
    except (ssl.CertificateError, urllib3.exceptions.SSLError, ssl.SSLError) as error:
        detail = getattr(error, "verify_message", "") or getattr(error.__cause__, "verify_message", "") or str(error)
        words = {"host": host, "detail": detail.rstrip(".")}
        sentence = _("The secure connection to “%(host)s” failed: %(detail)s.") % words
        raise Unreachable("tls", sentence, detail=detail) from error
    except TimeoutError as error:
        raise Unreachable("timeout", _("“%(host)s” did not answer in time.") % {"host": host}) from error
    except OSError as error:
        raise Unreachable(
            "tls",
            _("“%(host)s” broke off while the secure connection was made.") % {"host": host},
            detail=str(error),
        ) from error


def secure(recorder: Recorder, connected: socket.socket, ca_file: str | None) -> ssl.SSLSocket:
    """TLS over a connection, verified unless the recorder has a problem on record. Raises Unreachable ("tls"), Cut."""
    host = recorder.target.host
    context = tls_context(ca_file or DEFAULT_CA_BUNDLE_PATH, verify=not recorder.tls_problem)
    connected.settimeout(recorder.seconds_left(IDLE_SECONDS))
    with _handshake(host):
        secured = context.wrap_socket(connected, server_hostname=host)
    recorder.attach(secured)
    recorder.tls = tls_facts(secured, verified=not recorder.tls_problem, problem=recorder.tls_problem)
    return secured


def tls_facts(secured: ssl.SSLSocket, *, verified: bool, problem: str) -> Tls:
    der = secured.getpeercert(binary_form=True) or b""
    cipher = secured.cipher()
    # Public from Python 3.13; before it only the site's own certificate can be had.
    chain: list[bytes] = getattr(secured, "get_unverified_chain", lambda: [der])()
    return Tls(
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
        certificate_pem=ssl.DER_cert_to_PEM_cert(der),
        certificate_der=der,
        chain_pem=tuple(ssl.DER_cert_to_PEM_cert(one) for one in chain),
        verified=verified,
        problem=problem,
    )


@lru_cache(maxsize=4)
def tls_context(ca_file: str, *, verify: bool = True) -> ssl.SSLContext:
    """One for all connections: reading the authorities takes longer than most pages."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
    if verify:
        context.load_verify_locations(ca_file)
    return context


class _Adapter(HTTPAdapter):
    """Carries one request over one recorded connection; knows no pool, no proxy and no retry."""

    def __init__(self, recorder: Recorder, ca_file: str) -> None:
        super().__init__()
        self.recorder = recorder
        self.ca_file = ca_file

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_options: Any
    ) -> requests.Response:
        target = self.recorder.target
        connection: _Http | _Https
        if target.scheme == "https":
            verify = not self.recorder.tls_problem
            connection = _Https(
                target.host,
                target.port,
                ssl_context=tls_context(self.ca_file, verify=verify),
                cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE,
            )
        else:
            connection = _Http(target.host, target.port)
        connection.recorder = self.recorder
        connection.timeout = self.recorder.seconds_left(IDLE_SECONDS)
        connection.connect()
        self.recorder.started_at = datetime.now(UTC)
        connection.request("GET", target.path, headers=request.headers, preload_content=False, decode_content=False)
        return self.build_response(request, connection.getresponse())


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Even when it must not follow, requests prepares the next request and for that reads, unpacked and without
        # limit, the whole body of a redirect.
        return None


def _send(target: Target, recorder: Recorder, headers: Mapping[str, str], ca_file: str) -> requests.Response:
    with _Session() as session:
        session.trust_env = False
        session.headers.clear()
        session.adapters.clear()
        session.mount(f"{target.scheme}://", _Adapter(recorder, ca_file))
        prepared = session.prepare_request(requests.Request("GET", target.url, headers=dict(headers)))
        return session.send(prepared, stream=True, allow_redirects=False)


def _exchange(
    target: Target,
    *,
    deadline: float,
    max_bytes: int,
    user_agent: str,
    ca_file: str | None,
    despite_tls: bool,
    tls_problem: str = "",
) -> Exchange:
    begun = time.monotonic()
    recorder = Recorder(target, deadline=deadline, max_bytes=max_bytes, tls_problem=tls_problem)
    headers = {
        "User-Agent": user_agent,
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
    }
    try:
        answer = _send(target, recorder, headers, ca_file or DEFAULT_CA_BUNDLE_PATH)
        # The answer owns the stream that its body is read from: letting go of it would close the one under the other.
        with answer:
            return _complete(recorder, begun)
    except BaseException as error:
        recorder.spool.close()
        known = translated(error, target)
        if known is None:
            raise
        if not (despite_tls and _is_unverified(known) and not tls_problem):
            raise known from error
        problem = known.detail
    finally:
        recorder.close()
    # Tried properly first, so that the reason stands in the record.
    return _exchange(
        target,
        deadline=deadline,
        max_bytes=max_bytes,
        user_agent=user_agent,
        ca_file=ca_file,
        despite_tls=despite_tls,
        tls_problem=problem or "unknown",
    )


def _is_unverified(error: OutboundError) -> bool:
    return isinstance(error, Unreachable) and error.code == "tls"


def _complete(recorder: Recorder, begun: float) -> Exchange:
    """Read the body to its end, or to where it is cut."""
    spool, reader = recorder.spool, recorder.reader
    assert reader is not None
    spool.seek(0)
    head = read_head(spool)
    spool.seek(0, io.SEEK_END)
    return read_body(recorder, reader, head, begun)


def read_body(recorder: Recorder, reader: IO[bytes], head: Head, begun: float) -> Exchange:
    """The exchange of a request whose answer's head was read: its body to the end, or to where it is cut."""
    recorder.expect_body_of(head)
    truncated = None
    body = Body(reader, head)
    try:
        for _piece in body:
            pass
        length = head.end + body.consumed
    except Cut as cut:
        truncated, length = cut.why, recorder.received
    except Broken:
        truncated, length = "disconnect", recorder.received
    surplus = recorder.received - length
    recorder.spool.truncate(length)
    return Exchange(
        url=recorder.target.url,
        host=recorder.target.host,
        ip=recorder.ip,
        addresses=recorder.target.addresses,
        started_at=recorder.started_at,
        seconds=time.monotonic() - begun,
        request=bytes(recorder.sent),
        response=recorder.spool,
        length=length,
        head=head,
        truncated=truncated,
        surplus=surplus,
        tls=recorder.tls,
    )


def translated(error: BaseException, target: Target) -> OutboundError | None:
    """Our own error for one from below, at a time when no usable answer has arrived."""
    host = {"host": target.host}
    if isinstance(error, OutboundError):
        return error
    if isinstance(error, Cut):
        if error.why == "length":
            return LimitReached("wire", _("“%(host)s” sent more than the limit before its answer began.") % host)
        if error.why == "time":
            return Unreachable("timeout", _("“%(host)s” did not answer in time.") % host)
        return Unreachable("connect", _("“%(host)s” closed the connection without an answer.") % host)
    if isinstance(error, ConnectionError):
        return Unreachable("connect", _("“%(host)s” closed the connection without an answer.") % host)
    if isinstance(error, HTTPException | urllib3.exceptions.HTTPError | Broken):
        return Unreachable(
            "protocol", _("“%(host)s” does not answer as a web site does.") % host, detail=repr(error)[:500]
        )
    if isinstance(error, requests.RequestException | UnicodeError):
        return AddressRefused(
            "unreadable", _("This is not an address of a page: it cannot be read as one."), detail=repr(error)[:500]
        )
    return None
