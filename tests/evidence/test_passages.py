from factcheck.evidence.passages import in_context

TEXT = "First one. Second sentence here! The quoted words stand in this one. A fourth follows. A fifth.\n\nNew one."


def around(words: str, text: str = TEXT):
    start = text.index(words)
    return in_context(text, [(start, start + len(words))])


def test_a_passage_has_its_own_sentence_and_one_on_either_side():
    passage = around("quoted words")

    assert passage.before == "Second sentence here! The "
    assert passage.exact == "quoted words"
    assert passage.after == " stand in this one. A fourth follows."


def test_a_passage_at_the_ends_of_a_text_has_what_there_is():
    assert around("First").before == ""
    assert around("New one.").after == ""


def test_an_elided_quote_shows_its_parts_only():
    spans = [(0, 5), (TEXT.index("fifth"), TEXT.index("fifth") + 5)]

    assert in_context(TEXT, spans).exact == "First … fifth"


def test_the_surroundings_are_bounded_however_long_a_sentence_is():
    text = "word " * 2000 + "QUOTE" + " word" * 2000
    passage = around("QUOTE", text)

    assert len(passage.before) <= 402
    assert len(passage.after) <= 402
    assert passage.before.startswith("… ")
