"""A page shown by an installed Chromium: started in a process of its own, watched, and ended with all it started.

What the page is, and what the browser is made to do by it, is the page's affair: it ends in time, within its memory,
and nothing of it is left afterwards, neither a process nor a file.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import logging
import os
import selectors
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from factcheck.archive.browser import chromium, processes
from factcheck.archive.browser.bounds import (
    ADDRESS_MAX_CHARS,
    MAX_HIDDEN,
    MAX_HOPS,
    MAX_NOTES,
    STAGES,
    TEXT_MAX_CHARS,
    TITLE_MAX_CHARS,
    WORDS_MAX_CHARS,
)

logger = logging.getLogger(__name__)

MEMORY_MAX_BYTES = 1536 * 1024 * 1024
DISK_MAX_BYTES = 1024 * 1024 * 1024
FILE_MAX_BYTES = 130 * 1024 * 1024
# A folder this old is a killed worker's whose child could not tidy up either.
LEFT_AFTER_SECONDS = 3600.0
_PREFIX = "factcheck-browser-"
# A socket's address has room for 107 characters, and Chromium's is six folders down.
_PLACE_MAX_CHARS = 30
_LOG, _LOG_BYTES = "log", 4_000
_OUTCOMES = frozenset(("ok", "limit", "crash", "unreachable"))
_LOOK_EVERY_SECONDS = 0.25
_LINES_MAX_BYTES = 10_000
# The child sees this package and the libraries, not the project and not its settings.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from browser.child import main; main()"


@dataclass(frozen=True)
class Order:
    """``seconds`` is for all of it, the start of the browser among it; without a ``language`` it says none."""

    url: str
    proxy_port: int
    proxy_user: str
    proxy_password: str
    key_hash: str
    user_agent: str
    language: str
    seconds: float


@dataclass(frozen=True)
class File:
    """``cut``: the page is higher than it is photographed."""

    path: Path
    width: int | None = None
    height: int | None = None
    cut: bool = False


@dataclass(frozen=True)
class Rendered:
    """``outcome`` is "ok", "limit" (time, memory or space), "crash" or "unreachable" (no page was shown).

    It is "ok" as soon as text and DOM are there; what went wrong after that is in ``notes``. ``chain`` has the
    addresses of the main frame's documents in the order in which one led to the next; ``final_url`` is the last.
    """

    outcome: str
    detail: str = ""
    final_url: str = ""
    title: str = ""
    # Text and DOM are not of the whole page: scripts had to be stopped before these were read, or there was too much.
    stopped: bool = False
    chain: tuple[str, ...] = ()
    text: str = ""
    dom: File | None = None
    view: File | None = None
    page: File | None = None
    altered: File | None = None
    print: File | None = None
    # What was taken away for ``altered``: "div#consent, fixed, 40 % of the screen".
    hidden: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def browser_available() -> bool:
    """Whether there is a Chromium here, and what drives it."""
    return _available(settings.CAPTURE_BROWSER)


@functools.cache
def _available(configured: str) -> bool:
    return importlib.util.find_spec("playwright") is not None and chromium.find(configured) is not None


@contextlib.contextmanager
def rendering(
    order: Order, *, stage: Callable[[str], None] = lambda _name: None, own_network: bool = True
) -> Iterator[Rendered]:
    """What the browser makes of a page; its files are there until the end of the block.

    ``stage`` is told what is being done; should it raise, the browser is ended and the error goes on. Where the kernel
    allows it, the browser gets a network of its own in which there is the proxy alone, unless ``own_network`` is off.
    """
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_place()))
    try:
        stopped = _Run(order, folder, own_network).to_the_end(stage)
        yield _understood(folder, *stopped)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(*, older_than_seconds: float = LEFT_AFTER_SECONDS) -> None:
    """Delete the folders of workers that were killed together with what should have tidied up after them."""
    before = time.time() - older_than_seconds
    for folder in _place().glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    """The folder for temporary files, or where its name is too long for the sockets in it, that of the system."""
    usual = tempfile.gettempdir()
    return Path(usual if len(usual) <= _PLACE_MAX_CHARS else "/tmp")  # noqa: S108


class _Run:
    def __init__(self, order: Order, folder: Path, own_network: bool) -> None:
        self._folder = folder
        self._deadline = time.monotonic() + order.seconds + 2.0
        self._seen: set[processes.Process] = set()
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        with (folder / _LOG).open("wb") as log:
            self._child = self._start(folder, log)
        words = vars(order) | {"chromium": chromium.find(settings.CAPTURE_BROWSER), "own_network": own_network}
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.write(json.dumps(words).encode() + b"\n")
            self._child.stdin.flush()

    @staticmethod
    def _start(folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(Path(__file__).resolve().parents[1]), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={
                "PATH": os.defpath,
                "LC_ALL": "C.UTF-8",
                "HOME": str(folder / "home"),
                "TMPDIR": str(folder / "tmp"),
                # No session bus, which Chromium would start for itself.
                "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            },
            cwd=folder,
            start_new_session=True,
        )

    def to_the_end(self, stage: Callable[[str], None]) -> tuple[str, str]:
        """What stopped it, "" if nothing, and in words; then nothing of it is running any more."""
        try:
            return self._watched(stage)
        finally:
            processes.end(self._left)
            # The child last: while it lives, all that its browser has started is found below it.
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait()
            processes.end(self._left)
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _watched(self, stage: Callable[[str], None]) -> tuple[str, str]:
        assert self._child.stdout is not None
        output = self._child.stdout.fileno()
        said, total = b"", 0
        with selectors.DefaultSelector() as waiting:
            waiting.register(output, selectors.EVENT_READ)
            while True:
                if time.monotonic() >= self._deadline:
                    return "limit", "the time was over"
                if waiting.select(_LOOK_EVERY_SECONDS):
                    piece = os.read(output, 4096)
                    total += len(piece)
                    if not piece or total > _LINES_MAX_BYTES:
                        break
                    *lines, said = (said + piece).split(b"\n")
                    for line in lines:
                        if (name := line.decode("ascii", "replace")) in STAGES:
                            stage(name)
                if problem := self._too_much():
                    return "limit", problem
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(max(0.1, min(5.0, self._deadline - time.monotonic())))
        if self._child.returncode == 0:
            return "", ""
        with contextlib.suppress(OSError, ValueError):
            logger.warning(
                "A browser ended by itself: %s", _bytes_of(self._folder / _LOG, _LOG_BYTES).decode("utf-8", "replace")
            )
        return "crash", "the browser ended by itself"

    def _too_much(self) -> str:
        tree = processes.descendants(self._child.pid, processes.running())
        self._seen |= tree
        if processes.memory(tree) > MEMORY_MAX_BYTES:
            return "the page took too much memory"
        return "the page took too much space" if _space(self._folder) > DISK_MAX_BYTES else ""

    def _left(self) -> set[processes.Process]:
        among = processes.running()
        alive = set(among.values())
        tree = processes.descendants(self._child.pid, among) if self._child.returncode is None else set()
        return tree | (self._seen & alive) | (processes.with_word(str(self._folder), among) - self._itself(among))

    def _itself(self, among: dict[int, processes.Process]) -> set[processes.Process]:
        return {among[self._child.pid]} if self._child.pid in among else set()


def _space(folder: Path) -> int:
    total = 0
    for place, _folders, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


def _understood(folder: Path, stopped: str, why: str) -> Rendered:
    """The child has shown a hostile page, so that its word and its files are checked too."""
    try:
        said = json.loads(_bytes_of(folder / "result.json", 1_000_000))
        outcome = said["outcome"] if said["outcome"] in _OUTCOMES else "crash"
        text = _bytes_of(folder / "text", TEXT_MAX_CHARS * 4).decode() if outcome == "ok" else ""
        rendered = Rendered(
            outcome=outcome,
            detail=_words(said["detail"], WORDS_MAX_CHARS),
            final_url=_words(said.get("final_url", ""), ADDRESS_MAX_CHARS),
            title=_words(said.get("title", ""), TITLE_MAX_CHARS),
            stopped=said.get("stopped") is True,
            chain=tuple(_words(one, ADDRESS_MAX_CHARS) for one in said["chain"][:MAX_HOPS]),
            text=_words(text, TEXT_MAX_CHARS),
            hidden=tuple(_words(one, WORDS_MAX_CHARS) for one in said["hidden"][:MAX_HIDDEN]),
            notes=tuple(_words(one, WORDS_MAX_CHARS) for one in said["notes"][:MAX_NOTES]),
            **_files(folder, said) if outcome == "ok" else {},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Rendered(stopped or "crash", why or "the browser said nothing that can be understood")
    if rendered.outcome == "ok":
        return replace(rendered, notes=(*rendered.notes, why)) if stopped else rendered
    if rendered.outcome == "unreachable" and rendered.detail:
        return rendered
    return replace(rendered, outcome=stopped or rendered.outcome, detail=why or rendered.detail)


def _files(folder: Path, said: dict[str, Any]) -> dict[str, File]:
    files: dict[str, File] = {}
    for name in ("dom", "view", "page", "altered", "print"):
        if name not in said:
            continue
        path = folder / name
        with _opened(path) as file:
            head = file.read(32)
        if name == "print":
            if head.startswith(b"%PDF-"):
                files[name] = File(path)
        elif name == "dom":
            files[name] = File(path)
        elif head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:24])
            files[name] = File(path, width, height, cut=bool(said[name].get("cut")))
    return files


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain file of bounded size, and none that a link leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_MAX_BYTES:
            raise ValueError("no such file")
        yield file


def _bytes_of(path: Path, most: int) -> bytes:
    with _opened(path) as file:
        return file.read(most)


def _words(said: Any, most: int) -> str:
    if not isinstance(said, str):
        raise TypeError("not text")
    return said[:most].replace("\x00", "").encode("utf-8", "replace").decode()
