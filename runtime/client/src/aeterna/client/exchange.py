"""The course of one call with its retries, as steps that the sync and the async runner only carry out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aeterna.client.errors import ClientError, UnreachableError
from aeterna.client.operation import Reply
from aeterna.client.problem import error_of, problem_of
from aeterna.client.retry import RetryBudget, RetryPolicy, may_pass

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeterna.client.operation import Operation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send the operation and answer with the reply, or with the error that stands for the failure."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


Step: TypeAlias = Send | Pause
Outcome: TypeAlias = Reply | ClientError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What an exchange takes from its surroundings."""

    policy: RetryPolicy
    budget: RetryBudget
    random: Callable[[], float]
    now: Callable[[], datetime]


def exchange(operation: Operation[T], conditions: Conditions) -> Generator[Step, Outcome, T]:
    """Yield the steps of one call, and return what the answer holds; raise the last error when there is none."""
    policy, budget = conditions.policy, conditions.budget
    latest = conditions.now() + policy.total
    attempt = 0
    while True:
        attempt += 1
        outcome = yield Send()
        if isinstance(outcome, Reply) and outcome.status < HTTPStatus.BAD_REQUEST:
            budget.succeeded()
            return operation.parse(outcome)
        error = outcome if isinstance(outcome, ClientError) else _refusal(outcome, conditions.now())
        if not may_pass(error):
            raise error
        budget.failed()
        pause = policy.pause(attempt, error, conditions.random)
        in_time = (latest - conditions.now()).total_seconds() >= pause
        allowed = attempt < policy.attempts and in_time and budget.allows
        # What never reached the service may be sent again whatever it is; the rest only if twice is the same as once.
        if not (allowed and (operation.repeatable or isinstance(error, UnreachableError))):
            raise error
        yield Pause(pause)


def _refusal(outcome: Reply | None, now: datetime) -> ClientError:
    if outcome is None:
        message = "a Send step must be answered with a reply or an error"
        raise TypeError(message)
    return error_of(problem_of(outcome, now))
