import pytest

from factcheck.lib.folding import fold
from factcheck.lib.wording import differences, words


def wording(text: str):
    return words(fold(text, keep_case=True).text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It fell to 5.4 million, by −2 %.", ["It", "fell", "to", "5.4", "million", "by", "-2", "%"]),
        ("12\u202f500 people at 10:30", ["12 500", "people", "at", "10:30"]),
        ("5mW for $5", ["5", "mW", "for", "$", "5"]),
        ("10² is 100", ["10", "²", "is", "100"]),
        ("The workers’ café", ["The", "workers", "café"]),
        ("1990–1995", ["1990", "1995"]),
    ],
)
def test_a_text_is_taken_apart_into_words_numbers_and_signs(text: str, expected: list[str]):
    assert [word.text for word in wording(text)] == expected


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("They didn’t", ["they", "did", "not"]),
        ("we cannot", ["we", "can", "not"]),
        ("it won't", ["it", "will", "not"]),
    ],
)
def test_a_contraction_is_a_verb_and_a_not(text: str, keys: list[str]):
    assert [word.key for word in wording(text)] == keys


@pytest.mark.parametrize(
    ("one", "other", "warnings"),
    [
        ("cost 5.4 million", "cost 6.4 million", {"number"}),
        ("cost five million", "cost five billion", {"number"}),
        ("they did sign", "they did not sign", {"negation"}),
        ("they didn't sign", "they did sign", {"negation"}),
        ("they did not sign", "they didn’t sign", set()),
        ("a harmful law", "a harmless law", {"negation"}),
        ("an able man", "an unable man", {"negation"}),
        ("he admitted it", "he denied it", {"negation"}),
        ("5 kg of it", "5 lb of it", {"unit"}),
        ("5 mW", "5 MW", {"unit"}),
        ("40 euros", "40 dollars", {"unit"}),
        ("5 % of it", "5 ‰ of it", {"unit"}),
        ("said Berg", "said Borg", {"name"}),
        ("the US said", "the us said", {"name"}),
        ("am lunes llega", "am martes llega", {"name"}),
        ("the quiet sea", "the calm sea", set()),
        ("The sea", "the sea", set()),
        ("40 Million Dollars", "40 million dollars", set()),
        ("THE SEA WAS CALM", "the sea was calm", set()),
        ("TELL US THE TRUTH", "tell us the truth", {"name"}),
    ],
)
def test_what_differs_is_named(one: str, other: str, warnings: set[str]):
    assert differences(wording(one), wording(other)) == warnings
    assert differences(wording(other), wording(one)) == warnings


def test_a_difference_only_in_capitals_can_be_left_out():
    assert differences(wording("5 mW"), wording("5 MW"), case=False) == set()
