"""Where a stack keeps its state."""

from __future__ import annotations

from aeterna.synth._cdk import AzurermBackend, GcsBackend, LocalBackend, S3Backend, TerraformStack

__all__ = ["AzurermBackend", "GcsBackend", "LocalBackend", "S3Backend", "keep_beside"]


def keep_beside(stack: TerraformStack) -> LocalBackend:
    """Keep the stack's state in a file beside the folders of the app's stacks: ``stacks/<id>.tfstate``.

    The path is relative to the stack's own folder, where Terraform runs, so that two checkouts give the same bytes and
    a sibling finds the state that it reads. It is not inside that folder: the CDK's command line deletes the folder of
    a stack that left the app. Such a state goes with the output folder; what is to last has a backend of a cloud.
    """
    return LocalBackend(stack, path=f"../{stack.node.id}.tfstate")
