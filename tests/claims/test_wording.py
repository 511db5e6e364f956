import pytest

from factcheck.claims.wording import Carried, carry_over, statement_sha256

OLD = "Repairs cost 40 million euros.\n\nThe city pays 40 million euros.\n\nMarta agreed."


def span(words: str, text: str = OLD, nth: int = 0) -> tuple[int, int]:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return start, start + len(words)


def test_words_that_stand_untouched_are_certain():
    new = "A new first line.\n\n" + OLD

    assert carry_over(OLD, [span("40 million euros", nth=1)], new) == Carried(
        (span("40 million euros", new, nth=1),), certain=True
    )


def test_changed_words_are_certain_and_say_what_changed():
    new = OLD.replace("Repairs cost 40", "Repairs cost 43")

    assert carry_over(OLD, [span("Repairs cost 40 million euros")], new) == Carried(
        (span("Repairs cost 43 million euros", new),), certain=True, changes=("40 → 43",)
    )


def test_several_places_that_nothing_tells_apart_are_not_guessed():
    assert not carry_over("He said so.", [(0, 10)], "He said so.\n\nHe said so.").certain


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

    assert not carry_over(old, [(10, 10 + len(words))], new).certain


def test_all_passages_of_a_claim_must_be_there_in_their_order():
    old = "One thing here. Other thing there."
    spans = [span("One thing", old), span("Other thing", old)]

    assert not carry_over(old, spans, "Other thing there. One thing here.").certain
    assert not carry_over(old, spans, "One thing here.").certain
    assert carry_over(old, spans, "So. " + old) == Carried(((4, 13), (20, 31)), certain=True)


def test_another_speaker_or_another_word_makes_another_statement():
    ours = statement_sha256("", ["The fee is low"])

    assert ours != statement_sha256("Nayib Bukele", ["The fee is low"])
    assert ours != statement_sha256("", ["The fee is high"])
    assert ours != statement_sha256("", ["The FEE is low"])
    assert ours == statement_sha256("", ["The fee is low"])


def test_other_quotation_marks_and_spaces_make_no_other_statement():
    assert statement_sha256("", ["“Yes, we\u00a0can”"]) == statement_sha256("", ['"Yes, we can"'])
    assert statement_sha256("", ["10² metres"]) != statement_sha256("", ["102 metres"])
