"""The scale that a new newsroom starts with. It is edited in the desk, never here."""

from typing import Any

from factcheck.verdicts.models import Rating, Shape, Tone

FIRST_SCALE: tuple[dict[str, Any], ...] = (
    {
        "slug": "accurate",
        "label": "Accurate",
        "meaning": "Everything in these words is right, and the sources show it.",
        "truth_value": 5,
        "releases": True,
        "shape": Shape.CHECK,
        "tone": Tone.GOOD,
    },
    {
        "slug": "mostly_accurate",
        "label": "Mostly accurate",
        "meaning": "Right in what matters; a detail is loose, rounded or missing.",
        "truth_value": 4,
        "releases": True,
        "shape": Shape.HALF,
        "tone": Tone.GOOD,
    },
    {
        "slug": "needs_context",
        "label": "Needs context",
        "meaning": "Right as far as it goes, and misleading without what is added here.",
        "truth_value": 3,
        "releases": True,
        "shape": Shape.QUARTER,
        "tone": Tone.MIXED,
    },
    {
        "slug": "unproven",
        "label": "Unproven",
        "meaning": "The sources that we could find neither show it nor rule it out.",
        "truth_value": None,
        "needs_evidence": False,
        "releases": False,
        "shape": Shape.QUESTION,
        "tone": Tone.NEUTRAL,
    },
    {
        "slug": "inaccurate",
        "label": "Inaccurate",
        "meaning": "The sources show that it is wrong.",
        "truth_value": 1,
        "releases": False,
        "shape": Shape.CROSS,
        "tone": Tone.BAD,
    },
    {
        "slug": "opinion",
        "label": "Opinion",
        "meaning": "A judgement, a forecast or a wish: it cannot be right or wrong.",
        "truth_value": None,
        "needs_evidence": False,
        "releases": True,
        "shape": Shape.QUOTE,
        "tone": Tone.NOTE,
    },
)


def seed_scale(**_signal: object) -> None:
    """Give a newsroom that has no scale the first one; runs after every migrate."""
    if not Rating.objects.exists():
        Rating.objects.bulk_create(Rating(order=number, **values) for number, values in enumerate(FIRST_SCALE, start=1))
