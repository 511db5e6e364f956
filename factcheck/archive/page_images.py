"""A page of an archived PDF as a picture, drawn by a child when somebody looks, and kept for a while."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from factcheck.archive import blobs, derived
from factcheck.archive.extracting import run_child
from factcheck.archive.extraction.drawing import VERSION
from factcheck.archive.models import Capture, TextLayer

_FOLDER = Path(__file__).resolve().parent
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.drawing import main; main()"
_MAX_BYTES = 30 * 1024 * 1024
# How PDFium ends when it is given no more memory.
_WITHOUT_MEMORY = frozenset(("SIGTRAP", "SIGILL"))


@dataclass(frozen=True)
class PageImage:
    """``problem`` is "" or what stopped it: "none" (there is no such page), "limit" or "crash"."""

    png: bytes
    problem: str = ""


def page_count(capture: Capture) -> int:
    """How many pages can be drawn; 0 for what is no PDF, or one that was not read to its end."""
    if capture.media_type != "application/pdf":
        return 0
    layer = TextLayer.objects.filter(capture=capture, kind=TextLayer.Kind.PDF).order_by("-pk").first()
    return len(layer.pages or ()) if layer is not None else 0


def page_image(capture: Capture, number: int) -> PageImage:
    """Pages are counted from 1. Raises BlobMissing and ReplayBusy."""
    if capture.media_type != "application/pdf" or not 1 <= number <= 100_000:
        return PageImage(b"", "none")
    name = f"page image {VERSION} {capture.body_sha256} {number}"
    problem, _newline, png = derived.kept_or_made(name, lambda: _drawn(capture, number)).partition(b"\n")
    return PageImage(png, problem.decode("ascii"))


def _drawn(capture: Capture, number: int) -> tuple[bytes, bool]:
    with blobs.open_blob(capture.body_sha256) as file:
        command = [sys.executable, "-I", "-c", _START, str(_FOLDER), str(number)]
        answer = run_child(command, file.fileno(), output_max_bytes=_MAX_BYTES)
    if answer.problem:
        limit = answer.problem == "limit" or answer.detail in _WITHOUT_MEMORY
        return (b"limit\n" if limit else b"crash\n"), limit and answer.detail != "wall"
    said, _newline, png = answer.output.partition(b"\n")
    if said:
        return (b"none\n" if said == b"none" else b"limit\n"), said in (b"none", b"limit")
    # The child has read hostile bytes: what it gives is a picture or nothing.
    return (b"\n" + png, True) if png.startswith(b"\x89PNG\r\n\x1a\n") else (b"crash\n", False)
