"""A chain of records in segments: files that are only ever appended to, each of which names the hash it follows."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.policy.domain.audit import moment
from aeterna.policy.errors import AuditUnwritableError
from aeterna.service.hash_chain import GENESIS, canonical, link_text

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from aeterna.service.clock import Clock
    from aeterna.service.json_value import JsonValue

CHAIN: Final = re.compile(r"chain-\d{3}")
SEGMENT: Final = re.compile(r"(\d{8})-(\d{8}T\d{6}Z)\.jsonl")
_MAX_CHAINS: Final = 1000
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLimits:
    """When a segment ends, how long it is kept, how large all of a chain may be, and how often it is synced."""

    span: timedelta = timedelta(hours=1)
    max_bytes: int = 64 * 1024 * 1024
    retention: timedelta = timedelta(days=90)
    max_total_bytes: int = 4 * 1024 * 1024 * 1024
    sync_every: timedelta = timedelta(seconds=1)


class ChainWriter:
    """Appends to a chain of its own in a folder: the first that no other process writes. For one thread at a time.

    A restart, and a write that failed, begin a new segment and leave what is there as it is. The first record of a
    segment says which hash it follows and how many bytes of an unfinished record the one before ends in.
    """

    def __init__(self, folder: Path, limits: SegmentLimits, *, clock: Clock) -> None:
        """Take the folder of all chains, or raise `AuditUnwritableError`; ``clock`` counts from 1970."""
        self._limits = limits
        self._clock = clock
        with _translated():
            self._folder, self._lock = _claimed(folder)
            self._number, self._head, self._torn = _left_behind(self._folder)
        self._file = -1
        self._size = 0
        self._begun_at = 0.0
        self._synced_at = 0.0
        self._unsynced = False

    @property
    def folder(self) -> Path:
        """Where the chain is."""
        return self._folder

    def write(self, records: Sequence[Mapping[str, JsonValue]]) -> int:
        """Append all records and return how many; raise `AuditUnwritableError` saying how many were written whole."""
        with _translated():
            if self._file < 0 or self._size >= self._limits.max_bytes:
                self._begin()
            return self._append(records)

    def tick(self) -> None:
        """End a segment whose time is up, so that what is kept can be given away hour by hour."""
        if self._file >= 0 and self._clock() - self._begun_at >= self._limits.span.total_seconds():
            with _translated():
                self._end()

    def sync(self) -> None:
        """Have what was written reach the disk, if that was not done for the time that is put up with."""
        if self._unsynced and self._clock() - self._synced_at >= self._limits.sync_every.total_seconds():
            with _translated():
                self._sync()

    def close(self) -> None:
        """End the segment and leave the chain to another process."""
        try:
            with _translated():
                self._end()
        finally:
            os.close(self._lock)

    def _begin(self) -> None:
        self._end()
        expired = self._expired()
        now = self._clock()
        number = self._number + 1
        stamp = re.sub(r"[-:]|\.\d+", "", moment(now))
        path = self._folder / f"{number:08d}-{stamp}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        follows, torn, self._torn = self._head, self._torn, 0
        self._number, self._size, self._begun_at = number, 0, now
        header: dict[str, JsonValue] = {
            "kind": "segment",
            "time": moment(now),
            "number": number,
            "follows": follows,
            "torn": torn,
        }
        if expired:
            # Everything before this number, also what was removed earlier: the record of that may be removed with it.
            header["kept_from"] = number_of(expired[-1]) + 1
        self._append([header])
        self._sync()
        # After the record that says so is on the disk: a removal that nobody announced is a hole in the chain.
        for path in expired:
            path.unlink(missing_ok=True)

    def _append(self, records: Sequence[Mapping[str, JsonValue]]) -> int:
        head, lines = self._head, list[bytes]()
        for record in records:
            text = _text(record)
            head = link_text(head, text)
            lines.append(line_of(head, text))
        content = b"".join(lines)
        done = 0
        try:
            while done < len(content):
                done += os.write(self._file, memoryview(content)[done:])
        except OSError as exc:
            raise self._interrupted(lines, done, exc) from exc
        self._head = head
        self._size += len(content)
        self._unsynced = True
        return len(records)

    def _interrupted(self, lines: Sequence[bytes], done: int, exc: OSError) -> AuditUnwritableError:
        """Keep what was written whole, leave this segment, and say where the next one must go on."""
        whole = 0
        while whole < len(lines) and done >= len(lines[whole]):
            done -= len(lines[whole])
            self._head = json.loads(lines[whole])["hash"]
            whole += 1
        self._torn = done
        os.close(self._file)
        self._file = -1
        return AuditUnwritableError(str(exc.strerror), written=whole)

    def _sync(self) -> None:
        os.fsync(self._file)
        self._unsynced = False
        self._synced_at = self._clock()

    def _end(self) -> None:
        if self._file < 0:
            return
        file, self._file = self._file, -1
        try:
            os.fsync(file)
            _sync_folder(self._folder)
        finally:
            os.close(file)
            self._unsynced = False

    def _expired(self) -> list[Path]:
        """Return the segments that are too old, or too much; the last one stays, since the next one follows it."""
        segments = segments_of(self._folder)
        sizes = {path: path.stat().st_size for path in segments}
        total, oldest = sum(sizes.values()), self._clock() - self._limits.retention.total_seconds()
        expired: list[Path] = []
        for path in segments[:-1]:
            if path.stat().st_mtime >= oldest and total <= self._limits.max_total_bytes:
                break
            expired.append(path)
            total -= sizes[path]
        return expired


@contextmanager
def _translated() -> Generator[None]:
    """Turn what the file system refuses into our own error."""
    try:
        yield
    except OSError as exc:
        raise AuditUnwritableError(f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror)) from exc


def line_of(head: str, text: bytes) -> bytes:
    """Return a record's line in a segment, from its hash and its canonical text."""
    return b'{"hash":"%s","record":%s}\n' % (head.encode("ascii"), text)


