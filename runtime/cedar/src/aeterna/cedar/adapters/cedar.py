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

from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.request import Request, Uid

_REMEMBERED_PARENTS: Final = 1024
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
            shared = (text for file, text in sorted(bundle.policies.items()) if tenant_of(file) is None)
            policies = cedarpy.PolicySet.from_str("\n".join(shared), release_gil=True)
        stored: dict[tuple[str, str], Mapping[str, object]] = {}
        for file, text in sorted(bundle.entities.items()):
            with _refused(file):
                cedarpy.Entities.from_json_str(text, schema, release_gil=True)
                if tenant_of(file) is None:
                    stored.update({_uid(entry["uid"]): entry for entry in json.loads(text)})
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
        self._above = lru_cache(_REMEMBERED_PARENTS)(self._entities_above)

    def evaluate(self, request: Request) -> Verdict:
        """Return the verdict of the policies; an error of any kind is a deny that names it."""
        try:
            entities = self._slice(request)
            result = cedarpy.is_authorized(
                {
                    "principal": _cedar_uid(request.principal),
                    "action": _cedar_uid(request.action),
                    "resource": _cedar_uid(request.resource),
                    "context": orjson.dumps(request.context).decode(),
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

    def _slice(self, request: Request) -> cedarpy.Entities:
        """Return the entities that this request can see: those it brings, and the stored ones above them."""
        above = tuple(parent for entity in request.brought for parent in entity.parents)
        brought: list[Mapping[str, object]] = []
        for entity in request.brought:
            if entity.uid in self._stored:
                raise ValueError(
                    f"{entity.uid.type} of this id is kept in the bundle and cannot be described by a request"
                )
            brought.append(
                {
                    "uid": _cedar_uid(entity.uid),
                    "attrs": entity.attributes,
                    "parents": [_cedar_uid(parent) for parent in entity.parents],
                    "tags": entity.tags,
                }
            )
        return self._above(above).with_added_json_str(orjson.dumps(brought).decode(), self._schema)

    def _entities_above(self, parents: tuple[tuple[str, str], ...]) -> cedarpy.Entities:
        """Return the stored entities that these are or are in, however far above."""
        found: dict[tuple[str, str], Mapping[str, object]] = {}
        open_ = list(parents)
        while open_:
            uid = open_.pop()
            entry = self._stored.get(uid)
            if entry is not None and uid not in found:
                found[uid] = entry
                open_.extend(_uid(parent) for parent in cast("Sequence[object]", entry.get("parents", ())))
        return cedarpy.Entities.from_json_str(json.dumps(list(found.values())), self._schema)


def _cedar_uid(uid: Uid) -> dict[str, str]:
    return {"type": uid.type, "id": uid.id}


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
