"""Composes the policy administration: settings in, adapters built here and nowhere else, a served application out."""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policies.adapters.analysis_process import AnalysisProcess
from aeterna.policies.adapters.key_file import KeyFileSigner
from aeterna.policies.adapters.metrics import PolicyMetrics
from aeterna.policies.adapters.postgres.audit import PostgresAudit
from aeterna.policies.adapters.postgres.database import DATABASE
from aeterna.policies.adapters.postgres.transactions import Transactions
from aeterna.policies.adapters.postgres.versions import PostgresVersions
from aeterna.policies.api.bundles import bundles
from aeterna.policies.api.problem import STATUSES
from aeterna.policies.api.routes import router
from aeterna.policies.domain.scope import Scope
from aeterna.policies.domain.versions import Author, Return
from aeterna.policies.settings import DatabaseSettings, PoliciesSettings
from aeterna.policies.usecases.administering import Administering
from aeterna.policies.usecases.checking import Checking, Sizes
from aeterna.policies.usecases.publishing import Publishing
from aeterna.policies.usecases.replicas import Replicas
from aeterna.policies.usecases.retaining import Retention
from aeterna.policies.usecases.seeding import Seeding
from aeterna.postgres.address import Address
from aeterna.postgres.fitness import prepare_schema, require_schema
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.postgres.serving_login import let_in
from aeterna.service import lifecycle, telemetry
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.app import service_app
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI

    from aeterna.policies.ports import Analyser
    from aeterna.postgres.pool import Pool

