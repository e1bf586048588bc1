"""A round over all tenants as a scheduler starts it: a process on a real catalog, whatever becomes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import TenantId, tenant_hash
from fixtures.fix_graph import batch_of, iceberg_stores

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores

TENANTS: Final = tuple(TenantId(name) for name in ("acme", "globex-eu", "umbrella"))
BROKEN: Final = TENANTS[1]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a catalog with three tenants that nobody has open, and a table of somebody else's among theirs."""
    with closing(iceberg_stores(tmp_path)) as stores:
        for tenant in TENANTS:
            session = session_of("s", subject="ada", nodes=[node_of("n", "Thing")])
            stores.open(tenant).append(batch_of(session), parent=None)
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))
    untyped(catalog).create_table("aeterna.Reports-2026", schema=pa.schema([("number", pa.int64())]))
    catalog.close()
    return tmp_path


def started(command: str, place: Path) -> subprocess.Popen[str]:
    """Start a job; it has no settings but where graphs are."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "aeterna.api", command],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "AETERNA_API_CATALOG_URI": f"sqlite:///{place}/catalog.db",
            "AETERNA_API_WAREHOUSE": str(place / "warehouse"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(job: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Return the status and the report of a job that ended by itself."""
    out, log = job.communicate(timeout=60)
    assert out.count("\n") == 1, log
    return job.returncode, json.loads(out)


def backups(stores: IcebergGraphStores, tenant: TenantId) -> int:
    """Return how many backups a tenant has."""
    return sum(tag.is_backup for tag in stores.refs(tenant).tags())


def nodes(stores: IcebergGraphStores, tenant: TenantId) -> list[str]:
    """Return the ids of the nodes that the newest state of a tenant's graph holds."""
    store = stores.open(tenant)
    head = store.head()
    assert head is not None
    return [id_ for id_ in store.rows(head.id)["id"].to_pylist() if id_ is not None]


def test_a_table_that_is_broken_fails_the_job_and_nobody_else(place: Path) -> None:
    for metadata in (place / "warehouse" / "aeterna" / "globex_eu" / "metadata").glob("*.json"):
        metadata.write_text("{")

    status, report = ended(started("maintain", place))

    assert (status, report["tenants"], report["unreached"]) == (1, 3, 0)
    assert report["problems"] == {
        tenant_hash(BROKEN): dict.fromkeys(("backup", "compact", "expire", "collect"), "graph.storage_unavailable")
    }
    with closing(iceberg_stores(place)) as stores:
        assert [backups(stores, tenant) for tenant in TENANTS if tenant != BROKEN] == [1, 1]


def test_a_job_that_is_killed_leaves_graphs_whole_and_the_next_one_does_the_rest(place: Path) -> None:
    first = started("backup", place)
    assert first.stderr is not None
    next(line for line in first.stderr if '"graph.upkeep"' in line)
    first.kill()
    first.communicate(timeout=60)

    status, report = ended(started("backup", place))

    assert (status, report["problems"]) == (0, {})
    with closing(iceberg_stores(place)) as stores:
        assert [(backups(stores, tenant), nodes(stores, tenant)) for tenant in TENANTS] == [(1, ["n"])] * 3
