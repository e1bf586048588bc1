"""The epoch stream's events, from bytes that come in any pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.enforcement.decision import Edition
from aeterna.enforcement.epochs import EventParser

STREAM = (
    b": hello\n\n"
    b'event: epoch\ndata: {"epoch": 3, "digest": "sha256:a", "age": 0.5}\n\n'
    b"event: other\ndata: nothing of ours\n\n"
    b": heartbeat\r\n\r\n"
    b'event:epoch\r\ndata:{"epoch": 4,\r\ndata: "digest": "sha256:b", "trusted": false}\r\n\r\n'
    b"event: epoch\n"
)
EDITIONS = [Edition(epoch=3, digest="sha256:a"), Edition(epoch=4, digest="sha256:b", trusted=False)]


@given(st.lists(st.integers(0, len(STREAM))))
def test_however_the_stream_is_cut_the_same_editions_come_out(cuts: list[int]) -> None:
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]

    found = [edition for begin, end in pairwise(places) for edition in parser.feed(STREAM[begin:end])]

    assert found == EDITIONS


UNCLEAR = [
    b"event: epoch\n\n",
    b"event: epoch\ndata: 7\n\n",
    b"event: epoch\ndata: {}\n\n",
    b'event: epoch\ndata: {"epoch": "7", "digest": "sha256:a"}\n\n',
    b'event: epoch\ndata: {"epoch": true, "digest": "sha256:a"}\n\n',
    b'event: epoch\ndata: {"epoch": 7, "digest": ""}\n\n',
    b"event: epoch\ndata: " + b"[" * 10_000 + b"\n\n",
    b"x" * 20_000,
    b"data: " + b"x" * 10_000 + b"\ndata: " + b"x" * 10_000 + b"\n",
]


@pytest.mark.parametrize("content", UNCLEAR, ids=range(len(UNCLEAR)))
def test_news_that_nobody_understands_end_the_stream(content: bytes) -> None:
    """Something changed, and what is remembered may be wrong."""
    with pytest.raises(ValueError, match=r"stream|edition"):
        EventParser().feed(content)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_edition_by_accident_or_an_unforeseen_error(content: bytes) -> None:
    try:
        found = EventParser().feed(content)
    except ValueError:
        return

    assert found == []
