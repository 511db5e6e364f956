import pytest

from factcheck.claims.wording import find_again, statement_sha256

OLD = "Repairs cost 40 million euros.\n\nThe city pays 40 million euros.\n\nMarta agreed."


def span(words: str, text: str = OLD, nth: int = 0) -> tuple[int, int]:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return start, start + len(words)


def test_words_that_stand_once_are_found_again():
    new = "A new first line.\n\n" + OLD

    assert find_again(OLD, [span("Marta agreed")], new) == [span("Marta agreed", new)]


def test_of_several_places_the_one_with_the_same_line_is_taken():
    new = "A new first line.\n\n" + OLD

    assert find_again(OLD, [span("40 million euros", nth=1)], new) == [span("40 million euros", new, nth=1)]


def test_several_places_that_nothing_tells_apart_are_not_guessed():
    old, new = "He said so.", "He said so.\n\nHe said so."

    assert find_again(old, [(0, 10)], new) is None


def test_changed_words_are_not_found():
    assert (
        find_again(OLD, [span("Repairs cost 40 million euros")], OLD.replace("Repairs cost 40", "Repairs cost 43"))
        is None
    )


@pytest.mark.parametrize(
    ("words", "new"),
    [
        ("5 million", "The bill was 2.5 million euros."),
        ("5 million", "The bill was 15 million euros."),
        ("5", "It costs 5,000 euros."),
        ("5", "It costs 5.4 euros."),
        ("legal", "The deal is illegal."),
    ],
)
def test_a_part_of_another_number_or_word_is_not_the_claim(words: str, new: str):
    old = f"They said {words} and left."

    assert find_again(old, [(10, 10 + len(words))], new) is None


def test_all_passages_of_a_claim_must_be_there_in_their_order():
    old = "One thing here. Other thing there."
    spans = [span("One thing", old), span("Other thing", old)]

    assert find_again(old, spans, "Other thing there. One thing here.") is None
    assert find_again(old, spans, "One thing here.") is None
    assert find_again(old, spans, "So. " + old) == [(4, 13), (20, 31)]


def test_another_speaker_or_another_word_makes_another_statement():
    ours = statement_sha256("", ["The fee is low"])

    assert ours != statement_sha256("Nayib Bukele", ["The fee is low"])
    assert ours != statement_sha256("", ["The fee is high"])
    assert ours == statement_sha256("", ["The fee is low"])
