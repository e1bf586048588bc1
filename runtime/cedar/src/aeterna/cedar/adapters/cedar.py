"""Makes an engine of a bundle, or refuses it whole: what decides must parse, keep to its schema and bear its name.

Compiling runs in a thread beside an event loop that decides. So it goes policy by policy and in small lots of entities,
lets go of the interpreter between them, and leaves to Cedar, which does not hold it, what takes long.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import cedarpy
import orjson

from aeterna.cedar.adapters.engine import CedarEngine, Realm
from aeterna.cedar.adapters.handles import Limits, PolicyHandles, parsed_policies
from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.entity import NO_ENTITIES, EntityStore, EntityTable, Key, parents, uid_of
from aeterna.cedar.domain.index import ScopeIndex
from aeterna.cedar.domain.json_list import Element, elements
from aeterna.cedar.domain.nesting import too_deep
from aeterna.cedar.domain.policy import Policy, action_keys, entity_key, keys, looks
from aeterna.cedar.domain.statements import Statement, statements
from aeterna.cedar.errors import BundleInvalidError
from aeterna.contracts.json_value import array_of, object_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from aeterna.cedar.domain.bundle import Bundle

T = TypeVar("T")

_SHOWN_CHARS: Final = 300
# How much is done before other threads are let run: about 2 ms of work.
_POLICIES_AT_ONCE: Final = 16
_ENTITIES_AT_ONCE: Final = 64
_STEPS_AT_ONCE: Final = 512
MAX_POLICY_CHARS: Final = 64 * 1024
MAX_ENTITY_CHARS: Final = 256 * 1024


class CedarCompiler:
    """Parses a bundle and checks it against its own schema before it may decide anything."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    def compile(self, bundle: Bundle) -> CedarEngine:
        """Return the engine, or raise `BundleInvalidError` naming the file and, where it is one's fault, the line."""
        if deep := too_deep(bundle.schema, schema=True):
            raise BundleInvalidError(bundle.schema_file, f"the schema {deep}")
        with _refused(bundle.schema_file):
            schema = cedarpy.Schema.from_str(bundle.schema, release_gil=True)
        tenants = bundle.tenants()
        policies = _policies(bundle, schema)
        if not any(policies.values()):
            raise BundleInvalidError("policies", "there are none, and a bundle that denies everything is a mistake")
        numbers, buckets = itertools.count(), list[list[int]]()
        indexes = {
            tenant: ScopeIndex(_unhurried((next(numbers), policy) for policy in own), buckets)
            for tenant, own in policies.items()
        }
        handles = PolicyHandles([policy for own in policies.values() for policy in own], buckets, self._limits)
        realms = self._realms(tenants, indexes, _entities(bundle, schema), schema)
        return CedarEngine(schema, handles, realms, _actions(schema))

    def _realms(
        self,
        tenants: Sequence[str],
        indexes: Mapping[str | None, ScopeIndex],
        entities: Mapping[str | None, EntityTable],
        schema: cedarpy.Schema,
    ) -> Mapping[str | None, Realm]:
        """Return what counts for everybody, under None, and for each tenant that has something of its own."""
        shared = entities[None]
        own = {tenant: table for tenant in tenants if (table := entities.get(tenant)) is not None}
        size = len(shared.sources)
        kept = size + sum(size + len(table.sources) for table in own.values()) <= self._limits.entities

        def whole(table: EntityTable) -> cedarpy.Entities | None:
            text = f"[{','.join({**shared.sources, **table.sources}.values())}]"
            return cedarpy.Entities.from_json_str(text, schema, release_gil=True) if kept else None

        store = EntityStore(NO_ENTITIES, shared)
        everybody = Realm(name=None, indexes=(indexes[None],), store=store, whole=whole(NO_ENTITIES))
        realms: dict[str | None, Realm] = {None: everybody}
        for tenant in tenants:
            layers = (indexes[None], indexes[tenant]) if tenant in indexes else (indexes[None],)
            table = own.get(tenant)
            realms[tenant] = (
                replace(everybody, indexes=layers)
                if table is None
                else Realm(name=tenant, indexes=layers, store=EntityStore(table, shared), whole=whole(table))
            )
        return realms


def _policies(bundle: Bundle, schema: cedarpy.Schema) -> Mapping[str | None, Sequence[Policy]]:
    """Return the policies that count for all, under None, and those of each tenant."""
    found: dict[str | None, list[Policy]] = {None: []}
    names: dict[str | None, dict[str, str]] = {None: {}}
    for file, text in _shared_first(bundle.policies):
        tenant = tenant_of(file)
        own = names.setdefault(tenant, {})
        for lot in _lots(statements(text), _POLICIES_AT_ONCE):
            policies = [_policy(file, part) for part in lot]
            _check(file, lot, policies, schema)
            for part, policy in zip(lot, policies, strict=True):
                elsewhere = own.get(policy.name) or names[None].get(policy.name)
                if elsewhere is not None:
                    raise BundleInvalidError(file, f"the policy {policy.name!r} is also in {elsewhere}", line=part.line)
                own[policy.name] = file
            found.setdefault(tenant, []).extend(_parsable(policies))
    return found


