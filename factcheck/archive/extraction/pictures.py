"""What a picture says of itself, and what it looks like."""

from __future__ import annotations

import contextlib
from math import isfinite
from typing import IO, Any

from PIL import AvifImagePlugin, ExifTags, Image, ImageFile, UnidentifiedImageError

from . import xmp
from .looks import SIDE, hash_of
from .wording import one_line

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF")
# Three bytes each, and one more copy on the way: within the child's gigabyte.
PIXELS_MAX = 60_000_000
EXIF_MAX_FIELDS = 100
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
        "xmp": [],
        "gps": None,
        "phash": "",
        "problem": "",
    }
    with contextlib.suppress(Exception):
        said |= _exif(image)
    with contextlib.suppress(Exception):
        said["xmp"] = xmp.read(image.info.get("xmp", b""))
    try:
        image.seek(0)
        if image.format == "JPEG":
            # The decoder itself leaves out detail, so that a photograph of any size costs little.
            image.draft("L", (SIDE * 8, SIDE * 8))
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
    """As ``looks.hash_of``, of what the eye sees: on white, and turned as the file says."""
    if image.mode in ("RGBA", "LA", "PA", "P"):
        image = image.convert("RGBA")
        # Before the background, which would be two more of its size.
        image = image.reduce(max(1, min(image.size) // (SIDE * 8)))
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    orientation = image.getexif().get(_ORIENTATION, 1)
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
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
    return hash_of(grey.tobytes())


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
