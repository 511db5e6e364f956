"""Which addresses may be fetched for somebody: the public web, and nothing that only this machine can reach.

A URL is read once, strictly; its name is resolved once; every answer must be public. The connection is then made to
those answers and nowhere else, so a name that means something different a moment later (DNS rebinding) gains nothing.
"""

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from urllib.parse import quote, urljoin, urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.outbound.errors import AddressRefused, Unreachable

Resolve = Callable[[str, float], Sequence[str]]
"""Takes a name and the seconds it may take; gives its addresses, none if there is none, or raises Unreachable."""

# https://www.iana.org/assignments/iana-ipv4-special-registry/ and multicast. Python's is_global changes between
# releases and answers True for 192.88.99.1, so the list is ours.
_IPV4_NOT_PUBLIC = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        # In no registry: there Azure's services for its own machines answer, and only from inside.
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Only global unicast is public at all; that leaves out mapped, NAT64, link-local, site-local and unique local ones.
_IPV6_PUBLIC = IPv6Network("2000::/3")
_IPV6_NOT_PUBLIC = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
        "3ffe::/16",
    )
)

# Names that mean something inside a house, never on the public web. RFC 6761, 6762, 7686, 8375; ICANN's "internal".
_HOUSE_NAMES = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain", "onion", "invalid"}
)

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#\\]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DOTS = re.compile(r"[/\\](?:\.|%2e){1,2}(?:[/\\]|\Z)", re.IGNORECASE)
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# All that may stand in a path or query as it is; "%" stays, since what is encoded already must not be encoded twice.
_KEEP = "%/:@!$&'()*+,;=~-._?[]|"
_MAX_URL_CHARS = 8_000


@dataclass(frozen=True)
class Address:
    """A URL as it will be asked for: ASCII, lower-case host, no fragment, no default port."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The IP address, if the URL names one instead of a host."""
        return _literal(self.host)


@dataclass(frozen=True)
class Target(Address):
    """An address with the vetted IP addresses of its host, the only ones that may be connected to."""

    addresses: tuple[str, ...]


def read_address(url: str) -> Address:
    """Read a URL strictly, without asking whether it may be fetched: to name a page, never to open it.

    Raises AddressRefused for what is no address of a page.
    """
    return _read(url)


def check_address(url: str) -> Address:
    """Read a URL and refuse what can be seen to be refusable without asking anybody.

    Raises AddressRefused.
    """
    address = _read(url)
    if loopback_allowed(address):
        return address
    if address.port not in settings.ARCHIVE_PORTS:
        raise AddressRefused(
            "port",
            _("The address asks for port %(port)d. Pages are fetched only from ports %(ports)s.")
            % {"port": address.port, "ports": ", ".join(map(str, settings.ARCHIVE_PORTS))},
        )
    literal = address.literal
    if literal is not None:
        if not is_public(literal):
            raise _not_public(address.host, literal)
        return address
    last = address.host.rpartition(".")[2]
    if last == address.host or last in _HOUSE_NAMES or address.host.endswith(".home.arpa"):
        raise AddressRefused(
            "name",
            _("“%(host)s” is a name inside a network, not of a site on the public web.") % {"host": address.host},
        )
    return address


def vet(url: str, *, resolve: Resolve | None = None, seconds: float = 10.0) -> Target:
    """Read a URL, resolve its host once, and let it pass only if every answer is public.

    Raises AddressRefused, or Unreachable ("dns").
    """
    address = check_address(url)
    literal = address.literal
    if literal is not None:
        answers: tuple[IPv4Address | IPv6Address, ...] = (literal,)
    else:
        answers = _resolved(address.host, resolve or system_resolve, seconds)
    loopback = loopback_allowed(address)
    for answer in answers:
        if loopback and not answer.is_loopback:
            raise AddressRefused(
                "private_address",
                _("%(host)s is allowed as an address of this machine, but leads elsewhere (%(answer)s).")
                % {"host": address.host, "answer": answer},
            )
        if not loopback and not is_public(answer):
            raise _not_public(address.host, answer)
    return Target(
        url=address.url,
        scheme=address.scheme,
        host=address.host,
        port=address.port,
        path=address.path,
        addresses=tuple(map(str, answers)),
    )


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _IPV4_NOT_PUBLIC)
    if ip.scope_id is not None or ip not in _IPV6_PUBLIC:
        return False
    return not any(ip in network for network in _IPV6_NOT_PUBLIC)


def loopback_allowed(address: Address) -> bool:
    """Whether the demo or the tests have allowed exactly this host and port of this machine, and it is not the app."""
    if f"{_bracketed(address.host)}:{address.port}" not in settings.ARCHIVE_ALLOW_LOOPBACK:
        return False
    own = {_port_of(settings.PUBLIC_URL), _port_of(settings.ARCHIVE_URL)}
    return address.port not in own


