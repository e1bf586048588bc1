"""What the thread store answers about notifications that were given up, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A notification that was given up.

    ``seq`` is its row in the task's log. ``reason`` is refused (the receiver will not take it), attempts (it was tried
    as often as it may), age or overflow (too many waited); a later release may add others.
    """

    letter_id: str
    task_id: str
    config_id: str
    url: str
    seq: int
    reason: str
    error: str
    attempts: int
    created_at: datetime
    died_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterPage:
    """Dead letters, newest first, and the cursor of the next page or None."""

    letters: tuple[DeadLetter, ...]
    next_cursor: str | None
