"""What every generated binding is: a resource, data source or provider whose arguments are kept as plain data.

The engine asks each of them for its arguments when it writes the stack. Until then they may be read and replaced, which
is how a default of a construct is overridden without forking it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, TypedDict

from aeterna.synth._cdk import (
    ITerraformDependable,
    ITerraformIterator,
    TerraformCount,
    TerraformDataSource,
    TerraformElement,
    TerraformProvider,
    TerraformProviderGeneratorMetadata,
    TerraformResource,
    TerraformResourceLifecycle,
)
from aeterna.synth.blocks import placed, refuse_expressions
from aeterna.synth.dependencies import refuse_foreign, within
from aeterna.synth.errors import LogicalIdFixedError, SynthesisError, UnknownArgumentError
from aeterna.synth.hcl import hcl_of
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.lowering import lower
from aeterna.synth.references import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class EphemeralMeta(TypedDict, total=False):
    """Terraform's own arguments of an ephemeral resource, which has no life to cycle through."""

    depends_on: Sequence[ITerraformDependable]
    count: int | TerraformCount
    for_each: ITerraformIterator
    provider: TerraformProvider


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
        for name, element in lifecycle.elements():
            refuse_foreign(scope, element, f"{where}.lifecycle.{name}", "name one of this stack")
        keywords["lifecycle"] = lifecycle.for_engine()
    return keywords


class _Addressed(_Element, TerraformElement):
    """The part that everything shares that has an address of its own."""

    _word: ClassVar[str] = ""
    """What comes before the type, to an engine that knows only resources and data sources."""

    def add_override(self, path: str, value: object) -> None:
        """Write a value at any path, even one that the bindings do not know; a list is added to the one there is.

        Raises `UnrepresentableValueError`.
        """
        super().add_override(path, lower(value, f"{self._where}.{path}"))

    def override_logical_id(self, new_logical_id: str) -> None:
        """Give the element the address of an existing one. Raises `LogicalIdFixedError` if its own is in use."""
        try:
            super().override_logical_id(new_logical_id)
        except RuntimeError:  # the engine's assertion; it knows only about those who asked for the whole element
            fixed = True
        else:
            fixed = self.friendly_unique_id != new_logical_id  # it ignores one that comes too late
        if fixed:
            raise LogicalIdFixedError(f"{self._type}.{self.friendly_unique_id}", new_logical_id)

    def _settings(self, scope: Construct, meta: Meta, lifecycle: Lifecycle | None) -> dict[str, Any]:
        """Return the keywords of the engine's constructor."""
        return {
            "terraform_resource_type": f"{self._word}{self._type}",
            "terraform_generator_metadata": self._origin.metadata(),
            **_meta_of(scope, self._where, meta, lifecycle),
        }


class Resource(_Addressed, TerraformResource):
    """Something that Terraform creates, changes and destroys."""

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], meta: Meta) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        lifecycle = _lifecycle_of(meta)
        super().__init__(scope, id_, **self._settings(scope, meta, lifecycle))
        if lifecycle is not None:
            lifecycle.apply_to(self)

    def reference(self, path: str) -> Ref:
        """Return a reference to any path of this resource, by Terraform's names."""
        return Ref(self, path)


class DataSource(_Addressed, TerraformDataSource):
    """Something that Terraform only reads."""

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], meta: Meta) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        lifecycle = _lifecycle_of(meta)
        super().__init__(scope, id_, **self._settings(scope, meta, lifecycle))
        if lifecycle is not None:
            lifecycle.apply_to(self)

    def reference(self, path: str) -> Ref:
        """Return a reference to any path of this data source, by Terraform's names."""
        return Ref(self, path)


class Ephemeral(_Addressed, TerraformResource):
    """A value that Terraform opens for a run and keeps in no file: a secret on its way to a write-only argument.

    The engine knows none: to it, this is a resource of a type that it cannot name, written under another word.
    OpenTofu 1.11 and Terraform 1.10 read it. No other stack can: a value that is kept nowhere is in no state.
    """

    _word = "ephemeral."

    def __init__(self, scope: Construct, id_: str, arguments: Mapping[str, object], meta: EphemeralMeta) -> None:
        """Take the arguments by Terraform's names. Raises `UnrepresentableValueError`."""
        self._keep(id_, arguments)
        super().__init__(scope, id_, **self._settings(scope, Meta(**meta), None))

    def to_terraform(self) -> Any:  # noqa: ANN401 - the engine's own signature: JSON
        """Answer the engine, which asks for the block."""
        written: dict[str, dict[str, Any]] = super().to_terraform()["resource"]
        return {"ephemeral": {self._type: written[self.terraform_resource_type]}}

    def to_hcl_terraform(self) -> NoReturn:
        """Refuse: the engine's HCL writer knows no such block and would leave it out."""
        raise SynthesisError(f"{self.node.path} cannot be written as HCL, for want of the engine's; write JSON")

    def reference(self, path: str) -> Ref:
        """Return a reference to any path of it, by Terraform's names."""
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
