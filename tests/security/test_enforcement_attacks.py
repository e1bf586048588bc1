"""Whoever can send a request, or stand in for the decision point, gets no permit that the policies do not give."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.enforcement import (
    ClientOptions,
    DecisionClient,
    DecisionUnavailableError,
    Enforcement,
    Entity,
    Question,
)
from aeterna.enforcement.asgi import header
from aeterna.enforcement.testing import FakeEvaluator
from fixtures.scripted_point import decided, http, question, scripted, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.enforcement.asgi import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

PERMIT = http(decided(allowed=True))
OPTIONS = ClientOptions(timeout=timedelta(seconds=10), ttl=timedelta(minutes=1))

SMUGGLED = [
    {"X-Request-ID": "a\r\nX-Evil: 1"},
    {"X-Request-ID": "a\nX-Evil: 1"},
    {"X-Request-ID": "a\x00"},
    {"X-Request-ID": "a\r\n\r\nPOST /access/v1/evaluation HTTP/1.1"},
    {"traceparent\r\nX-Evil": "1"},
    {"traceparent": "\u010a"},
]


@pytest.mark.parametrize("headers", SMUGGLED, ids=range(len(SMUGGLED)))
async def test_no_header_can_be_smuggled_into_a_question(headers: Mapping[str, str]) -> None:
    async with (
        scripted(PERMIT) as point,
        DecisionClient(point.url, options=OPTIONS, headers=lambda: headers) as client,
    ):
        with pytest.raises(DecisionUnavailableError):
            await client.evaluation(question())

    assert point.asked == []


def test_a_header_that_is_sent_twice_is_none() -> None:
    """Otherwise one of the two is checked and the other one used."""
    scope: Scope = {"headers": [(b"x-tenant", b"acme"), (b"x-tenant", b"globex"), (b"x-role", b"reader")]}

    assert (header(scope, b"x-tenant"), header(scope, b"x-role")) == (None, b"reader")


# The path as a server decodes it, and as it was sent.
TRICKS = [
    ("/live/", b"/live/"),
    ("//live", b"//live"),
    ("/./live", b"/./live"),
    ("/live/../graph", b"/live/../graph"),
    ("/graph/../live", b"/graph/../live"),
    ("/LIVE", b"/LIVE"),
    ("/live;x=1", b"/live;x=1"),
    ("/live\x00", b"/live%00"),
    ("/live ", b"/live%20"),
    ("/live\n", b"/live%0a"),
    ("/live?x", b"/live%3fx"),
    ("/live#x", b"/live%23x"),
    ("/live", b"/%6cive"),
    ("/live", b"/graph"),
    ("/\uff4cive", b"/%ef%bd%8cive"),
    ("live", b"live"),
    ("", b""),
    ("http://x/live", b"http://x/live"),
]


@pytest.mark.parametrize(("path", "raw"), TRICKS, ids=range(len(TRICKS)))
async def test_only_the_excluded_path_itself_is_excluded(path: str, raw: bytes) -> None:
    assert await refused({"type": "http", "path": path, "raw_path": raw, "root_path": "", "method": "GET"})


async def test_a_path_below_a_mount_is_not_the_excluded_one() -> None:
    """The application behind it strips the mount, and would serve another path than the one that was compared."""
    assert await refused({"type": "http", "path": "/live", "root_path": "/live", "method": "GET"})


async def refused(scope: dict[str, object]) -> bool:
    """Say whether a request for this path is stopped when everything is denied."""
    served: list[Scope] = []
    sent: list[Message] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        served.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    guarded = Enforcement(
        application, FakeEvaluator(allow=False), question_of=lambda _scope: question(), excluded={"/live"}
    )
    await guarded({"headers": [], **scope}, receive, send)
    return not served and sent[0]["status"] == 403


OVERSIZED = [
    http(decided(allowed=True)[:-1] + b" " * 70_000 + b"}"),
    b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 70_000,
    b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b" " * 200_000,
]


@pytest.mark.parametrize("answer", OVERSIZED, ids=["body", "header", "chunks", "announced"])
async def test_an_answer_that_is_too_large_is_none_and_is_not_read_to_its_end(answer: bytes) -> None:
    async with scripted(answer) as point, DecisionClient(point.url, options=OPTIONS) as client:
        with pytest.raises(DecisionUnavailableError):
            await client.evaluation(question())

        await until(lambda: point.open == 0)


async def test_an_answer_to_another_request_is_none_and_its_connection_is_not_used_again() -> None:
    async with (
        scripted(http(decided(allowed=True), 200, b"X-Request-ID: another")) as point,
        DecisionClient(point.url, options=OPTIONS) as client,
    ):
        with pytest.raises(DecisionUnavailableError):
            await client.evaluation(question())

        await until(lambda: point.open == 0)


async def test_two_request_ids_are_not_ours_even_if_one_is() -> None:
    def answers(headers: dict[str, bytes], _body: bytes) -> bytes:
        return http(decided(allowed=True), 200, b"X-Request-ID: " + headers["x-request-id"], b"X-Request-ID: another")

    async with scripted(answers) as point, DecisionClient(point.url, options=OPTIONS) as client:
        with pytest.raises(DecisionUnavailableError):
            await client.evaluation(question())


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    """A permit that was sent ahead would otherwise be the answer to whatever is asked next."""
    async with (
        scripted(http(decided(allowed=False))) as point,
        DecisionClient(point.url, options=OPTIONS) as client,
    ):
        await client.evaluation(question("graph.read"))
        point.push(PERMIT)
        await until(lambda: point.open == 0)

        decision = await client.evaluation(question("graph.erase"))

    assert not decision.allowed


async def test_two_answers_at_once_are_none() -> None:
    async with (
        scripted(http(decided(allowed=False)) + PERMIT) as point,
        DecisionClient(point.url, options=OPTIONS) as client,
    ):
        with pytest.raises(DecisionUnavailableError):
            await client.evaluation(question())

        await until(lambda: point.open == 0)


async def test_one_tenants_permit_is_not_remembered_for_another() -> None:
    """Neither the subject's tenant, nor the resource's, nor one that is spelled into another field."""

    def answers(_headers: dict[str, bytes], body: bytes) -> bytes:
        asked = json.loads(body)
        same = asked["subject"]["properties"].get("tenant") == asked["resource"]["properties"].get("tenant")
        return http(decided(same))

    def of(subject: str, resource: str, id_: str = "ada") -> Question:
        return Question(
            subject=Entity(type="User", id=id_, properties={"tenant": subject}),
            action="graph.read",
            resource=Entity(type="Graph", id="main", properties={"tenant": resource}),
        )

    confused = [of("globex", "acme"), of("acme", "globex"), of("globex", "acme", 'ada","properties":{"tenant":"acme"')]
    async with scripted(answers, epoch=1) as point, DecisionClient(point.url, options=OPTIONS) as client:
        await client.evaluation(question())
        await until(lambda: client.remembering)
        permitted = [await client.evaluation(of("acme", "acme")) for _ in range(2)]

        decisions = [await client.evaluation(one) for one in confused for _ in range(2)]

    assert [decision.allowed for decision in permitted] == [True, True]
    assert not any(decision.allowed for decision in decisions)
