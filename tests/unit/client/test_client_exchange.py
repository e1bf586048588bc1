"""When a call is tried again, for how long, and with what patience."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.client import Aeterna, GraphBusyError, NoAnswerError, NodeNotFoundError, RetryPolicy, UnreachableError
from aeterna.client.exchange import Conditions, Pause, exchange
from aeterna.client.operation import Operation, Reply
from aeterna.client.problem import retry_after
from aeterna.client.retry import RetryBudget
from aeterna.client.testing import problem
from fixtures.fix_runtime import GRAPH_URL, SECRET, THREADS_URL

if TYPE_CHECKING:
    from aeterna.client.errors import ClientError
    from aeterna.client.exchange import Outcome
    from aeterna.client.testing import FakeRuntime

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def pauses_of(outcomes: list[Outcome], *, key: str | None = "k", policy: RetryPolicy | None = None) -> list[float]:
    """Run an exchange on prepared outcomes and return its pauses; the last error is left out."""
    operation: Operation[bytes] = Operation(
        service="graph", method="POST", path="/", key=key, parse=lambda reply: reply.body
    )
    conditions = Conditions(policy=policy or RetryPolicy(), budget=RetryBudget(), random=lambda: 1.0, now=lambda: NOW)
    steps = exchange(operation, conditions)
    waiting, pauses = list(outcomes), list[float]()
    step = next(steps)
    while True:
        try:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                step = steps.send(None)
            else:
                step = steps.send(waiting.pop(0))
        except (StopIteration, UnreachableError, NoAnswerError, GraphBusyError):
            return pauses


def busy(after: str | None = None) -> Reply:
    headers = {"content-type": "application/problem+json"} | ({"retry-after": after} if after else {})
    return Reply(status=429, headers=headers, body=b'{"code": "graph.busy"}')


LOST: ClientError = NoAnswerError("http://x", "reset")
REFUSED: ClientError = UnreachableError("http://x", "refused")
DONE = Reply(status=200, headers={}, body=b"{}")


def test_waits_double_until_an_answer_comes() -> None:
    assert pauses_of([LOST, LOST, LOST, DONE]) == [0.1, 0.2, 0.4]


def test_a_call_without_a_key_is_not_repeated_after_a_lost_answer() -> None:
    """The service may have acted: only the caller can know whether twice is harmless."""
    assert pauses_of([LOST, DONE], key=None) == []


def test_a_call_without_a_key_is_repeated_when_nothing_was_received() -> None:
    assert pauses_of([REFUSED, DONE], key=None) == [0.1]


def test_attempts_are_bounded() -> None:
    assert len(pauses_of([LOST] * 4)) == 3


def test_retry_after_is_obeyed() -> None:
    assert pauses_of([busy("3"), DONE]) == [3.0]


def test_an_invitation_beyond_our_patience_is_declined() -> None:
    """Waiting less than asked only adds load; waiting longer breaks the caller's deadline."""
    assert pauses_of([busy("31"), DONE]) == []


def test_a_client_most_of_whose_calls_fail_stops_retrying() -> None:
    budget = RetryBudget(tokens=4)
    for _ in range(2):
        budget.failed()

    assert not budget.allows


@given(attempt=st.integers(1, 60), luck=st.floats(0, 1))
def test_jitter_only_ever_shortens_the_wait(attempt: int, luck: float) -> None:
    policy = RetryPolicy()

    pause = policy.pause(attempt, LOST, lambda: luck)

    assert 0 <= pause <= min(policy.longest.total_seconds(), 0.1 * 2 ** (attempt - 1))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("Sun, 22 Nov 2026 00:00:05 GMT", 5.0),
        ("Sat, 21 Nov 2026 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_refusal_is_not_retried(aeterna: Aeterna, fake: FakeRuntime, pauses: list[float]) -> None:
    fake.failures.append(problem(404, "graph.node_not_found", "no node 'a'"))

    with pytest.raises(NodeNotFoundError):
        aeterna.graph.node("a")

    assert pauses == []


def test_the_same_session_id_is_sent_again(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures.append(httpx.ReadError("reset"))

    with aeterna.graph.session() as session:
        session.node("a", kind="Thing")

    assert len(fake.states) == 1
    assert fake.requests[0].content == fake.requests[1].content


def test_the_error_after_the_last_attempt_names_the_address(fake: FakeRuntime) -> None:
    fake.failures.append(httpx.ConnectError("connection refused"))
    client = Aeterna(
        graph_url=GRAPH_URL,
        threads_url=THREADS_URL,
        token=SECRET,
        retries=RetryPolicy(attempts=1, total=timedelta(0)),
        transport=fake.transport(),
    )

    with (
        client,
        pytest.raises(UnreachableError, match=r"http://graph\.test/api/v1/graph/statistics: connection refused"),
    ):
        client.graph.statistics()
