"""What the thread store needs from the outside, a module for each part of it."""

from __future__ import annotations

from aeterna.threads.ports.conversations import (
    AgentWaiter,
    SearchIndex,
    ThreadListing,
    ThreadSearch,
    ThreadStore,
    ToldOfAppend,
    Waiter,
    Wakes,
)
from aeterna.threads.ports.push import Courier, DeadLetters, Outbox, PushConfigs, PushObserver, Resolver, SecretBox
from aeterna.threads.ports.retention import Accounts, ObjectLedger, ObjectStore, Retention, RetentionJobs
from aeterna.threads.ports.tasks import Ledger, Runs, TaskLog, Told

__all__ = [
    "Accounts",
    "AgentWaiter",
    "Courier",
    "DeadLetters",
    "Ledger",
    "ObjectLedger",
    "ObjectStore",
    "Outbox",
    "PushConfigs",
    "PushObserver",
    "Resolver",
    "Retention",
    "RetentionJobs",
    "Runs",
    "SearchIndex",
    "SecretBox",
    "TaskLog",
    "ThreadListing",
    "ThreadSearch",
    "ThreadStore",
    "Told",
    "ToldOfAppend",
    "Waiter",
    "Wakes",
]
