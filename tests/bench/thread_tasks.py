"""What a save costs through the kit's store and the real service, beside the SDK's stores on the same PostgreSQL."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from a2a.server.cluster import TaskVersion
from thread_measures import Measured, measure, say
from thread_sdk_peers import CONTEXT, OWNER, Saver, engine, plain_savers, task_of, versioned_savers
from thread_service import TENANT

from aeterna.a2a.adapters.http import HttpStore
from aeterna.a2a.adapters.sdk_stores import AeternaTaskStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from thread_sdk_peers import PlainSaver
    from thread_service import Ground

CLIENTS: Final = 8
AGENT: Final = "saver"
LENGTHS: Final = (1, 100, 10_000)
SDK_LENGTHS: Final = (1, 100)
_AT_ONCE: Final = 500
_EVENTS: Final = """
    SELECT t.thread_id, t.last_seq, count(e.seq), coalesce(max(e.seq), 0)
    FROM threads.threads t LEFT JOIN threads.events e USING (tenant, thread_id)
    WHERE t.tenant = %s AND t.agent = %s AND t.created_by = %s GROUP BY 1, 2
"""


async def report(ground: Ground, dsn: str) -> dict[str, object]:
    """Return the figures of saves and their ratios, or raise when the log does not hold what was saved."""
    figures: dict[str, object] = {}
    rates: dict[str, float] = {}
    saved: dict[str, int] = {}

    async def measured(name: str, savers: Sequence[Saver | PlainSaver], *, service: int | None = None) -> None:
        outcome = await measure(f"saves, {name}", [saver.save for saver in savers], service=service)
        rates[name] = outcome.per_second
        figures.update(_figures(name, outcome))

    async with _store(ground) as store:
        for length in LENGTHS:
            savers = [await _begun(store, f"ours-{length}-{n}", length) for n in range(CLIENTS)]
            await measured(f"ours_{length}", savers, service=ground.store.process.pid)
            saved.update({saver.task_id: saver.rows for saver in savers})
    for length in SDK_LENGTHS:
        async with engine(dsn, CLIENTS) as made:
            await measured(f"sdk_{length}", await plain_savers(made, CLIENTS, length))
            await measured(f"sdk_versioned_{length}", await versioned_savers(made, CLIENTS, length))
    for length in SDK_LENGTHS:
        for peer in ("sdk", "sdk_versioned"):
            ratio = rates[f"ours_{length}"] / rates[f"{peer}_{length}"]
            figures[f"saves_times_faster_than_{peer}_at_{length}"] = round(ratio, 2)
            say(f"times faster than {peer} at history {length:<12} {ratio:8.1f}")
    figures["save_at_10000_over_1_ratio"] = round(rates["ours_1"] / rates["ours_10000"], 2)
    _verify(dsn, saved)
    return figures


@asynccontextmanager
async def _store(ground: Ground) -> AsyncGenerator[AeternaTaskStore]:
    token = ground.token(subject=AGENT, kind="agent", roles=["runner"])
    http = HttpStore(ground.store.url, lambda: token)
    try:
        yield AeternaTaskStore(http.log)
    finally:
        await http.aclose()


class _OurSaver(Saver):
    """A saver that can say what the log must hold in the end."""

    rows = 0
    """How many rows were saved: one for each message, one for the task, one for each event."""

    @property
    def task_id(self) -> str:
        """The id of its task."""
        return self._task.id

    async def save(self, number: int) -> int:
        """Save one event, and count it."""
        retries = await super().save(number)
        self.rows += 1
        return retries


async def _begun(store: AeternaTaskStore, task_id: str, history: int) -> _OurSaver:
    """Return a saver whose task is in the store; a long history comes in parts, as it does in life."""
    task, version = task_of(task_id, 0), TaskVersion.MISSING
    for said in range(0, history, _AT_ONCE):
        task.history.extend(task_of(task_id, min(history, said + _AT_ONCE)).history[said:])
        event = None if said else task
        version = await store.save(task, event=event, prev=None, prev_version=version, context=CONTEXT)
    saver = _OurSaver(store, task, version)
    saver.rows = history + 1
    return saver


def _figures(name: str, outcome: Measured) -> dict[str, object]:
    return {
        f"saves_per_second_{name}": round(outcome.per_second, 1),
        f"save_client_cpu_us_{name}": round(outcome.cpu_microseconds),
        f"save_service_cpu_us_{name}": round(outcome.service_cpu_microseconds),
    }


def _verify(dsn: str, saved: dict[str, int]) -> None:
    """Raise unless every event that a save was answered for is in the log, once and in an order without gaps."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(_EVENTS, (TENANT, AGENT, OWNER)).fetchall()
    for task_id, last, count, highest in rows:
        if not saved.pop(task_id, 0) == last == count == highest:
            raise RuntimeError(f"the log of {task_id} ends at {last} with {count} rows up to {highest}")
    if saved:
        raise RuntimeError(f"the log does not have {sorted(saved)}")
