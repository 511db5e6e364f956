"""What a PDF says of itself, what it carries, what was done to it after it was first saved, and the pictures in it."""

from __future__ import annotations

import contextlib
import ctypes
import io
import re
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from . import xmp
from .paged import Unreadable, open_document
from .wording import one_line

FILES_MAX = 20
SIGNATURES_MAX = 10
PAGES_MAX = 50
PICTURES_MAX = 20
# Unpacked, grey or in colour, beside the document itself.
PIXELS_MAX = 25_000_000
# Logos and ornaments look alike in all papers of a house.
SIDE_MIN = 120
PICTURES_CPU_SECONDS = 3.0
_ENTRIES = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate")
_NAMES = {"Subject": "description", "Creator": "software", "CreationDate": "created", "ModDate": "changed"}
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?'?)?")
_PACKETS_MAX = 50
_METADATA = re.compile(rb"/Type\s{0,9}/Metadata\b")
_STREAM = re.compile(rb"stream\r?\n")
# Only what stands in plain bytes; a file can hide it in packed objects, so that none found means little.
_ACTIONS = {
    "script": re.compile(rb"/S\s{0,9}/JavaScript\b"),
    "launch": re.compile(rb"/S\s{0,9}/Launch\b"),
    "submit": re.compile(rb"/S\s{0,9}/SubmitForm\b"),
    "film": re.compile(rb"/(?:RichMedia|Movie|Rendition)\b"),
}


def read(data: bytes) -> dict[str, Any]:
    """``problem`` is "", "encrypted" or "damaged"; what plain bytes tell is told in any case."""
    said: dict[str, Any] = {
        "format": one_line(data[1:8].split(b"\r")[0].split(b"\n")[0]).replace("-", " "),
        "words": [],
        "xmp": xmp.read(_packet(data)),
        "actions": [name for name, mark in _ACTIONS.items() if mark.search(data)],
        "problem": "",
    }
    try:
        document = open_document(data)
    except Unreadable as error:
        return said | {"problem": str(error)}
    try:
        for entry in _ENTRIES:
            value = one_line(document.get_metadata_value(entry))
            if value:
                is_date = entry.endswith("Date")
                said["words"].append([_NAMES.get(entry, entry.lower()), moment_of(value) if is_date else value])
        handle = document.raw
        ends = _trailer_ends(handle)
        said |= {
            "pages": len(document),
            "encrypted": pdfium.FPDF_GetSecurityHandlerRevision(handle) >= 0,
            "updates": max(0, len(ends) - (2 if b"/Linearized" in data[:1024] else 1)),
            "files": _files(handle),
            "signatures": _signatures(handle, len(data)),
        }
        scripts = pdfium.FPDFDoc_GetJavaScriptActionCount(handle)
        if scripts > 0 and "script" not in said["actions"]:
            said["actions"] = ["script", *said["actions"]]
        if len(document):
            # Without loading the page: what is drawn on it may be more than there is memory for.
            said["page_size"] = [round(side / 72 * 25.4) for side in document.get_page_size(0)]
    except (pypdfium2.PdfiumError, ValueError, OverflowError):
        # The first page may be missing though the file opens.
        said["problem"] = "damaged"
    finally:
        document.close()
    return said


def moment_of(words: str) -> str:
    """A date of ISO 32000-1, 7.9.4, as others write it; as it stands where it is none."""
    found = _DATE.fullmatch(words.strip())
    if not found:
        return words
    year, month, day, hour, minute, second, zulu, sign, ahead, more = found.groups()
    date = "-".join(part for part in (year, month, day) if part)
    if hour is None:
        return date
    zone = "Z" if zulu else f"{sign}{ahead}:{more or '00'}" if sign else ""
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{zone}"


def _packet(data: bytes) -> bytes:
    """The document's own packet: the last one, since a later state of the file stands after an earlier one.

    Pictures in the file may have packets too; they stand before the catalogue's in what is commonly written.
    """
    best = b""
    for found in list(_METADATA.finditer(data))[-_PACKETS_MAX:]:
        stream = _STREAM.search(data, found.end(), found.end() + 500)
        if not stream:
            continue
        head = data[max(0, found.start() - 200) : stream.start()]
        body = data[stream.end() : stream.end() + xmp.PACKET_MAX_BYTES]
        if b"/FlateDecode" in head[head.rfind(b" obj") :]:
            unpacking = zlib.decompressobj()
            try:
                body = unpacking.decompress(body, xmp.PACKET_MAX_BYTES)
            except zlib.error:
                continue
        end = body.find(b"endstream")
        packet = body[: end if end >= 0 else None]
        # What tells of a document, rather than of a camera, wins over what came later.
        if b"pdf/1.3" in packet or b"pdf/1.3" not in best:
            best = packet
    return best


