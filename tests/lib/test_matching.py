import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.lib import matching
from factcheck.lib.folding import fold
from factcheck.lib.matching import Match, locate

steady = settings(max_examples=100, deadline=None, derandomize=True)

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "data/quote_pairs.jsonl").open(encoding="utf-8")]
PASSED = ("exact", "normalised")

ARTICLE = """Harbour to close in autumn

The northern harbour of Vastvik will close in October, the mayor said on Tuesday. “We looked at every figure twice,”
Anna Berg told the council. “It does not pay.”

The town, which has 5.4 million crowns in its reserve, spent 1,250 crowns a day on the quay last year — more than
in 2019. About 40\u00a0km of road would have to be rebuilt. The workers’ union called the plan “a quiet sale”.

“Nobody asked us,” said Erik Lund, who has worked there for 31 years. The council votes in two weeks."""


def words_of(match: Match, text: str) -> list[str]:
    return [text[start:end] for start, end in match.spans]


# --- the table of pairs


@pytest.mark.parametrize("pair", [p for p in PAIRS if not p["passes"]], ids=lambda p: f"{p['kind']}: {p['quote']}")
def test_a_quote_that_says_something_else_never_passes(pair):
    match = locate(pair["quote"], pair["text"])

    assert match.outcome not in (*PASSED, "ambiguous")


def test_spelling_without_meaning_passes_in_ninety_eight_of_a_hundred():
    variants = [pair for pair in PAIRS if pair["passes"]]
    missed = [pair for pair in variants if locate(pair["quote"], pair["text"]).outcome not in PASSED]

    assert len(variants) >= 200
    assert len(missed) <= len(variants) * 0.02, missed


def test_what_passes_stands_at_the_words_that_were_meant():
    for pair in PAIRS:
        match = locate(pair["quote"], pair["text"])
        if match.outcome in PASSED:
            assert words_of(match, pair["text"]) == pair["words"]


@pytest.mark.parametrize("kind", ["number", "negation", "unit", "name"])
def test_most_near_misses_are_shown_to_a_person_with_what_differs(kind: str):
    matches = [locate(pair["quote"], pair["text"]) for pair in PAIRS if pair["kind"] == kind and not pair["passes"]]
    near = [match for match in matches if match.outcome == "fuzzy"]

    assert len(near) >= 15
    assert sum(kind in match.warnings for match in near) >= 0.9 * len(near)


# --- outcomes


def test_words_that_stand_there_character_by_character_are_exact():
    match = locate("Anna Berg told the council", ARTICLE)

    assert match.outcome == "exact"
    assert words_of(match, ARTICLE) == ["Anna Berg told the council"]
    assert (match.start, match.end) == match.spans[0]
    assert (match.score, match.warnings) == (100.0, ())


def test_words_in_another_spelling_are_normalised_and_the_span_is_of_the_text_as_given():
    match = locate('The workers\' union called the plan "a quiet sale"', ARTICLE)

    assert match.outcome == "normalised"
    assert words_of(match, ARTICLE) == ["The workers’ union called the plan “a quiet sale”"]


def test_a_quote_across_paragraphs_is_found():
    match = locate("“It does not pay.” The town", ARTICLE)

    assert match.outcome == "normalised"
    assert words_of(match, ARTICLE) == ["“It does not pay.”\n\nThe town"]


@pytest.mark.parametrize(
    ("quote", "warnings"),
    [
        ("The town, which has 6.4 million crowns in its reserve", ("number",)),
        ("The town, which has 5.4 billion crowns in its reserve", ("number",)),
        ("About 40 miles of road would have to be rebuilt", ("unit",)),
        ("figure twice,” Anna Borg told the council", ("name",)),
        ("The northern harbour of Vastvik will not close in October", ("negation",)),
        ("The Northern harbour of Vastvik won't close in 2019", ("number", "negation", "name")),
        ("The quiet harbour of Vastvik will close in October", ()),
    ],
)
def test_words_that_are_merely_alike_are_fuzzy_and_what_differs_is_named(quote: str, warnings: tuple[str, ...]):
    match = locate(quote, ARTICLE)

    assert match.outcome == "fuzzy"
    assert set(match.warnings) >= set(warnings)
    assert bool(match.warnings) == bool(warnings)
    assert 0 < match.score < 100


def test_a_fuzzy_span_is_of_whole_words_beside_those_of_the_quote():
    match = locate("which has 6.4 million kroner in its reserve, spent", ARTICLE)

    assert words_of(match, ARTICLE) == ["which has 5.4 million crowns in its reserve, spent"]


