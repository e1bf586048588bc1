"""An ephemeral resource reaches the write-only argument that it is for, under the word that Terraform has for it."""

from __future__ import annotations

import pytest

from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.provider import AwsProvider
from aeterna.synth.app import TerraformStack
from aeterna.synth.errors import LogicalIdFixedError, SynthesisError
from aeterna.synth.expressions import Fn, TerraformCount
from aeterna.synth.l1.random.ephemeral_password import EphemeralRandomPassword
from aeterna.synth.l1.random.provider import RandomProvider
from aeterna.synth.overrides import inside
from aeterna.synth.testing import app, synthesized


@pytest.fixture
def stack() -> TerraformStack:
    made = TerraformStack(app(), "main")
    AwsProvider(made, "aws", region="eu-west-1")
    RandomProvider(made, "random")
    return made


def test_it_is_written_as_what_it_is(stack: TerraformStack) -> None:
    """The engine has no such block; written as a resource it would be kept in the state."""
    EphemeralRandomPassword(stack, "Initial", length=32, count=TerraformCount.of(2))

    document = synthesized(stack)

    assert document.json["ephemeral"] == {"random_password": {"Initial": {"length": 32, "count": 2}}}
    assert "resource" not in document.json


def test_its_value_reaches_a_write_only_argument(stack: TerraformStack) -> None:
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    AwsDbInstance(
        stack, "Database", instance_class="x", password_wo=initial.result, password_wo_version=1, depends_on=[initial]
    )

    written = synthesized(stack).only("aws_db_instance")

    assert written["password_wo"] == "${ephemeral.random_password.Initial.result}"
    assert written["depends_on"] == ["ephemeral.random_password.Initial"]


def test_its_value_may_stand_in_a_string_and_in_a_function(stack: TerraformStack) -> None:
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    AwsDbInstance(stack, "One", instance_class="x", password_wo=f"<{initial.result}>")
    AwsDbInstance(stack, "Two", instance_class="x", password_wo=Fn.upper(initial.result))

    written = synthesized(stack).resources("aws_db_instance")

    assert {id_: one["password_wo"] for id_, one in written.items()} == {
        "One": "<${ephemeral.random_password.Initial.result}>",
        "Two": "${upper(ephemeral.random_password.Initial.result)}",
    }


def test_its_provider_is_required(stack: TerraformStack) -> None:
    EphemeralRandomPassword(stack, "Initial", length=32)

    assert "random" in synthesized(stack).json["terraform"]["required_providers"]


def test_it_can_be_overridden_like_anything_else(stack: TerraformStack) -> None:
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    initial.override_logical_id("first")
    initial.replace("length", 64)
    initial.add_override("special", value=False)

    assert synthesized(stack).json["ephemeral"]["random_password"] == {"first": {"length": 64, "special": False}}


def test_an_address_that_was_used_cannot_be_changed_any_more(stack: TerraformStack) -> None:
    initial = EphemeralRandomPassword(stack, "Initial", length=32)
    AwsDbInstance(stack, "Database", instance_class="x", password_wo=initial.result)

    with pytest.raises(LogicalIdFixedError):
        initial.override_logical_id("first")


def test_it_is_found_inside_a_construct(stack: TerraformStack) -> None:
    initial = EphemeralRandomPassword(stack, "Initial", length=32)

    assert inside(stack, EphemeralRandomPassword, "Initial") is initial


def test_it_is_not_silently_left_out_of_hcl(stack: TerraformStack) -> None:
    """The engine's writer would skip a block that it does not know, and the reference to it would lead nowhere."""
    initial = EphemeralRandomPassword(stack, "Initial", length=32)

    with pytest.raises(SynthesisError, match="main/Initial"):
        initial.to_hcl_terraform()
