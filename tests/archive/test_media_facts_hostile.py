"""Pictures whose words, sizes and statements of origin were made to harm who reads them."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.archive.test_media_facts import read, saved, scene

pytestmark = pytest.mark.django_db

PNG, JPEG = saved(scene(1, (200, 150)), "PNG"), saved(scene(1, (200, 150)), "JPEG")
FILLED = 65_000


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """The picture with these chunks behind its head."""
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return PNG[:33] + made + PNG[33:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """The picture with these application segments behind its first mark."""
    made = b"".join(
        b"\xff" + bytes((0xE0 + number,)) + struct.pack(">H", len(data) + 2) + data for number, data in segments
    )
    return JPEG[:2] + made + JPEG[2:]


def exif(*entries: bytes, count: int | None = None, following: int = 0) -> bytes:
    told = len(entries) if count is None else count
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, told) + b"".join(entries) + struct.pack("<I", following)


def boxes(data: bytes) -> list[tuple[int, bytes]]:
    """A statement of origin as JPEG splits it up, with its head again in each part."""
    parts = [data[start : start + 60_000] for start in range(0, len(data), 60_000)]
    return [
        (11, b"JP\0\1" + struct.pack(">I", number) + (data[:8] if number > 1 else b"") + part)
        for number, part in enumerate(parts, 1)
    ]


def statement(depth: int) -> bytes:
    """Boxes of JUMBF in each other, all of true size."""
    kind = bytes.fromhex("6332706100110010800000AA00389B71")
    description = struct.pack(">I4s", 30, b"jumd") + kind + b"\x03c2pa\0"
    made = b""
    for _level in range(depth):
        made = struct.pack(">I4s", 8 + len(description) + len(made), b"jumb") + description + made
    return made


def frames(count: int) -> bytes:
    """A GIF that moves so often."""
    out = io.BytesIO()
    Image.new("P", (50, 50)).save(out, "GIF")
    one = out.getvalue()
    picture = one[one.index(b",", 13) : -1]
    return one[:-1] + picture * count + b";"


HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "words that unpack without end": (png((b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))), "PNG", "damaged"),
    "a profile that unpacks without end": (
        png((b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000), 9))),
        "PNG",
        "damaged",
    ),
    "many words": (png(*[(b"tEXt", b"a\0b")] * 20_000), "PNG", ""),
    "a size of billions": (PNG[:16] + b"\x7f\xff\xff\xff" * 2 + PNG[24:], "PNG", "damaged"),
    "a size of billions in a JPEG": (JPEG.replace(b"\0\x96\0\xc8", b"\xfd\xe8\xfd\xe8"), "JPEG", "too_large"),
    "directories in a circle": (
        jpeg((1, exif(struct.pack("<HHII", 0x8769, 4, 1, 8), struct.pack("<HHII", 0x8825, 4, 1, 8), following=8))),
        "JPEG",
        "",
    ),
    "a directory of values that are not there": (
        jpeg((1, exif(*(struct.pack("<HHII", tag, 2, 0xFFFFFFFF, 0) for tag in range(5_000)), count=65_535))),
        "JPEG",
        "",
    ),
    "a statement of four gigabytes": (
        jpeg((11, b"JP\0\1\0\0\0\1" + struct.pack(">I4s", 0xFFFFFFFF, b"jumb") + b"x" * FILLED)),
        "JPEG",
        "",
    ),
    "a statement in a statement": (jpeg(*boxes(statement(10_000))), "JPEG", ""),
    "a statement of many parts": (jpeg(*boxes(struct.pack(">I4s", 1 << 30, b"jumb") + bytes(10_000_000))), "JPEG", ""),
    "a TIFF in a circle": (
        b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x100, 3, 1, 100) + struct.pack("<I", 8),
        "TIFF",
        "damaged",
    ),
    "a picture that moves without end": (frames(50_000), "GIF", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_picture_made_to_do_harm_ends_as_what_it_is(name: str, tmp_path: Path) -> None:
    content, kind, problem = HOSTILE[name]

    picture = read(content, tmp_path, f"image/{kind.lower()}")

    assert picture.problem == problem
    assert picture.facts["c2pa"]["state"] in ("none", "unreadable", "not_installed")
    assert len(picture.facts.get("exif", [])) <= 100


@pytest.mark.parametrize("cut", [0.02, 0.2, 0.9])
def test_a_statement_that_breaks_off_is_not_found_whole(cut: float, tmp_path: Path) -> None:
    whole = jpeg(*boxes(statement(50)))

    picture = read(whole[: int(len(whole) * cut)], tmp_path)

    assert picture.facts["c2pa"]["state"] in ("none", "unreadable", "not_installed")


def test_a_large_picture_with_a_clear_ground_is_still_known_again(tmp_path: Path) -> None:
    clear = scene(1).convert("RGBA").resize((7_000, 4_666))

    picture = read(saved(clear, "PNG", compress_level=1), tmp_path, "image/png")

    assert (picture.problem, len(picture.phash)) == ("", 16)
