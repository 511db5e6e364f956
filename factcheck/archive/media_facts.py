"""Facts about a picture, read in the limited child, and earlier uses of the same picture.

Words from the file are its maker's claim. A missing manifest makes no statement, and nothing here says "forged".
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db.models import Q, QuerySet

from factcheck.archive.children import run_child
from factcheck.archive.models import Capture, MediaFacts

PICTURES = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff"))
# Of 64 bits: so many may differ after scaling and recompression.
NEAR_BITS = 6
# Of one part of a picture's hash; a part that very many share says little.
_CANDIDATES_MAX = 2_000
_ANSWER_MAX_BYTES = 256 * 1024
_FOLDER = Path(__file__).resolve().parent
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.pictures import main; main()"
_PHASH = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Picture:
    """``problem`` is "", "damaged", "too_large", "limit" or "crash"."""

    problem: str = ""
    width: int | None = None
    height: int | None = None
    phash: str = ""
    # All words in it come from the file.
    facts: dict[str, Any] = field(default_factory=dict)


def read_picture(file: IO[bytes], media_type: str) -> Picture | None:
    """What the picture says of itself and looks like; None for what is no picture."""
    if media_type not in PICTURES:
        return None
    file.seek(0)
    command = [sys.executable, "-I", "-c", _START, str(_FOLDER), media_type, settings.C2PA_TRUST_LIST]
    answer = run_child(command, file.fileno(), output_max_bytes=_ANSWER_MAX_BYTES)
    first, complete, second = answer.output.partition(b"\n")
    if not complete:
        return Picture(problem=answer.problem or "crash")
    try:
        picture = _understood(json.loads(first))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Picture(problem="crash")
    picture.facts["c2pa"] = _manifest(second)
    return picture


def _understood(said: dict[str, Any]) -> Picture:
    phash = str(said.get("phash", ""))
    gps = said.get("gps")
    return Picture(
        problem=str(said["problem"])[:20],
        width=_size(said.get("width")),
        height=_size(said.get("height")),
        phash=phash if _PHASH.fullmatch(phash) else "",
        facts={
            "format": str(said.get("format", ""))[:20],
            "animated": said.get("frames") == 2,
            "exif": [[str(name)[:60], str(value)[:200]] for name, value in said.get("exif", [])[:100]],
            "gps": [float(gps[0]), float(gps[1])] if gps else None,
        },
    )


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 1 << 31 else None


def _manifest(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)["c2pa"]
        if said["state"] != "found":
            return {"state": str(said["state"])[:20]}
        return {
            "state": "found",
            **{name: bool(said[name]) for name in ("intact", "bound", "trusted")},
            **{name: str(said.get(name, ""))[:200] for name in ("signer", "issuer", "signed_at", "made_with")},
            "codes": [str(code)[:80] for code in said.get("codes", [])[:20]],
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {"state": "unreadable"}


def parts_of(phash: str) -> list[int]:
    """The hash in four parts of 16 bits, by which it is found again."""
    return [int(phash[start : start + 4], 16) for start in range(0, 16, 4)]


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def alike(capture: Capture) -> list[tuple[Capture, int]]:
    """Other captures of a picture that looks the same, nearest first, with how many of 64 bits differ.

    Of two hashes that differ in at most seven bits, one of the four parts differs in at most one: so the
    indexes are asked for each part and its sixteen neighbours, and nothing is missed by looking no further.
    """
    own = MediaFacts.objects.filter(capture=capture).exclude(phash="").first()
    if own is None:
        return []
    near = Q()
    for number, part in enumerate(parts_of(own.phash)):
        near |= Q(**{f"part_{number}__in": [part, *(part ^ 1 << bit for bit in range(16))]})
    rows = _candidates(near, own)
    found = [(row.capture, bits) for row in rows if (bits := distance(own.phash, row.phash)) <= NEAR_BITS]
    return sorted(found, key=lambda one: (one[1], -one[0].pk))


def _candidates(near: Q, own: MediaFacts) -> QuerySet[MediaFacts]:
    rows = MediaFacts.objects.filter(near).exclude(pk=own.pk).order_by("-pk")
    return rows.select_related("capture__request", "capture__words_row")[:_CANDIDATES_MAX]
