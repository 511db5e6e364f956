"""PDFs by hand, whole or made to do harm."""

import zlib


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def packed(content: bytes, entries: bytes = b"", times: int = 1) -> bytes:
    for _time in range(times):
        content = zlib.compress(content, 9)
    return stream(content, entries + b"/Filter[%s]" % (b"/FlateDecode " * times))


def objects(*contents: bytes, first: int = 1) -> bytes:
    return b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(contents, first))


def file(*contents: bytes, trailer: bytes = b"", version: bytes = b"1.7") -> bytes:
    """The objects are numbered from 1, which is the catalogue."""
    body, places = b"%%PDF-%s\n" % version, []
    for number, one in enumerate(contents, 1):
        places.append(len(body))
        body += objects(one, first=number)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(contents) + 1,
        table,
        len(contents) + 1,
        trailer,
        len(body),
    )


def updated(content: bytes, number: int, one: bytes, trailer: bytes = b"") -> bytes:
    """The file with a later state of one object saved behind it."""
    before = content.rindex(b"startxref\n") + 10
    place = len(content)
    body = content + objects(one, first=number)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, place)
    entries = b"/Size 100/Root 1 0 R/Prev %d%s" % (int(content[before:].split()[0]), trailer)
    return body + table + b"trailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n" % (entries, len(body))


def page(*, contents: bytes = b"4 0 R", resources: bytes = b"", box: bytes = b"0 0 595 842") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents %s/Resources<<%s>>>>" % (box, contents, resources)


def simple(*more: bytes, catalogue: bytes = b"", trailer: bytes = b"", text: bytes = b"Words") -> bytes:
    """One page with words; further objects are numbered from 6."""
    return file(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page(resources=b"/Font<</F1 5 0 R>>"),
        stream(b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *more,
        trailer=trailer,
    )


def pictured(*pictures: bytes) -> bytes:
    """A page for each picture; each is a whole object."""
    first = 3 + 2 * len(pictures)
    pages = []
    for number in range(len(pictures)):
        pages.append(page(contents=b"%d 0 R" % (4 + 2 * number), resources=b"/XObject<</I %d 0 R>>" % (first + number)))
        pages.append(stream(b"q 400 0 0 300 50 400 cm /I Do Q"))
    kids = b" ".join(b"%d 0 R" % (3 + 2 * number) for number in range(len(pictures)))
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pictures))
    return file(b"<</Type/Catalog/Pages 2 0 R>>", tree, *pages, *pictures)


def jpeg(content: bytes, width: int, height: int) -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
    return stream(content, entries % (width, height))


def pixels(content: bytes, width: int, height: int, *, times: int = 1) -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8"
    return packed(content, entries % (width, height), times)
