"""Ask a service over its documented interface: one request, one whole answer, within limits.

The address rule holds here as for pages, the connection goes to the vetted addresses only, and nothing is taken from
the environment. Redirects are not followed: an interface that has moved is for the operator to look at, and a key must
not travel with it.
"""

import io
import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from factcheck.outbound.addresses import Resolve, Target, vet
from factcheck.outbound.errors import LimitReached, Unreachable
from factcheck.outbound.exchanges import Exchange
from factcheck.outbound.messages import Body, Broken, Head, read_head

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 20.0
_MAX_ADDRESSES = 4
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    seconds: float = 30.0,
    max_bytes: int = 1024 * 1024,
    resolve: Resolve | None = None,
    ca_file: str | None = None,
) -> Exchange:
    """Send one request and read its whole answer, whatever its status. ``form`` is sent as a web form.

    Raises AddressRefused, Unreachable (also for an answer that ends too early) or LimitReached.
    """
    wire = _Wire(seconds, max_bytes)
    target = vet(url, resolve=resolve, seconds=seconds)
    request = _request(method, target, headers, form)
    with closing(wire):
        wire.connect(target, ca_file or DEFAULT_CA_BUNDLE_PATH)
        wire.send(request)
        head, length = wire.answer()
    return Exchange(
        url=target.url,
        host=target.host,
        ip=wire.ip,
        addresses=target.addresses,
        started_at=wire.started_at,
        seconds=time.monotonic() - wire.begun,
        request=request,
        response=wire.spool,
        length=length,
        head=head,
        truncated=None,
        surplus=0,
        tls=None,
    )


def json_of(exchange: Exchange) -> Any:
    """What the answer says. Raises Unreachable ("protocol") for what is not JSON."""
    try:
        return json.loads(b"".join(exchange.payload()))
    except (ValueError, RecursionError) as error:
        raise _not_understood(exchange.host, str(error)) from error


def _request(method: str, target: Target, headers: Mapping[str, str], form: Mapping[str, str] | None) -> bytes:
    body = urlencode(form).encode("ascii") if form is not None else b""
    default = {"http": 80, "https": 443}[target.scheme]
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = {
        "Host": host if target.port == default else f"{host}:{target.port}",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    if form is not None:
        lines |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    for name, value in lines.items():
        if _CONTROL.search(name + value):
            raise ValueError(f"The header {name!r} cannot hold control characters.")
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class _Wire(io.RawIOBase):
    """One connection, read until its deadline and no further than its limit."""

    def __init__(self, seconds: float, max_bytes: int) -> None:
        super().__init__()
        self.begun = time.monotonic()
        self.started_at = datetime.now(UTC)
        self.spool = io.BytesIO()
        self.ip = ""
        self._deadline = self.begun + seconds
        self._max_bytes = max_bytes
        self._host = ""
        self._socket: socket.socket | None = None

    def connect(self, target: Target, ca_file: str) -> None:
        self._host = target.host
        failure: OSError | None = None
        for address in target.addresses[:_MAX_ADDRESSES]:
            ip = ip_address(address)
            connected = socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
            try:
                connected.settimeout(self._left(CONNECT_SECONDS))
                connected.connect((address, target.port))
            except OSError as error:
                connected.close()
                failure = error
                continue
            except BaseException:
                connected.close()
                raise
            self._socket, self.ip = connected, address
            break
        if self._socket is None:
            if isinstance(failure, TimeoutError):
                raise self._too_slow() from failure
            raise Unreachable(
                "connect",
                _("“%(host)s” does not accept connections.") % {"host": target.host},
                detail=str(failure),
            ) from failure
        if target.scheme == "https":
            try:
                self._socket.settimeout(self._left(CONNECT_SECONDS))
                self._socket = _tls_context(ca_file).wrap_socket(self._socket, server_hostname=target.host)
            except TimeoutError as error:
                raise self._too_slow() from error
            except OSError as error:
                detail = getattr(error, "verify_message", "") or str(error)
                raise Unreachable(
                    "tls",
                    _("The secure connection to “%(host)s” failed: %(detail)s.")
                    % {"host": target.host, "detail": detail.rstrip(".")},
                    detail=detail,
                ) from error

    def send(self, request: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.settimeout(self._left(IDLE_SECONDS))
            self._socket.sendall(request)
        except TimeoutError as error:
            raise self._too_slow() from error
        except OSError:
            # A service may refuse, and close, before it has read all of it; its answer is then still there.
            return

    def answer(self) -> tuple[Head, int]:
        """The head of the answer and how long the whole message is; its bytes are in ``spool``."""
        reader = io.BufferedReader(self)
        try:
            head = read_head(reader)
            body = Body(reader, head)
            for _piece in body:
                pass
        except Broken as error:
            raise _not_understood(self._host, str(error)) from error
        finally:
            # Not closed with the reader: ``close`` below is for the connection.
            reader.detach()
        length = head.end + body.consumed
        self.spool.truncate(length)
        return head, length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        assert self._socket is not None
        view = memoryview(buffer).cast("B")
        try:
            self._socket.settimeout(self._left(IDLE_SECONDS))
            count = self._socket.recv_into(view)
        except TimeoutError as error:
            raise self._too_slow() from error
        except OSError as error:
            raise Unreachable(
                "connect",
                _("“%(host)s” closed the connection without an answer.") % {"host": self._host},
                detail=str(error),
            ) from error
        if self.spool.tell() + count > self._max_bytes:
            raise LimitReached("wire", _("“%(host)s” answered more than the limit allows.") % {"host": self._host})
        self.spool.write(view[:count])
        return count

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        super().close()

    def _left(self, at_most: float) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        return min(left, at_most)

    def _too_slow(self) -> Unreachable:
        return Unreachable("timeout", _("“%(host)s” did not answer in time.") % {"host": self._host})


def _not_understood(host: str, detail: str) -> Unreachable:
    return Unreachable(
        "protocol", _("“%(host)s” did not answer as its description says.") % {"host": host}, detail=detail[:500]
    )


@lru_cache(maxsize=4)
def _tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
