"""Shows what takes longer than a moment: a moving line on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import TextIO, TypeVar

    T = TypeVar("T")


class Progress:
    """Steps that may overlap; each is named when it starts and timed when it ends."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._running: dict[str, float] = {}

    def start(self, step: str) -> None:
        """Say that a step has begun."""
        self._running[step] = time.monotonic()
        self._pending()

    def done(self, step: str, note: str = "") -> None:
        """Say that a step has ended, and how long it took."""
        taken = time.monotonic() - self._running.pop(step, time.monotonic())
        self.line(f"  {step}{': ' + note if note else ''} ({taken:.1f} s)")

    @contextmanager
    def during(self, step: str) -> Generator[None]:
        """Show a step while the block runs; a failure forgets it, and its end is for `done` to say."""
        self.start(step)
        try:
            yield
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Forget what is running, because it failed."""
        self._running.clear()
        self._erase()

    def line(self, text: str) -> None:
        """Print a line."""
        self._erase()
        self._stream.write(text + "\n")
        self._stream.flush()
        self._pending()

    def note(self, text: str) -> None:
        """Show on a terminal how far what is running is; elsewhere it would only be many lines."""
        if self._live:
            self._erase()
            self._stream.write(f"  … {text}")
            self._stream.flush()

    def counted(self, items: Iterable[T], what: str) -> Iterator[T]:
        """Pass items through, showing how many there were; for work whose end is not known beforehand."""
        for number, item in enumerate(items, start=1):
            yield item
            if self._live:
                self._erase()
                self._stream.write(f"  {what}: {number} …")
                self._stream.flush()
        self._erase()

    def _pending(self) -> None:
        if self._live and self._running:
            self._stream.write(f"  … {', '.join(self._running)}")
            self._stream.flush()

    def _erase(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")
