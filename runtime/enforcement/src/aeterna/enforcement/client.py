"""The client of a decision point: asks within bounds, remembers for seconds, and would rather have no answer."""

from __future__ import annotations

import asyncio
import random as chance
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aeterna.enforcement.breaker import Breaker, State
from aeterna.enforcement.cache import DecisionCache
from aeterna.enforcement.decision import many_decisions, one_decision
from aeterna.enforcement.epochs import EpochStream
from aeterna.enforcement.errors import DecisionUnavailableError, Doubt
from aeterna.enforcement.neighbour import REQUEST_ID, Address, Neighbour, NeighbourError
from aeterna.enforcement.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from aeterna.enforcement.decision import Decision
    from aeterna.enforcement.ports import Clock, Observer, Random
    from aeterna.enforcement.question import Question

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
_READY: Final = "/ready"
# The decision point, or what is before it, says that it cannot answer anybody. Any other status is an answer to this
# question, and must not open the circuit: otherwise one caller with a bad question could shut everybody out.
_AWAY: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How long, how many, how often; every default fails closed within a second.

    ``timeout`` is for a whole question with its answer. ``ttl`` bounds how long a decision may be remembered, zero
    remembers none; ``silence`` is how long the epoch stream may say nothing before nothing is remembered (the sidecar
    says something every 5 s). ``failures`` in a row open the circuit for at most ``pause``.
    """

    timeout: timedelta = timedelta(seconds=1)
    ttl: timedelta = timedelta(seconds=5)
    cache_entries: int = 2000
    silence: timedelta = timedelta(seconds=12)
    max_in_flight: int = 256
    failures: int = 5
    pause: timedelta = timedelta(seconds=1)


def new_request_id() -> Mapping[str, str]:
    """Return the headers of a question that belongs to no trace: an id of its own."""
    return {REQUEST_ID: secrets.token_hex(16)}


class DecisionClient:
    """Asks one decision point, ``http(s)://host[:port][/prefix]`` or ``unix:/path``, which lives beside its asker.

    AuthZEN Authorization API 1.0. It belongs to the event loop of its first question; close it at the end.
    """

    def __init__(
        self,
        url: str,
        *,
        options: ClientOptions = ClientOptions(),
        headers: Callable[[], Mapping[str, str]] = new_request_id,
        observer: Observer | None = None,
        clock: Clock = time.monotonic,
        random: Random = chance.random,
    ) -> None:
        """Connect nowhere yet; ``headers`` gives those of the next question, such as its trace."""
        self._options = options
        self._headers = headers
        self._observer = observer or Unobserved()
        self._clock = clock
        self._timeout = options.timeout.total_seconds()
        address = Address(url)
        silence = options.silence.total_seconds()
        self._neighbour = Neighbour(address)
        self._cache = DecisionCache(
            ttl=options.ttl.total_seconds(), capacity=options.cache_entries, silence=silence, clock=clock, random=random
        )
        self._breaker = Breaker(
            failures=options.failures,
            pause=options.pause.total_seconds(),
            clock=clock,
            random=random,
            changed=self._observer.circuit,
        )
        self._epochs = EpochStream(address, self._cache, silence=silence, random=random, observer=self._observer)
        self._reading: asyncio.Task[None] | None = None
        self._in_flight = 0
        self._closed = False

    @property
    def circuit(self) -> State:
        """Whether questions pass."""
        return self._breaker.state

    @property
    def remembering(self) -> bool:
        """Whether the epoch stream is live, so that decisions are remembered."""
        return self._cache.live

    def holds(self, question: Question) -> bool:
        """Whether the question would be answered from memory now."""
        return self._cache.get(question.body()) is not None

    async def evaluation(self, question: Question) -> Decision:
        """Return the decision, a deny being a value; raise `DecisionUnavailableError` when there is no clear one."""
        with self._doubts_counted():
            body = question.body()
            if (known := self._cache.get(body)) is not None:
                self._observer.remembered()
                return known
            asked_at = self._clock()
            decision = one_decision(await self._ask(EVALUATION, body))
            self._take(body, decision, asked_at)
            return decision

    async def evaluations(self, questions: Sequence[Question]) -> list[Decision]:
        """Return one decision for each question, in their order; raise as ``evaluation`` when one is not clear."""
        with self._doubts_counted():
            bodies = [question.body() for question in questions]
            known = {body: decision for body in set(bodies) if (decision := self._cache.get(body)) is not None}
            missing = list(dict.fromkeys(body for body in bodies if body not in known))
            for _ in known:
                self._observer.remembered()
            if missing:
                asked_at = self._clock()
                answer = await self._ask(EVALUATIONS, b'{"evaluations":[' + b",".join(missing) + b"]}")
                for body, decision in zip(missing, many_decisions(answer, len(missing)), strict=True):
                    self._take(body, decision, asked_at)
                    known[body] = decision
            return [known[body] for body in bodies]

    async def check(self) -> None:
        """Return when the decision point says that it is ready, or raise `DecisionUnavailableError`."""
        # Not through the breaker: a process that drains is not ready, and decides all the same.
        status, _ = await self._exchange("GET", _READY)
        if status != HTTPStatus.OK:
            raise DecisionUnavailableError(f"the decision point answered {status}", Doubt.AWAY)

    async def aclose(self) -> None:
        """Stop reading epochs, forget everything, and close the connections."""
        self._closed = True
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._cache.lost()
        await self._neighbour.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _ask(self, path: str, body: bytes) -> bytes:
        """Return the body of a 200 answer; anything else is no answer."""
        if self._in_flight >= self._options.max_in_flight:
            raise DecisionUnavailableError("too many questions are under way", Doubt.BUSY)
        passage = self._breaker.enter()
        if passage is None:
            raise DecisionUnavailableError("the decision point did not answer lately", Doubt.OPEN)
        self._follow_epochs()
        self._in_flight += 1
        try:
            status, answer = await self._exchange("POST", path, body)
        except DecisionUnavailableError:
            passage.failed()
            raise
        except BaseException:
            passage.given_up()
            raise
        finally:
            self._in_flight -= 1
        if status in _AWAY:
            passage.failed()
            raise DecisionUnavailableError(f"the decision point answered {status}", Doubt.AWAY)
        passage.answered()
        if status != HTTPStatus.OK:
            raise DecisionUnavailableError(f"the decision point answered {status}", Doubt.UNCLEAR)
        return answer

    async def _exchange(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", **self._headers()} if body else {}
        try:
            async with asyncio.timeout(self._timeout):
                return await self._neighbour.exchange(method, path, headers, body)
        except TimeoutError as exc:
            raise DecisionUnavailableError("the decision point does not answer in time", Doubt.LATE) from exc
        except NeighbourError as exc:
            raise DecisionUnavailableError(f"the decision point does not answer: {exc}", Doubt.AWAY) from exc

    def _take(self, body: bytes, decision: Decision, asked_at: float) -> None:
        self._observer.asked("permit" if decision.allowed else "deny", self._clock() - asked_at)
        self._cache.note(body, decision, asked_at=asked_at)

    def _follow_epochs(self) -> None:
        """Begin to read the epoch stream with the first question, since a task needs a running loop."""
        if self._reading is None and self._options.ttl and self._options.cache_entries and not self._closed:
            self._reading = asyncio.get_running_loop().create_task(self._epochs.run())

    @contextmanager
    def _doubts_counted(self) -> Generator[None]:
        try:
            yield
        except DecisionUnavailableError as exc:
            self._observer.unavailable(exc.doubt)
            raise
