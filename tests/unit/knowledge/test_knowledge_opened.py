"""A citation opens to the characters that it names, with as much around them as is there."""

from __future__ import annotations

import pytest

from aeterna.knowledge.domain.documents import Span
from aeterna.knowledge.domain.opened import MAX_OPENED_CHARS, opened


@pytest.mark.parametrize(
    ("start", "end", "context", "parts"),
    [
        (2, 4, 0, ("", "cd", "")),
        (2, 4, 1, ("b", "cd", "e")),
        (2, 4, 99, ("ab", "cd", "ef")),
        (0, 6, 5, ("", "abcdef", "")),
        (4, 99, 1, ("d", "ef", "")),
        (6, 6, 1, ("f", "", "")),
    ],
)
def test_a_place_is_opened_with_its_context(start: int, end: int, context: int, parts: tuple[str, str, str]) -> None:
    place = opened("abcdef", Span(start=start, end=end), context=context)

    assert (place.before, place.text, place.after) == parts
    assert "abcdef"[place.span.start : place.span.end] == place.text


def test_no_more_is_opened_than_one_answer_holds() -> None:
    place = opened("a" * (MAX_OPENED_CHARS + 5), Span(start=1, end=MAX_OPENED_CHARS + 5), context=2)

    assert (len(place.text), place.after) == (MAX_OPENED_CHARS, "aa")
