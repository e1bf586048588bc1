"""The folder that holds everything of one local runtime: keys, token, databases, logs, and what is running."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.cli.errors import StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class StateDir:
    """Names of what is in the folder; nobody but its owner may look into it."""

    root: Path

    @property
    def record(self) -> Path:
        """What runs now."""
        return self.root / "runtime.json"

    @property
    def lock(self) -> Path:
        """Held by the one command that starts or stops the runtime."""
        return self.root / "lock"

    @property
    def key(self) -> Path:
        """The private key that signs local tokens."""
        return self.root / "signing-key.pem"

    @property
    def jwks(self) -> Path:
        """The public half of the key, as the services read it."""
        return self.root / "jwks.json"

    @property
    def token(self) -> Path:
        """The token that `aeterna` itself and a pasted request use."""
        return self.root / "token"

    @property
    def bundle_key(self) -> Path:
        """The private key that signs bundles of policies."""
        return self.root / "bundle-key.pem"

    @property
    def bundle_public_key(self) -> Path:
        """The public half of that key, as the sidecar reads it."""
        return self.root / "bundle-key-public.pem"

    @property
    def push_secrets_key(self) -> Path:
        """The key under which the thread store keeps the secrets of those who are notified."""
        return self.root / "push-secrets-key"

    @property
    def push_signing_key(self) -> Path:
        """The private key that signs notifications."""
        return self.root / "push-signing-key.pem"

    @property
    def objects(self) -> Path:
        """The large parts of messages."""
        return self.root / "objects"

    @property
    def sidecar(self) -> Path:
        """What the policy sidecar keeps between its starts."""
        return self.root / "policy"

    @property
    def decisions(self) -> Path:
        """The policy sidecar's log of its decisions."""
        return self.root / "decisions"

    @property
    def warehouse(self) -> Path:
        """The Iceberg tables."""
        return self.root / "warehouse"

    @property
    def catalog(self) -> Path:
        """The Iceberg catalog."""
        return self.root / "catalog.sqlite"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.root / "postgres"

    def log(self, part: str) -> Path:
        """Return where a part writes its log."""
        return self.root / "logs" / f"{part}.log"

    def make(self) -> None:
        """Make the folders, readable by their owner alone."""
        try:
            for folder in (self.root, self.warehouse, self.objects, self.root / "logs"):
                folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self.root.chmod(PRIVATE_FOLDER)
        except OSError as refused:
            raise StateUnusableError(self.root, refused.strerror or str(refused)) from refused

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Generator[None]:
        """Hold the lock of this folder; ``waiting`` is called once when another command holds it.

        The kernel frees the lock when its holder dies, so no stale lock can be left behind.
        """
        self.make()
        with self.lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
