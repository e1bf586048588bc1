"""What is asked of a decision point, in the words of AuthZEN: may this subject do this action on this resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aeterna.contracts.json_value import JsonValue
from aeterna.enforcement.errors import DecisionUnavailableError, Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A subject or a resource: its type, its id within the type, and what the caller says of it."""

    type: str
    id: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One access evaluation (AuthZEN 1.0, section 6.1)."""

    subject: Entity
    action: str
    resource: Entity
    context: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def body(self) -> bytes:
        """Return the request's body, alike for equal questions: members are sorted.

        It is also the key under which an answer is remembered. So whatever could change the answer is in the key,
        because nothing else is sent. Raise `DecisionUnavailableError` for what JSON cannot say.
        """
        try:
            return json.dumps(self.document(), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
        except (TypeError, ValueError, RecursionError) as exc:
            raise DecisionUnavailableError(f"the question is no JSON: {exc}", Doubt.UNASKABLE) from exc

    def document(self) -> dict[str, JsonValue]:
        """Return the request as JSON values."""
        return {
            "subject": _document(self.subject),
            "action": {"name": self.action},
            "resource": _document(self.resource),
            "context": dict(self.context),
        }


def _document(entity: Entity) -> dict[str, JsonValue]:
    return {"type": entity.type, "id": entity.id, "properties": dict(entity.properties)}
