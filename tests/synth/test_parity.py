"""What each cloud promises is there: every capability is declared, and its evidence occurs in what is synthesized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.parity import Capability, Supported, Unsupported
from aeterna.synth.registry import cloud
from fixtures.fix_foundation import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.resource_graph import Joined

SHORTEST_REASON = 20


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_says_of_every_capability_whether_it_has_it(name: str) -> None:
    assert set(cloud(name).parity) == set(Capability)


@pytest.mark.parametrize("name", CLOUDS)
def test_what_a_cloud_has_is_in_its_critical_foundation(name: str, critical_of: Callable[[str], Joined]) -> None:
    """A promise without a resource behind it is a flag that is wired to nothing."""
    there = critical_of(name).types()

    missing = {
        capability.name: sorted(set(support.evidence) - there)
        for capability, support in cloud(name).parity.items()
        if isinstance(support, Supported) and not set(support.evidence) <= there
    }

    assert missing == {}


@pytest.mark.parametrize("name", CLOUDS)
def test_every_promise_names_its_evidence_and_every_lack_its_reason(name: str) -> None:
    lacking = [
        capability.name
        for capability, support in cloud(name).parity.items()
        if (isinstance(support, Supported) and not support.evidence)
        or (isinstance(support, Unsupported) and len(support.reason) < SHORTEST_REASON)
    ]

    assert lacking == []
