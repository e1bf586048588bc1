"""Where a foundation stands: what a deployed stack tells of its account and region."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.contracts.late import Late


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOutputs:
    """The place that a stack is applied to, as the provider itself reports it."""

    account: Late
    """What the cloud bills and isolates by: an account, a project or a subscription."""
    region: Late
