"""What one worker counts, as numbers in memory that the workers of a sidecar can share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NANOSECONDS: Final = 1_000_000_000

DECISIONS: Final = {
    ("allow", "cache"): 0,
    ("deny", "cache"): 1,
    ("allow", "engine"): 2,
    ("deny", "engine"): 3,
    # Nothing was asked of any policy: there are none yet, or they are too old to be trusted.
    ("deny", "none"): 4,
}
"""Where decisions are counted, by outcome and origin."""
DOUBTS: Final = 5
MALFORMED: Final = 6
ADOPTED: Final = 7
REFUSED: Final = 8
_NANOS: Final = 9
_EPOCH: Final = 10
_CONFIRMED: Final = 11
_CACHED: Final = 12
PROCESS: Final = 13
_DIGEST: Final = 14
_DIGEST_WORDS: Final = 4
_BUCKET: Final = _DIGEST + _DIGEST_WORDS
BUCKETS: Final = (0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, float("inf"))
"""Upper bounds of an evaluation's time, in seconds."""
AUDITED: Final = _BUCKET + len(BUCKETS)
UNAUDITED: Final = AUDITED + 1
WORDS: Final = UNAUDITED + 1
"""How many numbers of eight bytes a worker's tally takes."""


class Tally:
    """Counts in a row of unsigned numbers; to add to one costs a tenth of what a metrics library takes.

    One process writes a tally, any number read it. Each number is written at once, so a reader sees no half of one.
    """

    __slots__ = ("words",)

    def __init__(self, words: memoryview[int] | None = None) -> None:
        """Take `WORDS` numbers as they are, so that a worker that begins anew counts on, or none to count alone."""
        self.words = words if words is not None else memoryview(bytearray(WORDS * 8)).cast("Q")

    def evaluated(self, seconds: float) -> None:
        """Count the time of an evaluation."""
        words = self.words
        words[_NANOS] += int(seconds * _NANOSECONDS)
        for place, bound in enumerate(BUCKETS, _BUCKET):
            if seconds <= bound:
                words[place] += 1
                return

    def in_use(self, *, epoch: int, digest: str, confirmed: float, cached: int) -> None:
        """Show which edition is in use; ``confirmed`` is in the steady time, which the machine's processes share."""
        words = self.words
        words[_EPOCH] = epoch
        words[_CONFIRMED] = max(0, int(confirmed * _NANOSECONDS))
        words[_CACHED] = cached
        named = bytes.fromhex(digest.rpartition(":")[2]) if digest else b""
        for word in range(_DIGEST_WORDS):
            words[_DIGEST + word] = int.from_bytes(named[word * 8 : word * 8 + 8].ljust(8, b"\0"))

    @property
    def epoch(self) -> int:
        """The epoch in use; 0 for none."""
        return self.words[_EPOCH]

    @property
    def digest(self) -> str:
        """The digest of the edition in use."""
        return "sha256:" + "".join(f"{self.words[_DIGEST + word]:016x}" for word in range(_DIGEST_WORDS))

    @property
    def cached(self) -> int:
        """How many verdicts were remembered when the worker last looked."""
        return self.words[_CACHED]

    @property
    def process(self) -> int:
        """The worker's process id; 0 while it never began."""
        return self.words[PROCESS]

    def age(self, steady: float) -> float:
        """Return the age of the edition in use at a moment of the steady time."""
        return max(0.0, steady - self.words[_CONFIRMED] / _NANOSECONDS)


def decisions(tallies: Sequence[Tally]) -> Mapping[tuple[str, str], int]:
    """Return how many decisions were made, by outcome and origin."""
    return {kind: total(tallies, place) for kind, place in DECISIONS.items()}


def total(tallies: Sequence[Tally], place: int) -> int:
    """Return the sum of one number over all workers."""
    return sum(tally.words[place] for tally in tallies)


def evaluations(tallies: Sequence[Tally]) -> tuple[list[tuple[float, int]], float]:
    """Return how many evaluations took up to each bound of `BUCKETS`, and the seconds of all together."""
    counted, found = 0, list[tuple[float, int]]()
    for place, bound in enumerate(BUCKETS, _BUCKET):
        counted += total(tallies, place)
        found.append((bound, counted))
    return found, total(tallies, _NANOS) / _NANOSECONDS