@pytest.mark.parametrize("quote", ["", "  \n", "\u200b", "nothing of the kind was ever said here", "31 weeks"])
def test_what_does_not_stand_there_is_absent(quote: str):
    match = locate(quote, ARTICLE)

    assert match == Match("absent")
    assert match.start is None
    assert match.end is None


def test_nothing_stands_in_an_empty_text():
    assert locate("the harbour", "").outcome == "absent"


def test_a_match_knows_its_first_start_and_its_last_end():
    match = locate("The northern harbour … the mayor said", ARTICLE)

    assert len(match.spans) == 2
    assert (match.start, match.end) == (match.spans[0][0], match.spans[1][1])


def test_a_text_folded_once_gives_the_same_answer():
    assert locate("a quiet sale", fold(ARTICLE)) == locate("a quiet sale", ARTICLE)


# --- capitals


@pytest.mark.parametrize(
    ("quote", "text", "warnings"),
    [
        ("5 mW", "a plant of 5 MW", ("unit",)),
        ("5mW", "a plant of 5MW", ("unit",)),
        ("US", "he told us so", ("name",)),
        ("Turkey", "a turkey farm", ("name",)),
    ],
)
def test_a_difference_in_capitals_that_mean_something_is_fuzzy(quote: str, text: str, warnings: tuple[str, ...]):
    match = locate(quote, text)

    assert (match.outcome, match.warnings) == ("fuzzy", warnings)


def test_the_first_word_of_a_sentence_may_have_another_capital():
    assert locate("It does not pay", "He thinks that it does not pay.").outcome == "normalised"


# --- borders


@pytest.mark.parametrize("text", ["It cost 2.5 million.", "It cost 15 million.", "It cost 1,5 million."])
def test_a_number_is_not_found_inside_a_longer_one(text: str):
    assert locate("5 million", text).outcome == "absent"


def test_the_whole_number_is_found_although_longer_ones_stand_before_it():
    text = "Not 2.5 million, not 15 million: 5 million."

    assert locate("5 million", text).spans == ((33, 42),)


@pytest.mark.parametrize(("quote", "text"), [("able", "unable"), ("legal", "illegal"), ("legal", "il\u00adlegal")])
def test_a_word_is_not_found_inside_another(quote: str, text: str):
    assert locate(quote, text).outcome == "absent"


@pytest.mark.parametrize(
    ("quote", "text", "warning"),
    [
        ("guilty of it", "He is not guilty of it.", "negation"),
        ("fell by 5", "Shares fell by 5 %.", "unit"),
        ("fell by 5", "Shares fell by 5 million.", "number"),
        ("5 degrees", "It is −5 degrees.", "number"),
        ("5 million", "It cost €5 million.", "unit"),
        ("violent protest", "a non-violent protest", "negation"),
    ],
)
def test_a_place_whose_border_cuts_off_meaning_asks_a_person(quote: str, text: str, warning: str):
    match = locate(quote, text)

    assert match.outcome == "fuzzy"
    assert match.warnings == (warning,)


def test_a_place_that_is_whole_wins_over_one_that_is_cut():
    text = "He was not guilty of theft. She was guilty of theft."

    match = locate("guilty of theft", text)

    assert match.outcome == "exact"
    assert match.start == text.rindex("guilty")


# --- elisions and brackets


@pytest.mark.parametrize("mark", ["…", "...", "[…]", "[...]", "(…)", "(...)", ". . ."])
def test_an_elision_gives_a_span_for_each_part(mark: str):
    match = locate(f"Erik Lund, {mark} has worked {mark} 31 years", ARTICLE)

    assert match.outcome == "exact"
    assert words_of(match, ARTICLE) == ["Erik Lund", "has worked", "31 years"]


def test_an_elision_that_stands_in_the_text_itself_is_one_span():
    match = locate("We looked … twice", "He quotes: “We looked … twice”. Later: we looked at it twice.")

    assert match.outcome == "exact"
    assert len(match.spans) == 1


def test_parts_in_another_order_do_not_match():
    assert locate("31 years … Erik Lund", ARTICLE).outcome == "absent"


def test_an_elision_does_not_reach_over_a_whole_text():
    text = "The council will decide. " + "Other matters came up. " * 200 + "The harbour stays open."

    assert locate("The council will … The harbour stays open", text).outcome == "absent"


def test_an_elision_may_not_hide_a_negation():
    match = locate("The mayor will … sign it", "The mayor will under no circumstances sign it")

    assert (match.outcome, match.warnings) == ("fuzzy", ("negation",))


def test_of_repeated_words_an_elision_joins_the_nearest():
    text = "We met. We talked of much. We finally left the town."

    assert locate("We … left the town", text).start == text.rindex("We")


