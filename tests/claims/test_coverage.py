"""How much of a text is checked, counted in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcheck.claims.coverage import Cover, coverage, sentence_key

TEXT = "The city paid 40 million. Nobody knew why.\n\nIt rained for 3 days."


def span(words: str) -> tuple[int, int]:
    start = TEXT.index(words)
    return start, start + len(words)


def test_words_in_a_claim_are_as_far_as_the_claim_and_the_rest_is_unmarked():
    covered = coverage(TEXT, [(span("40 million"), Cover.SIGNED_OFF)], {})

    assert covered.words[Cover.SIGNED_OFF] == 2
    assert covered.words[Cover.UNMARKED] == 11
    assert [sentence.is_untouched for sentence in covered.sentences] == [False, True, True]


def test_where_claims_overlap_a_word_is_as_far_as_the_one_that_is_least_far():
    claims = [(span("paid 40 million"), Cover.SIGNED_OFF), (span("40 million"), Cover.OPEN)]

    assert coverage(TEXT, claims, {}).words[Cover.OPEN] == 2


@pytest.mark.parametrize("kind", ["not_checkable", "out_of_scope"])
def test_a_sentence_that_was_set_aside_counts_as_that_but_for_its_claims(kind):
    sentence = "The city paid 40 million."
    covered = coverage(TEXT, [(span("40 million"), Cover.IN_CHECK)], {sentence_key(sentence): kind})

    assert covered.words[Cover(kind)] == 3
    assert covered.words[Cover.IN_CHECK] == 2


def test_a_sentence_is_known_by_its_words_and_not_by_its_marks_or_its_place():
    assert sentence_key("“Yes,” he said.") == sentence_key('"Yes," he said.')
    assert sentence_key("It cost 5 million.") != sentence_key("It cost 6 million.")


@given(st.text(alphabet="ab .!\n5“”é", max_size=200), st.data())
def test_every_word_is_counted_once(text, data):
    spans = data.draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=8))
    claims = [((start, start + length), Cover.OPEN) for start, length in spans]

    assert sum(coverage(text, claims, {}).words.values()) == sum(coverage(text, [], {}).words.values())
