"""For tests of what stands on the thread store: its ports in memory."""

from aeterna.threads.testing.conversations import FakeThreadStore, FakeWakes

__all__ = ["FakeThreadStore", "FakeWakes"]
