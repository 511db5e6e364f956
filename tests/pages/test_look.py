import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "factcheck" / "static"
TONES = ("good", "mixed", "bad", "neutral", "note")


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.split(
        r"@media \(prefers-color-scheme: dark\)", (STATIC / "tokens.css").read_text().split("@media print")[0]
    )
    colours = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
    return {"light": dict(colours.findall(light)), "dark": dict(colours.findall(light)) | dict(colours.findall(dark))}


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_what_they_stand_on(scheme):
    tokens = schemes()[scheme]
    pairs = [(ink, ground) for ink in ("ink", "ink-2", "accent") for ground in ("paper", "surface", "sunk")]
    pairs += [(f"tone-{tone}", ground) for tone in TONES for ground in ("paper", "surface", f"tone-{tone}-wash")]
    pairs += [("on-accent", "accent"), ("ink", "mark"), ("accent", "accent-wash")]
    pairs += [(ink, f"tone-{tone}-wash") for tone in TONES for ink in ("ink", "ink-2", "accent")]

    weak = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in pairs}

    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edges_of_fields_and_the_focus_can_be_seen(scheme):
    tokens = schemes()[scheme]

    for edge in ("line-strong", "focus"):
        assert contrast(tokens[edge], tokens["paper"]) >= 3
        assert contrast(tokens[edge], tokens["surface"]) >= 3


def test_style_fetches_nothing_from_anywhere():
    for path in STATIC.glob("*.css"):
        assert not re.search(r"url\(|@import|@font-face", path.read_text()), path.name


def test_style_knows_start_and_end_and_not_left_and_right():
    sided = re.compile(
        r"\b(?:margin|padding|border)-(?:left|right)\b|[;{]\s*(?:left|right)\s*:|text-align:\s*(?:left|right)|float:"
    )
    for path in STATIC.glob("*.css"):
        assert not sided.search(path.read_text()), path.name


def test_every_colour_that_style_uses_is_a_token():
    defined = set(re.findall(r"(--[\w-]+):", "".join(path.read_text() for path in STATIC.glob("*.css"))))

    for path in STATIC.glob("*.css"):
        assert set(re.findall(r"var\((--[\w-]+)", path.read_text())) <= defined, path.name
