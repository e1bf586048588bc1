"""How a resource is created, replaced and destroyed: Terraform's ``lifecycle`` block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from aeterna.synth._cdk import (
    Postcondition,
    Precondition,
    TerraformDataSource,
    TerraformResource,
    TerraformResourceLifecycle,
)
from aeterna.synth.errors import UnrepresentableValueError
from aeterna.synth.protection import Protection
from aeterna.synth.references import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Lifecycle", "Postcondition", "Precondition", "address"]

Trigger: TypeAlias = str | Ref | TerraformResource | TerraformDataSource
"""What replaces a resource: another one, one of its attributes, or an address such as ``random_pet.name.id``."""


def address(of: Trigger) -> str:
    """Return the address, without ``${}``, which is how Terraform wants to read it in a lifecycle or a ``moved``."""
    if isinstance(of, str):
        return of.removeprefix("${").removesuffix("}") if of.startswith("${") else of
    if isinstance(of, Ref):
        element, path = of.__where__()
        return f"{element.terraform_resource_type}.{element.friendly_unique_id}.{path}"
    return f"{of.terraform_resource_type}.{of.friendly_unique_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Terraform's ``lifecycle`` block, with what OpenTofu adds to it. What is None is not written."""

    create_before_destroy: bool | None = None
    prevent_destroy: bool | Protection | None = None
    """Refuse any plan that destroys the resource; with ``protected`` of ``aeterna.synth.protection``, until an operator
    says otherwise. An expression is no answer: OpenTofu takes one here, but not from the JSON that is written."""
    ignore_changes: Sequence[str] | Literal["all"] | None = None
    """Arguments that something else may change after creation, by Terraform's names."""
    replace_triggered_by: Sequence[Trigger] | None = None
    """Elements whose replacement replaces this one. The engine renders a resource wrong here; this class does not."""
    precondition: Sequence[Precondition] | None = None
    postcondition: Sequence[Postcondition] | None = None
    destroy: bool | None = None
    """False forgets the resource instead of destroying it (OpenTofu 1.12)."""

    def __post_init__(self) -> None:
        """Raise `UnrepresentableValueError` for a protection that OpenTofu could not read."""
        given = cast("object", self.prevent_destroy)  # what comes from existing code was checked by nobody
        if not isinstance(given, bool | Protection | None):
            raise UnrepresentableValueError(
                "lifecycle.prevent_destroy",
                "OpenTofu reads no expression here from JSON",
                "use aeterna.synth.protection.protected",
            )

    @classmethod
    def of(cls, lifecycle: Lifecycle | TerraformResourceLifecycle) -> Lifecycle:
        """Return the same lifecycle as this class writes it; the engine's own may come from existing code."""
        if isinstance(lifecycle, Lifecycle):
            return lifecycle
        names = {field.name for field in fields(cls)}
        # The engine's struct types its members as broadly as JSON; each is checked when it is lowered.
        given: dict[str, Any] = {name: getattr(lifecycle, name, None) for name in names}
        return cls(**given)

    def elements(self) -> Iterator[tuple[str, object]]:
        """Yield the elements that it names, each after the argument; an address that is text has no known element."""
        if self.prevent_destroy is not None:
            yield "prevent_destroy", self.prevent_destroy
        for trigger in self.replace_triggered_by or ():
            yield "replace_triggered_by", trigger.__where__()[0] if isinstance(trigger, Ref) else trigger

    def for_engine(self) -> TerraformResourceLifecycle:
        """Return what the engine's own struct can carry."""
        return TerraformResourceLifecycle(
            create_before_destroy=self.create_before_destroy,
            prevent_destroy=True if isinstance(self.prevent_destroy, Protection) else self.prevent_destroy,
            ignore_changes=self.ignore_changes,
            replace_triggered_by=_addresses(self.replace_triggered_by),
            precondition=self.precondition,
            postcondition=self.postcondition,
        )

    def apply_to(self, element: TerraformResource | TerraformDataSource) -> None:
        """Write what OpenTofu knows and the engine does not."""
        if self.destroy is not None:
            element.add_override("lifecycle.destroy", self.destroy)
        if isinstance(self.prevent_destroy, Protection) and isinstance(element, TerraformResource):
            self.prevent_destroy.covers(element)


def _addresses(triggers: Sequence[Trigger] | None) -> list[str] | None:
    return None if triggers is None else [address(trigger) for trigger in triggers]
