"""Starts the child that reads an archived file, and stops it; what it says comes back as text layers.

Whatever is in the file, it ends in time: ok, empty, limit, crash and unsupported are different results.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import IO, Any

from factcheck.archive.children import Answer, run_child
from factcheck.archive.extraction.limits import OUTPUT_MAX_BYTES, WALL_SECONDS
from factcheck.archive.extraction.links import MAX_LINKS
from factcheck.archive.models import TextLayer
from factcheck.archive.nursery import read_with_a_child
from factcheck.archive.offsets import checked

__all__ = ("PACKAGE_START", "Answer", "Extracted", "Layer", "extract", "run_child")

# The child sees its own package and the libraries, not this project and not its settings.
PACKAGE_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.packages import main; main()"
_MARKUP = frozenset(("text/html", "application/xhtml+xml"))
_PLAIN = frozenset(
    ("text/plain", "text/csv", "text/markdown", "text/tab-separated-values", "application/json", "application/ld+json")
)


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
    # Where the text stood in the decoded file (``archive.offsets``).
    offsets: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Extracted:
    layers: tuple[Layer, ...]
    title: str = ""
    charset: str = ""
    charset_source: str = ""
    replacements: int = 0
    noarchive: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    # What the page is seen with, as (kind, address as written), and what such addresses are relative to ("": itself).
    links: tuple[tuple[str, str], ...] = ()
    base: str = ""


def extract(file: IO[bytes], media_type: str, *, http_charset: str = "") -> Extracted:
    """The text of a received file, read by a child process that the file cannot harm us from."""
    if media_type not in _MARKUP | _PLAIN and media_type != "application/pdf":
        return _without_text("unsupported", media_type)
    answer = read_with_a_child(
        file.fileno(), media_type, http_charset, wall_seconds=WALL_SECONDS, output_max_bytes=OUTPUT_MAX_BYTES
    )
    end = answer.output.find(b"\n")
    if end < 0:
        return _without_text(answer.problem or "crash", media_type, detail=answer.detail or "answer")
    try:
        # From a view: the text of a large page is copied often enough without.
        extracted = _understood(json.loads(str(memoryview(answer.output)[:end], "utf-8")), media_type)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _without_text("crash", media_type, detail="answer")
    if media_type in _MARKUP and any(layer.kind == "visible" and layer.text for layer in extracted.layers):
        extracted = replace(extracted, layers=(*extracted.layers, _main(answer.output[end + 1 :], answer)))
    return extracted


def _main(said: bytes, answer: Answer) -> Layer:
    """The reading view, which may have gone wrong where all that comes before it went well."""
    version = "unknown"
    problem, detail = answer.problem or "crash", answer.detail or "answer"
    try:
        main = json.loads(said) if said.endswith(b"\n") else {}
        if "kind" in main:
            return _layer(main | {"kind": "main"})
        for problem in ("limit", "crash"):
            if problem in main:
                detail = str(main[problem])
                break
        else:
            problem = answer.problem or "crash"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        problem, detail = "crash", "answer"
    return Layer("main", "trafilatura", version, problem, detail=detail[:200])


def _understood(said: dict[str, Any], media_type: str) -> Extracted:
    """The child has read hostile bytes, so that its own word is checked too."""
    if "limit" in said:
        return _without_text("limit", media_type, detail=str(said["limit"]))
    return Extracted(
        layers=tuple(_layer(layer) for layer in said["layers"]),
        title=_words(said.get("title", ""))[:300],
        charset=str(said.get("charset", ""))[:40],
        charset_source=str(said.get("charset_source", ""))[:20],
        replacements=int(said.get("replacements", 0)),
        noarchive=bool(said.get("noarchive", False)),
        facts=dict(said.get("facts", {})),
        links=tuple((str(kind)[:10], str(address)[:4_000]) for kind, address in said.get("links", [])[:MAX_LINKS]),
        base=str(said.get("base", ""))[:4_000],
    )


def _layer(said: dict[str, Any]) -> Layer:
    outcome = TextLayer.Result(said["outcome"])
    text = _words(said["text"]) if outcome == "ok" else ""
    return Layer(
        kind=TextLayer.Kind(said["kind"]),
        extractor=str(said["extractor"])[:40],
        version=str(said["version"])[:80],
        outcome=outcome,
        text=text,
        detail=str(said["detail"])[:200],
        pages=[[int(start), int(end)] for start, end in said["pages"]] if said["pages"] else None,
        offsets=checked(said["offsets"], len(text)) if said["offsets"] else None,
    )


def _words(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("not text")
    # A column of PostgreSQL takes no NUL, and UTF-8 no half of a pair; which nearly no text has.
    words = text.replace("\x00", "")
    try:
        words.encode()
    except UnicodeEncodeError:
        return words.encode("utf-8", "replace").decode("utf-8")
    return words


def _without_text(outcome: str, media_type: str, *, detail: str = "") -> Extracted:
    pdf = media_type == "application/pdf"
    extractor = "pdf" if pdf else "html" if media_type in _MARKUP else "plain" if media_type in _PLAIN else "none"
    layer = Layer("pdf" if pdf else "visible", extractor, "1", outcome, detail=detail[:200])
    return Extracted(layers=(layer,))
