"""What is nested too deep is found before a parser recurses into it, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest

from aeterna.a2a.api.bodies import MAX_DEPTH, too_deep


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_one_level_more_than_allowed_is_too_deep(opening: str) -> None:
    assert not too_deep((opening * MAX_DEPTH).encode())
    assert too_deep((opening * (MAX_DEPTH + 1)).encode())


@pytest.mark.parametrize(
    "text",
    ["[" * 500, '"' + "[" * 500, "\\" + '"' + "{" * 500, "\\\\" * 300 + "[" * 99],
    ids=["plain", "quote", "escape", "backslashes"],
)
def test_brackets_within_strings_do_not_count(text: str) -> None:
    assert not too_deep(json.dumps({"text": text}).encode())


def test_many_levels_beside_each_other_are_not_deep() -> None:
    assert not too_deep(json.dumps([[[]]] * 1000).encode())


def test_a_string_without_an_end_does_not_hide_what_is_before_it() -> None:
    assert too_deep(b"[" * 100 + b'"open')
