"""What belongs to a page, fetched after the page itself: pictures, styles, fonts, frames, and scripts last.

Nothing in here can cost the page: whatever goes wrong with a picture is a number under a reason. Every address is
vetted like the page's own, redirects too. A few connections for a host, one budget of count, bytes and time for all.
"""

from __future__ import annotations

import heapq
import io
import os
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import webencodings

from factcheck.archive import media
from factcheck.archive.extraction.links import Link, css_links
from factcheck.outbound.addresses import Resolve, check_address, follow
from factcheck.outbound.decoding import decoded
from factcheck.outbound.errors import AddressRefused, LimitReached, OutboundError, Unreachable
from factcheck.outbound.exchanges import Exchange, Limits
from factcheck.outbound.keeping import KeptConnection, redirect_target

CONNECTIONS_PER_HOST = 4
CONNECTIONS = 8
MAX_REDIRECTS = 5
MAX_DEPTH = 3
MAX_FRAMES = 5
CSS_MAX_BYTES = 2 * 1024 * 1024
FRAME_MAX_BYTES = 5 * 1024 * 1024
# A host that asks for more patience than this is not asked again in this capture.
LONGEST_WAIT_SECONDS = 5.0
_PROGRESS_SECONDS = 1.0
_RANK = {"style": 0, "image": 1, "font": 1, "frame": 1, "icon": 2, "meta": 2, "script": 3}
_ACCEPT = {"style": "text/css,*/*;q=0.1", "frame": "text/html,application/xhtml+xml,*/*;q=0.8"}

ReadLinks = Callable[[IO[bytes], str, str], tuple[str, Sequence[Link]]]
"""Takes a file, its media type and charset; gives what its addresses are relative to, and its links."""


@dataclass(frozen=True)
class Budget:
    """``count`` addresses, ``wire_bytes`` for all of them, ``each_bytes`` for one, all of it within ``seconds``."""

    count: int
    wire_bytes: int
    each_bytes: int
    seconds: float


@dataclass
class Requisites:
    """The exchanges in the order in which the page names what they are of, redirects included. Close it."""

    exchanges: list[Exchange] = field(default_factory=list)
    found: int = 0
    kept: int = 0
    missed: dict[str, int] = field(default_factory=dict)
    _store: IO[bytes] | None = None

    @property
    def wire_bytes(self) -> int:
        return sum(exchange.length for exchange in self.exchanges)

    def close(self) -> None:
        for exchange in self.exchanges:
            exchange.close()
        if self._store is not None:
            self._store.close()


@dataclass
class _Wanted:
    url: str
    kind: str
    depth: int
    referrer: str
    host: str = ""
    tried: int = 0
    # What came of it.
    exchanges: list[Exchange] = field(default_factory=list)
    missed: str = ""
    children: list[_Wanted] = field(default_factory=list)


def fetch_requisites(
    page_url: str,
    base: str,
    links: Iterable[Link],
    *,
    budget: Budget,
    user_agent: str,
    read_links: ReadLinks,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    resolve: Resolve | None = None,
    ca_file: str | None = None,
    despite_tls: bool = False,
) -> Requisites:
    """Fetch what a page at ``page_url`` is seen with.

    ``base`` is what its links are relative to, as written in the page. Raises only what ``progress`` raises.
    """
    fetching = _Fetching(page_url, budget, user_agent, read_links, resolve, ca_file, despite_tls)
    try:
        roots = fetching.want(links, base=_joined(page_url, base) or page_url, referrer=page_url, depth=0)
        fetching.run(progress)
    except BaseException:
        fetching.discard()
        raise
    return fetching.result(roots)


