"""What belongs to a page, fetched after the page itself: pictures, styles, fonts, frames, and scripts last.

Nothing in here can cost the page: whatever goes wrong with a picture is a number under a reason. Every address is
vetted like the page's own, redirects too. A few connections for a host, one budget of count, bytes and time for all.
"""

from __future__ import annotations

import heapq
import logging
import tempfile
import threading
import time
from collections import Counter
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
from factcheck.outbound.exchanges import Exchange, Limits, Store
from factcheck.outbound.keeping import KeptConnection
from factcheck.outbound.recording import redirect_of

logger = logging.getLogger(__name__)

CONNECTIONS_PER_HOST = 4
CONNECTIONS = 8
MAX_REDIRECTS = 5
# A few that drip must not cost all the others.
EACH_SECONDS = 15.0
MAX_DEPTH = 3
MAX_FRAMES = 5
# Style sheets can name addresses without end; what is beyond this is not even counted.
MAX_FOUND = 10_000
# Two hundred parts on two hundred hosts must not keep two hundred connections open.
MAX_IDLE = 16
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
    _store: Store | None = None

    @property
    def wire_bytes(self) -> int:
        return sum(exchange.length for exchange in self.exchanges)

    def close(self) -> None:
        for exchange in self.exchanges:
            exchange.close()
        if self._store is not None:
            self._store.close()


