"""Facts about a picture, a film or a PDF, read in the limited child, and earlier uses of the same picture or file.

Words from the file are its maker's claim. A missing manifest makes no statement, and nothing here says "forged".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db.models import Q

from factcheck.archive.children import run_child
from factcheck.archive.extraction.frames import FRAMES_MAX
from factcheck.archive.extraction.limits import WALL_SECONDS
from factcheck.archive.extraction.looks import SIDE, hash_of
from factcheck.archive.models import Capture, MediaFacts, PictureWithin

PICTURES = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff", "image/avif"))
FILMS = frozenset(
    ("video/mp4", "video/quicktime", "video/x-m4v", "audio/mp4", "video/webm", "video/x-matroska", "audio/webm")
)
# Of these only a statement of origin is read.
OTHERS = frozenset(
    ("image/heic", "image/heif", "audio/mpeg", "audio/wav", "audio/flac", "video/x-msvideo", "image/x-adobe-dng")
)
# Of 64 bits: so many may differ after scaling and recompression.
NEAR_BITS = 6
# Of one part of a picture's hash; a part that very many share says little.
_CANDIDATES_MAX = 2_000
_WITHIN_MAX = 30
_ANSWER_MAX_BYTES = 256 * 1024
# A PDF takes two children, and so does a film that is unpacked.
MEDIA_SECONDS = 2 * WALL_SECONDS
_FOLDER = Path(__file__).resolve().parent
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.facts import main; main()"
_PHASH = re.compile(r"[0-9a-f]{16}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NO_ORIGIN = "-"
_FRAMES_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.frames import main; main()"
_READERS = {"video/webm": "matroska", "video/x-matroska": "matroska"}


@dataclass(frozen=True)
class Within:
    """A picture in a file of another kind; in a film, ``page`` is its number, and 0 that of the cover."""

    page: int
    width: int | None
    height: int | None
    phash: str


@dataclass(frozen=True)
class Media:
    """``problem`` is "", "damaged", "encrypted", "too_large", "limit" or "crash"."""

    # "picture", "film", "pdf", or "other", of which only the statement of origin is read.
    kind: str
    problem: str = ""
    width: int | None = None
    height: int | None = None
    phash: str = ""
    # All words in it come from the file.
    facts: dict[str, Any] = field(default_factory=dict)
    pictures: tuple[Within, ...] = ()


def kind_of(media_type: str) -> str:
    """The kind of ``Media``, or "" for what has no facts."""
    if media_type in PICTURES:
        return "picture"
    if media_type in FILMS:
        return "film"
    if media_type == "application/pdf":
        return "pdf"
    return "other" if media_type in OTHERS else ""


def read_media(file: IO[bytes], media_type: str) -> Media | None:
    """What the file says of itself and what it looks like; None for what is neither picture, film nor PDF."""
    kind = kind_of(media_type)
    if not kind:
        return None
    pages: list[dict[str, Any]] = []
    if kind == "pdf":
        # What its many parts cost must not be at the expense of the statement of origin, nor the other way round.
        pages = _said(file, kind, media_type, _NO_ORIGIN)
        said = [*pages, *_said(file, "", media_type, settings.C2PA_TRUST_LIST)]
    else:
        said = _said(file, kind, media_type, settings.C2PA_TRUST_LIST)
    facts = next((line["facts"] for line in said if isinstance(line.get("facts"), dict)), None)
    problem = next((str(line["problem"])[:20] for line in said if "problem" in line), "crash")
    media = Media(kind, problem=problem)
    if facts is not None:
        try:
            media = _understood(kind, facts, [line["picture"] for line in said if "picture" in line])
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError):
            media = Media(kind, problem="crash")
        if kind == "pdf" and any("problem" in line for line in pages):
            media.facts["stopped"] = True
        if kind == "film" and media.width and settings.CAPTURE_FFMPEG:
            media = replace(media, pictures=(*media.pictures, *_frames(file, media_type, media)))
            media.facts["unpacked"] = True
    origin = next((line["c2pa"] for line in said if "c2pa" in line), None)
    media.facts["c2pa"] = _manifest(origin) if origin is not None or problem != "limit" else {"state": "limit"}
    return media


def _said(file: IO[bytes], kind: str, media_type: str, trust_list: str) -> list[dict[str, Any]]:
    """What the child said, line by line, and in a last line the "problem" that ended it before it was through."""
    file.seek(0)
    command = [sys.executable, "-I", "-c", _START, str(_FOLDER), kind, media_type, trust_list]
    answer = run_child(command, file.fileno(), output_max_bytes=_ANSWER_MAX_BYTES)
    lines: list[dict[str, Any]] = []
    for whole in answer.output.split(b"\n")[:-1]:
        try:
            line = json.loads(whole)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            return [*lines, {"problem": "crash"}]
        lines.append(line)
    return [*lines, {"problem": answer.problem}] if answer.problem else lines


def _frames(file: IO[bytes], media_type: str, film: Media) -> Iterator[Within]:
    """Pictures of the film from its beginning to its end, numbered from 1."""
    file.seek(0)
    apart = max(1.0, (film.facts.get("seconds") or 0) / FRAMES_MAX)
    reader = _READERS.get(media_type, "mov")
    command = [
        *(sys.executable, "-I", "-c", _FRAMES_START, str(_FOLDER)),
        *(settings.CAPTURE_FFMPEG, reader, f"{apart:.3f}"),
    ]
    size = SIDE * SIDE
    # One more than there should be, so that the last is not taken for the end of patience.
    grey = run_child(command, file.fileno(), output_max_bytes=(FRAMES_MAX + 1) * size).output
    seen: set[str] = set()
    for number in range(min(len(grey) // size, FRAMES_MAX)):
        looks = hash_of(grey[number * size : (number + 1) * size])
        if looks and looks not in seen:
            seen.add(looks)
            yield Within(number + 1, film.width, film.height, looks)


def _understood(kind: str, said: dict[str, Any], within: Sequence[dict[str, Any]]) -> Media:
    """The child has read hostile bytes, so that its own word is checked too."""
    read = {"picture": _picture, "film": _film, "pdf": _document}.get(kind)
    return Media(
        kind,
        problem=str(said["problem"])[:20],
        width=_size(said.get("width")),
        height=_size(said.get("height")),
        phash=_hash(said.get("phash")),
        facts={"kind": kind, "format": _line(said.get("format", ""))[:20], **(read(said) if read else {})},
        pictures=tuple(_within(within)),
    )


def _within(said: Sequence[dict[str, Any]]) -> Iterator[Within]:
    for one in said[:_WITHIN_MAX]:
        if looks := _hash(one.get("phash")):
            yield Within(_size(one.get("page")) or 0, _size(one.get("width")), _size(one.get("height")), looks)


def _picture(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "animated": said.get("frames") == 2,
        "exif": _pairs(said.get("exif", [])),
        "xmp": _pairs(said.get("xmp", [])),
        "gps": _place(said.get("gps")),
    }


def _film(said: dict[str, Any]) -> dict[str, Any]:
    seconds = said.get("seconds")
    return {
        "brands": [_line(brand)[:20] for brand in said.get("brands", [])[:20]],
        "seconds": float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 1e9 else None,
        "created": _moment(said.get("created")),
        "changed": _moment(said.get("changed")),
        "fragmented": bool(said.get("fragmented")),
        "tracks": [_track(track) for track in said.get("tracks", [])[:20]],
        "words": _pairs(said.get("words", [])),
        "xmp": _pairs(said.get("xmp", [])),
        "gps": _place(said.get("gps")),
    }


def _track(said: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: _line(said.get(name, "")) for name in ("kind", "codec", "name", "encoder")},
        **{name: _size(said.get(name)) for name in ("width", "height", "channels", "hertz")},
        "created": _moment(said.get("created")),
    }


def _document(said: dict[str, Any]) -> dict[str, Any]:
    size = said.get("page_size") or []
    return {
        "pages": _size(said.get("pages")),
        "page_size": [_size(size[0]), _size(size[1])] if len(size) == 2 else None,
        "encrypted": bool(said.get("encrypted")),
        # None: the file could not be opened, so that nobody counted.
        "updates": int(said["updates"]) if "updates" in said else None,
        "files": [_line(name) for name in said.get("files", [])[:20]],
        "signatures": [
            {
                "to_the_end": bool(one["to_the_end"]),
                "when": _line(one.get("when", ""))[:40],
                "reason": _line(one.get("reason", "")),
            }
            for one in said.get("signatures", [])[:10]
        ],
        "actions": [str(action)[:20] for action in said.get("actions", [])[:10]],
        "words": _pairs(said.get("words", [])),
        "xmp": _pairs(said.get("xmp", [])),
    }


def _line(value: Any) -> str:
    return "".join(char for char in str(value)[:200] if char.isprintable()).encode("utf-8", "replace").decode()


def _pairs(said: Any) -> list[list[str]]:
    return [[_line(name)[:60], _line(value)] for name, value in said[:100]]


def _place(said: Any) -> list[float] | None:
    return [float(said[0]), float(said[1])] if said else None


def _moment(said: Any) -> str:
    return said if isinstance(said, str) and _MOMENT.fullmatch(said) else ""


def _hash(said: Any) -> str:
    return said if isinstance(said, str) and _PHASH.fullmatch(said) else ""


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 1 << 31 else None


def _manifest(said: Any) -> dict[str, Any]:
    try:
        if said["state"] != "found":
            return {"state": str(said["state"])[:20]}
        return {
            "state": "found",
            **{name: bool(said[name]) for name in ("intact", "bound", "trusted")},
            **{name: _line(said.get(name, "")) for name in ("signer", "issuer", "signed_at", "made_with")},
            "codes": [_line(code)[:80] for code in said.get("codes", [])[:20]],
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {"state": "unreadable"}


def parts_of(phash: str) -> list[int]:
    """The hash in four parts of 16 bits, by which it is found again."""
    return [int(phash[start : start + 4], 16) for start in range(0, 16, 4)]


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@dataclass(frozen=True)
class Likeness:
    """Another capture of the same file, or with a picture that looks the same."""

    capture: Capture
    # Of the 64 of the pictures' hashes, how many differ.
    bits: int
    # Byte for byte.
    same_file: bool = False
    # Where in the one that was asked for, and where in the other; 0 for the file itself, or a film's cover.
    page: int = 0
    other_page: int = 0


def alike(capture: Capture) -> list[Likeness]:
    """Each other capture once, by what it has nearest; the same file first, then pictures, the nearest first."""
    found: dict[int, Likeness] = {}
    if capture.body_sha256 and MediaFacts.objects.filter(capture=capture).exists():
        same = Capture.objects.filter(body_sha256=capture.body_sha256).exclude(pk=capture.pk)
        for other in same.select_related("request", "words_row").order_by("-pk")[:_CANDIDATES_MAX]:
            found[other.pk] = Likeness(other, 0, same_file=True)
    for page, looks in _hashes(capture):
        for row, other_page in _near(looks, capture):
            bits = distance(looks, row.phash)
            known = found.get(row.capture_id)
            if bits <= NEAR_BITS and (known is None or bits < known.bits):
                found[row.capture_id] = Likeness(row.capture, bits, page=page, other_page=other_page)
    return sorted(found.values(), key=lambda one: (not one.same_file, one.bits, -one.capture.pk))


def _hashes(capture: Capture) -> list[tuple[int, str]]:
    own = MediaFacts.objects.filter(capture=capture).exclude(phash="").values_list("phash", flat=True)
    within = PictureWithin.objects.filter(capture=capture).order_by("pk").values_list("page", "phash")
    return [*((0, looks) for looks in own), *within][: _WITHIN_MAX + 1]


def _near(phash: str, capture: Capture) -> Iterator[tuple[MediaFacts | PictureWithin, int]]:
    """Rows that may look the same, with their pages.

    Of two hashes that differ in at most seven bits, one of the four parts differs in at most one: so the
    indexes are asked for each part and its sixteen neighbours, and nothing is missed by looking no further.
    """
    near = Q()
    for number, part in enumerate(parts_of(phash)):
        near |= Q(**{f"part_{number}__in": [part, *(part ^ 1 << bit for bit in range(16))]})
    related = ("capture__request", "capture__words_row")
    for facts in (
        MediaFacts.objects.filter(near)
        .exclude(capture=capture)
        .select_related(*related)
        .order_by("-pk")[:_CANDIDATES_MAX]
    ):
        yield facts, 0
    for within in (
        PictureWithin.objects.filter(near)
        .exclude(capture=capture)
        .select_related(*related)
        .order_by("-pk")[:_CANDIDATES_MAX]
    ):
        yield within, within.page
