"""What a database spec promises and refuses, before any cloud is involved."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.contracts.database import DatabaseOutputs, DatabaseSpec, Weekday, require_role
from aeterna.contracts.errors import InvalidSpecError


def test_a_database_survives_a_zone_can_be_restored_and_is_protected_unless_asked_otherwise() -> None:
    spec = DatabaseSpec(name="threads")

    assert (spec.highly_available, spec.protected) == (True, True)
    assert spec.backup_days >= 7
    assert spec.major == "17"


def test_a_spec_cannot_be_changed_after_it_was_checked() -> None:
    spec = DatabaseSpec(name="threads")

    with pytest.raises(FrozenInstanceError):
        spec.backup_days = 0  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("reason", "field", "changes"),
    [
        ("a name in capitals", "name", {"name": "Threads"}),
        ("a name that ends in a hyphen", "name", {"name": "threads-"}),
        ("a name of 41 characters", "name", {"name": "t" * 41}),
        ("a version nobody offers", "major", {"major": "9.6"}),
        ("a minor version, which the service chooses", "major", {"major": "17.2"}),
        ("a database name that needs quoting", "database", {"database": "My-Threads"}),
        ("a database name of the service's own", "database", {"database": "rdsadmin"}),
        ("a database name of PostgreSQL's own", "database", {"database": "pg_threads"}),
        ("the same user twice", "users", {"users": ("app", "app")}),
        ("a user that stands for every user", "users", {"users": ("*",)}),
        ("no backups", "backup_days", {"backup_days": 0}),
        ("more backups than a service keeps", "backup_days", {"backup_days": 36}),
        ("a disk that cannot grow", "most_storage_gib", {"storage_gib": 100, "most_storage_gib": 100}),
        ("a disk too small", "storage_gib", {"storage_gib": 5}),
        ("maintenance during the backup", "maintenance_hour", {"backup_hour": 4, "maintenance_hour": 4}),
        ("an hour that no clock has", "backup_hour", {"backup_hour": 24}),
        ("logs kept for no time", "log_days", {"log_days": 0}),
    ],
)
def test_a_spec_that_cannot_work_is_refused(reason: str, field: str, changes: dict[str, object]) -> None:
    """Every refusal names the field and says what to change; ``reason`` is the sentence of the row."""
    arguments: dict[str, object] = {"name": "threads", **changes}

    with pytest.raises(InvalidSpecError) as refused:
        DatabaseSpec(**arguments)  # type: ignore[arg-type]  # rows of a table have no common type

    assert (refused.value.spec, refused.value.field) == ("DatabaseSpec", field), reason
    assert refused.value.remedy


@given(storage=st.integers(20, 59_000), most=st.integers(20, 65_536))
def test_a_disk_that_is_accepted_can_always_grow_by_a_tenth(storage: int, most: int) -> None:
    try:
        spec = DatabaseSpec(name="threads", storage_gib=storage, most_storage_gib=most)
    except InvalidSpecError as refused:
        suggested = int("".join(filter(str.isdigit, refused.remedy)))
        spec = DatabaseSpec(name="threads", storage_gib=storage, most_storage_gib=suggested)

    assert spec.most_storage_gib * 10 >= spec.storage_gib * 11


@given(st.text(max_size=70))
def test_a_role_that_is_accepted_needs_no_quoting(name: str) -> None:
    """What is accepted goes into ARNs and SQL; neither may see a wildcard, a quote or a space."""
    try:
        require_role("DatabaseSpec", "database", name)
    except InvalidSpecError:
        return

    assert name == name.lower()
    assert name.replace("_", "a").isalnum()
    assert name.isascii()
    assert len(name) <= 63


def test_every_day_of_the_week_can_be_the_maintenance_day() -> None:
    days = {DatabaseSpec(name="threads", maintenance_day=day).maintenance_day for day in Weekday}

    assert len(days) == 7


def test_the_outputs_carry_a_reference_to_the_administrators_secret_and_no_password() -> None:
    names = {field.name for field in fields(DatabaseOutputs)}

    assert "administrator_secret" in names
    assert not {name for name in names if "password" in name}
