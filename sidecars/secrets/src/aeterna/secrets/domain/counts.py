"""What the keeping of secrets counts, as plain numbers that the metrics read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Renewal: TypeAlias = Literal["login", "login_renewal", "fetch", "lease_renewal", "revocation"]


@dataclass(slots=True, kw_only=True)
class Counts:
    """How often what happened since the process began."""

    done: Counter[tuple[str, Renewal]] = field(default_factory=Counter[tuple[str, Renewal]])
    """What succeeded, by source and kind."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """What failed, by source and the error's code; handing over fails under the name ``files``."""
    withdrawals: Counter[str] = field(default_factory=Counter[str])
    """By secret."""
