"""The tallies of a sidecar's workers in memory that all of them share, so that each can answer for all."""

from __future__ import annotations

import mmap
import os
import tempfile

from aeterna.policy.domain.tally import WORDS, Tally

_WORD_BYTES = 8


class SharedTallies:
    """An unnamed file in memory, with a row of numbers for each worker.

    It outlives every worker, so that a worker that is started anew counts on where the one before it stopped.
    """

    def __init__(self, descriptor: int, workers: int) -> None:
        """Map what is open under the descriptor, which the parent made and its workers inherited."""
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, workers * WORDS * _WORD_BYTES)
        words = memoryview(self._memory).cast("Q")
        self.tallies = tuple(Tally(words[number * WORDS : (number + 1) * WORDS]) for number in range(workers))

    @classmethod
    def created(cls, workers: int) -> SharedTallies:
        """Return new ones; nothing of them is on a disk where the system can do without."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("aeterna-policy-tallies")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, workers * WORDS * _WORD_BYTES)
        return cls(descriptor, workers)
