"""The TypedDicts of a module: one per nested block, and an alias where two blocks are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aeterna.synth.generate.annotations import annotation, record_of
from aeterna.synth.generate.naming import camel, plain_field

if TYPE_CHECKING:
    from aeterna.synth.generate.schema import Block, TypeExpression


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a TypedDict, or a parameter of a constructor."""

    name: str
    type: str
    required: bool


SMALL: Final = 2
"""A block of so few fields is written out again; an alias would be no shorter and harder to read."""


@dataclass(slots=True)
class Records:
    """Collects the TypedDicts of one module, inner ones first, in the order of the schema."""

    texts: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])
    _first: dict[tuple[Field, ...], str] = field(default_factory=dict[tuple[Field, ...], str])
    _same_as: dict[str, str] = field(default_factory=dict[str, str])

    def fields_of(self, block: Block, prefix: str) -> tuple[Field, ...]:
        """Return what may be written in a block, the required first; the blocks in it are collected on the way."""
        found = [
            Field(each.name, self._type_of(each.type, f"{prefix}{camel(each.name)}"), each.required)
            for each in block.attributes
            if each.settable
        ]
        for nested in block.nested:
            name = self._add(f"{prefix}{camel(nested.name)}", self.fields_of(nested.block, prefix + camel(nested.name)))
            found.append(Field(nested.name, f"{'Blocks' if nested.repeats else 'One'}[{name}]", nested.required))
        return tuple(sorted(found, key=lambda one: (not one.required, one.name)))

    def _type_of(self, expression: TypeExpression, prefix: str) -> str:
        fields = record_of(expression)
        if fields is None:
            return annotation(expression, "")
        inner = tuple(
            Field(name, self._type_of(fields[name], f"{prefix}{camel(name)}"), required=False)
            for name in sorted(fields)
        )
        return annotation(expression, self._add(prefix, inner))

    def _add(self, prefix: str, fields: tuple[Field, ...]) -> str:
        name = f"{prefix}Block"
        first = self._first.setdefault(tuple(self._canonical(one) for one in fields), name)
        self._same_as[name] = first
        self.names.append(name)
        alias = first != name and len(fields) > SMALL
        self.texts.append(_alias(name, first) if alias else _typed_dict(name, fields))
        return name

    def _canonical(self, one: Field) -> Field:
        """Return the field with its block called by the first name that an equal block got."""
        return replace(one, type=re.sub(r"\w+", lambda word: self._same_as.get(word[0], word[0]), one.type))


def _alias(name: str, same: str) -> str:
    return f"{name}: TypeAlias = {same}\n"


def _typed_dict(name: str, fields: tuple[Field, ...]) -> str:
    if not all(plain_field(one.name) for one in fields):
        entries = "".join(f'        "{one.name}": "{_entry(one)}",\n' for one in fields)
        return f'{name} = TypedDict(\n    "{name}",\n    {{\n{entries}    }},\n    total=False,\n)\n'
    body = "".join(f"    {one.name}: {_entry(one)}\n" for one in fields) or "    pass\n"
    return f"class {name}(TypedDict, total=False):\n{body}"


def _entry(one: Field) -> str:
    return f"Required[{one.type}]" if one.required else f"{one.type} | None"
