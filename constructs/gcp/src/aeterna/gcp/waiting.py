"""Waits until what was just granted or switched on is known everywhere: Google says so a moment too early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.l1.time.sleep import TimeSleep
from aeterna.synth.neutral_providers import require_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.synth._cdk import ITerraformDependable

GRANTED = 60
"""Seconds. A grant is usually known within two minutes, most often within one (IAM documentation, "Access change
propagation"); what fails before that is retried by the provider."""

SWITCHED_ON = 30
"""Seconds until a service that was switched on answers, and its own account exists."""


def settled(
    scope: Construct, id_: str, *, after: Sequence[ITerraformDependable], seconds: int = GRANTED
) -> ITerraformDependable:
    """Return what is there so many seconds after the others were made, for others to depend on."""
    require_time(scope)
    return TimeSleep(scope, id_, create_duration=f"{seconds}s", depends_on=after)
