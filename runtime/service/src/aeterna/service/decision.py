"""What is asked of a policy decision point, and what it answers: a deny is a value, not an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aeterna.enforcement.decision import Decision
from aeterna.service.caller import TenantId

__all__ = ["Decision", "Resource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What is acted upon, and the tenant that owns it."""

    type: Literal["Graph", "Policies", "Thread"]
    id: str
    tenant: TenantId
