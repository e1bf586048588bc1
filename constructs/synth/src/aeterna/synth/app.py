"""The parts of an app: the app itself, stacks, outputs and variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from aeterna.synth import _cdk
from aeterna.synth._cdk import (
    Annotations,
    TerraformAsset,
    TerraformElement,
    TerraformProvider,
    TerraformStack,
    TerraformVariable,
)
from aeterna.synth.aspects import failure_in, refuse_ignored
from aeterna.synth.dependencies import within
from aeterna.synth.errors import SynthesisError
from aeterna.synth.lowering import lower
from aeterna.synth.protection import forget
from aeterna.synth.told import tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from constructs import Construct, IConstruct

__all__ = [
    "Annotations",
    "App",
    "TerraformAsset",
    "TerraformElement",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformStack",
    "TerraformVariable",
]


class OutputMeta(TypedDict, total=False):
    """What else Terraform takes of an output."""

    depends_on: Sequence[_cdk.ITerraformDependable]
    precondition: _cdk.Precondition
    static_id: bool


class TerraformOutput(_cdk.TerraformOutput):
    """A value that others may read of a stack."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        /,
        *,
        value: object,
        description: str | None = None,
        sensitive: bool | None = None,
        **more: Unpack[OutputMeta],
    ) -> None:
        """Take any value that a binding takes as well. Raises `UnrepresentableValueError`."""
        lowered = lower(value, f"output.{id_}")
        if "depends_on" in more:
            more["depends_on"] = within(scope, more["depends_on"])
        super().__init__(scope, id_, value=lowered, description=description, sensitive=sensitive, **more)


class App(_cdk.App):
    """A set of stacks that are synthesized together. The engine's own class works too, with the engine's own errors."""

    def synth(self) -> None:
        """Write every stack, and tell what constructs warn of.

        Raises what an aspect raised, or `SynthesisError` with the engine's message, as of a failed validation.
        """
        refuse_ignored(self)
        _refuse_twins(self)
        forget(Path(self.outdir))
        try:
            super().synth()
        except RuntimeError as refused:
            failure = failure_in(self)
            if failure is not None:
                raise failure from None
            raise SynthesisError(str(refused)) from refused
        tell(Path(self.outdir))


def _refuse_twins(app: App) -> None:
    """Raise `SynthesisError` for two stacks of one id: the engine would write one over the other."""
    seen: dict[str, str] = {}
    for stack in _stacks(app):
        path, first = stack.node.path, seen.get(stack.node.id)
        if first is not None:
            raise SynthesisError(f"{first} and {path} are both called {stack.node.id!r}; give one another id")
        seen[stack.node.id] = path


def _stacks(scope: IConstruct) -> Iterator[TerraformStack]:
    """Yield the stacks below the scope; one inside another stack is not looked for."""
    for child in scope.node.children:
        if isinstance(child, TerraformStack):
            yield child
        else:
            yield from _stacks(child)
