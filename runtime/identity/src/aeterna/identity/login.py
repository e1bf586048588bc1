"""A login that proves itself by a token of its cloud: fetched once at a time, kept, and renewed before it ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from aeterna.identity.errors import TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

Provider: TypeAlias = Literal["aws", "gcp", "azure"]
"""Which cloud says who a workload is."""

# A token is renewed after 60 to 80 % of its life: the processes of a deployment, which started together, do not ask
# together, and a fifth of its life is left for an issuer that is away.
_EARLIEST: Final = 0.6
_SPREAD: Final = 0.2
# A connection takes up to its timeout to be made, so a token that ends within this many seconds is not begun with.
_MARGIN: Final = 15.0
# A token that may have been refused is renewed, but not again before it is so many seconds old.
_DOUBT: Final = 5.0
# An issuer that failed is left alone for so many seconds; who asks meanwhile is told the same, or gets the old token.
_PAUSE: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a server takes for a password until ``expires_at``, in seconds since the Unix epoch."""

    value: str = field(repr=False)
    expires_at: float


class TokenSource(Protocol):
    """The issuer of a cloud, for one use. Kept by `gcp` and `azure`, and by whoever signs with `aws`."""

    @property
    def provider(self) -> Provider:
        """Which cloud."""
        ...

    def fetch(self) -> Token:
        """Ask for a token, blocking for some seconds at most, or raise `TokenUnavailableError`."""
        ...


class TokenLogin:
    """Keeps one token of a source; safe to ask from any thread.

    ``clock`` tells the time since the Unix epoch, ``random`` a number in [0, 1). A failure is logged as ``event``.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        event: str = "identity.token_unavailable",
    ) -> None:
        self._source = source
        self._clock = clock
        self._random = random
        self._event = event
        self._lock = threading.Lock()
        # One thread: whoever waits here waits for the one fetch in flight, and takes no thread of anybody else.
        self._fetcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="identity-token")
        self._token: Token | None = None
        self._renew_at = 0.0
        self._fetched_at = 0.0
        self._doubted = False
        self._failed_at: float | None = None
        self.failure: TokenUnavailableError | None = None
        """Why the last fetch failed, until one succeeds."""

    async def token(self) -> Token:
        """Return a token that is good for a connection, or raise `TokenUnavailableError`."""
        token = self._fresh()
        if token is None:
            token = await asyncio.get_running_loop().run_in_executor(self._fetcher, self._renewed)
        return token

    async def password(self) -> str:
        """Return what `token` is good for, a password."""
        return (await self.token()).value

    def password_now(self) -> str:
        """Do as `password`, blocking."""
        return (self._fresh() or self._renewed()).value

    def doubt(self) -> None:
        """Renew the token early: a connection failed, and nobody can say whether that was for its token."""
        # Without the lock, which is held for as long as a fetch takes: the caller may be an event loop.
        self._doubted = True

    def _fresh(self) -> Token | None:
        token, now = self._token, self._clock()
        renew_at = min(self._renew_at, self._fetched_at + _DOUBT) if self._doubted else self._renew_at
        return token if token is not None and now < renew_at else None

    def _renewed(self) -> Token:
        with self._lock:
            fresh = self._fresh()
            if fresh is not None:
                return fresh
            now, kept = self._clock(), self._token
            if self._failed_at is None or now - self._failed_at >= _PAUSE:
                self._try(now)
            if self.failure is None and self._token is not None:
                return self._token
            if kept is not None and now < kept.expires_at - _MARGIN:
                return kept
            raise self.failure or TokenUnavailableError(self._source.provider, "none was issued")

    def _try(self, now: float) -> None:
        try:
            token = self._source.fetch()
        except TokenUnavailableError as exc:
            self.failure, self._failed_at = exc, now
            log.warning(self._event, extra={"provider": exc.provider, "reason": exc.reason})
            return
        self._fetched_at = now
        life = max(0.0, token.expires_at - _MARGIN - now)
        self._token, self.failure, self._failed_at, self._doubted = token, None, None, False
        self._renew_at = now + life * (_EARLIEST + _SPREAD * self._random())
