"""What a picture looks like, in 64 bits. Plain Python: the worker uses it too."""

from __future__ import annotations

from math import cos, pi
from statistics import median

SIDE, _KEPT = 32, 8
# The spread of grey below which a picture is one flat area, and looks like every other of that kind.
_FLAT = 4


def hash_of(pixels: bytes) -> str:
    """64 bits in hex of how grey is spread over SIDE times SIDE pixels; "" for what is one flat area.

    The lowest frequencies of a cosine transform, each a bit: above their median or not.
    """
    if max(pixels) - min(pixels) < _FLAT:
        return ""
    waves = [[cos(pi * u * (2 * x + 1) / (2 * SIDE)) for x in range(SIDE)] for u in range(_KEPT)]
    rows = [
        [
            sum(wave * value for wave, value in zip(waves[u], pixels[y * SIDE : (y + 1) * SIDE], strict=True))
            for u in range(_KEPT)
        ]
        for y in range(SIDE)
    ]
    low = [sum(waves[v][y] * rows[y][u] for y in range(SIDE)) for v in range(_KEPT) for u in range(_KEPT)]
    # The first is the mean, which says how bright and not what it shows.
    middle = median(low[1:])
    return f"{int(''.join('1' if value > middle else '0' for value in low), 2):016x}"
