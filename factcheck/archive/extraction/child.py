"""One file in by standard input, JSON out by standard output; the exit code says no more than "done".

The first line is all that evidence can rest on. Of a page, a second one has the reading view: what goes
wrong with that can no longer take the first away.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from typing import IO, Any

from . import limits

# Raise it whenever the same file would give another text than before.
EXTRACTOR_VERSION = "2"

_MARKUP = ("text/html", "application/xhtml+xml")
_MOST_BYTES = dict.fromkeys(_MARKUP, limits.MARKUP_MAX_BYTES) | {"application/pdf": limits.PDF_MAX_BYTES}

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
        "offsets": None,
    }


def _html(data: bytes, http_charset: str) -> tuple[dict[str, Any], Any]:
    """The answer, and the tree for the reading view."""
    from lxml import etree

    from . import charset, links, markup

    decoding = charset.decode(data, http_charset=http_charset)
    page = markup.read(decoding.text, data)
    version = f"{EXTRACTOR_VERSION}, lxml {etree.__version__}, libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}"
    texts = (
        ("visible", page.visible, page.visible_places),
        ("hidden", page.hidden, page.hidden_places),
        ("metadata", page.metadata, None),
    )
    base, found = links.find(page.root) if page.root is not None else ("", [])
    return {
        "base": base,
        "links": found,
        "layers": [
            _layer(kind, "html", version, text) | {"offsets": places if text.strip() else None}
            for kind, text, places in texts
        ],
        "title": page.title,
        "noarchive": page.noarchive,
        "charset": decoding.charset,
        "charset_source": decoding.source,
        "replacements": decoding.replacements,
        "facts": page.facts,
    }, page.root


def _plain(data: bytes, http_charset: str) -> dict[str, Any]:
    from . import charset

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


def read_main(root: Any) -> dict[str, Any]:
    """The layer of the article alone, by trafilatura: a view for reading, which drops what it takes for clutter."""
    import trafilatura
    from lxml import etree

    etree.strip_tags(root, etree.Comment)
    text = trafilatura.extract(root, fast=True, include_comments=False, output_format="txt") or ""
    if len(text) > limits.TEXT_MAX_CHARS:
        raise limits.LimitMet("text")
    return _layer("main", "trafilatura", str(trafilatura.__version__), text)


def extract(data: bytes, media_type: str, http_charset: str) -> tuple[dict[str, Any], Any]:
    """The answer, and a tree if there is more to read. Raises LimitMet, MemoryError, and whatever the readers do."""
    if media_type in _MARKUP:
        return _html(data, http_charset)
    if media_type == "application/pdf":
        return _pdf(data), None
    return _plain(data, http_charset), None


def main() -> None:
    media_type, http_charset = sys.argv[1:3]
    # Libraries may print; only what is written here is the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    answer(sys.stdin.fileno(), answer_to, media_type, http_charset)


def answer(source: int, answer_to: int, media_type: str, http_charset: str) -> None:
    """Read the file, say what is in it, and end the process."""
    tree: Any = None
    try:
        with os.fdopen(source, "rb", closefd=False) as file:
            # Of what nothing will be read, not even its bytes are.
            if os.fstat(source).st_size > _MOST_BYTES.get(media_type, limits.PLAIN_MAX_BYTES):
                raise limits.LimitMet("size")
            data = file.read()
        result, tree = extract(data, media_type, http_charset)
    except limits.LimitMet as error:
        result = {"limit": str(error)}
    except MemoryError:
        # What was being read is freed on the way out of extract(), so there is room for this answer.
        result = {"limit": "memory"}
    with contextlib.suppress(BrokenPipeError), os.fdopen(answer_to, "wb") as out:
        _say(result, out)
        data = b""
        if tree is not None and any(layer["kind"] == "visible" and layer["text"] for layer in result["layers"]):
            del result
            used = int(time.process_time()) + 1
            hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
            resource.setrlimit(resource.RLIMIT_CPU, (min(used + limits.MAIN_CPU_SECONDS, limits.CPU_SECONDS), hard))
            try:
                _say(read_main(tree), out)
            except limits.LimitMet as error:
                _say({"limit": str(error)}, out)
            except MemoryError:
                _say({"limit": "memory"}, out)
            except Exception as error:
                # The reading view is not worth more than a word about what broke.
                _say({"crash": type(error).__name__}, out)
    # No tidying up of a tree with a million nodes: the process ends here.
    os._exit(0)


def _say(result: dict[str, Any], out: IO[bytes]) -> None:
    out.write(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")
    out.flush()
