"""The names that z3 knows a schema's parts by: request variables, attributes, tags and literals, with their facts."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import z3

from aeterna.cedar.domain.request import Uid
from aeterna.policies.adapters.smt.footprint import AttributeRead, TagRead
from aeterna.policies.adapters.smt.values import (
    ADDRESS_BITS,
    GREATEST,
    LEAST,
    TRUE,
    Address,
    Entity,
    Number,
    Record,
    SetTerm,
    Text,
    Truth,
    Value,
    all_of,
    any_of,
    applied,
    name_of,
    sort_of,
)
from aeterna.policies.domain.typed.types import EntityOf, RecordType, Scalar, SetOfType

if TYPE_CHECKING:
    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.domain.typed.types import Schema, Type

_FOUR_BITS: Final = 32


class Symbols:
    """Makes the terms for one schema; the same name is the same term in every policy."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._strings: dict[str, Text] = {}
        self._entities: dict[Uid, Entity] = {}
        self._uids: dict[int, Uid] = {}
        self._texts: dict[int, str] = {}
        self._fresh = count()

    def string(self, text: str, footprint: Footprint) -> Text:
        """Return the term of a string literal; all those of a query are different."""
        found = self._strings.get(text)
        if found is None:
            found = Text(z3.Const(f"string {text!r}", sort_of(Scalar.STRING)))
            self._strings[text] = found
            self._texts[found.term.get_id()] = text
        footprint.strings[text] = found
        return found

    def entity(self, uid: Uid, footprint: Footprint) -> Entity:
        """Return the term of an entity literal; all those of a query are different."""
        found = self._entities.get(uid)
        if found is None:
            type_ = EntityOf(uid.type)
            found = Entity(type_, z3.Const(f"uid {uid.id!r}", sort_of(type_)))
            self._entities[uid] = found
            self._uids[found.term.get_id()] = uid
        footprint.entities[uid] = found
        return found

    def uid_of(self, term: z3.ExprRef) -> Uid | None:
        """Return the uid that the term is the literal of, or None if it is no literal."""
        return self._uids.get(term.get_id())

    def text_of(self, term: z3.ExprRef) -> str | None:
        """Return the text that the term is the literal of, or None if it is no literal."""
        return self._texts.get(term.get_id())

    def variable(self, name: str, type_: EntityOf, footprint: Footprint) -> Entity:
        """Return the entity that a variable of the request stands for."""
        return self._chosen(Entity(type_, z3.Const(f"{name}: {name_of(type_)}", sort_of(type_))), footprint)

    def fresh_entity(self, type_: EntityOf, footprint: Footprint) -> Entity:
        """Return an entity of which nothing is known but its type, under a name that is used nowhere else."""
        return self.variable(f"fresh {next(self._fresh)}", type_, footprint)

    def fresh_set(self, type_: SetOfType) -> SetTerm:
        """Return a set of which nothing is known but its type, under a name that is used nowhere else."""
        return SetTerm(type_, z3.Const(f"fresh {next(self._fresh)}: {name_of(type_)}", sort_of(type_)))

    def fresh(self, type_: Type, footprint: Footprint) -> Value:
        """Return a value of which nothing is known but its type, under a name that is used nowhere else."""
        return self._value(f"fresh {next(self._fresh)}", type_, (), footprint)

    def context(self, type_: RecordType, name: str, footprint: Footprint) -> tuple[z3.BoolRef, Value] | None:
        """Return whether the context has the attribute and its value, or None if its type has no such attribute."""
        attribute = type_.get(name)
        if attribute is None:
            return None
        if name not in footprint.context:
            path = f"context.{name!r}"
            present = TRUE if attribute.required else applied(f"{path}?", (), z3.BoolSort())
            value = self._value(path, attribute.type, (), footprint)
            footprint.context[name] = (present, value)
        return footprint.context[name]

    def attribute(self, entity: Entity, name: str, footprint: Footprint) -> tuple[z3.BoolRef, Value] | None:
        """Return whether an entity has the attribute and its value, or None if its type has no such attribute."""
        type_ = entity.type.name
        known = self.schema.entity_types.get(type_)
        attribute = known.attributes.get(name) if known is not None else None
        if attribute is None:
            return None
        key = (entity.term.get_id(), name)
        read = footprint.reads.get(key)
        if read is None:
            path = f"{type_} {name!r}"
            present = TRUE if attribute.required else applied(f"{path}?", (entity.term,), z3.BoolSort())
            value = self._value(path, attribute.type, (entity.term,), footprint)
            read = AttributeRead(entity, name, present, value)
            footprint.reads[key] = read
        return read.present, read.value

    def tag(self, entity: Entity, key: Text, footprint: Footprint) -> tuple[z3.BoolRef, Value] | None:
        """Return whether an entity has the tag and its value, or None if its type has no tags."""
        type_ = entity.type.name
        known = self.schema.entity_types.get(type_)
        if known is None or known.tags is None:
            return None
        at = (entity.term.get_id(), key.term.get_id())
        read = footprint.tags.get(at)
        if read is None:
            arguments = (entity.term, key.term)
            present = applied(f"{type_} tag?", arguments, z3.BoolSort())
            read = TagRead(entity, key, present, self._value(f"{type_} tag", known.tags, arguments, footprint))
            footprint.tags[at] = read
        return read.present, read.value

    def _value(self, name: str, type_: Type, arguments: tuple[z3.ExprRef, ...], footprint: Footprint) -> Value:
        if isinstance(type_, RecordType):
            fields: dict[str, tuple[z3.BoolRef, Value]] = {}
            for attribute, found in type_.attributes:
                path = f"{name}.{attribute!r}"
                present = TRUE if found.required else applied(f"{path}?", arguments, z3.BoolSort())
                fields[attribute] = (present, self._value(path, found.type, arguments, footprint))
            return Record(type_, fields)
        if type_ is Scalar.IPADDR:
            return _address(name, arguments, footprint)
        path = f"{name}: {name_of(type_)}"
        if type_ is Scalar.BOOL:
            return Truth(applied(path, arguments, z3.BoolSort()))
        if type_ is Scalar.STRING:
            return Text(applied(path, arguments, sort_of(type_)))
        if isinstance(type_, Scalar):
            number = applied(path, arguments, z3.IntSort())
            _note(all_of(number >= LEAST, number <= GREATEST), footprint)
            return Number(type_, number)
        term = applied(path, arguments, sort_of(type_))
        return SetTerm(type_, term) if isinstance(type_, SetOfType) else self._chosen(Entity(type_, term), footprint)

    def _chosen(self, entity: Entity, footprint: Footprint) -> Entity:
        """Note that an entity of an enumerated type is one of those that the schema lists."""
        known = self.schema.entity_types.get(entity.type.name)
        if known is not None and known.choices is not None:
            literals = (self.entity(Uid(known.name, choice), footprint) for choice in known.choices)
            _note(any_of(*(entity.term == literal.term for literal in literals)), footprint)
        return entity


def _address(name: str, arguments: tuple[z3.ExprRef, ...], footprint: Footprint) -> Address:
    six = applied(f"{name} is IPv6", arguments, z3.BoolSort())
    bits = applied(f"{name} bits", arguments, z3.BitVecSort(ADDRESS_BITS))
    prefix = applied(f"{name} prefix", arguments, z3.BitVecSort(ADDRESS_BITS))
    _note(
        z3.ULE(prefix, z3.If(six, z3.BitVecVal(ADDRESS_BITS, ADDRESS_BITS), z3.BitVecVal(_FOUR_BITS, ADDRESS_BITS))),
        footprint,
    )
    _note(any_of(six, z3.ULT(bits, z3.BitVecVal(1 << _FOUR_BITS, ADDRESS_BITS))), footprint)
    return Address(six, bits, prefix)


def _note(fact: z3.BoolRef, footprint: Footprint) -> None:
    footprint.facts[fact.get_id()] = fact
