"""What every generated binding is: a resource, data source or provider whose arguments are kept as plain data.

The engine asks each of them for its arguments when it writes the stack. Until then they may be read and replaced, which
is how a default of a construct is overridden without forking it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypedDict

from aeterna.synth._cdk import (
    ITerraformDependable,
    ITerraformIterator,
    TerraformCount,
    TerraformDataSource,
    TerraformProvider,
    TerraformProviderGeneratorMetadata,
    TerraformResource,
    TerraformResourceLifecycle,
)
from aeterna.synth.blocks import placed, refuse_expressions
from aeterna.synth.dependencies import refuse_foreign, within
from aeterna.synth.errors import LogicalIdFixedError, UnknownArgumentError
from aeterna.synth.hcl import hcl_of
from aeterna.synth.lifecycle import Lifecycle, address
from aeterna.synth.lowering import lower
from aeterna.synth.references import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from constructs import Construct

    from aeterna.synth.blocks import BlockShape

Arguments: TypeAlias = dict[str, Any]  # what crosses to the engine is JSON and jsii objects, which have no common type


class Meta(TypedDict, total=False):
    """Terraform's own arguments, which every resource and data source takes."""

    depends_on: Sequence[ITerraformDependable]
    count: int | TerraformCount
    for_each: ITerraformIterator
    provider: TerraformProvider
    lifecycle: Lifecycle | TerraformResourceLifecycle


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The provider that bindings were generated from."""

    name: str
    """Its local name, such as ``random``."""
    source: str
    """Its short source address, such as ``hashicorp/random``, which every registry resolves for itself."""
    version: str
    """The version whose schema was read."""
    constraint: str
    """The versions that the bindings are good for."""

    def metadata(self) -> TerraformProviderGeneratorMetadata:
        """Return what the engine keeps of it: the constraint, which goes to ``required_providers``."""
        return TerraformProviderGeneratorMetadata(provider_name=self.name, provider_version_constraint=self.constraint)


class _Element:
    """The part that resources, data sources and providers share."""

    _type: ClassVar[str]
    _origin: ClassVar[Origin]
    _blocks: ClassVar[BlockShape] = {}
    _arguments: Arguments
    _where: str
    _known: frozenset[str]

    def _keep(self, id_: str, arguments: Mapping[str, object]) -> None:
        """Lower the arguments; those left out stay with the provider."""
        self._known = frozenset(arguments)
        self._where = f"{self._type}.{id_}"
        self._arguments = {
            name: lower(value, f"{self._where}.{name}") for name, value in arguments.items() if value is not None
        }
        refuse_expressions(self._arguments, self._blocks, self._where)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What will be written, by Terraform's names."""
        return self._arguments

    def takes(self, name: str) -> bool:
        """Whether there is an argument of this name."""
        return name in self._known

    def replace(self, name: str, value: object) -> None:
        """Replace an argument before synthesis; None hands it back to the provider's default.

        Unlike ``add_override``, which appends to a list that is already there, this replaces it whole.
        Raises `UnknownArgumentError`.
        """
        if not self.takes(name):
            raise UnknownArgumentError(self._type, name, self._known)
        if value is None:
            self._arguments.pop(name, None)
        else:
            self._arguments[name] = lower(value, f"{self._where}.{name}")
            refuse_expressions(self._arguments, self._blocks, self._where)

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        """Answer the engine, which asks when it writes JSON."""
        return placed(self._arguments, self._blocks)

    def _synthesize_hcl_attributes(self) -> Mapping[str, Any]:
        """Answer the engine, which asks when it writes HCL."""
        return hcl_of(self._arguments, self._blocks)


def _lifecycle_of(meta: Meta) -> Lifecycle | None:
    given = meta.get("lifecycle")
    return None if given is None else Lifecycle.of(given)


