"""What is written down of a decision: who asked for what, what was answered, and by which policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.request import BroughtEntity
    from aeterna.policy.domain.decision import Decision
    from aeterna.policy.domain.question import Entity, Question
    from aeterna.service.json_value import JsonValue


class Entry(NamedTuple):
    """A decision that is to be written down, in seconds since 1970. A tuple: one is made on the path of an answer."""

    at: float
    question: Question
    decision: Decision
    trace_id: str | None


def record_of(entry: Entry, *, values: bool) -> dict[str, JsonValue]:
    """Return the record of a decision.

    Context and properties may hold anything, such as a person's address. Without ``values`` only their names are
    written, and of errors, whose texts may repeat a value, only how many there are.
    """
    question, decision = entry.question, entry.decision
    return {
        "kind": "decision",
        "time": moment(entry.at),
        "tenant": decision.tenant,
        "principal": _entity(question.subject, values=values),
        "action": question.action,
        "resource": _entity(question.resource, values=values),
        "described": [_described(entity, values=values) for entity in question.described],
        "context": _bag(question.context, values=values),
        "decision": "permit" if decision.allowed else "deny",
        "policies": list(decision.policies),
        "errors": list(decision.errors) if values else len(decision.errors),
        "epoch": decision.epoch,
        "digest": decision.digest,
        "trace_id": entry.trace_id,
    }


def moment(at: float) -> str:
    """Return a time as text, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _entity(entity: Entity, *, values: bool) -> JsonValue:
    properties = _bag(entity.properties, values=values)
    return {"type": entity.type, "id": entity.id, "properties": properties}


def _described(entity: BroughtEntity, *, values: bool) -> JsonValue:
    properties = _bag(entity.attributes, values=values)
    return {"type": entity.uid.type, "id": entity.uid.id, "properties": properties}


def _bag(values_by_name: Mapping[str, object], *, values: bool) -> JsonValue:
    # What a question says was parsed from JSON.
    return cast("Mapping[str, JsonValue]", values_by_name) if values else sorted(values_by_name)
