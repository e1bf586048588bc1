"""A secret that is invented during a run, in the real engine: it reaches its store and is in no file afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.provider import AwsProvider
from aeterna.synth.app import App, TerraformOutput, TerraformStack
from aeterna.synth.l1.random.ephemeral_password import EphemeralRandomPassword
from aeterna.synth.l1.random.password import RandomPassword
from aeterna.synth.l1.random.provider import RandomProvider
from fixtures.tofu_engine import files_that_hold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

# How the provider of the tests begins a value that it invents for the attribute ``result``.
INVENTED = '"result-'


def from_nowhere(stack: TerraformStack) -> None:
    """Give a database a password that nobody keeps."""
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    AwsDbInstance(stack, "Database", instance_class="db.t4g.medium", password_wo=initial.result, password_wo_version=1)


def from_a_resource(stack: TerraformStack) -> None:
    """Give a database a password that Terraform keeps."""
    initial = RandomPassword(stack, "Initial", length=32)
    AwsDbInstance(stack, "Database", instance_class="db.t4g.medium", password=initial.result)


def to_an_ordinary_argument(stack: TerraformStack) -> None:
    """Give a database an ephemeral password where it would be kept."""
    AwsDbInstance(
        stack,
        "Database",
        instance_class="db.t4g.medium",
        password=EphemeralRandomPassword(stack, "Initial", length=32).result,
    )


def to_an_output(stack: TerraformStack) -> None:
    """Show an ephemeral password."""
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    TerraformOutput(stack, "password", value=initial.result, sensitive=True)


def workspace_of(tofu: Engine, folder: Path, fill: Callable[[TerraformStack], None]) -> Workspace:
    """Return the workspace of one stack, as the CDK writes it."""
    app = App(outdir=str(folder))
    stack = TerraformStack(app, "main")
    AwsProvider(stack, "aws", region="eu-north-1")
    RandomProvider(stack, "random")
    fill(stack)
    app.synth()
    workspace = tofu.workspace(folder / "stacks" / "main")
    (workspace.folder / "state_override.tf.json").write_text('{"terraform": {"backend": {"local": {}}}}')
    workspace.init()
    return workspace


def holders(workspace: Workspace) -> list[str]:
    """Return which files hold the invented password once everything is applied and shown."""
    workspace.plan()
    workspace.apply()
    (workspace.folder / "shown").write_text(workspace.must("show", "-json"))
    return files_that_hold(INVENTED, workspace.folder)


def test_an_ephemeral_secret_is_in_no_file(tofu: Engine, tmp_path: Path) -> None:
    workspace = workspace_of(tofu, tmp_path, from_nowhere)

    assert holders(workspace) == []
    assert not workspace.has_changes()


def test_the_secret_of_a_resource_is_found_in_the_state(tofu: Engine, tmp_path: Path) -> None:
    """Without this the search above could be blind."""
    assert holders(workspace_of(tofu, tmp_path, from_a_resource)) == ["shown", "terraform.tfstate"]


@pytest.mark.parametrize("fill", [to_an_ordinary_argument, to_an_output])
def test_the_engine_refuses_to_keep_an_ephemeral_value(
    tofu: Engine, tmp_path: Path, fill: Callable[[TerraformStack], None]
) -> None:
    (problem,) = workspace_of(tofu, tmp_path, fill).problems()

    assert "phemeral" in problem
