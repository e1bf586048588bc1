"""Makes an engine of a bundle, or refuses it whole: what decides must parse, keep to its schema and bear its name.

Compiling runs in a thread beside an event loop that decides. So it goes policy by policy and in small lots of entities,
lets go of the interpreter between them, and leaves to Cedar, which does not hold it, what takes long.
"""

# pyright: reportUnknownMemberType=false
# cedarpy types its dictionaries as bare `dict`; what comes out of them is given its type here, at the edge.

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import cedarpy
import orjson

from aeterna.cedar.adapters.engine import CedarEngine, PolicyBook, Realm, parsed_policies
from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.entity import EntityStore, Key, StoredEntity
from aeterna.cedar.domain.index import ScopeIndex
from aeterna.cedar.domain.json_list import Element, elements
from aeterna.cedar.domain.policy import Policy, action_keys, entity_key, keys, looks
from aeterna.cedar.domain.statements import Statement, statements
from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from aeterna.cedar.domain.bundle import Bundle

_SHOWN_CHARS: Final = 300
_LOT: Final = 64
MAX_POLICY_CHARS: Final = 64 * 1024
MAX_ENTITY_CHARS: Final = 256 * 1024


class CedarCompiler:
    """Parses a bundle and checks it against its own schema before it may decide anything."""

    def compile(self, bundle: Bundle) -> CedarEngine:
        """Return the engine, or raise `BundleInvalidError` naming the file and, where it is one's fault, the line."""
        with _refused("schema"):
            schema = cedarpy.Schema.from_str(bundle.schema, release_gil=True)
        tenants = bundle.tenants()
        policies = _policies(bundle, schema)
        if not any(policies.values()):
            raise BundleInvalidError("policies", "there are none, and a bundle that denies everything is a mistake")
        entities = _entities(bundle, schema)
        shared = entities.get(None, {})
        numbers, buckets = itertools.count(), list[list[int]]()
        indexes = {
            tenant: ScopeIndex(((next(numbers), policy) for policy in own), buckets) for tenant, own in policies.items()
        }
        realms: dict[str | None, Realm] = {
            None: Realm(name=None, indexes=(indexes[None],), store=EntityStore(shared, {}))
        }
        for tenant in tenants:
            layers = (indexes[None], indexes[tenant]) if tenant in indexes else (indexes[None],)
            store = EntityStore(entities.get(tenant, {}), shared)
            realms[tenant] = Realm(name=tenant, indexes=layers, store=store)
        book = PolicyBook(policies=[policy for own in policies.values() for policy in own], buckets=buckets)
        return CedarEngine(schema, book, realms, _actions(schema))


def _policies(bundle: Bundle, schema: cedarpy.Schema) -> Mapping[str | None, Sequence[Policy]]:
    """Return the policies that count for all, under None, and those of each tenant."""
    found: dict[str | None, list[Policy]] = {None: []}
    names: dict[str | None, dict[str, str]] = {None: {}}
    for file, text in sorted(bundle.policies.items(), key=lambda item: (tenant_of(item[0]) is not None, item[0])):
        tenant = tenant_of(file)
        parts = statements(text)
        policies = [_policy(file, part) for part in parts]
        _check(file, text, parts, policies, schema)
        for part, policy in zip(parts, policies, strict=True):
            own = names.setdefault(tenant, {})
            elsewhere = own.get(policy.name) or names[None].get(policy.name)
            if elsewhere is not None:
                raise BundleInvalidError(file, f"the policy {policy.name!r} is also in {elsewhere}", line=part.line)
            own[policy.name] = file
        found.setdefault(tenant, []).extend(_parsable(policies))
    return found


def _policy(file: str, part: Statement) -> Policy:
    """Return one policy of a file, or refuse the file."""
    _yield()
    if len(part.text) > MAX_POLICY_CHARS:
        raise BundleInvalidError(file, f"a policy is longer than {MAX_POLICY_CHARS} characters", line=part.line)
    with _refused(file, part.line):
        document = cast("Mapping[str, object]", orjson.loads(cedarpy.policies_to_json_str(part.text)))
        static = cast("Mapping[str, Mapping[str, object]]", document["staticPolicies"])
        templates = cast("Mapping[str, Mapping[str, object]]", document["templates"])
        (policy,) = (*static.values(), *templates.values())
        name = cast("Mapping[str, object]", policy.get("annotations", {})).get("id")
        if not isinstance(name, str) or not name:
            raise ValueError("every policy needs an @id: a decision names the policies that made it")
        reach, literals = looks(policy["conditions"])
        return Policy(
            name=name,
            source=_source(policy),
            text=part.text,
            principal=entity_key(_constraint(policy, "principal")),
            action=action_keys(_constraint(policy, "action")),
            resource=entity_key(_constraint(policy, "resource")),
            reach=reach,
            literals=literals,
        )


def _source(policy: Mapping[str, object]) -> str | None:
    """Return the JSON of a policy, or None if it is nested more deeply than anybody reads."""
    try:
        return orjson.dumps(policy).decode()
    except orjson.JSONEncodeError:
        return None


def _constraint(policy: Mapping[str, object], part: str) -> Mapping[str, object]:
    return cast("Mapping[str, object]", policy[part])


