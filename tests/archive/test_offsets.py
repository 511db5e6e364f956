"""The map of a layer leads each of its words back to where it stands in the page as received."""

from itertools import pairwise

import pytest
from django.conf import settings as project
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from factcheck.archive.extracting import Layer
from factcheck.archive.extraction import markup
from factcheck.archive.offsets import Run, as_blob, checked, from_blob, places, reading
from tests.archive.test_extracting import layer, read


def runs_of(found: Layer) -> list[Run]:
    return from_blob(as_blob(found.offsets or ()))


def source_of(markup_text: str, words: str) -> list[str]:
    """The pieces of the source that the words of the visible layer are led back to."""
    found = layer(read(markup_text))
    start = found.text.index(words)
    spans = places(runs_of(found), markup_text, start, start + len(words))
    return [markup_text[begin:end] for begin, end in spans]


@pytest.mark.parametrize(
    ("source", "words", "pieces"),
    [
        ("<p>It cost 40 million.</p>", "40 million", ["40 million"]),
        ("<p>It cost\n   40\tmillion.</p>", "40 million", ["40\tmillion"]),
        ("<p>AT&amp;T &copy; 2026</p>", "T&T ©", ["T&amp;T &copy;"]),
        ("<p>AT&ampT</p>", "T&T", ["T&ampT"]),
        ("<p>20<b>30</b> men", "2030 men", ["20", "30", "men"]),
        ("<p>one<!-- not > this -->two</p>", "onetwo", ["one", "two"]),
        ("<p>one</i>two</p>", "onetwo", ["one", "two"]),
        ('<p title="a > b">after</p>', "after", ["after"]),
        ("<script>'<p>twice</p>'</script><p>twice</p>", "twice", ["twice"]),
        ("<title>twice</title><p>twice</p>", "twice", ["twice"]),
        ("<pre>a\r\n  b &lt; c</pre>", "a\n  b < c", ["a\r\n  b &lt; c"]),
        ("<p>𝔘nder 🏛️ it</p>", "🏛️ it", ["🏛️ it"]),
        ("<p>a &nbsp; b</p>", "\u00a0", ["&nbsp;"]),
    ],
)
def test_words_are_led_back_to_the_source_that_they_were_read_from(source: str, words: str, pieces: list[str]) -> None:
    assert source_of(source, words) == pieces


def test_of_words_that_stand_in_a_page_twice_each_has_its_own_place() -> None:
    source = "<title>The dam</title><script>x = 'The dam'</script><p>The dam</p><p hidden>The dam</p><p>The dam</p>"
    found = layer(read(source))

    places_found = [source[run.source_start - 3 : run.source_start] for run in runs_of(found)]

    assert places_found == ["<p>", "<p>"]
    assert [run.source_start for run in runs_of(found)] == [source.index("<p>") + 3, source.rindex("<p>") + 3]


def test_hidden_words_have_their_places_too() -> None:
    source = "<p>open</p><p hidden>secret &amp; shut</p>"
    (run,) = runs_of(layer(read(source), "hidden"))

    assert source[run.source_start : run.source_end] == "secret &amp; shut"


def test_what_was_written_from_an_attribute_has_no_place() -> None:
    source = '<p>before</p><img alt="The dam"><p>after</p>'
    found = layer(read(source))

    assert [found.text[run.layer_start : run.layer_end] for run in runs_of(found)] == ["before", "after"]


PIECES = some.sampled_from(
    [
        *(
            "one",
            "two 2",
            " ",
            "\n  ",
            "\r\n",
            "\t",
            "&amp;",
            "&nbsp",
            "&eacute;",
            "&#8364;",
            "&#x1f600;",
            "&",
            "&;",
            "<",
        ),
        *("<p>", "</p>", "<b>", "</b>", "<br>", "<div hidden>", "</div>", "<pre>", "</pre>", "<td>", "<li>", "<table>"),
        *(
            "<!-- c -->",
            "<!-->",
            "<?pi x?>",
            "</>",
            "<a href='>'>",
            "</a>",
            "<script>one</script>",
            "<style>two 2</style>",
        ),
        *(
            "<textarea>",
            "</textarea>",
            "<title>one</title>",
            "<iframe>one</iframe>",
            "<noscript>",
            "</noscript>",
            "\x00",
        ),
        *(
            "\x0b",
            "Zażółć",
            "𝔘",
            "\ufeff",
            "<img alt=one>",
            "<svg>",
            "<![CDATA[one]]>",
            "</svg>",
            "<select>",
            "</select>",
        ),
    ]
)


@given(some.lists(PIECES, max_size=40))
@hypothesis_settings(max_examples=600, deadline=None)
def test_each_run_reads_in_the_source_as_it_reads_in_the_layer(pieces: list[str]) -> None:
    source = "".join(pieces)
    page = markup.read(source, source.encode())
    for text, numbers in ((page.visible, page.visible_places), (page.hidden, page.hidden_places)):
        assert numbers is None or checked(numbers, len(text)) is not None
        runs = from_blob(as_blob(numbers or []))
        for run in runs:
            in_layer = text[run.layer_start : run.layer_end]
            piece = source[run.source_start : run.source_end]
            assert in_layer in (reading(piece), reading(piece, preserved=True))
        assert all(one.layer_end <= other.layer_start for one, other in pairwise(runs))
        assert all(one.source_end <= other.source_start for one, other in pairwise(runs))


def test_of_an_ordinary_page_every_word_has_its_place() -> None:
    sources = sorted((project.BASE_DIR / "factcheck" / "operations" / "sample" / "sources").glob("*.html"))
    assert sources
    for path in sources:
        found = layer(read(path.read_text()))
        placed = {at for run in runs_of(found) for at in range(run.layer_start, run.layer_end)}
        without = "".join(letter for at, letter in enumerate(found.text) if at not in placed)
        assert not without.strip(), path.name


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 5, 0],
        [0, 5, 0, "0"],
        [0, 5, 0, True],
        [0, 0, 0, 0],
        [0, 5, 0, -5],
        [0, 6, 0, 0],
        [0, 3, 0, 0, -1, 1, 0, 0],
        [0, 3, 0, 0, 1, 1, -1, 0],
        {"runs": []},
        [],
    ],
)
def test_numbers_that_are_no_map_of_the_text_are_not_taken(numbers: object) -> None:
    assert checked(numbers, 5) is None


def test_a_page_of_nodes_that_stand_nowhere_does_not_keep_the_reader_busy() -> None:
    # The parser reads NUL as another character. Each would be looked for to the end of the source, were there no limit.
    nowhere = "".join(f"<p>paragraph\x00number {number}" for number in range(3_000))

    found = layer(read(f"{nowhere}<p>{'y' * 10_000_000}"))

    assert found.outcome == "ok"
    assert found.text.count("paragraph") == 3_000
