"""The decision log: a bounded queue, and one thread that writes it down as a chain of hashes."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.domain.audit import moment, record_of
from aeterna.policy.errors import AuditUnwritableError

if TYPE_CHECKING:
    from aeterna.policy.adapters.decision_log_chain import ChainWriter
    from aeterna.policy.domain.audit import Entry
    from aeterna.service.clock import Clock
    from aeterna.service.json_value import JsonValue

# The thread looks this often, rather than being woken by each decision: to wake it would cost what the decision costs.
_INTERVAL: Final = 0.1
# Records are made and hashed in Python, which holds up the event loop; the write after each batch lets it go on.
_BATCH: Final = 32
_CLOSING: Final = 2.0

log = structlog.stdlib.get_logger(__name__)


class ChainedDecisionLog:
    """Writes one worker's decisions; what could not be taken or written is counted, and the log itself says how many.

    A process that is killed loses what it was offered in the last tenth of a second; a machine that loses its power,
    in addition, what was written since the last fsync.
    """

    def __init__(self, chain: ChainWriter, *, capacity: int, values: bool, clock: Clock) -> None:
        """Begin to write; ``values`` says whether context and properties are written with their values."""
        self._chain = chain
        self._capacity = capacity
        self._values = values
        self._clock = clock
        self._queue: deque[Entry] = deque()
        self._unwritten: list[dict[str, JsonValue]] = []
        # Two counts, each written by one thread: how many could not be taken, and of how many the log knows.
        self._lost = 0
        self._lost_told = 0
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()

    def offer(self, entry: Entry) -> bool:
        """Take an entry to be written soon, or return False when there are too many already; never blocks."""
        if len(self._queue) >= self._capacity:
            self._lost += 1
            return False
        self._queue.append(entry)
        return True

    def close(self) -> None:
        """Write what is left, for two seconds at most, and end the thread."""
        self._stop.set()
        self._thread.join(_CLOSING)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._write_all()
        self._write_all()
        left = len(self._queue) + len(self._unwritten)
        if left:
            log.error("policy.audit_lost", decisions=left)
        self._chain.close()

    def _write_all(self) -> None:
        """Write until the queue is empty or a write fails; what failed is kept, and written next time."""
        try:
            self._chain.tick()
            while self._queue or self._unwritten or self._lost > self._lost_told:
                self._fill_batch()
                written = self._chain.write(self._unwritten)
                del self._unwritten[:written]
            self._chain.sync()
        except AuditUnwritableError as exc:
            del self._unwritten[: exc.written]
            if not self._failing:
                log.warning("policy.audit_unwritable", code=exc.code, reason=str(exc))
            self._failing = True
            return
        if self._failing:
            log.info("policy.audit_writable")
        self._failing = False

    def _fill_batch(self) -> None:
        lost = self._lost - self._lost_told
        if lost and len(self._unwritten) < _BATCH:
            self._lost_told += lost
            self._unwritten.append({"kind": "lost", "time": moment(self._clock()), "count": lost})
        while self._queue and len(self._unwritten) < _BATCH:
            self._unwritten.append(record_of(self._queue.popleft(), values=self._values))
