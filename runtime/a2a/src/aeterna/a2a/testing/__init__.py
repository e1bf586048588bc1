"""For tests of agents and of the kit: the thread store in memory, as one agent sees it."""

from aeterna.a2a.testing.runs import FakeLeases, FakeLedger
from aeterna.a2a.testing.tasks import FakePushConfigs, FakeTaskLog

__all__ = ["FakeLeases", "FakeLedger", "FakePushConfigs", "FakeTaskLog"]
