"""Reads a provider's schema: the shape of ``tofu providers schema -json``, one provider a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Terraform's type constraints: "string", ["list", T], ["object", {name: T}] … JSON that only this package walks.
TypeExpression: TypeAlias = Any
Kind: TypeAlias = Literal["resource", "data", "ephemeral", "provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute: settable, readable or both."""

    name: str
    type: TypeExpression
    required: bool
    optional: bool
    computed: bool

    @property
    def settable(self) -> bool:
        """Whether it may be written in a configuration."""
        return self.required or self.optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """One kind of nested block."""

    name: str
    block: Block
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The attributes and nested blocks of a resource or of one of its blocks, by name."""

    attributes: tuple[Attribute, ...]
    nested: tuple[Nested, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A resource, a data source, an ephemeral resource or the provider itself."""

    kind: Kind
    type: str
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What is known of one version of a provider."""

    source: str
    version: str
    entities: tuple[Entity, ...]

    @property
    def name(self) -> str:
        """The provider's local name."""
        return self.source.rsplit("/", 1)[-1]

    @property
    def constraint(self) -> str:
        """The versions that have at least what these bindings offer, up to the next major one."""
        major, minor, _ = self.version.split(".")
        return f"~> {major}.{minor}"


def read(path: Path) -> Schema:
    """Read a schema file."""
    document = json.loads(path.read_text())
    source: str = document["source"]
    provider = Entity(
        kind="provider", type=source.rsplit("/", 1)[-1], block=_block(document["provider"].get("block", {}))
    )
    return Schema(
        source=source,
        version=document["version"],
        entities=(
            provider,
            *_entities("resource", document["resource_schemas"]),
            *_entities("data", document["data_source_schemas"]),
            *_entities("ephemeral", document.get("ephemeral_resource_schemas", {})),
        ),
    )


def _entities(kind: Kind, schemas: Mapping[str, Any]) -> list[Entity]:
    return [Entity(kind=kind, type=name, block=_block(schemas[name]["block"])) for name in sorted(schemas)]


def _block(block: Mapping[str, Any]) -> Block:
    attributes: Mapping[str, Any] = block.get("attributes", {})
    nested: Mapping[str, Any] = block.get("block_types", {})
    return Block(
        attributes=tuple(_attribute(name, attributes[name]) for name in sorted(attributes)),
        nested=tuple(_nested(name, nested[name]) for name in sorted(nested)),
    )


def _attribute(name: str, attribute: Mapping[str, Any]) -> Attribute:
    return Attribute(
        name=name,
        type=_nested_type(attribute["nested_type"]) if "nested_type" in attribute else attribute["type"],
        required=attribute.get("required", False),
        optional=attribute.get("optional", False),
        computed=attribute.get("computed", False),
    )


def _nested_type(nested: Mapping[str, Any]) -> TypeExpression:
    """Return an attribute that newer providers describe like a block as the type constraint that it is."""
    fields = {name: _attribute(name, attribute).type for name, attribute in nested["attributes"].items()}
    one = ["object", fields]
    return one if nested["nesting_mode"] == "single" else [nested["nesting_mode"], one]


def _nested(name: str, nested: Mapping[str, Any]) -> Nested:
    return Nested(
        name=name,
        block=_block(nested["block"]),
        required=nested.get("min_items", 0) > 0,
        repeats=nested["nesting_mode"] != "single" and nested.get("max_items") != 1,
    )
