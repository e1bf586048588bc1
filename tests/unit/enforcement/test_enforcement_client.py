"""The client against a decision point that does as the test says: bounds, memory, doubt and connections."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.enforcement import (
    BlockingDecisionClient,
    ClientOptions,
    DecisionClient,
    DecisionUnavailableError,
    Doubt,
    Question,
)
from aeterna.enforcement.breaker import State
from fixtures.scripted_point import decided, http, question, scripted, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

pytestmark = pytest.mark.anyio

PERMIT = http(decided(allowed=True))
UNHURRIED = timedelta(seconds=10)


def options(**changed: object) -> ClientOptions:
    """Return options for tests on a busy machine: nothing is late unless a test says so."""
    return ClientOptions(**{"timeout": UNHURRIED, "ttl": timedelta(minutes=1), **changed})  # type: ignore[arg-type]


class Noting:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def asked(self, outcome: Literal["permit", "deny"], seconds: float) -> None:
        assert seconds >= 0
        self.told.append(outcome)

    def remembered(self) -> None:
        self.told.append("remembered")

    def unavailable(self, doubt: Doubt) -> None:
        self.told.append(doubt)

    def circuit(self, state: State) -> None:
        self.told.append(state)

    def stream(self, live: bool) -> None:
        self.told.append(live)


async def doubt_of(client: DecisionClient, asked: Question | None = None) -> Doubt:
    """Return why there is no decision."""
    with pytest.raises(DecisionUnavailableError) as refused:
        await client.evaluation(asked or question())
    return refused.value.doubt


async def test_while_the_stream_is_live_an_equal_question_is_asked_once() -> None:
    noting = Noting()
    async with (
        scripted(PERMIT, epoch=1) as point,
        DecisionClient(point.url, options=options(), observer=noting) as client,
    ):
        # The stream begins beside the first question, so that one may be remembered already or not.
        await client.evaluation(question())
        await until(lambda: client.remembering)
        await client.evaluation(question())
        asked = len(point.asked)

        decisions = [await client.evaluation(question()) for _ in range(3)]

    assert [decision.remembered for decision in decisions] == [True, True, True]
    assert (len(point.asked), noting.told.count("permit"), noting.told.count(True)) == (asked, asked, 1)
    assert noting.told[-4:] == ["remembered", "remembered", "remembered", False]


@pytest.mark.parametrize(
    "other",
    [
        question("graph.write"),
        question(ip="10.0.0.1"),
        Question(subject=question().resource, action="graph.read", resource=question().resource),
        Question(subject=question().subject, action="graph.read", resource=question().subject),
    ],
    ids=["action", "context", "subject", "resource"],
)
async def test_whatever_can_change_the_answer_makes_another_question(other: Question) -> None:
    async with scripted(PERMIT, epoch=1) as point, DecisionClient(point.url, options=options()) as client:
        await client.evaluation(question())
        await until(lambda: client.remembering)
        await client.evaluation(question())

        decision = await client.evaluation(other)

    assert not decision.remembered


async def test_true_and_one_are_two_questions() -> None:
    """In Python they are equal keys."""
    asked = [
        Question(subject=question().subject, action="a", resource=question().resource, context={"x": value})
        for value in (True, 1, 1.0, "1")
    ]

    assert len({one.body() for one in asked}) == 4


async def test_a_new_epoch_is_asked_about_at_once() -> None:
    permitted = True
    async with (
        scripted(
            lambda _head, _body: http(decided(permitted, epoch=1 if permitted else 2, digest="sha256:d"))
        ) as point,
        DecisionClient(point.url, options=options()) as client,
    ):
        point.say(1, "sha256:d")
        await client.evaluation(question())
        await until(lambda: client.remembering)
        await client.evaluation(question())
        before = await client.evaluation(question())

        permitted = False
        point.say(2, "sha256:d2")
        # The news travel; until they arrive the time to live is the bound.
        await until(lambda: not client.holds(question()))
        after = await client.evaluation(question())

    assert (before.allowed, before.remembered, after.allowed) == (True, True, False)


async def test_when_the_stream_breaks_nothing_is_remembered_until_the_next_one() -> None:
    async with scripted(PERMIT, epoch=1) as point, DecisionClient(point.url, options=options()) as client:
        await client.evaluation(question())
        await until(lambda: client.remembering)
        await client.evaluation(question())

        point.hang_up(streams_only=True)
        await until(lambda: not client.holds(question()))
        await until(lambda: client.remembering)
        again = [await client.evaluation(question()) for _ in range(2)]

    assert [decision.remembered for decision in again] == [False, True]


@pytest.mark.parametrize("news", [b"event: epoch\ndata: {}\n\n", b"x" * 20_000], ids=["unclear", "endless"])
async def test_news_that_nobody_understands_switch_the_memory_off(news: bytes) -> None:
    noting = Noting()
    async with (
        scripted(PERMIT, epoch=1) as point,
        DecisionClient(point.url, options=options(), observer=noting) as client,
    ):
        await client.evaluation(question())
        await until(lambda: client.remembering)

        point.send(news)

        await until(lambda: False in noting.told)


async def test_a_silent_stream_is_given_up() -> None:
    noting = Noting()
    async with (
        scripted(PERMIT, epoch=1) as point,
        DecisionClient(point.url, options=options(silence=timedelta(seconds=0.05)), observer=noting) as client,
    ):
        await client.evaluation(question())

        await until(lambda: noting.told.count(False) > 1)

    assert noting.told.count(True) > 1


async def test_a_decision_point_without_a_stream_is_asked_every_time() -> None:
    async with scripted(PERMIT) as point, DecisionClient(point.url, options=options()) as client:
        decisions = [await client.evaluation(question()) for _ in range(3)]

    assert [decision.remembered for decision in decisions] == [False, False, False]


async def test_several_questions_are_one_request_and_what_is_known_is_not_asked() -> None:
    def answers(_head: dict[str, bytes], body: bytes) -> bytes:
        asked = json.loads(body).get("evaluations", [{}])
        several = [json.loads(decided(one.get("action", {}).get("name") != "graph.write")) for one in asked]
        return http(json.dumps({"evaluations": several}).encode())

    async with scripted(answers, epoch=1) as point, DecisionClient(point.url, options=options()) as client:
        await client.evaluations([question("graph.erase")])
        await until(lambda: client.remembering)
        await client.evaluations([question("graph.read")])

        asked = [question("graph.read"), question("graph.write"), question("graph.read"), question("graph.write")]
        decisions = await client.evaluations(asked)

    assert [decision.allowed for decision in decisions] == [True, False, True, False]
    assert [len(json.loads(body)["evaluations"]) for _, _, body in point.asked] == [1, 1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{}",
        b'{"evaluations": []}',
        b'{"evaluations": {"decision": true}}',
        b'{"evaluations": [{"decision": true}]}',
        b'{"evaluations": [{"decision": true}, {"decision": 1}]}',
        b'{"evaluations": [{"decision": true}, {"decision": true}, {"decision": true}]}',
        b'{"decision": true}',
    ],
)
async def test_answers_that_are_not_one_for_each_question_are_no_decisions(answer: bytes) -> None:
    async with scripted(http(answer)) as point, DecisionClient(point.url, options=options()) as client:
        with pytest.raises(DecisionUnavailableError):
            await client.evaluations([question("a"), question("b")])


async def test_no_questions_need_no_answer() -> None:
    async with DecisionClient("unix:/nowhere/s") as client:
        assert await client.evaluations([]) == []


async def test_a_point_that_is_away_opens_the_circuit_and_then_costs_nothing() -> None:
    noting = Noting()
    async with DecisionClient(
        "unix:/nowhere/s", options=options(failures=3, pause=timedelta(hours=1)), observer=noting
    ) as client:
        doubts = [await doubt_of(client) for _ in range(5)]

    assert doubts == [Doubt.AWAY, Doubt.AWAY, Doubt.AWAY, Doubt.OPEN, Doubt.OPEN]
    assert noting.told == [Doubt.AWAY, Doubt.AWAY, State.OPEN, Doubt.AWAY, Doubt.OPEN, Doubt.OPEN]


async def test_when_it_is_back_one_probe_closes_the_circuit() -> None:
    now = 100.0
    away = True
    async with (
        scripted(lambda _head, _body: http(b"", 503) if away else PERMIT) as point,
        DecisionClient(point.url, options=options(failures=1), clock=lambda: now, random=lambda: 0.0) as client,
    ):
        doubts = [await doubt_of(client) for _ in range(2)]
        away = False
        now += 1.0

        decision = await client.evaluation(question())

    assert (doubts, decision.allowed, client.circuit) == ([Doubt.AWAY, Doubt.OPEN], True, State.CLOSED)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 500])
async def test_a_refused_question_does_not_open_the_circuit_for_everybody_else(status: int) -> None:
    async with (
        scripted(http(b"{}", status)) as point,
        DecisionClient(point.url, options=options(failures=1)) as client,
    ):
        doubts = {await doubt_of(client) for _ in range(3)}

    assert (doubts, client.circuit) == ({Doubt.UNCLEAR}, State.CLOSED)


async def test_a_point_that_never_answers_is_late_and_its_connections_are_closed() -> None:
    async with (
        scripted(lambda _head, _body: None) as point,
        DecisionClient(point.url, options=options(timeout=timedelta(seconds=0.05), failures=3)) as client,
    ):
        doubts = [await doubt_of(client) for _ in range(4)]

        await until(lambda: point.open == 0)

    assert doubts == [Doubt.LATE, Doubt.LATE, Doubt.LATE, Doubt.OPEN]


async def test_more_questions_than_may_be_under_way_are_refused_at_once() -> None:
    async with (
        scripted(lambda _head, _body: None) as point,
        DecisionClient(point.url, options=options(max_in_flight=3)) as client,
    ):
        waiting = [asyncio.create_task(client.evaluation(question(n=str(number)))) for number in range(3)]
        await until(lambda: len(point.asked) == 3)

        doubt = await doubt_of(client)

        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await until(lambda: point.open == 0)

    assert doubt is Doubt.BUSY


async def test_a_question_that_was_given_up_makes_room_and_is_no_failure() -> None:
    hang = True
    async with (
        scripted(lambda _head, _body: None if hang else PERMIT) as point,
        DecisionClient(point.url, options=options(max_in_flight=1, failures=1)) as client,
    ):
        waiting = asyncio.create_task(client.evaluation(question()))
        await until(lambda: len(point.asked) == 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        hang = False

        decision = await client.evaluation(question())

    assert (decision.allowed, client.circuit) == (True, State.CLOSED)


async def test_a_connection_that_is_closed_before_an_answer_is_replaced_once_and_no_more() -> None:
    def only_the_first(_head: dict[str, bytes], _body: bytes) -> bytes:
        return PERMIT if len(point.asked) == 1 else b""

    async with (
        scripted(only_the_first) as point,
        DecisionClient(point.url, options=options(ttl=timedelta(0))) as client,
    ):
        await client.evaluation(question())

        doubt = await doubt_of(client)

    assert (doubt, len(point.asked), point.connections) == (Doubt.AWAY, 3, 2)


async def test_many_questions_share_few_connections_and_none_is_left_over() -> None:
    async with scripted(PERMIT) as point:
        async with DecisionClient(point.url, options=options()) as client:
            await asyncio.gather(*(client.evaluation(question(n=str(number))) for number in range(200)))

            assert point.open <= 64
        await until(lambda: point.open == 0)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object(), {1: 2, "a": 3}], ids=["nan", "inf", "object", "mixed"]
)
async def test_what_json_cannot_say_is_not_asked(value: object) -> None:
    odd = Question(
        subject=question().subject,
        action="a",
        resource=question().resource,
        context={"x": value},  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType] - that is the point
    )
    async with scripted(PERMIT) as point, DecisionClient(point.url, options=options()) as client:
        doubt = await doubt_of(client, odd)

    assert (doubt, point.asked) == (Doubt.UNASKABLE, [])


async def test_without_a_trace_every_question_has_an_id_of_its_own() -> None:
    async with scripted(PERMIT) as point, DecisionClient(point.url, options=options()) as client:
        for _ in range(2):
            await client.evaluation(question())

    first, second = (headers["x-request-id"] for _, headers, _ in point.asked)
    assert first != second


def blocking(ask: Callable[[BlockingDecisionClient], None]) -> Callable[[str], None]:
    """Return what makes a blocking client at an address and lets it ask."""

    def run(url: str) -> None:
        with BlockingDecisionClient(DecisionClient(url, options=options())) as client:
            ask(client)

    return run


async def test_plain_python_asks_from_any_thread() -> None:
    found: list[bool] = []

    def ask(client: BlockingDecisionClient) -> None:
        client.check()
        threads = [
            threading.Thread(target=lambda: found.append(client.evaluation(question()).allowed)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    async with scripted(PERMIT) as point:
        await asyncio.to_thread(blocking(ask), point.url)

    assert found == [True] * 4


async def test_a_closed_blocking_client_has_no_decisions_and_may_be_closed_again() -> None:
    def run(url: str) -> None:
        client = BlockingDecisionClient(DecisionClient(url))
        client.close()
        client.close()
        with pytest.raises(DecisionUnavailableError):
            client.evaluation(question())

    async with scripted(PERMIT) as point:
        await asyncio.to_thread(run, point.url)
