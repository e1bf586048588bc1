"""What the type checker says to somebody who uses the bindings: the mistakes it finds, and that it is silent else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
from typing import assert_type

from constructs import Construct

from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.eks_cluster import AwsEksCluster, AwsEksClusterVpcConfigBlock
from aeterna.aws.l1.launch_template import AwsLaunchTemplate
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.late import Late
from aeterna.contracts.network import NetworkSpec
from aeterna.synth.app import TerraformStack
from aeterna.synth.blocks import repeated
from aeterna.synth.cloud import BackupT, BucketT, CacheT, CatalogT, Cloud
from aeterna.synth.cloud import ClusterT, DatabaseT, KeyT, NetworkT, RegistryT
from aeterna.synth.expressions import IResolvable, Ref
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.overrides import inside


class Customers(TerraformStack):
    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        recovery = AwsProvider(self, "recovery", region="eu-central-1", alias="recovery")
        vpc = AwsVpc(self, "Vpc", cidr_block=Late("10.0.0.0/16"), provider=recovery, lifecycle=Lifecycle(destroy=False))
        zones = DataAwsAvailabilityZones(self, "Zones")
        database = AwsDbInstance(self, "Database", instance_class="db.t4g.small", port=5432)
        block: AwsEksClusterVpcConfigBlock = {"subnet_ids": zones.names, "endpoint_public_access": False}
        cluster = AwsEksCluster(self, "Cluster", name="x", role_arn=vpc.arn, vpc_config=block, depends_on=[vpc])
        AwsLaunchTemplate(
            self,
            "Nodes",
            block_device_mappings=repeated(zones.names, lambda zone: {"device_name": zone.value}),
            vpc_security_group_ids=[cluster.vpc_config[0].cluster_security_group_id],
        )
        assert_type(vpc.arn, str)
        assert_type(zones.names, list[str])
        assert_type(database.port, float)
        assert_type(database.multi_az, IResolvable)
        assert_type(cluster.vpc_config[0].cluster_security_group_id, Ref)
        assert_type(inside(self, AwsVpc, "Vpc"), AwsVpc)
        AwsVpc(self, "A", cidr="10.0.0.0/16")  # error
        AwsVpc(self, "B", cidr_block=10)  # error
        AwsVpc(self, id_="C")  # error
        AwsVpc(self, "D", dependson=[vpc])  # error
        AwsEksCluster(self, "E", role_arn="r", vpc_config=block)  # error
        AwsEksCluster(self, "F", name="x", role_arn="r", vpc_config={"subnets": []})  # error
        AwsEksCluster(self, "G", name="x", role_arn="r", vpc_config={})  # error
        vpc.cidr  # error


def neutral(
    scope: Construct,
    cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
) -> Late:
    key = cloud.key(scope, "Key", KeySpec(purpose="network"))
    network = cloud.network(scope, "Network", NetworkSpec(name="prod"), key=key)
    cloud.network(scope, "Other", NetworkSpec(name="prod"), key=network)  # error
    network.vpc_id  # error
    return network.outputs.network_id
"""


def test_the_type_checker_finds_the_mistakes_and_nothing_else(tmp_path: Path) -> None:
    """Strict mode, as our users have it; a handle of a cloud cannot be looked into."""
    (tmp_path / "program.py").write_text(PROGRAM)
    configuration = {"venvPath": str(ROOT), "venv": ".venv", "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({**configuration, "reportUnusedExpression": False}))

    done = subprocess.run(
        [sys.executable, "-P", "-m", "pyright", "--outputjson", "--project", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
    )

    found = json.loads(done.stdout)["generalDiagnostics"]
    wanted = {number for number, line in enumerate(PROGRAM.splitlines()) if line.endswith("# error")}
    assert {each["range"]["start"]["line"] for each in found} == wanted, [each["message"] for each in found]
