"""Expected bytes are those of RFC 8785 where a test says so."""

import json
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.lib.canonical_json import dumps

steady = settings(max_examples=100, deadline=None, derandomize=True)

plain_text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | plain_text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(plain_text, inner), max_leaves=20)


def test_strings_and_literals_are_written_as_in_the_example_of_rfc_8785():
    value = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}

    # Section 3.2.4, without the numbers, which are floating-point
    expected = bytes.fromhex(
        "7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c"
        "22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d"
    )
    assert dumps(value) == expected


def test_keys_are_ordered_by_utf_16_unit_as_in_the_example_of_rfc_8785():
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    # Section 3.2.3
    assert list(json.loads(dumps(value)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_every_control_character_has_the_escape_that_rfc_8785_names():
    # Section 3.2.2.2
    short = {"\b": rb"\b", "\t": rb"\t", "\n": rb"\n", "\f": rb"\f", "\r": rb"\r"}
    for code in range(0x20):
        assert dumps(chr(code)) == b'"%b"' % short.get(chr(code), b"\\u%04x" % code)
    assert dumps("\x7f\u2028") == b'"\x7f\xe2\x80\xa8"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, b"{}"),
        ([], b"[]"),
        ("", b'""'),
        (0, b"0"),
        (-0, b"0"),
        (2**53 - 1, b"9007199254740991"),
        (-(2**53) + 1, b"-9007199254740991"),
        ((1, (2,)), b"[1,[2]]"),
        ({"b": 1, "a": {"d": [], "c": True}}, b'{"a":{"c":true,"d":[]},"b":1}'),
    ],
)
def test_values_are_written_without_spaces_and_with_sorted_keys(value: Any, expected: bytes):
    assert dumps(value) == expected


def test_values_of_enumerations_are_written_as_what_they_are():
    class Number(IntEnum):
        TWO = 2

    class Word(StrEnum):
        CLAIM = "claim"

    assert dumps({Word.CLAIM: [Word.CLAIM, Number.TWO]}) == b'{"claim":["claim",2]}'


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), b"bytes", {1, 2}, object(), {1: "a"}, {None: 1}, [1j], {"a": 0.5}]
)
def test_what_canonical_json_does_not_have_is_a_type_error(value: Any):
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {"\udfff": 1}, ["a\ude00b"]])
def test_numbers_too_large_and_lone_surrogates_are_a_value_error(value: Any):
    with pytest.raises(ValueError, match="too large|surrogates"):
        dumps(value)


def test_what_contains_itself_is_a_value_error():
    value: list[Any] = []
    value.append(value)

    with pytest.raises(ValueError, match="nested too deeply"):
        dumps(value)


@steady
@given(values)
def test_what_is_written_reads_back_as_it_was(value: Any):
    assert json.loads(dumps(value)) == value


@steady
@given(st.dictionaries(plain_text, scalars))
def test_the_order_of_insertion_does_not_show(value: dict[str, Any]):
    assert dumps(value) == dumps(dict(reversed(value.items())))
