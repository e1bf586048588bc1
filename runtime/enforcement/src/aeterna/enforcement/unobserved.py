"""The observer of a client that nobody observes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from aeterna.enforcement.breaker import State
    from aeterna.enforcement.errors import Doubt


class Unobserved:
    """An observer that lets everything go by."""

    def asked(self, outcome: Literal["permit", "deny"], seconds: float) -> None:
        """Let it go by."""

    def remembered(self) -> None:
        """Let it go by."""

    def unavailable(self, doubt: Doubt) -> None:
        """Let it go by."""

    def circuit(self, state: State) -> None:
        """Let it go by."""

    def stream(self, live: bool) -> None:  # noqa: FBT001 - as the protocol
        """Let it go by."""
