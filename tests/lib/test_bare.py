"""A text without its marks knows where its characters come from."""

from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.lib.bare import MARKS, Bare, without_marks

texts = st.text(st.sampled_from("ab5é" + MARKS), max_size=80).map(lambda text: text * 12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts)
def test_each_character_comes_from_where_it_stands(text):
    bare = Bare(text)

    assert bare.text == without_marks(text)
    places = [bare.origin(position) for position in range(len(bare.text))]
    assert places == [at for at, char in enumerate(text) if char not in MARKS]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts)
def test_a_position_counts_the_characters_before_it(text):
    bare = Bare(text)

    assert [bare.position(at) for at in range(len(text) + 1)] == [
        len(without_marks(text[:at])) for at in range(len(text) + 1)
    ]
