"""For tests: fakes of the ports of knowledge."""

from aeterna.knowledge.testing.ledger import FakeLedger

__all__ = ["FakeLedger"]
