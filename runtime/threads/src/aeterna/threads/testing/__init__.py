"""For tests of what stands on the thread store: its ports in memory."""

from aeterna.threads.testing.conversations import FakeThreadStore, FakeWakes
from aeterna.threads.testing.objects import FakeObjectLedger, FakeObjectStore
from aeterna.threads.testing.retention import FakeAccounts, FakeRetention
from aeterna.threads.testing.runs import FakeLedger, FakeRuns
from aeterna.threads.testing.tasks import FakeTaskLog, KeptTask

__all__ = [
    "FakeAccounts",
    "FakeLedger",
    "FakeObjectLedger",
    "FakeObjectStore",
    "FakeRetention",
    "FakeRuns",
    "FakeTaskLog",
    "FakeThreadStore",
    "FakeWakes",
    "KeptTask",
]
