"""Addresses of a platform are a public contract too: a rename takes a service away before it makes it again."""

from __future__ import annotations

import json

import pytest

from fixtures.platform_documents import CLOUDS, documents
from synth.record_addresses import FOLDER, PLATFORMS


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_address_of_a_platform_that_may_have_been_applied_is_still_there(name: str) -> None:
    """After a change that was meant: ``python -P tests/synth/record_addresses.py``."""
    recorded = set(json.loads((FOLDER / "platforms" / f"{name}.json").read_text()))

    now = set(documents()[name].addresses())

    assert {"went away": sorted(recorded - now), "new, so record it": sorted(now - recorded)} == {
        "went away": [],
        "new, so record it": [],
    }


@pytest.mark.parametrize("size", ["dev", "standard", "critical"])
def test_a_platform_has_the_same_addresses_on_every_cloud(size: str) -> None:
    """But for the migration of a catalog that is a database."""
    found = {cloud: set(documents()[f"{cloud}-{size}"].addresses()) for cloud in CLOUDS}

    assert found["aws"] == found["gcp"]
    assert found["azure"] - found["aws"] == {"kubernetes_job_v1.Platform_Migrations_GraphApi_11BDA8DB"}
    assert found["azure"] >= found["aws"]


def test_a_larger_size_only_adds() -> None:
    """Growing an environment moves nothing that is there."""
    dev, standard, critical = (set(documents()[f"aws-{size}"].addresses()) for size in ("dev", "standard", "critical"))

    assert dev < standard <= critical