def test_brackets_stand_for_other_words_in_one_span():
    quote = "[the mayor] told the council that “[t]he [northern] harbour” will close"

    match = locate(quote, "Anna Berg told the council that “the old harbour” will close.")

    assert match.outcome == "normalised"
    assert len(match.spans) == 1


def test_brackets_do_not_stand_for_a_whole_sentence():
    text = "He said one thing and then a second and at last, after hours, some third thing about the harbour."

    assert locate("He said [it] about the harbour", text).outcome == "absent"


@pytest.mark.parametrize(
    ("quote", "text", "warning"),
    [
        ("He [would] resign", "He would not resign", "negation"),
        ("It cost [5] million", "It cost 7 million", "number"),
        ("It cost [5 million] in all", "It cost a lot in all", "number"),
        ("a pay of five [euros] a day", "a pay of five dollars a day", "unit"),
    ],
)
def test_brackets_may_not_replace_what_matters(quote: str, text: str, warning: str):
    match = locate(quote, text)

    assert match.outcome == "fuzzy"
    assert warning in match.warnings


def test_parts_that_are_merely_alike_are_fuzzy_with_a_span_each():
    match = locate("The northern harbour of Vastvik shall close … Anna Borg told the council", ARTICLE)

    assert match.outcome == "fuzzy"
    assert "name" in match.warnings
    assert words_of(match, ARTICLE)[0] == "The northern harbour of Vastvik will close"


# --- several places

TWICE = "In 2019 revenue rose to 5 million. In 2020, after the flood, revenue rose to 5 million. Then it fell."


def test_several_places_are_ambiguous_and_all_are_named():
    match = locate("revenue rose to 5 million", TWICE)

    assert match.outcome == "ambiguous"
    assert match.spans == ((8, 33), (61, 86))


@pytest.mark.parametrize(
    ("prefix", "suffix", "start"),
    [
        ("In 2019 ", "", 8),
        ("In 2020, after the flood, ", "", 61),
        ("the flood, ", ". Then it", 61),
        ("", ". In 2020", 8),
        ("In 2020 – after the flood – ", ". Then it", 61),
        ("words from another edition", ". Then it fell.", 61),
    ],
)
def test_prefix_and_suffix_decide_between_places(prefix: str, suffix: str, start: int):
    match = locate("revenue rose to 5 million", TWICE, prefix=prefix, suffix=suffix)

    assert (match.outcome, match.start) == ("exact", start)


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [("nothing like it ", ""), ("In 2019 ", ". Then it fell"), ("", ". "), ("In 2018 ", "")],
)
def test_a_context_that_fits_no_place_better_leaves_it_ambiguous(prefix: str, suffix: str):
    text = TWICE if prefix != "In 2018 " else TWICE.replace(", after the flood,", "")

    assert locate("revenue rose to 5 million", text, prefix=prefix, suffix=suffix).outcome == "ambiguous"


def test_a_single_place_needs_no_context():
    assert locate("a quiet sale", ARTICLE, prefix="words of", suffix="an older text").outcome == "exact"


def test_an_exact_place_wins_over_a_normalised_one():
    text = "He said “it's over”. She said “it’s over”."

    assert locate("“it’s over”", text).start == 30


def test_one_place_among_thousands_is_chosen_by_its_context():
    text = (
        "the harbour and the sea, " * 3000 + "beyond the quay the harbour ends, " + "the harbour and the sea, " * 3000
    )

    match = locate("the harbour", text, prefix="beyond the quay ", suffix=" ends")

    assert match.outcome == "exact"
    assert match.start == text.index("the harbour ends")


# --- what holds for every text

EDGED = re.compile(r"(?<!\S)\S+(?!\S)")
alphabet = st.sampled_from(
    ["sea", "salt", "quay", "Anna", "wind", "roof", "ﬁsh", "cafe\u0301", "naïve", "👩\u200d👧", "한글"]
)
separators = st.sampled_from([" ", "\u00a0", "\n", ", ", ". ", " – ", "  "])


@st.composite
def texts_with_a_quote(draw: st.DrawFn) -> tuple[str, int, int]:
    text, starts, ends = "", [], []
    for word, separator in draw(st.lists(st.tuples(alphabet, separators), min_size=2, max_size=30)):
        starts.append(len(text))
        ends.append(len(text) + len(word))
        text += word + separator
    first = draw(st.integers(0, len(starts) - 1))
    last = draw(st.integers(first, len(starts) - 1))
    return text, starts[first], ends[last]


