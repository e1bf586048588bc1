"""What Cedar says of a bundle's policies, and of a request to them."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.policies.domain.findings import Finding
from aeterna.policies.domain.typed.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The policies that can be reasoned about, and everything that keeps the bundle from being used."""

    policies: tuple[Policy, ...] = ()
    findings: tuple[Finding, ...] = ()

    def of(self, tenant: str | None) -> tuple[Policy, ...]:
        """Return the policies that count for a tenant, or without one those that count for all."""
        return tuple(policy for policy in self.policies if policy.tenant in {None, tenant})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Which policies take effect on one request, and which surely do not; one that fails to evaluate is neither."""

    effective: frozenset[Policy]
    silent: frozenset[Policy]
