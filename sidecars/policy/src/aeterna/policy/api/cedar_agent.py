"""The question and the answer of cedar-agent's ``/v1/is_authorized``, in Cedar's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from aeterna.cedar.domain.request import BroughtEntity, Uid
from aeterna.contracts.json_value import is_array, is_object
from aeterna.policy.api.documents import member, parsed, text
from aeterna.policy.api.entity_uid import parse_uid
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.errors import QuestionMalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policy.domain.decision import Decision

IS_AUTHORIZED: Final = "/v1/is_authorized"
_MOST_ENTITIES: Final = 100
# cedar-agent lets whoever asks replace what is stored. Whoever may do that decides, so here nobody may.
_REPLACEMENTS: Final = {
    "entities": "would replace the entities that are stored; send those that are not as 'additional_entities'",
    "policies": "would replace the policies that are stored",
}


def question(body: bytes | bytearray) -> Question:
    """Parse a request, or raise `QuestionMalformedError` saying which part is wrong.

    Types are taken as they are written. ``additional_entities`` count for this question alone, and one that is stored
    cannot be among them: that is a deny with an error.
    """
    document = parsed(body)
    for name, reason in _REPLACEMENTS.items():
        if document.get(name) is not None:
            raise QuestionMalformedError(f"'{name}' {reason}")
    principal, action, resource = (_uid(document, name) for name in ("principal", "action", "resource"))
    context = document.get("context")
    return Question(
        subject=Entity(type=principal.type, id=principal.id),
        action_type=action.type,
        action=action.id,
        resource=Entity(type=resource.type, id=resource.id),
        context={} if context is None else member(document, "context"),
        described=_described(document.get("additional_entities")),
        literal=True,
    )


def answer(decision: Decision) -> bytes:
    """Return a response: cedar-agent's members, and ours beside them."""
    return orjson.dumps(
        {
            "decision": "Allow" if decision.allowed else "Deny",
            "diagnostics": {"reason": decision.policies, "errors": decision.errors},
            "epoch": decision.epoch,
            "digest": decision.digest,
            "tenant": decision.tenant,
            "age": round(decision.age, 3),
        }
    )


def _uid(document: Mapping[str, object], name: str) -> Uid:
    try:
        return parse_uid(text(document, name))
    except ValueError as exc:
        raise QuestionMalformedError(f"'{name}' {exc}") from None


def _described(value: object) -> tuple[BroughtEntity, ...]:
    if value is None:
        return ()
    if not is_array(value):
        raise QuestionMalformedError("'additional_entities' must be a list")
    if len(value) > _MOST_ENTITIES:
        raise QuestionMalformedError(f"'additional_entities' has more than {_MOST_ENTITIES} entities; store them")
    found = tuple(_entity(entity) for entity in value)
    if len({entity.uid for entity in found}) < len(found):
        raise QuestionMalformedError("'additional_entities' describes an entity twice")
    return found


def _entity(value: object) -> BroughtEntity:
    """Return an entity of Cedar's JSON format."""
    if not is_object(value):
        raise QuestionMalformedError("an entity of 'additional_entities' must be an object")
    parents = value.get("parents", [])
    if not is_array(parents):
        raise QuestionMalformedError("'additional_entities.parents' must be a list")
    return BroughtEntity(
        uid=_named(value.get("uid")),
        attributes=member(value, "attrs", of="additional_entities", optional=True),
        parents=tuple(_named(parent) for parent in parents),
        tags=member(value, "tags", of="additional_entities", optional=True),
    )


def _named(value: object) -> Uid:
    """Return a uid of Cedar's JSON format, written plainly or behind the escape ``__entity``."""
    plain = value.get("__entity", value) if is_object(value) else None
    if is_object(plain):
        type_, id_ = plain.get("type"), plain.get("id")
        if isinstance(type_, str) and isinstance(id_, str):
            return Uid(type_, id_)
    raise QuestionMalformedError('a uid of \'additional_entities\' must be {"type": "…", "id": "…"}')