def _check(
    file: str, text: str, parts: Sequence[Statement], policies: Sequence[Policy], schema: cedarpy.Schema
) -> None:
    """Refuse a file of which Cedar sees other policies than we do, or that breaks the schema."""
    with _refused(file):
        if len(cedarpy.PolicySet.from_str(text, release_gil=True)) != len(parts):
            raise ValueError("its policies cannot be told apart")
    checked = cedarpy.validate_policies(text, schema, release_gil=True)
    if checked.validation_passed:
        return
    # Cedar numbers the policies of a text in their order.
    numbered = {f"policy{number}": number for number in range(len(parts))}
    faults = [(numbered.get(error.policy_id), error.error) for error in checked.errors]
    reasons = (
        reason if number is None else reason.replace(f"`policy{number}`", f"`{policies[number].name}`")
        for number, reason in faults
    )
    lines = [parts[number].line for number, _ in faults if number is not None]
    raise BundleInvalidError(file, "; ".join(reasons), line=min(lines, default=None))


def _parsable(policies: Sequence[Policy]) -> Iterable[Policy]:
    """Return the policies, without a source where Cedar cannot read back its own JSON form, being nested too deeply."""
    return (
        policies
        if _parses(policies)
        else [policy if _parses([policy]) else replace(policy, source=None) for policy in policies]
    )


def _parses(policies: Sequence[Policy]) -> bool:
    try:
        parsed_policies(policies, release_gil=True)
    except ValueError:
        return False
    return True


def _entities(bundle: Bundle, schema: cedarpy.Schema) -> Mapping[str | None, Mapping[Key, StoredEntity]]:
    """Return the entities that count for all, under None, and those of each tenant."""
    found: dict[str | None, dict[Key, StoredEntity]] = {None: {}}
    for file, text in sorted(bundle.entities.items(), key=lambda item: (tenant_of(item[0]) is not None, item[0])):
        tenant = tenant_of(file)
        own = found.setdefault(tenant, {})
        with _refused(file):
            for lot in _lots(elements(text)):
                _check_lot(file, text, lot, schema)
                for element in lot:
                    uid, entity = _stored(element)
                    known = own.get(uid) or found[None].get(uid)
                    if known is not None and known != entity:
                        raise BundleInvalidError(file, f"{uid} is described twice", line=_line(text, element))
                    own[uid] = entity
        _refuse_cycles(file, own, found[None])
    return found


def _lots(all_: Iterable[Element]) -> Iterable[Sequence[Element]]:
    rest = iter(all_)
    while lot := list(itertools.islice(rest, _LOT)):
        _yield()
        yield lot


def _check_lot(file: str, text: str, lot: Sequence[Element], schema: cedarpy.Schema) -> None:
    """Refuse entities that break the schema, naming the first; one by one only if they do not pass together."""
    for element in lot:
        if len(element.text) > MAX_ENTITY_CHARS:
            reason = f"an entity is longer than {MAX_ENTITY_CHARS} characters"
            raise BundleInvalidError(file, reason, line=_line(text, element))
    try:
        cedarpy.Entities.from_json_str(f"[{','.join(element.text for element in lot)}]", schema, release_gil=True)
    except ValueError:
        for element in lot:
            with _refused(file, _line(text, element)):
                cedarpy.Entities.from_json_str(f"[{element.text}]", schema, release_gil=True)
        raise


def _stored(element: Element) -> tuple[Key, StoredEntity]:
    document = cast("Mapping[str, object]", element.value)
    parents = tuple(_uid(parent) for parent in cast("Sequence[object]", document["parents"]))
    return _uid(document["uid"]), StoredEntity(source=orjson.dumps(document), parents=parents)


def _refuse_cycles(file: str, own: Mapping[Key, StoredEntity], shared: Mapping[Key, StoredEntity]) -> None:
    """Refuse entities that are in themselves: lots are checked alone, so Cedar saw no cycle that leaves its lot."""
    done = set[Key]()
    for start in own:
        path, open_ = dict[Key, None](), [(start, False)]
        while open_:
            uid, left = open_.pop()
            if left:
                path.pop(uid)
                done.add(uid)
                continue
            if uid in path:
                raise BundleInvalidError(file, f"{uid} is in itself")
            if uid in done:
                continue
            path[uid] = None
            open_.append((uid, True))
            entity = own.get(uid) or shared.get(uid)
            open_.extend((parent, False) for parent in (entity.parents if entity is not None else ()))


def _actions(schema: cedarpy.Schema) -> Mapping[Key, frozenset[Key]]:
    """Return the keys of scopes that each action of the schema fits; Cedar says them as entities."""
    listed = cast("Sequence[Mapping[str, object]]", orjson.loads(str(cedarpy.Entities.from_json_str("[]", schema))))
    groups = {
        _uid(action["uid"]): StoredEntity(
            source=b"", parents=tuple(_uid(parent) for parent in cast("Sequence[object]", action["parents"]))
        )
        for action in listed
    }
    above = EntityStore(groups, {}).above
    return {action: keys(action, above(action)) for action in groups}


def _uid(written: object) -> Key:
    """Return type and id of an entity uid as Cedar's JSON writes it, plainly or behind the escape ``__entity``."""
    plain = cast("Mapping[str, object]", written)
    plain = cast("Mapping[str, object]", plain.get("__entity", plain))
    return str(plain["type"]), str(plain["id"])


def _line(text: str, element: Element) -> int:
    return text.count("\n", 0, element.start) + 1


def _yield() -> None:
    """Let other threads run now, rather than after the interpreter's switch interval of 5 ms."""
    time.sleep(0)


@contextmanager
def _refused(where: str, line: int | None = None) -> Generator[None]:
    """Translate what cedarpy raises for a text that it cannot use, and Python for one that is nested too deeply."""
    try:
        yield
    except (ValueError, TypeError, KeyError) as exc:
        raise BundleInvalidError(where, str(exc)[:_SHOWN_CHARS], line=line) from exc
    except RecursionError:
        raise BundleInvalidError(where, "nested too deeply", line=line) from None
