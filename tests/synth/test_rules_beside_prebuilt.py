"""The guard-rails see what a prebuilt package of bindings writes, too."""

from __future__ import annotations

from datetime import date

import pytest
from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider

from aeterna.synth.app import TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.errors import SynthesisError
from aeterna.synth.rules.guardrails import Guardrails
from aeterna.synth.testing import app, synthesized


def test_a_resource_of_a_prebuilt_package_is_guarded() -> None:
    stack = TerraformStack(app(), "main")
    RandomProvider(stack, "random")
    Pet(stack, "Pet", prefix="AKIAIOSFODNN7EXAMPLE")
    attach(stack, Guardrails(clock=lambda: date(2026, 11, 22)))

    with pytest.raises(SynthesisError, match=r"main/Pet.*secret-pattern: prefix holds an access key"):
        synthesized(stack)
