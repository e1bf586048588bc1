"""A model of z3 as a request: every term that the policies look at becomes data that Cedar reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.policies.adapters.smt.literals import address_text, datetime_text, decimal_text
from aeterna.policies.adapters.smt.relations import is_below
from aeterna.policies.adapters.smt.sets import has
from aeterna.policies.adapters.smt.values import Address, Plain, Record
from aeterna.policies.domain.typed.types import EntityOf, RecordType, Scalar, SetOfType

if TYPE_CHECKING:
    from collections.abc import Mapping

    import z3

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.naming import Names
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.formula import Environment
    from aeterna.policies.domain.typed.types import Type


@dataclass(slots=True)
class _Entity:
    attributes: dict[str, object] = field(default_factory=dict[str, object])
    tags: dict[str, object] = field(default_factory=dict[str, object])
    parents: set[Uid] = field(default_factory=set[Uid])


def request_of(names: Names, env: Environment, symbols: Symbols, footprint: Footprint) -> Request:
    """Return the request that the model describes; what it leaves open is filled in as the schema demands."""
    return _Request(names, symbols, footprint).request(env)


class _Request:
    def __init__(self, names: Names, symbols: Symbols, footprint: Footprint) -> None:
        self._names = names
        self._symbols = symbols
        self._footprint = footprint
        self._entities: dict[Uid, _Entity] = {}
        self._defaults: dict[str, Uid] = {}

    def request(self, env: Environment) -> Request:
        principal, resource = (
            self._written(self._symbols.variable(name, EntityOf(type_), self._footprint))
            for name, type_ in (("principal", env.principal_type), ("resource", env.resource_type))
        )
        context = self._context(self._symbols.schema.actions[env.action].context)
        self._read_entities()
        self._complete()
        return Request(
            principal=_uid(principal),
            action=env.action,
            resource=_uid(resource),
            context=context,
            brought=tuple(
                BroughtEntity(
                    uid=uid, attributes=found.attributes, parents=tuple(sorted(found.parents)), tags=found.tags
                )
                for uid, found in sorted(self._entities.items())
            ),
        )

    def _context(self, type_: RecordType) -> dict[str, object]:
        context: dict[str, object] = {}
        for name, attribute in type_.attributes:
            read = self._footprint.context.get(name)
            if read is None and attribute.required:
                context[name] = self._default(attribute.type)
            elif read is not None and self._names.holds(read[0]):
                context[name] = self._written(read[1])
        return context

    def _read_entities(self) -> None:
        for read in self._footprint.reads.values():
            entity = self._entity(read.entity)
            if self._names.holds(read.present):
                entity.attributes[read.name] = self._written(read.value)
        for tag in self._footprint.tags.values():
            entity = self._entity(tag.entity)
            if self._names.holds(tag.present):
                entity.tags[self._names.text(tag.key.term)] = self._written(tag.value)
        for below in self._footprint.below.values():
            for above in self._footprint.above.values():
                if self._names.holds(is_below(below, above, self._symbols.schema)):
                    self._entity(below).parents.add(_uid(self._written(above)))

    def _entity(self, plain: Plain) -> _Entity:
        return self._entities.setdefault(_uid(self._written(plain)), _Entity())

    def _written(self, value: Value) -> object:
        """Return the value as Cedar's JSON writes it; every entity in it is one that the request brings."""
        if isinstance(value, Record):
            return {
                name: self._written(inner)
                for name, (present, inner) in value.fields.items()
                if self._names.holds(present)
            }
        if isinstance(value, Address):
            parts = (cast("z3.BitVecNumRef", self._names.value(part)).as_long() for part in (value.bits, value.prefix))
            return _extension("ip", address_text(self._names.holds(value.six), *parts))
        if isinstance(value.type, SetOfType):
            return self._written_set(value)
        if isinstance(value.type, EntityOf):
            uid = self._names.uid(value.type.name, value.term)
            self._bring(uid)
            return _reference(uid)
        if value.type is Scalar.STRING:
            return self._names.text(value.term)
        if value.type is Scalar.BOOL:
            return self._names.holds(cast("z3.BoolRef", value.term))
        return _written_number(value.type, cast("z3.IntNumRef", self._names.value(value.term)).as_long())

    def _written_set(self, value: Plain) -> list[object]:
        found: list[object] = []
        for element in self._footprint.elements.get(cast("Type", cast("SetOfType", value.type).element), {}).values():
            if self._names.holds(has(value, element)):
                written = self._written(element)
                if written not in found:
                    found.append(written)
        return found

    def _bring(self, uid: Uid) -> None:
        """Let the request bring the entity, unless it is one of those that have nothing to be described."""
        known = self._symbols.schema.entity_types.get(uid.type)
        if known is not None and known.choices is None:
            self._entities.setdefault(uid, _Entity())

    def _complete(self) -> None:
        """Give every entity the attributes that it must have; that may bring further entities."""
        done: set[Uid] = set()
        while open_ := self._entities.keys() - done:
            for uid in sorted(open_):
                done.add(uid)
                known = self._symbols.schema.entity_types.get(uid.type)
                for name, attribute in known.attributes.attributes if known is not None else ():
                    if attribute.required and name not in self._entities[uid].attributes:
                        self._entities[uid].attributes[name] = self._default(attribute.type)

    def _default(self, type_: Type) -> object:
        if isinstance(type_, SetOfType):
            return []
        if isinstance(type_, RecordType):
            return {name: self._default(found.type) for name, found in type_.attributes if found.required}
        if isinstance(type_, EntityOf):
            return _reference(self._default_entity(type_.name))
        if type_ is Scalar.IPADDR:
            return _extension("ip", address_text(six=False, bits=0, prefix=32))
        if type_ is Scalar.STRING:
            return ""
        return False if type_ is Scalar.BOOL else _written_number(type_, 0)

    def _default_entity(self, type_: str) -> Uid:
        known = self._symbols.schema.entity_types.get(type_)
        if known is not None and known.choices is not None:
            return Uid(type_, known.choices[0])
        if type_ not in self._defaults:
            self._defaults[type_] = self._names.unused(type_)
            self._bring(self._defaults[type_])
        return self._defaults[type_]


def _written_number(type_: Scalar, number: int) -> object:
    if type_ is Scalar.LONG:
        return number
    if type_ is Scalar.DECIMAL:
        return _extension("decimal", decimal_text(number))
    if type_ is Scalar.DURATION:
        return _extension("duration", f"{number}ms")
    text = datetime_text(number)
    if text is not None:
        return _extension("datetime", text)
    start, shift = _extension("datetime", "1970-01-01"), _extension("duration", f"{number}ms")
    return {"__extn": {"fn": "offset", "args": [start, shift]}}


def _extension(function: str, argument: str) -> object:
    return {"__extn": {"fn": function, "arg": argument}}


def _reference(uid: Uid) -> object:
    return {"__entity": {"type": uid.type, "id": uid.id}}


def _uid(written: object) -> Uid:
    parts = cast("Mapping[str, Mapping[str, str]]", written)["__entity"]
    return Uid(parts["type"], parts["id"])
