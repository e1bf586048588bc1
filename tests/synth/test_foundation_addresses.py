"""Addresses are a public contract: a rename without a ``moved`` replaces somebody's database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from synth.record_addresses import FOLDER, examples

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


@pytest.fixture(scope="module")
def synthesized_examples() -> dict[str, Document]:
    return examples()


@pytest.mark.parametrize("stack", ["prod-eu", "payments"])
def test_every_address_that_a_customer_may_have_applied_is_still_there(
    stack: str, synthesized_examples: dict[str, Document]
) -> None:
    """After a change that was meant: ``python -P tests/synth/record_addresses.py``."""
    recorded = set(json.loads((FOLDER / f"{stack}.json").read_text()))
    document = synthesized_examples[stack]
    moved = {step["from"] for step in document.json.get("moved", [])}

    addresses = set(document.addresses())

    assert recorded - addresses - moved == set(), "went away without a `moved`"
    assert addresses - recorded == set(), "new: record it"
