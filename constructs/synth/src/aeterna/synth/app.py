"""The parts of an app: the app itself, stacks, outputs and variables."""

from __future__ import annotations

from aeterna.synth import _cdk
from aeterna.synth._cdk import (
    Annotations,
    TerraformAsset,
    TerraformElement,
    TerraformOutput,
    TerraformProvider,
    TerraformStack,
    TerraformVariable,
)
from aeterna.synth.aspects import failure_in, refuse_ignored
from aeterna.synth.errors import SynthesisError

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


class App(_cdk.App):
    """A set of stacks that are synthesized together. The engine's own class works too, with the engine's own errors."""

    def synth(self) -> None:
        """Write every stack.

        Raises what an aspect raised, or `SynthesisError` with the engine's message, as of a failed validation.
        """
        refuse_ignored(self)
        try:
            super().synth()
        except RuntimeError as refused:
            failure = failure_in(self)
            if failure is not None:
                raise failure from None
            raise SynthesisError(str(refused)) from refused
