"""Films by hand: boxes of MP4 and elements of Matroska, whole or made to do harm."""

import struct


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    """A box with version and flags."""
    return box(kind, bytes((version, 0, 0, 0)), *parts)


def head(*, created: int = 3_823_840_800, scale: int = 1000, units: int = 90_500) -> bytes:
    return full(b"mvhd", struct.pack(">IIII", created, created, scale, units), bytes(80))


def track(*, width: int = 1920, height: int = 1080, turned: bool = False, encoder: bytes = b"") -> bytes:
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30) if turned else (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    named = bytes((len(encoder),)) + encoder.ljust(31, b"\0")
    entry = box(b"avc1", bytes(24), struct.pack(">HH", width, height), bytes(14), named, bytes(4))
    return box(
        b"trak",
        full(b"tkhd", bytes(36), struct.pack(">9i", *matrix), struct.pack(">II", width << 16, height << 16)),
        box(
            b"mdia",
            full(b"mdhd", struct.pack(">IIII", 0, 0, 90_000, 90_000), bytes(4)),
            full(b"hdlr", bytes(4), b"vide", bytes(12), b"\x0bCore Media\0"),
            box(b"minf", box(b"stbl", full(b"stsd", struct.pack(">I", 1), entry))),
        ),
    )


def keyed(**said: bytes) -> bytes:
    """QuickTime's words under names of their own."""
    names = [name.replace("__", ".").encode() for name in said]
    keys = full(b"keys", struct.pack(">I", len(names)), *(box(b"mdta", name) for name in names))
    items = [box(struct.pack(">I", number), data(value)) for number, value in enumerate(said.values(), 1)]
    return box(b"meta", full(b"hdlr", bytes(4), b"mdta", bytes(12)), keys, box(b"ilst", *items))


def data(value: bytes, kind: int = 1) -> bytes:
    return box(b"data", struct.pack(">II", kind, 0), value)


def film(*in_moov: bytes, brand: bytes = b"isom", after: bytes = b"") -> bytes:
    return box(b"ftyp", brand, bytes(4), brand) + box(b"moov", *in_moov) + box(b"mdat", bytes(100)) + after


def element(number: int, *parts: bytes, size: int | None = None) -> bytes:
    """Of Matroska; ``size`` overrides the true one, -1 says that it is not known."""
    content = b"".join(parts)
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    told = (1 << 56) - 1 if size == -1 else len(content) if size is None else size
    return name + (1 << 56 | told).to_bytes(8, "big") + content


def webm(*in_segment: bytes, size: int | None = None) -> bytes:
    return element(0x1A45DFA3, element(0x4282, b"webm")) + element(0x18538067, *in_segment, size=size)
