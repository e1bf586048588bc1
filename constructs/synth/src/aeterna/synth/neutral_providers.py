"""Configures, once a stack, the providers that belong to no cloud and need no configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.app import TerraformStack
from aeterna.synth.l1.random.provider import RandomProvider
from aeterna.synth.l1.time.provider import TimeProvider

if TYPE_CHECKING:
    from constructs import Construct


def require_random(scope: Construct) -> None:
    """Have the provider ``random`` in the scope's stack; one that the stack has already is left alone."""
    stack = TerraformStack.of(scope)
    if not _has(stack, "random"):
        RandomProvider(stack, "random")


def require_time(scope: Construct) -> None:
    """Have the provider ``time`` in the scope's stack; one that the stack has already is left alone."""
    stack = TerraformStack.of(scope)
    if not _has(stack, "time"):
        TimeProvider(stack, "time")


def _has(stack: TerraformStack, kind: str) -> bool:
    """Say whether there is one anywhere in the stack, whoever generated its bindings."""
    return any(each.terraform_resource_type == kind for each in stack.all_providers())
