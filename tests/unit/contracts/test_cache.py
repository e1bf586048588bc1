"""What a cache spec promises and refuses, before any cloud is involved."""

from __future__ import annotations

from dataclasses import fields

import pytest

from aeterna.contracts.cache import CacheOutputs, CacheSpec
from aeterna.contracts.errors import InvalidSpecError


def test_a_cache_has_a_copy_in_another_zone_unless_asked_otherwise() -> None:
    assert CacheSpec(name="policy").replicas == 1


@pytest.mark.parametrize(
    ("reason", "field", "changes"),
    [
        ("a name with two hyphens in a row", "name", {"name": "policy--events"}),
        ("a name that begins with a digit", "name", {"name": "1policy"}),
        ("a version nobody offers", "major", {"major": "6"}),
        ("a node without memory", "memory_gib", {"memory_gib": 0}),
        ("more copies than a service keeps", "replicas", {"replicas": 6}),
        ("nobody who could log in", "users", {"users": ()}),
        ("the same user twice", "users", {"users": ("opal", "opal")}),
        ("the login without a name", "users", {"users": ("default",)}),
        ("a user in capitals", "users", {"users": ("Opal",)}),
        ("a negative time to keep snapshots", "backup_days", {"backup_days": -1}),
    ],
)
def test_a_spec_that_cannot_work_is_refused(reason: str, field: str, changes: dict[str, object]) -> None:
    """Every refusal names the field and says what to change; ``reason`` is the sentence of the row."""
    arguments: dict[str, object] = {"name": "policy", **changes}

    with pytest.raises(InvalidSpecError) as refused:
        CacheSpec(**arguments)  # type: ignore[arg-type]  # rows of a table have no common type

    assert (refused.value.spec, refused.value.field) == ("CacheSpec", field), reason
    assert refused.value.remedy


def test_the_outputs_carry_no_password() -> None:
    names = {field.name for field in fields(CacheOutputs)}

    assert not {name for name in names if "password" in name or "secret" in name or "token" in name}