def follow(base: str, location: str) -> str:
    """The URL that a Location header leads to; empty where it leads nowhere."""
    # As browsers do: no white space around it, no tabs or line ends within (https://url.spec.whatwg.org/#url-parsing).
    location = re.sub(r"[\t\r\n]", "", location.strip(" \t\r\n\x00\x0b\x0c"))
    if not location:
        return ""
    if not _SCHEME.match(location):
        where = re.split("[?#]", location, maxsplit=1)[0]
        location = re.sub("^/{2,}", "//", where.replace("\\", "/")) + location[len(where) :]
    try:
        return urljoin(base, location)
    except ValueError as error:
        raise _unreadable() from error


def system_resolve(name: str, seconds: float) -> Sequence[str]:
    """Ask the system's resolver, which knows no time limit, in a thread that is left behind if it takes too long."""
    answer: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        result = answer.get(timeout=max(seconds, 0.001))
    except Empty as error:
        raise Unreachable("dns", _("Nobody could say in time where “%(host)s” is.") % {"host": name}) from error
    if isinstance(result, Exception):
        raise _unknown(name, str(result)) from result
    return result


def _resolved(host: str, resolve: Resolve, seconds: float) -> tuple[IPv4Address | IPv6Address, ...]:
    answers = resolve(host, seconds)
    if not answers:
        raise _unknown(host, "")
    try:
        return tuple(dict.fromkeys(ip_address(answer) for answer in answers))
    except ValueError as error:
        raise _unknown(host, str(error)) from error


def _read(url: str) -> Address:
    url = url.strip()
    match = _URL.fullmatch(url) if len(url) <= _MAX_URL_CHARS and not _CONTROL.search(url) else None
    if match is None:
        raise _unreadable()
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    if scheme not in _DEFAULT_PORTS:
        raise AddressRefused(
            "scheme",
            _("Only addresses that begin with http:// or https:// can be fetched, not %(scheme)s:.")
            % {"scheme": scheme[:40]},
        )
    if not authority or (path and not path.startswith("/")):
        # A backslash ends the host for browsers and not for others; who writes one there wants them to disagree.
        raise _unreadable()
    if "@" in authority:
        raise AddressRefused(
            "userinfo",
            _("The address carries a name or password before “@”. Remove it: a copy must be of what anybody can see."),
        )
    host_text, port_text = _split_port(authority)
    if port_text and not (_PORT.fullmatch(port_text) and 0 < int(port_text) <= 65_535):
        raise AddressRefused("port", _("The port in the address is not a number between 1 and 65535."))
    port = int(port_text) if port_text else _DEFAULT_PORTS[scheme]
    host = _read_host(host_text)
    target = quote(_as_browsers_ask(path or "/"), safe=_KEEP) + (
        "" if query is None else "?" + quote(query, safe=_KEEP)
    )
    netloc = _bracketed(host) + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")
    return Address(url=f"{scheme}://{netloc}{target}", scheme=scheme, host=host, port=port, path=target)


def _as_browsers_ask(path: str) -> str:
    """Backslashes are slashes, and what goes up or stays has gone (https://url.spec.whatwg.org/#path-state)."""
    if "\\" not in path and not _DOTS.search(path):
        return path
    kept: list[str] = []
    segments = path.replace("\\", "/").split("/")[1:]
    for place, segment in enumerate(segments):
        dots = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
        if dots in (".", "..") and place == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _split_port(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _unreadable()
        return host + bracket, rest[1:]
    host, _colon, port = authority.partition(":")
    return host, port


# The parts of a page lie on few hosts.
@lru_cache(maxsize=1024)
def _read_host(text: str) -> str:
    if text.startswith("["):
        try:
            # A zone ("%eth0") names a cable of this machine.
            address = IPv6Address(text[1:-1]) if "%" not in text else None
        except ValueError:
            address = None
        if address is None:
            raise _unreadable()
        return address.compressed
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _no_name(text) from error
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _no_name(text)
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        # By the URL standard such a host is a number in decimal, octal, hex or short form. Only the plain form is read:
        # any other is a spelling that no reader would recognise.
        try:
            return str(IPv4Address(name))
        except ValueError as error:
            raise AddressRefused(
                "name",
                _("“%(host)s” writes an IP address in an unusual way. Write it as four numbers, or use the name.")
                % {"host": text[:80]},
            ) from error
    return name


@lru_cache(maxsize=1024)
def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port_of(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _unreadable() -> AddressRefused:
    return AddressRefused("unreadable", _("This is not an address of a page: it cannot be read as one."))


def _no_name(text: str) -> AddressRefused:
    return AddressRefused("name", _("“%(host)s” is not a name that a site can have.") % {"host": text[:80]})


def _not_public(host: str, ip: IPv4Address | IPv6Address) -> AddressRefused:
    if host == str(ip):
        sentence = _("%(ip)s is not an address on the public internet, so nothing is fetched from it.") % {"ip": ip}
    else:
        sentence = _(
            "“%(host)s” leads to %(ip)s, which is not an address on the public internet, so nothing is fetched from it."
        ) % {"host": host, "ip": ip}
    return AddressRefused("private_address", sentence)


def _unknown(host: str, detail: str) -> Unreachable:
    return Unreachable(
        "dns", _("Nobody knows where “%(host)s” is: the name has no address.") % {"host": host}, detail=detail
    )
