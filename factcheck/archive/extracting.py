"""Starts the child that reads an archived file, and stops it; what it says comes back as text layers.

Whatever is in the file, it ends in time: ok, empty, limit, crash and unsupported are different results.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from factcheck.archive.extraction.limits import OUTPUT_MAX_BYTES, WALL_SECONDS
from factcheck.archive.models import TextLayer

_FOLDER = Path(__file__).resolve().parent
# The child sees its own package and the libraries, not this project and not its settings.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.child import main; main()"
PACKAGE_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.packages import main; main()"
_MARKUP = frozenset(("text/html", "application/xhtml+xml"))
_PLAIN = frozenset(
    ("text/plain", "text/csv", "text/markdown", "text/tab-separated-values", "application/json", "application/ld+json")
)
_CHUNK_BYTES = 1 << 16
# What happened to the child is told by the signal that ended it.
_LIMIT_SIGNALS = {signal.SIGXCPU: "cpu", signal.SIGALRM: "wall", signal.SIGXFSZ: "file"}


@dataclass(frozen=True)
class Layer:
    """One text layer to be; ``text`` is empty unless the outcome is "ok"."""

    kind: str
    extractor: str
    version: str
    outcome: str
    text: str = ""
    detail: str = ""
    pages: list[list[int]] | None = None


@dataclass(frozen=True)
class Extracted:
    layers: tuple[Layer, ...]
    title: str = ""
    charset: str = ""
    charset_source: str = ""
    replacements: int = 0
    noarchive: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def extract(file: IO[bytes], media_type: str, *, http_charset: str = "") -> Extracted:
    """The text of a received file, read by a child process that the file cannot harm us from."""
    if media_type not in _MARKUP | _PLAIN and media_type != "application/pdf":
        return _without_text("unsupported", media_type)
    answer = run_child([sys.executable, "-I", "-c", _START, str(_FOLDER), media_type, http_charset], file.fileno())
    if answer.problem:
        return _without_text(answer.problem, media_type, detail=answer.detail)
    try:
        return _understood(json.loads(answer.output), media_type)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _without_text("crash", media_type, detail="answer")


def _understood(said: dict[str, Any], media_type: str) -> Extracted:
    """The child has read hostile bytes, so that its own word is checked too."""
    if "limit" in said:
        return _without_text("limit", media_type, detail=str(said["limit"]))
    return Extracted(
        layers=tuple(
            Layer(
                kind=TextLayer.Kind(layer["kind"]),
                extractor=str(layer["extractor"])[:40],
                version=str(layer["version"])[:80],
                outcome=TextLayer.Result(layer["outcome"]),
                text=_words(layer["text"]) if layer["outcome"] == "ok" else "",
                detail=str(layer["detail"])[:200],
                pages=[[int(start), int(end)] for start, end in layer["pages"]] if layer["pages"] else None,
            )
            for layer in said["layers"]
        ),
        title=_words(said.get("title", ""))[:300],
        charset=str(said.get("charset", ""))[:40],
        charset_source=str(said.get("charset_source", ""))[:20],
        replacements=int(said.get("replacements", 0)),
        noarchive=bool(said.get("noarchive", False)),
        facts=dict(said.get("facts", {})),
    )


def _words(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("not text")
    # A column of PostgreSQL takes no NUL, and UTF-8 no half of a pair.
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _without_text(outcome: str, media_type: str, *, detail: str = "") -> Extracted:
    pdf = media_type == "application/pdf"
    extractor = "pdf" if pdf else "html" if media_type in _MARKUP else "plain" if media_type in _PLAIN else "none"
    layer = Layer("pdf" if pdf else "visible", extractor, "1", outcome, detail=detail[:200])
    return Extracted(layers=(layer,))


@dataclass(frozen=True)
class Answer:
    output: bytes = b""
    # "" or "limit" or "crash"
    problem: str = ""
    detail: str = ""


def run_child(
    command: list[str],
    stdin: int,
    *,
    wall_seconds: float = WALL_SECONDS,
    output_max_bytes: int = OUTPUT_MAX_BYTES,
) -> Answer:
    """Run to the end, the wall limit or the output limit, whichever comes first; then nothing of it is left."""
    child = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    assert child.stdout is not None
    output = bytearray()
    stopped = ""
    deadline = time.monotonic() + wall_seconds
    try:
        with selectors.DefaultSelector() as waiting:
            waiting.register(child.stdout, selectors.EVENT_READ)
            while not stopped:
                left = deadline - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    stopped = "wall"
                    break
                chunk = os.read(child.stdout.fileno(), _CHUNK_BYTES)
                if not chunk:
                    break
                output += chunk
                if len(output) > output_max_bytes:
                    stopped = "output"
        if not stopped:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stopped = "wall"
    finally:
        # The group, so that nothing which it may have started stays behind. Once it has been waited
        # for, its number may be another's.
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        child.stdout.close()
    if stopped:
        return Answer(problem="limit", detail=stopped)
    if child.returncode < 0:
        ended_by = signal.Signals(-child.returncode)
        if ended_by in _LIMIT_SIGNALS:
            return Answer(problem="limit", detail=_LIMIT_SIGNALS[ended_by])
        return Answer(problem="crash", detail=ended_by.name)
    if child.returncode:
        return Answer(problem="crash", detail=f"exit {child.returncode}")
    return Answer(output=bytes(output))
