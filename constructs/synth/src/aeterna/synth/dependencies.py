"""Keeps what Terraform allows only inside one state out of another stack's: ``depends_on``, providers, triggers.

The engine writes the address of another stack's element as if it were here, or reads the whole element into this
stack's plan; Terraform refuses the one, and the other copies every attribute of it, secrets included, into an output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth._cdk import TerraformElement, TerraformStack
from aeterna.synth.errors import SynthesisError, UnrepresentableValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from aeterna.synth._cdk import ITerraformDependable


def within(scope: Construct, wanted: Iterable[ITerraformDependable]) -> list[ITerraformDependable]:
    """Return those of the elements that the scope's stack holds; the stack is applied after the stacks of the others.

    Raises `SynthesisError` when the other stack comes after this one already.
    """
    stack = TerraformStack.of(scope)
    kept: list[ITerraformDependable] = []
    for each in wanted:
        other = _stack_of(each)
        if other is None or other is stack:
            kept.append(each)
            continue
        try:
            stack.add_dependency(other)
        except RuntimeError as refused:  # the engine has no error of its own for a circle of stacks
            raise SynthesisError(str(refused)) from None
    return kept


def refuse_foreign(scope: Construct, element: object, where: str, remedy: str) -> None:
    """Raise `UnrepresentableValueError` when the element belongs to another stack than the scope."""
    other = _stack_of(element)
    if other is None:
        return
    stack = TerraformStack.of(scope)
    if other is not stack:
        problem = f"it belongs to the stack {other.node.id!r}, and {stack.node.id!r} is another state"
        raise UnrepresentableValueError(where, problem, remedy)


def _stack_of(element: object) -> TerraformStack | None:
    """Return the stack of an element of the engine's tree, None for anything else that has an address."""
    return element.cdktf_stack if isinstance(element, TerraformElement) else None
