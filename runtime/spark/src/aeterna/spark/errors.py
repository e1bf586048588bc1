"""Every error that the Spark job raises on purpose.

SparkJobError
├── CatalogAddressError    the catalog's address is none that Spark can use
├── CommitLostError        another writer was first, each time
├── SparkMissingError      there is no pyspark in this environment
└── UnknownTenantError     a tenant was named that has no table
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class SparkJobError(AeternaError):
    """The job cannot run as asked; nothing was changed."""

    code = "spark.error"


class CatalogAddressError(SparkJobError):
    """The address of the catalog is none that Spark's Iceberg catalogs understand."""

    code = "spark.catalog_address"

    def __init__(self, problem: str) -> None:
        """Say what is wrong; the address itself may hold a password."""
        super().__init__(f"the catalog's address {problem}")
        self.problem = problem


class CommitLostError(SparkJobError):
    """Another writer committed first; the table is as the other writer left it."""

    code = "spark.commit_lost"

    def __init__(self, statement: str) -> None:
        super().__init__(f"another writer was first: {statement.lower()} was not done")


class SparkMissingError(SparkJobError):
    """There is no pyspark in this environment; it has one of its own."""

    code = "spark.missing"

    def __init__(self) -> None:
        super().__init__("there is no pyspark here; run it in the environment of requirements-spark.lock (make spark)")


class UnknownTenantError(SparkJobError):
    """A tenant was named that has no table in the catalog."""

    code = "spark.unknown_tenant"

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant!r} has no graph in this catalog")
        self.tenant = tenant
