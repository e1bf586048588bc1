"""How a resource is created, replaced and destroyed: Terraform's ``lifecycle`` block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aeterna.synth._cdk import (
    Postcondition,
    Precondition,
    TerraformDataSource,
    TerraformResource,
    TerraformResourceLifecycle,
)
from aeterna.synth.lowering import lower
from aeterna.synth.references import Ref
from aeterna.synth.values import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    prevent_destroy: Flag | None = None
    """Refuse any plan that destroys the resource. OpenTofu 1.12 takes an expression here."""
    ignore_changes: Sequence[str] | Literal["all"] | None = None
    """Arguments that something else may change after creation, by Terraform's names."""
    replace_triggered_by: Sequence[Trigger] | None = None
    """Elements whose replacement replaces this one. The engine renders a resource wrong here; this class does not."""
    precondition: Sequence[Precondition] | None = None
    postcondition: Sequence[Postcondition] | None = None
    destroy: bool | None = None
    """False forgets the resource instead of destroying it (OpenTofu 1.12)."""

    @classmethod
    def of(cls, lifecycle: Lifecycle | TerraformResourceLifecycle) -> Lifecycle:
        """Return the same lifecycle as this class writes it; the engine's own may come from existing code."""
        if isinstance(lifecycle, Lifecycle):
            return lifecycle
        names = {field.name for field in fields(cls)}
        # The engine's struct types its members as broadly as JSON; each is checked when it is lowered.
        given: dict[str, Any] = {name: getattr(lifecycle, name, None) for name in names}
        return cls(**given)

    def triggers(self) -> Iterator[object]:
        """Yield the elements that replace this one; one that is given as text cannot be traced to its element."""
        for trigger in self.replace_triggered_by or ():
            if isinstance(trigger, Ref):
                yield trigger.__where__()[0]
            elif not isinstance(trigger, str):
                yield trigger

    def for_engine(self) -> TerraformResourceLifecycle:
        """Return what the engine's own struct can carry."""
        return TerraformResourceLifecycle(
            create_before_destroy=self.create_before_destroy,
            prevent_destroy=self.prevent_destroy if isinstance(self.prevent_destroy, bool) else None,
            ignore_changes=self.ignore_changes,
            replace_triggered_by=_addresses(self.replace_triggered_by),
            precondition=self.precondition,
            postcondition=self.postcondition,
        )

    def beyond_engine(self) -> Mapping[str, object]:
        """Return what OpenTofu knows and the engine does not, as overrides."""
        beyond: dict[str, object] = {}
        if self.prevent_destroy is not None and not isinstance(self.prevent_destroy, bool):
            beyond["lifecycle.prevent_destroy"] = lower(self.prevent_destroy, "lifecycle.prevent_destroy")
        if self.destroy is not None:
            beyond["lifecycle.destroy"] = self.destroy
        return beyond


def _addresses(triggers: Sequence[Trigger] | None) -> list[str] | None:
    return None if triggers is None else [address(trigger) for trigger in triggers]
