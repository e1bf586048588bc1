"""The table of leases in a catalog's own database, and what is said to it; times are the database's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from aeterna.graph.adapters.iceberg.translation import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import CursorResult, Engine, TextClause

    from aeterna.graph.domain.identifiers import TenantId

# One clock for all processes: that of the database.
_NOW: Final = {
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
TABLE: Final = "aeterna_writer_leases"
_STATEMENTS: Final = {
    "create": """CREATE TABLE IF NOT EXISTS aeterna_writer_leases (
        tenant VARCHAR(255) PRIMARY KEY, epoch BIGINT NOT NULL, holder VARCHAR(64) NOT NULL,
        expires DOUBLE PRECISION NOT NULL, wanted DOUBLE PRECISION NOT NULL)""",
    "look": """SELECT epoch, CASE WHEN expires > {now} THEN holder ELSE '' END, wanted > {now}, expires - {now}
        FROM aeterna_writer_leases WHERE tenant = :tenant""",
    "mine": """SELECT tenant, epoch, wanted > {now}, expires - {now} FROM aeterna_writer_leases
        WHERE holder = :holder AND expires > {now}""",
    "add": """INSERT INTO aeterna_writer_leases (tenant, epoch, holder, expires, wanted)
        VALUES (:tenant, :next, :holder, {now} + :seconds, 0) ON CONFLICT (tenant) DO NOTHING""",
    "take": """UPDATE aeterna_writer_leases SET epoch = :next, holder = :holder, expires = {now} + :seconds, wanted = 0
        WHERE tenant = :tenant AND epoch = :epoch AND (holder = :holder OR expires <= {now})""",
    "ask": """UPDATE aeterna_writer_leases SET wanted = {now} + :seconds,
        expires = CASE WHEN expires > {now} + :seconds THEN {now} + :seconds ELSE expires END
        WHERE tenant = :tenant AND epoch = :epoch""",
    "renew": """UPDATE aeterna_writer_leases SET expires = {now} + :seconds
        WHERE tenant = :tenant AND epoch = :epoch AND holder = :holder""",
    "give": """UPDATE aeterna_writer_leases SET holder = '', expires = 0
        WHERE tenant = :tenant AND epoch = :epoch AND holder = :holder""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """One tenant's lease as the database has it."""

    epoch: int
    holder: str  # empty when nobody holds it any more
    wanted: bool  # by a process that waits
    left: float  # seconds until it ends by itself


class LeaseRows:
    """What one process, the ``holder``, says to the table of leases. Safe for use by several threads."""

    def __init__(self, engine: Engine, holder: str) -> None:
        now = _NOW[engine.dialect.name]
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._holder = holder
        self._statements: Mapping[str, TextClause] = {
            name: text(statement.replace("{now}", now)) for name, statement in _STATEMENTS.items()
        }
        self._created = False

    @staticmethod
    def possible(engine: Engine) -> bool:
        """Whether leases can be kept in this kind of database."""
        return engine.dialect.name in _NOW

    def look(self, tenant: TenantId) -> LeaseRow | None:
        """Return the tenant's lease; None before the first."""
        if not self._created:
            self.create()
        found = self._rows("look", tenant=tenant)
        if not found:
            return None
        epoch, holder, wanted, left = found[0]
        return LeaseRow(epoch=epoch, holder=holder, wanted=bool(wanted), left=left)

    def mine(self) -> dict[str, LeaseRow]:
        """Return what this process holds, by tenant."""
        return {
            tenant: LeaseRow(epoch=epoch, holder=self._holder, wanted=bool(wanted), left=left)
            for tenant, epoch, wanted, left in self._rows("mine", holder=self._holder)
        }

    def take(self, tenant: TenantId, seen: LeaseRow | None, epoch: int, seconds: float) -> bool:
        """Take a free lease under a new epoch; say whether nobody was faster."""
        place = {"tenant": tenant, "next": epoch, "holder": self._holder, "seconds": seconds}
        if seen is None:
            return self._changed("add", **place)
        return self._changed("take", epoch=seen.epoch, **place)

    def ask(self, tenant: TenantId, epoch: int, seconds: float) -> None:
        """Tell the holder that somebody waits; one that does not answer holds it for so long yet, and no longer."""
        self._changed("ask", tenant=tenant, epoch=epoch, seconds=seconds)

    def renew(self, tenant: TenantId, epoch: int, seconds: float) -> bool:
        """Hold it for longer; say whether it was still held."""
        return self._changed("renew", tenant=tenant, epoch=epoch, holder=self._holder, seconds=seconds)

    def give(self, tenant: TenantId, epoch: int) -> None:
        """Give it up, unless it was lost already."""
        self._changed("give", tenant=tenant, epoch=epoch, holder=self._holder)

    def create(self) -> None:
        """Make the table where there is none; whoever only serves may not even ask for one that is there."""
        with translated("make the table of leases"):
            try:
                self._make()
            except DBAPIError:
                # Two processes made it at once; for the second it is simply there.
                self._make()
        self._created = True

    def _make(self) -> None:
        if not inspect(self._engine).has_table(TABLE):
            self._run("create")

    def _rows(self, statement: str, **parameters: object) -> list[Any]:  # Any: rows of SQL
        with translated("look who may write"):
            return self._run(statement, **parameters)[0]

    def _changed(self, statement: str, **parameters: object) -> bool:
        with translated("change who may write"):
            return self._run(statement, **parameters)[1] == 1

    def _run(self, statement: str, **parameters: object) -> tuple[list[Any], int]:  # Any: rows of SQL
        with self._engine.connect() as connection:
            result: CursorResult[Any] = connection.execute(self._statements[statement], parameters)
            return (list(result) if result.returns_rows else []), result.rowcount
