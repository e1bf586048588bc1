"""The calls about erasures and legal holds of the thread store: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.client.operation import Operation, Reply, segment
from aeterna.client.reader import Reader
from aeterna.client.retention_values import ThreadErasure, ThreadHold, ThreadUsage

if TYPE_CHECKING:
    from aeterna.client.json_value import JsonValue

ROOT: Final = "/api/v1"
_KNOWN: Final = (
    "erasure_id",
    "state",
    "scope",
    "target_digest",
    "ordered_by",
    "ordered_at",
    "done_at",
    "held_by",
    "removed",
)


def erase(*, subject: str | None, thread_id: str | None, tenant: bool, erasure_id: str) -> Operation[ThreadErasure]:
    """Order an erasure; its id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"erasure_id": erasure_id, "tenant": tenant} | _named(thread_id, subject)
    return Operation(
        service="threads", method="POST", path=f"{ROOT}/erasures", body=body, key=erasure_id, parse=_erasure_reply
    )


def erasure(erasure_id: str) -> Operation[ThreadErasure]:
    """Read an erasure, or its certificate."""
    path = f"{ROOT}/erasures/{segment(erasure_id)}"
    return Operation(service="threads", method="GET", path=path, parse=_erasure_reply)


def erasures() -> Operation[tuple[ThreadErasure, ...]]:
    """Read the newest erasures."""
    return Operation(
        service="threads",
        method="GET",
        path=f"{ROOT}/erasures",
        parse=lambda reply: tuple(_erasure(one) for one in Reader.of(reply.body, "erasures").readers("erasures")),
    )


def holds() -> Operation[tuple[ThreadHold, ...]]:
    """Read every legal hold in force."""
    return Operation(
        service="threads",
        method="GET",
        path=f"{ROOT}/holds",
        parse=lambda reply: tuple(_hold(one) for one in Reader.of(reply.body, "holds").readers("holds")),
    )


def hold(hold_id: str, *, thread_id: str | None, subject: str | None, reason: str) -> Operation[ThreadHold]:
    """Place a legal hold; its id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"reason": reason} | _named(thread_id, subject)
    return Operation(
        service="threads",
        method="PUT",
        path=f"{ROOT}/holds/{segment(hold_id)}",
        body=body,
        key=hold_id,
        parse=lambda reply: _hold(Reader.of(reply.body, "hold")),
    )


def release(hold_id: str) -> Operation[None]:
    """End a legal hold."""
    path = f"{ROOT}/holds/{segment(hold_id)}"
    return Operation(service="threads", method="DELETE", path=path, parse=lambda _reply: None)


def usage() -> Operation[ThreadUsage]:
    """Read what the tenant holds and may hold."""
    return Operation(service="threads", method="GET", path=f"{ROOT}/usage", parse=_usage)


def _usage(reply: Reply) -> ThreadUsage:
    reader = Reader.of(reply.body, "usage")
    return ThreadUsage(
        threads=reader.integer("threads"),
        bytes=reader.integer("bytes"),
        open_tasks=reader.integer("open_tasks"),
        measured_at=reader.time("measured_at") if reader.has("measured_at") else None,
        quotas=reader.object("quotas"),
    )


def _named(thread_id: str | None, subject: str | None) -> dict[str, JsonValue]:
    given: dict[str, JsonValue] = {"thread_id": thread_id, "subject": subject}
    return {name: value for name, value in given.items() if value is not None}


def _erasure_reply(reply: Reply) -> ThreadErasure:
    return _erasure(Reader.of(reply.body, "erasure"))


def _erasure(reader: Reader) -> ThreadErasure:
    return ThreadErasure(
        erasure_id=reader.text("erasure_id"),
        state=reader.text("state"),
        scope=reader.text("scope"),
        target_digest=reader.optional_text("target_digest"),
        ordered_by=reader.text("ordered_by"),
        ordered_at=reader.time("ordered_at"),
        done_at=reader.time("done_at") if reader.has("done_at") else None,
        held_by=reader.optional_text("held_by"),
        removed=reader.object("removed"),
        facts=reader.rest(*_KNOWN),
    )


def _hold(reader: Reader) -> ThreadHold:
    return ThreadHold(
        hold_id=reader.text("hold_id"),
        thread_id=reader.optional_text("thread_id"),
        subject=reader.optional_text("subject"),
        reason=reader.text("reason"),
        placed_by=reader.text("placed_by"),
        placed_at=reader.time("placed_at"),
    )
