import pytest

from factcheck.lib.legible import is_legible


@pytest.mark.parametrize("text", ["a", " 7 ", "نعم", "因为", "é"])
def test_a_letter_or_a_digit_of_any_script_can_be_read(text):
    assert is_legible(text)


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2060\u200e", "–", "…", "\u00ad"])
def test_blanks_marks_and_invisible_characters_cannot(text):
    assert not is_legible(text)
