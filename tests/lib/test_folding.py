import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factcheck.lib.folding import fold

steady = settings(max_examples=100, deadline=None, derandomize=True)

# What texts are made of, and what makes folding hard, more often than chance would bring it
AWKWARD = [
    *"aEzß5 .-'\"…“”’«»–—−\n\r\t\u00a0\u2009\u200b\u200d\u00ad\u200f\ufeff\ufe0f\u0301\u0308\u0327\u0345²½①ﬁﬃ№℃㎡İıςſ",
    *"한글\u1100\u1161\u11a8ｶﾞ中שלםالع👩👧❤🏽\u0002\ufffe",
    "-\n",
    "--",
    ". . .",
    "''",
    "👩\u200d👧",
    "e\u0301",
    "inter-\nnational",
]
texts = st.lists(st.sampled_from(AWKWARD) | st.text(max_size=3), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("“A” ‘b’ «c» „d‟ 'e'", '"a" \'b\' "c" "d" \'e\''),
        ("1–2 3—4 5−6 7‑8 9--0", "1-2 3-4 5-6 7-8 9-0"),
        ("wait… now . . . then", "wait... now ... then"),
        ("a\u00a0b\u2009\u3000c\r\n\n\td", "a b c d"),
        ("in\u00adter\u200bna\u2060tional\ufeff", "international"),
        ("inter-\nnational", "international"),
        ("inter- \r\n  national", "international"),
        ("inter\u0002national inter\ufffe\nnational", "international international"),
        ("INTER-\nNATIONAL", "international"),
        ("oﬃce ﬁnal ﬂight", "office final flight"),
        ("Straße ΣΊΣΥΦΟΣ", "strasse σίσυφοσ"),
        ("e\u0301te\u0301", "été"),
        ("한글", "한글"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("５．４ ℃ ㎜ µ", "5.4 °c mm μ"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_spelling_without_meaning_is_levelled(text: str, folded: str):
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "text",
    ["10²", "co₂", "5½", "①", "1º", "m²", "1,000", "1.000", "⒈5", "1\u202e5", "👩\u200d👧", "x¨y", "5\u206250"],
)
def test_what_carries_meaning_is_left_alone(text: str):
    assert fold(text).text == text


def test_a_square_metre_keeps_its_two():
    assert fold("10 ㎡").text == "10 m²"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("1990-\n1995", "1990- 1995"),
        ("1990\u00021995", "1990-1995"),
        ("Smith-\nJones", "smith-jones"),
        ("war –\nand", "war - and"),
        ("end-\n\nstart", "end- start"),
        ("well-known", "well-known"),
    ],
)
def test_a_hyphen_is_taken_out_only_at_a_line_end_between_letters_of_one_word(text: str, folded: str):
    assert fold(text).text == folded


def test_the_place_of_a_hyphen_taken_out_is_known():
    assert fold("a well-\nknown man").joins == {6}


def test_case_is_kept_when_asked():
    assert fold("“5\u00a0MW” ﬁNE Straße", keep_case=True).text == '"5 MW" fiNE Straße'


@pytest.mark.parametrize(
    ("text", "part", "original"),
    [
        ("le “café” noir", '"café"', "“café”"),
        ("le cafe\u0301 noir", "café", "cafe\u0301"),
        ("oﬃce", "office", "oﬃce"),
        ("oﬃce", "ff", "ﬃ"),
        ("Straße 5", "strasse", "Straße"),
        ("Straße 5", "s", "S"),
        ("an inter-\n  national deal", "international", "inter-\n  national"),
        ("a \n\n b", " ", " \n\n "),
        ("x…y", "...", "…"),
        ("so 👩\u200d👧, they", "👩\u200d👧", "👩\u200d👧"),
        ("♥\ufe0f x\u00ady", "xy", "x\u00ady"),
        ("אמר \u200fשלום\u200e היום", "שלום", "שלום"),
        (unicodedata.normalize("NFD", "각하"), "하", unicodedata.normalize("NFD", "하")),
        ("🙂🙂 five", "five", "five"),
        ("İzmir", "zmir", "zmir"),
    ],
)
def test_a_folded_span_leads_back_to_the_original_words(text: str, part: str, original: str):
    folded = fold(text)
    at = folded.text.index(part)

    start, end = folded.original_span(at, at + len(part))

    assert text[start:end] == original


def test_an_empty_span_leads_nowhere():
    with pytest.raises(ValueError, match="at least one character"):
        fold("abc").original_span(1, 1)


@steady
@given(texts)
@example("\u0301\u0301")
@example("a\u200b\u0301b")
@example("İ\u0345")
def test_every_folded_character_leads_back_to_what_folds_to_it(text: str):
    folded = fold(text)

    reached = 0
    for at in range(len(folded.text)):
        start, end = folded.original_span(at, at + 1)
        assert 0 <= start < end <= len(text)
        # In order, without overlap but for characters that came from the same place
        assert start >= reached or folded.original_span(at - 1, at) == (start, end)
        reached = end
        assert folded.original_span(at, len(folded.text))[0] == start


@steady
@given(texts)
def test_nothing_but_the_invisible_is_lost(text: str):
    folded = fold(text)
    covered = set()
    for at in range(len(folded.text)):
        covered.update(range(*folded.original_span(at, at + 1)))

    dropped = "".join(text[at] for at in range(len(text)) if at not in covered)
    between_letters = "-\u2010\u0002\ufffe\n\r\t \u00a0\u2009\x0b\x0c\x85\u2028\u2029"
    assert all(unicodedata.category(char) in ("Cf", "Mn") or char in between_letters for char in dropped)


@steady
@given(st.text(st.characters(categories=["L", "M", "N", "Zs"])))
def test_folding_folded_words_changes_nothing(text: str):
    once = fold(text).text
    assert fold(once).text == once


@steady
@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs", "Po"])))
def test_both_unicode_spellings_of_a_text_fold_alike(text: str):
    assert fold(unicodedata.normalize("NFC", text)).text == fold(unicodedata.normalize("NFD", text)).text


@steady
@given(texts)
def test_places_of_the_original_lead_to_the_folded_text_and_back(text: str):
    folded = fold(text)
    for at in range(len(folded.text)):
        start, end = folded.original_span(at, at + 1)
        assert folded.folded_position(start) <= at < folded.folded_position(end)
