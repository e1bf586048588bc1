"""What a neighbour that is no decision point may answer: more, and under ids that we did not give it."""

from __future__ import annotations

import pytest

from aeterna.enforcement.neighbour import Address, Neighbour, NeighbourError
from fixtures.scripted_point import http, scripted

pytestmark = pytest.mark.anyio

LONG = b"x" * 300_000


async def test_an_answer_may_be_as_long_as_is_asked_for() -> None:
    async with scripted(lambda _head, _body: http(LONG)) as point:
        neighbour = Neighbour(Address(point.url), answer_bytes=len(LONG))

        answer = await neighbour.exchange("GET", "/", {})

        await neighbour.aclose()
    assert answer == (200, LONG)


async def test_an_answer_that_is_longer_is_none() -> None:
    async with scripted(lambda _head, _body: http(LONG)) as point:
        neighbour = Neighbour(Address(point.url), answer_bytes=len(LONG) - 1)

        with pytest.raises(NeighbourError):
            await neighbour.exchange("GET", "/", {})

        await neighbour.aclose()


@pytest.mark.parametrize(("headers", "believed"), [({}, True), ({"X-Request-ID": "ours"}, False)])
async def test_an_id_of_the_answer_matters_only_to_who_gave_one(headers: dict[str, str], believed: bool) -> None:
    async with scripted(lambda _head, _body: http(b"{}", 200, b"X-Request-ID: a-proxys")) as point:
        neighbour = Neighbour(Address(point.url))

        try:
            taken = (await neighbour.exchange("GET", "/", headers))[0] == 200
        except NeighbourError:
            taken = False

        await neighbour.aclose()
    assert taken is believed
