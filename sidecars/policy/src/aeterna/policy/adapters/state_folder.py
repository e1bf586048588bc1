"""The bundle in force, kept in a folder: it survives a restart, a crash at any moment, and a disk that fails.

``published.json`` says which bundle is in force; ``bundles/<epoch>-<digest>.bundle`` are the one in force and the one
before it. All are sealed with checksums and replaced atomically, so that other processes may read them at any time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleError, BundleUnreadableError
from aeterna.policy.adapters.folder_lock import FolderLock
from aeterna.policy.adapters.publication_document import document_of, publication_of
from aeterna.policy.adapters.sealed_files import TEMPORARY_SUFFIX, FileDamagedError, SealedFiles
from aeterna.policy.domain.publication import Publication
from aeterna.policy.errors import StateLockedError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.clock import Clock

_POINTER: Final = "published.json"
_BUNDLES: Final = "bundles"
_SUFFIX: Final = ".bundle"
_DIGEST_CHARS: Final = 16

# Which file it is: its inode, when it was written, and its size.
_Signature: TypeAlias = tuple[int, int, int]

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unsaved:
    """What is in force although the disk refused it."""

    publication: Publication
    bundle: Bundle


class StateFolder:
    """`Publications` in a folder.

    Readers just look. The one keeper calls `claim` first, which locks the folder and repairs it. When the disk refuses
    a write, the publication is in force from memory, in this process alone; `fault` says so, and every confirmation
    tries again to save it.
    """

    def __init__(self, folder: Path, *, clock: Clock, files: SealedFiles | None = None) -> None:
        """Take the time of the machine, in seconds since 1970."""
        self.folder = folder
        self._pointer = folder / _POINTER
        self._clock = clock
        self._files = files or SealedFiles()
        self._claiming = threading.Lock()
        self._changing = threading.Lock()
        self._lock = FolderLock(folder)
        self._claimed = False
        self._highest: int = 0
        self._unsaved: _Unsaved | None = None
        self._seen: tuple[_Signature, Publication] | None = None
        self._damaged: _Signature | None = None
        self._whole: str | None = None
        self.fault: str | None = None
        self.faults = 0

    def claim(self) -> None:
        """Become the folder's keeper: lock it, and put the newest whole bundle in force if the current one is damaged.

        Raise `StateLockedError` when another process is. A folder that cannot be written is a `fault`, not an error.
        """
        with self._claiming:
            if self._claimed:
                return
            try:
                self._own()
            except OSError as exc:
                self._note_fault(exc)
            self._claimed = True
            self._recover()

    def close(self) -> None:
        """Let another process be the keeper."""
        self._lock.release()
        self._claimed = False

    def current(self) -> Publication | None:
        """Return what is in force; the file is read only when it is another one than last time."""
        unsaved, seen = self._unsaved, self._seen
        if unsaved is not None:
            return unsaved.publication
        last = seen[1] if seen is not None else None
        signature = None
        try:
            signature = _signature(self._pointer)
            if signature == self._damaged or (seen is not None and seen[0] == signature):
                return last
            publication = publication_of(self._files.read(self._pointer).document)
        except FileNotFoundError:
            return last
        except (OSError, FileDamagedError) as exc:
            self._damaged = signature
            _note_damage(self._pointer, exc)
            return last
        self._seen = (signature, publication)
        return publication

    def bundle(self, publication: Publication) -> Bundle:
        """Return its bundle, or raise `BundleUnreadableError`."""
        unsaved = self._unsaved
        if unsaved is not None and unsaved.publication.digest == publication.digest:
            return unsaved.bundle
        for path in self._kept(_mark(publication.digest)):
            try:
                bundle = self._read(path)
            except BundleUnreadableError:
                continue
            if bundle.digest() == publication.digest:
                return bundle
        raise BundleUnreadableError(publication.digest, "is not kept, or what is kept is damaged")

    def publish(self, bundle: Bundle) -> Publication:
        """Put a checked bundle in force, and save it if the disk allows."""
        self.claim()
        digest = bundle.digest()
        with self._changing:
            before = self.current()
            if before is not None and before.digest == digest == self._whole:
                return self._confirmed(before)
            self._highest = max(self._highest, before.epoch if before is not None else 0) + 1
            publication = Publication(epoch=self._highest, digest=digest, confirmed_at=self._clock())
            self._unsaved, self._whole = _Unsaved(publication=publication, bundle=bundle), digest
            self._save()
            return publication

    def confirm(self) -> None:
        """Note that what is in force is still what its source has."""
        self.claim()
        with self._changing:
            current = self.current()
            if current is not None:
                self._confirmed(current)

    def _confirmed(self, current: Publication) -> Publication:
        confirmed = replace(current, confirmed_at=self._clock())
        if self._unsaved is not None:
            self._unsaved = replace(self._unsaved, publication=confirmed)
            self._save()
            return confirmed
        try:
            self._own()
            self._point(confirmed)
        except (OSError, StateLockedError) as exc:
            # In memory the time is known; on the disk it stays as it was, which is on the safe side.
            self._note_fault(exc)
            if self._seen is not None:
                self._seen = (self._seen[0], confirmed)
        else:
            self.fault = None
        return confirmed

    def _save(self) -> None:
        """Write what is in force to the disk, or note why that does not work."""
        unsaved = self._unsaved
        if unsaved is None:
            return
        publication = unsaved.publication
        path = self.folder / _BUNDLES / f"{publication.epoch:010d}-{_mark(publication.digest)}{_SUFFIX}"
        before = next(iter(self._kept(_mark(self._seen[1].digest)) if self._seen is not None else self._kept()), None)
        try:
            self._own()
            self._files.write(path, document_of(publication), unsaved.bundle.files())
            self._point(publication)
        except (OSError, StateLockedError) as exc:
            self._note_fault(exc)
            return
        self.fault, self._unsaved = None, None
        self._forget_all_but(path, before)

    def _point(self, publication: Publication) -> None:
        self._files.write(self._pointer, document_of(publication))
        self._seen = (_signature(self._pointer), publication)

    def _recover(self) -> None:
        """Find the newest whole bundle when the one in force is damaged, and remember the highest epoch there was."""
        kept = self._kept()
        current = self.current()
        self._highest = max((_epoch(path) for path in kept), default=0)
        self._highest = max(self._highest, current.epoch if current is not None else 0)
        if current is not None and self._holds(current):
            self._whole = current.digest
            return
        for path in kept:
            try:
                sealed = self._files.read(path)
                bundle, found = Bundle.of(sealed.texts), publication_of(sealed.document)
            except (OSError, FileDamagedError, BundleError) as exc:
                _note_damage(path, exc)
                continue
            self._highest += 1
            publication = replace(found, epoch=self._highest, digest=bundle.digest())
            log.warning("policy.state_recovered", epoch=publication.epoch, digest=publication.digest, file=path.name)
            self._unsaved, self._whole = _Unsaved(publication=publication, bundle=bundle), publication.digest
            self._save()
            return

    def _holds(self, publication: Publication) -> bool:
        try:
            self.bundle(publication)
        except BundleUnreadableError:
            return False
        return True

    def _read(self, path: Path) -> Bundle:
        try:
            return Bundle.of(self._files.read(path).texts)
        except (OSError, FileDamagedError, BundleError) as exc:
            _note_damage(path, exc)
            raise BundleUnreadableError(path.name, str(exc)) from None

    def _kept(self, mark: str = "*") -> list[Path]:
        """Return the kept bundles, the newest first."""
        try:
            return sorted((self.folder / _BUNDLES).glob(f"[0-9]*-{mark}{_SUFFIX}"), reverse=True)
        except OSError:
            return []

    def _forget_all_but(self, *kept: Path | None) -> None:
        leftovers = (self.folder / _BUNDLES).glob(f"*{TEMPORARY_SUFFIX}")
        for path in (*self._kept(), *leftovers):
            if path not in kept:
                try:
                    self._files.remove(path)
                except OSError as exc:
                    self._note_fault(exc)

    def _own(self) -> None:
        """Lock the folder, unless it is ours already; raise `StateLockedError` or OSError."""
        if not self._lock.held:
            (self.folder / _BUNDLES).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()

    def _note_fault(self, exc: OSError | StateLockedError) -> None:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        if reason != self.fault:
            log.error("policy.state_fault", folder=str(self.folder), reason=reason)
        self.fault = reason
        self.faults += 1


def _note_damage(path: Path, exc: Exception) -> None:
    log.error("policy.state_damaged", file=path.name, reason=str(exc) or type(exc).__name__)


def _signature(path: Path) -> _Signature:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _mark(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_DIGEST_CHARS]


def _epoch(path: Path) -> int:
    number = path.name.partition("-")[0]
    return int(number) if number.isdecimal() else 0
