"""All processes of the demo in the foreground of one terminal.

The parent has one thread, so that a fork is safe, and no database: it starts its parts, passes on what they print, and
stops all of them when one ends or when it is told to. Each part asks the kernel to end it with
its parent, so that nothing outlives even a SIGKILL.
"""

import ctypes
import fcntl
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.lib.errors import FactcheckError

HOST = "127.0.0.1"
STOP_WITHIN_SECONDS = 20
START_WITHIN_SECONDS = 60
SEED_WITHIN_SECONDS = 240
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child may not load a library between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True)


class DemoRefused(FactcheckError):
    """The demo cannot start here."""


class PartEnded(FactcheckError):
    """A part of the demo ended although nobody asked it to."""


@dataclass(frozen=True)
class Addresses:
    """The three neighbouring ports of one demo.

    The archive is reached by another host name than the app, since cookies do not tell ports apart.
    """

    port: int

    @property
    def app(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def archive(self) -> str:
        return f"http://localhost:{self.port + 1}"

    @property
    def sources(self) -> str:
        return f"http://{HOST}:{self.port + 2}"

    @property
    def ports(self) -> range:
        return range(self.port, self.port + 3)


# Celery's six lines against root are about strangers who reach its queue: here it is a private folder.
_QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}


@dataclass(frozen=True)
class Part:
    name: str
    command: list[str]
    environment: dict[str, str]


def demo_environment(addresses: Addresses) -> dict[str, str]:
    """What makes a process one of the demo's: only there may captures reach this machine itself."""
    return {
        "FACTCHECK_DEMO": "1",
        "NEWSROOM_NAME": "The Sample Gazette",
        "PUBLIC_URL": addresses.app,
        "ARCHIVE_URL": addresses.archive,
        "ARCHIVE_PORTS": f"80,443,{addresses.port + 2}",
        "ARCHIVE_ALLOW_LOOPBACK": f"{HOST}:{addresses.port + 2}",
        # All sample sources are one host, and it is ours.
        "CAPTURE_HOST_SPACING_SECONDS": "0",
        "DJANGO_SETTINGS_MODULE": "factcheck.settings",
        # Nothing of a demo leaves the machine.
        "WITNESS_IA_URL": "",
        "PYTHONUNBUFFERED": "1",
    }


def our_text() -> Path:
    """The text of the sample article's own page: who edits it, sees what the desk makes of that."""
    return Path(settings.VAR) / "our-page.txt"


def parts(addresses: Addresses) -> list[Part]:
    environment = os.environ | demo_environment(addresses)
    web = "gunicorn factcheck.wsgi --worker-class gthread --workers 1 --no-control-socket --log-level warning"
    worker = "celery --app factcheck --quiet worker --pool threads --concurrency 4 --loglevel WARNING"
    sources = [*_module(f"factcheck.operations.sample_sources {addresses.port + 2}"), str(our_text())]
    return [
        Part("sources", sources, environment),
        Part("web", _module(f"{web} --threads 8 --bind {HOST}:{addresses.port}"), environment),
        Part("worker", _module(f"{worker} --without-gossip --without-mingle"), environment | _QUIET),
        Part("sweeper", _module("django sweeper"), environment),
        Part(
            "archive",
            _module(f"{web} --threads 4 --bind {HOST}:{addresses.port + 1}"),
            environment | {"FACTCHECK_SERVE": "archive"},
        ),
    ]


def seed_part(addresses: Addresses) -> Part:
    command = f"django seed_demo --worker --port {addresses.port}"
    return Part("seed", _module(command), os.environ | demo_environment(addresses))


def _module(words: str) -> list[str]:
    return [sys.executable, "-m", *words.split()]


