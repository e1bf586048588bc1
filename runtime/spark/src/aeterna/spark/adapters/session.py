"""The Spark session that sees the API's catalog; the only module that knows pyspark, which ships with the cluster."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aeterna.spark.domain import tables
from aeterna.spark.domain.catalogs import CATALOG
from aeterna.spark.errors import CommitLostError, SparkMissingError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from aeterna.spark.ports import Frame, Spark

_OPTIONS: Final = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    # A table that another engine has moved on must not be read as it was.
    f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.sql.artifact.isolation.enabled": "false",
}

# What the catalog says of a lost race, and what Iceberg says when a file that it read is no longer there.
_LOST: Final = {
    "org.apache.iceberg.exceptions.CommitFailedException",
    "org.apache.iceberg.exceptions.ValidationException",
}
_LOCAL: Final = {
    # The default of 200 partitions is for a cluster: on one machine each is a task that costs more than its work.
    "spark.sql.shuffle.partitions": "8",
    # Nobody else takes part, so nobody else needs to reach it.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
}


@contextmanager
def spark_session(
    *, properties: Mapping[str, str], master: str | None, jars: Sequence[str], conf: Mapping[str, str]
) -> Generator[Spark]:
    """Lend a session with the catalog; raise `SparkMissingError` without pyspark.

    ``master`` and ``jars`` are left to ``spark-submit`` when they are not given. ``conf`` wins over everything.
    """
    try:
        sql: Any = importlib.import_module("pyspark.sql")  # Any: it is not in the environment that checks types
    except ModuleNotFoundError as missing:
        raise SparkMissingError from missing
    options = _OPTIONS | {f"spark.sql.catalog.{CATALOG}.{name}": value for name, value in properties.items()}
    if jars:
        options["spark.jars"] = ",".join(jars)
    builder = sql.SparkSession.builder.appName("aeterna")
    if master is not None:
        builder = builder.master(master)
        # The workers of one machine are of this environment; PATH may lead to another Python.
        options |= _LOCAL
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in {**options, **conf}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield _Session(session)
    finally:
        session.stop()


class _Session:
    """A `Spark` that says in our words when another writer was first."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - as above
        self._session = session

    def sql(self, statement: str) -> Frame:
        """Run or plan a statement; raise `CommitLostError` when its commit lost against another one."""
        with _translated(statement.partition(" ")[0]):
            return self._session.sql(statement)

    def stamp(self, table: str, seq: int, head: int, summary: Mapping[str, str]) -> None:
        """See `Spark.stamp`."""
        functions: Any = importlib.import_module("pyspark.sql.functions")  # Any: as above
        nothing = self._session.sql(tables.nothing_of(table))
        options = {f"snapshot-property.{name}": value for name, value in summary.items()}
        # Replaces the rows of later sessions, of which there are none, by none: Iceberg refuses it when there are.
        checked = {"isolation-level": "serializable", "validate-from-snapshot-id": str(head)}
        with _translated("STAMP"):
            writer = nothing.writeTo(tables.full_name(table)).options(**options, **checked)
            writer.overwrite(functions.col("seq") > seq)


@contextmanager
def _translated(statement: str) -> Generator[None]:
    """Turn what Java says of a lost race into our own error."""
    java: Any = importlib.import_module("py4j.protocol")  # Any: as above
    try:
        yield
    except java.Py4JJavaError as failure:
        if _LOST & set(_kinds(failure.java_exception)):
            raise CommitLostError(statement) from failure
        raise


def _kinds(failure: Any) -> Generator[str]:  # noqa: ANN401 - an exception of Java's
    while failure is not None:
        yield str(failure.getClass().getName())
        failure = failure.getCause()
