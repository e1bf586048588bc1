"""The command of the job: what to do to which tenants, on a Spark of one machine or as ``spark-submit`` started it."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aeterna.spark.adapters.grouped import partitioned
from aeterna.spark.adapters.session import spark_session
from aeterna.spark.domain.catalogs import catalog_properties
from aeterna.spark.errors import SparkJobError
from aeterna.spark.usecases.job import TASKS, Plan, run

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM: Final = "aeterna-spark"
_HISTORY: Final = timedelta(days=1).total_seconds()  # as AETERNA_API_HISTORY
_EXPIRE_AFTER: Final = timedelta(days=7).total_seconds()
_ORPHANS_AFTER: Final = timedelta(days=3).total_seconds()
_KEEP: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job and print its report as one line of JSON.

    A refusal is one line and status 1; when other writers did not let a task through, the status is 2.
    """
    options = _parser().parse_args(arguments)
    try:
        properties = catalog_properties(options.catalog_uri, options.warehouse) | dict(options.catalog_property)
        with spark_session(
            properties=properties, master=options.master, jars=options.jar, conf=dict(options.conf)
        ) as spark:
            report = run(spark, plan_of(options, datetime.now(UTC)))
    except SparkJobError as refusal:
        sys.stderr.write(f"{_PROGRAM}: {refusal}\n")
        return 1
    sys.stdout.write(json.dumps(report) + "\n")
    return 2 if any(tenant["lost"] for tenant in report["tenants"]) else 0


def plan_of(options: argparse.Namespace, now: datetime) -> Plan:
    """Return what the command line asks for."""
    return Plan(
        now=now,
        tasks=frozenset(options.task or TASKS),
        tenants=frozenset(options.tenant),
        history_from=now - timedelta(seconds=options.history),
        expire_before=now - timedelta(seconds=options.expire_after),
        keep_snapshots=options.keep,
        orphans_before=now - timedelta(seconds=options.orphans_after),
        grouped=partitioned,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    parser.add_argument("--catalog-uri", required=True, help="as AETERNA_API_CATALOG_URI")
    parser.add_argument("--warehouse", required=True, help="as AETERNA_API_WAREHOUSE")
    parser.add_argument("--task", action="append", choices=TASKS, help="may repeat; all of them without it")
    parser.add_argument("--tenant", action="append", default=[], help="may repeat; all tenants without it")
    parser.add_argument("--history", type=float, default=_HISTORY, metavar="SECONDS", help="keep states this old")
    parser.add_argument("--expire-after", type=float, default=_EXPIRE_AFTER, metavar="SECONDS")
    parser.add_argument("--keep", type=int, default=_KEEP, metavar="SNAPSHOTS", help="keep at least so many")
    parser.add_argument("--orphans-after", type=float, default=_ORPHANS_AFTER, metavar="SECONDS")
    parser.add_argument("--master", help="as spark-submit's; for example local[2]")
    parser.add_argument("--jar", action="append", default=[], help="Iceberg's runtime and the catalog's driver")
    parser.add_argument("--conf", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="of Spark")
    parser.add_argument(
        "--catalog-property", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="of Iceberg's catalog"
    )
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError("must be KEY=VALUE")
    return name, value