class _Fetching:
    def __init__(
        self,
        page_url: str,
        budget: Budget,
        user_agent: str,
        read_links: ReadLinks,
        resolve: Resolve | None,
        ca_file: str | None,
        despite_tls: bool,
    ) -> None:
        self._budget = budget
        self._user_agent = user_agent
        self._read_links = read_links
        self._connection_options: dict[str, Any] = {
            "resolve": resolve,
            "ca_file": ca_file,
            "despite_tls": despite_tls,
        }
        self._deadline = time.monotonic() + budget.seconds
        # One file for all answers: two hundred open ones would be a worker's whole allowance.
        self._store: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._store_lock = threading.Lock()
        self._stored = 0
        self._state = threading.Condition()
        self._seen = {page_url}
        self._all: list[_Wanted] = []
        self._queue: list[tuple[int, int, _Wanted]] = []
        self._busy: Counter[str] = Counter()
        self._idle: dict[tuple[str, str], list[KeptConnection]] = defaultdict(list)
        self._not_before: dict[str, float] = {}
        self._given_up: set[str] = set()
        self._bytes_left = budget.wire_bytes
        self._working = 0
        self._done = 0
        self._frames = 0
        self._number = 0
        self._stopped = False

    # --- what is wanted

    def want(self, links: Iterable[Link], *, base: str, referrer: str, depth: int) -> list[_Wanted]:
        """Queue what was not seen before; called with the state unlocked."""
        found = []
        with self._state:
            for kind, address in sorted(links, key=lambda link: _RANK.get(link[0], 3)):
                url = _joined(base, address)
                if not url or url in self._seen:
                    continue
                self._seen.add(url)
                wanted = _Wanted(url, kind, depth, referrer, host=urlsplit(url).netloc.lower())
                found.append(wanted)
                self._all.append(wanted)
                frame_too_many = kind == "frame" and (depth > 0 or self._frames >= MAX_FRAMES)
                if len(self._all) > self._budget.count or frame_too_many:
                    wanted.missed = "too_many"
                    self._done += 1
                else:
                    self._frames += kind == "frame"
                    self._push(wanted)
            self._state.notify_all()
        return found

    def _push(self, wanted: _Wanted) -> None:
        self._number += 1
        heapq.heappush(self._queue, (_RANK.get(wanted.kind, 3) + 4 * wanted.tried, self._number, wanted))

    # --- the work

    def run(self, progress: Callable[[int, int], None]) -> None:
        threads = [
            threading.Thread(target=self._work, name=f"requisites-{number}", daemon=True)
            for number in range(min(CONNECTIONS, len(self._queue)))
        ]
        for thread in threads:
            thread.start()
        try:
            told = 0.0
            while any(thread.is_alive() for thread in threads):
                with self._state:
                    self._state.wait(_PROGRESS_SECONDS)
                    done, everything = self._done, len(self._all)
                if time.monotonic() - told >= _PROGRESS_SECONDS:
                    told = time.monotonic()
                    progress(done, everything)
        finally:
            with self._state:
                self._stopped = True
                self._state.notify_all()
            for thread in threads:
                thread.join()
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                self._fetch(wanted)
            except Exception:
                # A fault of ours in one picture must not lose the others.
                wanted.missed = "fault"
            finally:
                with self._state:
                    self._busy[wanted.host] -= 1
                    self._working -= 1
                    self._done += 1
                    self._state.notify_all()

    def _next(self) -> _Wanted | None:
        """The first in the queue whose host has a connection to spare; None when all is done or time is up."""
        with self._state:
            while True:
                now = time.monotonic()
                if self._stopped or now >= self._deadline:
                    self._miss_all("time")
                    return None
                waits = [self._deadline]
                passed: list[tuple[int, int, _Wanted]] = []
                chosen: _Wanted | None = None
                while self._queue and chosen is None:
                    item = heapq.heappop(self._queue)
                    wanted = item[2]
                    if wanted.host in self._given_up:
                        wanted.missed = "asked_to_wait"
                        self._done += 1
                    elif self._busy[wanted.host] >= CONNECTIONS_PER_HOST:
                        passed.append(item)
                    elif (free_at := self._not_before.get(wanted.host, 0.0)) > now:
                        passed.append(item)
                        waits.append(free_at)
                    else:
                        chosen = wanted
                for item in passed:
                    heapq.heappush(self._queue, item)
                if chosen is not None:
                    self._busy[chosen.host] += 1
                    self._working += 1
                    return chosen
                if not self._queue and not self._working:
                    self._state.notify_all()
                    return None
                self._state.wait(max(0.01, min(waits) - now))

    def _miss_all(self, why: str) -> None:
        while self._queue:
            heapq.heappop(self._queue)[2].missed = why
            self._done += 1

    def _fetch(self, wanted: _Wanted) -> None:
        url = wanted.url
        for _hop in range(MAX_REDIRECTS + 1):
            granted = self._grant()
            if not granted:
                wanted.missed = "too_much"
                return
            used = 0
            try:
                exchange = self._exchange(wanted, url, granted)
                used = exchange.length
            except OutboundError as error:
                wanted.missed = _reason(error)
                return
            finally:
                with self._state:
                    self._bytes_left += granted - used
            self._keep(exchange)
            wanted.exchanges.append(exchange)
            location = redirect_target(exchange)
            if location is None:
                self._look_at(wanted, exchange)
                return
            try:
                url = follow(url, location) or ""
            except OutboundError as error:
                wanted.missed = _reason(error)
                return
            if not url:
                wanted.missed = "absent"
                return
            with self._state:
                if url in self._seen and url != wanted.url:
                    # Somebody else fetches it, or has.
                    return
                self._seen.add(url)
        wanted.missed = "refused"

    def _grant(self) -> int:
        with self._state:
            granted = max(0, min(self._budget.each_bytes, self._bytes_left))
            self._bytes_left -= granted
            return granted

    def _exchange(self, wanted: _Wanted, url: str, max_bytes: int) -> Exchange:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.netloc.lower())
        with self._state:
            idle = self._idle[origin]
            connection = idle.pop() if idle else KeptConnection(**self._connection_options)
        headers = {
            "User-Agent": self._user_agent,
            "Accept": _ACCEPT.get(wanted.kind, "*/*"),
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
        }
        if referrer := _referrer(wanted.referrer, url):
            headers["Referer"] = referrer
        try:
            return connection.get(url, headers, deadline=self._deadline, max_bytes=max_bytes)
        finally:
            with self._state:
                self._idle[origin].append(connection)

    def _keep(self, exchange: Exchange) -> None:
        """Move an answer into the common file."""
        spool = exchange.response
        spool.seek(0)
        with self._store_lock:
            begin = self._stored
            self._store.seek(begin)
            while piece := spool.read(1 << 18):
                self._store.write(piece)
            self._store.flush()
            self._stored = begin + exchange.length
        spool.close()
        exchange.response = io.BufferedReader(_Slice(self._store.fileno(), begin, exchange.length))

    def _look_at(self, wanted: _Wanted, exchange: Exchange) -> None:
        if exchange.status in (429, 503):
            self._be_patient(wanted, exchange)
            return
        if not 200 <= exchange.status < 300:
            wanted.missed = "absent"
            return
        if exchange.truncated:
            wanted.missed = {"length": "too_large", "time": "time"}.get(exchange.truncated, "unreachable")
            return
        if wanted.depth < MAX_DEPTH and wanted.kind in ("style", "frame"):
            links, base = self._links_in(wanted, exchange)
            wanted.children = self.want(links, base=base, referrer=exchange.url, depth=wanted.depth + 1)

    def _be_patient(self, wanted: _Wanted, exchange: Exchange) -> None:
        asked = (exchange.header("retry-after") or "").strip()
        seconds = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else LONGEST_WAIT_SECONDS + 1
        with self._state:
            if seconds > LONGEST_WAIT_SECONDS or wanted.tried:
                self._given_up.add(wanted.host)
                wanted.missed = "asked_to_wait"
            else:
                wanted.tried += 1
                self._not_before[wanted.host] = time.monotonic() + seconds
                self._done -= 1
                self._push(wanted)

    def _links_in(self, wanted: _Wanted, exchange: Exchange) -> tuple[Sequence[Link], str]:
        most = CSS_MAX_BYTES if wanted.kind == "style" else FRAME_MAX_BYTES
        unpacked = decoded(exchange, Limits(most, most, 10.0))
        declared, charset = media.declared(exchange.header("content-type"))
        if wanted.kind == "style":
            text, _encoding = webencodings.decode(unpacked.bytes, _known(charset))
            return css_links(text), exchange.url
        media_type = media.sniff(unpacked.bytes[: media.HEAD_BYTES], declared)
        with tempfile.TemporaryFile() as file:
            file.write(unpacked.bytes)
            file.seek(0)
            base, links = self._read_links(file, media_type, charset)
        return links, _joined(exchange.url, base) or exchange.url

    # --- the end

    def result(self, roots: list[_Wanted]) -> Requisites:
        made = Requisites(found=len(self._all), _store=self._store)
        missed: Counter[str] = Counter()
        waiting = list(reversed(roots))
        while waiting:
            wanted = waiting.pop()
            made.exchanges += wanted.exchanges
            if wanted.missed:
                missed[wanted.missed] += 1
            else:
                made.kept += 1
            waiting += reversed(wanted.children)
        made.missed = dict(sorted(missed.items()))
        return made

    def discard(self) -> None:
        for wanted in self._all:
            for exchange in wanted.exchanges:
                exchange.close()
        self._store.close()


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


def _joined(base: str, address: str) -> str:
    """The whole address in the form that it will be asked for, without its fragment; "" for no address of a page."""
    try:
        joined = urljoin(base, address.strip())
        return check_address(joined).url if joined.lower().startswith(("http:", "https:")) else ""
    except AddressRefused:
        # Kept as it is, so that it is counted as refused when it is to be fetched.
        return joined.partition("#")[0]
    except ValueError:
        return ""


def _referrer(page: str, url: str) -> str:
    """As browsers do by default: the page to its own origin, the origin to others, nothing to a less safe one."""
    here, there = urlsplit(page), urlsplit(url)
    if here.scheme == "https" and there.scheme != "https":
        return ""
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return page.partition("#")[0]
    return f"{here.scheme}://{here.netloc}/"


def _known(charset: str) -> str:
    return charset if charset and webencodings.lookup(charset) else "utf-8"


def _reason(error: OutboundError) -> str:
    if isinstance(error, AddressRefused):
        return "refused"
    if isinstance(error, LimitReached):
        return "too_large"
    return "time" if isinstance(error, Unreachable) and error.code == "timeout" else "unreachable"
