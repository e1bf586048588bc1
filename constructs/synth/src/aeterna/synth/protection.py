"""Protects what holds data from being destroyed, until an operator says otherwise without touching a program.

A protected resource says ``prevent_destroy = true``, which is all that Terraform takes there. OpenTofu 1.12 takes an
expression, though not from JSON: 1.12.6 asks for "a bool" where it reads a string. So a protected stack has a second
file, which only OpenTofu reads: it puts the variable ``protected`` in the place of every ``true``, and
``tofu destroy -var protected=false`` needs no new synthesis. With Terraform, change the lifecycle in the program.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.synth._cdk import IStackSynthesizer, TerraformStack, TerraformVariable, implements
from aeterna.synth.errors import SynthesisError

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.synth._cdk import ISynthesisSession, TerraformResource

VARIABLE: Final = "protected"
FILE: Final = "protection_override.tofu"


class Protection(TerraformVariable):
    """The variable of a stack that its protected resources ask; true unless an operator says otherwise."""

    def __init__(self, stack: TerraformStack) -> None:
        super().__init__(
            stack,
            VARIABLE,
            type="bool",
            default=True,
            nullable=False,
            description="Whether what holds data is protected. Set it to false for the one run that may destroy it.",
        )
        self._resources: list[TerraformResource] = []
        stack.synthesizer = _Protecting(stack, self)

    def covers(self, resource: TerraformResource) -> None:
        """Let the resource ask this variable."""
        self._resources.append(resource)

    def overrides(self) -> str:
        """Return what OpenTofu reads over the stack's own file, the same for the same resources."""
        blocks = sorted(
            f'resource "{each.terraform_resource_type}" "{each.friendly_unique_id}" {{\n'
            f"  lifecycle {{\n    prevent_destroy = var.{self.friendly_unique_id}\n  }}\n}}\n"
            for each in self._resources
            if _is_written(each)
        )
        return "\n".join(blocks)


def protected(scope: Construct, *, wanted: bool) -> Protection | None:
    """Return the ``prevent_destroy`` of a resource below the scope: None, which is not written, where it is not wanted.

    It does not guard a resource that is taken out of the program: the protection goes with it. Raises `SynthesisError`
    where something else in the stack has the variable's name.
    """
    if not wanted:
        return None
    stack = TerraformStack.of(scope)
    found = stack.node.try_find_child(VARIABLE)
    if found is None:
        return Protection(stack)
    if not isinstance(found, Protection):
        raise SynthesisError(f"{found.node.path} takes the name of the variable that protects this stack; rename it")
    return found


def forget(output: Path) -> None:
    """Remove what an earlier synthesis wrote: OpenTofu refuses to override a resource that is there no more."""
    for stale in output.glob(f"stacks/*/{FILE}"):
        stale.unlink()


def _is_written(resource: TerraformResource) -> bool:
    """Whether there is a resource to override: of one that was moved to another address, only that is written."""
    return not resource.to_metadata().get("moved") or resource.to_terraform().get("resource") is not None


@implements(IStackSynthesizer)
class _Protecting:
    """Writes the second file after the engine has written the stack, when every address is final."""

    def __init__(self, stack: TerraformStack, protection: Protection) -> None:
        self._stack = stack
        self._engine = stack.synthesizer
        self._protection = protection

    def synthesize(self, session: ISynthesisSession) -> None:
        """Answer the engine, which calls this once per synthesis."""
        self._engine.synthesize(session)
        folder = Path(session.outdir, "stacks", self._stack.node.id)
        (folder / FILE).write_text(self._protection.overrides())
