"""Every service's schema moves forward and back, by whoever comes first, and no service starts on an older one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from aeterna.knowledge.adapters.postgres.database import DATABASE as KNOWLEDGE
from aeterna.policies.adapters.postgres.database import DATABASE as POLICIES
from aeterna.postgres.errors import MissingError, NotReachedError, OutdatedError, UnknownRevisionError
from aeterna.postgres.fitness import require_schema
from aeterna.postgres.migrations import Moved, migrate
from aeterna.postgres.pool import Limits
from aeterna.threads.adapters.database import DATABASE as THREADS

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.postgres.database import Database

WAIT, LOCK = timedelta(seconds=30), timedelta(seconds=5)
STRUCTURE = """
SELECT 'column', table_name::text, column_name::text, data_type || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = %(schema)s
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef
FROM pg_indexes WHERE schemaname = %(schema)s
UNION ALL SELECT 'policy', tablename::text, policyname::text, qual || with_check
FROM pg_policies WHERE schemaname = %(schema)s
UNION ALL SELECT 'function', proname::text, '', prosrc
FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = %(schema)s::regnamespace AND NOT tgisinternal
UNION ALL SELECT 'privilege', table_name::text, grantee::text, privilege_type
FROM information_schema.role_table_grants WHERE table_schema = %(schema)s
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture(params=[THREADS, POLICIES, KNOWLEDGE], ids=lambda database: database.names.name)
def service(request: pytest.FixtureRequest) -> Database:
    """Return what each service says of its database."""
    described: Database = request.param
    return described


@pytest.fixture
def migrated(service: Database, empty_database: str) -> str:
    """Return the DSN of a database with the service's newest schema."""
    migrate(empty_database, service, to="head", wait=WAIT, lock=LOCK)
    return empty_database


def structure(dsn: str, service: Database) -> list[tuple[object, ...]]:
    """Return every column, constraint, index, policy, function, trigger and privilege of the schema."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(STRUCTURE, {"schema": service.names.schema}).fetchall()


def revisions(service: Database) -> ScriptDirectory:
    """Return the service's revisions as alembic sees them."""
    config = Config()
    config.set_main_option("script_location", str(service.migrations))
    return ScriptDirectory.from_config(config)


def say_it_is(revision: str, dsn: str, service: Database) -> None:
    """Write another revision into the database than it has."""
    statement = sql.SQL("UPDATE {}.schema_version SET version_num = %s").format(sql.Identifier(service.names.schema))
    with psycopg.connect(dsn) as connection:
        connection.execute(statement, (revision,))


def test_the_release_needs_the_newest_revision(service: Database) -> None:
    assert revisions(service).get_heads() == [service.head]


def test_revisions_are_numbers_in_order_with_both_files(service: Database) -> None:
    """The service compares them as numbers."""
    numbers = [script.revision for script in revisions(service).walk_revisions()][::-1]
    files = [path.name for path in service.migrations.glob("sql/*")]

    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]
    assert {name.split("_")[0] + name[name.index(".") :] for name in files} == {
        f"{number}.{way}.sql" for number in numbers for way in ("down", "up")
    }


def test_forward_and_back_and_forward_is_the_same_schema(service: Database, empty_database: str) -> None:
    first = migrate(empty_database, service, to="head", wait=WAIT, lock=LOCK)
    expected = structure(empty_database, service)

    back = migrate(empty_database, service, to="base", wait=WAIT, lock=LOCK)
    left = {row[1] for row in structure(empty_database, service) if row[0] in {"column", "function"}}
    again = migrate(empty_database, service, to="head", wait=WAIT, lock=LOCK)

    assert [first, back, again] == [
        Moved(before=None, after=service.head),
        Moved(before=service.head, after=None),
        Moved(before=None, after=service.head),
    ]
    assert (structure(empty_database, service), left) == (expected, {"schema_version"})


def test_migrating_twice_changes_nothing(service: Database, migrated: str) -> None:
    again = migrate(migrated, service, to="head", wait=WAIT, lock=LOCK)

    assert again == Moved(before=service.head, after=service.head)


def test_several_who_migrate_at_once_do_it_once(service: Database, empty_database: str) -> None:
    """As when all replicas of a new release start together."""
    with ThreadPoolExecutor(4) as pool:
        started = [pool.submit(migrate, empty_database, service, to="head", wait=WAIT, lock=LOCK) for _ in range(4)]
        moves = [one.result() for one in started]

    assert sorted(str(move.before) for move in moves) == [service.head] * 3 + ["None"]
    assert {move.after for move in moves} == {service.head}


def test_two_services_share_a_database(empty_database: str) -> None:
    for service in (THREADS, POLICIES):
        migrate(empty_database, service, to="head", wait=WAIT, lock=LOCK)

    migrate(empty_database, POLICIES, to="base", wait=WAIT, lock=LOCK)

    require_schema(empty_database, Limits(), THREADS)


def test_an_unknown_revision_is_refused(service: Database, migrated: str) -> None:
    with pytest.raises(UnknownRevisionError):
        migrate(migrated, service, to="9999", wait=WAIT, lock=LOCK)


def test_a_migration_of_a_database_that_is_not_there_says_what_is_wrong(service: Database, tmp_path: Path) -> None:
    with pytest.raises(NotReachedError, match="No such file or directory"):
        migrate(f"host={tmp_path} dbname=x user=x", service, to="head", wait=WAIT, lock=LOCK)


def test_an_empty_database_is_refused_with_the_command_that_mends_it(service: Database, empty_database: str) -> None:
    with pytest.raises(MissingError, match=re.escape(f"python -m {service.names.module} migrate")):
        require_schema(empty_database, Limits(), service)


def test_an_older_schema_is_refused(service: Database, migrated: str) -> None:
    say_it_is("0000", migrated, service)

    with pytest.raises(OutdatedError, match="at schema 0000 and this release needs"):
        require_schema(migrated, Limits(), service)


def test_a_newer_schema_is_accepted(service: Database, migrated: str) -> None:
    """Migrations run before their release is rolled out, while the release before still restarts now and then."""
    say_it_is("9999", migrated, service)

    require_schema(migrated, Limits(), service)
