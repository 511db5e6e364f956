"""The outer web, for tests: a small server on loopback that sends exactly the bytes a test says.

    with web.serve({"/": web.page("<p>Hello</p>")}) as site:
        fetch(site.url("/"))
        assert site.requests[0].path == "/"

A page is bytes, sent as they are, or a function that gets the visit and may send, wait and break off as it likes. The
connection is closed after it. What is not there is answered with 404.
"""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Page = bytes | Callable[["Visit"], None]


@dataclass(frozen=True)
class Request:
    """One request as it arrived; ``headers`` has lower-case names."""

    raw: bytes

    @property
    def method(self) -> str:
        return self.raw.split(b" ", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.raw.split(b" ", 2)[1].decode("latin-1")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _colon, value in pairs}


@dataclass
class Visit:
    """One connection on which a request has arrived."""

    request: Request
    connection: socket.socket
    closing: threading.Event

    def send(self, data: bytes) -> bool:
        """Whether somebody is still there to read it."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def pause(self, seconds: float) -> bool:
        """Wait; False if the test is over meanwhile."""
        return not self.closing.wait(seconds)

    def wait_for_hangup(self) -> None:
        """Say nothing until the other side goes away or the test is over."""
        self.connection.settimeout(0.05)
        while not self.closing.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def reset(self) -> None:
        """Break off with a TCP reset, as a crashed server does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.connection.close()


@dataclass
class Site:
    """A running server; pages may be put in and changed while it runs."""

    host: str
    port: int
    scheme: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def pair(self) -> str:
        """As ARCHIVE_ALLOW_LOOPBACK wants it."""
        return f"{self.host}:{self.port}"

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"


@dataclass(frozen=True)
class Certificate:
    """A self-made certificate and its key; ``file`` is also the authority to trust."""

    file: Path
    key: Path


def page(
    body: str | bytes = b"",
    *,
    status: str = "200 OK",
    media_type: str = "text/html; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A well-formed response."""
    content = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": media_type, "Content-Length": str(len(content)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content


def redirect(location: str, *, status: str = "302 Found", headers: Mapping[str, str] | None = None) -> bytes:
    return page(b"", status=status, headers={"Location": location, **(headers or {})})


def certificate(folder: Path, *, name: str = "localhost", ip: str = "127.0.0.1") -> Certificate:
    """Made by the openssl command, which must be there."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{ip}"),
            *("-keyout", str(made.key), "-out", str(made.file)),
        ],
        check=True,
        capture_output=True,
    )
    return made


@contextmanager
def serve(
    pages: Mapping[str, Page] | None = None, *, host: str = "127.0.0.1", tls: Certificate | None = None
) -> Iterator[Site]:
    """A site on a free port of this machine, gone when the block ends."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=128)
    site = Site(host, listener.getsockname()[1], "https" if tls else "http", dict(pages or {}))
    context: ssl.SSLContext | None = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.file, tls.key)
    closing = threading.Event()
    visitors: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            secured = connection
            try:
                if context is not None:
                    secured = context.wrap_socket(connection, server_side=True)
                raw = b""
                while b"\r\n\r\n" not in raw:
                    piece = secured.recv(65_536)
                    if not piece:
                        return
                    raw += piece
                    if raw[:1] == b"\x16":
                        # A TLS greeting on a port without TLS, answered as servers do.
                        secured.sendall(page("<p>Speak plain HTTP</p>", status="400 Bad Request"))
                        return
            except OSError:
                return
            with secured:
                request = Request(raw)
                site.requests.append(request)
                found = site.pages.get(request.target, site.pages.get(request.path))
                visit = Visit(request, secured, closing)
                if callable(found):
                    found(visit)
                else:
                    visit.send(page("<p>Not here</p>", status="404 Not Found") if found is None else found)
                if secured.fileno() >= 0:
                    _finish(secured)

    def accept() -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            if closing.is_set():
                connection.close()
                return
            site.connections += 1
            visitor = threading.Thread(target=answer, args=(connection,), daemon=True)
            visitors.append(visitor)
            visitor.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield site
    finally:
        closing.set()
        # A thread that waits in accept() is only woken by a connection.
        socket.create_connection((host, site.port), timeout=5).close()
        acceptor.join(timeout=5)
        listener.close()
        for visitor in visitors:
            visitor.join(timeout=5)


def _finish(connection: socket.socket) -> None:
    """Close so that all that was sent arrives: with unread bytes in the buffer the kernel sends a reset instead."""
    try:
        connection.settimeout(0.5)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass
    except OSError:
        return
