"""Which sidecar was last seen with which bundle, so that a fleet that has come apart is seen."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

NONE_YET: Final = "none"
OTHERS: Final = "other"
_NAME: Final = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MOST_DIGESTS: Final = 20
_MOST_REPLICAS: Final = 10_000


class Replicas:
    """Remembers what replicas said of themselves within a window of time.

    It is what this process was told: behind a balancer each process knows a part of the fleet. Names come from
    whoever asks, so there is a bound on how many are kept, and on how many digests are told apart.
    """

    def __init__(self, clock: Callable[[], float], *, window: timedelta) -> None:
        """Take a steady clock in seconds."""
        self._clock = clock
        self._window = window.total_seconds()
        self._seen: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def saw(self, replica: str | None, digest: str | None) -> None:
        """Note that a replica has the bundle of this digest, or None; a name that is none is not noted."""
        if replica is None or not _NAME.fullmatch(replica):
            return
        known = digest if digest is not None and _DIGEST.fullmatch(digest) else NONE_YET
        self._seen[replica] = (known, self._clock())
        self._seen.move_to_end(replica)
        while len(self._seen) > _MOST_REPLICAS:
            self._seen.popitem(last=False)

    def current(self) -> Mapping[str, str]:
        """Return the digest of each replica that was seen within the window."""
        oldest = self._clock() - self._window
        while self._seen and next(iter(self._seen.values()))[1] < oldest:
            self._seen.popitem(last=False)
        return {replica: digest for replica, (digest, _) in self._seen.items()}

    def by_digest(self) -> Mapping[str, int]:
        """Return how many replicas have each digest; the rarest are counted together when there are many."""
        counts = Counter(self.current().values()).most_common()
        found = dict(counts[:_MOST_DIGESTS])
        if rest := sum(count for _, count in counts[_MOST_DIGESTS:]):
            found[OTHERS] = rest
        return found
