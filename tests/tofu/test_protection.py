"""Protection by a variable, in the real engine: it holds until an operator says otherwise on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.kms_key import AwsKmsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.backends import keep_beside
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

DESTROY = ("destroy", "-no-color", "-auto-approve")
LIFTED = ("-var", "protected=false")


def synthesized_to(folder: Path) -> None:
    """Write a stack whose two resources are protected."""
    app = App(outdir=str(folder))
    stack = TerraformStack(app, "main")
    keep_beside(stack)
    AwsProvider(stack, "aws", region="eu-north-1")
    lifecycle = Lifecycle(prevent_destroy=protected(stack, wanted=True))
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16", lifecycle=lifecycle)
    AwsKmsKey(stack, "Key", lifecycle=lifecycle)
    app.synth()


@pytest.fixture
def applied(tofu: Engine, tmp_path: Path) -> Workspace:
    """Return the workspace of a protected stack that exists."""
    synthesized_to(tmp_path)
    workspace = tofu.workspace(tmp_path / "stacks" / "main")
    workspace.init()
    assert workspace.problems() == []
    workspace.plan()
    workspace.apply()
    return workspace


def test_a_protected_stack_is_not_destroyed(applied: Workspace) -> None:
    outcome = applied.run(*DESTROY)

    assert not outcome.succeeded
    assert "prevent_destroy" in outcome.output
    assert len(applied.state()["values"]["root_module"]["resources"]) == 2


def test_a_stack_is_destroyed_when_the_operator_lifts_its_protection(applied: Workspace) -> None:
    """Without a new synthesis: the program and its review are not in the way of an emergency."""
    applied.must(*DESTROY, *LIFTED)

    assert "root_module" not in applied.state().get("values", {})


def test_lifting_the_protection_changes_nothing_by_itself(applied: Workspace) -> None:
    outcome = applied.run("plan", "-no-color", "-detailed-exitcode", *LIFTED)

    assert outcome.status == 0, outcome.output


def test_the_engine_takes_no_expression_from_json(tofu: Engine, tmp_path: Path) -> None:
    """Why there is a second file. When this fails, OpenTofu has mended it and the file may go."""
    configuration: Json = {
        "variable": {"protected": {"type": "bool", "default": True}},
        "resource": {"terraform_data": {"x": {"lifecycle": {"prevent_destroy": "${var.protected}"}}}},
    }
    workspace = tofu.workspace(tmp_path, configuration)
    workspace.init()

    (problem,) = workspace.problems()

    assert "a bool is required" in problem


@pytest.mark.parametrize(("arguments", "planned"), [((), False), (LIFTED, True)], ids=["protected", "lifted"])
def test_a_protected_resource_is_replaced_only_when_the_protection_is_lifted(
    applied: Workspace, arguments: tuple[str, ...], *, planned: bool
) -> None:
    outcome = applied.run("plan", "-no-color", "-replace=aws_kms_key.Key", *arguments)

    assert outcome.succeeded == planned, outcome.output