def _policy(file: str, part: Statement) -> Policy:
    """Return one policy of a file, or refuse the file."""
    if len(part.text) > MAX_POLICY_CHARS:
        raise BundleInvalidError(file, f"a policy is longer than {MAX_POLICY_CHARS} characters", line=part.line)
    if deep := too_deep(part.text):
        raise BundleInvalidError(file, f"a policy {deep}", line=part.line)
    with _refused(file, part.line):
        document = object_of(orjson.loads(cedarpy.policies_to_json_str(part.text)))
        static, templates = (object_of(document[kind]).values() for kind in ("staticPolicies", "templates"))
        (policy,) = map(object_of, (*static, *templates))
        name = object_of(policy.get("annotations", {})).get("id")
        if not isinstance(name, str) or not name:
            raise ValueError("every policy needs an @id: a decision names the policies that made it")
        reach, literals = looks(policy["conditions"])
        return Policy(
            name=name,
            source=_source(policy),
            text=part.text,
            principal=entity_key(object_of(policy["principal"])),
            action=action_keys(object_of(policy["action"])),
            resource=entity_key(object_of(policy["resource"])),
            reach=reach,
            literals=literals,
        )


def _source(policy: Mapping[str, object]) -> str | None:
    """Return the JSON of a policy, or None if it is nested more deeply than anybody reads."""
    try:
        return orjson.dumps(policy).decode()
    except orjson.JSONEncodeError:
        return None


def _check(file: str, parts: Sequence[Statement], policies: Sequence[Policy], schema: cedarpy.Schema) -> None:
    """Refuse a file with policies that break the schema, naming the first."""
    checked = cedarpy.validate_policies("\n".join(part.text for part in parts), schema, release_gil=True)
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


def _entities(bundle: Bundle, schema: cedarpy.Schema) -> Mapping[str | None, EntityTable]:
    """Return the entities that count for all, under None, and those of each tenant."""
    tables: dict[str | None, tuple[dict[Key, str], dict[Key, tuple[Key, ...]]]] = {None: ({}, {})}
    # Every uid is kept once, however many entities are in it.
    uids: dict[Key, Key] = {}
    for file, text in _shared_first(bundle.entities):
        sources, above = tables.setdefault(tenant_of(file), ({}, {}))
        new: list[Key] = []
        with _refused(file):
            for lot in _lots(elements(text), _ENTITIES_AT_ONCE):
                _check_lot(file, text, lot, schema)
                for element in lot:
                    uid = uid_of(object_of(element.value)["uid"])
                    uid = uids.setdefault(uid, uid)
                    # As a text and not as bytes: orjson's bytes keep the room that they were written into.
                    source = orjson.dumps(element.value, option=orjson.OPT_SORT_KEYS).decode()
                    known = sources.get(uid) or tables[None][0].get(uid)
                    if known is not None and known != source:
                        raise BundleInvalidError(file, f"{uid} is described twice", line=_line(text, element))
                    sources[uid] = source
                    if within := parents(element.value):
                        above[uid] = tuple(uids.setdefault(parent, parent) for parent in within)
                        new.append(uid)
        _refuse_cycles(file, new, above, tables[None][1])
    return {tenant: EntityTable(sources=sources, parents=above) for tenant, (sources, above) in tables.items()}


def _shared_first(files: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return sorted(files.items(), key=lambda item: (tenant_of(item[0]) is not None, item[0]))


def _lots(all_: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """Yield a few at a time, and let other threads run between, rather than after the interpreter's 5 ms."""
    # Before there is anybody to wait, a process compiles in its main thread, and is ready the sooner.
    beside_others = threading.current_thread() is not threading.main_thread()
    rest = iter(all_)
    while lot := list(itertools.islice(rest, size)):
        if beside_others:
            time.sleep(0)
        yield lot


def _unhurried(all_: Iterable[T]) -> Iterator[T]:
    for lot in _lots(all_, _STEPS_AT_ONCE):
        yield from lot


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


def _refuse_cycles(
    file: str, new: Iterable[Key], own: Mapping[Key, tuple[Key, ...]], shared: Mapping[Key, tuple[Key, ...]]
) -> None:
    """Refuse entities that are in themselves by way of a new one: Cedar sees no cycle that leaves the lot it checks."""
    done = set[Key]()
    for start in _unhurried(new):
        path, open_ = set[Key](), [(start, False)]
        while open_:
            uid, left = open_.pop()
            if left:
                path.discard(uid)
                done.add(uid)
            elif uid in path:
                raise BundleInvalidError(file, f"{uid} is in itself")
            elif uid not in done:
                path.add(uid)
                open_.append((uid, True))
                open_.extend((parent, False) for parent in own.get(uid) or shared.get(uid) or ())


def _actions(schema: cedarpy.Schema) -> Mapping[Key, frozenset[Key]]:
    """Return the keys of scopes that each action of the schema fits; Cedar tells them as entities."""
    listed = array_of(orjson.loads(str(cedarpy.Entities.from_json_str("[]", schema))))
    groups = {uid_of(object_of(action)["uid"]): parents(action) for action in listed}
    above = EntityStore(NO_ENTITIES, EntityTable(sources={}, parents=groups)).above
    return {action: keys(action, above(action)) for action in groups}


def _line(text: str, element: Element) -> int:
    return text.count("\n", 0, element.start) + 1


@contextmanager
def _refused(where: str, line: int | None = None) -> Generator[None]:
    """Translate what cedarpy raises for a text that it cannot use, and Python for one that is nested too deeply."""
    try:
        yield
    except (ValueError, TypeError, KeyError) as exc:
        raise BundleInvalidError(where, str(exc)[:_SHOWN_CHARS], line=line) from exc
    except RecursionError:
        raise BundleInvalidError(where, "nested too deeply", line=line) from None
