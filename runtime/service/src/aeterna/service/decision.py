"""What is asked of a policy decision point, and what it answers: a deny is a value, not an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aeterna.service.caller import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What is acted upon, and the tenant that owns it."""

    type: Literal["Graph", "Thread"]
    id: str
    tenant: TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether it is allowed, which policies said so, and which edition of the policies was asked.

    ``epoch`` counts the editions that the decision point has loaded; ``digest`` is the SHA-256 of the edition's
    content, so that two replicas can be compared.
    """

    allowed: bool
    policies: tuple[str, ...] = ()
    epoch: int | None = None
    digest: str | None = None