def _meta_of(scope: Construct, where: str, meta: Meta, lifecycle: Lifecycle | None) -> dict[str, Any]:
    """Return Terraform's own arguments as the keywords of the engine's constructor.

    An element of another stack is dropped from ``depends_on``, and that stack is applied before this one.
    """
    keywords: dict[str, Any] = {name: value for name, value in meta.items() if value is not None}
    if "depends_on" in keywords:
        keywords["depends_on"] = within(scope, keywords["depends_on"])
    if "provider" in keywords:
        refuse_foreign(scope, keywords["provider"], f"{where}.provider", "configure a provider in this stack as well")
    if lifecycle is not None:
        for trigger in lifecycle.triggers():
            refuse_foreign(
                scope, trigger, f"{where}.lifecycle.replace_triggered_by", "trigger on a resource of this stack"
            )
        keywords["lifecycle"] = lifecycle.for_engine()
    return keywords


def _override(element: Resource | DataSource, wanted: str, override: Callable[[str], None]) -> None:
    """Override a logical id and make sure that it is the one in force: the engine ignores one that comes too late."""
    try:
        override(wanted)
    except RuntimeError:  # the engine's assertion; it knows only about those who asked for the whole resource
        raise LogicalIdFixedError(address(element), wanted) from None
    if element.friendly_unique_id != wanted:
        raise LogicalIdFixedError(address(element), wanted)


class Resource(_Element, TerraformResource):
    """Something that Terraform creates, changes and destroys."""

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], meta: Meta) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        lifecycle = _lifecycle_of(meta)
        super().__init__(
            scope,
            id_,
            terraform_resource_type=self._type,
            terraform_generator_metadata=self._origin.metadata(),
            **_meta_of(scope, self._where, meta, lifecycle),
        )
        if lifecycle is not None:
            for path, value in lifecycle.beyond_engine().items():
                self.add_override(path, value)

    def add_override(self, path: str, value: object) -> None:
        """Write a value at any path, even one that the bindings do not know; a list is added to the one there is.

        Raises `UnrepresentableValueError`.
        """
        super().add_override(path, lower(value, f"{self._where}.{path}"))

    def override_logical_id(self, new_logical_id: str) -> None:
        """Give the resource the address of an existing one. Raises `LogicalIdFixedError` if its own is in use."""
        _override(self, new_logical_id, super().override_logical_id)

    def reference(self, path: str) -> Ref:
        """Return a reference to any path of this resource, by Terraform's names."""
        return Ref(self, path)


class DataSource(_Element, TerraformDataSource):
    """Something that Terraform only reads."""

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], meta: Meta) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        lifecycle = _lifecycle_of(meta)
        super().__init__(
            scope,
            id_,
            terraform_resource_type=self._type,
            terraform_generator_metadata=self._origin.metadata(),
            **_meta_of(scope, self._where, meta, lifecycle),
        )
        if lifecycle is not None:
            for path, value in lifecycle.beyond_engine().items():
                self.add_override(path, value)

    def add_override(self, path: str, value: object) -> None:
        """Write a value at any path, even one that the bindings do not know; a list is added to the one there is.

        Raises `UnrepresentableValueError`.
        """
        super().add_override(path, lower(value, f"{self._where}.{path}"))

    def override_logical_id(self, new_logical_id: str) -> None:
        """Give the data source another address. Raises `LogicalIdFixedError` if its own is in use."""
        _override(self, new_logical_id, super().override_logical_id)

    def reference(self, path: str) -> Ref:
        """Return a reference to any path of this data source, by Terraform's names."""
        return Ref(self, path)


class Provider(_Element, TerraformProvider):
    """A configured provider; with an alias, one of several of its kind in a stack."""

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], alias: str | None) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        self._alias = alias
        super().__init__(
            scope,
            id_,
            terraform_resource_type=self._type,
            terraform_provider_source=self._origin.source,
            terraform_generator_metadata=self._origin.metadata(),
        )

    def add_override(self, path: str, value: object) -> None:
        """Write a value at any path, even one that the bindings do not know. Raises `UnrepresentableValueError`."""
        super().add_override(path, lower(value, f"{self._where}.{path}"))

    @property
    def alias(self) -> str | None:
        """The name by which resources ask for this one. The engine's own property keeps nothing."""
        return self._alias

    @alias.setter
    def alias(self, value: str | None) -> None:
        self._alias = value