@steady
@given(texts_with_a_quote())
def test_words_cut_from_a_text_are_found_exactly_where_they_were(case: tuple[str, int, int]):
    text, start, end = case
    quote = text[start:end]

    match = locate(quote, text, prefix=text[:start], suffix=text[end:])

    assert match.outcome in ("exact", "ambiguous")
    assert (start, end) in match.spans or len(match.spans) == 20
    if text.count(quote) == 1:
        assert match.outcome == "exact"


@steady
@given(st.data())
def test_every_run_of_words_of_an_article_passes_or_is_cut(data: st.DataObject):
    places = [found.span() for found in EDGED.finditer(ARTICLE)]
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, min(first + 25, len(places) - 1)))
    start, end = places[first][0], places[last][1]

    match = locate(ARTICLE[start:end], ARTICLE, prefix=ARTICLE[:start], suffix=ARTICLE[end:])

    assert match.outcome in ("exact", "fuzzy")
    assert match.spans == ((start, end),)
    if match.outcome == "fuzzy":
        assert match.warnings


@steady
@given(st.data())
def test_one_changed_digit_never_passes(data: st.DataObject):
    digits = [found.start() for found in re.finditer(r"\d", ARTICLE)]
    at = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != ARTICLE[at]]))
    start = ARTICLE.rindex(" ", 0, max(1, at - data.draw(st.integers(1, 60)))) if at > 70 else 0
    end = ARTICLE.find(" ", at + data.draw(st.integers(1, 60)))
    quote = ARTICLE[start:at] + other + ARTICLE[at + 1 : end]

    assert locate(quote, ARTICLE).outcome in ("fuzzy", "absent")


@steady
@given(
    st.text(st.sampled_from("ab 5.,-'\"[]()…\u0301\u200d\ud800%$\n\u00ad👩中A")),
    st.text(st.sampled_from("ab 5.,-'\"[]()…\u0301\u200d\ud800%$\n\u00ad👩中A")),
    st.text(max_size=5),
)
def test_nothing_makes_it_raise_and_every_span_lies_in_the_text(quote: str, text: str, context: str):
    match = locate(quote, text, prefix=context, suffix=context)

    for start, end in match.spans:
        assert 0 <= start < end <= len(text)
    assert bool(match.spans) == (match.outcome != "absent")


@steady
@given(st.text(max_size=60), st.text(max_size=200))
def test_nothing_of_unicode_makes_it_raise(quote: str, text: str):
    locate(quote, text)
    assert locate(text, text).outcome in ("exact", "absent", "fuzzy", "ambiguous", "normalised")


def test_hostile_repetition_is_answered_all_the_same():
    text = "a " * 50_000

    assert locate("a a … a a … a a", text).outcome == "ambiguous"
    assert locate("b" * 20_001, text).outcome == "absent"
    assert locate("[x] " * 2_000 + "a … " * 2_000, text).outcome == "absent"


# --- the budget


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("a" * 2_000, "a" * 400_000),
        ("in-\nter" * 280, "in-\nter" * 100_000),
        ("a … " * 500, "a or another thing " * 2_000),
    ],
    ids=["one letter", "line ends", "more elisions than are understood"],
)
def test_a_search_that_was_given_up_does_not_say_that_the_words_are_absent(quote: str, text: str):
    match = locate(quote, text)

    assert match.outcome == "absent"
    assert not match.complete


def test_a_search_that_came_to_its_end_says_so():
    assert locate("nothing of the kind was ever said here", ARTICLE).complete
    assert locate("- a " * 499 + "- b", "- a " * 50_000).complete


HOSTILE = [
    ("- a " * 500, "- a " * 100_000),
    ("- a " * 499 + "- b", "- a " * 100_000),
    ("\" ' " * 500, "\" ' " * 100_000),
    ("a ! ? " * 333, "a !?" * 100_000),
    ("1 000 " * 333, "1 000 " * 60_000),
    ("e" + "\u0301" * 1_999, "e" + "\u0301" * 200_000),
    ("a a … " * 333, "a " * 200_000),
    ("it is so … " * 59, "it is so, they said. " * 20_000),
]


@pytest.mark.parametrize(("quote", "text"), HOSTILE, ids=[quote[:12] for quote, _text in HOSTILE])
def test_no_quote_costs_more_than_the_budget(quote: str, text: str, monkeypatch: pytest.MonkeyPatch):
    searches = []

    class Watched(matching._Search):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            searches.append(self)

    monkeypatch.setattr(matching, "_Search", Watched)
    locate(quote, text)

    longest = matching.FIND_COST + matching.JUDGE_COST + len(quote)
    # Each piece may ask once more after the budget is used up, and gets nothing.
    assert searches[0].work <= matching.MOST_WORK + 10 * matching.MOST_PIECES * longest
