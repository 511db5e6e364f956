"""Files made to harm us, each as the document itself, captured by a worker process: each ends as what it is."""

import os
import zlib
from typing import Any

import pytest

from tests import web
from tests.archive import pdfs
from tests.archive.boxes import box, element, film, head, webm
from tests.archive.hostile_worker import CHILD_MAX_BYTES, SECONDS, WORKER_MAX_BYTES, captured
from tests.archive.test_media_facts import bomb, saved, scene

CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
ONE_PAGE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def drawn(contents: bytes) -> bytes:
    """A PDF of one page, drawn by a whole stream object."""
    return pdfs.file(CATALOGUE, ONE_PAGE, pdfs.page(resources=b"/Font<</F1 5 0 R>>"), contents, FONT)


def zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _each in range(megabytes)) + packer.flush()
    return pdfs.stream(packed, b"/Filter/FlateDecode")


def forms(levels: int, each: int) -> bytes:
    """Forms that draw the next one so often, and that the next."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    drawings = [
        pdfs.stream(b"/X Do " * each, form + b"/Resources<</XObject<</X %d 0 R>>>>" % (6 + level))
        for level in range(levels)
    ]
    page = pdfs.page(resources=b"/XObject<</X 5 0 R>>")
    last = pdfs.stream(b"0 0 m 9 9 l S", form)
    return pdfs.file(CATALOGUE, ONE_PAGE, page, pdfs.stream(b"/X Do " * each), *drawings, last)


def object_stream(count: int) -> bytes:
    heads = b" ".join(b"%d 0" % number for number in range(100, 100 + count))
    entries = b"/Type/ObjStm/N %d/First %d" % (count, len(heads) + 1)
    return pdfs.simple(pdfs.packed(heads + b" <<>>", entries, times=2))


def deep_tree(levels: int) -> bytes:
    return pdfs.file(CATALOGUE, *(b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (level + 3) for level in range(levels)))


def shrunk_strip() -> bytes:
    """A TIFF of one strip that is said to be larger than the file."""
    content = bytearray(saved(scene(1, (60, 40)), "TIFF"))
    content[8 : len(content) // 2] = b"\xff" * (len(content) // 2 - 8)
    return bytes(content)


WORDS = b"BT /F1 12 Tf 9 9 Td (word) Tj ET\n"
MANY = b"<</Type/Pages/Kids[%s]/Count 2100>>" % (b"3 0 R " * 2100)
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">%s]>
<svg xmlns="http://www.w3.org/2000/svg"><text>&z9;</text></svg>""" % b"".join(
    b'<!ENTITY z%d "%s">' % (level, (b"&z%d;" % (level - 1) if level else b"&a;") * 20) for level in range(10)
)
NONSENSE = (
    f"<p>{'Some words, so that it is a page. ' * 20}</p><style>@font-face{{font-family:a;src:url(/font)}}</style>"
)

