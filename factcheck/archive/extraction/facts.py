"""What a picture, film or PDF says of itself: one line of JSON for each thing that is known, as soon as it is.

What breaks down later, in a decoder or in a large library, can no longer take the earlier lines away.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from . import limits

Lines = Iterator[dict[str, Any]]


def _picture(file: IO[bytes], _media_type: str) -> Lines:
    from . import pictures

    yield {"facts": pictures.read(file)}


def _film(file: IO[bytes], media_type: str) -> Lines:
    from . import films, xmp

    film = films.read(file, media_type)
    facts = film.facts()
    for start, length in film.packets:
        file.seek(start)
        facts["xmp"] = xmp.read(file.read(length))
    yield {"facts": facts}
    for start, length in film.covers:
        file.seek(start)
        with contextlib.suppress(Exception):
            # Whatever a decoder raises: the cover is not worth more.
            if cover := _cover(file.read(length)):
                yield {"picture": cover}


def _cover(data: bytes) -> dict[str, Any] | None:
    from PIL import Image

    from .pictures import FORMATS, PIXELS_MAX, phash

    image = Image.open(io.BytesIO(data), formats=FORMATS)
    looks = phash(image) if image.width * image.height <= PIXELS_MAX else ""
    return {"page": 0, "width": image.width, "height": image.height, "phash": looks} if looks else None


def _document(file: IO[bytes], _media_type: str) -> Lines:
    from . import documents

    data = file.read()
    yield {"facts": documents.read(data)}
    for picture in documents.pictures(data):
        yield {"picture": picture}


def _nothing(_file: IO[bytes], _media_type: str) -> Lines:
    yield {"facts": {"problem": ""}}


READERS: dict[str, Callable[[IO[bytes], str], Lines]] = {
    "picture": _picture,
    "film": _film,
    "pdf": _document,
    "other": _nothing,
}


def main() -> None:
    """Arguments: the kind of file ("" for its statement of origin alone), its type, the trust list or "", or "-"."""
    kind, media_type, trust_list = sys.argv[1:4]
    trusted = Path(trust_list).read_text() if trust_list not in ("", "-") else ""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    with (
        contextlib.suppress(BrokenPipeError),
        os.fdopen(answer_to, "wb") as out,
        os.fdopen(0, "rb", closefd=False) as file,
    ):
        file.seek(0)
        if kind:
            _say(out, READERS[kind](file, media_type))
        if trust_list != "-":
            _say(out, _origin(file, media_type, trusted))
    os._exit(0)


def _origin(file: IO[bytes], media_type: str, trusted: str) -> Lines:
    from . import origins

    yield {"c2pa": origins.read(file, media_type, trusted)}


def _say(out: IO[bytes], lines: Lines) -> None:
    try:
        for line in lines:
            out.write(json.dumps(line).encode() + b"\n")
            out.flush()
    except MemoryError:
        out.write(b'{"problem":"too_large"}\n')
        out.flush()
