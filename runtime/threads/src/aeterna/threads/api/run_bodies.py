"""The JSON of runners, leases and the ledger: parsed strictly on the way in, written from the domain on the way out."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from aeterna.threads.api.bodies import MAX_SEQ, Identifier, Storable, Text
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import Freed, Lease, Step, StuckTask

MAX_CLAIMS: Final = 256
MAX_HELD: Final = 1000
MAX_FINGERPRINT: Final = 255

# Below it a hiccup of the network would be a death; above it nobody could call a takeover one.
TtlSeconds = Annotated[float, Field(ge=0.2, le=60, allow_inf_nan=False)]
# 0 is the epoch of a task that nobody has run.
Epoch = Annotated[int, Field(ge=1, le=MAX_SEQ, strict=True)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BeatInput(_Body):
    """A sign of life, good for so many seconds."""

    ttl_seconds: TtlSeconds

    @property
    def ttl(self) -> timedelta:
        """Return how long it is good for."""
        return timedelta(seconds=self.ttl_seconds)


class ClaimInput(_Body):
    """A wish for tasks; ``held`` are those that the runner knows to be its own, so that a lost answer comes again."""

    limit: Annotated[int, Field(ge=1, le=MAX_CLAIMS)]
    held: Annotated[list[Identifier], Field(max_length=MAX_HELD)] | None = None


class LeaseBody(BaseModel):
    """The right to run a task."""

    task_id: str
    owner: str
    context_id: str | None
    epoch: int
    version: int
    attempts: int

    @classmethod
    def of(cls, lease: Lease) -> "LeaseBody":
        """Return the body of a lease."""
        return cls(
            task_id=lease.task_id,
            owner=lease.owner,
            context_id=lease.context_id,
            epoch=lease.epoch,
            version=lease.version,
            attempts=lease.attempts,
        )


class LeasesBody(BaseModel):
    """What a claim came to."""

    leases: list[LeaseBody]


class ReleaseInput(_Body):
    """The lease that is given back."""

    epoch: Epoch


class StepInput(_Body):
    """A side effect that is about to be done; ``fingerprint`` tells its arguments from others."""

    epoch: Epoch
    fingerprint: Annotated[Text, Field(min_length=1, max_length=MAX_FINGERPRINT)]


class ResultInput(_Body):
    """What a side effect came to: any JSON value."""

    epoch: Epoch
    result: Storable


class StepBody(BaseModel):
    """What the ledger knows of a side effect."""

    key: str
    finished: bool
    # Any JSON value: pydantic must not look into it.
    result: Any
    epoch: int
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, step: Step) -> "StepBody":
        """Return the body of a step."""
        return cls.model_construct(
            key=step.key,
            finished=step.finished,
            result=step.result,
            epoch=step.epoch,
            started_at=step.started_at,
            finished_at=step.finished_at,
        )


class StuckTaskBody(BaseModel):
    """A task that waits for a runner, or was tried more than once."""

    task_id: str
    owner: str
    agent: str
    runner: str | None
    runner_alive: bool
    epoch: int
    attempts: int
    waiting_since: datetime

    @classmethod
    def of(cls, stuck: StuckTask) -> "StuckTaskBody":
        """Return the body of a stuck task."""
        return cls(
            task_id=stuck.task_id,
            owner=stuck.owner,
            agent=stuck.agent,
            runner=stuck.runner,
            runner_alive=stuck.runner_alive,
            epoch=stuck.epoch,
            attempts=stuck.attempts,
            waiting_since=stuck.waiting_since,
        )


class StuckTasksBody(BaseModel):
    """Stuck tasks, the oldest first."""

    tasks: list[StuckTaskBody]
    next_cursor: str | None


class FreedBody(BaseModel):
    """A task whose lease was taken away."""

    task_id: str
    agent: str
    owner: str
    epoch: int
    version: int

    @classmethod
    def of(cls, freed: Freed) -> "FreedBody":
        """Return the body of a freed task."""
        return cls(
            task_id=freed.task_id, agent=freed.agent, owner=freed.owner, epoch=freed.epoch, version=freed.version
        )


def held_of(body: ClaimInput) -> tuple[ThreadId, ...] | None:
    """Return the tasks that a runner knows to be its own, or None where it does not say."""
    return None if body.held is None else tuple(ThreadId(task_id) for task_id in body.held)
