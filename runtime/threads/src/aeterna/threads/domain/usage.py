"""What a tenant holds, and how much of it it may hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The most that a tenant may hold, and how fast it may write; None is no limit."""

    threads: int | None = None
    bytes: int | None = None
    open_tasks: int | None = None
    writes_per_second: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a tenant holds, as cleanup counted it last; ``measured_at`` is None where it never did.

    ``bytes`` are those of rows and of objects together.
    """

    threads: int = 0
    bytes: int = 0
    open_tasks: int = 0
    measured_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant's usage and what it may use."""

    usage: Usage
    quotas: Quotas
