"""Providers that belong to no cloud, configured in a stack that needs one and has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.app import TerraformStack
from aeterna.synth.l1.time.provider import TimeProvider

if TYPE_CHECKING:
    from constructs import Construct


def need_time(scope: Construct) -> None:
    """Configure the provider that waits, unless the stack has it."""
    stack = TerraformStack.of(scope)
    if not any(isinstance(found, TimeProvider) for found in stack.node.find_all()):
        TimeProvider(stack, "time")
