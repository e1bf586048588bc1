"""What a message is, before any store sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.threads.domain.conversation import (
    MAX_MESSAGE_BYTES,
    DataPart,
    MessageDraft,
    MessageId,
    Part,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
    canonical,
)
from aeterna.threads.errors import MessageTooLargeError

if TYPE_CHECKING:
    from aeterna.service.json_value import JsonValue

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def message(*parts: Part, role: Role = Role.USER, message_id: str = "m-1") -> MessageDraft:
    """Return a message of these parts."""
    return MessageDraft(message_id=MessageId(message_id), role=role, parts=parts)


@given(JSON)
def test_canonical_text_reads_back_as_the_value(value: JsonValue) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=2, max_size=5))
def test_the_order_of_keys_does_not_change_the_digest(data: dict[str, JsonValue]) -> None:
    """A client that serialises its retry in another order repeats the same message."""
    shuffled = dict(reversed(data.items()))

    assert message(DataPart(data=data)).digest() == message(DataPart(data=shuffled)).digest()


@given(JSON, JSON)
def test_different_data_have_different_digests(one: JsonValue, other: JsonValue) -> None:
    same = canonical(one) == canonical(other)

    assert (message(DataPart(data=one)).digest() == message(DataPart(data=other)).digest()) == same


def test_where_one_part_ends_is_part_of_the_content() -> None:
    split = message(TextPart(text="ab"), TextPart(text="c"))

    assert split.digest() != message(TextPart(text="a"), TextPart(text="bc")).digest()


def test_the_id_is_not_part_of_the_content() -> None:
    assert (
        message(TextPart(text="a"), message_id="m-1").digest() == message(TextPart(text="a"), message_id="m-2").digest()
    )


def test_a_message_may_be_as_large_as_the_limit() -> None:
    """What counts is the canonical JSON of the role, the parts and the metadata."""
    room = MAX_MESSAGE_BYTES - len('["user",[{"kind":"text","text":""}],{}]')

    message(TextPart(text="x" * room)).digest()
    with pytest.raises(MessageTooLargeError):
        message(TextPart(text="x" * (room + 1))).digest()


def test_the_limit_counts_bytes_and_not_characters() -> None:
    with pytest.raises(MessageTooLargeError):
        message(TextPart(text="ж" * (MAX_MESSAGE_BYTES // 2))).digest()


def test_a_thread_opened_with_another_title_has_another_digest() -> None:
    assert ThreadDraft(thread_id=ThreadId("t"), title="a").digest() != ThreadDraft(thread_id=ThreadId("t")).digest()
