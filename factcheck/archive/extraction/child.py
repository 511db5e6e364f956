"""One file in by standard input, one JSON object out by standard output; the exit code says no more than "done"."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

from . import limits

EXTRACTOR_VERSION = "1"

Layer = dict[str, Any]


def _layer(kind: str, extractor: str, version: str, text: str, *, empty: str = "empty") -> Layer:
    return {
        "kind": kind,
        "extractor": extractor,
        "version": version,
        "outcome": "ok" if text.strip() else empty,
        "text": text if text.strip() else "",
        "detail": "",
        "pages": None,
    }


def _html(data: bytes, http_charset: str) -> dict[str, Any]:
    from lxml import etree

    from . import charset, markup

    if len(data) > limits.MARKUP_MAX_BYTES:
        raise limits.LimitMet("size")
    decoding = charset.decode(data, http_charset=http_charset)
    page = markup.read(decoding.text, data)
    version = f"{EXTRACTOR_VERSION}, lxml {etree.__version__}, libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}"
    texts = (("visible", page.visible), ("hidden", page.hidden), ("metadata", page.metadata))
    return {
        "layers": [_layer(kind, "html", version, text) for kind, text in texts],
        "title": page.title,
        "noarchive": page.noarchive,
        "charset": decoding.charset,
        "charset_source": decoding.source,
        "replacements": decoding.replacements,
        "facts": page.facts,
    }


def _plain(data: bytes, http_charset: str) -> dict[str, Any]:
    from . import charset

    if len(data) > limits.PLAIN_MAX_BYTES:
        raise limits.LimitMet("size")
    decoding = charset.decode(data, http_charset=http_charset, markup=False)
    text = decoding.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if len(text) > limits.TEXT_MAX_CHARS:
        raise limits.LimitMet("text")
    return {
        "layers": [_layer("visible", "plain", EXTRACTOR_VERSION, text)],
        "charset": decoding.charset,
        "charset_source": decoding.source,
        "replacements": decoding.replacements,
    }


def _pdf(data: bytes) -> dict[str, Any]:
    from . import paged

    version = f"{EXTRACTOR_VERSION}, {paged.version()}"
    try:
        document = paged.read(data)
    except paged.Unreadable as error:
        layer = _layer("pdf", "pdf", version, "", empty="unsupported")
        return {"layers": [layer | {"detail": str(error)}]}
    layer = _layer("pdf", "pdf", version, document.text, empty="image_only" if document.image_only else "empty")
    return {"layers": [layer | {"pages": document.pages}], "title": document.title}


def extract(data: bytes, media_type: str, http_charset: str) -> dict[str, Any]:
    """Raises LimitMet, MemoryError, and whatever the readers do on a file that breaks them."""
    if media_type in ("text/html", "application/xhtml+xml"):
        return _html(data, http_charset)
    if media_type == "application/pdf":
        return _pdf(data)
    return _plain(data, http_charset)


def main() -> None:
    media_type, http_charset = sys.argv[1:3]
    # Libraries may print; only the last line written here is the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    try:
        data = sys.stdin.buffer.read()
        result = extract(data, media_type, http_charset)
    except limits.LimitMet as error:
        result = {"limit": str(error)}
    except MemoryError:
        # What was being read is freed on the way out of extract(), so there is room for this answer.
        result = {"limit": "memory"}
    with contextlib.suppress(BrokenPipeError), os.fdopen(answer_to, "wb") as out:
        out.write(json.dumps(result, ensure_ascii=False).encode("utf-8", "replace"))
    # No tidying up of a tree with a million nodes: the process ends here.
    os._exit(0)