@dataclass(eq=False)
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
    # Where it redirects to, if somebody else fetches that.
    continued: str = ""


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
        self._store = Store()
        self._state = threading.Condition()
        self._page_url = page_url
        # Who fetches an address, those met on redirects included.
        self._owners: dict[str, _Wanted] = {}
        self._met: dict[str, _Wanted] = {}
        self._all: list[_Wanted] = []
        self._queues: dict[str, list[tuple[int, int, _Wanted]]] = {}
        self._busy: Counter[str] = Counter()
        self._idle: dict[tuple[str, str], list[KeptConnection]] = {}
        self._reading = threading.Lock()
        self._not_before: dict[str, float] = {}
        self._given_up: set[str] = set()
        self._bytes_left = budget.wire_bytes
        # How many answers have bytes set aside for them.
        self._holding = 0
        self._working = 0
        self._done = 0
        self._frames = 0
        self._number = 0
        self._stopped = False

    # --- what is wanted

    def want(self, links: Iterable[Link], *, base: str, referrer: str, depth: int) -> list[_Wanted]:
        """Queue what was not seen before; gives all that is meant. Called with the state unlocked."""
        meant: dict[str, _Wanted] = {}
        with self._state:
            for kind, address in sorted(links, key=lambda link: _RANK.get(link[0], 3)):
                url = _joined(base, address)
                if not url or url == self._page_url or url in meant:
                    continue
                known = self._met.get(url) or self._owners.get(url)
                if known is not None and known.url == url:
                    meant[url] = known
                elif len(self._all) < MAX_FOUND:
                    meant[url] = self._want_new(_Wanted(url, kind, depth, referrer, host=_host(url)))
            self._state.notify_all()
        return list(meant.values())

    def _want_new(self, wanted: _Wanted) -> _Wanted:
        self._all.append(wanted)
        if self._owners.setdefault(wanted.url, wanted) is not wanted:
            # Met on a redirect before it was named.
            wanted.continued = wanted.url
            self._met[wanted.url] = wanted
            self._done += 1
            return wanted
        is_frame = wanted.kind == "frame"
        if len(self._all) > self._budget.count or (is_frame and (wanted.depth > 0 or self._frames >= MAX_FRAMES)):
            wanted.missed = "too_many"
            self._done += 1
        else:
            self._frames += is_frame
            self._push(wanted)
        return wanted

    def _push(self, wanted: _Wanted) -> None:
        self._number += 1
        rank = _RANK.get(wanted.kind, 3) + 4 * wanted.tried
        heapq.heappush(self._queues.setdefault(wanted.host, []), (rank, self._number, wanted))

    # --- the work

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Hand out work to as many threads as there is work for, until all is done or the time is up."""
        threads: list[threading.Thread] = []
        try:
            told = 0.0
            while True:
                with self._state:
                    while self._working < CONNECTIONS and (wanted := self._take()) is not None:
                        thread = threading.Thread(
                            target=self._work, args=(wanted,), name=f"requisites-{len(threads)}", daemon=True
                        )
                        self._working += 1
                        threads.append(thread)
                        thread.start()
                    if not self._working and not self._queues:
                        return
                    self._state.wait(self._pause())
                    done, everything = self._done, len(self._all)
                if time.monotonic() - told >= _PROGRESS_SECONDS:
                    told = time.monotonic()
                    progress(done, everything)
        finally:
            with self._state:
                self._stopped = True
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()

    def _pause(self) -> float:
        """Until the next host may be asked again, at most as long as news may take."""
        now = time.monotonic()
        waits = [self._not_before[host] - now for host in self._queues if self._not_before.get(host, 0.0) > now]
        return max(0.01, min([_PROGRESS_SECONDS, self._deadline - now, *waits])) if self._queues else _PROGRESS_SECONDS

    def _work(self, first: _Wanted) -> None:
        wanted: _Wanted | None = first
        while wanted is not None:
            try:
                self._fetch(wanted)
            except Exception:
                # A fault of ours in one picture must not lose the others.
                logger.exception("A part of a page could not be fetched.")
                wanted.missed = "fault"
            with self._state:
                self._busy[wanted.host] -= 1
                self._done += 1
                wanted = self._take()
                if wanted is None:
                    self._working -= 1
                    self._state.notify_all()

    def _take(self) -> _Wanted | None:
        """The first that waits for a host with a connection to spare; None when nothing can be done now."""
        now = time.monotonic()
        if self._stopped or now >= self._deadline:
            for host in list(self._queues):
                self._miss_queue(host, "time")
            return None
        best: str | None = None
        for host in list(self._queues):
            if host in self._given_up:
                self._miss_queue(host, "asked_to_wait")
            elif self._busy[host] >= CONNECTIONS_PER_HOST or self._not_before.get(host, 0.0) > now:
                continue
            elif best is None or self._queues[host][0] < self._queues[best][0]:
                best = host
        if best is None:
            return None
        wanted = heapq.heappop(self._queues[best])[2]
        if not self._queues[best]:
            del self._queues[best]
        self._busy[best] += 1
        return wanted

    def _miss_queue(self, host: str, why: str) -> None:
        for _rank, _number, wanted in self._queues.pop(host):
            wanted.missed = why
            self._done += 1

    def _fetch(self, wanted: _Wanted) -> None:
        url, before = wanted.url, len(wanted.exchanges)
        for _hop in range(MAX_REDIRECTS + 1):
            if _host(url) in self._given_up:
                wanted.missed = "asked_to_wait"
                return
            granted = self._grant()
            if not granted:
                wanted.missed = "too_much" if time.monotonic() < self._deadline else "time"
                return
            used = 0
            try:
                exchange = self._exchange(wanted, url, granted)
                used = exchange.length
            except OutboundError as error:
                wanted.missed = _reason(error)
                return
            finally:
                self._give_back(granted, used)
            self._store.keep(exchange)
            wanted.exchanges.append(exchange)
            location = redirect_of(exchange)
            if location is None:
                self._look_at(wanted, exchange)
                return
            try:
                following = follow(exchange.url, location)
                url = check_address(following).url if following else ""
            except OutboundError as error:
                wanted.missed = _reason(error)
                return
            if not url:
                wanted.missed = "absent"
                return
            with self._state:
                owner = self._owners.setdefault(url, wanted)
            if url == self._page_url:
                # "Not there" in the manner of sites that send everybody home.
                wanted.missed = "absent"
                return
            if owner is not wanted:
                wanted.continued = url
                return
            if any(url == passed.url for passed in wanted.exchanges[before:]):
                break
        wanted.missed = "refused"

    def _grant(self) -> int:
        """Bytes for one answer; 0 when none are left. Near the end one after another: most need few of theirs."""
        with self._state:
            most = min(self._budget.each_bytes, self._budget.wire_bytes)
            while self._bytes_left < most and self._holding and not self._stopped:
                if (left := self._deadline - time.monotonic()) <= 0:
                    return 0
                self._state.wait(min(left, _PROGRESS_SECONDS))
            granted = max(0, min(most, self._bytes_left))
            self._bytes_left -= granted
            self._holding += granted > 0
            return granted

    def _give_back(self, granted: int, used: int) -> None:
        with self._state:
            self._bytes_left += granted - used
            self._holding -= 1
            self._state.notify_all()

    def _exchange(self, wanted: _Wanted, url: str, max_bytes: int) -> Exchange:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.netloc.lower())
        with self._state:
            idle = self._idle.get(origin)
            connection = idle.pop() if idle else KeptConnection(**self._options_for(parts.netloc.lower()))
            if not idle:
                self._idle.pop(origin, None)
        headers = {
            "User-Agent": self._user_agent,
            "Accept": _ACCEPT.get(wanted.kind, "*/*"),
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
        }
        if referrer := _referrer(wanted.referrer, url):
            headers["Referer"] = referrer
        try:
            deadline = min(self._deadline, time.monotonic() + EACH_SECONDS)
            return connection.get(url, headers, deadline=deadline, max_bytes=max_bytes)
        finally:
            with self._state:
                # The one used last goes to the end, so that the first has been idle longest.
                self._idle[origin] = [*self._idle.pop(origin, []), connection]
                dropped = None
                if sum(map(len, self._idle.values())) > MAX_IDLE:
                    oldest = next(iter(self._idle))
                    dropped = self._idle[oldest].pop(0)
                    if not self._idle[oldest]:
                        del self._idle[oldest]
            if dropped is not None:
                dropped.close()

    def _options_for(self, host: str) -> dict[str, Any]:
        """An editor's leave for a certificate that is not valid is for the page's own site and no other."""
        despite_tls = self._connection_options["despite_tls"] and host == urlsplit(self._page_url).netloc.lower()
        return self._connection_options | {"despite_tls": despite_tls}

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
        host = _host(exchange.url)
        with self._state:
            if seconds > LONGEST_WAIT_SECONDS or wanted.tried or host != wanted.host:
                self._given_up.add(host)
                wanted.missed = "asked_to_wait"
            else:
                wanted.tried += 1
                self._not_before[host] = time.monotonic() + seconds
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
        # One at a time: each has a process of its own, with its memory.
        with self._reading, tempfile.TemporaryFile() as file:
            if time.monotonic() >= self._deadline:
                return (), exchange.url
            file.write(unpacked.bytes)
            file.seek(0)
            base, links = self._read_links(file, media_type, charset)
        return links, _joined(exchange.url, base) or exchange.url

    # --- the end

    def result(self, roots: list[_Wanted]) -> Requisites:
        """In the order of the page, whoever was quicker: what two need stands where the first names it."""
        made = Requisites(found=len(self._all), _store=self._store)
        placed: set[int] = set()
        walked: set[str] = set()
        waiting = list(reversed(roots))
        while waiting:
            wanted = waiting.pop()
            if wanted.url in walked:
                continue
            walked.add(wanted.url)
            for exchange in self._answers_of(wanted):
                if id(exchange) not in placed:
                    placed.add(id(exchange))
                    made.exchanges.append(exchange)
            waiting += reversed(self._last_of(wanted).children)
        # A sheet that was not walked through, since somebody's fault lost the way to it, loses nothing that came.
        for wanted in self._all:
            made.exchanges += [exchange for exchange in wanted.exchanges if id(exchange) not in placed]
            placed.update(map(id, wanted.exchanges))
        missed = Counter(filter(None, map(self._why_missed, self._all)))
        made.missed = dict(sorted(missed.items()))
        made.kept = made.found - missed.total()
        return made

    def _steps(self, wanted: _Wanted) -> list[tuple[str, _Wanted]]:
        """Who fetched what on the way from an address to what it leads to; a circle is gone through once."""
        steps = [(wanted.url, wanted)]
        while url := steps[-1][1].continued:
            step = (url, self._owners[url])
            if step in steps:
                break
            steps.append(step)
        return steps

    def _answers_of(self, wanted: _Wanted) -> list[Exchange]:
        answers: list[Exchange] = []
        for url, owner in self._steps(wanted):
            urls = [exchange.url for exchange in owner.exchanges]
            answers += owner.exchanges[urls.index(url) :] if url in urls else []
        return answers

    def _last_of(self, wanted: _Wanted) -> _Wanted:
        return self._steps(wanted)[-1][1]

    def _why_missed(self, wanted: _Wanted) -> str:
        last = self._last_of(wanted)
        return last.missed or ("refused" if last.continued else "")

    def discard(self) -> None:
        for wanted in self._all:
            for exchange in wanted.exchanges:
                exchange.close()
        self._store.close()


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


def _host(url: str) -> str:
    """What waits and connections are counted by; "" for what is refused anyway."""
    try:
        return urlsplit(url).netloc.lower()
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
