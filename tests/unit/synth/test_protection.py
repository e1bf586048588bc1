"""What holds data is protected by one variable of its stack, and what is not to be protected says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth.app import App, TerraformOutput, TerraformStack
from aeterna.synth.aspects import Aspect, attach
from aeterna.synth.errors import SynthesisError, UnrepresentableValueError
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from constructs import IConstruct


class Refusing(Aspect):
    def apply(self, node: IConstruct) -> None:
        if isinstance(node, AwsVpc):
            raise PermissionError("no network without a plan")


OVERRIDES = """\
resource "aws_vpc" "One" {
  lifecycle {
    prevent_destroy = var.protected
  }
}

resource "aws_vpc" "Two" {
  lifecycle {
    prevent_destroy = var.protected
  }
}
"""


@pytest.fixture
def stack() -> TerraformStack:
    return stack_of(app())


def stack_of(whole: App) -> TerraformStack:
    made = TerraformStack(whole, "main")
    AwsProvider(made, "aws", region="eu-west-1")
    return made


def vpc(stack: TerraformStack, id_: str, *, wanted: bool) -> AwsVpc:
    return AwsVpc(
        stack, id_, cidr_block="10.0.0.0/16", lifecycle=Lifecycle(prevent_destroy=protected(stack, wanted=wanted))
    )


def second_file(stack: TerraformStack) -> Path:
    return Path(cast("App", stack.node.root).outdir, "stacks", "main", "protection_override.tofu")


def test_terraform_is_told_that_a_resource_is_protected(stack: TerraformStack) -> None:
    """It takes nothing but a literal, and it does not read the file for OpenTofu."""
    vpc(stack, "Vpc", wanted=True)

    assert synthesized(stack).only("aws_vpc")["lifecycle"] == {"prevent_destroy": True}


def test_all_resources_of_a_stack_ask_one_variable(stack: TerraformStack) -> None:
    vpc(stack, "Two", wanted=True)
    vpc(stack, "One", wanted=True)

    document = synthesized(stack)

    assert second_file(stack).read_text() == OVERRIDES
    assert document.json["variable"]["protected"]["default"] is True
    assert document.json["variable"]["protected"]["nullable"] is False


def test_a_resource_asks_by_the_address_that_it_has_in_the_end(stack: TerraformStack) -> None:
    vpc(stack, "Vpc", wanted=True).override_logical_id("main")

    synthesized(stack)

    assert 'resource "aws_vpc" "main"' in second_file(stack).read_text()


def test_a_resource_that_was_moved_asks_by_its_new_address_alone(tmp_path: Path) -> None:
    """Under the old one there is nothing to override, which OpenTofu refuses."""
    # A move is validated with a terraform or tofu that need not be there.
    stack = stack_of(App(outdir=str(tmp_path), skip_validation=True))
    vpc(stack, "New", wanted=True).add_move_target("network")
    vpc(stack, "Old", wanted=True).move_to("network")
    vpc(stack, "Renamed", wanted=True).move_from_id("aws_vpc.Before")

    synthesized(stack)

    overridden = second_file(stack).read_text()
    assert [name for name in ("New", "Old", "Renamed", "Before") if f'"{name}"' in overridden] == ["New", "Renamed"]


def test_what_is_not_protected_says_nothing(stack: TerraformStack) -> None:
    """A stack without data has no variable that changes nothing."""
    vpc(stack, "Vpc", wanted=False)

    document = synthesized(stack)

    assert not document.only("aws_vpc")["lifecycle"]
    assert "variable" not in document.json
    assert not second_file(stack).exists()


def test_a_protection_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    """OpenTofu refuses a folder that overrides a resource that is not there."""
    before = App(outdir=str(tmp_path))
    vpc(stack_of(before), "Vpc", wanted=True)
    before.synth()

    after = stack_of(App(outdir=str(tmp_path)))
    vpc(after, "Vpc", wanted=False)
    synthesized(after)

    assert not second_file(after).exists()


def test_what_an_aspect_raises_comes_through(stack: TerraformStack) -> None:
    """The second file is written around the engine's own work, and nothing of that may get lost."""
    vpc(stack, "Vpc", wanted=True)
    attach(stack, Refusing())

    with pytest.raises(PermissionError, match="no network without a plan"):
        synthesized(stack)


def test_the_protection_of_another_stack_is_refused(stack: TerraformStack) -> None:
    other = TerraformStack(cast("App", stack.node.root), "other")
    theirs = Lifecycle(prevent_destroy=protected(other, wanted=True))

    with pytest.raises(UnrepresentableValueError, match="prevent_destroy"):
        AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16", lifecycle=theirs)


def test_a_name_that_is_taken_is_said(stack: TerraformStack) -> None:
    TerraformOutput(stack, "protected", value="something else")

    with pytest.raises(SynthesisError, match="main/protected"):
        protected(stack, wanted=True)
