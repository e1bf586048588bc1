"""What Google Cloud answers, taken apart by the real engine: the right name of many, the right address of two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.late import Late
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import GoogleStack, named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aeterna.synth.testing import Json
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(600)]


def answered(tofu: Engine, folder: Path, expressions: Mapping[str, str], answers: Mapping[str, Json]) -> Json:
    """Return what expressions become when the addresses in them have these values."""
    text = json.dumps({name: {"value": expression} for name, expression in expressions.items()})
    for number, address in enumerate(answers):
        text = text.replace(address, f"local.answer{number}")
    known = {f"answer{number}": value for number, value in enumerate(answers.values())}
    workspace = tofu.workspace(folder, {"locals": known, "output": json.loads(text)})
    workspace.init()
    workspace.plan()
    workspace.apply()
    return workspace.outputs()


def connection(kind: str, address: str) -> Json:
    return {"psc_auto_connection": [{"connection_type": kind, "ip_address": address, "port": 6379}]}


def test_host_reader_port_and_authority_of_a_cache_are_found_in_any_order(tofu: Engine, tmp_path: Path) -> None:
    """The service lists its connections in no promised order, and puts them into one endpoint or into two."""
    stack = GoogleStack()
    told = stack.cache(CacheSpec(name="policy")).outputs
    TerraformOutput(stack, "host", value=told.host)
    TerraformOutput(stack, "reader", value=told.reader_host)
    TerraformOutput(stack, "port", value=told.port)
    TerraformOutput(stack, "authority", value=told.certificate_authority)
    document = stack.document()
    (name,) = document.resources("google_memorystore_instance")
    reader, primary = (
        connection("CONNECTION_TYPE_READER", "10.0.0.8"),
        connection("CONNECTION_TYPE_PRIMARY", "10.0.0.7"),
    )
    certificates = [{"ca_certs": [{"certificates": ["one", "two"]}, {"certificates": ["three"]}]}]
    expressions = {output: each["value"] for output, each in document.outputs().items()}
    address = f"google_memorystore_instance.{name}"

    together = {"endpoints": [{"connections": [reader, primary]}], "managed_server_ca": certificates}
    apart = {"endpoints": [{"connections": [reader]}, {"connections": [primary]}], "managed_server_ca": certificates}
    found = [
        answered(tofu, tmp_path / way, expressions, {address: answer})
        for way, answer in {"together": together, "apart": apart}.items()
    ]

    expected = {"host": "10.0.0.7", "reader": "10.0.0.8", "port": "6379", "authority": "one\ntwo\nthree"}
    assert found == [expected, expected]


def test_a_database_is_known_by_its_own_name_inside_the_network(tofu: Engine, tmp_path: Path) -> None:
    """It has others: for the internet, for endpoints, and one that follows the primary of a cluster."""
    stack = GoogleStack()
    stack.database(DatabaseSpec(name="threads"))
    document = stack.document()
    (name,) = document.resources("google_sql_database_instance")
    names = [
        {"name": "a.sql.goog.", "connection_type": "PUBLIC", "dns_scope": "INSTANCE"},
        {"name": "b.global.sql-psa.goog.", "connection_type": "PRIVATE_SERVICES_ACCESS", "dns_scope": "CLUSTER"},
        {"name": "c.europe-west4.sql-psa.goog.", "connection_type": "PRIVATE_SERVICES_ACCESS", "dns_scope": "INSTANCE"},
        {"name": "d.sql-psc.goog.", "connection_type": "PRIVATE_SERVICE_CONNECT", "dns_scope": "INSTANCE"},
    ]

    found = answered(
        tofu,
        tmp_path,
        {"name": document.only("google_dns_managed_zone")["dns_name"]},
        {f"google_sql_database_instance.{name}": {"dns_name": "", "dns_names": names}},
    )

    assert found == {"name": "c.europe-west4.sql-psa.goog."}


@pytest.mark.parametrize(
    ("email", "member"),
    [
        ("ada@example.com", "user:ada@example.com"),
        ("ci@acme.iam.gserviceaccount.com", "serviceAccount:ci@acme.iam.gserviceaccount.com"),
    ],
)
def test_whoever_applies_is_granted_as_what_they_are(tofu: Engine, tmp_path: Path, email: str, member: str) -> None:
    """IAM wants the kind in front, and Google tells only the address."""
    stack = GoogleStack()
    stack.made_cluster(ClusterSpec(name="prod"))
    document = stack.document()
    (name,) = document.data("google_client_openid_userinfo")
    deployer = named(document.resources("google_project_iam_member"), "Deployer")

    found = answered(
        tofu,
        tmp_path,
        {"member": deployer["member"]},
        {f"data.google_client_openid_userinfo.{name}": {"email": email}},
    )

    assert found == {"member": member}


@pytest.mark.parametrize(("account", "fits"), [("threads", True), ("t" * 30, False)])
def test_a_login_that_postgresql_would_cut_off_is_refused_when_the_account_is_known(
    tofu: Engine, tmp_path: Path, account: str, *, fits: bool
) -> None:
    """The name holds the project's id, which a program does not know."""
    stack = GoogleStack()
    database = stack.database(DatabaseSpec(name="threads"))
    project = "p" * 30
    database.grant_to(stack, "Workload", email=Late(f"{account}@{project}.iam.gserviceaccount.com"))
    login = named(stack.document().resources("google_sql_user"), "Workload")

    found = answered(tofu, tmp_path, {"fits": login["lifecycle"]["precondition"][0]["condition"]}, {})

    assert found == {"fits": fits}