PROGRAM = "aeterna-policies"
# The share of an analysis' time in which questions are asked. What is open then is undecided, which is told and can be
# accepted; an analysis that is ended from outside tells nothing, and forgets what it learned.
_ASKING: Final = 0.8
_PATIENCE: Final = timedelta(minutes=5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, or do one of the offline commands; return the exit status. A refusal is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m aeterna.policies", description="The policies of Aeterna.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    migration = commands.add_parser("migrate", help="move the database's schema, forward or back")
    migration.add_argument("--to", default="head", metavar="REVISION", help="a revision, head or base (default: head)")
    commands.add_parser("verify-audit", help="follow the audit's chain; status 1 when it is broken")
    commands.add_parser("cut-audit", help="remove the records that were kept long enough")
    back = commands.add_parser("roll-back", help="deploy an earlier version's files when no policy lets anybody in")
    back.add_argument("to", type=int, metavar="VERSION")
    chosen = parser.parse_args(arguments)
    with lifecycle.one_line_refusals(PROGRAM):
        match chosen.command:
            case "migrate":
                migrate(load(DatabaseSettings), chosen.to)
            case "verify-audit":
                return asyncio.run(verify_audit(load(DatabaseSettings)))
            case "cut-audit":
                asyncio.run(cut_audit(load(DatabaseSettings)))
            case "roll-back":
                asyncio.run(roll_back(load(DatabaseSettings), chosen.to))
            case _:
                serve(load(PoliciesSettings))
    return 0


def migrate(settings: DatabaseSettings, to: str) -> None:
    """Move the schema of the database to a revision and say so in one line."""
    # Imported when asked for: alembic and SQLAlchemy would cost every start of the service half a second.
    adapter = importlib.import_module("aeterna.postgres.migrations")
    owner = Address.of(settings, DATABASE.errors, settings.migrate_dsn, kept=settings.migrate_secret_arn)
    moved = adapter.migrate(owner, DATABASE, to=to, wait=settings.migrate_wait, lock=settings.migrate_lock_timeout)
    sys.stdout.write(f"{PROGRAM}: schema {moved.before or 'none'} -> {moved.after or 'none'}\n")
    login = settings.serving_login
    if login is not None and moved.after == DATABASE.head:
        let_in(owner, DATABASE, login=login, provider=settings.dsn_login, roles=(DATABASE.names.role,))
        sys.stdout.write(f"{PROGRAM}: {login} may serve\n")


async def verify_audit(settings: DatabaseSettings) -> int:
    """Print the verdict on the audit's chain as JSON; return 1 when it is broken."""
    async with connected(settings) as transactions:
        found = await PostgresAudit(transactions, platform=settings.platform_tenant).verify()
    sys.stdout.write(json.dumps({"holds": found.broken_at is None, **asdict(found)}) + "\n")
    return 0 if found.broken_at is None else 1


async def cut_audit(settings: DatabaseSettings) -> None:
    """Remove what was kept long enough, once, and print what that was as JSON."""
    async with connected(settings) as transactions:
        audit = PostgresAudit(transactions, platform=settings.platform_tenant)
        cut = await Retention(audit, now, kept=settings.audit_kept).once()
    sys.stdout.write(json.dumps(None if cut is None else asdict(cut)) + "\n")


async def roll_back(settings: DatabaseSettings, to: int) -> None:
    """Deploy the files of a version that was deployed before, with no policy asked: the way back in when all deny."""
    platform = Scope(tenant=settings.platform_tenant, platform=True)
    operator = Author(subject="operator", kind="Operator", scope=platform)
    async with connected(settings) as transactions:
        versions = PostgresVersions(transactions, platform=settings.platform_tenant)
        base = await versions.deployed_number()
        wish = Return(
            to=to,
            base=base,
            message="Rolled back at the database",
            key=f"operator-{base}-{to}",
            accept_undecided=True,
        )
        analysis = analysis_within(_PATIENCE)
        checking = Checking(CedarCompiler(), analysis, Sizes(files=sys.maxsize, bytes=sys.maxsize))
        try:
            written = await Administering(versions, checking, now).go_back(operator, wish)
        finally:
            await analysis.aclose()
    sys.stdout.write(f"{PROGRAM}: version {written.version.number} decides, with the files of version {to}\n")


@asynccontextmanager
async def connected(settings: DatabaseSettings) -> AsyncGenerator[Transactions]:
    """Return the transactions of a database that is fit for the administration."""
    address, limits = Address.of(settings, DATABASE.errors), Limits.of(settings)
    require_schema(address, limits, DATABASE)
    async with connection_pool(address, limits, DATABASE.names) as pool:
        yield Transactions(pool)


def serve(settings: PoliciesSettings) -> None:
    """Serve until told to stop, on a database that is fit for it."""
    telemetry.configure(PROGRAM, settings)
    forward = functools.partial(migrate, settings, "head") if settings.migrate else None
    address = Address.of(settings, DATABASE.errors)
    prepare_schema(address, Limits.of(settings), DATABASE, forward)
    lifecycle.serve(
        application(settings, address),
        host=settings.host,
        port=settings.port,
        drain_timeout=settings.drain_timeout,
        drain_delay=settings.drain_delay,
    )


def application(settings: PoliciesSettings, address: Address) -> FastAPI:
    """Return the application; its connections open when it starts and close when it stops."""
    pool = connection_pool(address, Limits.of(settings), DATABASE.names)
    transactions = Transactions(pool)
    versions = PostgresVersions(transactions, platform=settings.platform_tenant)
    audit = PostgresAudit(transactions, platform=settings.platform_tenant)
    analysis = analysis_within(settings.analysis_timeout)
    checking = Checking(CedarCompiler(), analysis, Sizes(files=settings.max_files, bytes=settings.max_bytes))
    replicas = Replicas(time.monotonic, window=settings.replica_window)
    registry = new_registry()

    app = service_app(
        name=PROGRAM,
        version=version("aeterna-policies"),
        settings=settings,
        verifier=verifier_of(settings, registry),
        decisions=AuthZenDecisionPoint.of(settings, registry),
        checks={"database": versions.check},
        problems=STATUSES,
        lifespan=_lifespan(settings, pool, versions, audit, analysis),
        routers=[router, bundles],
        registry=registry,
    )
    app.state.platform_tenant = settings.platform_tenant
    app.state.bundle_token_file = settings.bundle_token_file
    app.state.versions = versions
    app.state.audit = audit
    app.state.analysis = analysis
    app.state.administering = Administering(versions, checking, now)
    app.state.publishing = Publishing(versions, KeyFileSigner(settings.signing_key_file))
    app.state.replicas = replicas
    app.state.changed = PolicyMetrics(registry, replicas).changed
    return app


def _lifespan(
    settings: PoliciesSettings,
    pool: Pool,
    versions: PostgresVersions,
    audit: PostgresAudit,
    analysis: AnalysisProcess,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what opens and seeds the store and keeps its audit short, from the application's start to its end."""
    seeding = Seeding(versions, CedarCompiler(), now, platform=Scope(tenant=settings.platform_tenant, platform=True))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with pool, asyncio.TaskGroup() as tasks:
            if settings.seed is not None:
                await seeding.seed(DirectoryBundleSource(settings.seed).read())
            retention = tasks.create_task(Retention(audit, now, kept=settings.audit_kept).run())
            yield
            retention.cancel()
            await analysis.aclose()

    return lifespan


def analysis_within(timeout: timedelta) -> AnalysisProcess:
    """Return the analysis that is ended after so long, and stops asking before."""
    return AnalysisProcess(functools.partial(make_analyser, timeout * _ASKING), timeout=timeout)


def make_analyser(whole: timedelta) -> Analyser:
    """Return an analyser that asks for so long; called in a child alone, since the solver costs 30 MB and its time."""
    # Typed by the port: the module is imported by name, so that this process never loads the solver.
    analyser: Analyser = importlib.import_module("aeterna.policies.adapters.analyser").make_analyser(whole)
    return analyser


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)
