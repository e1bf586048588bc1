"""Has documents read in a process of its own, which is ended when one takes too long: parsers of hostile text may hang.

Lexbor takes minutes for some pages of half a megabyte, and gigabytes for others (nested elements, unclosed formatting);
lexers are patterns, and no limit of theirs can be told beforehand. So the limit is around them.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.adapters.documents.answers import understood
from aeterna.knowledge.adapters.documents.reader_child import LENGTH, LENGTHS
from aeterna.knowledge.adapters.documents.refusals import RefusedError

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Parsed
    from aeterna.knowledge.domain.tables import Table

_CHILD: Final = "aeterna.knowledge.adapters.documents.reader_child"
_MIB: Final = 1 << 20
_CHUNK: Final = 1 << 16
MAX_ANSWER_BYTES: Final = 96 << 20


class ReaderProcess:
    """A process that reads one document after the other, started with the first one and after each that broke it."""

    def __init__(self, *, seconds: float, memory: int, seconds_per_mib: float = 0.0) -> None:
        """Allow a document ``seconds``, and so many more for each MiB of it; ``memory`` is in bytes of addresses."""
        self._seconds = seconds
        self._seconds_per_mib = seconds_per_mib
        self._memory = memory
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    def read(self, kind: str, name: str, content: bytes) -> Parsed | Table:
        """Return what was read; raise `RefusedError` also for what took too long or broke the process."""
        parts = (kind.encode(), name.encode(), content)
        request = LENGTHS.pack(*map(len, parts)) + b"".join(parts)
        with self._turn:
            try:
                answer = self._asked(request, self._seconds + self._seconds_per_mib * len(content) / _MIB)
            except _BrokenError as problem:
                self._stop()
                raise RefusedError(str(problem)) from problem
        return understood(answer)

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._stop()

    def _asked(self, request: bytes, seconds: float) -> bytes:
        process = self._running()
        until = time.monotonic() + seconds
        pipe = _Pipe(process, until)
        pipe.write(request)
        length = LENGTH.unpack(pipe.read(LENGTH.size))[0]
        if length > MAX_ANSWER_BYTES:
            raise _BrokenError("gives more to keep than a document may")
        return pipe.read(length)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", _CHILD, str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    os.set_blocking(stream.fileno(), False)
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()


class _BrokenError(Exception):
    """The process gave no answer; the message is a clause about the document."""


class _Pipe:
    """Both ends of the talk with the process, up to a moment."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        if process.stdin is None or process.stdout is None:
            raise _BrokenError("cannot be read: its reader has no input")
        self._to = process.stdin.fileno()
        self._from = process.stdout.fileno()
        self._until = until

    def write(self, data: bytes) -> None:
        """Say it; the process listens to all of it before it answers."""
        rest = memoryview(data)
        while rest:
            self._wait(self._to, select.POLLOUT)
            try:
                rest = rest[os.write(self._to, rest[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as problem:
                raise _BrokenError("broke its reader") from problem

    def read(self, length: int) -> bytes:
        """Return the next so many bytes."""
        parts: list[bytes] = []
        while length > 0:
            self._wait(self._from, select.POLLIN)
            part = os.read(self._from, min(length, _CHUNK))
            if not part:
                raise _BrokenError("broke its reader, or needs more memory to read than a document may")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _wait(self, stream: int, event: int) -> None:
        # Not select(): that knows no descriptor above 1,023, which a busy server has.
        poll = select.poll()
        poll.register(stream, event)
        left = self._until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1_000):
            raise _BrokenError("takes longer to read than a document may")
