"""For tests: fakes of the ports of the secrets sidecar."""

from aeterna.secrets.testing.delivery import FakeMessenger, FakeTemplates, FakeVolume
from aeterna.secrets.testing.source import FakeLoggedIn, FakeRecipient, FakeSession, FakeSource, FakeTime

__all__ = [
    "FakeLoggedIn",
    "FakeMessenger",
    "FakeRecipient",
    "FakeSession",
    "FakeSource",
    "FakeTemplates",
    "FakeTime",
    "FakeVolume",
]
