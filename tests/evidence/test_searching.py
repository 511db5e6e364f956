"""What is said of a quote when a text was not read, or not searched, to its end."""

import pytest

from factcheck.archive.models import TextLayer
from factcheck.evidence.models import PassageOutcome
from factcheck.evidence.searching import Layer, find_quote


def visible(text: str) -> list[Layer]:
    return [Layer(TextLayer.Kind.VISIBLE, TextLayer.Result.OK, lambda: text)]


@pytest.mark.parametrize(
    ("quote", "text", "outcome"),
    [
        ("the harbour stays open", "Nothing of the kind was said.", PassageOutcome.ABSENT),
        ("a" * 2_000, "a" * 400_000, PassageOutcome.LIMIT),
    ],
    ids=["searched to its end", "given up"],
)
def test_absent_is_said_only_after_a_search_that_came_to_its_end(quote: str, text: str, outcome: PassageOutcome):
    assert find_quote(visible(text), quote).outcome is outcome


def test_words_that_stand_there_are_found_although_they_repeat_themselves():
    assert find_quote(visible("- a " * 100_000), "- a " * 500).outcome is PassageOutcome.AMBIGUOUS
