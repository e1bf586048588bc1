"""What a key, a network or a store never does: refer to something of a stack that is applied after its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.alerts import CloudWatchAlerts
from aeterna.aws.catalog_s3tables import S3TablesCatalog
from aeterna.aws.cloud import AWS
from aeterna.aws.cluster import EksCluster
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import NetworkSpec
from aeterna.synth import testing
from aeterna.synth.app import App, TerraformStack
from fixtures.iam_documents import statements

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


def stack_of(app: App, name: str, *, region: str = "eu-west-1") -> TerraformStack:
    stack = TerraformStack(app, name)
    AwsProvider(stack, "aws", region=region)
    return stack


@pytest.fixture(scope="module")
def layers() -> dict[str, Document]:
    """Return the stacks of everything that AWS makes, in the order in which they are applied."""
    app = testing.app()
    stacks = {name: stack_of(app, name) for name in ("keys", "network", "data")}
    stacks["recovery"] = stack_of(app, "recovery", region="eu-central-1")
    stacks["cluster"] = stack_of(app, "cluster")
    key = AwsKey(stacks["keys"], "Key", KeySpec(purpose="everything"))
    network = AwsNetwork(stacks["network"], "Network", NetworkSpec(name="prod"), key=key)
    data, spec = stacks["data"], DatabaseSpec(name="threads")
    database = AWS.database(data, "Database", spec, network=network, key=key)
    cache = AWS.cache(data, "Cache", CacheSpec(name="cache"), network=network, key=key)
    bucket = AWS.bucket(data, "Bucket", BucketSpec(name="acme-graph"), network=network, key=key)
    backup = AWS.backup(data, "Backup", BackupSpec(name="vault"), key=key, protects=[database, bucket])
    S3TablesCatalog(data, "Tables", CatalogSpec(name="acme-tables"), key=key)
    there = stacks["recovery"]
    second = AwsKey(there, "Key", KeySpec(purpose="copies"))
    away = AwsNetwork(there, "Network", NetworkSpec(name="away", cidr="10.1.0.0/16"), key=second)
    AWS.database_replica(there, "Database", spec, source=database, network=away, key=second)
    copy = BucketSpec(name="acme-graph-copy")
    AWS.bucket_replica(there, "Bucket", copy, source=bucket, network=away, key=second)
    AWS.backup_copy(there, "Backup", BackupSpec(name="vault-copy"), source=backup, key=second)
    top = stacks["cluster"]
    cluster = EksCluster(top, "Cluster", ClusterSpec(name="prod"), network=network, key=key)
    AWS.admit(top, "Admission", cluster=cluster, stores=[database, cache])
    reader = IdentitySpec(name="reader", namespace="aeterna", service_account="reader")
    AWS.identity(top, "Reader", reader, cluster=cluster, uses=[database, cache, bucket])
    CloudWatchAlerts(top, "Alerts", AlertsSpec(name="prod"), key=key, watches=[cluster, database, cache])
    documents = testing.documents(app)
    return {name: documents[name] for name in stacks}


def read_by(document: Document) -> set[str]:
    """Return the stacks whose state this one reads."""
    return {name.removeprefix("cross-stack-reference-input-") for name in document.data("terraform_remote_state")}


def test_a_stack_reads_only_what_was_applied_before_it(layers: dict[str, Document]) -> None:
    """One reference the other way, and neither of the two could ever be applied first."""
    order = list(layers)

    assert {name: read_by(document) - set(order[: order.index(name)]) for name, document in layers.items()} == {
        name: set() for name in order
    }


def test_a_key_names_what_comes_after_it_by_arns_that_it_builds_itself(layers: dict[str, Document]) -> None:
    """The same grants as in one stack: none is lost because the log group or the alarm stands elsewhere."""
    granted = {found.statement["Sid"]: found for found in statements(layers["keys"], of="aws_kms_key")}

    assert {"EncryptLogs", "AutoScalingUse", "AutoScalingAttach", "AlarmsProd", "MaintainAcmeTables"} <= granted.keys()
    logs = granted["EncryptLogs"].conditions["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert {"/aws/vpc/prod/flows", "/aws/eks/prod/cluster", "/aws/rds/instance/threads/postgresql"} <= {
        arn.rpartition("log-group:")[2] for arn in logs
    }


def test_the_nodes_are_let_in_from_the_stack_of_the_cluster(layers: dict[str, Document]) -> None:
    """The stores know of no cluster; their groups are opened by whoever comes later."""
    rules = layers["cluster"].resources("aws_vpc_security_group_ingress_rule").values()

    assert {rule["from_port"] for rule in rules} == {5432, 6379}
    assert all("cluster_security_group_id" in rule["referenced_security_group_id"] for rule in rules)
    assert all("terraform_remote_state" in rule["security_group_id"] for rule in rules)
    assert not layers["data"].resources("aws_vpc_security_group_ingress_rule")


def test_nothing_depends_on_an_address_of_another_state(layers: dict[str, Document]) -> None:
    """Terraform refuses it, and not before somebody applies."""
    for document in layers.values():
        own = set(document.addresses())
        for named in document.json["resource"].values():
            for resource in named.values():
                assert set(resource.get("depends_on", ())) <= own, json.dumps(resource)[:200]
