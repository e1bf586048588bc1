"""What the relay counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Refusal: TypeAlias = Literal["limit", "unreachable", "login"]
End: TypeAlias = Literal["client", "cache", "age", "drain", "broken"]
REFUSALS: tuple[Refusal, ...] = ("limit", "unreachable", "login")
ENDS: tuple[End, ...] = ("client", "cache", "age", "drain", "broken")


@dataclass(slots=True)
class Tally:
    """Connections of clients and what went through them; ``up`` is whether the cache answers."""

    up: bool = False
    open: int = 0
    refused: dict[Refusal, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))
    ended: dict[End, int] = field(default_factory=lambda: dict.fromkeys(ENDS, 0))
    sent_bytes: int = 0
    received_bytes: int = 0
    login_ends: float = 0.0
    """When the login of the newest connection ends (Unix time)."""
