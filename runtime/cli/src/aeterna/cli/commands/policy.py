"""`aeterna policy`: versions of the policies that decide who may do what, and who changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aeterna.cli.lazy_group import Lazy, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "aeterna.cli.commands.policy_versions"
_OFFLINE = "aeterna.cli.commands.policy_analysis"
COMMANDS: Mapping[str, Lazy] = {
    "validate": Lazy(_OFFLINE, "validate", "Say what is wrong with the policies of a folder."),
    "compare": Lazy(_OFFLINE, "compare", "Say who gains and who loses between two folders."),
    "propose": Lazy(_HERE, "propose", "Propose a folder's files as a version."),
    "versions": Lazy(_HERE, "versions", "List the versions."),
    "show": Lazy(_HERE, "show", "Show a version, or write its files into a folder."),
    "diff": Lazy(_HERE, "diff", "Show what a version changes, and who gains and who loses."),
    "deploy": Lazy(_HERE, "deploy", "Make a version the one that decides."),
    "rollback": Lazy(_HERE, "rollback", "Deploy the files of an earlier version again."),
    "audit": Lazy("aeterna.cli.commands.policy_audit", "audit", "Show or verify who changed what."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, short_help="Propose, deploy and roll back policies.")
def policy() -> None:
    """Change the policies that decide who may do what: propose, deploy, roll back."""
