"""The documents of the AuthZEN Authorization API 1.0: evaluations in, decisions out, and the metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import orjson

from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.errors import QuestionMalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policy.domain.decision import Decision

EVALUATION: Final = "/access/v1/evaluation"
METADATA: Final = "/.well-known/authzen-configuration"
# Section 5.3.1 of AuthZEN lets an action have properties. No policy of ours can see them, and what cannot be seen must
# not be passed over: they travel in the context under this name, where a schema that does not know it refuses them.
_ACTION_PROPERTIES: Final = "action"


def question(body: bytes | bytearray) -> Question:
    """Parse an access evaluation request (section 6.1), or raise `QuestionMalformedError` saying which part is wrong.

    Members that the specification does not know are ignored, as it asks for.
    """
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise QuestionMalformedError("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise QuestionMalformedError("the body must be an object")
    document = cast("dict[str, object]", parsed)
    action = _object(document, "action")
    context = _object(document, "context", optional=True)
    properties = _object(action, "properties", of="action", optional=True)
    return Question(
        subject=_entity(document, "subject"),
        action=_text(action, "name", of="action"),
        resource=_entity(document, "resource"),
        context={**context, _ACTION_PROPERTIES: properties} if properties else context,
    )


def answer(decision: Decision) -> bytes:
    """Return an access evaluation response (section 6.2); the reasons are in its context."""
    return orjson.dumps(
        {
            "decision": decision.allowed,
            "context": {
                "policies": decision.policies,
                "errors": decision.errors,
                "epoch": decision.epoch,
                "digest": decision.digest,
                "age": round(decision.age, 3),
            },
        }
    )


def metadata(public_url: str) -> bytes:
    """Return the metadata document (section 9.1)."""
    base = public_url.rstrip("/")
    return orjson.dumps(
        {
            "policy_decision_point": base,
            "access_evaluation_endpoint": f"{base}{EVALUATION}",
        }
    )


def _entity(document: Mapping[str, object], name: str) -> Entity:
    entity = _object(document, name)
    return Entity(
        type=_text(entity, "type", of=name),
        id=_text(entity, "id", of=name),
        properties=_object(entity, "properties", of=name, optional=True),
    )


def _object(
    document: Mapping[str, object], name: str, *, of: str | None = None, optional: bool = False
) -> dict[str, object]:
    value = document.get(name)
    if value is None and optional and name not in document:
        return {}
    if not isinstance(value, dict):
        raise QuestionMalformedError(f"{_path(of, name)} must be an object")
    return cast("dict[str, object]", value)


def _text(document: Mapping[str, object], name: str, *, of: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise QuestionMalformedError(f"{_path(of, name)} must be a string that is not empty")
    return value


def _path(of: str | None, name: str) -> str:
    return f"'{of}.{name}'" if of else f"'{name}'"
