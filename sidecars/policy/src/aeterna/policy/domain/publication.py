"""A bundle in force: which one, since how many, and when it was last known to be the current one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """``epoch`` counts a sidecar's publications from 1 and never goes back, not even across restarts.

    ``digest`` names the content, alike in every sidecar; ``confirmed_at`` is in seconds since 1970.
    """

    epoch: int
    digest: str
    confirmed_at: float
