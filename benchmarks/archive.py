"""The archiver beside GNU wget: the same made-up site, on this machine, in one run.

    make bench-archive                      # both, at 0 and 50 ms; prints a table
    make bench-archive ARGS="--pages 10"
    make bench-archive ARGS="--documents"   # the worker's memory with documents of 1 to 500 MB
    make bench-archive ARGS="--write"       # also into docs/benchmarks.md

The site's server is a process of its own and is not counted. CPU is that of all processes of a peer, memory the
highest sum of their proportional set sizes, completeness what the server saw asked for against what the pages name.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import platform
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
PAGES, REQUISITES, HOSTS, THREADS = 50, 50, 8, 8
LATENCIES_MS = (0, 50)
SAMPLE_SECONDS = 0.1
PYTHON = (sys.executable, "-m", "benchmarks.archive")
DOCUMENT_MEGABYTES = (1, 10, 100, 500)
DOCUMENT_TYPES = ("text/html", "video/mp4")


# --- the site ---------------------------------------------------------------------------------------------------------


def make_site(pages: int, *, seed: int = 1) -> tuple[dict[str, tuple[str, bytes]], dict[str, list[str]]]:
    """Files by path, with their types, and for each page the paths that it names.

    Sizes are those of news pages: 80 kB of markup, two style sheets that name fonts and a background, four
    scripts, the rest images of 3 to 80 kB, of which two are in a srcset alone and two are lazy.
    """
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 11))) for _word in range(4_000)]

    def prose(count: int) -> str:
        return " ".join(chance.choices(words, k=count)).capitalize() + "."

    files: dict[str, tuple[str, bytes]] = {}
    named: dict[str, list[str]] = {}

    def put(page: int, name: str, media_type: str, data: bytes) -> str:
        path = f"/p{page}/{name}"
        files[path] = (media_type, data)
        named[f"/p{page}/"].append(path)
        return path

    for page in range(pages):
        named[f"/p{page}/"] = []
        fonts = [put(page, f"f{n}.woff2", "font/woff2", chance.randbytes(24_000)) for n in range(2)]
        background = put(page, "back.png", "image/png", b"\x89PNG\r\n\x1a\n" + chance.randbytes(9_000))
        styles = []
        for number in range(2):
            rules = [
                f".{a}-{b} {{ margin: {n}px; color: #{n:06x} }}"
                for n, (a, b) in enumerate(zip(words, words[9:600], strict=False))
            ]
            rules.append(f"@font-face {{ font-family: f{number}; src: url({fonts[number]}) format('woff2') }}")
            rules += [f"body {{ background: url('{background}') }}"] if number else []
            styles.append(put(page, f"s{number}.css", "text/css", "\n".join(rules).encode()))
        scripts = [
            put(page, f"j{n}.js", "text/javascript", f"var text = {json.dumps(prose(5_000))};".encode())
            for n in range(4)
        ]
        images = []
        for number in range(REQUISITES - 9):
            size = int(min(80_000, max(3_000, chance.lognormvariate(9.7, 0.8))))
            images.append(put(page, f"i{number}.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + chance.randbytes(size)))
        body = []
        for number in range(110):
            body.append(
                f'<p class="{chance.choice(words)}">{prose(60)} <a href="/p{number}/">{prose(4)}</a> {prose(30)}</p>'
            )
        for number, image in enumerate(images):
            tag = f'<img src="{image}" alt="{prose(5)}">'
            if number < 2:
                tag = f'<img srcset="{image} 2x" alt="">'
            elif number < 4:
                tag = f'<img data-src="{image}" class="lazy" alt="">'
            body.insert(3 * number, f"<figure>{tag}<figcaption>{prose(9)}</figcaption></figure>")
        head = "".join(f'<link rel="stylesheet" href="{style}">' for style in styles)
        tail = "".join(f'<script src="{script}"></script>' for script in scripts)
        files[f"/p{page}/"] = (
            "text/html; charset=utf-8",
            f"<!doctype html><html><head><title>{prose(6)}</title>{head}</head><body>"
            f"<article><h1>{prose(8)}</h1>{''.join(body)}</article>{tail}</body></html>".encode(),
        )
    return files, named


class _Server(asyncio.Protocol):
    """Just enough of HTTP/1.1 for peers that ask properly; answers lie ready."""

    answers: dict[str, tuple[bytes, bytes]] = {}
    delay = 0.0
    asked: set[str] = set()
    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
            path = head.split(b" ", 2)[1].decode("latin-1")
            close = b"connection: close" in head.lower()
            if path == "/__asked":
                self.transport.write(_answer("application/json", json.dumps(sorted(_Server.asked)).encode()))
                continue
            _Server.requests += 1
            _Server.asked.add(path)
            plain, packed = self.answers.get(path, (_NOT_FOUND, _NOT_FOUND))
            answer = packed if b"gzip" in head else plain
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self._send, answer, close)
            else:
                self._send(answer, close)

    def _send(self, answer: bytes, close: bool) -> None:
        self.transport.write(answer)
        if close:
            self.transport.close()


def _answer(media_type: str, body: bytes, *, status: str = "200 OK", coding: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{coding}Last-Modified: Mon, 05 Jan 2026 06:00:00 GMT\r\n\r\n".encode() + body


_NOT_FOUND = _answer("text/plain", b"not here", status="404 Not Found")


def serve(pages: int, latency_ms: int) -> None:
    for path, (media_type, data) in make_site(pages)[0].items():
        plain = packed = _answer(media_type, data)
        if media_type.startswith("text/"):
            packed = _answer(media_type, gzip.compress(data, 6), coding="Content-Encoding: gzip\r\n")
        _Server.answers[path] = (plain, packed)
    _Server.delay = latency_ms / 1000
    serve_answers(HOSTS)


def serve_document(media_type: str, megabytes: int) -> None:
    """One document at ``/``: packed prose, or bytes that cannot be packed."""
    if media_type == "text/html":
        files, _named = make_site(8)
        block = b"\n".join(b"\n".join(re.findall(rb"<p.*?</p>", files[f"/p{page}/"][1])) for page in range(8))
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        pieces = [packer.compress(b"<!doctype html><title>One</title>")]
        pieces += [packer.compress(block) for _number in range(megabytes * 1_000_000 // len(block))]
        answer = _answer(media_type, b"".join([*pieces, packer.flush()]), coding="Content-Encoding: gzip\r\n")
    else:
        answer = _answer(media_type, b"\0\0\0\x18ftypmp42" + random.Random(1).randbytes(1_000_000) * megabytes)
    _Server.answers["/"] = (answer, answer)
    serve_answers(hosts=1)


def serve_answers(hosts: int) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Server, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        for host in range(2, hosts + 1):
            await loop.create_server(_Server, f"127.0.0.{host}", port, backlog=1024)
        print(port, flush=True)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def site(*what: object) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.archive", *map(str, what)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def addresses(pages: int, port: int) -> list[str]:
    return [f"http://127.0.0.{1 + page % HOSTS}:{port}/p{page}/" for page in range(pages)]


# --- measuring --------------------------------------------------------------------------------------------------------


@dataclass
class Result:
    name: str
    latency_ms: int
    pages: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    disk_bytes: int
    complete: float
    lazy: float
    # Of ``cpu_seconds``: until the first page could be taken.
    start_seconds: float = 0.0

    def row(self) -> str:
        return (
            f"| {self.name} | {self.latency_ms} ms | {self.pages / self.seconds:.2f}"
            f" | {self.cpu_seconds / self.pages:.3f}"
            f" | {(self.cpu_seconds - self.start_seconds) / self.pages:.3f}"
            f" | {self.peak_bytes / 1e6:.0f} | {self.disk_bytes / self.pages / 1e3:.0f}"
            f" | {100 * self.complete:.1f} % | {100 * self.lazy:.0f} % |"
        )


def _descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def _memory(root: int) -> int:
    total = 0
    for pid in _descendants(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        if match := re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE):
            total += 1024 * int(match[1])
    return total


def measured(command: list[str], environment: dict[str, str], cwd: Path) -> tuple[float, float, int]:
    """Seconds, CPU seconds of all processes, peak memory; ``command`` waits for every child of its own."""
    peak = 0
    ended = threading.Event()
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.DEVNULL)

    def sample() -> None:
        nonlocal peak
        while not ended.wait(SAMPLE_SECONDS):
            peak = max(peak, _memory(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    _pid, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    ended.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    # wget says 8 when any answer was an error.
    if process.returncode not in (0, 8):
        raise SystemExit(f"{command[0]} ended with {process.returncode}.")
    return seconds, usage.ru_utime + usage.ru_stime, peak


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _completeness(port: int, named: dict[str, list[str]]) -> tuple[float, float]:
    with urlopen(f"http://127.0.0.1:{port}/__asked") as answer:
        asked = set(json.load(answer))
    wanted = [path for paths in named.values() for path in paths]
    lazy = [path for path in wanted if re.search(r"/i[23]\.jpg$", path)]
    static = [path for path in wanted if path not in set(lazy)]
    share: Callable[[list[str]], float] = lambda paths: sum(path in asked for path in paths) / len(paths)  # noqa: E731
    return share(static), share(lazy)


# --- the peers --------------------------------------------------------------------------------------------------------


def run_wget(pages: int, latency_ms: int, work: Path) -> Result:
    named = make_site(pages)[1]
    with site("serve", pages, latency_ms) as port:
        (work / "list").write_text("\n".join(addresses(pages, port)))
        command = ["wget", "--quiet", "--page-requisites", "--span-hosts", "--compression=gzip", "--warc-file=out"]
        command += ["--no-warc-keep-log", "--directory-prefix=files", "--input-file=list", "--timeout=60", "--tries=1"]
        seconds, cpu, peak = measured(command, {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, work)
        complete, lazy = _completeness(port, named)
    disk = sum(file.stat().st_size for file in work.glob("out*.warc.gz"))
    return Result("GNU wget, one process, gzip asked", latency_ms, pages, seconds, cpu, peak, disk, complete, lazy)


def _environment(work: Path, port: int, hosts: list[str]) -> dict[str, str]:
    (work / "static").mkdir()
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return kept | {
        "FACTCHECK_TESTING": "1",
        "FACTCHECK_VAR": str(work),
        "ARCHIVE_ALLOW_LOOPBACK": ",".join(hosts),
        "ARCHIVE_PORTS": str(port),
        "CAPTURE_HOST_SPACING_SECONDS": "0",
        "PYTHONWARNINGS": "ignore",
        # As in the Dockerfile.
        "MALLOC_ARENA_MAX": "2",
    }


def _python(environment: dict[str, str], *arguments: str) -> str:
    answer = subprocess.run(
        [*PYTHON, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return answer.stdout.strip()


def run_ours(pages: int, latency_ms: int, work: Path) -> Result:
    named = make_site(pages)[1]
    with site("serve", pages, latency_ms) as port:
        hosts = [f"127.0.0.{1 + host}:{port}" for host in range(HOSTS)]
        environment = _environment(work, port, hosts)
        _python(environment, "order", *addresses(pages, port))
        before = _size(work)
        _seconds, start, _peak = measured([*PYTHON, "start"], environment, ROOT)
        seconds, cpu, peak = measured([*PYTHON, "work", str(THREADS)], environment, ROOT)
        complete, lazy = _completeness(port, named)
        print(f"  outcomes: {_python(environment, 'outcomes')}", file=sys.stderr)
    disk = _size(work) - before
    name = f"Factcheck, one worker process, {THREADS} threads"
    return Result(name, latency_ms, pages, seconds, cpu, peak, disk, complete, lazy, start)


def run_document(media_type: str, megabytes: int, work: Path) -> str:
    """A row of the second table: one document, its caps out of the way."""
    with site("serve-document", media_type, megabytes) as port:
        host = f"127.0.0.1:{port}"
        caps = ("CAPTURE_MAX_BYTES", "CAPTURE_MAX_DECODED_BYTES", "CAPTURE_MAX_TOTAL_BYTES")
        environment = _environment(work, port, [host]) | dict.fromkeys(caps, str(1 << 30))
        environment |= {"CAPTURE_TIMEOUT_SECONDS": "600", "CAPTURE_MAX_REQUISITES": "0"}
        _python(environment, "order", f"http://{host}/")
        seconds, _cpu, peak = measured([*PYTHON, "work", "1"], environment, ROOT)
        said = _python(environment, "texts")
    own = int((work / "peak").read_text())
    return f"| {media_type} | {megabytes} | {said} | {seconds:.1f} | {own / 1e6:.0f} | {peak / 1e6:.0f} |"


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "factcheck.settings"
    import django

    django.setup()


def order(urls: list[str]) -> None:
    _set_up_django()
    from django.core.management import call_command

    from factcheck.archive.services import request_capture

    call_command("migrate", verbosity=0)
    for url in urls:
        request_capture(url, by=None, patient=False)


def start() -> None:
    """What a worker costs before its first page: everything loaded, and the process ready that forks its readers."""
    _set_up_django()
    from factcheck.archive import capturing, nursery
    from factcheck.archive.extracting import extract

    assert capturing
    with tempfile.TemporaryFile() as file:
        extract(file, "text/html")
    nursery.close()


def work_off(threads: int) -> None:
    """What a worker does, until nothing is due: every thread takes jobs, and at the end packages are signed."""
    _set_up_django()
    from django.db import connection

    from factcheck.archive import nursery
    from factcheck.archive.signing import sign_packages
    from factcheck.jobs.models import Job
    from factcheck.jobs.running import run_due_jobs
    from factcheck.ledger import keys

    def take() -> None:
        # While another thread has the place of a host, nothing is due for this one.
        while Job.objects.exclude(state__in=("done", "failed")).exists():
            if not run_due_jobs():
                time.sleep(0.1)
        connection.close()

    takers = [threading.Thread(target=take) for _number in range(threads)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    keys.hold()
    while sign_packages():
        pass
    nursery.close()
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (Path(os.environ["FACTCHECK_VAR"]) / "peak").write_text(str(peak))


def outcomes() -> None:
    _set_up_django()
    from django.db.models import Count

    from factcheck.archive.models import Capture

    print(dict(Capture.objects.values_list("outcome").annotate(Count("pk"))))


def texts() -> None:
    _set_up_django()
    from factcheck.archive.models import Capture

    capture = Capture.objects.get()
    layers = [f"{layer.kind} {layer.outcome} {layer.detail}".strip() for layer in capture.layers.order_by("id")]
    print(f"{capture.outcome} | {capture.body_bytes} | {', '.join(layers)}")


# --- the table --------------------------------------------------------------------------------------------------------


def table(results: list[Result], pages: int) -> str:
    wget = subprocess.run(["wget", "--version"], capture_output=True, text=True).stdout.split()[2]
    lines = [
        f"{pages} made-up pages with {REQUISITES} requisites each, {datetime.now(UTC):%d %B %Y},"
        f" {os.cpu_count()} cores, Python {platform.python_version()}, wget {wget}. `make bench-archive`.",
        "",
        "| archiver | latency | pages/s | CPU s/page | without its start | peak MB | kB kept/page | requisites got"
        " | lazy images |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(result.row() for result in results),
    ]
    return "\n".join(lines)


def documents_table(rows: list[str]) -> str:
    lines = [
        f"One document each, {datetime.now(UTC):%d %B %Y}, Python {platform.python_version()}, caps at 1 GiB."
        ' `make bench-archive ARGS="--documents"`.',
        "",
        "| document | MB | outcome | bytes kept | texts | s | worker's peak MB | with its children |",
        "| --- | ---: | --- | ---: | --- | ---: | ---: | ---: |",
        *rows,
    ]
    return "\n".join(lines)


def write(name: str, text: str) -> None:
    """Put a table between its marks in docs/benchmarks.md."""
    file = ROOT / "docs" / "benchmarks.md"
    old = file.read_text()
    begin, end = old.index(f"<!-- {name} -->\n") + len(f"<!-- {name} -->\n"), old.index(f"<!-- /{name} -->")
    file.write_text(f"{old[:begin]}{text}\n{old[end:]}")


def main() -> None:
    match sys.argv[1:]:
        case ["serve", pages, latency]:
            serve(int(pages), int(latency))
        case ["serve-document", media_type, megabytes]:
            serve_document(media_type, int(megabytes))
        case ["texts"]:
            texts()
        case ["order", *urls]:
            order(urls)
        case ["start"]:
            start()
        case ["work", threads]:
            work_off(int(threads))
        case ["outcomes"]:
            outcomes()
        case _:
            compare()


def compare() -> None:
    parser = argparse.ArgumentParser(description="Archive a made-up site by wget and by us, and compare.")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--latency", type=int, action="append", help="milliseconds; may be given again")
    parser.add_argument("--only", choices=("wget", "ours"))
    parser.add_argument("--documents", action="store_true", help="instead: memory with one document of 1 to 500 MB")
    parser.add_argument("--write", action="store_true", help="also put the table into docs/benchmarks.md")
    options = parser.parse_args()
    if options.documents:
        measure_documents(write_it=options.write)
        return
    peers = {"wget": run_wget, "ours": run_ours}
    if shutil.which("wget") is None:
        parser.error("wget is not here: Debian's package wget has it")
    results = []
    for latency in options.latency or LATENCIES_MS:
        for name, peer in peers.items():
            if options.only in (None, name):
                with tempfile.TemporaryDirectory(prefix="bench-archive-") as folder:
                    results.append(peer(options.pages, latency, Path(folder)))
                print(results[-1].row(), file=sys.stderr)
    text = table(results, options.pages)
    print(text)
    if options.write:
        write("bench-archive", text)


def measure_documents(*, write_it: bool) -> None:
    rows = []
    for media_type in DOCUMENT_TYPES:
        for megabytes in DOCUMENT_MEGABYTES:
            with tempfile.TemporaryDirectory(prefix="bench-archive-") as folder:
                rows.append(run_document(media_type, megabytes, Path(folder)))
            print(rows[-1], file=sys.stderr)
    text = documents_table(rows)
    print(text)
    if write_it:
        write("bench-documents", text)


if __name__ == "__main__":
    main()
