"""The names that z3 knows a schema's parts by: request variables, attributes, tags and literals, with their facts."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, cast

import z3

from aeterna.cedar.domain.request import Uid
from aeterna.policies.adapters.smt.footprint import AttributeRead, TagRead
from aeterna.policies.adapters.smt.values import (
    ADDRESS_BITS,
    GREATEST,
    INTEGERS,
    LEAST,
    TRUE,
    Address,
    Plain,
    Record,
    Value,
    all_of,
    any_of,
    name_of,
    sort_of,
)
from aeterna.policies.domain.typed.types import EntityOf, RecordType, Scalar

if TYPE_CHECKING:
    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.domain.typed.types import Schema, Type

_FOUR_BITS: Final = 32


class Symbols:
    """Makes the terms for one schema; the same name is the same term in every policy."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._strings: dict[str, Plain] = {}
        self._entities: dict[Uid, Plain] = {}
        self._uids: dict[int, Uid] = {}
        self._texts: dict[int, str] = {}
        self._fresh = count()

    def string(self, text: str, footprint: Footprint) -> Plain:
        """Return the term of a string literal; all those of a query are different."""
        found = self._strings.get(text)
        if found is None:
            found = Plain(Scalar.STRING, z3.Const(f"string {text!r}", sort_of(Scalar.STRING)))
            self._strings[text] = found
            self._texts[found.term.get_id()] = text
        footprint.strings[text] = found
        return found

    def entity(self, uid: Uid, footprint: Footprint) -> Plain:
        """Return the term of an entity literal; all those of a query are different."""
        found = self._entities.get(uid)
        if found is None:
            type_ = EntityOf(uid.type)
            found = Plain(type_, z3.Const(f"uid {uid.id!r}", sort_of(type_)))
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

    def variable(self, name: str, type_: Type, footprint: Footprint) -> Value:
        """Return the value of this name and type, of which nothing is known but its type."""
        return self._value(name, type_, (), footprint)

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
            present = TRUE if attribute.required else _applied(f"{path}?", (), z3.BoolSort())
            value = self._value(path, attribute.type, (), footprint)
            footprint.context[name] = (cast("z3.BoolRef", present), value)
        return footprint.context[name]

    def attribute(self, entity: Plain, name: str, footprint: Footprint) -> tuple[z3.BoolRef, Value] | None:
        """Return whether an entity has the attribute and its value, or None if its type has no such attribute."""
        type_ = cast("EntityOf", entity.type).name
        known = self.schema.entity_types.get(type_)
        attribute = known.attributes.get(name) if known is not None else None
        if attribute is None:
            return None
        key = (entity.term.get_id(), name)
        read = footprint.reads.get(key)
        if read is None:
            path = f"{type_} {name!r}"
            present = TRUE if attribute.required else _applied(f"{path}?", (entity.term,), z3.BoolSort())
            value = self._value(path, attribute.type, (entity.term,), footprint)
            read = AttributeRead(entity, name, cast("z3.BoolRef", present), value)
            footprint.reads[key] = read
        return read.present, read.value

    def tag(self, entity: Plain, key: Plain, footprint: Footprint) -> tuple[z3.BoolRef, Value] | None:
        """Return whether an entity has the tag and its value, or None if its type has no tags."""
        type_ = cast("EntityOf", entity.type).name
        known = self.schema.entity_types.get(type_)
        if known is None or known.tags is None:
            return None
        at = (entity.term.get_id(), key.term.get_id())
        read = footprint.tags.get(at)
        if read is None:
            arguments = (entity.term, key.term)
            present = cast("z3.BoolRef", _applied(f"{type_} tag?", arguments, z3.BoolSort()))
            read = TagRead(entity, key, present, self._value(f"{type_} tag", known.tags, arguments, footprint))
            footprint.tags[at] = read
        return read.present, read.value

    def _value(self, name: str, type_: Type, arguments: tuple[z3.ExprRef, ...], footprint: Footprint) -> Value:
        if isinstance(type_, RecordType):
            fields: dict[str, tuple[z3.BoolRef, Value]] = {}
            for attribute, found in type_.attributes:
                path = f"{name}.{attribute!r}"
                present = TRUE if found.required else _applied(f"{path}?", arguments, z3.BoolSort())
                fields[attribute] = (cast("z3.BoolRef", present), self._value(path, found.type, arguments, footprint))
            return Record(type_, fields)
        if type_ is Scalar.IPADDR:
            return _address(name, arguments, footprint)
        value = Plain(type_, _applied(f"{name}: {name_of(type_)}", arguments, sort_of(type_)))
        self._constrain(value, footprint)
        return value

    def _constrain(self, value: Plain, footprint: Footprint) -> None:
        """Note what holds of every value of the type."""
        if value.type in INTEGERS:
            number = cast("z3.ArithRef", value.term)
            _note(all_of(number >= LEAST, number <= GREATEST), footprint)
        elif isinstance(value.type, EntityOf):
            known = self.schema.entity_types.get(value.type.name)
            if known is not None and known.choices is not None:
                literals = (self.entity(Uid(known.name, choice), footprint) for choice in known.choices)
                _note(any_of(*(value.term == literal.term for literal in literals)), footprint)


def _address(name: str, arguments: tuple[z3.ExprRef, ...], footprint: Footprint) -> Address:
    six = cast("z3.BoolRef", _applied(f"{name} is IPv6", arguments, z3.BoolSort()))
    bits = cast("z3.BitVecRef", _applied(f"{name} bits", arguments, z3.BitVecSort(ADDRESS_BITS)))
    prefix = cast("z3.BitVecRef", _applied(f"{name} prefix", arguments, z3.BitVecSort(ADDRESS_BITS)))
    _note(
        z3.ULE(prefix, z3.If(six, z3.BitVecVal(ADDRESS_BITS, ADDRESS_BITS), z3.BitVecVal(_FOUR_BITS, ADDRESS_BITS))),
        footprint,
    )
    _note(any_of(six, z3.ULT(bits, z3.BitVecVal(1 << _FOUR_BITS, ADDRESS_BITS))), footprint)
    return Address(six, bits, prefix)


def _applied(name: str, arguments: tuple[z3.ExprRef, ...], sort: z3.SortRef) -> z3.ExprRef:
    if not arguments:
        return z3.Const(name, sort)
    return z3.Function(name, *(argument.sort() for argument in arguments), sort)(*arguments)


def _note(fact: z3.BoolRef, footprint: Footprint) -> None:
    footprint.facts[fact.get_id()] = fact
