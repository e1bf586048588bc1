"""A commit whose answer got lost is settled before anything else, in whatever way the answer got lost."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING, Final

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from pyiceberg import exceptions as iceberg
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.exc import OperationalError

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.errors import CommitConflictError
from fixtures.fix_graph import ACME, GraphBench, arrow_lens, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

FAILURES: Final[dict[str, Exception]] = {
    "REST 500": iceberg.CommitStateUnknownException("500"),
    "REST 502": iceberg.CommitStateUnknownException("502"),
    "REST 503": iceberg.ServiceUnavailableError("503"),
    "REST 504": iceberg.CommitStateUnknownException("504"),
    "REST 5xx": iceberg.ServerError("599"),
    "a token that ended": iceberg.AuthorizationExpiredError("419"),
    "a connection that was reset": requests.ConnectionError("reset"),
    "an answer that took too long": requests.ReadTimeout("slow"),
    "an answer that was cut off": requests.exceptions.ChunkedEncodingError("cut"),
    "a socket that was reset": ConnectionResetError(errno.ECONNRESET, "reset"),
    "a socket that was silent": TimeoutError("silent"),
    "a database that went away": OperationalError("COMMIT", {}, sqlite3.OperationalError("gone")),
    "AWS out of reach": EndpointConnectionError(endpoint_url="https://glue"),
    "AWS too slow": ReadTimeoutError(endpoint_url="https://glue"),
    "AWS failing": ClientError({"Error": {"Code": "InternalServiceException"}}, "UpdateTable"),
    "a client that sent it twice": iceberg.CommitFailedException("the head is no longer the parent"),
}


class Catalog:
    """Makes pyiceberg's SQL catalog lose answers, before or after it has done what it was asked."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.done = True

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand between the store and the catalog."""
        commit = SqlCatalog.commit_table
        lost = self

        def commit_table(
            catalog: SqlCatalog,
            table: Table,
            requirements: tuple[TableRequirement, ...],
            updates: tuple[TableUpdate, ...],
        ) -> CommitTableResponse:
            failure, lost.failure = lost.failure, None
            if failure is not None and not lost.done:
                raise failure
            answer = commit(catalog, table, requirements, updates)
            if failure is not None:
                raise failure
            return answer

        patch.setattr(SqlCatalog, "commit_table", commit_table)


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    catalog = Catalog()
    catalog.install(monkeypatch)
    return catalog


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GraphBench]:
    stores = iceberg_stores(tmp_path)
    yield GraphBench(stores=stores, new_lens=arrow_lens)
    stores.close()


ONE, TWO = (session_of(id_, subject="ada", nodes=[node_of(f"n:{id_}", "T")]) for id_ in ("one", "two"))


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_commit_that_happened_is_acknowledged_and_not_written_again(
    bench: GraphBench, catalog: Catalog, failure: Exception
) -> None:
    graph = bench.graphs().of(ACME)
    graph.commit(ONE)
    catalog.failure = failure

    receipt = graph.commit(TWO)

    assert (receipt.seq, receipt.repeated) == (2, False)
    assert graph.commit(TWO).repeated
    reader = bench.graphs().of(ACME)
    assert [snapshot.sessions for snapshot in reader.snapshots(10)] == [1, 1]
    assert reader.statistics().nodes == 2


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_commit_that_did_not_happen_is_refused_or_tried_again_and_is_there_once(
    bench: GraphBench, catalog: Catalog, failure: Exception
) -> None:
    graph = bench.graphs().of(ACME)
    graph.commit(ONE)
    catalog.failure, catalog.done = failure, False

    refused = graph.submit(TWO).exception()
    receipt = graph.commit(TWO)

    assert not isinstance(refused, CommitConflictError)  # which is tried again, and then is no refusal
    assert receipt.repeated is (refused is None)
    assert receipt.seq == 2
    assert bench.graphs().of(ACME).statistics().nodes == 2
