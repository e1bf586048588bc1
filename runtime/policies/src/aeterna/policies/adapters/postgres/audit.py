"""The audit in PostgreSQL: a record is written in the transaction of what it tells of, chained to the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.policies.domain.audit import Act, Cut, Event, Head, Link, Verifier, cut_of
from aeterna.policies.domain.scope import Scope
from aeterna.service.hash_chain import canonical, link

if TYPE_CHECKING:
    from datetime import datetime

    from aeterna.policies.adapters.postgres.transactions import Statements, Transactions
    from aeterna.policies.domain.audit import Verification
    from aeterna.postgres.pool import Row

_PAGE: Final = 500
_NEVER: Final = 2**63 - 1


async def lock_chain(statements: Statements) -> Head:
    """Make this transaction the only one that writes, and return where the chain ends."""
    (row,) = await statements.rows("lock_head")
    return Head(seq=row["seq"], hash=row["hash"])


async def append(statements: Statements, head: Head, event: Event) -> Head:
    """Write the event behind the head, which this transaction has locked, and return the new head."""
    seq = head.seq + 1
    record = event.record(seq)
    digest = link(head.hash, record)
    await statements.do(
        "write_record",
        seq=seq,
        at=event.at,
        tenant=event.tenant,
        act=event.act.value,
        record=canonical(record).decode(),
        hash=digest,
    )
    await statements.do("move_head", seq=seq, hash=digest)
    return Head(seq=seq, hash=digest)


class PostgresAudit:
    """An `Audit` in PostgreSQL."""

    def __init__(self, transactions: Transactions, *, platform: str) -> None:
        """Take the platform's own tenant, to which belongs what the retention does."""
        self._transactions = transactions
        self._platform = Scope(tenant=platform, platform=True)

    async def page(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Link, ...]:
        """See `Audit.page`."""

        async def work(statements: Statements) -> tuple[Link, ...]:
            rows = await statements.rows("newest_records", before=before or _NEVER, limit=limit)
            return tuple(_link(row) for row in rows)

        return await self._transactions.run(scope, work)

    async def verify(self) -> Verification:
        """See `Audit.verify`. It reads page by page while others write, until it has reached the end that is kept."""

        async def begin(statements: Statements) -> Head:
            cuts = await statements.rows("newest_cut")
            return cut_of(cuts[0]["record"]) if cuts else Head()

        after = await self._transactions.run(self._platform, begin)
        verifier = Verifier(after)
        reached = after.seq
        while True:
            head, links = await self._next(reached)
            if not links:
                return verifier.end(head)
            if (broken := verifier.look(links)) is not None:
                return broken
            reached = links[-1].seq

    async def cut(self, before: datetime, *, at: datetime) -> Cut | None:
        """See `Audit.cut`."""

        async def work(statements: Statements) -> Cut | None:
            head = await lock_chain(statements)
            found = await statements.rows("last_before", moment=before)
            if not found or found[0]["seq"] >= head.seq:
                # The very last record stays: a chain of nothing would prove nothing.
                return None
            through = Head(seq=found[0]["seq"], hash=found[0]["hash"])
            ((removed,),) = [tuple(row.values()) for row in await statements.rows("cut", through=through.seq)]
            await append(
                statements,
                head,
                Event(
                    act=Act.CUT,
                    tenant=self._platform.tenant,
                    actor="retention",
                    at=at,
                    facts={"through_seq": through.seq, "through_hash": through.hash, "records": removed},
                ),
            )
            return Cut(records=removed, through=through)

        return await self._transactions.run(self._platform, work)

    async def _next(self, after: int) -> tuple[Head, tuple[Link, ...]]:
        async def work(statements: Statements) -> tuple[Head, tuple[Link, ...]]:
            # The end first: what a writer adds in between is then a record more, and never one that is missing.
            (head,) = await statements.rows("read_head")
            rows = await statements.rows("next_records", after=after, limit=_PAGE)
            return Head(seq=head["seq"], hash=head["hash"]), tuple(_link(row) for row in rows)

        return await self._transactions.run(self._platform, work)


def _link(row: Row) -> Link:
    return Link(seq=row["seq"], at=row["at"], tenant=row["tenant"], record=row["record"], hash=row["hash"])
