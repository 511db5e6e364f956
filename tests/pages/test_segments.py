from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.pages.content import Block, Claim, parse
from factcheck.pages.segments import segments
from tests.pages import sample

LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r", exclude_categories=["C"]), min_size=1)


@st.composite
def marked(draw: st.DrawFn) -> dict[str, Any]:
    """An article with claims anywhere: overlapping, nested, alike, over the borders of blocks."""
    blocks = sample.placed([("paragraph", draw(LETTERS)) for _number in range(draw(st.integers(1, 4)))])
    text = "\n\n".join(block["text"] for block in blocks)
    claims = []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        passages = []
        for _passage in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, len(text) - 1))
            end = draw(st.integers(start + 1, len(text)))
            passages.append({"start": start, "end": end, "text": text[start:end]})
        rating = draw(st.sampled_from(["accurate", "inaccurate", "opinion", None]))
        claims.append(sample.claim(number, passages, rating))
    return sample.content(blocks=blocks, claims=claims)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(marked())
def test_the_pieces_of_a_block_are_its_words_once_and_in_order(content: dict[str, Any]) -> None:
    publication = parse(content)

    for block in publication.blocks:
        pieces = segments(block, publication.claims)

        assert "".join(piece.text for piece in pieces) == block.text
        assert all(piece.text for piece in pieces)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(marked())
def test_each_letter_carries_exactly_the_claims_whose_passages_cover_it(content: dict[str, Any]) -> None:
    publication = parse(content)

    for block in publication.blocks:
        place = block.start
        for piece in segments(block, publication.claims):
            for letter in range(place, place + len(piece.text)):
                covering = [
                    claim.id
                    for claim in publication.claims
                    if any(passage.start <= letter < passage.end for passage in claim.passages)
                ]
                assert [claim.id for claim in piece.claims] == covering
            place += len(piece.text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(marked())
def test_each_claim_has_one_note_and_it_follows_the_last_of_its_words(content: dict[str, Any]) -> None:
    publication = parse(content)
    ends: dict[str, list[int]] = {}

    for block in publication.blocks:
        place = block.start
        for piece in segments(block, publication.claims):
            place += len(piece.text)
            for claim in piece.notes:
                ends.setdefault(claim.id, []).append(place)

    for claim in publication.claims:
        inside = [block for block in publication.blocks if block.start < claim.end]
        assert ends[claim.id] == [min(claim.end, inside[-1].end)]


def test_where_claims_overlap_the_underline_takes_the_tone_that_must_not_be_missed() -> None:
    block = Block("b1", "paragraph", "one two three", 0, 13)
    good = _claim(1, 0, 13, "accurate")
    bad = _claim(2, 4, 7, "inaccurate")

    tones = [(piece.text, piece.tone) for piece in segments(block, [good, bad])]

    assert tones == [("one ", "good"), ("two", "bad"), (" three", "good")]


def _claim(number: int, start: int, end: int, rating: str) -> Claim:
    passages = [{"start": start, "end": end, "text": "one two three"[start:end]}]
    blocks = sample.placed([("paragraph", "one two three")])
    return parse(sample.content(blocks=blocks, claims=[sample.claim(number, passages, rating)])).claims[0]
