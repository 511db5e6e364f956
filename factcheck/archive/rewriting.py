"""Has a child make a page or style sheet harmless, and keeps the result: what a stranger can ask for costs once."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcheck.archive import derived
from factcheck.archive.extracting import run_child
from factcheck.archive.extraction.limits import MARKUP_MAX_BYTES
from factcheck.archive.extraction.rewriting import VERSION

_FOLDER = Path(__file__).resolve().parent
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.rewriting_child import main; main()"


@dataclass(frozen=True)
class Rewritten:
    """``problem`` is "" or what stopped it: "limit" or "crash"; then there is no content."""

    content: bytes
    problem: str = ""


def rewritten(identity: str, content: Iterable[bytes], order: Mapping[str, Any]) -> Rewritten:
    """``content`` made harmless as ``order`` says; ``identity`` names its bytes. Raises ReplayBusy."""
    line = json.dumps(order, sort_keys=True).encode() + b"\n"
    name = f"rewritten {VERSION} {identity} {hashlib.sha256(line).hexdigest()}"
    problem, _newline, body = derived.kept_or_made(name, lambda: _made(content, line)).partition(b"\n")
    return Rewritten(body, problem.decode("ascii"))


def _made(content: Iterable[bytes], line: bytes) -> tuple[bytes, bool]:
    with tempfile.TemporaryFile() as file:
        file.write(line)
        size = 0
        for piece in content:
            size += len(piece)
            if size > MARKUP_MAX_BYTES:
                return b"limit\n", True
            file.write(piece)
        file.flush()
        file.seek(0)
        answer = run_child([sys.executable, "-I", "-c", _START, str(_FOLDER)], file.fileno())
    said, _newline, body = answer.output.partition(b"\n")
    # A crash may be this moment's, for want of memory; a limit is met again each time.
    if answer.problem:
        return answer.problem.encode() + b"\n", answer.problem == "limit" and answer.detail != "wall"
    if said != b'{"problem": ""}':
        return b"limit\n", True
    return b"\n" + body, True
