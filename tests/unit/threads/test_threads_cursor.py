"""A cursor is opaque to clients and mistrusted by us."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.threads.api.cursor import decode, encode
from aeterna.threads.domain.conversation import ID_PATTERN, Position, ThreadId
from aeterna.threads.errors import CursorInvalidError


def raw(text: str) -> str:
    """Return a text encoded as cursors are."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(st.datetimes(timezones=st.just(UTC)), st.from_regex(ID_PATTERN, fullmatch=True))
def test_a_cursor_leads_back_to_its_place(moment: datetime, thread_id: str) -> None:
    position = Position(created_at=moment, thread_id=ThreadId(thread_id))

    assert decode(encode(position)) == position


@given(st.text())
def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    """Whatever is sent, the answer is a position or one error of ours."""
    try:
        decode(text)
    except CursorInvalidError:
        return
    pytest.fail("a random text was taken for a cursor")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ключ",
        raw("not json"),
        raw("[]"),
        raw("{}"),
        raw('["2026-01-01T00:00:00+00:00"]'),
        raw('["2026-01-01T00:00:00", "t-1"]'),
        raw('["yesterday", "t-1"]'),
        raw('[1, "t-1"]'),
        raw('["2026-01-01T00:00:00+00:00", 7]'),
        raw('["2026-01-01T00:00:00+00:00", "\\u0000"]'),
        raw('["2026-01-01T00:00:00+00:00", "t-1", "more"]'),
        raw("[" * 700),
        "A" * 5000,
    ],
)
def test_a_cursor_of_another_make_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalidError):
        decode(cursor)
