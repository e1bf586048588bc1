"""Texts that Cedar reads: patterns of ``like``, and extension values, as Cedar itself understands them."""

from __future__ import annotations

import itertools

import cedarpy
import pytest

from aeterna.policies.adapters.smt.literals import (
    address_of,
    address_text,
    datetime_of,
    datetime_text,
    decimal_of,
    decimal_text,
    duration_of,
)
from aeterna.policies.adapters.smt.patterns import Pattern, matches, texts

ASKED: dict[str, object] = {"principal": 'A::"a"', "action": 'A::"a"', "resource": 'A::"a"', "context": {}}


def cedar_says(condition: str) -> bool | None:
    """Return whether the condition holds by Cedar, or None if it fails."""
    found = cedarpy.is_authorized(ASKED, f"permit (principal, action, resource) when {{ {condition} }};", "[]")
    return None if found.diagnostics.errors else found.decision is cedarpy.Decision.Allow


PATTERNS: dict[str, Pattern] = {
    "": (),
    "*": (None,),
    "a*": ("a", None),
    "*a": (None, "a"),
    "a*b": ("a", None, "b"),
    "*a*": (None, "a", None),
    "**b": (None, None, "b"),
    "a\\*": ("a", "*"),
    "*ab*a": (None, "ab", None, "a"),
}


@pytest.mark.parametrize("written", PATTERNS)
def test_a_text_matches_when_cedar_says_so(written: str) -> None:
    tried = ["".join(chars) for length in range(4) for chars in itertools.product("ab*", repeat=length)]

    wrong = [text for text in tried if matches(PATTERNS[written], text) is not cedar_says(f'"{text}" like "{written}"')]

    assert wrong == []


@pytest.mark.parametrize(
    ("why", "wanted", "most", "expected"),
    [
        ("nothing is both", {"a*": True, "*a*": False}, 3, 0),
        ("nothing is outside everything", {"*": False}, 3, 0),
        ("there is always one more", {"a*": True, "*a": False}, 50, 50),
        ("a pattern without a star is one text", {"a\\*": True}, 3, 1),
        ("all together", {"a*": True, "*a": True, "*ab*a": False, "a*b": False}, 20, 20),
    ],
)
def test_texts_are_different_and_match_just_what_they_should(
    why: str, wanted: dict[str, bool], most: int, expected: int
) -> None:
    patterns = {PATTERNS[written]: holds for written, holds in wanted.items()}

    found = texts(patterns, most=most)

    assert len(found) == len(set(found)) == expected, why
    assert all(matches(pattern, text) is holds for text in found for pattern, holds in patterns.items()), why


def test_a_long_pattern_is_spelled_without_trying_every_text() -> None:
    pattern = (None, "@a-rather-long-domain-of-some-customer.example.com")

    assert len(texts({pattern: True}, most=5)) == 5


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01",
        "0000-01-01",
        "0000-02-29",
        "1900-02-28",
        "2000-02-29",
        "2024-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999Z",
        "2024-01-01T00:00:00.5Z",
        "2024-01-01T00:00:00+2359",
        "2024-01-01T00:00:00.001-0130",
        "1900-02-29",
        "2024-13-01",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00",
        "2024-1-1",
        "",
    ],
)
def test_a_datetime_is_the_instant_that_it_is_for_cedar(text: str) -> None:
    """An offset from 1970 by as many milliseconds is the same; what is none for Cedar is none here."""
    number = datetime_of(text)

    same = cedar_says(f'datetime("{text}") == datetime("1970-01-01").offset(duration("{number or 0}ms"))')

    assert same is (None if number is None else True)


@pytest.mark.parametrize(
    "text", ["1d2h3m4s5ms", "-1d1ms", "0ms", "90m", "1ms1s", "", "-", "1.5h", "106751991168d", "-9223372036854775808ms"]
)
def test_a_duration_is_as_long_as_it_is_for_cedar(text: str) -> None:
    number = duration_of(text)

    same = cedar_says(f'duration("{text}").toMilliseconds() == {number or 0}')

    assert same is (None if number is None else True)


@pytest.mark.parametrize(
    "text",
    ["1.0", "-0.5", "0.0001", "1.23456", "1", "1.", ".5", "922337203685477.5807", "-922337203685477.5808", "-0.0",
     "922337203685477.5808"],
)  # fmt: skip
def test_a_decimal_is_the_number_that_it_is_for_cedar(text: str) -> None:
    number = decimal_of(text)

    same = cedar_says(f'decimal("{text}") == decimal("{decimal_text(number or 0)}")')

    assert same is (None if number is None else True)


@pytest.mark.parametrize("number", [0, -1, 86_400_000, -62_135_596_800_000, 253_402_300_799_999])
def test_an_instant_is_written_so_that_it_is_read_again(number: int) -> None:
    text = datetime_text(number)

    assert text is not None
    assert datetime_of(text) == number


def test_an_instant_without_a_year_of_four_digits_has_no_text() -> None:
    assert (datetime_text(-(2**63)), datetime_text(2**63 - 1)) == (None, None)


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.0/8", "::1", "ff00::/8", "::ffff:0a00:1/120", "0.0.0.0/0"])
def test_an_address_is_written_so_that_cedar_reads_the_same(text: str) -> None:
    found = address_of(text)

    assert found is not None
    six, bits, prefix = found
    assert cedar_says(f'ip("{text}") == ip("{address_text(bits, prefix, six=six)}")')


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.256",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/08",
        "fe80::1%eth0",
        "010.0.0.1",
        "::1.2.3.4",
        "1.2.3",
    ],
)
def test_what_is_no_address_for_cedar_is_none(text: str) -> None:
    assert (address_of(text), cedar_says(f'ip("{text}").isIpv4()')) == (None, None)
