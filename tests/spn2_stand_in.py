"""The Internet Archive for tests: Save Page Now 2 and the CDX index, as their published descriptions have them.

    with spn2_stand_in.serve() as archive:
        archive.holds("https://example.org/", b"<p>Hello</p>", "20261101120000")

Written after the description of 2025-10-22; whether the live service answers so, nobody here has tried. Each test says
what it should answer next: ``jobs`` maps a job to the answers to come, the last of which stays.
"""

import gzip
import json
import threading
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import override_settings

ACCESS, SECRET = "access-key", "secret-of-it"
JOB_ID = "spn2-" + "0123456789abcdef" * 2 + "01234567"


@dataclass(frozen=True)
class Answer:
    """Anything else than the documented JSON with status 200."""

    body: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Held:
    timestamp: str
    original: str
    payload: bytes
    headers: tuple[tuple[str, str], ...]
    status: str
    listed: bool

    @property
    def digest(self) -> str:
        return b32encode(sha1(self.payload).digest()).decode()


@dataclass
class InternetArchive:
    url: str = ""
    # What /save and /save/status/user answer next; the last of each stays.
    save: list[Any] = field(default_factory=list)
    user: list[Any] = field(default_factory=list)
    jobs: dict[str, list[Any]] = field(default_factory=dict)
    # An answer of the index in place of what it holds.
    index: list[Any] = field(default_factory=list)
    copies: list[Held] = field(default_factory=list)
    # Method, path and form of each request that arrived.
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def holds(
        self,
        original: str,
        page: bytes,
        timestamp: str,
        *,
        packed: bool = False,
        status: str = "200",
        listed: bool = True,
    ) -> Held:
        """Has it hold a copy. Their digest is of the bytes as they travelled. ``listed``: also in the index."""
        payload = gzip.compress(page, mtime=0) if packed else page
        headers = (("Content-Encoding", "gzip"),) if packed else ()
        held = Held(timestamp, original, payload, headers, status, listed)
        self.copies.append(held)
        return held

    def paths(self) -> list[str]:
        """What was asked for, without queries."""
        return [f"{method} {path.partition('?')[0]}" for method, path, _form in self.asked]

    def answer(self, method: str, path: str, form: dict[str, str], authorization: str) -> Answer:
        parts = urlsplit(path)
        if parts.path.startswith("/save"):
            if authorization != f"LOW {ACCESS}:{SECRET}":
                return Answer({"message": "You need to be logged in to use Save Page Now."}, 401)
            if method == "POST" and parts.path == "/save":
                return _next(self.save, {"url": form.get("url", ""), "job_id": JOB_ID})
            if parts.path == "/save/status/user" and "_t=" in parts.query:
                quiet = {"available": 12, "processing": 0, "daily_captures": 3, "daily_captures_limit": 30_000}
                return _next(self.user, quiet)
            if parts.path.startswith("/save/status/"):
                answers = self.jobs.get(parts.path.rpartition("/")[2])
                gone = {"status": "error", "message": "Job not found."}
                return Answer(gone, 404) if answers is None else _next(answers, None)
        if parts.path == "/cdx/search/cdx":
            return self._search({name: values[0] for name, values in parse_qs(parts.query).items()})
        if parts.path.startswith("/web/"):
            timestamp, _slash, original = path.removeprefix("/web/").partition("id_/")
            for held in self.copies:
                if (held.timestamp, held.original) == (timestamp, original):
                    return Answer(held.payload, int(held.status), held.headers)
            for held in self.copies:
                if held.original == original:
                    nearest = f"{self.url}/web/{held.timestamp}id_/{original}"
                    return Answer(b"Found elsewhere.", 302, (("Location", nearest),))
        return Answer(b"Not found", 404)

    def _search(self, asked: dict[str, str]) -> Answer:
        if self.index:
            return _next(self.index, None)
        found = [
            held
            for held in sorted(self.copies, key=lambda held: held.timestamp)
            if held.listed and held.original == asked["url"]
            if asked.get("from", "") <= held.timestamp
            if held.timestamp <= asked.get("to", "9")
        ]
        limit = int(asked["limit"])
        found = found[limit:] if limit < 0 else found[:limit]
        names = asked["fl"].split(",")
        rows = [
            [
                {"timestamp": h.timestamp, "original": h.original, "statuscode": h.status, "digest": h.digest}[n]
                for n in names
            ]
            for h in found
        ]
        return Answer([names, *rows] if rows else [])


def _next(answers: list[Any], otherwise: Any) -> Answer:
    answer = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else otherwise
    return answer if isinstance(answer, Answer) else Answer(answer)


def success(original: str, timestamp: str) -> dict[str, Any]:
    return {
        "status": "success",
        "job_id": JOB_ID,
        "original_url": original,
        "timestamp": timestamp,
        "duration_sec": 6.203,
        "resources": [original],
        "outlinks": {},
    }


def pending() -> dict[str, Any]:
    return {"status": "pending", "job_id": JOB_ID, "resources": []}


def error(code: str, message: str = "It went wrong.") -> dict[str, Any]:
    return {"status": "error", "job_id": JOB_ID, "status_ext": f"error:{code}", "message": message, "resources": []}


@contextmanager
def serve(*, key: bool = True) -> Iterator[InternetArchive]:
    """The service on loopback, set as the one to ask; with ``key`` also the newsroom's key."""
    archive = InternetArchive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do({})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._do({name: values[0] for name, values in form.items()})

        def _do(self, form: dict[str, str]) -> None:
            archive.asked.append((self.command, self.path, form))
            answer = archive.answer(self.command, self.path, form, self.headers.get("Authorization", ""))
            content = answer.content
            self.send_response(answer.status)
            for name, value in (("Content-Length", str(len(content))), *answer.headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Tests look at ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    pair = f"127.0.0.1:{server.server_port}"
    archive.url = f"http://{pair}"
    from django.conf import settings

    chosen = {
        "WITNESS_IA_URL": archive.url,
        "WITNESS_IA_ACCESS_KEY": ACCESS if key else "",
        "WITNESS_IA_SECRET": SECRET if key else "",
        "ARCHIVE_ALLOW_LOOPBACK": [*settings.ARCHIVE_ALLOW_LOOPBACK, pair],
    }
    try:
        with override_settings(**chosen):
            yield archive
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