def segments_of(folder: Path) -> list[Path]:
    """Return a chain's segments in their order."""
    return sorted(path for path in folder.iterdir() if SEGMENT.fullmatch(path.name))


def _text(record: Mapping[str, JsonValue]) -> bytes:
    """Return the canonical text, or that of a record which says that there was one that JSON cannot say."""
    try:
        return canonical(record)
    except (ValueError, TypeError, RecursionError) as exc:
        return canonical({"kind": "unwritable", "time": record.get("time"), "why": type(exc).__name__})


def number_of(path: Path) -> int:
    """Return a segment's number, which is one more than that of the segment before."""
    return int(path.name[:8])


def _claimed(folder: Path) -> tuple[Path, int]:
    """Return the first chain that nobody writes, and the lock that says that we do; it ends with the process."""
    for number in range(_MAX_CHAINS):
        chain = folder / f"chain-{number:03d}"
        chain.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(chain / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return chain, lock
    raise AuditUnwritableError(f"all {_MAX_CHAINS} chains are in use")


def _left_behind(folder: Path) -> tuple[int, str, int]:
    """Return the last segment's number, the hash to follow, and how many bytes of a record it ends in the middle of."""
    head, torn, segments = GENESIS, 0, segments_of(folder)
    for path in reversed(segments):
        *lines, fragment = path.read_bytes().split(b"\n")
        if path == segments[-1]:
            torn = len(fragment)
        if (found := _last_hash(lines)) is not None:
            head = found
            break
    return (number_of(segments[-1]) if segments else 0), head, torn


def _last_hash(lines: Sequence[bytes]) -> str | None:
    """Return the hash of the last line; a line that we did not write is passed over, and found when it is verified."""
    for line in reversed(lines):
        try:
            stated = json.loads(line)["hash"]
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(stated, str) and _HASH.fullmatch(stated):
            return stated
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
