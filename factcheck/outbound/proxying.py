"""A proxy for one browser during one capture: all that the browser asks goes through the recording transport.

The browser resolves no name and opens no connection but to here. Each of its requests, redirects and scripts' requests
too, is vetted like any address, asked on a connection of ours, kept as the bytes that went and came, and counted
against one budget. For https the browser is shown a certificate that only it believes in, for this capture alone; the
site's own is verified by the transport.

The browser gets an answer when all of it is here. GET, POST and OPTIONS, with which a browser asks whether a script may
ask, are let through; HEAD, WebSocket and everything else is refused.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import re
import secrets
import socket
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import TracebackType
from typing import IO, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from factcheck.outbound.addresses import Resolve
from factcheck.outbound.errors import AddressRefused, LimitReached, OutboundError, Unreachable
from factcheck.outbound.exchanges import Exchange, Store
from factcheck.outbound.keeping import KeptConnection, Question

# Chromium opens at most 32 to a proxy.
MAX_CLIENTS = 64
POST_MAX_BYTES = 1024 * 1024
ANSWER_SECONDS = 20.0
_LINE_BYTES = 65_536
_MAX_HEADERS = 100
_PIECE_BYTES = 65_536
_CLIENT_IDLE_SECONDS = 30.0
# What a browser says that a site's answer may depend on; anything else stays here.
_FORWARDED = {
    "user-agent": "User-Agent",
    "accept": "Accept",
    "accept-language": "Accept-Language",
    "referer": "Referer",
    "origin": "Origin",
    "cookie": "Cookie",
    "content-type": "Content-Type",
    "range": "Range",
    "authorization": "Authorization",
    "access-control-request-method": "Access-Control-Request-Method",
    "access-control-request-headers": "Access-Control-Request-Headers",
    "upgrade-insecure-requests": "Upgrade-Insecure-Requests",
    "sec-fetch-dest": "Sec-Fetch-Dest",
    "sec-fetch-mode": "Sec-Fetch-Mode",
    "sec-fetch-site": "Sec-Fetch-Site",
    "sec-fetch-user": "Sec-Fetch-User",
}
_METHODS = ("GET", "POST", "OPTIONS")
# What scripts add for the interfaces that they ask, after OPTIONS has allowed it.
_SCRIPTS_OWN = re.compile(r"x-[a-z0-9-]{1,60}")
_NOT_PASSED_ON = frozenset(
    (
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info"),
        *("transfer-encoding", "trailer", "upgrade", "content-length", "alt-svc", "strict-transport-security"),
    )
)


@dataclass(frozen=True)
class ProxyLimits:
    """For all of a capture: ``count`` requests, ``wire_bytes``, ``each_bytes`` for one answer, ``seconds``.

    ``part_bytes`` is for an answer that is asked for to be no page, if that is less.
    """

    count: int
    wire_bytes: int
    each_bytes: int
    seconds: float
    part_bytes: int | None = None


class RecordingProxy:
    """Runs between ``with`` and its end. ``user`` and ``password`` are what the browser must say to be served."""

    def __init__(self, limits: ProxyLimits, *, resolve: Resolve | None = None, ca_file: str | None = None) -> None:
        self.user, self.password = "capture", secrets.token_urlsafe(24)
        self.missed: Counter[str] = Counter()
        # Why an address was not answered, the latest for each; as the proxy was asked for it.
        self.errors: dict[str, OutboundError] = {}
        self.asked = 0
        self._limits = limits
        self._options: dict[str, Any] = {"resolve": resolve, "ca_file": ca_file}
        self._deadline = time.monotonic() + limits.seconds
        self._bytes_left = limits.wire_bytes
        self._exchanges: list[tuple[int, Exchange]] = []
        self._lock = threading.Lock()
        # Told when bytes are given back; ``_holding`` is how many have some.
        self._freed = threading.Condition(self._lock)
        self._holding = 0
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._certificates = _Certificates()
        # One file for all answers: two hundred open ones would be a worker's whole allowance.
        self._store = Store()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_CLIENTS)
        self.port: int = self._listener.getsockname()[1]

    @property
    def key_hash(self) -> str:
        """For Chromium's --ignore-certificate-errors-spki-list: the one key that it believes in."""
        return self._certificates.key_hash

    @property
    def exchanges(self) -> list[Exchange]:
        """In the order in which they were asked."""
        with self._lock:
            return [exchange for _number, exchange in sorted(self._exchanges, key=lambda item: item[0])]

    def __enter__(self) -> Self:
        accepting = threading.Thread(target=self._accept, name="capture-proxy", daemon=True)
        self._threads.append(accepting)
        accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.close()

    def stop(self) -> None:
        """Serve nobody any more; what was recorded stays until ``close``."""
        with self._lock:
            self._stopped = True
            self._deadline = min(self._deadline, time.monotonic())
            self._freed.notify_all()
            clients = list(self._clients)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            # One that waits for a site ends with that connection's own deadline, and finds the door closed.
            thread.join(1.0)

    def close(self) -> None:
        with self._lock:
            for _number, exchange in self._exchanges:
                exchange.close()
            self._exchanges.clear()
            self._store.close()

    # --- the browser's side

    def _accept(self) -> None:
        while True:
            try:
                client, _peer = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._stopped or len(self._clients) >= MAX_CLIENTS:
                    client.close()
                    continue
                self._clients.add(client)
            thread = threading.Thread(target=self._serve, args=(client,), name="capture-proxy-client", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        upstream = KeptConnection(**self._options)
        try:
            self._talk(client, upstream)
        except (OSError, ValueError):
            # A browser breaks off whenever it likes, and what is no HTTP gets no answer.
            pass
        finally:
            upstream.close()
            with self._lock:
                self._clients.discard(client)
            client.close()

    def _talk(self, client: socket.socket, upstream: KeptConnection) -> None:
        client.settimeout(self._client_seconds())
        with client.makefile("rb") as reader:
            while (asked := _read_request(reader)) is not None:
                if not self._is_ours(asked.headers):
                    client.sendall(_refusal("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="c"'))
                    return
                if asked.method == "CONNECT":
                    self._tunnel(client, asked.target, upstream)
                    return
                client.sendall(b"".join(self._answered(asked, asked.target, upstream)))
                client.settimeout(self._client_seconds())

    def _tunnel(self, client: socket.socket, authority: str, upstream: KeptConnection) -> None:
        host, colon, port = authority.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit():
            raise ValueError(authority)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        # A ws: address comes through a tunnel too, without TLS; its greeting is taken for a broken one and ends here.
        try:
            secured = self._certificates.context_for(host.strip("[]")).wrap_socket(client, server_side=True)
        except ssl.SSLError:
            self._miss("refused")
            return
        with secured, secured.makefile("rb") as reader:
            while (asked := _read_request(reader)) is not None:
                secured.sendall(b"".join(self._answered(asked, f"https://{authority}{asked.target}", upstream)))
                secured.settimeout(self._client_seconds())

    def _is_ours(self, headers: Mapping[str, str]) -> bool:
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return hmac.compare_digest(headers.get("proxy-authorization", "").encode(), f"Basic {expected}".encode())

    def _client_seconds(self) -> float:
        return max(0.1, min(_CLIENT_IDLE_SECONDS, self._deadline - time.monotonic()))

    # --- the web's side

    def _answered(self, asked: _Asked, url: str, upstream: KeptConnection) -> list[bytes]:
        if asked.method not in _METHODS or "upgrade" in asked.headers or asked.body is None:
            self._miss("refused")
            return [_refusal("501 Not Implemented")]
        number, granted, why = self._grant(self._most_for(asked))
        if why:
            self._miss(why)
            return [_refusal("502 Bad Gateway")]
        headers = _forwarded(asked.headers) | {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
        used = 0
        try:
            deadline = min(self._deadline, time.monotonic() + ANSWER_SECONDS)
            question = Question(asked.method, url, headers, asked.body)
            exchange = upstream.ask(question, deadline=deadline, max_bytes=granted)
            used = exchange.length
        except OutboundError as error:
            self._miss(missed_because(error))
            with self._lock:
                if len(self.errors) < self._limits.count:
                    self.errors[url] = error
            return [_refusal("502 Bad Gateway")]
        finally:
            with self._lock:
                self._bytes_left += granted - used
                self._holding -= 1
                self._freed.notify_all()
        if not self._keep(number, exchange):
            return [_refusal("502 Bad Gateway")]
        if exchange.truncated:
            self._miss({"length": "too_large", "time": "time"}.get(exchange.truncated, "unreachable"))
        # In a plain request the browser would take it for ours, and tell the site the password.
        if exchange.status == 407:
            return [_refusal("502 Bad Gateway")]
        return _passed_on(exchange)

    def _most_for(self, asked: _Asked) -> int:
        most, part = self._limits.each_bytes, self._limits.part_bytes
        is_page = part is None or asked.headers.get("upgrade-insecure-requests") == "1"
        return min(self._limits.wire_bytes, most if is_page or part is None else min(most, part))

    def _grant(self, most: int) -> tuple[int, int, str]:
        """The question's number, and bytes for its answer, or why there are none.

        Most answers need few of theirs, so that who finds too few left waits for others to give theirs back.
        """
        with self._lock:
            self.asked += 1
            number = self.asked
            if number > self._limits.count:
                return number, 0, "too_many"
            while self._bytes_left < most and self._holding and not self._stopped:
                if (left := self._deadline - time.monotonic()) <= 0:
                    break
                self._freed.wait(left)
            granted = max(0, min(most, self._bytes_left))
            if self._stopped or time.monotonic() >= self._deadline:
                return number, 0, "time"
            if not granted:
                return number, 0, "too_much"
            self._bytes_left -= granted
            self._holding += 1
            return number, granted, ""

    def _keep(self, number: int, exchange: Exchange) -> bool:
        """Move an answer into the common file; False when nobody waits for it any more."""
        with self._lock:
            if self._stopped:
                exchange.close()
                return False
            self._store.keep(exchange)
            self._exchanges.append((number, exchange))
        return True

    def _miss(self, why: str) -> None:
        with self._lock:
            self.missed[why] += 1


@dataclass(frozen=True)
class _Asked:
    """``headers`` has small names; ``body`` is None for one that we do not take."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None


def _read_request(reader: IO[bytes]) -> _Asked | None:
    """The next request on a browser's connection, None at its end. Raises ValueError for what is none."""
    line = reader.readline(_LINE_BYTES)
    if not line:
        return None
    method, target, _version = line.decode("latin-1").split()
    headers: dict[str, str] = {}
    for _count in range(_MAX_HEADERS):
        line = reader.readline(_LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            break
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n"):
            raise ValueError("header")
        headers[name.strip().lower()] = value.strip()
    else:
        raise ValueError("headers")
    if "transfer-encoding" in headers:
        raise ValueError("chunked")
    length = int(headers.get("content-length") or 0)
    if not 0 <= length <= POST_MAX_BYTES:
        raise ValueError("length")
    body = reader.read(length) if length else b""
    if len(body) < length:
        return None
    return _Asked(method, target, headers, body if method == "POST" or not body else None)


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {_FORWARDED[name]: value for name, value in headers.items() if name in _FORWARDED}
    return kept | {name.title(): value for name, value in headers.items() if _SCRIPTS_OWN.fullmatch(name)}


def _refusal(status: str, header: str = "") -> bytes:
    more = f"{header}\r\n" if header else ""
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n".encode()


def _passed_on(exchange: Exchange) -> list[bytes]:
    """The answer as the browser gets it: same body, same coding, with its length instead of the site's framing."""
    named = {token.strip().lower() for value in exchange.head.all("connection") for token in value.split(",")}
    body = b"".join(exchange.payload())
    lines = [f"HTTP/1.1 {exchange.status} {exchange.reason}"]
    for name, value in exchange.headers:
        if name.lower() not in _NOT_PASSED_ON | named and name.strip() and "\r" not in value and "\0" not in value:
            lines.append(f"{name}: {value}")
    if exchange.status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    return [("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body]


def missed_because(error: OutboundError) -> str:
    if isinstance(error, AddressRefused):
        return "refused"
    if isinstance(error, LimitReached):
        return "too_large"
    return "time" if isinstance(error, Unreachable) and error.code == "timeout" else "unreachable"


class _Certificates:
    """One key for a capture and, signed by itself, a certificate for each host that the browser asks for."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_hash = base64.b64encode(hashlib.sha256(public).digest()).decode()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context_for(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made(host)
            return self._contexts[host]

    def _made(self, host: str) -> ssl.SSLContext:
        named: x509.GeneralName
        try:
            named = x509.IPAddress(ip_address(host))
        except ValueError:
            named = x509.DNSName(host)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "capture")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName([named]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Only a file is taken by Python's ssl; the key in it is worth nothing after the capture.
        with tempfile.NamedTemporaryFile() as file:
            file.write(self._key_pem + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context
