"""Which sentences are offered for a check, and why."""

import json
import re
from pathlib import Path

import pytest

from factcheck.claims.suggesting import LEAST_SCORE, suggest, to_look_up

MEASURING = Path(__file__).parents[3] / "shared" / "data" / "checkworthy-dev.jsonl"

ENGLISH = (
    "Thank you all for coming tonight. Unemployment fell to 4.1 percent in 2024, the lowest in fifty years. "
    "I think we should all be proud of that. “We sent 238 people to El Salvador,” said Marco Rubio. What comes next?"
)
SPANISH = (
    "Gracias a todos. El desempleo bajó al 4,1 por ciento en 2024, el menor en cincuenta años. "
    "Creo que debemos estar orgullosos."
)


def sentences(text: str, language: str) -> list[str]:
    return [text[one.start : one.end] for one in suggest(text, language)]


def test_what_can_be_looked_up_comes_first_and_thanks_and_wishes_not_at_all():
    found = sentences(ENGLISH, "en")

    assert found[0].startswith("Unemployment fell")
    assert found[1].startswith("“We sent 238")
    assert not any(words in one for one in found for words in ("Thank you", "I think", "What comes"))


def test_each_suggestion_says_why():
    first = suggest(ENGLISH, "en")[0]

    assert "It holds a number." in first.reasons
    assert "It claims an extreme or an absolute." in first.reasons
    assert LEAST_SCORE <= first.score <= 1


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("Five died.", "en"),
        ("They met on 4 May.", "en"),
        ("They left on Monday.", "en"),
        ("Anna Berg left.", "en"),
        ("She said “no” to them.", "en"),
        ("It was the oldest.", "en"),
        ("Fue el único.", "es"),
        ("Se reunieron en mayo.", "es"),
    ],
)
def test_the_shortest_sentence_that_says_who_when_or_how_many_can_be_looked_up(sentence, language):
    assert to_look_up(sentence, language)


def test_a_sentence_without_any_fact_has_nothing_to_look_up():
    assert to_look_up("The room was dark and cold.", "en") == ()


def test_spanish_is_known():
    found = sentences(SPANISH, "es-SV")

    assert found[0].startswith("El desempleo bajó")
    assert len(found) == 1


def test_in_an_unknown_language_numbers_and_quotes_still_count():
    assert sentences("Die Stadt zahlte 2023 genau 5,4 Millionen Euro. Das ist so.", "de") == [
        "Die Stadt zahlte 2023 genau 5,4 Millionen Euro."
    ]


@pytest.mark.parametrize("text", ["", " \n\n ", "!" * 50_000, "9 " * 50_000, "A" * 100_000])
def test_odd_texts_are_read_to_their_end(text):
    assert isinstance(suggest(text, "en"), list)


@pytest.mark.skipif(not MEASURING.exists(), reason="shared: the measuring set is not here")
def test_on_a_public_set_it_ranks_better_than_counting_digits():
    rows = [json.loads(line) for line in MEASURING.read_text().splitlines()]
    ours, digits = [], []
    for row in rows:
        found = suggest(row["text"], "en")
        ours.append((max((one.score for one in found), default=0.0), row["checkworthy"]))
        digits.append((len(re.findall(r"\d", row["text"])), row["checkworthy"]))

    assert average_precision(ours) > average_precision(digits) + 0.15


def average_precision(scored: list[tuple[float, int]]) -> float:
    hits = 0
    total = 0.0
    for rank, (_score, worthy) in enumerate(sorted(scored, key=lambda one: -one[0]), start=1):
        if worthy:
            hits += 1
            total += hits / rank
    return total / hits
