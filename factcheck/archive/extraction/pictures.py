"""What a picture says of itself, and what it looks like."""

from __future__ import annotations

import contextlib
from math import cos, isfinite, pi
from statistics import median
from typing import IO, Any

from PIL import AvifImagePlugin, ExifTags, Image, ImageFile, UnidentifiedImageError

from .wording import one_line

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF")
# Three bytes each, and one more copy on the way: within the child's gigabyte.
PIXELS_MAX = 60_000_000
EXIF_MAX_FIELDS = 100
_SIDE, _KEPT = 32, 8
# The spread of grey below which a picture is one flat area, and looks like every other of that kind.
_FLAT = 4
_EXIF_PARTS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_ORIENTATION = 0x0112


def read(file: IO[bytes]) -> dict[str, Any]:
    """Format, size, EXIF and perceptual hash; ``problem`` says what could not be read of the rest."""
    # Its own guard warns at one limit and raises at another; here there is one, and it is kept below.
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # More than one would be children, of which there can be none here.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    try:
        image = Image.open(file, formats=FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, OverflowError):
        return {"problem": "damaged"}
    said: dict[str, Any] = {
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "frames": _frames(image),
        "exif": [],
        "gps": None,
        "phash": "",
        "problem": "",
    }
    with contextlib.suppress(Exception):
        said |= _exif(image)
    try:
        image.seek(0)
        if image.format == "JPEG":
            # The decoder itself leaves out detail, so that a photograph of any size costs little.
            image.draft("L", (_SIDE * 8, _SIDE * 8))
        if image.width * image.height > PIXELS_MAX:
            return said | {"problem": "too_large"}
        said["phash"] = phash(image)
    except MemoryError:
        said["problem"] = "too_large"
    except Exception:
        # Whatever a decoder raises on a file that breaks off or lies.
        said["problem"] = "damaged"
    return said


def _frames(image: Image.Image) -> int:
    # Counting reads the whole file; whether there is a second one is told by less.
    return 2 if getattr(image, "is_animated", False) else 1


def phash(image: Image.Image) -> str:
    """64 bits in hex of how grey is spread; "" for a picture that is one flat area.

    The lowest frequencies of a cosine transform, each a bit: above their median or not.
    """
    if image.mode in ("RGBA", "LA", "PA", "P"):
        image = image.convert("RGBA")
        # Before the background, which would be two more of its size.
        image = image.reduce(max(1, min(image.size) // (_SIDE * 8)))
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    orientation = image.getexif().get(_ORIENTATION, 1)
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    if turn is not None:
        grey = grey.transpose(turn)
    pixels = list(grey.tobytes())
    if max(pixels) - min(pixels) < _FLAT:
        return ""
    waves = [[cos(pi * u * (2 * x + 1) / (2 * _SIDE)) for x in range(_SIDE)] for u in range(_KEPT)]
    rows = [
        [
            sum(wave * value for wave, value in zip(waves[u], pixels[y * _SIDE : (y + 1) * _SIDE], strict=True))
            for u in range(_KEPT)
        ]
        for y in range(_SIDE)
    ]
    low = [sum(waves[v][y] * rows[y][u] for y in range(_SIDE)) for v in range(_KEPT) for u in range(_KEPT)]
    # The first is the mean, which says how bright and not what it shows.
    middle = median(low[1:])
    return f"{int(''.join('1' if value > middle else '0' for value in low), 2):016x}"


def _exif(image: Image.Image) -> dict[str, Any]:
    exif = image.getexif()
    found: list[list[str]] = []
    for tags, names in (
        (exif, ExifTags.TAGS),
        (exif.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS),
    ):
        for tag, value in tags.items():
            words = one_line(value)
            if words and tag not in _EXIF_PARTS and len(found) < EXIF_MAX_FIELDS:
                found.append([str(names.get(tag, f"0x{tag:04x}")), words])
    return {"exif": found, "gps": _place(exif.get_ifd(ExifTags.IFD.GPSInfo))}


def _place(gps: Any) -> list[float] | None:
    """Latitude and longitude in degrees, or None."""
    with contextlib.suppress(ValueError, TypeError, ZeroDivisionError, KeyError, OverflowError):
        latitude, longitude = (_degrees(gps[number], gps.get(number - 1)) for number in (2, 4))
        if isfinite(latitude) and isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180:
            return [round(latitude, 6), round(longitude, 6)]
    return None


def _degrees(parts: Any, side: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return (degrees + minutes / 60 + seconds / 3600) * (-1 if str(side).strip("\x00 ") in ("S", "W") else 1)