def _trailer_ends(handle: Any) -> list[int]:
    count = min(pdfium.FPDF_GetTrailerEnds(handle, None, 0), 10_000)
    buffer = (ctypes.c_uint * count)()
    pdfium.FPDF_GetTrailerEnds(handle, buffer, count)
    return sorted(set(buffer))


def _words(ask: Callable[[Any, Any, int], int], thing: Any) -> str:
    """UTF-16 that is asked for twice: for its length, and for itself."""
    length = ask(thing, None, 0)
    if not 2 < length <= 4_000:
        return ""
    buffer = ctypes.create_string_buffer(length)
    ask(thing, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return one_line(buffer.raw[:length].decode("utf-16-le", "replace").rstrip("\0"))


def _files(handle: Any) -> list[str]:
    names = []
    for number in range(min(max(pdfium.FPDFDoc_GetAttachmentCount(handle), 0), FILES_MAX)):
        attachment = pdfium.FPDFDoc_GetAttachment(handle, number)
        if attachment:
            names.append(_words(pdfium.FPDFAttachment_GetName, attachment))
    return [name or "?" for name in names]


def _signatures(handle: Any, size: int) -> list[dict[str, Any]]:
    """That there are some, and up to where of the file; whose they are and whether they hold is not looked at."""
    found = []
    for number in range(min(max(pdfium.FPDF_GetSignatureCount(handle), 0), SIGNATURES_MAX)):
        signature = pdfium.FPDF_GetSignatureObject(handle, number)
        if not signature:
            continue
        ranges = (ctypes.c_int * 4)()
        parts = pdfium.FPDFSignatureObj_GetByteRange(signature, ranges, 4)
        when = ctypes.create_string_buffer(64)
        length = pdfium.FPDFSignatureObj_GetTime(signature, when, 64)
        found.append(
            {
                "to_the_end": parts == 4 and ranges[2] + ranges[3] == size,
                "when": moment_of(one_line(when.raw[: min(max(length, 0), 64)])),
                "reason": _words(_reason, signature),
            }
        )
    return found


def _reason(signature: Any, buffer: Any, size: int) -> int:
    return int(pdfium.FPDFSignatureObj_GetReason(signature, ctypes.cast(buffer, ctypes.c_void_p), size))


def pictures(data: bytes) -> Iterator[dict[str, Any]]:
    """The larger pictures of the first pages, one by one: page, size, and hash as in ``pictures``.

    What a picture's decoder does to the process is told by what does not come any more.
    """
    from .pictures import phash

    begun, count = time.process_time(), 0
    try:
        document = open_document(data)
    except Unreadable:
        return
    seen: set[str] = set()
    for number in range(min(len(document), PAGES_MAX)):
        if time.process_time() - begun > PICTURES_CPU_SECONDS:
            return
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            continue
        for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
            if count == PICTURES_MAX or time.process_time() - begun > PICTURES_CPU_SECONDS:
                return
            width = height = 0
            looks = ""
            # Whatever a decoder raises; the next picture may be whole.
            with contextlib.suppress(Exception):
                width, height = thing.get_px_size()
                if min(width, height) >= SIDE_MIN and width * height <= PIXELS_MAX:
                    count += 1
                    looks = phash(_unpacked(thing))
            if looks and looks not in seen:
                seen.add(looks)
                yield {"page": number + 1, "width": width, "height": height, "phash": looks}
        page.close()


def _unpacked(thing: Any) -> Any:
    from PIL import Image

    if thing.get_filters() == ["DCTDecode"]:
        # As it lies in the file: its decoder can leave detail out, and no profile is applied to its colours.
        raw = io.BytesIO(bytes(thing.get_data(decode_simple=False)))
        image = Image.open(raw, formats=("JPEG",))
        image.draft("L", (256, 256))
        return image
    return thing.get_bitmap(render=False).to_pil()
