"""Cedar by way of cedarpy: the only place that imports it.

Parsed handles are what make it fast: policies and schema are parsed once for an edition, the entities above a set of
roles once for that set, and a request adds two entities of its own. Text arguments would be parsed on every call.
"""

# pyright: reportUnknownMemberType=false
# cedarpy types its dictionaries as bare `dict`; what comes out of them is given its type here, at the edge.

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import cedarpy
import orjson

from aeterna.policy.domain.decision import Verdict
from aeterna.policy.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from aeterna.policy.domain.bundle import Bundle
    from aeterna.policy.domain.question import Entity, Question

_NAMESPACE: Final = "Aeterna::"
_ROLE: Final = f"{_NAMESPACE}Role"
_ROLES: Final = "roles"
_MAX_ROLES: Final = 100
_REMEMBERED_ROLE_SETS: Final = 1024
_SHOWN_CHARS: Final = 300


class CedarCompiler:
    """Parses a bundle and checks it against its own schema before it may decide anything."""

    def compile(self, bundle: Bundle) -> CedarEngine:
        """Return the engine, or raise `BundleInvalidError` naming the file."""
        with _refused("schema"):
            schema = cedarpy.Schema.from_str(bundle.schema, release_gil=True)
        names: dict[str, str] = {}
        for file, text in sorted(bundle.policies.items()):
            _check_file(file, text, schema, names)
        if not names:
            raise BundleInvalidError("policies", "there are none, and a bundle that denies everything is a mistake")
        with _refused("policies"):
            together = "\n".join(text for _, text in sorted(bundle.policies.items()))
            policies = cedarpy.PolicySet.from_str(together, release_gil=True)
        with _refused("entities.json"):
            cedarpy.Entities.from_json_str(bundle.entities, schema, release_gil=True)
            stored = {_uid(entry["uid"]): entry for entry in json.loads(bundle.entities)}
        return CedarEngine(policies, schema, stored)


class CedarEngine:
    """Evaluates questions with the handles of one edition.

    Stricter than Cedar in one thing: Cedar skips a policy that fails to evaluate, and if that policy is a forbid, the
    permits it was to stop take effect. Here any error at all is a deny.
    """

    def __init__(
        self,
        policies: cedarpy.PolicySet,
        schema: cedarpy.Schema,
        stored: Mapping[tuple[str, str], Mapping[str, object]],
    ) -> None:
        self._policies = policies
        self._schema = schema
        self._stored = stored
        self._above = lru_cache(_REMEMBERED_ROLE_SETS)(self._entities_above)

    def evaluate(self, question: Question) -> Verdict:
        """Return the verdict of the policies; an error of any kind is a deny that names it."""
        try:
            entities = self._slice(question)
            result = cedarpy.is_authorized(
                {
                    "principal": _cedar_uid(question.subject),
                    "action": {"type": f"{_NAMESPACE}Action", "id": question.action},
                    "resource": _cedar_uid(question.resource),
                    "context": orjson.dumps(question.context).decode(),
                },
                self._policies,
                entities,
                self._schema,
            )
        except (ValueError, TypeError) as exc:
            # cedarpy's words for what it cannot parse, and ours below for what it must not be asked.
            return Verdict(allowed=False, errors=(str(exc)[:_SHOWN_CHARS],))
        names = cast("Mapping[str, str]", result.diagnostics.id_annotations_by_reason)
        errors = tuple(error[:_SHOWN_CHARS] for error in result.diagnostics.errors)
        return Verdict(
            allowed=result.decision is cedarpy.Decision.Allow and not errors,
            policies=tuple(sorted(names.get(reason, reason) for reason in result.diagnostics.reasons)),
            errors=errors,
        )

    def _slice(self, question: Question) -> cedarpy.Entities:
        """Return the entities that this question can see: the two it brings, and the roles above them."""
        subject, resource = question.subject, question.resource
        for entity in (subject, resource):
            if (f"{_NAMESPACE}{entity.type}", entity.id) in self._stored:
                raise ValueError(f"{entity.type} of this id is kept in the bundle and cannot be described by a request")
        roles = _roles(subject)
        attributes = {name: value for name, value in subject.properties.items() if name != _ROLES}
        brought: list[Mapping[str, object]] = [
            {
                "uid": _cedar_uid(subject),
                "attrs": attributes,
                "parents": [{"type": _ROLE, "id": role} for role in roles],
            },
            {"uid": _cedar_uid(resource), "attrs": resource.properties, "parents": []},
        ]
        return self._above(roles).with_added_json_str(orjson.dumps(brought).decode(), self._schema)

    def _entities_above(self, roles: tuple[str, ...]) -> cedarpy.Entities:
        """Return the stored entities that these roles are or are in, however far above."""
        found: dict[tuple[str, str], Mapping[str, object]] = {}
        open_ = [(_ROLE, role) for role in roles]
        while open_:
            uid = open_.pop()
            entry = self._stored.get(uid)
            if entry is not None and uid not in found:
                found[uid] = entry
                open_.extend(_uid(parent) for parent in cast("Sequence[object]", entry.get("parents", ())))
        return cedarpy.Entities.from_json_str(json.dumps(list(found.values())), self._schema)


def _roles(subject: Entity) -> tuple[str, ...]:
    """Return the subject's roles, sorted, or raise ValueError: a role of another type would be no role at all."""
    roles = subject.properties.get(_ROLES, [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in cast("list[object]", roles)):
        raise ValueError("the subject's property 'roles' must be a list of strings")
    distinct = sorted(set(cast("list[str]", roles)))
    if len(distinct) > _MAX_ROLES:
        raise ValueError(f"the subject has more than {_MAX_ROLES} roles")
    return tuple(distinct)


def _cedar_uid(entity: Entity) -> dict[str, str]:
    return {"type": f"{_NAMESPACE}{entity.type}", "id": entity.id}


def _uid(written: object) -> tuple[str, str]:
    """Return type and id of an entity uid as Cedar's JSON writes it, plainly or behind the escape ``__entity``."""
    plain = cast("Mapping[str, object]", written)
    plain = cast("Mapping[str, object]", plain.get("__entity", plain))
    return str(plain["type"]), str(plain["id"])


def _check_file(file: str, text: str, schema: cedarpy.Schema, names: dict[str, str]) -> None:
    """Refuse a file that does not parse, breaks the schema, or names a policy that another one is named already."""
    with _refused(file):
        parsed: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]] = json.loads(
            cedarpy.policies_to_json_str(text)
        )
    checked = cedarpy.validate_policies(text, schema, release_gil=True)
    if not checked.validation_passed:
        raise BundleInvalidError(file, "; ".join(error.error for error in checked.errors))
    for policy in (*parsed.get("staticPolicies", {}).values(), *parsed.get("templates", {}).values()):
        name = policy.get("annotations", {}).get("id")
        if not isinstance(name, str) or not name:
            raise BundleInvalidError(file, "every policy needs an @id: a decision names the policies that made it")
        if name in names:
            raise BundleInvalidError(file, f"the policy {name!r} is also in {names[name]}")
        names[name] = file


@contextmanager
def _refused(where: str) -> Generator[None]:
    """Translate what cedarpy raises for a text that it cannot use."""
    try:
        yield
    except (ValueError, TypeError, KeyError) as exc:
        raise BundleInvalidError(where, str(exc)[:_SHOWN_CHARS]) from exc
