"""One PDF in by standard input; by standard output a line with "", "none" or "limit", then one page of it as PNG."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from . import limits

VERSION = "1"
WIDTH = 1_240
# A page may be a strip of wallpaper: neither side grows beyond this.
MAX_SIDE = 2_400


def draw(data: bytes, number: int) -> bytes | None:
    """The page as PNG, or None where there is no such page."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        if number > len(document):
            return None
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return None
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        return None
    scale = min(WIDTH / width, MAX_SIDE / height)
    # No side may come to nothing: a bitmap of no pixels cannot be made.
    if width * scale < 1 or height * scale < 1:
        raise limits.LimitMet("shape")
    # Forms and scripts of the file are not loaded: only what is printed.
    picture = page.render(scale=scale, may_draw_forms=False).to_pil()
    out = io.BytesIO()
    picture.convert("RGB").save(out, "PNG", compress_level=6)
    return out.getvalue()


def main() -> None:
    number = int(sys.argv[1])
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    try:
        png = draw(sys.stdin.buffer.read(), number)
        said = b"none\n" if png is None else b"\n" + png
    except (limits.LimitMet, MemoryError):
        said = b"limit\n"
    with contextlib.suppress(BrokenPipeError), os.fdopen(answer_to, "wb") as out:
        out.write(said)
    os._exit(0)
