"""A model of z3 as a request: every term that the policies look at becomes data that Cedar reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.policies.adapters.smt.literals import address_text, datetime_text, decimal_text
from aeterna.policies.adapters.smt.relations import is_below
from aeterna.policies.adapters.smt.sets import has
from aeterna.policies.adapters.smt.values import Address, Entity, Number, Record, SetTerm, Text, Truth
from aeterna.policies.domain.typed.types import EntityOf, RecordType, Scalar, SetOfType

if TYPE_CHECKING:
    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.naming import Names
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.formula import Environment
    from aeterna.policies.domain.typed.types import Type


@dataclass(slots=True)
class _Described:
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
        self._entities: dict[Uid, _Described] = {}
        self._defaults: dict[str, Uid] = {}

    def request(self, env: Environment) -> Request:
        principal, resource = (
            self._uid(self._symbols.variable(name, EntityOf(type_), self._footprint))
            for name, type_ in (("principal", env.principal_type), ("resource", env.resource_type))
        )
        context = self._context(self._symbols.schema.actions[env.action].context)
        self._read_entities()
        self._complete()
        return Request(
            principal=principal,
            action=env.action,
            resource=resource,
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
                    self._entity(below).parents.add(self._uid(above))

    def _entity(self, entity: Entity) -> _Described:
        return self._entities.setdefault(self._uid(entity), _Described())

    def _uid(self, entity: Entity) -> Uid:
        """Return the entity's uid, having let the request bring it."""
        uid = self._names.uid(entity.type.name, entity.term)
        self._bring(uid)
        return uid

    def _written(self, value: Value) -> object:  # noqa: PLR0911 - one for each kind of value
        """Return the value as Cedar's JSON writes it; every entity in it is one that the request brings."""
        match value:
            case Record(fields=fields):
                present = {name: inner for name, (there, inner) in fields.items() if self._names.holds(there)}
                return {name: self._written(inner) for name, inner in present.items()}
            case Address(six=six, bits=bits, prefix=prefix):
                number, length = self._names.number(bits), self._names.number(prefix)
                return _extension("ip", address_text(number, length, six=self._names.holds(six)))
            case SetTerm():
                return self._written_set(value)
            case Entity():
                return _reference(self._uid(value))
            case Text(term):
                return self._names.text(term)
            case Truth(term):
                return self._names.holds(term)
            case Number(type_, term):
                return _written_number(type_, self._names.number(term))

    def _written_set(self, value: SetTerm) -> list[object]:
        found: list[object] = []
        elements = self._footprint.elements.get(value.type.element, {}) if value.type.element is not None else {}
        for element in elements.values():
            written = self._written(element) if self._names.holds(has(value, element)) else None
            if written is not None and written not in found:
                found.append(written)
        return found

    def _bring(self, uid: Uid) -> None:
        """Let the request bring the entity, unless it is one of those that have nothing to be described."""
        known = self._symbols.schema.entity_types.get(uid.type)
        if known is not None and known.choices is None:
            self._entities.setdefault(uid, _Described())

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
            return _extension("ip", address_text(0, 32, six=False))
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
