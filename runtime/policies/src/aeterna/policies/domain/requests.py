"""Requests as a person reads them, in Cedar's own notation, and as one can ask them again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import Uid
from aeterna.contracts.json_value import array_of, is_array, is_object, object_of

if TYPE_CHECKING:
    from collections.abc import Container

    from aeterna.cedar.domain.request import BroughtEntity, Request

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def shown(request: Request) -> list[tuple[str, str]]:
    """Return the request as rows of a name and a value: the three parties, then what else there is."""
    brought = {entity.uid: entity for entity in request.brought}
    rows = [
        ("principal", _entity(request.principal, brought.pop(request.principal, None))),
        ("action", uid_text(request.action)),
        ("resource", _entity(request.resource, brought.pop(request.resource, None))),
    ]
    if request.context:
        rows.append(("context", value_text(dict(request.context))))
    rows += [("entity", _entity(uid, entity)) for uid, entity in brought.items() if _says_something(entity)]
    if request.tenant is not None:
        rows.append(("tenant", request.tenant))
    return rows


def without(request: Request, kept: Container[Uid]) -> Request:
    """Return the request without the entities that are kept already and that it need not bring."""
    return replace(request, brought=tuple(entity for entity in request.brought if entity.uid not in kept))


def described(request: Request) -> list[dict[str, object]]:
    """Return the entities that the request brings as Cedar's JSON writes entities."""
    return [
        {
            "uid": entity.uid._asdict(),
            "attrs": dict(entity.attributes),
            "parents": [parent._asdict() for parent in entity.parents],
            "tags": dict(entity.tags),
        }
        for entity in request.brought
    ]


def asking(request: Request) -> str:
    """Return the body by which the sidecar's ``/v1/is_authorized`` is asked this."""
    return json.dumps(
        {
            "principal": uid_text(request.principal),
            "action": uid_text(request.action),
            "resource": uid_text(request.resource),
            "context": dict(request.context),
            "additional_entities": described(request),
        },
        ensure_ascii=False,
    )


def uid_text(uid: Uid) -> str:
    """Return an entity's uid as Cedar writes it."""
    return f"{uid.type}::{json.dumps(uid.id, ensure_ascii=False)}"


def value_text(value: object) -> str:
    """Return a value of Cedar's JSON in Cedar's own notation."""
    match value:
        case {"__entity": {"type": str(type_), "id": str(id_)}}:
            return uid_text(Uid(type_, id_))
        case {"__extn": {"fn": str(function), "arg": str(argument)}}:
            return f"{function}({json.dumps(argument, ensure_ascii=False)})"
        case {"__extn": {"fn": str(function)}}:
            called = object_of(object_of(value)["__extn"])
            return f"{function}({', '.join(map(value_text, array_of(called['args'])))})"
        case _ if is_object(value):
            said = ", ".join(f"{_name(name)}: {value_text(inner)}" for name, inner in value.items())
            return f"{{{said}}}"
        case _ if is_array(value):
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _entity(uid: Uid, entity: BroughtEntity | None) -> str:
    """Return an entity with its attributes, tags and parents, as far as there are any."""
    parts = [uid_text(uid)]
    if entity is not None:
        if entity.attributes:
            parts.append(value_text(dict(entity.attributes)))
        if entity.tags:
            parts.append(f"tags {value_text(dict(entity.tags))}")
        if entity.parents:
            parts.append(f"in {', '.join(uid_text(parent) for parent in entity.parents)}")
    return " ".join(parts)


def _says_something(entity: BroughtEntity) -> bool:
    return bool(entity.attributes or entity.tags or entity.parents)


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