def check_ports(addresses: Addresses) -> None:
    """Raise DemoRefused unless all ports are possible and free."""
    if not 1024 <= addresses.port <= 65533:
        raise DemoRefused(_("PORT must be a number from 1024 to 65533; two more ports follow it."))
    for port in addresses.ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise DemoRefused(
                    _(
                        "Port %(port)s is taken by another program. Choose three free ports in a row with "
                        "PORT, for example: make demo PORT=%(other)s"
                    )
                    % {"port": port, "other": 8100 if port < 8100 else 8200 if port < 8200 else 9000}
                ) from error


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. Raises DemoRefused when another demo has it."""
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoRefused(
                _("A demo is already running from this folder. Stop it first, or give this one a FACTCHECK_VAR.")
            ) from error
        yield


def demo_password(folder: Path) -> str:
    """The sign-in of all demo people: made once for a folder, so that no two demos share one."""
    path = folder / "demo-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"read-line-by-line-{secrets.randbelow(9000) + 1000}\n")
    return path.read_text().strip()


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent, which has this id, ends in whatever way."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


class Demo:
    """The running parts. ``tell`` gets each line that one of them prints."""

    def __init__(self, folder: Path, tell: Callable[[str, str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self.stopping = False
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._output = selectors.DefaultSelector()
        self._half_lines: dict[str, bytes] = {}

    def stop_on(self, *signals: signal.Signals) -> None:
        for number in signals:
            signal.signal(number, self._stop)

    def start(self, part: Part) -> None:
        process = subprocess.Popen(
            part.command,
            cwd=self.folder,
            env=part.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Its own session: a Ctrl-C reaches only the parent, which stops the parts in order.
            start_new_session=True,
            preexec_fn=partial(end_with, os.getpid()),
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._running[part.name] = process
        self._half_lines[part.name] = b""
        self._output.register(process.stdout, selectors.EVENT_READ, part.name)

    def finish(self, part: Part, *, within_seconds: float) -> None:
        """Run a part to its end while the others run. Raises PartEnded if it fails or another ends."""
        self.start(part)
        process = self._running.pop(part.name)
        deadline = time.monotonic() + within_seconds
        while process.poll() is None and not self.stopping:
            try:
                self.watch()
            except PartEnded:
                _end(process)
                raise
            if time.monotonic() > deadline:
                _end(process)
                raise PartEnded(_("The part “%(name)s” did not finish in time.") % {"name": part.name})
        if self.stopping:
            _end(process)
        self._pass_on(0)
        if process.returncode and not self.stopping:
            raise PartEnded(
                _("The part “%(name)s” ended with code %(code)s; its last lines stand above.")
                % {"name": part.name, "code": process.returncode}
            )

    def wait_for(self, url: str, *, within_seconds: float) -> None:
        """Return when something answers at the address. Raises PartEnded."""
        deadline = time.monotonic() + within_seconds
        while not self.stopping and not answers(url):
            self.watch()
            if time.monotonic() > deadline:
                raise PartEnded(_("Nothing answered at %(url)s in time.") % {"url": url})

    def watch(self) -> None:
        """Pass on what the parts print for a moment. Raises PartEnded when one has ended."""
        self._pass_on(0.2)
        for name, process in self._running.items():
            if process.poll() is not None and not self.stopping:
                self._pass_on(0)
                raise PartEnded(
                    _("The part “%(name)s” ended by itself (%(code)s), so all others were stopped.")
                    % {"name": name, "code": process.returncode}
                )

    def stop(self) -> None:
        """End all parts and wait for them; what does not end in time is killed with its children."""
        self.stopping = True
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        while any(process.poll() is None for process in self._running.values()) and time.monotonic() < deadline:
            self._pass_on(0.1)
        for process in self._running.values():
            _end(process)
        while self._output.get_map() and self._output.select(0):
            self._pass_on(0)
        self._output.close()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _pass_on(self, seconds: float) -> None:
        for key, _events in self._output.select(seconds) if self._output.get_map() else ():
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            name: str = key.data
            chunk = stream.read(65536)
            if chunk:
                *lines, self._half_lines[name] = (self._half_lines[name] + chunk).split(b"\n")
            else:
                self._output.unregister(stream)
                stream.close()
                lines = [self._half_lines[name]] if self._half_lines[name] else []
                self._half_lines[name] = b""
            for line in lines:
                self.tell(name, line.decode(errors="replace"))
        if not self._output.get_map():
            time.sleep(min(seconds, 0.05))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a part and whatever it started; it leads its own process group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - an address of this demo
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