PDF, SVG, MP4, WEBM = "application/pdf", "image/svg+xml", "video/mp4", "video/webm"
# By address: the file and its type, the name of the text layer's end, and what its facts say is wrong with it.
SET: dict[str, tuple[bytes, str, list[str], str | None]] = {
    "/pdf/ten-filters": (drawn(pdfs.packed(bytes(60_000_000), times=10)), PDF, ["empty", ""], ""),
    "/pdf/a-gigabyte": (drawn(zeros(1024)), PDF, ["limit", "memory"], ""),
    "/pdf/endless-words": (drawn(pdfs.packed(WORDS * 2_500_000)), PDF, ["limit", "memory"], ""),
    "/pdf/forms-in-forms": (forms(20, 20), PDF, ["limit", "memory"], ""),
    "/pdf/forms-side-by-side": (forms(2, 3_000), PDF, ["limit", "memory"], ""),
    "/pdf/many-objects": (pdfs.simple(*[b"<</A 1>>"] * 100_000), PDF, ["ok", ""], ""),
    "/pdf/object-stream": (object_stream(300_000), PDF, ["ok", ""], ""),
    "/pdf/arrays-in-arrays": (pdfs.simple(b"[" * 500_000), PDF, ["ok", ""], ""),
    "/pdf/pages-that-are-not-there": (
        pdfs.file(CATALOGUE, b"<</Type/Pages/Kids[3 0 R]/Count 1999>>", pdfs.page(), pdfs.stream(b"")),
        PDF,
        ["unsupported", "damaged"],
        "",
    ),
    "/pdf/too-many-pages": (pdfs.file(CATALOGUE, MANY, pdfs.page(), pdfs.stream(b"")), PDF, ["limit", "pages"], ""),
    "/pdf/pages-in-a-circle": (
        pdfs.file(CATALOGUE, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1999>>"),
        PDF,
        ["unsupported", "damaged"],
        "damaged",
    ),
    "/pdf/deep-tree": (deep_tree(50_000), PDF, ["unsupported", "damaged"], "damaged"),
    "/pdf/table-of-billions": (pdfs.simple().replace(b"xref\n0 6", b"xref\n0 2000000000"), PDF, ["ok", ""], ""),
    "/pdf/picture-of-billions": (
        pdfs.pictured(pdfs.pixels(bytes(1_000_000), 100_000, 100_000)),
        PDF,
        ["image_only", ""],
        "",
    ),
    "/pdf/large-pictures": (pdfs.pictured(*[pdfs.pixels(bytes(9), 4_900, 4_900)] * 20), PDF, ["image_only", ""], ""),
    "/svg/entities": (ENTITIES, SVG, ["unsupported", ""], None),
    "/svg/deep": (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 200_000, SVG, ["unsupported", ""], None),
    "/film/boxes": (film(head()) + box(b"free") * 1_000_000, MP4, ["unsupported", ""], "limit"),
    "/film/two-gigabytes": (film(head()) + b"\x80\0\0\0moov", MP4, ["unsupported", ""], "damaged"),
    "/film/clusters": (webm(element(0x1F43B675, size=-1) * 500_000, size=-1), WEBM, ["unsupported", ""], "limit"),
    "/picture/billions": (bomb(20_000), "image/png", ["unsupported", ""], "too_large"),
    "/picture/half": (saved(scene(1), "JPEG")[:9_000], "image/jpeg", ["unsupported", ""], "damaged"),
    "/picture/lying": (shrunk_strip(), "image/tiff", ["unsupported", ""], "damaged"),
    "/font": (b"wOF2" + os.urandom(50_000), "font/woff2", ["unsupported", ""], None),
    "/last": (NONSENSE.encode(), "text/html", ["ok", ""], None),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pages: dict[str, web.Page] = {
        path: web.page(content, media_type=media_type) for path, (content, media_type, *_ends) in SET.items()
    }
    return captured(pages, tmp_path_factory.mktemp("var"), seconds=600)


@pytest.mark.parametrize("path", SET)
def test_each_ends_as_what_it_is_and_inside_its_limit(path: str, done: dict[str, Any]) -> None:
    outcome, reason, seconds, layers, media = done["captures"][path]
    _content, media_type, end, problem = SET[path]

    assert (outcome, reason) == ("captured", "")
    assert layers["pdf" if media_type == PDF else "visible"] == end
    assert media.get("problem") == problem
    # Fetching, three children's wall time, and what a busy machine adds.
    assert seconds < SECONDS + 65


def test_the_worker_and_its_children_stay_in_their_memory(done: dict[str, Any]) -> None:
    assert done["worker"] < WORKER_MAX_BYTES
    assert done["child"] < CHILD_MAX_BYTES


def test_what_was_known_before_the_end_of_memory_is_kept(done: dict[str, Any]) -> None:
    media = done["captures"]["/pdf/endless-words"][4]

    assert (media["pages"], media["page_size"], media["stopped"]) == (1, [210, 297], True)
    assert media["c2pa"]["state"] in ("none", "not_installed")
