import pytest

from factcheck.pages.content import SHAPES, TONES, ContentError, parse
from factcheck.verdicts.models import Shape, Tone
from tests.pages import sample


def test_frozen_content_of_another_format_is_refused():
    with pytest.raises(ContentError, match="format"):
        parse(sample.content(v=2))


def test_content_that_lacks_something_is_refused():
    content = sample.content()
    del content["revision"]

    with pytest.raises(ContentError, match="not complete"):
        parse(content)


def test_a_mark_on_other_words_than_those_that_were_checked_is_refused():
    content = sample.content()
    content["claims"][0]["passages"][0]["start"] += 1
    content["claims"][0]["passages"][0]["end"] += 1

    with pytest.raises(ContentError, match="offsets"):
        parse(content)


def test_blocks_whose_offsets_do_not_fit_are_refused():
    content = sample.content()
    content["blocks"][1]["text"] += "!"

    with pytest.raises(ContentError, match="offsets"):
        parse(content)


def test_evidence_for_the_desk_only_is_dropped_even_if_it_had_been_frozen():
    content = sample.content()
    content["claims"][0]["evidence"].append(sample.page("secret00", visibility="desk", title="Do not show"))

    evidence = parse(content).claims[0].evidence

    assert [item.id for item in evidence] == ["ev2ev2ev"]


def test_what_is_not_a_web_address_is_no_link():
    content = sample.content()
    content["claims"][0]["evidence"] = [
        sample.page("ev5ev5ev", url="javascript:alert(1)"),
        sample.page("ev6ev6ev", url="data:text/html,x"),
        sample.page("ev7ev7ev", url="HTTPS://press.example/"),
    ]

    links = [item.link for item in parse(content).claims[0].evidence]

    assert links == ["", "", "HTTPS://press.example/"]


def test_the_tally_counts_every_claim_once_in_the_order_of_the_scale():
    tally = parse(sample.content()).tally

    assert [(row.badge.label, row.count) for row in tally] == [
        ("Accurate", 3),
        ("Mostly accurate", 1),
        ("Needs context", 1),
        ("Unproven", 1),
        ("Inaccurate", 1),
        ("Opinion", 1),
        ("Not rated", 1),
    ]


def test_pages_can_draw_each_shape_and_tone_of_the_scale():
    assert set(Shape.values) <= SHAPES
    assert set(Tone.values) == TONES
