"""The parts of an app: stacks, outputs and variables, as the engine offers them."""

from __future__ import annotations

from aeterna.synth._cdk import (
    Annotations,
    App,
    TerraformAsset,
    TerraformElement,
    TerraformOutput,
    TerraformProvider,
    TerraformStack,
    TerraformVariable,
)

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
