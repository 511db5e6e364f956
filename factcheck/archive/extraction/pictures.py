"""What a picture says of itself, and what it looks like; and in a second line what its C2PA manifest is worth.

The second line comes from a large library, which can no longer take the first away.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from math import cos, isfinite, pi
from pathlib import Path
from statistics import median
from typing import IO, Any

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from . import limits

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF")
# Three bytes each, and one more copy on the way: within the child's gigabyte.
PIXELS_MAX = 60_000_000
EXIF_MAX_FIELDS = 100
EXIF_VALUE_MAX_CHARS = 200
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
            words = _words(value)
            if words and tag not in _EXIF_PARTS and len(found) < EXIF_MAX_FIELDS:
                found.append([str(names.get(tag, f"0x{tag:04x}")), words])
    return {"exif": found, "gps": _place(exif.get_ifd(ExifTags.IFD.GPSInfo))}


def _words(value: Any) -> str:
    if isinstance(value, bytes):
        # Makers' notes are bytes for their own programs.
        value = value.rstrip(b"\x00").decode("ascii", "ignore") if len(value) <= EXIF_VALUE_MAX_CHARS else ""
    elif isinstance(value, tuple):
        value = ", ".join(str(part) for part in value[:20])
    return "".join(char for char in str(value)[:EXIF_VALUE_MAX_CHARS] if char.isprintable()).strip()


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


_TRUSTED, _UNTRUSTED = "signingCredential.trusted", "signingCredential.untrusted"
_NOT_BOUND = ("assertion.dataHash", "assertion.boxesHash", "assertion.bmffHash", "assertion.collectionHash")
_NOT_INTACT = ("claimSignature", "claim.", "assertion.hashedURI", "assertion.missing", "signingCredential", "general")


def read_manifest(file: IO[bytes], media_type: str, trust_list: str) -> dict[str, Any]:
    """Three facts apart: the signature is intact, the picture is the one that was signed, the signer is on the list.

    ``state`` is "none" (it makes no statement), "elsewhere" (the manifest is only on the web, which is not
    asked), "not_installed", "unreadable", or "found".
    """
    if importlib.util.find_spec("c2pa") is None:
        return {"state": "not_installed"}
    import c2pa

    # An address in a picture must not make us ask anybody.
    verify: dict[str, Any] = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}
    settings: dict[str, Any] = {"verify": verify}
    if trust_list:
        settings["trust"] = {"trust_anchors": trust_list}
    file.seek(0)
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(settings))
        with c2pa.Reader(media_type, file, context=context) as reader:
            said = json.loads(reader.json())
    except c2pa.C2paError as error:
        name = type(error).__name__
        state = {"ManifestNotFound": "none", "NotSupported": "none", "RemoteManifest": "elsewhere"}.get(
            name.lstrip("_"), ""
        )
        text = str(error)
        if not state:
            state = (
                "none"
                if "ManifestNotFound" in text or "NotSupported" in text or "no JUMBF" in text
                else "elsewhere"
                if "emote" in text
                else "unreadable"
            )
        return {"state": state}
    return _worth(said, trust_list=bool(trust_list))


def _worth(said: dict[str, Any], *, trust_list: bool) -> dict[str, Any]:
    active = said.get("manifests", {}).get(said.get("active_manifest"), {})
    results = said.get("validation_results", {}).get("activeManifest", {})
    failures = [str(one.get("code", "")) for one in results.get("failure", [])]
    successes = [str(one.get("code", "")) for one in results.get("success", [])]
    intact = not any(code.startswith(_NOT_INTACT) and code != _UNTRUSTED for code in failures)
    signature = active.get("signature_info") or {}
    return {
        "state": "found",
        "intact": intact,
        "bound": not any(code.startswith(_NOT_BOUND) for code in failures),
        # Whose name stands in a broken signature is not known.
        "trusted": trust_list and intact and _TRUSTED in successes,
        "signer": _words(signature.get("common_name") or signature.get("issuer") or ""),
        "issuer": _words(signature.get("issuer") or ""),
        "signed_at": _words(signature.get("time") or ""),
        "made_with": _words(_made_with(active)),
        "codes": sorted({_words(code) for code in failures})[:20],
    }


def _made_with(manifest: dict[str, Any]) -> str:
    for info in manifest.get("claim_generator_info") or []:
        if isinstance(info, dict) and info.get("name"):
            return f"{info['name']} {info.get('version', '')}"
    return str(manifest.get("claim_generator") or "")


def main() -> None:
    media_type, trust_list = sys.argv[1:3]
    trusted = Path(trust_list).read_text() if trust_list else ""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    with (
        contextlib.suppress(BrokenPipeError),
        os.fdopen(answer_to, "wb") as out,
        os.fdopen(0, "rb", closefd=False) as file,
    ):
        for part in (lambda: read(file), lambda: {"c2pa": read_manifest(file, media_type, trusted)}):
            try:
                said = part()
            except MemoryError:
                said = {"problem": "too_large"}
            out.write(json.dumps(said).encode() + b"\n")
            out.flush()
    os._exit(0)
