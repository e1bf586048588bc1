"""Every service gives the database's errors its own words, and none is left as the library has it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from aeterna.policies import errors as policies
from aeterna.postgres.errors import Family
from aeterna.postgres.names import Names
from aeterna.threads import errors as threads

FAMILIES = {"threads": threads.FAMILY, "policies": policies.FAMILY}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_error_of_a_family_is_the_services_own(name: str) -> None:
    own = [getattr(FAMILIES[name], field.name) for field in fields(Family)]

    assert [kind for kind in own if not kind.code.startswith(f"{name}.") or kind.names.name != name] == []
    assert len({kind.code for kind in own}) == len(own)


def test_an_error_says_what_mends_it_in_the_services_words() -> None:
    assert str(policies.SchemaMissingError("0001")) == (
        "the database is at schema none and this release needs 0001: "
        "run `python -m aeterna.policies migrate`, or set AETERNA_POLICIES_MIGRATE=true"
    )
    assert 'GRANT aeterna_threads TO "ada"' in str(threads.RoleUnavailableError("ada"))


def test_a_missing_schema_is_an_outdated_one() -> None:
    """Whoever mends the one by migrating mends the other."""
    assert issubclass(threads.SchemaMissingError, threads.SchemaOutdatedError)
    assert issubclass(policies.SchemaMissingError, policies.SchemaOutdatedError)


def test_all_names_follow_from_one() -> None:
    names = Names(name="threads", title="the thread store")

    assert (names.schema, names.role, names.application) == ("threads", "aeterna_threads", "aeterna-threads")
    assert (names.module, names.variables) == ("aeterna.threads", "AETERNA_THREADS_")
