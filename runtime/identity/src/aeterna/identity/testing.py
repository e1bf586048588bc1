"""A fake of the port of tokens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Provider, Token

if TYPE_CHECKING:
    from collections.abc import Callable

_HOUR: Final = 3600.0


class FakeTokenSource:
    """Gives tokens of an hour, or fails while it is told to; ``wait`` holds it up while it is cleared."""

    def __init__(self, *, clock: Callable[[], float], provider: Provider = "aws", life: float = _HOUR) -> None:
        self._clock = clock
        self._provider: Provider = provider
        self._life = life
        self.asked = 0
        self.failing = False
        self.wait = threading.Event()
        self.wait.set()

    @property
    def provider(self) -> Provider:
        """Which cloud it is said to be."""
        return self._provider

    def fetch(self) -> Token:
        """Give a token that tells which one it is."""
        self.asked += 1
        self.wait.wait()
        if self.failing:
            raise TokenUnavailableError(self._provider, "AccessDenied")
        return Token(value=f"token-{self.asked}", expires_at=self._clock() + self._life)
