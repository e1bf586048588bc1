"""A construct that needs a provider of no cloud gets one, and takes none away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from constructs import Construct

from aeterna.synth.app import TerraformStack
from aeterna.synth.l1.random.provider import RandomProvider
from aeterna.synth.l1.time.provider import TimeProvider
from aeterna.synth.neutral_providers import require_random, require_time
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from collections.abc import Callable

NEUTRAL = [("random", require_random, RandomProvider), ("time", require_time, TimeProvider)]


@pytest.fixture
def stack() -> TerraformStack:
    return TerraformStack(app(), "main")


@pytest.mark.parametrize(("kind", "require"), [(kind, require) for kind, require, _ in NEUTRAL])
def test_a_stack_that_needs_one_twice_has_it_once(
    stack: TerraformStack, kind: str, require: Callable[[Construct], None]
) -> None:
    require(stack)
    require(Construct(stack, "Part"))

    assert synthesized(stack).json["provider"] == {kind: [{}]}


@pytest.mark.parametrize(("kind", "require", "provider"), NEUTRAL)
def test_one_that_the_customer_configured_is_left_alone_wherever_it_stands(
    stack: TerraformStack, kind: str, require: Callable[[Construct], None], provider: type[Construct]
) -> None:
    """Terraform refuses a stack that configures one provider twice."""
    provider(Construct(stack, "Platform"), "mine")

    require(stack)

    assert synthesized(stack).json["provider"] == {kind: [{}]}


def test_each_stack_has_its_own() -> None:
    """A provider of another stack configures nothing in this one."""
    both = app()
    one, two = TerraformStack(both, "one"), TerraformStack(both, "two")

    require_time(one)
    require_time(two)

    assert [list(synthesized(each).json["provider"]) for each in (one, two)] == [["time"], ["time"]]
