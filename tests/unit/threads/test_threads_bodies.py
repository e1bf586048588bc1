"""What the API lets in: everything the store can keep exactly, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aeterna.threads.api.bodies import MessageBody, MessageInput, ThreadInput
from aeterna.threads.domain.conversation import MAX_DEPTH, DataPart, Message, MessageId, Role, TextPart


def message(**changes: Any) -> MessageInput:  # noqa: ANN401 - the point is to send anything
    """Return a message with some members replaced."""
    return MessageInput.model_validate({"message_id": "m-1", "role": "user", "parts": ["hello"]} | changes)


def nested(depth: int) -> object:
    """Return lists in lists."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_bare_string_is_a_text_part() -> None:
    assert message(parts=["a", {"kind": "text", "text": "a"}]).draft().parts == (TextPart(text="a"),) * 2


@pytest.mark.parametrize("data", [None, True, 0, 1.5, "text", [], {}, {"a": [{"b": None}]}, nested(MAX_DEPTH)])
def test_a_data_part_is_any_json(data: object) -> None:
    (part,) = message(parts=[{"kind": "data", "data": data}]).draft().parts

    assert isinstance(part, DataPart)
    assert (part.data, type(part.data)) == (data, type(data))


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": ""},
        {"message_id": "a" * 256},
        {"message_id": "a b"},
        {"message_id": "../x"},
        {"message_id": "m-1\n"},
        {"message_id": 1},
        {"role": "system"},
        {"parts": []},
        {"parts": ["x"] * 65},
        {"parts": "hello"},
        {"parts": [1]},
        {"parts": [{"kind": "file", "url": "http://169.254.169.254/"}]},
        {"parts": [{"kind": "text", "text": 1}]},
        {"parts": [{"kind": "text"}]},
        {"parts": [{"kind": "data"}]},
        {"parts": [{"kind": "text", "text": "a", "data": 1}]},
        {"parts": ["a\0b"]},
        {"parts": ["\ud800"]},
        {"parts": [{"kind": "data", "data": {"\0": 1}}]},
        {"parts": [{"kind": "data", "data": ["\udfff"]}]},
        {"parts": [{"kind": "data", "data": float("nan")}]},
        {"parts": [{"kind": "data", "data": [float("inf")]}]},
        {"parts": [{"kind": "data", "data": nested(MAX_DEPTH + 1)}]},
        {"metadata": []},
        {"metadata": {"a": nested(MAX_DEPTH)}},
        {"metadata": {"a": "x" * 16 * 1024}},
        {"expected_seq": -1},
        {"expected_seq": 2**63},
        {"tenant": "other"},
        {"seq": 7},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_what_the_store_cannot_keep_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        message(**changes)


@pytest.mark.parametrize(
    "changes", [{"thread_id": "a/b"}, {"thread_id": ""}, {"title": ""}, {"title": "x" * 256}, {"title": "\0"}]
)
def test_a_thread_that_cannot_be_kept_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ThreadInput.model_validate({"thread_id": "t-1"} | changes)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_an_event_is_one_line_of_data_whatever_the_text(text: str) -> None:
    """A line break inside the data would be read as the end of the event."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    said = Message(
        seq=7,
        message_id=MessageId("m-1"),
        role=Role.AGENT,
        parts=(TextPart(text=text),),
        metadata={},
        author="ada",
        created_at=moment,
    )

    head, kind, data, *rest = MessageBody.of(said).event().decode().split("\n")

    assert (head, kind, rest) == ("id: 7", "event: message", ["", ""])
    assert json.loads(data.removeprefix("data: "))["parts"] == [{"kind": "text", "text": text}]
    assert len(data.splitlines()) == 1
