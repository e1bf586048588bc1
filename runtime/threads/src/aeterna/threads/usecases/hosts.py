"""Keeps one receiver's host from holding the others up: so many at once, and a pause when it does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from aeterna.service.clock import Clock

# So many hosts are told apart; beyond, those that are at rest are forgotten.
_MOST_HOSTS: Final = 10_000


@dataclass(slots=True)
class _Host:
    running: int = 0
    failures: int = 0
    open_until: float = 0.0


class Hosts:
    """What this process knows of its receivers' hosts: a bulkhead and a circuit breaker for each.

    After ``tolerance`` failures in a row a host is left alone for a pause that doubles with each further failure, up to
    ``longest``; then one attempt at a time shows whether it is back.
    """

    def __init__(self, *, per_host: int, tolerance: int, shortest: timedelta, longest: timedelta, clock: Clock) -> None:
        self._per_host = per_host
        self._tolerance = tolerance
        self._shortest = shortest.total_seconds()
        self._longest = longest.total_seconds()
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    def rooms(self) -> Mapping[str, int]:
        """Return how many more attempts each host may have now, for the hosts that may not have all of them."""
        now = self._clock()
        return {name: self._room(host, now) for name, host in self._hosts.items()}

    def began(self, name: str) -> None:
        """Note that an attempt may begin."""
        if len(self._hosts) >= _MOST_HOSTS:
            self._hosts = {known: host for known, host in self._hosts.items() if host.running or host.failures}
        self._hosts.setdefault(name, _Host()).running += 1

    def ended(self, name: str) -> None:
        """Note that what began has ended."""
        host = self._hosts[name]
        host.running -= 1
        if not host.running and not host.failures:
            del self._hosts[name]

    def answered(self, name: str) -> None:
        """Note that the host is there."""
        self._hosts[name].failures = 0

    def silent(self, name: str) -> None:
        """Note that the host did not answer."""
        host = self._hosts[name]
        host.failures += 1
        over = host.failures - self._tolerance
        if over >= 0:
            # The exponent is bounded before the power, which would otherwise grow without end.
            host.open_until = self._clock() + min(self._longest, self._shortest * 2 ** min(over, 32))

    def is_open(self, name: str) -> bool:
        """Return whether the host is being left alone."""
        host = self._hosts.get(name)
        return host is not None and self._clock() < host.open_until

    def _room(self, host: _Host, now: float) -> int:
        if now < host.open_until:
            return 0
        most = 1 if host.failures >= self._tolerance else self._per_host
        return max(0, most - host.running)
