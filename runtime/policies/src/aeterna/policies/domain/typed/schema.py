"""Schema declarations resolved into types: every name is looked up as Cedar does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import Uid
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain.typed.schema_text import ActionWritten, EntityWritten, Named, SetWritten, namespaces_of
from aeterna.policies.domain.typed.types import (
    Action,
    Attribute,
    EntityOf,
    EntityType,
    RecordType,
    Scalar,
    Schema,
    SetOfType,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policies.domain.typed.schema_text import Namespace, Written

_BUILT_IN: Final = "__cedar"
_ACTION: Final = "Action"


def schema_of(text: str) -> Schema:
    """Return the schema that the text declares; Cedar has checked it, so names that are not found are a surprise."""
    return _Resolver(namespaces_of(text)).schema()


class _Resolver:
    """Looks names up: in the namespace, then without one, then among the built-in types; common types first."""

    def __init__(self, spaces: Mapping[str, Namespace]) -> None:
        self._spaces = spaces

    def schema(self) -> Schema:
        entity_types = [
            self._entity(space, name, written)
            for space, declared in self._spaces.items()
            for name, written in declared.entities.items()
        ]
        actions = [
            self._action(space, name, written)
            for space, declared in self._spaces.items()
            for name, written in declared.actions.items()
        ]
        return Schema(
            entity_types={found.name: found for found in entity_types},
            actions={found.uid: found for found in actions},
        )

    def _entity(self, space: str, name: str, written: EntityWritten) -> EntityType:
        attributes = self._type(space, written.attributes)
        if not isinstance(attributes, RecordType):
            raise BundleInvalidError("schema", f"the attributes of {name} are no record")
        return EntityType(
            name=_full(space, name),
            parents=tuple(self._entity_name(space, parent) for parent in written.parents),
            attributes=attributes,
            tags=self._type(space, written.tags) if written.tags is not None else None,
            choices=written.choices,
        )

    def _action(self, space: str, name: str, written: ActionWritten) -> Action:
        context = self._type(space, written.context)
        if not isinstance(context, RecordType):
            raise BundleInvalidError("schema", f"the context of {name} is no record")
        return Action(
            uid=Uid(_full(space, _ACTION), name),
            groups=tuple(self._group(space, type_, id_) for type_, id_ in written.groups),
            principals=tuple(self._entity_name(space, principal) for principal in written.principals),
            resources=tuple(self._entity_name(space, resource) for resource in written.resources),
            context=context,
        )

    def _group(self, space: str, type_: str | None, id_: str) -> Uid:
        if type_ is not None and type_ != _ACTION:
            return Uid(type_, id_)
        here = self._spaces[space]
        return Uid(_full(space if id_ in here.actions else "", _ACTION), id_)

    def _entity_name(self, space: str, name: str) -> str:
        found = self._named(space, name)
        if not isinstance(found, EntityOf):
            raise BundleInvalidError("schema", f"{name} is no entity type")
        return found.name

    def _type(self, space: str, written: Written) -> Type:
        if isinstance(written, Named):
            return self._named(space, written.name)
        if isinstance(written, SetWritten):
            return SetOfType(self._type(space, written.element))
        return RecordType.of(
            {
                name: Attribute(self._type(space, type_), required)
                for name, (type_, required) in written.attributes.items()
            }
        )

    def _named(self, space: str, name: str) -> Type:
        qualifier, _, last = name.rpartition("::")
        for where in (qualifier,) if qualifier else (space, ""):
            declared = self._spaces.get(where)
            if declared is None:
                continue
            if last in declared.types:
                return self._type(where, declared.types[last])
            if last in declared.entities or (last == _ACTION and declared.actions):
                return EntityOf(_full(where, last))
        if qualifier in {"", _BUILT_IN} and last in {*Scalar}:
            return Scalar(last)
        if last == "Boolean" and qualifier in {"", _BUILT_IN}:
            return Scalar.BOOL
        raise BundleInvalidError("schema", f"{name} is a type that the analysis does not know")


def _full(space: str, name: str) -> str:
    return f"{space}::{name}" if space else name
